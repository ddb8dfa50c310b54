//! Which headers travel between the sidecar and the service behind it.

use consentry_layer::Tls;
use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, FORWARDED, HOST, HeaderMap, HeaderName, HeaderValue,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VIA,
};
use http::uri::Authority;

use crate::arrival::X_FORWARDED_PROTO;

/// Headers that concern one connection only (RFC 9110, section 7.6.1), besides those that `Connection` names.
const HOP_BY_HOP: [HeaderName; 10] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// What is meant for the sidecar itself, or what a caller could forge about its own way here. The length is counted
/// anew. `Authorization` is here only if the policy let it pass.
const NOT_PASSED_ON: [HeaderName; 11] = [
    HeaderName::from_static("baggage"),
    HeaderName::from_static("data-purpose"),
    HeaderName::from_static("txn-token"),
    FORWARDED,
    VIA,
    EXPECT,
    CONTENT_LENGTH,
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("true-client-ip"),
    HeaderName::from_static("client-ip"),
    HeaderName::from_static("x-original-url"),
];

/// Removes what concerns one connection only, `Connection`'s own nominations included.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let nominated: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|b| *b == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .collect();
    for name in nominated.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// Makes a caller's headers fit to be sent on. `X-Forwarded-For` is here only if the policy let it pass; `Forwarded` says
/// no more than that the request came through us, and whether it came protected; `X-Forwarded-Proto` says the latter to
/// whoever reads no `Forwarded`.
pub(crate) fn prepare_request(headers: &mut HeaderMap, authority: &Authority, preserve_host: bool, tls: Tls) {
    let named = headers.get(HOST).filter(|_| preserve_host).cloned();
    remove_hop_by_hop(headers);
    for name in &NOT_PASSED_ON {
        headers.remove(name);
    }
    let forwarded: Vec<HeaderName> =
        headers.keys().filter(|name| is_forged_way(name.as_str())).cloned().collect();
    for name in forwarded {
        headers.remove(name);
    }
    headers.remove(HOST);
    if let Some(host) = named.or_else(|| HeaderValue::from_str(authority.as_str()).ok()) {
        headers.insert(HOST, host);
    }
    let (came, proto) = if tls == Tls::None {
        ("by=_consentry;proto=http", "http")
    } else {
        ("by=_consentry;proto=https", "https")
    };
    headers.insert(FORWARDED, HeaderValue::from_static(came));
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(proto));
    headers.insert(VIA, HeaderValue::from_static("1.1 consentry"));
}

fn is_forged_way(name: &str) -> bool {
    name.starts_with("x-forwarded-") && name != "x-forwarded-for"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[(&str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(n, v)| (HeaderName::from_bytes(n.as_bytes()).unwrap(), HeaderValue::from_str(v).unwrap()))
            .collect()
    }

    #[test]
    fn hop_by_hop_headers_and_whatever_connection_names_stay_here() {
        let mut headers = map(&[
            ("connection", "close, X-Secret"),
            ("connection", " ,keep-alive"),
            ("x-secret", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("proxy-authorization", "Basic x"),
            ("content-type", "application/json"),
        ]);
        remove_hop_by_hop(&mut headers);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["content-type"]);
    }

    #[test]
    fn what_is_meant_for_us_or_forged_is_not_passed_on() {
        let mut headers = map(&[
            ("host", "shop.example.org"),
            ("authorization", "Bearer x"),
            ("data-purpose", "marketing"),
            ("txn-token", "x.y.z"),
            ("baggage", "data-purpose=marketing"),
            ("forwarded", "for=192.0.2.1"),
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-proto", "gopher"),
            ("x-forwarded-anything", "y"),
            ("via", "1.1 other"),
            ("content-length", "7"),
            ("accept", "application/json"),
        ]);
        let upstream = Authority::from_static("127.0.0.1:3000");
        let mut kept = headers.clone();
        prepare_request(&mut headers, &upstream, false, Tls::None);
        let expected = map(&[
            ("host", "127.0.0.1:3000"),
            ("authorization", "Bearer x"),
            ("x-forwarded-for", "192.0.2.1"),
            ("accept", "application/json"),
            ("forwarded", "by=_consentry;proto=http"),
            ("x-forwarded-proto", "http"),
            ("via", "1.1 consentry"),
        ]);
        assert_eq!(headers, expected);
        prepare_request(&mut kept, &upstream, true, Tls::V1_2);
        assert_eq!(kept.get("forwarded").unwrap(), "by=_consentry;proto=https");
        assert_eq!(kept.get("x-forwarded-proto").unwrap(), "https");
        assert_eq!(kept.get("host").unwrap(), "shop.example.org");
    }
}
