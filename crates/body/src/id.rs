//! The text by which a record names its subject.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

/// Longer texts are kept elsewhere.
const SHORT_BYTES_MAX: usize = 22;

/// The text by which a record names its subject. Most are short, and a window has many of them. It is personal data and
/// is never printed.
#[derive(Clone)]
pub struct RecordId(Kept);

#[derive(Clone)]
enum Kept {
    Short { length: u8, bytes: [u8; SHORT_BYTES_MAX] },
    Long(Box<str>),
}

impl Deref for RecordId {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            // What was put in was text.
            Kept::Short { length, bytes } => bytes
                .get(..usize::from(*length))
                .and_then(|b| std::str::from_utf8(b).ok())
                .unwrap_or_default(),
            Kept::Long(text) => text,
        }
    }
}

impl RecordId {
    /// The text of a string that was read, and is text for that. Of what is none, a short one is empty, and a longer one
    /// is not there.
    #[inline]
    pub(crate) fn of_text(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; SHORT_BYTES_MAX];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(there), Ok(length)) => {
                copy(text, there);
                Some(Self(Kept::Short { length, bytes }))
            }
            _ => std::str::from_utf8(text).ok().map(|text| Self(Kept::Long(text.into()))),
        }
    }
}

/// Copies a short text to a place of its length: most are of eight bytes or a few more, which takes no call.
#[inline]
fn copy(text: &[u8], there: &mut [u8]) {
    match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) if text.len() <= 16 => {
            if let Some(start) = there.first_chunk_mut() {
                *start = *first;
            }
            if let Some(end) = there.last_chunk_mut() {
                *end = *last;
            }
        }
        (None, _) => there.iter_mut().zip(text).for_each(|(there, byte)| *there = *byte),
        (Some(_), _) => there.copy_from_slice(text),
    }
}

impl From<&str> for RecordId {
    fn from(text: &str) -> Self {
        Self::of_text(text.as_bytes()).unwrap_or_else(|| Self(Kept::Long(text.into())))
    }
}

impl From<Box<str>> for RecordId {
    fn from(text: Box<str>) -> Self {
        Self::from(&*text)
    }
}

impl PartialEq for RecordId {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for RecordId {}

impl PartialOrd for RecordId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RecordId {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl Hash for RecordId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_length_read_as_they_are_and_are_not_printed() {
        let long = "x".repeat(300);
        let texts: Vec<&str> = ["", "a", "b", "\u{e9}"]
            .into_iter()
            .chain((2..26).filter_map(|n| long.get(..n)))
            .chain(["0123456", "01234567", "0123456789abcdef", "0123456789abcdefg"])
            .chain([&*long])
            .collect();
        for one in &texts {
            let id = RecordId::from(*one);
            assert_eq!((&*id, format!("{id:?}").as_str()), (*one, "<redacted>"));
            for other in &texts {
                let there = RecordId::from(Box::<str>::from(*other));
                assert_eq!((id == there, id.cmp(&there)), (one == other, one.cmp(other)));
            }
        }
    }
}
