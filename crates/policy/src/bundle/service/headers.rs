//! Headers that no service map may declare: the product says them itself, takes them off by its own rules, or nobody can
//! pass them on and stay true.

/// Of a request: how the connection is framed, what speaks of the bytes as they came, what would split, hide or divert the answer, and cookies, which have a
/// register of their own; what names a purpose or a requester to us; and what anybody may make up about their way here.
const OF_REQUESTS: [&str; 40] = [
    "a-im",
    "accept-encoding",
    "baggage",
    "cf-connecting-ip",
    "client-ip",
    "connection",
    "content-digest",
    "content-encoding",
    "content-length",
    "content-md5",
    "content-range",
    "content-type",
    "cookie",
    "data-purpose",
    "digest",
    "expect",
    "forwarded",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "repr-digest",
    "signature",
    "signature-input",
    "te",
    "trailer",
    "transfer-encoding",
    "true-client-ip",
    "txn-token",
    "upgrade",
    "via",
    "x-client-ip",
    "x-original-url",
    "x-real-ip",
];

/// Of an answer: what speaks of the bytes as they were before redaction, lets somebody keep them, sends the browser or the
/// proxy in front elsewhere, has the browser fetch more, or reports addresses to others.
const OF_ANSWERS: [&str; 58] = [
    "accept-ranges",
    "age",
    "alt-svc",
    "alt-used",
    "cache-groups",
    "cache-status",
    "cache-tag",
    "connection",
    "content-digest",
    "content-encoding",
    "content-length",
    "content-md5",
    "content-range",
    "content-security-policy-report-only",
    "content-type",
    "delta-base",
    "digest",
    "edge-cache-tag",
    "edge-control",
    "etag",
    "expires",
    "im",
    "keep-alive",
    "last-modified",
    "link-template",
    "nel",
    "no-vary-search",
    "pragma",
    "proxy-authenticate",
    "proxy-authentication-info",
    "refresh",
    "report-to",
    "reporting-endpoints",
    "repr-digest",
    "server-timing",
    "set-cookie",
    "set-cookie2",
    "signature",
    "signature-input",
    "sourcemap",
    "speculation-rules",
    "surrogate-control",
    "surrogate-key",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "use-as-dictionary",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "x-lighttpd-send-file",
    "x-litespeed-location",
    "x-reproxy-url",
    "x-sendfile",
    "x-sendfile2",
    "x-sourcemap",
    "xkey",
];

/// How further names of this sort begin: words to one proxy in front, and reports on what somebody saw.
const FAMILIES_OF_ANSWERS: [&str; 2] = ["attribution-reporting-", "x-accel-"];
/// And how they end: directives for one cache among several (RFC 9213), whatever it is called.
const CACHE_CONTROL: &str = "cache-control";

/// Whether a text is the name of a header (RFC 9110, section 5.1).
pub(crate) fn is_header_name(name: &str) -> bool {
    let sign = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !name.is_empty() && name.bytes().all(sign)
}

/// Whether a service map may declare a header of a request; the name in lower case.
#[must_use]
pub fn may_be_sent(name: &str) -> bool {
    let of_its_way = name.starts_with("x-forwarded-") && name != "x-forwarded-for";
    !OF_REQUESTS.contains(&name) && !of_its_way
}

/// Whether a service map may declare a header of an answer; the name in lower case.
#[must_use]
pub fn may_be_answered(name: &str) -> bool {
    let of_a_family =
        name.ends_with(CACHE_CONTROL) || FAMILIES_OF_ANSWERS.iter().any(|family| name.starts_with(family));
    !OF_ANSWERS.contains(&name) && !of_a_family
}
