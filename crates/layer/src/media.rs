//! What a content type says of how a body is to be read (RFC 9110, section 8.3), strictly.

use consentry_body::Reading;
use consentry_model::{Format, MediaTypes, charset_name, is_ascii_based, is_known_charset};
use http::HeaderValue;

/// A media type that a route takes, and how it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Media {
    /// In lower case and without parameters.
    essence: String,
    pub(crate) reading: Reading,
    /// Of bytes that nobody looks into.
    charset: Option<String>,
}

impl Media {
    /// Reads a content type. One that the route does not take, in another charset than UTF-8, or with a parameter that would
    /// change how it is read, is none.
    pub(crate) fn read(content_type: Option<&str>, types: &MediaTypes) -> Option<Self> {
        let mut parts = content_type?.split(';').map(str::trim);
        let essence = parts.next()?.to_ascii_lowercase();
        let format = types.format(&essence)?;
        let (mut boundary, mut charset, mut header) = (None, None, None);
        for parameter in parts.filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=')?;
            let value = unquoted(value)?;
            let slot = match (name.to_ascii_lowercase().as_str(), format) {
                ("charset", _) => &mut charset,
                ("boundary", Format::Multipart) => &mut boundary,
                ("header", Format::Csv) => &mut header,
                // JSON has no parameter that changes how it is read (RFC 8259, section 11); none goes on.
                (_, Format::Json) => continue,
                _ => return None,
            };
            if slot.replace(value).is_some() {
                return None;
            }
        }
        let charset = charset.map(charset_name);
        let utf8 = charset.as_deref().is_none_or(|charset| charset == "utf-8");
        // As long as there is nothing but ASCII in it, it is the same in UTF-8, and goes on as that.
        let is_text = matches!(format, Format::Json | Format::JsonLines | Format::JsonSequence | Format::Csv);
        let ascii = is_text && charset.as_deref().is_some_and(is_ascii_based);
        let known = |charset: &String| is_known_charset(charset);
        // A table without a row of names has columns that nobody can name.
        let named = header.is_none_or(|header| header.eq_ignore_ascii_case("present"));
        let reads = if format == Format::Whole {
            charset.as_ref().is_none_or(known)
        } else {
            (utf8 || ascii) && named
        };
        let bounded = (format == Format::Multipart) == boundary.is_some();
        let live = types.is_live(format);
        (reads && bounded).then(|| Self {
            reading: Reading { format, boundary: boundary.map(Into::into), ascii, live },
            charset: charset.filter(|_| format == Format::Whole),
            essence,
        })
    }

    /// The content type of what is passed on, in either direction, in the route's own words: JSON has many names, and a name
    /// could hold another.
    pub(crate) fn header(&self, types: &MediaTypes) -> Option<HeaderValue> {
        let essence = &self.essence;
        let text = match (self.reading.format, &self.reading.boundary, &self.charset) {
            (Format::Json, ..) if !types.names(essence) => "application/json".to_owned(),
            (Format::Multipart, Some(boundary), _) => format!("{essence}; boundary=\"{boundary}\""),
            (Format::Csv, ..) => format!("{essence}; charset=utf-8"),
            (Format::Whole, _, Some(charset)) => format!("{essence}; charset={charset}"),
            _ => essence.clone(),
        };
        HeaderValue::from_str(&text).ok()
    }
}

/// The value of a parameter; one that is quoted with an escape in it has more than one reading.
fn unquoted(value: &str) -> Option<&str> {
    let Some(inside) = value.strip_prefix('"') else {
        return (!value.is_empty() && !value.contains(['"', ' ', '\t'])).then_some(value);
    };
    inside.strip_suffix('"').filter(|inside| !inside.contains(['"', '\\']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json() -> MediaTypes {
        MediaTypes::json()
    }

    #[test]
    fn law_1_a_media_type_is_json_in_utf_8_or_none() {
        for (text, expected) in [
            ("application/json", Some("application/json")),
            ("Application/JSON; charset=\"UTF-8\"", Some("application/json")),
            ("application/merge-patch+json", Some("application/merge-patch+json")),
            ("application/ld+json; profile=\"x\"", Some("application/ld+json")),
            ("application/json;charset=utf8", Some("application/json")),
            ("application/json; charset=\"UTF8\"", Some("application/json")),
            ("application/json; charset=utf8; charset=utf-8", None),
            ("application/json; charset=utf-16", None),
            ("application/json; charset=utf-32", None),
            ("application/json; charset=us-ascii", Some("application/json")),
            ("application/json; charset=\"ISO-8859-1\"", Some("application/json")),
            ("application/json; charset=iso-8859-15", None),
            ("application/json; charset=iso-8859-1; charset=utf-8", None),
            ("application/json; charset=utf-8; charset=utf-16", None),
            ("application/ld+json; charset=utf-16", None),
            ("application/json; boundary=x", Some("application/json")),
            ("application/json; odata.metadata=minimal;odata.streaming=true", Some("application/json")),
            ("application/json; v=1.0; v=2.0", Some("application/json")),
            ("application/json; profile=\"https://x.test/a\"; charset=utf-8", Some("application/json")),
            ("application/json; profile=\"x; charset=utf-16\"", None),
            ("application/json; v=1.0; charset=utf-16", None),
            ("application/json; v", None),
            ("application/json; v=", None),
            ("application/json, text/html", None),
            ("application/x-www-form-urlencoded, a+json", None),
            ("application/a b+json", None),
            ("text/json", None),
            ("", None),
        ] {
            let read = Media::read(Some(text), &json());
            assert_eq!(read.map(|media| media.essence).as_deref(), expected, "{text}");
        }
        assert_eq!(Media::read(None, &json()), None);
        for (text, ascii) in [("", false), ("; charset=utf-8", false), ("; charset=us-ascii", true)] {
            let read = Media::read(Some(&format!("application/json{text}")), &json()).unwrap();
            assert_eq!(read.reading.ascii, ascii, "{text}");
        }
    }

    #[test]
    fn law_1_a_parameter_that_changes_how_a_body_is_read_is_known_or_refused() {
        let fields = [
            "application/x-ndjson",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "text/csv",
            "text/event-stream",
        ];
        let fields = MediaTypes::read(fields).unwrap();
        let whole = MediaTypes::whole(["application/pdf", "text/plain"]).unwrap();
        for (types, text, expected) in [
            (&fields, "application/x-www-form-urlencoded", Some("application/x-www-form-urlencoded")),
            (
                &fields,
                "application/x-www-form-urlencoded;charset=UTF-8",
                Some("application/x-www-form-urlencoded"),
            ),
            (&fields, "application/x-www-form-urlencoded; charset=iso-8859-1", None),
            (&fields, "application/x-www-form-urlencoded; boundary=x", None),
            (&fields, "multipart/form-data; boundary=x", Some("multipart/form-data; boundary=\"x\"")),
            (&fields, "multipart/form-data; Boundary=\"x:y\"", Some("multipart/form-data; boundary=\"x:y\"")),
            (&fields, "multipart/form-data", None),
            (&fields, "multipart/form-data; boundary=x; boundary=y", None),
            (&fields, "multipart/form-data; boundary=x; charset=utf-16", None),
            (&fields, "multipart/form-data; boundary=\"x", None),
            (&fields, "multipart/form-data; boundary=\"x\\\"y\"", None),
            (&fields, "multipart/form-data; boundary=x y", None),
            (&fields, "multipart/mixed; boundary=x", None),
            (&fields, "text/csv", Some("text/csv; charset=utf-8")),
            (&fields, "text/csv; header=present; charset=utf-8", Some("text/csv; charset=utf-8")),
            (&fields, "text/csv; header=absent", None),
            (&fields, "text/csv; charset=windows-1252", None),
            (&fields, "text/csv; charset=us-ascii", Some("text/csv; charset=utf-8")),
            (&fields, "application/x-ndjson; charset=iso-8859-1", Some("application/x-ndjson")),
            (&fields, "text/event-stream; charset=us-ascii", None),
            (&fields, "application/x-www-form-urlencoded; charset=us-ascii", None),
            (&fields, "multipart/form-data; boundary=x; charset=us-ascii", None),
            (&fields, "text/event-stream;charset=utf-8", Some("text/event-stream")),
            (&fields, "application/x-ndjson; charset=utf-16le", None),
            (&fields, "application/json", None),
            (&fields, "application/xml", None),
            (&whole, "application/pdf", Some("application/pdf")),
            (&whole, "text/plain; charset=ISO-8859-1", Some("text/plain; charset=iso-8859-1")),
            (&whole, "application/pdf; name=ann.pdf", None),
            (&fields, "text/csv; charset=utf8", Some("text/csv; charset=utf-8")),
            (&fields, "multipart/form-data; boundary=utf8", Some("multipart/form-data; boundary=\"utf8\"")),
            (&whole, "text/plain; charset=utf8", Some("text/plain; charset=utf-8")),
            (&whole, "text/plain; charset=US-ASCII", Some("text/plain; charset=us-ascii")),
            (&whole, "text/plain; charset=windows-1252", Some("text/plain; charset=windows-1252")),
            (&whole, "text/plain; charset=ann@example.org", None),
            (&whole, "text/plain; charset=4111111111111111", None),
            (&whole, "text/plain; charset=utf-16", None),
            (&whole, "image/png", None),
        ] {
            let media = Media::read(Some(text), types);
            let header = media.and_then(|media| media.header(types));
            assert_eq!(header.as_ref().map(|h| h.to_str().unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn law_12_json_goes_on_under_no_other_name_than_the_routes_own() {
        let listed = MediaTypes::read(["application/hal+json"]).unwrap();
        for (types, expected) in [(json(), "application/json"), (listed, "application/hal+json")] {
            let media = Media::read(Some("application/hal+json"), &types).unwrap();
            assert_eq!(media.header(&types).unwrap(), expected);
        }
    }
}
