//! Where one sentence ends and the next begins.

/// After these, a full stop ends nothing.
const SHORT_BEFORE_MORE: &[&str] = &[
    "al", "approx", "art", "arts", "ca", "cap", "cf", "ch", "dr", "e.g", "eg", "fig", "i.e", "ie", "messrs",
    "mr", "mrs", "ms", "mx", "nr", "para", "paras", "pp", "prof", "resp", "rev", "sec", "sect", "st", "tel",
    "v", "viz", "vol", "vs", "z.b",
];

/// After these, it ends a sentence only where a new one plainly begins.
const SHORT_AT_THE_END: &[&str] = &[
    "a.m", "a.s", "ag", "apr", "aug", "ave", "b.v", "bros", "co", "corp", "d.c", "dec", "dept", "e.u", "est",
    "etc", "ext", "feb", "inc", "jan", "jr", "l.l.c", "l.p", "llc", "llp", "ltd", "mar", "n.a", "no", "nos",
    "nov", "oct", "p.m", "plc", "pty", "s.a", "s.r.l", "sep", "sept", "sr", "u.k", "u.n", "u.s", "u.s.a",
    "u.s.c",
];

/// How sentences of policies begin.
const STARTERS: &[&str] = &[
    "a",
    "after",
    "all",
    "although",
    "an",
    "and",
    "any",
    "as",
    "at",
    "because",
    "before",
    "but",
    "by",
    "customers",
    "do",
    "each",
    "either",
    "every",
    "for",
    "from",
    "he",
    "her",
    "his",
    "how",
    "however",
    "i",
    "if",
    "in",
    "it",
    "its",
    "most",
    "no",
    "none",
    "nor",
    "nothing",
    "on",
    "or",
    "other",
    "our",
    "please",
    "she",
    "should",
    "since",
    "so",
    "some",
    "such",
    "that",
    "the",
    "their",
    "there",
    "therefore",
    "these",
    "they",
    "this",
    "those",
    "to",
    "under",
    "unless",
    "until",
    "upon",
    "users",
    "visitors",
    "we",
    "what",
    "when",
    "where",
    "whether",
    "which",
    "while",
    "who",
    "with",
    "without",
    "you",
    "your",
];

/// The sentences of one paragraph, each with the byte at which it begins.
pub(super) fn split(text: &str) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if !is_end(c) {
            continue;
        }
        let mut end = at + c.len_utf8();
        while let Some((next, c)) = chars.peek().copied().filter(|(_, c)| is_end(*c) || closes(*c)) {
            end = next + c.len_utf8();
            chars.next();
        }
        let (before, rest) = (text.get(start..at).unwrap_or_default(), text.get(end..).unwrap_or_default());
        if parts(before, c, rest) {
            push(&mut out, text, start, end);
            start = end;
        }
    }
    push(&mut out, text, start, text.len());
    out
}

fn push<'t>(out: &mut Vec<(usize, &'t str)>, text: &'t str, start: usize, end: usize) {
    let Some(piece) = text.get(start..end) else { return };
    let words = piece.trim_start();
    if words.chars().any(char::is_alphanumeric) {
        out.push((end - words.len(), words.trim_end()));
    }
}

fn is_end(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '\u{2026}') || is_wide_end(c)
}

/// The full stops of East Asian texts, which no space follows.
fn is_wide_end(c: char) -> bool {
    matches!(c, '\u{3002}' | '\u{ff01}' | '\u{ff1f}')
}

fn closes(c: char) -> bool {
    matches!(c, ')' | ']' | '"' | '\'' | '\u{2019}' | '\u{201d}' | '\u{bb}')
}

/// Whether a sentence ends here.
fn parts(before: &str, end: char, rest: &str) -> bool {
    if rest.trim().is_empty() || is_wide_end(end) {
        return true;
    }
    if !rest.starts_with(char::is_whitespace) {
        return false;
    }
    let opens = |c: char| !c.is_alphanumeric();
    let next = rest.trim_start_matches(opens);
    if next.starts_with(char::is_lowercase) {
        return false;
    }
    if end != '.' {
        return true;
    }
    let last = before.split(char::is_whitespace).next_back().unwrap_or_default();
    let word = last.trim_start_matches(opens).to_lowercase();
    if SHORT_BEFORE_MORE.contains(&word.as_str()) {
        return false;
    }
    let letter = word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
    if letter || SHORT_AT_THE_END.contains(&word.as_str()) {
        return starts_plainly(next);
    }
    true
}

fn starts_plainly(rest: &str) -> bool {
    let word: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
    STARTERS.contains(&word.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_they_end() {
        let rows: &[&[&str]] = &[
            &["We keep bees.", "They keep us."],
            &["Is it so?", "It is!", "Good."],
            &["Some insects, e.g. Bees, sting."],
            &["Some, i.e. those with a sting, sting.", "Others do not."],
            &["Hive Ltd. London sells honey."],
            &["Honey comes from Hive Ltd.", "We add nothing."],
            &["The law of the U.S. Congress holds.", "Others do in the U.S.", "We know both."],
            &["We keep wax, smoke, honey, etc.", "If it rains, we wait."],
            &["Wax, smoke (etc.) and so on."],
            &["Write to bee@hive.example.org or see www.hive.example.org/a.b?c=d.e now.", "Thank you."],
            &["Mr. Lee and J. Doe keep 3.5 hives.", "Plan B. Lee keeps none."],
            &["We say \u{201c}no.\u{201d}", "You say yes."],
            &["(This is whole.)", "That is not."],
            &["Bees sting... and fly.", "Wasps too."],
            &["See No. 5 of the list.", "It is long."],
            &["It came on 5 Dec. 2026 by cart."],
            &["\u{871c}\u{8702}\u{3002}", "\u{8702}\u{871c}\u{3002}"],
            &["No full stop here"],
        ];
        for sentences in rows {
            let wide = sentences.iter().any(|s| s.ends_with('\u{3002}'));
            let text = sentences.join(if wide { "" } else { " " });
            let found: Vec<_> = split(&text).into_iter().map(|(_, piece)| piece).collect();
            assert_eq!(&found, sentences);
            for (at, piece) in split(&text) {
                assert!(text[at..].starts_with(piece), "{piece}");
            }
        }
    }

    #[test]
    fn nothing_is_lost_but_what_has_no_words() {
        assert_eq!(split(" ... "), []);
        assert_eq!(split("One. ... Two."), [(0, "One."), (9, "Two.")]);
    }
}
