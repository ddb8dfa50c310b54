//! The cookies that may travel, in either direction.

use std::sync::Arc;

use consentry_model::{Category, Purpose};

use super::vocabulary::Vocabulary;
use crate::text::{Kind, Node, Reader};

/// The form that a cookie's value must have; a value of another form may hold personal data, and is stripped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieForm {
    /// Exactly so many lower-case hex digits.
    Hex(usize),
    /// Exactly so many decimal digits.
    Digits(usize),
    /// Lower-case hex digits, however many up to the largest length.
    AnyHex,
    /// Decimal digits, however many up to the largest length.
    AnyDigits,
    /// An opaque token: letters, digits and `-._~+/=:|`, of which the last five may be percent-encoded, as frameworks write
    /// the tokens of their sessions. Neither an address nor a sentence nor anything else encoded has this form; that the token
    /// says nothing about a person besides is the controller's attestation.
    Opaque,
}

/// How long the value of a registered cookie can be, in bytes.
const VALUE_BYTES_MAX: usize = 512;

impl CookieForm {
    /// Whether a value has this form.
    #[must_use]
    pub fn accepts(self, value: &[u8]) -> bool {
        let hex = |b: &u8| b.is_ascii_digit() || (b'a'..=b'f').contains(b);
        let fits = (1..=VALUE_BYTES_MAX).contains(&value.len());
        match self {
            Self::Hex(len) => value.len() == len && value.iter().all(hex),
            Self::Digits(len) => value.len() == len && value.iter().all(u8::is_ascii_digit),
            Self::AnyHex => fits && value.iter().all(hex),
            Self::AnyDigits => fits && value.iter().all(u8::is_ascii_digit),
            Self::Opaque => fits && is_opaque(value),
        }
    }
}

/// Signs of an opaque token that a framework may write as three: what they stand for could stand there itself.
const ESCAPES: [&[u8; 3]; 5] = [b"%2B", b"%2F", b"%3A", b"%3D", b"%7C"];

fn is_opaque(mut value: &[u8]) -> bool {
    while let Some((first, rest)) = value.split_first() {
        let escaped = || value.split_first_chunk::<3>().filter(|(sign, _)| ESCAPES.contains(sign));
        value = match escaped() {
            Some((_, rest)) => rest,
            None if first.is_ascii_alphanumeric() || b"-._~+/=:|".contains(first) => rest,
            None => return false,
        };
    }
    true
}

/// A cookie that the bundle registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieDef {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub purpose: Purpose,
    /// What it holds.
    pub category: Category,
    /// The form of its value.
    pub form: CookieForm,
    /// The clauses it rests on.
    pub clauses: Vec<Arc<str>>,
}

pub(crate) fn read_cookies(
    node: &Node,
    vocabulary: &Vocabulary,
    out: &mut Vec<CookieDef>,
    reader: &mut Reader,
) {
    for item in reader.sequence(node) {
        let keys = ["name", "purpose", "data", "form", "clauses"];
        let Some(entry) = reader.object(item, &keys, "a cookie") else { continue };
        let name = reader.need(&entry, "name", "a cookie").and_then(|n| reader.word(n));
        let purpose = reader
            .need(&entry, "purpose", "a cookie")
            .and_then(|n| vocabulary.purpose(reader.word(n)?, n.span, reader));
        let category = reader
            .need(&entry, "data", "a cookie")
            .and_then(|n| vocabulary.category(reader.word(n)?, n.span, reader));
        let form = entry.get("form").map_or(Some(CookieForm::Opaque), |n| read_form(n, reader));
        let clauses = entry.get("clauses").map(|n| reader.words(n)).unwrap_or_default();
        let clauses = clauses.into_iter().map(|(w, _)| Arc::from(w)).collect();
        let (Some(name), Some(purpose), Some(category), Some(form)) = (name, purpose, category, form) else {
            continue;
        };
        if out.iter().any(|c| c.name == name) {
            reader.error("defined-twice", item.span, format!("the cookie `{name}` is registered already"));
            continue;
        }
        out.push(CookieDef { name: name.to_owned(), purpose, category, form, clauses });
    }
}

/// Reads `hex`, `digits`, `opaque`, `{hex: LENGTH}` or `{digits: LENGTH}`.
fn read_form(node: &Node, reader: &mut Reader) -> Option<CookieForm> {
    if let Kind::Text(_) = node.kind {
        let forms =
            [("hex", CookieForm::AnyHex), ("digits", CookieForm::AnyDigits), ("opaque", CookieForm::Opaque)];
        return reader.one_of(node, "form of a cookie", &forms);
    }
    let object = reader.object(node, &["hex", "digits"], "a cookie's form")?;
    let [(key, _, value)] = object.entries() else {
        reader.error(
            "wrong-shape",
            node.span,
            "a form is `hex`, `digits` or `opaque`, or with its length `{hex: LENGTH}` or `{digits: LENGTH}`",
        );
        return None;
    };
    let length = reader
        .integer(value)
        .and_then(|n| usize::try_from(n).ok())
        .filter(|n| (1..=VALUE_BYTES_MAX).contains(n));
    if length.is_none() {
        reader.error("out-of-range", value.span, "a length lies between 1 and 512");
    }
    match key.as_str() {
        "hex" => length.map(CookieForm::Hex),
        "digits" => length.map(CookieForm::Digits),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_1_a_value_of_another_form_is_not_accepted() {
        let long = "a".repeat(513);
        let rows: &[(CookieForm, &str, bool)] = &[
            (CookieForm::Hex(2), "0f", true),
            (CookieForm::Hex(2), "0F", false),
            (CookieForm::Hex(2), "0f0", false),
            (CookieForm::Digits(1), "7", true),
            (CookieForm::Digits(1), "a", false),
            (CookieForm::AnyHex, "0f0f0f", true),
            (CookieForm::AnyHex, "", false),
            (CookieForm::AnyHex, "xyz", false),
            (CookieForm::AnyDigits, "2026", true),
            (CookieForm::AnyDigits, "2026-", false),
            (CookieForm::Opaque, "GA1.2.3.4", true),
            (CookieForm::Opaque, "dark", true),
            (CookieForm::Opaque, "", false),
            (CookieForm::Opaque, "ann@example.org", false),
            (CookieForm::Opaque, "ann%40example.org", false),
            (CookieForm::Opaque, "Ann Lee", false),
            // Signed sessions, as they are written.
            (CookieForm::Opaque, "s%3AhTk9dQ.aL%2Bx%2F7w", true),
            (CookieForm::Opaque, "hTk9dQ%3D%3D--0f1e%7C1", true),
            (CookieForm::Opaque, "ann%20lee", false),
            (CookieForm::Opaque, "a%253A", false),
            (CookieForm::Opaque, "a%3", false),
            (CookieForm::Opaque, "%7B%22a%22", false),
            (CookieForm::Opaque, "%61nn", false),
            (CookieForm::Opaque, "{\"name\":\"ann\"}", false),
            (CookieForm::Opaque, &long, false),
            (CookieForm::AnyHex, &long, false),
        ];
        for (form, value, accepted) in rows {
            assert_eq!(form.accepts(value.as_bytes()), *accepted, "{form:?} {value}");
        }
    }
}
