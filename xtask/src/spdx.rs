//! SPDX licence expressions: is one of the offered combinations allowed?

/// Whether the expression can be met with allowed licences alone. A licence `WITH` an exception is one name; the old
/// spelling with a slash means `OR`; a `+` allows the version that it is attached to.
///
/// # Errors
/// When it is not a licence expression.
pub(crate) fn allowed(expression: &str, is_allowed: &dyn Fn(&str) -> bool) -> Result<bool, String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { words: &words, is_allowed };
    let answer = parser.any()?;
    match parser.words {
        [] => Ok(answer),
        [word, ..] => Err(format!("`{word}` is in the wrong place")),
    }
}

struct Parser<'a> {
    words: &'a [&'a str],
    is_allowed: &'a dyn Fn(&str) -> bool,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<bool, String> {
        let mut answer = self.all()?;
        while self.take("OR") {
            answer |= self.all()?;
        }
        Ok(answer)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut answer = self.one()?;
        while self.take("AND") {
            answer &= self.one()?;
        }
        Ok(answer)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.take("(") {
            let answer = self.any()?;
            return if self.take(")") { Ok(answer) } else { Err("a parenthesis is not closed".to_owned()) };
        }
        let name = self.name()?;
        if self.take("WITH") {
            let exception = self.name()?;
            return Ok((self.is_allowed)(&format!("{name} WITH {exception}")));
        }
        Ok((self.is_allowed)(name.strip_suffix('+').unwrap_or(&name)))
    }

    fn name(&mut self) -> Result<String, String> {
        let Some((word, rest)) = self.words.split_first() else { return Err("it ends too early".to_owned()) };
        if matches!(*word, "AND" | "OR" | "WITH" | "(" | ")") {
            return Err(format!("`{word}` stands where a licence is expected"));
        }
        self.words = rest;
        Ok((*word).to_owned())
    }

    fn take(&mut self, word: &str) -> bool {
        match self.words.split_first() {
            Some((first, rest)) if *first == word => {
                self.words = rest;
                true
            }
            Some(_) | None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        let is_allowed =
            |name: &str| ["MIT", "Apache-2.0", "ISC", "Apache-2.0 WITH LLVM-exception"].contains(&name);
        let cases: &[(&str, Option<bool>)] = &[
            ("MIT", Some(true)),
            ("GPL-3.0-only", Some(false)),
            ("MIT OR GPL-3.0-only", Some(true)),
            ("GPL-3.0-only OR MIT", Some(true)),
            ("MIT AND GPL-3.0-only", Some(false)),
            ("MIT/Apache-2.0", Some(true)),
            ("Apache-2.0+", Some(true)),
            ("Apache-2.0 WITH LLVM-exception", Some(true)),
            ("ISC WITH LLVM-exception", Some(false)),
            // AND binds tighter than OR.
            ("MIT OR ISC AND GPL-3.0-only", Some(true)),
            ("(MIT OR ISC) AND GPL-3.0-only", Some(false)),
            ("(MIT OR GPL-3.0-only) AND (Apache-2.0 OR GPL-3.0-only)", Some(true)),
            ("mit", Some(false)),
            ("", None),
            ("MIT OR", None),
            ("AND MIT", None),
            ("(MIT", None),
            ("MIT)", None),
            ("MIT ISC", None),
            ("MIT WITH", None),
        ];
        for (expression, expected) in cases {
            assert_eq!(allowed(expression, &is_allowed).ok(), *expected, "{expression}");
        }
    }
}
