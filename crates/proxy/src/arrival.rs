//! What a request says of its own way here is replaced by what the connection says.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use consentry_identity::Network;
use consentry_layer::{Tls, Transport};
use http::header::{FORWARDED, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Version};
use tokio::sync::watch;
use tokio::task::futures::TaskLocalFuture;
use tower_layer::Layer;
use tower_service::Service;

use crate::activity::on_connection;

/// The header in which a service behind a proxy expects the caller's address.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The header in which whoever ended TLS says by which scheme a request came.
pub(crate) const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Names under which callers' addresses travel, besides `Forwarded` and `X-Forwarded-…`.
const ADDRESSES: [HeaderName; 4] = [
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-client-ip"),
    HeaderName::from_static("true-client-ip"),
    HeaderName::from_static("cf-connecting-ip"),
];

tokio::task_local! {
    /// How the request was protected that is being served: what the layer below makes of it takes no extensions along.
    static CAME_BY: Tls;
}

/// How the request came that is being served; unprotected, where nobody knows.
pub(crate) fn came_by() -> Tls {
    CAME_BY.try_with(|tls| *tls).unwrap_or_default()
}

/// Replaces what a caller says of its way here, by what those say who end TLS in front of the sidecar. Whether the address goes on is the policy's to decide: it is personal
/// data like any other, and reaches the service only where the service map declares `X-Forwarded-For`. How the
/// connection was protected is believed of those alone who end TLS in front of the sidecar.
#[derive(Clone)]
pub(crate) struct ArrivalLayer {
    pub(crate) tls_ended_by: Arc<[Network]>,
    /// Headers in which gateways say who calls. They are for the layer below to believe, to refuse and to take off.
    pub(crate) naming: Arc<[HeaderName]>,
}

impl<S> Layer<S> for ArrivalLayer {
    type Service = Arrival<S>;

    fn layer(&self, inner: S) -> Arrival<S> {
        let Self { tls_ended_by, naming } = self.clone();
        Arrival { inner, tls_ended_by, naming }
    }
}

/// A service whose requests tell the truth about their way.
#[derive(Clone)]
pub(crate) struct Arrival<S> {
    inner: S,
    tls_ended_by: Arc<[Network]>,
    naming: Arc<[HeaderName]>,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for Arrival<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = TaskLocalFuture<Tls, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        on_connection(|activity| activity.ends_by_closing(request.version() <= Version::HTTP_10));
        let arrived = request.extensions().get::<Transport>().cloned().unwrap_or_default();
        let transport = transport(request.headers(), arrived, &self.tls_ended_by);
        let (address, tls) = (transport.origin(), transport.tls);
        request.extensions_mut().insert(transport);
        replace(request.headers_mut(), address, &self.naming);
        // Every request names a host (RFC 9112, section 3.2; RFC 9113, section 8.3.1), also one of HTTP/1.0: the service
        // behind would be told one that nobody named. An empty one is what the layer refuses.
        if request.version() < Version::HTTP_2 || request.uri().authority().is_none() {
            request.headers_mut().entry(HOST).or_insert(HeaderValue::from_static(""));
        }
        CAME_BY.scope(tls, self.inner.call(request))
    }
}

/// The addresses that a request came by, the nearest last, as far as they can be read: from the first entry on that is none,
/// nobody knows what stands before it.
fn way(headers: &HeaderMap) -> Vec<IpAddr> {
    let lines = headers.get_all(X_FORWARDED_FOR).iter().map(|line| line.to_str().ok());
    let entries: Vec<Option<&str>> = lines
        .flat_map(|line| {
            line.map_or(vec![None], |text| text.split(',').map(|entry| Some(entry.trim())).collect())
        })
        .collect();
    let read = entries.into_iter().rev().map_while(|entry| address(entry?));
    let mut known: Vec<IpAddr> = read.map(|address| address.to_canonical()).collect();
    known.reverse();
    known
}

/// The address of an entry, beside which some proxies write a port.
fn address(entry: &str) -> Option<IpAddr> {
    entry.parse().ok().or_else(|| entry.parse().ok().map(|entry: SocketAddr| entry.ip()))
}

/// Where a request began: the nearest address on its way that is none of those who are believed about what came before
/// them. `None` when the peer is not believed, or says nothing that can be read.
fn client(headers: &HeaderMap, peer: Option<IpAddr>, believed: &[Network]) -> Option<IpAddr> {
    let is_believed = |address: &IpAddr| believed.iter().any(|network| network.contains(*address));
    peer.filter(is_believed)?;
    way(headers).into_iter().rev().find(|address| !is_believed(address))
}

/// How the connection was protected: as the listener found out where TLS ended here, else as far as somebody says who
/// may be believed. Of which version of TLS it was nobody says then: the least that still protects is what counts. Where somebody
/// on the way says that a part of it was not protected, that is believed of anybody.
fn transport(headers: &HeaderMap, arrived: Transport, tls_ended_by: &[Network]) -> Transport {
    if arrived.tls != Tls::None {
        let tls = if came_in_clear(headers) { Tls::None } else { arrived.tls };
        return Transport { tls, ..arrived };
    }
    let believed =
        arrived.peer.address.is_some_and(|address| tls_ended_by.iter().any(|n| n.contains(address)));
    let mut said = headers.get_all(X_FORWARDED_PROTO).iter();
    let https = said.next().is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"))
        && said.next().is_none();
    let client = client(headers, arrived.peer.address, tls_ended_by);
    Transport { tls: if believed && https { Tls::V1_2 } else { Tls::None }, client, ..arrived }
}

/// Whether somebody says of a part of the way that it was by another scheme than `https`.
fn came_in_clear(headers: &HeaderMap) -> bool {
    let is_https = |scheme: &[u8]| scheme.trim_ascii().eq_ignore_ascii_case(b"https");
    let all_are = |line: &HeaderValue| line.as_bytes().split(|b| *b == b',').all(is_https);
    !headers.get_all(X_FORWARDED_PROTO).iter().all(all_are)
}

fn replace(headers: &mut HeaderMap, address: Option<IpAddr>, naming: &[HeaderName]) {
    let own = |name: &HeaderName| {
        let way = *name == FORWARDED || name.as_str().starts_with("x-forwarded-") || ADDRESSES.contains(name);
        way && !naming.contains(name)
    };
    let forged: Vec<HeaderName> = headers.keys().filter(|name| own(name)).cloned().collect();
    for name in forged {
        headers.remove(name);
    }
    let value = address.and_then(|address| HeaderValue::from_str(&address.to_canonical().to_string()).ok());
    if let Some(value) = value {
        headers.insert(X_FORWARDED_FOR, value);
    }
}

/// A service that hears how its connection is protected, and who is at its other end.
#[derive(Clone)]
pub(crate) struct Arrived<S> {
    pub(crate) inner: S,
    pub(crate) transport: Transport,
    /// Whether those are believed no more by whom the certificate of the other end was good; `None` where it showed none.
    pub(crate) outlived: Option<watch::Receiver<bool>>,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for Arrived<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        let mut transport = self.transport.clone();
        if self.outlived.as_ref().is_some_and(|outlived| *outlived.borrow()) {
            let shown = transport.peer.certificate.take();
            transport.peer.certificate = shown.map(|certificate| Arc::new(certificate.ended()));
            transport.signed = false;
        }
        request.extensions_mut().insert(transport);
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_1_only_whoever_ends_tls_is_believed_about_it() {
        let proxy = Network::parse("192.0.2.7").unwrap();
        for (lines, peer, tls) in [
            (&["https"][..], Some("192.0.2.7"), Tls::V1_2),
            (&["https"], Some("::ffff:192.0.2.7"), Tls::V1_2),
            (&["https"], Some("192.0.2.8"), Tls::None),
            (&["https"], None, Tls::None),
            // Schemes are compared without case (RFC 3986, section 3.1).
            (&["HTTPS"], Some("192.0.2.7"), Tls::V1_2),
            (&["HTTPS"], Some("192.0.2.8"), Tls::None),
            (&["http"], Some("192.0.2.7"), Tls::None),
            (&["https", "http"], Some("192.0.2.7"), Tls::None),
            (&["https, http"], Some("192.0.2.7"), Tls::None),
            (&[], Some("192.0.2.7"), Tls::None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(X_FORWARDED_PROTO, line.parse().unwrap());
            }
            let peer = consentry_identity::Peer {
                address: peer.map(|text| text.parse().unwrap()),
                certificate: None,
            };
            let arrived = Transport { peer, ..Transport::default() };
            let found = transport(&headers, arrived.clone(), &[proxy]);
            assert_eq!(found, Transport { tls, ..arrived.clone() }, "{lines:?}");
            assert_eq!(transport(&headers, arrived.clone(), &[]), arrived, "{lines:?}");
        }
    }

    #[test]
    fn law_1_where_tls_ended_here_what_came_in_clear_before_is_no_better_for_it() {
        for (lines, tls) in [
            (&[][..], Tls::V1_3),
            (&["https"], Tls::V1_3),
            (&["HTTPS"], Tls::V1_3),
            (&["https, https", "https"], Tls::V1_3),
            (&["http"], Tls::None),
            (&["https", "http"], Tls::None),
            (&["http, https"], Tls::None),
            (&["https,"], Tls::None),
            (&[""], Tls::None),
            (&["wss"], Tls::None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(X_FORWARDED_PROTO, line.parse().unwrap());
            }
            let here = Transport { tls: Tls::V1_3, signed: true, ..Transport::default() };
            assert_eq!(transport(&headers, here.clone(), &[]), Transport { tls, ..here }, "{lines:?}");
        }
    }

    #[test]
    fn law_1_a_way_is_believed_as_far_as_those_on_it_are() {
        let believed = [Network::parse("192.0.2.0/28").unwrap()];
        for (lines, peer, client_is) in [
            (&["203.0.113.9"][..], "192.0.2.7", Some("203.0.113.9")),
            (&["203.0.113.9"], "192.0.2.77", None),
            // What comes before whoever is not believed is their own tale.
            (&["198.51.100.1, 203.0.113.9"], "192.0.2.7", Some("203.0.113.9")),
            (&["198.51.100.1", "203.0.113.9, 192.0.2.8"], "192.0.2.7", Some("203.0.113.9")),
            (&["2001:db8::1"], "192.0.2.7", Some("2001:db8::1")),
            (&["::ffff:203.0.113.9"], "192.0.2.7", Some("203.0.113.9")),
            (&["192.0.2.8"], "192.0.2.7", None),
            (&[], "192.0.2.7", None),
            (&["unknown"], "192.0.2.7", None),
            (&["203.0.113.9, _hidden"], "192.0.2.7", None),
            (&["203.0.113.9:4711"], "192.0.2.7", Some("203.0.113.9")),
            (&["198.51.100.1, 203.0.113.9:4711, 192.0.2.8:80"], "192.0.2.7", Some("203.0.113.9")),
            (&["[2001:db8::1]:4711"], "192.0.2.7", Some("2001:db8::1")),
            (&["[::ffff:203.0.113.9]:4711"], "192.0.2.7", Some("203.0.113.9")),
            (&["203.0.113.9:"], "192.0.2.7", None),
            (&["203.0.113.9:x"], "192.0.2.7", None),
            (&["203.0.113.9:65536"], "192.0.2.7", None),
            (&["203.0.113.9 :4711"], "192.0.2.7", None),
            (&["203.0.113.9:4711:1"], "192.0.2.7", None),
            (&["[203.0.113.9]:4711"], "192.0.2.7", None),
            (&["[2001:db8::1]"], "192.0.2.7", None),
            (&["203.0.113.9, "], "192.0.2.7", None),
            (&["\u{e9}"], "192.0.2.7", None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(line.as_bytes()).unwrap());
            }
            let parse = |text: &str| text.parse::<IpAddr>().unwrap();
            let found = client(&headers, Some(parse(peer)), &believed);
            assert_eq!(found, client_is.map(parse), "{lines:?} from {peer}");
            assert_eq!(client(&headers, None, &believed), None, "{lines:?}");
            assert_eq!(client(&headers, Some(parse(peer)), &[]), None, "{lines:?}");
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
        replace(&mut headers, Some("::ffff:192.0.2.7".parse().unwrap()), &[]);
        assert_eq!((headers.len(), &headers["x-forwarded-for"]), (2, &HeaderValue::from_static("192.0.2.7")));
        replace(&mut nameless, None, &[]);
        assert_eq!(nameless.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["accept"]);
    }

    /// Tells what it hears of the connection.
    struct Tells;

    impl Service<Request<()>> for Tells {
        type Response = Transport;
        type Error = std::convert::Infallible;
        type Future = std::future::Ready<Result<Transport, Self::Error>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<()>) -> Self::Future {
            std::future::ready(Ok(request.extensions().get::<Transport>().cloned().unwrap()))
        }
    }

    #[tokio::test]
    async fn law_1_a_certificate_proves_nothing_once_its_authority_is_believed_no_more() {
        let (key, now) = (
            rcgen::KeyPair::generate().unwrap(),
            consentry_model::Moment::from_unix_millis(1_800_000_000_000),
        );
        let shown =
            rcgen::CertificateParams::new(vec!["shop".to_owned()]).unwrap().self_signed(&key).unwrap();
        let shown = Arc::new(consentry_identity::PeerCertificate::from_der(shown.der()).unwrap());
        let peer = consentry_identity::Peer { address: None, certificate: Some(shown) };
        let transport = Transport { tls: Tls::V1_3, signed: true, client: None, peer };
        let (tell, outlived) = watch::channel(false);
        let mut arrived = Arrived { inner: Tells, transport, outlived: Some(outlived) };
        for so in [false, true] {
            tell.send_replace(so);
            let heard = arrived.call(Request::new(())).await.unwrap();
            let holds = heard.peer.certificate.is_some_and(|certificate| certificate.holds(now));
            assert_eq!((heard.signed, holds), (!so, !so));
        }
    }
}
