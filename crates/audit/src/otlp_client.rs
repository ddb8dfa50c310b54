//! A plain HTTP/1.1 client that can do one thing: post a batch to a collector, on the exporter's own thread.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, Uri};
use opentelemetry_http::{HttpClient, HttpError};

/// How long connecting, each write and each read may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(5);
/// Most bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// Posts to one collector.
#[derive(Debug)]
pub(crate) struct PlainClient {
    host: String,
    port: u16,
}

impl PlainClient {
    /// A client for `http://host:port`.
    pub(crate) fn new(base: &str) -> Option<Self> {
        let uri: Uri = base.parse().ok()?;
        let plain = uri.scheme_str() == Some("http") && uri.query().is_none();
        let host = uri.host()?.trim_matches(['[', ']']).to_owned();
        plain.then(|| Self { host, port: uri.port_u16().unwrap_or(80) })
    }

    fn post(&self, request: &Request<Bytes>) -> io::Result<Response<Bytes>> {
        let mut stream = self.connect()?;
        stream.set_write_timeout(Some(STEP_TIMEOUT))?;
        stream.set_read_timeout(Some(STEP_TIMEOUT))?;
        let target = request.uri().path_and_query().map_or("/", |p| p.as_str());
        let authority = request.uri().authority().map_or("", |a| a.as_str());
        let mut head =
            format!("POST {target} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n").into_bytes();
        for (name, value) in request.headers() {
            if !matches!(name.as_str(), "host" | "connection" | "content-length") {
                head.extend_from_slice(name.as_str().as_bytes());
                head.extend_from_slice(b": ");
                head.extend_from_slice(value.as_bytes());
                head.extend_from_slice(b"\r\n");
            }
        }
        head.extend_from_slice(format!("content-length: {}\r\n\r\n", request.body().len()).as_bytes());
        stream.write_all(&head)?;
        stream.write_all(request.body())?;
        let mut answer = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
        let status = status_of(&answer).ok_or(io::ErrorKind::InvalidData)?;
        // The body would only say how many spans were rejected, which nobody reads.
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = status;
        Ok(response)
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, STEP_TIMEOUT) {
                Ok(stream) => return Ok(stream),
                Err(e) => last = e,
            }
        }
        Err(last)
    }
}

fn status_of(answer: &[u8]) -> Option<http::StatusCode> {
    let line = answer.split(|b| *b == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.parse().ok()
}

#[async_trait]
impl HttpClient for PlainClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        Ok(self.post(&request)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_addresses_are_taken() {
        for (base, good) in [
            ("http://127.0.0.1:4318", true),
            ("http://[::1]:4318", true),
            ("http://collector", true),
            ("https://collector:4318", false),
            ("collector:4318", false),
            ("/v1/traces", false),
            ("", false),
        ] {
            assert_eq!(PlainClient::new(base).is_some(), good, "{base}");
        }
    }

    #[test]
    fn a_status_is_read_from_the_first_line() {
        assert_eq!(status_of(b"HTTP/1.1 200 OK\r\n\r\n"), Some(http::StatusCode::OK));
        assert_eq!(status_of(b"HTTP/1.1 503 \r\n"), Some(http::StatusCode::SERVICE_UNAVAILABLE));
        for wrong in [b"".as_slice(), b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n"] {
            assert_eq!(status_of(wrong), None);
        }
    }
}
