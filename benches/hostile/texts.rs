//! The texts.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

/// A text that is one part many times over.
pub(crate) struct Text {
    head: String,
    part: String,
    times: usize,
    tail: &'static str,
}

impl Text {
    fn whole(text: String) -> Self {
        Self { head: text, part: String::new(), times: 0, tail: "" }
    }

    fn of(head: &str, part: &str, times: usize, tail: &'static str) -> Self {
        Self { head: head.to_owned(), part: part.to_owned(), times, tail }
    }

    pub(crate) fn len(&self) -> usize {
        self.head.len() + self.part.len() * self.times + self.tail.len()
    }

    /// Writes it, however large, in little memory.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(self.head.as_bytes())?;
        for _ in 0..self.times {
            file.write_all(self.part.as_bytes())?;
        }
        file.write_all(self.tail.as_bytes())?;
        file.flush()
    }
}

/// What is hostile, and the text.
pub(crate) fn all() -> Vec<(&'static str, Text)> {
    let numbered = |count: usize, of: fn(usize) -> String| (0..count).map(of).collect::<String>();
    let bomb = numbered(30, |n| format!("a{}: &a{} [*a{n}, *a{n}, *a{n}]\n", n + 1, n + 1));
    let keys = numbered(13_500, |n| format!("k{n}: x\n"));
    let words = numbered(25_000, |n| format!("w{n}, "));
    let repeated = numbered(13_500, |_| "a: x\n".to_owned());
    let rules = numbered(4_900, |n| {
        format!("  - {{id: r{n}, permit: markting, data: user.nam, basis: contract, clauses: [c-1]}}\n")
    });
    vec![
        ("an alias bomb", Text::whole(format!("a0: &a0 [x, x]\n{bomb}"))),
        ("an alias bomb of rules", Text::whole(format!("rules: &a0 [x, x]\n{bomb}"))),
        ("100,000 open brackets", Text::of("", "[", 100_000, "")),
        ("100,000 open braces", Text::of("", "{a: ", 100_000, "")),
        ("100,000 dashes", Text::of("", "- ", 100_000, "")),
        ("a key twice", Text::whole("rules: []\nrules: []\n".to_owned())),
        ("a key 13,500 times", Text::whole(repeated)),
        ("two documents", Text::whole("rules: []\n---\nrules: []\n".to_owned())),
        ("a million documents", Text::of("", "---\n", 1_000_000, "")),
        (
            "a word of YAML 1.1 for true",
            Text::whole("routes: [{route: GET /a, public: yes}]\nlisten: on\n".to_owned()),
        ),
        ("100 MB of one line", Text::of("rules: ", "x", 100_000_000, "\n")),
        ("100 MB of lines", Text::of("rules:\n", "  - x\n", 16_666_666, "")),
        ("1 MB of one word", Text::of("rules: ", "x", 1_000_000, "\n")),
        ("1 MB of comments", Text::of("rules: x\n", "# x\n", 250_000, "")),
        ("1 MB of empty lines", Text::of("rules: x\n", "\n", 1_000_000, "")),
        ("400,000 entries", Text::of("rules: [", "x, ", 400_000, "]\n")),
        ("27,000 entries on one line", Text::of("rules: [", "x, ", 27_000, "]\n")),
        ("27,000 entries of two bytes", Text::of("rules: [", "ä, ", 27_000, "]\n")),
        ("27,000 entries on lines", Text::of("rules:\n", "  - x\n", 27_000, "")),
        ("27,000 empty rules", Text::of("rules: [", "{}, ", 27_000, "]\n")),
        ("9,000 rules without a verb", Text::of("rules: [", "{id: x}, ", 9_000, "]\n")),
        ("4,900 rules with typos", Text::whole(format!("rules:\n{rules}"))),
        ("13,500 unknown keys", Text::whole(keys)),
        (
            "25,000 unknown words in one rule",
            Text::whole(format!("rules: [{{id: x, forbid: [{words}], data: x}}]\n")),
        ),
        ("9,000 empty routes", Text::of("routes: [", "{route: x}, ", 9_000, "]\n")),
        ("9,000 empty clauses", Text::of("clauses: [", "{id: x}, ", 9_000, "]\n")),
        ("9,000 empty cases", Text::of("cases: [", "{case: x}, ", 9_000, "]\n")),
    ]
}
