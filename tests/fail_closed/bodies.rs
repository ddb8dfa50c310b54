//! What a request brings.

use bytes::Bytes;
use consentry_model::Reason;
use consentry_tests::world::post;
use http_body_util::Full;

use crate::row::Evidence::Head;
use crate::row::{Row, profile, trial, with};

/// What a request brings.
pub(crate) const ROWS: &[Row] = &[
    (
        "a body where none is taken",
        |w| {
            let mut request = profile(w);
            *request.body_mut() = Full::new(Bytes::from_static(b"{}"));
            request
        },
        None,
        400,
        "body-unexpected",
        Head(Reason::BodyUnexpected),
    ),
    (
        "unreadable JSON",
        |_| trial(r#"{"email": "a@example.org""#),
        None,
        400,
        "body-malformed",
        Head(Reason::BodyMalformed),
    ),
    ("no body at all", |_| trial(""), None, 403, "not-permitted", Head(Reason::SubjectUnresolved)),
    ("a body of blanks", |_| trial(" "), None, 400, "body-malformed", Head(Reason::BodyMalformed)),
    (
        "no body at all, and called gzip",
        |_| with(trial(""), "content-encoding", "gzip"),
        None,
        400,
        "body-coding-truncated",
        Head(Reason::BodyCodingTruncated),
    ),
    (
        "a duplicate key",
        |_| trial(r#"{"email": "a@example.org", "email": "b@example.org"}"#),
        None,
        400,
        "body-duplicate-key",
        Head(Reason::BodyDuplicateKey),
    ),
    (
        "a body called gzip that is none",
        |_| with(trial("{}"), "content-encoding", "gzip"),
        None,
        400,
        "body-coding-mislabelled",
        Head(Reason::BodyCodingMislabelled),
    ),
    (
        "a body of a coding that nobody knows",
        |_| with(trial("{}"), "content-encoding", "compress"),
        None,
        415,
        "body-encoding",
        Head(Reason::BodyEncoding),
    ),
    (
        "a body of another media type",
        |_| {
            let mut request = trial("email=a");
            request
                .headers_mut()
                .insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
            request
        },
        None,
        415,
        "body-media-type",
        Head(Reason::BodyMediaType),
    ),
    (
        "JSON in another charset",
        |_| {
            let mut request = trial("{}");
            request.headers_mut().insert("content-type", "application/json; charset=utf-16".parse().unwrap());
            request
        },
        None,
        415,
        "body-media-type",
        Head(Reason::BodyMediaType),
    ),
    (
        "a sign-up that names nobody",
        |_| trial(r#"{"name": "Ann"}"#),
        None,
        403,
        "not-permitted",
        Head(Reason::SubjectUnresolved),
    ),
    (
        "an unsubscription of nobody",
        |_| {
            let mut request = post("/unsubscribe?t=unknown", "");
            request.headers_mut().remove("content-type");
            request
        },
        None,
        403,
        "not-permitted",
        Head(Reason::SubjectUnresolved),
    ),
];
