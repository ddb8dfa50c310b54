//! The cookies that may travel, in either direction.

use std::sync::Arc;

use consentry_model::{Category, Purpose};

use super::vocabulary::Vocabulary;
use crate::text::{Node, Reader};

/// The form that a cookie's value must have; a value of another form may hold personal data, and is stripped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieForm {
    /// Exactly so many lower-case hex digits.
    Hex(usize),
    /// Exactly so many decimal digits.
    Digits(usize),
}

impl CookieForm {
    /// Whether a value has this form.
    #[must_use]
    pub fn accepts(self, value: &[u8]) -> bool {
        match self {
            Self::Hex(len) => {
                value.len() == len && value.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b))
            }
            Self::Digits(len) => value.len() == len && value.iter().all(u8::is_ascii_digit),
        }
    }
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
        let form = reader.need(&entry, "form", "a cookie").and_then(|n| read_form(n, reader));
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

fn read_form(node: &Node, reader: &mut Reader) -> Option<CookieForm> {
    let object = reader.object(node, &["hex", "digits"], "a cookie's form")?;
    let [(key, _, value)] = object.entries() else {
        reader.error("wrong-shape", node.span, "a form is `{hex: LENGTH}` or `{digits: LENGTH}`");
        return None;
    };
    let length =
        reader.integer(value).and_then(|n| usize::try_from(n).ok()).filter(|n| (1..=512).contains(n));
    if length.is_none() {
        reader.error("out-of-range", value.span, "a length lies between 1 and 512");
    }
    match key.as_str() {
        "hex" => length.map(CookieForm::Hex),
        "digits" => length.map(CookieForm::Digits),
        _ => None,
    }
}
