//! Headings that nothing marks: lines that stand alone and read as titles.

use super::markup::LineKind;
use super::sentences::Line;

/// The longest title, in words and in characters.
const WORDS_MAX: usize = 12;
const CHARACTERS_MAX: usize = 90;

/// How questions begin.
const ASKING: &[&str] = &[
    "are", "can", "do", "does", "how", "is", "may", "what", "when", "where", "which", "who", "whom", "whose",
    "why", "will",
];

/// Finds the headings of a document that marks none of them. A title stands alone between blank lines and has a text
/// below it, with at most one other title between: a column of short lines is an address. What is taken for a title and
/// is none is never lost: it is a sentence that is listed as a heading.
pub(super) fn promote(lines: &mut [Line]) {
    if lines.iter().filter(|line| line.kind == LineKind::Heading).count() > 1 {
        return;
    }
    let blank =
        |at: Option<usize>| at.and_then(|at| lines.get(at)).is_none_or(|line| line.kind == LineKind::Blank);
    let title = |at: usize| {
        let alone = blank(at.checked_sub(1)) && blank(at.checked_add(1));
        alone && lines.get(at).is_some_and(|line| line.kind == LineKind::Plain && reads_as_title(&line.words))
    };
    let below = |at: usize| {
        let rest = lines.iter().enumerate().skip(at + 1);
        rest.filter(|(_, line)| line.kind != LineKind::Blank).map(|(at, _)| at).next()
    };
    let is_heading = |at: usize| {
        title(at)
            && below(at).is_some_and(|next| !title(next) || below(next).is_some_and(|after| !title(after)))
    };
    let found: Vec<usize> = (0..lines.len()).filter(|at| is_heading(*at)).collect();
    for at in found {
        if let Some(line) = lines.get_mut(at) {
            line.kind = LineKind::Heading;
        }
    }
}

fn reads_as_title(text: &str) -> bool {
    let words: Vec<&str> = text
        .split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '\u{2019}'))
        .filter(|w| !w.is_empty())
        .collect();
    let asks = text.ends_with('?');
    if words.is_empty()
        || words.len() > WORDS_MAX
        || text.chars().count() > CHARACTERS_MAX
        || !text.starts_with(char::is_uppercase)
        || text.ends_with(['.', '!', ':', ';', ','])
        || text.contains(['@', '\u{a9}'])
        || text.contains("://")
    {
        return false;
    }
    let first = words.first().map(|w| w.to_lowercase()).unwrap_or_default();
    if ASKING.contains(&first.as_str()) {
        return asks || first.starts_with('w') || first == "how";
    }
    if asks {
        return false;
    }
    // Short words are small in titles too.
    let long: Vec<&&str> = words.iter().filter(|w| w.chars().count() > 3).collect();
    let large = long.iter().filter(|w| w.starts_with(char::is_uppercase)).count();
    words.len() <= 3 || large * 2 > long.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_told_from_sentences_that_have_no_full_stop() {
        let rows = [
            ("How Honey Is Made", true),
            ("How long honey is kept", true),
            ("Do all bees sting?", true),
            ("Review of this Hive", true),
            ("Contact", true),
            ("We never sell honey to wasps", false),
            ("Are you a wasp", false),
            ("The hive keeps the following:", false),
            ("honey", false),
            ("Bees sting.", false),
            ("bee@example.org", false),
            (
                "Is this a question, and is it one that goes on and on until nobody would call it a title?",
                false,
            ),
        ];
        for (text, is_title) in rows {
            assert_eq!(reads_as_title(text), is_title, "{text}");
        }
    }
}
