//! Which media types a body may have, and how each is read.

use std::fmt;

/// How the bytes of a body are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// One JSON text (RFC 8259), also under any name that ends with `+json` (RFC 6839).
    Json,
    /// JSON texts, one on each line.
    JsonLines,
    /// JSON texts, each between a record separator and a line feed (RFC 7464).
    JsonSequence,
    /// Server-sent events whose data is JSON.
    Events,
    /// Pairs of a form, as a URL writes them.
    Form,
    /// The parts of a form (RFC 7578).
    Multipart,
    /// Rows below a row of names (RFC 4180).
    Csv,
    /// Bytes that nobody looks into: they are one datum.
    Whole,
}

/// Names of media types that say nothing else than [`Format::JsonLines`].
const JSON_LINES: [&str; 6] = [
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonl",
    "application/jsonlines",
    "application/x-jsonlines",
];

impl Format {
    /// How a media type is read, in lower case and without parameters; `None` when nothing here reads it.
    #[must_use]
    pub fn of(media_type: &str) -> Option<Self> {
        if !is_media_type(media_type) {
            return None;
        }
        match media_type {
            "application/json" => Some(Self::Json),
            "application/json-seq" => Some(Self::JsonSequence),
            "application/x-www-form-urlencoded" => Some(Self::Form),
            "multipart/form-data" => Some(Self::Multipart),
            "text/csv" => Some(Self::Csv),
            "text/event-stream" => Some(Self::Events),
            lines if JSON_LINES.contains(&lines) => Some(Self::JsonLines),
            other if other.ends_with("+json") && !is_composite(other) => Some(Self::Json),
            _ => None,
        }
    }

    /// Whether the body is one list of names and texts: no member of it lies inside another one.
    #[must_use]
    pub const fn is_flat(self) -> bool {
        match self {
            Self::Form | Self::Multipart | Self::Csv => true,
            Self::Json | Self::JsonLines | Self::JsonSequence | Self::Events | Self::Whole => false,
        }
    }
}

/// Whether a body of this type is made of others, whatever its name ends with (RFC 2046, section 5).
fn is_composite(media_type: &str) -> bool {
    ["multipart/", "message/"].iter().any(|kind| media_type.starts_with(kind))
}

/// Whether a text is the name of a media type (RFC 6838, section 4.2), in lower case and without parameters.
#[must_use]
pub fn is_media_type(text: &str) -> bool {
    let word = |word: &str| {
        let first = word.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let rest =
            word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$&-^_.+".contains(&b));
        first && rest && word.len() <= 127
    };
    text.split_once('/').is_some_and(|(kind, subtype)| word(kind) && word(subtype))
}

/// Charsets of bytes that nobody looks into. In all of them ASCII is ASCII.
const CHARSETS: [&str; 8] = [
    "utf-8",
    "us-ascii",
    "iso-8859-1",
    "iso-8859-2",
    "iso-8859-15",
    "windows-1250",
    "windows-1251",
    "windows-1252",
];

/// Whether a text is the name of a charset that may be passed on, in lower case. Any other text could say anything.
#[must_use]
pub fn is_known_charset(text: &str) -> bool {
    CHARSETS.contains(&text)
}

/// Whether a text names a charset, in lower case, of which ASCII is read as nothing else than in UTF-8, and which a text of
/// nothing but ASCII may be said to be in.
#[must_use]
pub fn is_ascii_based(charset: &str) -> bool {
    ["us-ascii", "iso-8859-1"].contains(&charset)
}

/// The name of a charset in the one form in which it is known and passed on: in lower case, and `utf-8` for what many services
/// and the Encoding Standard call `utf8`, too.
#[must_use]
pub fn charset_name(text: &str) -> String {
    let name = text.to_ascii_lowercase();
    if name == "utf8" { "utf-8".to_owned() } else { name }
}

/// The media types that a body may have. Any other is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaTypes {
    /// None: any JSON.
    listed: Vec<(Box<str>, Format)>,
    live: bool,
}

impl MediaTypes {
    /// Any JSON, under whatever name.
    #[must_use]
    pub const fn json() -> Self {
        Self { listed: Vec::new(), live: false }
    }

    /// These alone, each read in its own way. Give each in lower case and without parameters.
    ///
    /// # Errors
    /// With the first of which nobody knows how it is read.
    pub fn read<'a>(listed: impl IntoIterator<Item = &'a str>) -> Result<Self, UnreadableType> {
        let one = |name: &'a str| {
            Format::of(name).map(|format| (name.into(), format)).ok_or_else(|| UnreadableType(name.into()))
        };
        Ok(Self { listed: listed.into_iter().map(one).collect::<Result<_, _>>()?, live: false })
    }

    /// These alone, and nobody looks into them.
    ///
    /// # Errors
    /// With the first that is no media type, or that cannot be passed on without one of its parameters.
    pub fn whole<'a>(listed: impl IntoIterator<Item = &'a str>) -> Result<Self, UnreadableType> {
        let one = |name: &'a str| {
            let plain = is_media_type(name) && !name.starts_with("multipart/");
            if plain { Ok((name.into(), Format::Whole)) } else { Err(UnreadableType(name.into())) }
        };
        Ok(Self { listed: listed.into_iter().map(one).collect::<Result<_, _>>()?, live: false })
    }

    /// The same for a body of which each text leaves as soon as it is decided on.
    #[must_use]
    pub fn live(self) -> Self {
        Self { live: true, ..self }
    }

    /// Whether a body that is read in this way leaves text by text: lines and sequences where that was said, and events.
    #[must_use]
    pub const fn is_live(&self, format: Format) -> bool {
        match format {
            Format::Events => true,
            Format::JsonLines | Format::JsonSequence => self.live,
            Format::Json | Format::Form | Format::Multipart | Format::Csv | Format::Whole => false,
        }
    }

    /// Whether a body may be one that leaves text by text.
    #[must_use]
    pub fn may_be_live(&self) -> bool {
        self.listed.iter().any(|(_, format)| self.is_live(*format))
    }

    /// How a body of this media type is read; `None` when it may not have it.
    #[must_use]
    pub fn format(&self, media_type: &str) -> Option<Format> {
        if self.listed.is_empty() {
            return Format::of(media_type).filter(|format| *format == Format::Json);
        }
        self.listed.iter().find(|(name, _)| **name == *media_type).map(|(_, format)| *format)
    }

    /// Whether the list names this media type, rather than all of JSON.
    #[must_use]
    pub fn names(&self, media_type: &str) -> bool {
        self.listed.iter().any(|(name, _)| **name == *media_type)
    }

    /// The names in the list and how each is read; nothing when any JSON will do.
    pub fn listed(&self) -> impl Iterator<Item = (&str, Format)> {
        self.listed.iter().map(|(name, format)| (&**name, *format))
    }

    /// Whether a body may be read in this way.
    #[must_use]
    pub fn has(&self, format: Format) -> bool {
        if self.listed.is_empty() {
            return format == Format::Json;
        }
        self.listed.iter().any(|(_, there)| *there == format)
    }
}

/// A media type that nothing here reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableType(pub Box<str>);

impl fmt::Display for UnreadableType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no media type that can be read field by field", self.0)
    }
}

impl std::error::Error for UnreadableType {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_1_what_is_not_listed_is_not_read() {
        let json = MediaTypes::json();
        let forms = MediaTypes::read(["application/x-www-form-urlencoded", "multipart/form-data"]).unwrap();
        let pdf = MediaTypes::whole(["application/pdf"]).unwrap();
        for (types, name, expected) in [
            (&json, "application/json", Some(Format::Json)),
            (&json, "application/merge-patch+json", Some(Format::Json)),
            (&json, "application/x-ndjson", None),
            (&json, "application/xml", None),
            (&json, "text/json", None),
            (&json, "model/gltf+json", Some(Format::Json)),
            (&json, "multipart/x+json", None),
            (&json, "message/x+json", None),
            (&json, "application/a b+json", None),
            (&forms, "multipart/form-data", Some(Format::Multipart)),
            (&forms, "application/json", None),
            (&forms, "multipart/mixed", None),
            (&pdf, "application/pdf", Some(Format::Whole)),
            (&pdf, "application/json", None),
            (&pdf, "", None),
        ] {
            assert_eq!(types.format(name), expected, "{name}");
        }
    }

    #[test]
    fn law_1_what_nothing_reads_cannot_be_listed() {
        for name in [
            "application/xml",
            "application/graphql",
            "application/grpc",
            "application/grpc-web+proto",
            "application/protobuf",
            "application/cbor",
            "application/msgpack",
            "application/soap+xml",
            "text/html",
            "text/tab-separated-values",
            "multipart/mixed",
            "application/JSON",
            "application/json; charset=utf-8",
            "*/*",
            "application/*",
            "json",
            "",
        ] {
            assert_eq!(MediaTypes::read([name]), Err(UnreadableType(name.into())), "{name}");
        }
        for (name, may) in [("image/png", true), ("multipart/mixed", false), ("image/*", false)] {
            assert_eq!(MediaTypes::whole([name]).is_ok(), may, "{name}");
        }
    }
}
