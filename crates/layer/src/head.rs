//! The head of a request in its one canonical form. What has two plausible readings is refused, not repaired.

use std::collections::BTreeMap;

use consentry_model::Reason;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, Method, Uri, Version, header};

use crate::transport::Transport;

/// A head that can be read in one way only.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) method: Method,
    /// The path exactly as it came, which is also what is forwarded.
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

/// One query parameter.
#[derive(Debug)]
pub(crate) struct Parameter {
    /// As it came.
    pub(crate) raw: String,
    pub(crate) name: String,
    /// Decoded; `None` when it could be decoded in more than one way.
    pub(crate) value: Option<String>,
}

/// Headers by which a proxy or framework may be talked into another method, path or identity.
const OVERRIDES: [&str; 8] = [
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
    "x-forwarded-uri",
    "x-forwarded-prefix",
];

/// Headers of which a second line would change who asks, for what, or where.
const SINGLE: [HeaderName; 3] = [header::HOST, header::CONTENT_TYPE, header::CONTENT_LENGTH];

impl Head {
    /// Reads a head.
    pub(crate) fn read(
        method: &Method,
        uri: &Uri,
        version: Version,
        headers: &HeaderMap,
    ) -> Result<Self, Reason> {
        let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        if !methods.contains(method) && *method != Method::HEAD && *method != Method::OPTIONS {
            return Err(Reason::HeadMalformed);
        }
        // Over HTTP/2 the authority is part of the head; over HTTP/1.1 an absolute form names a second host.
        if (uri.authority().is_some() && version < Version::HTTP_2) || !is_one_host(uri, headers) {
            return Err(Reason::HeadMalformed);
        }
        if SINGLE.iter().any(|name| headers.get_all(name).iter().count() > 1)
            || OVERRIDES.iter().any(|name| headers.contains_key(*name))
            || headers.contains_key(header::UPGRADE)
        {
            return Err(Reason::HeadMalformed);
        }
        let segments = segments(uri.path()).ok_or(Reason::HeadMalformed)?;
        let query = uri.query().map_or(Some(Vec::new()), parameters).ok_or(Reason::HeadMalformed)?;
        Ok(Self {
            method: method.clone(),
            path: uri.path().to_owned(),
            segments,
            query,
            headers: headers.clone(),
            host: host_of(uri, headers),
            transport: Transport::default(),
        })
    }

    /// The only value of a header, if it has exactly one line of visible text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.get_all(name).iter();
        let first = lines.next()?.to_str().ok()?.trim();
        lines.next().is_none().then_some(first)
    }

    /// Every line of a header, as bytes.
    pub(crate) fn lines(&self, name: &str) -> Vec<&[u8]> {
        self.headers.get_all(name).iter().map(http::HeaderValue::as_bytes).collect()
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.query.iter().find(|p| p.name == name)
    }

    /// Whether the request carries Global Privacy Control: some line is exactly `1`.
    pub(crate) fn gpc(&self) -> bool {
        self.lines("sec-gpc").contains(&&b"1"[..])
    }

    /// The cookies, by name; a name that came twice, or a line that cannot be read, gives none at all.
    pub(crate) fn cookies(&self) -> BTreeMap<String, String> {
        let mut out = BTreeMap::new();
        for line in self.lines("cookie") {
            let Ok(text) = std::str::from_utf8(line) else { return BTreeMap::new() };
            for pair in text.split(';').map(str::trim).filter(|p| !p.is_empty()) {
                let Some((name, value)) = pair.split_once('=') else { return BTreeMap::new() };
                if out.insert(name.to_owned(), value.to_owned()).is_some() {
                    return BTreeMap::new();
                }
            }
        }
        out
    }
}

/// Whether the host is a plain one, and the same wherever it is named.
fn is_one_host(uri: &Uri, headers: &HeaderMap) -> bool {
    let authority = uri.authority().map(Authority::as_str);
    let host = match headers.get(header::HOST).map(http::HeaderValue::to_str) {
        None => None,
        Some(Ok(host)) => Some(host),
        Some(Err(_)) => return false,
    };
    // What stands before an `@` names somebody, not a host.
    let plain = |name: &str| name.parse::<Authority>().is_ok() && !name.contains('@');
    let same = authority.zip(host).is_none_or(|(a, h)| a.eq_ignore_ascii_case(h));
    same && authority.is_none_or(plain) && host.is_none_or(plain)
}

/// The host that the request names: [`is_one_host`] has found that there is one reading.
fn host_of(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let named = headers.get(header::HOST).and_then(|h| h.to_str().ok()?.parse::<Authority>().ok());
    let authority = uri.authority().cloned().or(named)?;
    Some(authority.host().to_ascii_lowercase())
}

/// The decoded segments of a path, or nothing when it has a second reading.
fn segments(path: &str) -> Option<Vec<String>> {
    let rest = path.strip_prefix('/')?;
    if rest.is_empty() {
        return Some(vec![String::new()]);
    }
    rest.split('/').map(segment).collect()
}

fn segment(raw: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_graphic() && !b";\\#?\"<>^`{|}".contains(&b);
    if raw.is_empty() || !raw.bytes().all(plain) {
        return None;
    }
    let decoded = decode(raw)?;
    let hidden = decoded.contains(['/', '\\', ';', '?', '#', '%']) || decoded.chars().any(char::is_control);
    (!hidden && decoded != "." && decoded != "..").then_some(decoded)
}

fn parameters(query: &str) -> Option<Vec<Parameter>> {
    let mut out: Vec<Parameter> = Vec::new();
    if !query.bytes().all(|b| b.is_ascii_graphic() && b != b'#' && b != b';') {
        return None;
    }
    for raw in query.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = raw.split_once('=').unwrap_or((raw, ""));
        if name.contains(['+', '[']) {
            return None;
        }
        let name = decode(name)?;
        let value = if value.contains('+') { None } else { Some(decode(value)?) };
        if name.is_empty() || name.chars().any(char::is_control) || out.iter().any(|p| p.name == name) {
            return None;
        }
        out.push(Parameter { raw: raw.to_owned(), name, value });
    }
    Some(out)
}

/// Percent-decodes to UTF-8; a stray `%` has no reading.
fn decode(raw: &str) -> Option<String> {
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digit =
                |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
            let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
            out.push(high << 4 | low);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(target: &str) -> Result<Head, Reason> {
        let uri: Uri = target.parse().map_err(|_| Reason::HeadMalformed)?;
        Head::read(&Method::GET, &uri, Version::HTTP_11, &HeaderMap::new())
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
            "/customers/",
            "/a?x=1&x=2",
            "/a?x[]=1",
            "/a?x=%ff",
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
            let head = Head::read(&Method::GET, &"/".parse().unwrap(), Version::HTTP_11, &headers).unwrap();
            assert_eq!(head.gpc(), on, "{lines:?}");
        }
    }
}
