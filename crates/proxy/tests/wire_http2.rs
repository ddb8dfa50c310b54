//! The sidecar over HTTP/2, written by hand: heads and bodies that no client of a library would send; and what a service
//! says behind its answer.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::fs;
use std::time::Duration;

use consentry_policy::{Sources, seal};
use consentry_proxy::Sidecar;
use support::http2::{
    DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, Http2, PING, RST_STREAM, frame, hpack,
};
use support::{behind, prepared, raw, split, stage};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

type Fields<'a> = Vec<(&'a str, &'a str)>;

/// A head with these fields at a place of it.
fn with<'a>(at: usize, fields: &[(&'a str, &'a str)]) -> Fields<'a> {
    let mut all = PING.to_vec();
    all.splice(at..at, fields.iter().copied());
    all
}

/// A head with other pseudo headers.
fn replaced<'a>(changes: &[(&'a str, &'a str)]) -> Fields<'a> {
    let value = |name: &str| changes.iter().find(|(changed, _)| *changed == name).map(|(_, value)| *value);
    PING.iter().map(|(name, said)| (*name, value(name).unwrap_or(said))).collect()
}

/// A note in JSON, and what its head says besides.
fn note<'a>(fields: &[(&'a str, &'a str)]) -> Fields<'a> {
    let mut all = replaced(&[(":method", "POST"), (":path", "/note")]);
    all.push(("content-type", "application/json"));
    all.extend(fields);
    all
}

/// Sends a head, and a body where there is one; what came, and whether the connection ended.
async fn said(addr: std::net::SocketAddr, fields: &Fields<'_>, body: Option<&str>) -> (Vec<Frame>, bool) {
    let mut speaker = Http2::connect(addr, &[]).await;
    let ends = if body.is_some() { 0 } else { END_STREAM };
    let mut bytes = frame(HEADERS, ends | END_HEADERS, 1, &hpack(fields));
    bytes.extend(body.iter().flat_map(|body| frame(DATA, END_STREAM, 1, body.as_bytes())));
    // Whoever refuses early may close before everything is written.
    drop(speaker.stream.write_all(&bytes).await);
    speaker.listen(Duration::from_millis(300)).await
}

#[tokio::test]
async fn law_1_over_http2_what_is_not_one_request_reaches_nobody() {
    let stage = stage("").await;
    let rows: Vec<(&str, Fields<'_>, Option<&str>)> = vec![
        ("a header of the connection", with(4, &[("connection", "close")]), None),
        ("another of them", with(4, &[("keep-alive", "timeout=5")]), None),
        ("an upgrade", with(4, &[("upgrade", "websocket")]), None),
        ("chunks", note(&[("transfer-encoding", "chunked")]), Some("2\r\n{}\r\n0\r\n\r\n")),
        ("a coding of the transfer that is taken", with(4, &[("te", "gzip")]), None),
        ("a name in capitals", with(4, &[("Accept", "*/*")]), None),
        ("a name with a colon", with(4, &[("acc:ept", "*/*")]), None),
        ("a name with a blank", with(4, &[("accept ", "*/*")]), None),
        ("a name with a line in it", with(4, &[("accept: a\r\nx", "*/*")]), None),
        ("no name", with(4, &[("", "*/*")]), None),
        ("a return in a value", with(4, &[("accept", "a\rb")]), None),
        ("a line feed in a value", with(4, &[("accept", "a\nb")]), None),
        ("a line in a value", with(4, &[("accept", "a\r\nx-requester: admin")]), None),
        ("a null in a value", with(4, &[("accept", "a\0b")]), None),
        ("a line in the method", replaced(&[(":method", "GET / HTTP/1.1\r\nx: y\r\n\r\nGET")]), None),
        ("a line in the path", replaced(&[(":path", "/ping HTTP/1.1\r\nx: y\r\n\r\nGET /")]), None),
        ("a line in the host", replaced(&[(":authority", "a\r\nx: y")]), None),
        ("a method twice", with(0, &[(":method", "GET")]), None),
        ("a path twice", with(4, &[(":path", "/slow")]), None),
        ("a host twice", with(3, &[(":authority", "api.example.org")]), None),
        ("a scheme twice", with(3, &[(":scheme", "http")]), None),
        ("a path behind a field", with(3, &[("accept", "*/*")]), None),
        ("a status", with(4, &[(":status", "200")]), None),
        ("a protocol", with(4, &[(":protocol", "websocket")]), None),
        ("a pseudo header that does not exist", with(4, &[(":user", "ann")]), None),
        ("CONNECT", vec![(":method", "CONNECT"), (":authority", "api.example.org:443")], None),
        ("CONNECT with a path", replaced(&[(":method", "CONNECT")]), None),
        (
            "CONNECT with a protocol",
            {
                let mut all = replaced(&[(":method", "CONNECT")]);
                all.push((":protocol", "websocket"));
                all
            },
            None,
        ),
        ("no method", PING[1..].to_vec(), None),
        ("no path", PING[..3].to_vec(), None),
        ("an empty path", replaced(&[(":path", "")]), None),
        ("all of a server", replaced(&[(":path", "*")]), None),
        ("a target that is no path", replaced(&[(":path", "x")]), None),
        ("an absolute form", replaced(&[(":path", "http://h/x")]), None),
        ("a length that is not reached", note(&[("content-length", "5")]), Some("{} ")),
        ("a length that is passed", note(&[("content-length", "5")]), Some("{}     ")),
        ("a length and no body", note(&[("content-length", "5")]), None),
        ("a length that cuts a text short", note(&[("content-length", "5")]), Some("{\"a\":")),
        ("a length that is none", note(&[("content-length", "5x")]), Some("{}   ")),
        ("a length twice", note(&[("content-length", "2"), ("content-length", "2")]), Some("{}")),
        ("two lengths", note(&[("content-length", "2"), ("content-length", "3")]), Some("{}")),
        ("a host unlike the authority", with(4, &[("host", "evil.example")]), None),
        ("a header host twice", with(4, &[("host", "api.example.org"), ("host", "api.example.org")]), None),
    ];
    for (name, fields, body) in rows {
        let (frames, closed) = said(stage.running.addr(), &fields, body).await;
        let refused =
            frames.iter().any(|f| [RST_STREAM, GOAWAY].contains(&f.kind) || f.status() == Some(400));
        assert!(refused || closed, "{name}: {frames:?}");
        let heard: Vec<_> = stage.asked.lock().unwrap().iter().map(|head| head.uri.clone()).collect();
        assert!(heard.is_empty(), "{name} reached the service: {heard:?}");
    }
}

/// Where each request has a stream of its own, nothing is to be feared of the next one.
#[tokio::test]
async fn over_http2_a_connection_goes_on_behind_a_head_that_cannot_be_read() {
    let stage = stage("").await;
    let mut speaker = Http2::connect(stage.running.addr(), &[]).await;
    speaker.ask(1, &with(4, &[("data_purpose", "essential")])).await;
    speaker.ask(3, &PING).await;
    let (frames, closed) = speaker.listen(Duration::from_millis(500)).await;
    let status = |stream| frames.iter().filter(|f| f.stream == stream).find_map(Frame::status);
    assert_eq!((status(1), status(3), closed), (Some(400), Some(200), false), "{frames:?}");
}

#[tokio::test]
async fn law_1_a_cookie_in_two_crumbs_is_none() {
    const COOKIES: &str = "
cookies: [{name: sid, purpose: essential.service, data: user.device.cookie, clauses: [c]}]
routes: [{route: GET /shop, public: true, purpose: essential.service, about: {type: visitor, anonymous: true}, response: {body: {status: none}}}]
rules: [{id: keep, permit: essential.service, data: user.device.cookie, basis: notice, clauses: [c]}]
clauses: [{id: c, line: 1, section: s, says: everything, status: enforced}]
cases: [{case: nobody is known, clause: c, who: anyone, asks: GET /shop, about: nobody, then: allow}]
";
    let (upstream, asked) = behind().await;
    let (folder, config) = prepared(upstream, "");
    let dir = folder.path().join("policy");
    fs::write(dir.join("cookies.yaml"), COOKIES).unwrap();
    seal(&dir, &Sources::read(&dir).unwrap()).unwrap();
    let running = Sidecar::start(config).await.unwrap();
    for (crumbs, heard) in [
        (&["sid=1"][..], Some("sid=1")),
        (&["a=b", "sid=1"], Some("sid=1")),
        (&["sid=1", "sid=2"], None),
        (&["sid=1", "sid=1"], None),
        (&["sid=1; a=b", "a=c; sid=2"], None),
    ] {
        asked.lock().unwrap().clear();
        let mut fields = replaced(&[(":path", "/shop")]);
        fields.extend(crumbs.iter().map(|crumb| ("cookie", *crumb)));
        let (frames, _) = said(running.addr(), &fields, None).await;
        let status = frames.iter().find_map(Frame::status);
        let there = |head: &http::request::Parts| {
            head.headers.get("cookie").map(|line| line.to_str().unwrap().to_owned())
        };
        let sent: Vec<_> = asked.lock().unwrap().iter().map(there).collect();
        let passed = status == Some(200) && sent == [heard.map(str::to_owned)];
        let refused = status == Some(400) && sent.is_empty();
        assert!(passed || (refused && heard.is_none()), "{crumbs:?}: {status:?} {sent:?}");
    }
}

/// A service that says something more behind its answer, where trailers stand.
async fn says_more() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut part = [0; 4096];
            drop(stream.read(&mut part).await);
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntrailer: x-late\r\ntransfer-encoding: chunked\r\n\r\n";
            let answer = format!("{head}f\r\n{{\"status\":\"ok\"}}\r\n0\r\nx-late: ann\r\n\r\n");
            drop(stream.write_all(answer.as_bytes()).await);
        }
    });
    addr
}

#[tokio::test]
async fn law_1_what_a_service_says_behind_its_answer_goes_no_further() {
    let (_folder, config) = prepared(says_more().await, "");
    let running = Sidecar::start(config).await.unwrap();
    for version in ["1.0", "1.1"] {
        let head =
            format!("GET /ping HTTP/{version}\r\nhost: a\r\nte: trailers\r\nconnection: te, close\r\n\r\n");
        let answer = raw(running.addr(), &head).await;
        assert_eq!(split(&answer).0, 200, "{version}: {answer}");
        assert!(answer.contains("{\"status\":\"ok\"}"), "{version}: {answer}");
        assert!(!answer.contains("late") && !answer.contains("ann"), "{version}: {answer}");
    }
    let (frames, _) = said(running.addr(), &with(4, &[("te", "trailers")]), None).await;
    let heads: Vec<&Frame> = frames.iter().filter(|f| f.kind == HEADERS).collect();
    assert_eq!((heads.len(), heads[0].status()), (1, Some(200)), "{frames:?}");
    let body: Vec<u8> = frames.iter().filter(|f| f.kind == DATA).flat_map(|f| f.payload.clone()).collect();
    assert_eq!(body, b"{\"status\":\"ok\"}");
}
