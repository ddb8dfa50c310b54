//! Pages and their assets: no datum, passed on whole.

use std::sync::LazyLock;

use bytes::Bytes;
use consentry_audit::Receipt;
use consentry_model::{MediaTypes, Moment, Reason};
use http::{HeaderMap, HeaderValue, Response, header, response::Parts};

use crate::body::ResponseBody;
use crate::coding::Recoder;
use crate::exchange::{Decided, Open};
use crate::media::Media;
use crate::service::BoxError;
use crate::source::Source;

/// Media types that a page and what belongs to it have. What could carry data as data is not among them.
const TYPES: [&str; 15] = [
    "text/html",
    "text/css",
    "text/plain",
    "text/javascript",
    // The same by another name, which most servers still say (RFC 9239, section 6).
    "application/javascript",
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/avif",
    "image/svg+xml",
    "image/webp",
    "font/woff",
    "font/woff2",
    "image/x-icon",
    "image/vnd.microsoft.icon",
];

/// The same, as the list by which a content type is read.
pub(crate) fn types() -> &'static MediaTypes {
    static PAGES: LazyLock<MediaTypes> = LazyLock::new(|| MediaTypes::whole(TYPES).unwrap_or_default());
    &PAGES
}

/// Delivers a page, held back whole up to the limit.
pub(crate) async fn deliver<R>(
    mut open: Open,
    mut decided: Box<Decided>,
    receipt: Receipt,
    (parts, mut headers, decided_at, window): (Parts, HeaderMap, Moment, u64),
    mut source: Source<R>,
) -> Response<ResponseBody>
where
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    // The head record of this exchange is durable: nothing leaves without it.
    let _held = &receipt;
    let Some(kind) = kind(&parts.headers) else { return open.fail(Reason::ResponseMediaType, None) };
    headers.insert(header::CONTENT_TYPE, kind);
    let limits = &open.shared.limits;
    let whole =
        if open.head_only { Ok(Bytes::new()) } else { source.whole(limits.response_hold_bytes_max).await };
    let bytes = match whole {
        Ok(bytes) => bytes,
        Err(reason) => return open.fail(reason, None),
    };
    if let Err(refused) = open.renewed(&mut decided, window).await {
        return open.stop(refused);
    }
    if let Err(reason) = decided.finish_head(&mut headers, decided_at, &open) {
        return open.fail(reason, None);
    }
    let recoder =
        Recoder::start(open.may_be_coded, bytes.len(), &open.shared.limits, &parts.headers, &mut headers);
    let bytes = recoder.whole(bytes);
    let pending = open.pending(&decided, parts.status, bytes.len() as u64);
    let mut response = Response::new(ResponseBody::closing(bytes, pending));
    *response.status_mut() = parts.status;
    *response.headers_mut() = headers;
    response
}

/// The content type of a page, said anew: of two lines nobody knows which counts, and a parameter could hold anything.
fn kind(headers: &HeaderMap) -> Option<HeaderValue> {
    let types = types();
    let mut lines = headers.get_all(header::CONTENT_TYPE).iter();
    let line = lines.next().filter(|_| lines.next().is_none())?.to_str().ok()?;
    let named = line.split(';').next().is_some_and(|name| types.names(&name.trim().to_ascii_lowercase()));
    Media::read(Some(line), types).filter(|_| named)?.header(types)
}
