//! The head of a request in its one canonical form. What has two plausible readings is refused, not repaired.

use std::collections::BTreeMap;

use consentry_model::Reason;
use consentry_policy::Route;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderValue, Method, Uri, Version, header};

use crate::browser;
use crate::lines;
use crate::naming::Named;
use crate::target::{self, Parameter};
use crate::transport::Transport;

/// RFC 1035, section 2.3.4.
const HOST_BYTES_MAX: usize = 253;

/// A head that can be read in one way only.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) method: Method,
    /// The path as it came, but for a sign that browsers leave as it is; it is also what is forwarded.
    pub(crate) path: String,
    /// Its segments, decoded.
    pub(crate) segments: Vec<String>,
    pub(crate) query: Vec<Parameter>,
    pub(crate) headers: HeaderMap,
    /// The host, in lower case and without its port.
    pub(crate) host: Option<String>,
    /// How the connection was protected.
    pub(crate) transport: Transport,
}

impl Head {
    /// Reads a head.
    pub(crate) fn read(
        method: &Method,
        uri: &Uri,
        version: Version,
        mut headers: HeaderMap,
        transport: Transport,
    ) -> Result<Self, Reason> {
        let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        if !methods.contains(method) && *method != Method::HEAD && *method != Method::OPTIONS {
            return Err(Reason::MethodRefused);
        }
        if lines::asks_for_another_protocol(&headers) {
            return Err(Reason::UpgradeRefused);
        }
        // Over HTTP/2 a scheme is part of the head, and nobody knows what another one would mean.
        if uri.scheme().is_some_and(|scheme| ![Scheme::HTTP, Scheme::HTTPS].contains(scheme)) {
            return Err(Reason::HeadMalformed);
        }
        // Over HTTP/2 the authority is part of the head; over HTTP/1.1 an absolute form names a second host.
        if (uri.authority().is_some() && version < Version::HTTP_2) || !is_one_host(uri, &headers) {
            return Err(Reason::HeadMalformed);
        }
        if !lines::have_one_reading(&headers) {
            return Err(Reason::HeadMalformed);
        }
        // The host that is decided on is the one that goes on, wherever it was named.
        if let Some(authority) = uri.authority().filter(|_| !headers.contains_key(header::HOST)) {
            let host = HeaderValue::from_str(authority.as_str()).map_err(|_| Reason::HeadMalformed)?;
            headers.insert(header::HOST, host);
        }
        let path = target::canonical(uri.path());
        let segments = target::segments(&path).ok_or(Reason::HeadMalformed)?;
        let query = uri.query().map_or(Some(Vec::new()), target::parameters).ok_or(Reason::HeadMalformed)?;
        Ok(Self {
            method: method.clone(),
            path,
            segments,
            query,
            host: host_of(uri, &headers),
            headers,
            transport,
        })
    }

    /// What of the head has a second reading on this route alone: a declared header that came twice, or that
    /// `Connection` says is meant for this connection only.
    pub(crate) fn check(&self, route: &Route) -> Result<(), Reason> {
        let declared = |name: &str| route.request_headers.iter().any(|field| field.name == name);
        let twice = |name: &str| lines::all(&self.headers, name).nth(1).is_some();
        let repeated = route.request_headers.iter().any(|field| twice(&field.name));
        if repeated || lines::nominated(&self.headers).any(|name| declared(&name)) {
            return Err(Reason::HeadMalformed);
        }
        if browser::may_be_replayed(self, route) { Err(Reason::EarlyData) } else { Ok(()) }
    }

    /// Whether the path ends in a slash that does not begin it.
    pub(crate) fn ends_in_slash(&self) -> bool {
        self.segments.len() > 1 && self.segments.last().is_some_and(String::is_empty)
    }

    /// The only value of a header, if it has exactly one line of visible text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = lines::all(&self.headers, name);
        let first = lines.next()?.to_str().ok()?.trim();
        lines.next().is_none().then_some(first)
    }

    /// Every line of a header, as bytes.
    pub(crate) fn lines(&self, name: &str) -> Vec<&[u8]> {
        lines::all(&self.headers, name).map(HeaderValue::as_bytes).collect()
    }

    /// Whether there is a line of a header.
    pub(crate) fn has(&self, name: &str) -> bool {
        lines::all(&self.headers, name).next().is_some()
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&Parameter> {
        // `ids[]` is another spelling of it, of which there may be several: nothing is decided on one of them.
        self.query.iter().find(|p| target::is_named(&p.name, name))
    }

    /// Whether the request carries Global Privacy Control: some line is exactly `1`.
    pub(crate) fn gpc(&self) -> bool {
        lines::all(&self.headers, "sec-gpc").any(|line| line.as_bytes() == b"1")
    }

    /// The cookies, by name: `None` for one that came twice. What has no name is none, and of a line that cannot be read
    /// nothing is.
    fn all_cookies(&self) -> BTreeMap<&str, Option<&str>> {
        let mut out = BTreeMap::new();
        for line in self.headers.get_all(header::COOKIE) {
            let pairs = std::str::from_utf8(line.as_bytes()).unwrap_or_default().split(';').map(str::trim);
            for (name, value) in pairs.filter_map(|pair| pair.split_once('=')) {
                let twice = |there: &mut Option<&str>| *there = None;
                out.entry(name.trim()).and_modify(twice).or_insert(Some(value.trim()));
            }
        }
        out
    }

    /// The cookies that have one reading, by name.
    pub(crate) fn cookies(&self) -> BTreeMap<String, String> {
        let plain = self.all_cookies().into_iter();
        plain.filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect()
    }

    /// How many cookies came, those among them that have no name or no one reading.
    pub(crate) fn cookie_count(&self) -> usize {
        let in_line =
            |line: &[u8]| line.split(|b| *b == b';').filter(|pair| !pair.trim_ascii().is_empty()).count();
        self.headers.get_all(header::COOKIE).iter().map(|line| in_line(line.as_bytes())).sum()
    }

    /// A cookie. Many frameworks decode percent signs, take quotation marks off and what a backslash stands before for
    /// itself, and others do nothing of the kind: a value with one of those is read by nobody in one way.
    pub(crate) fn cookie(&self, name: &str) -> Named<String> {
        let readable = |line: &HeaderValue| std::str::from_utf8(line.as_bytes()).is_ok();
        let cookies = self.all_cookies();
        let encodes = |other: &&str| other.contains('%') && target::decode(other).is_none_or(|n| n == name);
        match cookies.get(name) {
            Some(Some(value)) if value.contains(['%', '"', '\\']) => Named::Unreadable,
            Some(Some(value)) => Named::of((*value).to_owned()),
            Some(None) => Named::Unreadable,
            None if cookies.keys().any(encodes) => Named::Unreadable,
            None if self.headers.get_all(header::COOKIE).iter().all(readable) => Named::Absent,
            None => Named::Unreadable,
        }
    }
}

/// Whether the host is a plain one, and the same wherever it is named.
fn is_one_host(uri: &Uri, headers: &HeaderMap) -> bool {
    let authority = uri.authority().map(Authority::as_str);
    let host = match headers.get(header::HOST).map(HeaderValue::to_str) {
        None => None,
        Some(Ok(host)) => Some(host),
        Some(Err(_)) => return false,
    };
    let same = authority.zip(host).is_none_or(|(a, h)| a.eq_ignore_ascii_case(h));
    same && authority.is_none_or(is_plain_host) && host.is_none_or(is_plain_host)
}

/// A name or an address, perhaps with a port. Nobody's name before an `@`, nothing encoded, and no dot at the end: that
/// would be the same host under another name.
fn is_plain_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            let port = rest.strip_prefix(':');
            if address.parse::<std::net::Ipv6Addr>().is_err() || (port.is_none() && !rest.is_empty()) {
                return false;
            }
            ("address", port)
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let number = |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
    host.len() <= HOST_BYTES_MAX && host.split('.').all(part) && port.is_none_or(number)
}

/// The host that the request names: [`is_one_host`] has found that there is one reading.
fn host_of(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let named = || headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = uri.authority().map(Authority::as_str).or_else(named)?;
    let host = match authority.split_once(']') {
        Some((address, _)) => authority.get(..=address.len())?,
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    };
    Some(host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(target: &str) -> Result<Head, Reason> {
        let uri: Uri = target.parse().map_err(|_| Reason::HeadMalformed)?;
        Head::read(&Method::GET, &uri, Version::HTTP_11, HeaderMap::new(), Transport::default())
    }

    #[test]
    fn law_1_a_path_with_two_readings_is_refused() {
        for target in [
            "/customers/../admin",
            "/customers/./c",
            "/customers//c",
            "/customers/%2e%2e/admin",
            "/customers/a%2Fb",
            "/customers/a%5Cb",
            "/customers/a;x=1",
            "/customers/a%3Bx",
            "/customers/%00",
            "/customers/%c3%28",
            "/customers/a%",
            "/customers/a%2",
            "/customers/a%252e",
            "http://other/customers",
            "/customers//",
            "/a?x=1&X=2",
            "/a?x[0]=1",
            "/a?x=1&x[]=2",
            "/a?x=1&x[y]=2",
            "/a?x=%ff",
            "/a?x=%ff+",
            "/a?x=a%00+b",
            "/a?x=%00",
            "/a?x=a%1bb",
            "/a?x=%c2%85",
            "/a?=1",
            "/a?x=1;y=2",
            "*",
        ] {
            assert_eq!(read(target).err(), Some(Reason::HeadMalformed), "{target}");
        }
    }

    #[test]
    fn a_plain_head_reads_as_it_came() {
        let head = read("/customers/c-1001?expand=a%20b&q=x+y").unwrap();
        assert_eq!(head.segments, ["customers", "c-1001"]);
        assert_eq!(head.parameter("expand").unwrap().value.as_deref(), Some("a b"));
        assert_eq!(head.parameter("q").unwrap().value, None);
        assert_eq!(read("/caf%C3%A9").unwrap().segments, ["café"]);
        assert_eq!(read("/customers/").unwrap().segments, ["customers", ""]);
        assert_eq!(read("/").unwrap().segments, [""]);
    }

    #[test]
    fn the_host_that_is_decided_on_goes_on_wherever_it_was_named() {
        let read = |target: &str, host: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.extend(host.map(|host| (header::HOST, host.parse().unwrap())));
            let (method, uri) = (Method::GET, target.parse().unwrap());
            let head = Head::read(&method, &uri, Version::HTTP_2, headers, Transport::default()).unwrap();
            (head.host.clone(), head.header("host").map(str::to_owned))
        };
        for (target, host, decided, sent) in [
            ("https://a.example:8443/x", None, "a.example", "a.example:8443"),
            ("https://a.example/x", Some("a.example"), "a.example", "a.example"),
            ("/x", Some("a.example"), "a.example", "a.example"),
        ] {
            assert_eq!(read(target, host), (Some(decided.into()), Some(sent.into())), "{target} {host:?}");
        }
    }

    #[test]
    fn global_privacy_control_is_exactly_one_on_any_line() {
        for (lines, on) in [
            (&["1"][..], true),
            (&["0", "1"], true),
            (&["1", "1"], true),
            (&["0"], false),
            (&["true"], false),
            (&["1, 1"], false),
            (&["11"], false),
            (&[""], false),
            (&[], false),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("sec-gpc", line.parse().unwrap());
            }
            let transport = Transport::default();
            let head = Head::read(&Method::GET, &Uri::from_static("/"), Version::HTTP_11, headers, transport);
            assert_eq!(head.unwrap().gpc(), on, "{lines:?}");
        }
    }
}
