//! A refusal as the caller sees it: an RFC 9457 problem that says nothing about any person.

use bytes::Bytes;
use consentry_audit::RecordId;
use consentry_model::Reason;
use consentry_policy::Bundle;
use http::{HeaderValue, Response, StatusCode, header};

use crate::body::ResponseBody;
use crate::vary;

/// The problem response for a code. `status` replaces the code's own where the upstream's was.
pub(crate) fn problem(
    base: &str,
    told: Reason,
    status: Option<StatusCode>,
    record: Option<RecordId>,
    bundle: Option<&Bundle>,
) -> Response<ResponseBody> {
    let own = StatusCode::from_u16(told.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let status = status.unwrap_or(own);
    let mut body = serde_json::json!({
        "type": format!("{base}{}", told.code()),
        "title": title(told),
        "status": status.as_u16(),
        "code": told.code(),
    });
    if let Some(members) = body.as_object_mut() {
        if let Some(record) = record {
            members.insert("instance".into(), format!("urn:uuid:{record}").into());
        }
        if let Some(contact) = bundle.and_then(|b| b.contact.as_ref()) {
            members.insert("contact".into(), contact.url.as_str().into());
        }
    }
    let bytes = Bytes::from(body.to_string());
    let mut response = Response::new(ResponseBody::whole(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, vary::ALWAYS);
    // Every rate of ours grants at least one request a second; of the upstream's nobody knows here.
    let ours = status == own;
    if ours && matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, challenge(told));
    }
    response
}

/// What whoever is not known is asked for: a token, or another one where one came that does not hold (RFC 6750, section 3.1).
fn challenge(told: Reason) -> HeaderValue {
    let does_not_hold = matches!(
        told,
        Reason::TokenMalformed | Reason::TokenInvalid | Reason::TokenExpired | Reason::TokenBinding
    );
    HeaderValue::from_static(if does_not_hold { r#"Bearer error="invalid_token""# } else { "Bearer" })
}

/// An answer that says nothing at all, for a route whose callers take any refusal for a fault.
pub(crate) fn harmless(status: u16) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::whole(Bytes::new()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, vary::ALWAYS);
    response
}

/// The code in words: RFC 9457 wants a title that is the same for every occurrence of a type.
fn title(reason: Reason) -> String {
    let mut words = reason.code().replace('-', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}
