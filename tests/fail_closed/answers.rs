//! What the service behind may do to us.

use consentry_model::Reason;
use consentry_tests::world::{dying, json, typed};

use crate::row::Evidence::Closing;
use crate::row::{PROFILE, Row, profile};

/// What the service behind may do to us. The request is a good one.
pub(crate) const ROWS: &[Row] = &[
    (
        "it dies in mid-body",
        profile,
        Some(|| dying(r#"{"id":"c-1","name":"Ann Sa"#)),
        502,
        "response-truncated",
        Closing(Reason::ResponseTruncated),
    ),
    (
        "its body ends early",
        profile,
        Some(|| json(r#"{"id":"c-1","name":"Ann"#)),
        502,
        "response-truncated",
        Closing(Reason::ResponseTruncated),
    ),
    (
        "it answers unreadable JSON",
        profile,
        Some(|| json(r#"{"id":"c-1",}"#)),
        502,
        "response-malformed",
        Closing(Reason::ResponseMalformed),
    ),
    (
        "it says a member twice",
        profile,
        Some(|| json(r#"{"name":"Ann","name":"Bob"}"#)),
        502,
        "response-duplicate-key",
        Closing(Reason::ResponseDuplicateKey),
    ),
    (
        "it adds bytes after the end",
        profile,
        Some(|| json(r#"{"name":"Ann"}{"ssn":1}"#)),
        502,
        "response-malformed",
        Closing(Reason::ResponseMalformed),
    ),
    (
        "it answers HTML",
        profile,
        Some(|| typed("text/html", "<p>Ann Sample</p>")),
        502,
        "response-media-type",
        Closing(Reason::ResponseMediaType),
    ),
    (
        "it names no media type",
        profile,
        Some(|| {
            let mut answer = json(PROFILE);
            answer.headers_mut().remove("content-type");
            answer
        }),
        502,
        "response-media-type",
        Closing(Reason::ResponseMediaType),
    ),
    (
        "it calls plain text gzip",
        profile,
        Some(|| {
            let mut answer = json(PROFILE);
            answer.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
            answer
        }),
        502,
        "response-coding-mislabelled",
        Closing(Reason::ResponseCodingMislabelled),
    ),
    (
        "it uses a coding that nobody knows",
        profile,
        Some(|| {
            let mut answer = json(PROFILE);
            answer.headers_mut().insert("content-encoding", "compress".parse().unwrap());
            answer
        }),
        502,
        "response-encoding",
        Closing(Reason::ResponseEncoding),
    ),
    (
        "it says that nothing changed although nobody asked",
        profile,
        Some(|| {
            let mut answer = json("");
            *answer.status_mut() = http::StatusCode::NOT_MODIFIED;
            answer
        }),
        502,
        "response-partial",
        Closing(Reason::ResponsePartial),
    ),
    (
        "it answers a part and calls it whole",
        profile,
        Some(|| {
            let mut answer = json(PROFILE);
            answer.headers_mut().insert("content-range", "bytes 0-9/100".parse().unwrap());
            answer
        }),
        502,
        "response-partial",
        Closing(Reason::ResponsePartial),
    ),
    (
        "it answers a difference",
        profile,
        Some(|| {
            let mut answer = json(PROFILE);
            *answer.status_mut() = http::StatusCode::IM_USED;
            answer
        }),
        502,
        "response-partial",
        Closing(Reason::ResponsePartial),
    ),
    (
        "it offers several places",
        profile,
        Some(|| {
            let mut answer = json("{}");
            *answer.status_mut() = http::StatusCode::MULTIPLE_CHOICES;
            answer
        }),
        502,
        "response-redirect",
        Closing(Reason::ResponseRedirect),
    ),
    (
        "it says to go on",
        profile,
        Some(|| {
            let mut answer = json(PROFILE);
            *answer.status_mut() = http::StatusCode::from_u16(103).unwrap();
            answer
        }),
        502,
        "response-partial",
        Closing(Reason::ResponsePartial),
    ),
    (
        "it switches protocols",
        profile,
        Some(|| {
            let mut answer = json("");
            *answer.status_mut() = http::StatusCode::SWITCHING_PROTOCOLS;
            answer
        }),
        502,
        "response-partial",
        Closing(Reason::ResponsePartial),
    ),
    (
        "it redirects with data in the target",
        profile,
        Some(|| {
            let mut answer = json("{}");
            *answer.status_mut() = http::StatusCode::FOUND;
            answer.headers_mut().insert("location", "/login?email=ann@example.org".parse().unwrap());
            answer
        }),
        502,
        "response-redirect",
        Closing(Reason::ResponseRedirect),
    ),
    (
        "it answers a part",
        profile,
        Some(|| {
            let mut answer = json(PROFILE);
            *answer.status_mut() = http::StatusCode::PARTIAL_CONTENT;
            answer
        }),
        502,
        "response-partial",
        Closing(Reason::ResponsePartial),
    ),
    (
        "it fails with a stack trace",
        profile,
        Some(|| {
            let mut answer = typed("text/plain", "panic at ann@example.org");
            *answer.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
            answer
        }),
        502,
        "upstream-error",
        Closing(Reason::UpstreamError),
    ),
    (
        "it does not find the person",
        profile,
        Some(|| {
            let mut answer = json(r#"{"error":"no c-1, did you mean Ann Sample?"}"#);
            *answer.status_mut() = http::StatusCode::NOT_FOUND;
            answer
        }),
        404,
        "upstream-error",
        Closing(Reason::UpstreamError),
    ),
    (
        "its body is of another shape than the map's",
        profile,
        Some(|| json(r#"["Ann Sample"]"#)),
        403,
        "field-undeclared",
        Closing(Reason::FieldUndeclared),
    ),
];
