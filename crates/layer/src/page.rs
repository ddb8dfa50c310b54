//! Pages and their assets: no datum, passed on whole.

use bytes::Bytes;
use consentry_audit::Receipt;
use consentry_model::Reason;
use http::{HeaderMap, Response, header, response::Parts};
use http_body_util::{BodyExt, Limited};

use crate::body::ResponseBody;
use crate::exchange::{Decided, Open};
use crate::service::BoxError;

/// Media types that a page and what belongs to it have. What could carry data as data is not among them.
const TYPES: [&str; 10] = [
    "text/html",
    "text/css",
    "text/plain",
    "text/javascript",
    "image/png",
    "image/jpeg",
    "image/svg+xml",
    "image/webp",
    "font/woff2",
    "image/x-icon",
];

/// Delivers a page, held back whole up to the limit.
pub(crate) async fn deliver<R>(
    open: Open,
    decided: Decided,
    receipt: Receipt,
    (parts, mut headers): (Parts, HeaderMap),
    body: R,
) -> Response<ResponseBody>
where
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    // The head record of this exchange is durable: nothing leaves without it.
    let _held = &receipt;
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let essence = kind.and_then(|v| v.to_str().ok()).and_then(|t| t.split(';').next()).map(str::trim);
    if !essence.is_some_and(|e| TYPES.iter().any(|t| t.eq_ignore_ascii_case(e))) {
        return open.fail(Reason::ResponseMediaType, None);
    }
    if let Some(kind) = kind {
        headers.insert(header::CONTENT_TYPE, kind.clone());
    }
    if let Some(coding) = parts.headers.get(header::CONTENT_ENCODING) {
        headers.insert(header::CONTENT_ENCODING, coding.clone());
    }
    let limit = open.shared.limits.response_hold_bytes_max;
    let wait = std::time::Duration::from_millis(open.shared.limits.upstream_wait_ms_max);
    let read = tokio::time::timeout(wait, Box::pin(Limited::new(body, limit)).collect()).await;
    let bytes = match read {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            return open.fail(Reason::ResponseRecordTooLarge, None);
        }
        Ok(Err(_)) => return open.fail(Reason::ResponseTruncated, None),
        Err(_) => return open.fail(Reason::UpstreamTimeout, None),
    };
    let pending = open.pending(&decided, parts.status, bytes.len() as u64);
    let mut response = Response::new(ResponseBody::closing(bytes, pending));
    *response.status_mut() = parts.status;
    *response.headers_mut() = headers;
    response
}
