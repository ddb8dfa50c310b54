//! What a body says, for whoever decides by it: names and contents, nothing more.

use bytes::Bytes;
use consentry_model::Format;

use crate::{Reading, csv, form, multipart};

/// The content of one field. It may be personal data, and is never printed.
#[derive(Clone, PartialEq, Eq)]
pub enum Piece {
    /// A text.
    Text(String),
    /// A JSON text.
    Json(Bytes),
    /// Bytes that nobody reads.
    File(Bytes),
}

impl std::fmt::Debug for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<redacted>")
    }
}

/// The fields of a form of either kind. Of a body that the [`Redactor`](crate::Redactor) of the same reading has not read to
/// its end without an error, and of one of another format, there are none.
#[must_use]
pub fn pieces(reading: &Reading, body: &[u8]) -> Vec<(String, Piece)> {
    match reading.format {
        Format::Form => form::texts(body).into_iter().map(|(k, v)| (k, Piece::Text(v))).collect(),
        Format::Multipart => reading.boundary.as_ref().map(|b| multipart::texts(body, b)).unwrap_or_default(),
        Format::Json
        | Format::JsonLines
        | Format::JsonSequence
        | Format::Events
        | Format::Csv
        | Format::Whole => Vec::new(),
    }
}

/// The columns of a table, each by its name and with its texts from the first row to the last: what would be as long as the
/// name in each row is there once. Of a body that the [`Redactor`](crate::Redactor) has not read to its end without an
/// error there are none.
#[must_use]
pub fn columns(body: &[u8]) -> Vec<(String, Vec<String>)> {
    csv::columns(body)
}

/// What goes on with a form in parts beside its [`pieces`]: the names and the media types of its files. They name nobody and
/// say nothing, and may hold something all the same.
#[must_use]
pub fn beside(reading: &Reading, body: &[u8]) -> Vec<String> {
    let boundary = reading.boundary.as_ref().filter(|_| reading.format == Format::Multipart);
    boundary.map(|boundary| multipart::beside(body, boundary)).unwrap_or_default()
}
