//! Bytes and verdicts in, bytes out: redaction of bodies, without I/O.
//!
//! A [`JsonRedactor`] is fed the bytes of one JSON text in pieces of any size. It reads them strictly, works out from
//! a [`FieldMap`](consentry_model::FieldMap) which value is whose and of which data class, and stops at the end of
//! each *window* to ask for the verdicts that the window needs. Only [`JsonRedactor::release`] hands bytes out, and
//! only those of the window that was decided.
//!
//! A record may tell more than its subject: members whose values bear on the decision are *captured*, wherever they
//! stand in it. What leaves pseudonymised needs a key ([`Pseudonyms`]).
//!
//! What came coded is decoded first: a [`Decoder`] undoes `Content-Encoding`, within [`CodingLimits`].
//!
//! What never passes, whatever the verdicts say: anything the map does not name, and anything that can be read in two
//! ways (duplicate names, bad UTF-8, lone surrogates, bytes after the end). What passes, passes byte for byte.
//!
//! ```
//! use std::sync::Arc;
//! use consentry_body::{Limits, SubjectIx, Window, redact};
//! use consentry_model::{ClassId, Emptied, Field, FieldMap, Ladder, RecordScope, Space, Treatment};
//!
//! let email = Field::Class(ClassId(0), Ladder::default());
//! let rows = RecordScope { subject: vec!["id".into()], space: Space::new("customer"), emptied: Emptied::Keep, captures: vec![] };
//! let map = FieldMap::builder()
//!     .leaf("rows[].id", Field::Open)?
//!     .leaf("rows[].email", email)?
//!     .records("rows[]", rows)?
//!     .build();
//! let body = br#"{"rows": [{"id": 1, "email": "a@x.org"}, {"id": 2, "email": "b@x.org"}], "debug": 1}"#;
//!
//! // Whoever is not the first subject of the window is withheld.
//! let decide = |_: &Window| {
//!     |subject: SubjectIx, _| if subject == SubjectIx(0) { Treatment::Clear } else { Treatment::Withheld }
//! };
//! let (out, report) = redact(&Arc::new(map), Limits::default(), body, decide).unwrap();
//! assert_eq!(out, br#"{"rows": [{"id": 1, "email": "a@x.org"}, {"id": 2}]}"#.as_slice());
//! assert_eq!(report.undeclared, 1);
//! # Ok::<(), consentry_model::PathError>(())
//! ```

mod asked;
mod coding;
mod csv;
#[cfg(test)]
mod differential;
mod direct;
mod emit;
mod error;
mod fate;
mod flat;
mod form;
mod forms;
mod frame;
mod id;
mod json;
mod keys;
mod lane;
mod learnt;
mod limits;
mod media;
mod multipart;
mod names;
mod nested;
mod once;
mod out;
mod percent;
mod pieces;
mod pseudonym;
mod record;
mod redactor;
mod replay;
mod report;
mod rows;
mod said;
mod shape;
mod subject;
mod tally;
mod tape;
mod template;
mod texts;
mod treat;
mod turns;
mod unit;
mod walk;
mod whole;
mod window;

pub use coding::{Coding, CodingFault, CodingLimits, Decoded, Decoder, Encoder, accepts_gzip, decode};
pub use error::{BodyError, BodyFault};
pub use id::RecordId;
pub use json::is_exact;
pub use limits::Limits;
pub use media::{Reading, Redactor};
pub use once::redact;
pub use pieces::{Piece, beside, columns, pieces};
pub use pseudonym::Pseudonyms;
pub use redactor::{JsonRedactor, Step};
pub use report::Report;
pub use said::{Members, Said};
pub use window::{Decide, RecordSubject, SubjectIx, Window};
