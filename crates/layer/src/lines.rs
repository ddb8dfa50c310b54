//! The header lines of a request: what may stand there once only, what may not stand there at all, and which names are
//! another name's disguise.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Headers by which a proxy or framework may be talked into another method, path, host or file. Compared folded; in the
/// order of the alphabet.
const OVERRIDES: [&str; 34] = [
    "base-url",
    "http-method-override",
    "x-accel-redirect",
    "x-arr-original-url",
    "x-envoy-original-host",
    "x-envoy-original-method",
    "x-envoy-original-path",
    "x-forwarded-method",
    "x-forwarded-original-url",
    "x-forwarded-path",
    "x-forwarded-prefix",
    "x-forwarded-uri",
    "x-host",
    "x-http-destinationurl",
    "x-http-host-override",
    "x-http-method",
    "x-http-method-override",
    "x-http-path-override",
    "x-method",
    "x-method-override",
    "x-ms-original-url",
    "x-original-host",
    "x-original-method",
    "x-original-path",
    "x-original-request-uri",
    "x-original-uri",
    "x-original-url",
    "x-override-url",
    "x-proxy-url",
    "x-request-uri",
    "x-rewrite-uri",
    "x-rewrite-url",
    "x-sendfile",
    "x-waws-unencoded-url",
];

/// Headers of which a second line would change who asks, for what, or where.
const SINGLE: [HeaderName; 6] = [
    header::HOST,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::EXPECT,
    header::ORIGIN,
];

/// Headers that say who asks, for what, whence, or how the body is to be read. Nobody may take them off on the way or
/// bring them in disguise.
const DECIDING: [&str; 23] = [
    "accept-encoding",
    "authorization",
    "client-ip",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "data-purpose",
    "expect",
    "forwarded",
    "host",
    "proxy-authorization",
    "range",
    "remote-user",
    "sec-gpc",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "true-client-ip",
    "via",
    "x-real-ip",
    "x-remote-user",
];

/// Names that `Connection` may list without taking anything off.
const OF_CONNECTION: [&str; 6] =
    ["close", "keep-alive", "te", "trailer", "transfer-encoding", "proxy-connection"];

/// Whether the request asks to speak something else on the same connection. `Connection: upgrade` alone names nothing to speak
/// (RFC 9110, section 7.8), and many proxies send it with whatever they pass on.
pub(crate) fn asks_for_another_protocol(headers: &HeaderMap) -> bool {
    let asks = |name: &HeaderName| {
        let text = name.as_str();
        *name == header::UPGRADE || text == "http2-settings" || text.starts_with("sec-websocket-")
    };
    headers.keys().any(asks) || nominated(headers).any(|name| name == "http2-settings")
}

/// All lines of a header.
pub(crate) fn all<'h>(headers: &'h HeaderMap, name: &str) -> impl Iterator<Item = &'h HeaderValue> {
    // There are few of them: to look at each is quicker than to make a name of the text.
    let name = headers.keys().find(|there| there.as_str().eq_ignore_ascii_case(name));
    name.into_iter().flat_map(|name| headers.get_all(name))
}

/// Whether each line says one thing only, as far as that can be seen without knowing the route.
pub(crate) fn have_one_reading(headers: &HeaderMap) -> bool {
    let once = |name: &HeaderName| headers.get_all(name).iter().nth(1).is_none();
    // Whatever else is done to a body on the way is not undone here.
    let framed =
        headers.get(header::TRANSFER_ENCODING).is_none_or(|v| v.as_bytes().eq_ignore_ascii_case(b"chunked"));
    let expects =
        headers.get(header::EXPECT).is_none_or(|v| v.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    let named = |name: &str| !name.is_empty() && HeaderName::from_bytes(name.as_bytes()).is_ok();
    let takes_off = |name: &str| is_deciding(name) && !OF_CONNECTION.contains(&name);
    // A part of something is none of what the map describes, and would go on as the whole (RFC 9110, section 14.5).
    framed
        && expects
        && !headers.contains_key(header::CONTENT_RANGE)
        && SINGLE.iter().all(once)
        && headers.keys().all(|name| is_itself(name.as_str(), headers))
        && nominated(headers).all(|name| named(&name) && !takes_off(&name))
}

/// Whether none of these headers is named by `Connection`, and none came in disguise: whoever stands in front may have taken off
/// the one and let the other through.
pub(crate) fn stand_for_themselves(own: &[&str], headers: &HeaderMap) -> bool {
    let same = |a: &str, b: &str| {
        let other = |x: u8| !x.is_ascii_alphanumeric();
        a.len() == b.len() && a.bytes().zip(b.bytes()).all(|(x, y)| x == y || (other(x) && other(y)))
    };
    let disguised = |name: &str| own.iter().any(|own| *own != name && same(own, name));
    !headers.keys().any(|name| disguised(name.as_str()))
        && !nominated(headers).any(|name| own.iter().any(|own| same(own, &name)))
}

/// The names that `Connection` lists, in lower case.
pub(crate) fn nominated(headers: &HeaderMap) -> impl Iterator<Item = String> {
    let lines = headers.get_all(header::CONNECTION).iter().map(HeaderValue::as_bytes);
    let names = lines.flat_map(|line| line.split(|b| *b == b','));
    // An empty place in the list names nothing (RFC 9110, section 5.6.1).
    names
        .map(<[u8]>::trim_ascii)
        .filter(|name| !name.is_empty())
        .map(|name| String::from_utf8_lossy(name).to_ascii_lowercase())
}

fn is_deciding(name: &str) -> bool {
    DECIDING.contains(&name) || name.starts_with("x-forwarded-")
}

/// Whether a name is none that moves the request elsewhere, and none that becomes another where every sign but a letter
/// or a digit is the same (RFC 3875, section 4.1.18, and what servers make of it).
fn is_itself(name: &str, headers: &HeaderMap) -> bool {
    let moves = |folded: &str| OVERRIDES.binary_search(&folded).is_ok();
    if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return !moves(name);
    }
    let folded: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    !moves(&folded) && !is_deciding(&folded) && !headers.contains_key(folded.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_can_be_looked_up() {
        assert!(OVERRIDES.is_sorted());
    }
}
