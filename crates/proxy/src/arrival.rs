//! What a request says of its own way here is replaced by what the connection says.

use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use consentry_layer::{Tls, Transport};
use http::header::{FORWARDED, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Version};
use tower_layer::Layer;
use tower_service::Service;

/// The header in which a service behind a proxy expects the caller's address.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The header in which whoever ended TLS says by which scheme a request came.
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Names under which callers' addresses travel, besides `Forwarded` and `X-Forwarded-…`.
const ADDRESSES: [HeaderName; 4] = [
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-client-ip"),
    HeaderName::from_static("true-client-ip"),
    HeaderName::from_static("cf-connecting-ip"),
];

/// From which address a connection comes.
#[derive(Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Replaces what a caller says of its way here. Whether the address goes on is the policy's to decide: it is personal
/// data like any other, and reaches the service only where the service map declares `X-Forwarded-For`. How the
/// connection was protected is believed of those alone who end TLS in front of the sidecar.
#[derive(Clone)]
pub(crate) struct ArrivalLayer {
    pub(crate) tls_ended_by: Arc<[IpAddr]>,
}

impl<S> Layer<S> for ArrivalLayer {
    type Service = Arrival<S>;

    fn layer(&self, inner: S) -> Arrival<S> {
        Arrival { inner, tls_ended_by: Arc::clone(&self.tls_ended_by) }
    }
}

/// A service whose requests tell the truth about their way.
#[derive(Clone)]
pub(crate) struct Arrival<S> {
    inner: S,
    tls_ended_by: Arc<[IpAddr]>,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for Arrival<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        let peer = request.extensions().get::<Peer>().copied();
        let transport = transport(request.headers(), peer, &self.tls_ended_by);
        request.extensions_mut().insert(transport);
        replace(request.headers_mut(), peer);
        // HTTP/1.1 demands a host (RFC 9112, section 3.2). An empty one is what the layer refuses.
        if request.version() == Version::HTTP_11 {
            request.headers_mut().entry(HOST).or_insert(HeaderValue::from_static(""));
        }
        self.inner.call(request)
    }
}

/// How the connection was protected, as far as somebody says who may be believed. Of which version of TLS it was nobody
/// says: the least that still protects is what counts.
fn transport(headers: &HeaderMap, peer: Option<Peer>, tls_ended_by: &[IpAddr]) -> Transport {
    let believed = peer.is_some_and(|Peer(address)| tls_ended_by.contains(&address.to_canonical()));
    let mut said = headers.get_all(X_FORWARDED_PROTO).iter();
    let https = said.next().is_some_and(|proto| proto == "https") && said.next().is_none();
    if believed && https { Transport { tls: Tls::V1_2, signed: false } } else { Transport::default() }
}

fn replace(headers: &mut HeaderMap, peer: Option<Peer>) {
    let own = |name: &HeaderName| {
        *name == FORWARDED || name.as_str().starts_with("x-forwarded-") || ADDRESSES.contains(name)
    };
    let forged: Vec<HeaderName> = headers.keys().filter(|name| own(name)).cloned().collect();
    for name in forged {
        headers.remove(name);
    }
    let value =
        peer.and_then(|Peer(address)| HeaderValue::from_str(&address.to_canonical().to_string()).ok());
    if let Some(value) = value {
        headers.insert(X_FORWARDED_FOR, value);
    }
}

/// A service that hears where its connection comes from.
#[derive(Clone)]
pub(crate) struct FromPeer<S> {
    pub(crate) inner: S,
    pub(crate) peer: Peer,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for FromPeer<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        request.extensions_mut().insert(self.peer);
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_1_only_whoever_ends_tls_is_believed_about_it() {
        let proxy: IpAddr = "192.0.2.7".parse().unwrap();
        for (lines, peer, tls) in [
            (&["https"][..], Some("192.0.2.7"), Tls::V1_2),
            (&["https"], Some("::ffff:192.0.2.7"), Tls::V1_2),
            (&["https"], Some("192.0.2.8"), Tls::None),
            (&["https"], None, Tls::None),
            (&["http"], Some("192.0.2.7"), Tls::None),
            (&["https", "http"], Some("192.0.2.7"), Tls::None),
            (&["https, http"], Some("192.0.2.7"), Tls::None),
            (&[], Some("192.0.2.7"), Tls::None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(X_FORWARDED_PROTO, line.parse().unwrap());
            }
            let peer = peer.map(|text| Peer(text.parse().unwrap()));
            let found = transport(&headers, peer, &[proxy]);
            assert_eq!(found, Transport { tls, signed: false }, "{lines:?}");
            assert_eq!(transport(&headers, peer, &[]), Transport::default(), "{lines:?}");
        }
    }

    #[test]
    fn what_a_caller_says_of_its_way_is_replaced() {
        let mut headers = HeaderMap::new();
        for name in ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "true-client-ip"] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("203.0.113.9"));
        }
        headers.insert("accept", HeaderValue::from_static("*/*"));
        let mut nameless = headers.clone();
        replace(&mut headers, Some(Peer("::ffff:192.0.2.7".parse().unwrap())));
        assert_eq!((headers.len(), &headers["x-forwarded-for"]), (2, &HeaderValue::from_static("192.0.2.7")));
        replace(&mut nameless, None);
        assert_eq!(nameless.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["accept"]);
    }
}
