//! Just enough of Rust's grammar to count lines in it.

use std::path::{Path, PathBuf};

/// The source with every comment, string and character blanked out, line for line.
#[must_use]
pub fn code_only(source: &str) -> String {
    let text: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < text.len() {
        let end = end_of_literal(&text, at);
        if end == at {
            out.push(text[at]);
            at += 1;
        } else {
            out.extend(text[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// Where the comment, string or character that starts here ends; right here if none starts.
fn end_of_literal(text: &[char], at: usize) -> usize {
    let starts = |word: &str| text[at..].iter().copied().take(word.len()).eq(word.chars());
    let in_word = at > 0 && (text[at - 1].is_alphanumeric() || text[at - 1] == '_');
    if starts("//") {
        return text[at..].iter().position(|c| *c == '\n').map_or(text.len(), |n| at + n);
    }
    if starts("/*") {
        return end_of_comment(text, at);
    }
    if !in_word && let Some(end) = end_of_raw(text, at) {
        return end;
    }
    match text[at] {
        '"' => end_of_quoted(text, at, '"'),
        // A lifetime has no second quote where a character has it.
        '\'' if text.get(at + 1) == Some(&'\\') || text.get(at + 2) == Some(&'\'') => {
            end_of_quoted(text, at, '\'')
        }
        _ => at,
    }
}

fn end_of_comment(text: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while at < text.len() {
        match (text[at], text.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) if depth == 1 => return at + 2,
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    text.len()
}

fn end_of_raw(text: &[char], start: usize) -> Option<usize> {
    let mut at = start + usize::from(matches!(text[start], 'b' | 'c'));
    if text.get(at) != Some(&'r') {
        return None;
    }
    at += 1;
    let hashes = text[at..].iter().take_while(|c| **c == '#').count();
    at += hashes;
    if text.get(at) != Some(&'"') {
        return None;
    }
    let closes = |end: &usize| {
        text[*end] == '"' && text[end + 1..].iter().take_while(|c| **c == '#').count() >= hashes
    };
    Some((at + 1..text.len()).find(closes).map_or(text.len(), |end| end + 1 + hashes))
}

fn end_of_quoted(text: &[char], start: usize, quote: char) -> usize {
    let mut at = start + 1;
    while at < text.len() {
        match text[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// Every function with a body: its name, the line it starts on (from 1) and how many lines it has.
#[must_use]
pub fn functions(source: &str) -> Vec<(String, usize, usize)> {
    let code = code_only(source);
    let mut found = Vec::new();
    let starts = code.match_indices("fn ").map(|(at, _)| at);
    for start in starts.filter(|at| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_')) {
        let name: String =
            code[start + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let (mut depth, mut nesting) = (0_usize, 0_usize);
        for (n, c) in code[start..].char_indices() {
            match c {
                '(' | '[' if depth == 0 => nesting += 1,
                ')' | ']' if depth == 0 => nesting = nesting.saturating_sub(1),
                ';' if depth == 0 && nesting == 0 => break,
                '{' => depth += 1,
                '}' if depth == 1 => {
                    let first = code[..start].lines().count().max(1);
                    let first = if code[..start].ends_with('\n') { first + 1 } else { first };
                    found.push((name, first, code[start..start + n].matches('\n').count() + 1));
                    break;
                }
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                _ => {}
            }
        }
    }
    found
}

/// The source up to its `#[cfg(test)] mod tests {`, which comes last.
#[must_use]
pub fn without_tests(source: &str) -> &str {
    source.find("\n#[cfg(test)]\nmod tests {").map_or(source, |end| &source[..=end])
}

/// Where the modules that a file declares may lie: for each, the places one of which must exist.
#[must_use]
pub fn modules(path: &Path, source: &str, is_target: bool) -> Vec<Vec<PathBuf>> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let stem = path.file_stem().unwrap_or_default();
    let own = if is_target || stem == "mod" { folder.to_path_buf() } else { folder.join(stem) };
    let (mut found, mut given) = (Vec::new(), None);
    for line in source.lines().map(str::trim) {
        if let Some(place) = line.strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]")) {
            given = Some(folder.join(place));
            continue;
        }
        let item =
            line.rsplit_once("mod ").filter(|(before, _)| before.is_empty() || before.starts_with("pub"));
        if let Some(name) = item.and_then(|(_, rest)| rest.strip_suffix(';')) {
            let usual = vec![own.join(format!("{name}.rs")), own.join(name).join("mod.rs")];
            found.push(given.take().map_or(usual, |place| vec![place]));
        } else if !line.starts_with("#[") && !line.starts_with("//") {
            given = None;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_left() {
        let cases: &[(&str, &[&str])] = &[
            ("a // }\nb", &["a", "b"]),
            ("a /* { /* */ } */ b", &["a", "b"]),
            (r#"f("\"{", 'x')"#, &["f(", ",", ")"]),
            ("r#\"{\"}\"# + br\"{\" + bar", &["+", "+", "bar"]),
            ("&'a str, '\\'', '{' }", &["&'a", "str,", ",", "}"]),
        ];
        for (source, expected) in cases {
            let code = code_only(source);
            assert_eq!(code.split_whitespace().collect::<Vec<_>>(), *expected, "{source}");
            assert_eq!(
                (code.len(), code.lines().count()),
                (source.len(), source.lines().count()),
                "{source}"
            );
        }
    }

    #[test]
    fn functions_are_measured_from_their_name_to_their_last_brace() {
        let source = "trait T { fn a(&self) -> [u8; 3]; }\nfn b() {\n  \"}\";\n}\n\npub async fn c(x: [u8; 2])\n{\n { }\n}\n";
        assert_eq!(functions(source), [("b".to_owned(), 2, 3), ("c".to_owned(), 6, 4)]);
    }

    #[test]
    fn modules_lie_beside_a_target_and_below_anything_else() {
        let found =
            |path: &str, source: &str, is_target| modules(Path::new(path), source, is_target).concat();
        let paths = |list: &[&str]| list.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(found("s/lib.rs", "pub mod a;", true), paths(&["s/a.rs", "s/a/mod.rs"]));
        assert_eq!(
            found("s/a.rs", "pub(crate) mod b;\n// mod c;", false),
            paths(&["s/a/b.rs", "s/a/b/mod.rs"])
        );
        assert_eq!(found("s/a/mod.rs", "mod b {", false), paths(&[]));
        assert_eq!(found("s/a.rs", "#[path = \"x.rs\"]\n#[cfg(unix)]\nmod b;", false), paths(&["s/x.rs"]));
    }
}
