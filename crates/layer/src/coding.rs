//! Content codings of both directions: undone before anything is read, and put on again only where nothing can be learnt
//! from how well an answer compresses.

use bytes::Bytes;
use consentry_body::{Coding, CodingFault, Encoder, accepts_gzip, decode};
use consentry_model::{Proof, Reason};
use http::{HeaderMap, HeaderValue, header};

use crate::head::Head;
use crate::limits::Limits;

/// What the inner service is asked for: what can be read. Between two processes of one machine a plain answer is the
/// cheapest, so that is preferred.
pub(crate) fn readable(is_live: bool) -> HeaderValue {
    // Of zstd nothing is read before its window is full or its frame ends: what must leave at once would wait.
    HeaderValue::from_static(if is_live {
        "identity, gzip;q=0.5, br;q=0.5, deflate;q=0.3"
    } else {
        "identity, gzip;q=0.5, br;q=0.5, zstd;q=0.5, deflate;q=0.3"
    })
}

/// The codings of a body, in the order in which they were applied.
pub(crate) fn codings(headers: &HeaderMap) -> Result<Vec<Coding>, CodingFault> {
    Coding::read(headers.get_all(header::CONTENT_ENCODING).iter().map(HeaderValue::as_bytes))
}

/// The content of a request body that is there whole.
pub(crate) fn content(headers: &HeaderMap, limits: &Limits, body: Bytes) -> Result<Bytes, Reason> {
    let codings = codings(headers).map_err(of_request)?;
    if codings.is_empty() {
        return Ok(body);
    }
    let bounds = limits.coding(limits.request_body_bytes_max as u64);
    decode(&codings, bounds, &body).map(Bytes::from).map_err(of_request)
}

fn of_request(fault: CodingFault) -> Reason {
    match fault {
        CodingFault::Unknown => Reason::BodyEncoding,
        CodingFault::Stacked => Reason::BodyCodingStacked,
        CodingFault::Mislabelled => Reason::BodyCodingMislabelled,
        CodingFault::Malformed => Reason::BodyCodingMalformed,
        CodingFault::Truncated => Reason::BodyCodingTruncated,
        CodingFault::TrailingBytes => Reason::BodyCodingTrailing,
        CodingFault::Checksum => Reason::BodyCodingChecksum,
        CodingFault::Ratio => Reason::BodyCodingRatio,
        CodingFault::TooLarge => Reason::BodyTooLarge,
        CodingFault::Window => Reason::BodyCodingWindow,
        CodingFault::Dictionary => Reason::BodyCodingDictionary,
        CodingFault::OutOfTurn => Reason::EvaluationError,
    }
}

pub(crate) fn of_response(fault: CodingFault) -> Reason {
    match fault {
        CodingFault::Unknown => Reason::ResponseEncoding,
        CodingFault::Stacked => Reason::ResponseCodingStacked,
        CodingFault::Mislabelled => Reason::ResponseCodingMislabelled,
        CodingFault::Malformed => Reason::ResponseCodingMalformed,
        CodingFault::Truncated => Reason::ResponseCodingTruncated,
        CodingFault::TrailingBytes => Reason::ResponseCodingTrailing,
        CodingFault::Checksum => Reason::ResponseCodingChecksum,
        CodingFault::Ratio => Reason::ResponseCodingRatio,
        CodingFault::TooLarge => Reason::ResponseTooLarge,
        CodingFault::Window => Reason::ResponseCodingWindow,
        CodingFault::Dictionary => Reason::ResponseCodingDictionary,
        CodingFault::OutOfTurn => Reason::EvaluationError,
    }
}

/// Whether an answer may be coded, as far as the request says.
///
/// How long a compressed text is tells what is in it to whoever can put a text of theirs beside it and watch lengths.
/// That needs a browser that is made to ask and proves its user's name by itself: by a cookie, a certificate of its
/// own, or by what a gateway asked it for. A token in a header is not sent by a browser unasked. So no answer to a request
/// with cookies or a certificate, or whom a gateway names, is ever compressed, and none that sets a cookie.
pub(crate) fn may_be_coded(head: &Head, proof: Option<Proof>) -> bool {
    let by_itself = match proof {
        Some(Proof::BoundToken | Proof::Certificate | Proof::Header) => true,
        Some(Proof::Token) | None => head.transport.signed || head.transport.peer.certificate.is_some(),
    };
    let proves_itself = by_itself || head.headers.contains_key(header::COOKIE);
    let untouched = said_no_transform(&head.headers);
    !proves_itself && !untouched && accepts_gzip(head.lines("accept-encoding"))
}

/// RFC 9111, sections 5.2.1.6 and 5.2.2.6.
fn said_no_transform(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::CACHE_CONTROL).iter();
    let mut words = lines.flat_map(|line| line.as_bytes().split(|b| *b == b','));
    words.any(|word| word.trim_ascii().eq_ignore_ascii_case(b"no-transform"))
}

/// Whether a body is of a media type whose bodies are compressed already: coded once more they are no shorter.
fn is_compressed(headers: &HeaderMap) -> bool {
    const TYPES: [&str; 3] = ["application/pdf", "application/zip", "application/gzip"];
    const KINDS: [&str; 4] = ["image/", "audio/", "video/", "font/woff"];
    let said = headers.get(header::CONTENT_TYPE).and_then(|line| line.to_str().ok()).unwrap_or_default();
    let name = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_text = name == "image/svg+xml";
    TYPES.contains(&&*name) || (KINDS.iter().any(|kind| name.starts_with(kind)) && !is_text)
}

/// Codes what goes to the caller, or lets it be.
#[derive(Default)]
pub(crate) struct Recoder(Option<Encoder>);

impl Recoder {
    /// For an answer of at least so many bytes whose headers are complete; it says so in them when it codes.
    pub(crate) fn start(
        allowed: bool,
        bytes: usize,
        limits: &Limits,
        from: &HeaderMap,
        headers: &mut HeaderMap,
    ) -> Self {
        let silent = !headers.contains_key(header::SET_COOKIE) && !said_no_transform(from);
        let silent = silent && !is_compressed(headers);
        if !allowed || !silent || bytes < limits.recode_bytes_min {
            return Self(None);
        }
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        Self(Some(Encoder::new()))
    }

    /// The next bytes, in such a way that the caller can read them now.
    pub(crate) fn part(&mut self, bytes: Bytes) -> Bytes {
        let Some(encoder) = &mut self.0 else { return bytes };
        if bytes.is_empty() {
            return bytes;
        }
        encoder.push(&bytes);
        encoder.flush()
    }

    /// What ends the answer.
    pub(crate) fn end(&mut self) -> Bytes {
        self.0.take().map(Encoder::finish).unwrap_or_default()
    }

    /// All of an answer.
    pub(crate) fn whole(mut self, bytes: Bytes) -> Bytes {
        let Some(mut encoder) = self.0.take() else { return bytes };
        encoder.push(&bytes);
        encoder.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_already_is_not_compressed_again() {
        for (kind, compressed) in [
            ("image/png", true),
            ("Image/WebP", true),
            ("image/svg+xml", false),
            ("video/mp4", true),
            ("font/woff2", true),
            ("font/ttf", false),
            ("application/pdf", true),
            ("application/zip; x=1", true),
            ("application/json", false),
            ("text/html; charset=utf-8", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]);
            assert_eq!(is_compressed(&headers), compressed, "{kind}");
        }
        assert!(!is_compressed(&HeaderMap::new()));
    }
}
