//! Marks that a plain text document carries: headings, bullets, numbers, emphasis, links.

/// What a line is by the marks at its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineKind {
    /// Nothing stands on it, or marks alone.
    Blank,
    /// It is marked as a heading: by `#`, or by being bold as a whole.
    Heading,
    /// It is marked as an item of a list.
    Item,
    /// Neither.
    Plain,
}

const BULLETS: &[char] = &[
    '\u{2022}', '\u{25e6}', '\u{25aa}', '\u{2023}', '\u{2043}', '\u{b7}', '-', '\u{2013}', '\u{2014}', '*',
    '+',
];

/// The kind of a line, and its words without the marks.
pub(super) fn line(raw: &str) -> (LineKind, String) {
    let mut text = raw.trim();
    while let Some(rest) = text.strip_prefix('>') {
        text = rest.trim_start();
    }
    let unmarked = text.trim_start_matches('#');
    if unmarked.len() < text.len() && unmarked.starts_with(char::is_whitespace) {
        let words = clean(unmarked.trim_end_matches('#'));
        return (if words.is_empty() { LineKind::Blank } else { LineKind::Heading }, words);
    }
    if let Some(words) = bold_as_a_whole(text) {
        return (LineKind::Heading, words);
    }
    let (is_item, rest) = match item(text) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let words = clean(rest);
    if !words.chars().any(char::is_alphanumeric) {
        return (LineKind::Blank, String::new());
    }
    (if is_item { LineKind::Item } else { LineKind::Plain }, words)
}

/// `**Words**`, unless they lead into what follows or end as a sentence does.
fn bold_as_a_whole(text: &str) -> Option<String> {
    let inside = text.strip_prefix("**")?.strip_suffix("**")?;
    let words = clean(inside);
    let is_sentence = words.ends_with([':', '.', '!', ';', ',']);
    let has_words = words.chars().any(char::is_alphanumeric);
    (has_words && !is_sentence && !inside.contains("**")).then_some(words)
}

/// What follows the bullet or the number of an item.
fn item(text: &str) -> Option<&str> {
    // A bullet may be bold by itself.
    let bare = text.strip_prefix("**").and_then(|rest| {
        let bullet = rest.chars().next().filter(|c| BULLETS.contains(c))?;
        rest.strip_prefix(bullet)?.strip_prefix("**")
    });
    if let Some(rest) = bare {
        return Some(rest.trim_start());
    }
    let mut chars = text.chars();
    if chars.next().is_some_and(|c| BULLETS.contains(&c)) {
        let rest = chars.as_str();
        return rest.starts_with(char::is_whitespace).then(|| rest.trim_start());
    }
    let (number, rest) = text.split_once(char::is_whitespace)?;
    is_number(number).then(|| rest.trim_start())
}

/// `1.`, `2)`, `(3)`, `4.1`, `a)`, `(b)`, `iv.`
fn is_number(word: &str) -> bool {
    let opened = word.strip_prefix('(');
    let bare = opened.unwrap_or(word);
    let closed = bare.strip_suffix(')');
    let inner = closed.or_else(|| bare.strip_suffix('.')).unwrap_or(bare);
    let levels: Vec<&str> = inner.split('.').collect();
    let digits = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if levels.iter().all(digits) {
        return levels.len() > 1 || inner.len() < bare.len();
    }
    let letter = inner.len() == 1 && inner.bytes().all(|b| b.is_ascii_lowercase());
    let roman = (1..=5).contains(&inner.len()) && inner.bytes().all(|b| b"ivx".contains(&b));
    match (opened, closed) {
        (_, Some(_)) => letter || roman,
        (Some(_), None) => false,
        (None, None) => roman && inner.len() < bare.len(),
    }
}

/// Words without emphasis; a link is its words, and its target where that says more.
fn clean(text: &str) -> String {
    let text = links(text).replace("**", "").replace("__", "");
    let text: String = text.chars().filter(|c| *c != '*').collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        let whole = after.split_once("](").and_then(|(words, tail)| {
            let (target, tail) = tail.split_once(')')?;
            (!words.contains('[') && !target.contains(char::is_whitespace)).then_some((words, target, tail))
        });
        match whole {
            Some((words, target, tail)) => {
                out.push_str(words);
                let bare = target.strip_prefix("mailto:").unwrap_or(target);
                if bare != words.trim_end_matches('.') {
                    // Before the full stop that the words carry with them.
                    let stop = if words.ends_with('.') { out.pop() } else { None };
                    out.push_str(" (");
                    out.push_str(target);
                    out.push(')');
                    out.extend(stop);
                }
                rest = tail;
            }
            None => {
                out.push('[');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_told_from_words() {
        use LineKind::{Blank, Heading, Item, Plain};
        let rows = [
            ("", Blank, ""),
            ("  ---  ", Blank, ""),
            ("**", Blank, ""),
            ("## Our bees ##", Heading, "Our bees"),
            ("#bees are loud", Plain, "#bees are loud"),
            ("**Our bees**", Heading, "Our bees"),
            ("**Our bees do this:**", Plain, "Our bees do this:"),
            ("**Bees.** They *sting*.", Plain, "Bees. They sting."),
            ("  \u{2022} Honey", Item, "Honey"),
            ("**\u{2022}** Wax ", Item, "Wax"),
            ("- Pollen", Item, "Pollen"),
            ("\u{2013} Smoke", Item, "Smoke"),
            ("-5 degrees", Plain, "-5 degrees"),
            ("1. Hives", Item, "Hives"),
            ("2) Frames", Item, "Frames"),
            ("(3) Lids", Item, "Lids"),
            ("4.1 Floors", Item, "Floors"),
            ("a) Roofs", Item, "Roofs"),
            ("(iv) Doors", Item, "Doors"),
            ("iv. Doors", Item, "Doors"),
            ("2026 was wet.", Plain, "2026 was wet."),
            ("A hive is a house.", Plain, "A hive is a house."),
            ("I keep bees.", Plain, "I keep bees."),
            ("> Quoted words.", Plain, "Quoted words."),
            ("Ask [bee@example.org](mailto:bee@example.org).", Plain, "Ask bee@example.org."),
            ("Ask [us.](http://example.org/a)", Plain, "Ask us (http://example.org/a)."),
            ("Ask [us] or [them](him).", Plain, "Ask [us] or them (him)."),
        ];
        for (raw, kind, words) in rows {
            assert_eq!(line(raw), (kind, words.to_owned()), "{raw}");
        }
    }
}
