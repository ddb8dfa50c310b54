//! The sidecar on raw sockets: what a caller or a service writes that is not one message, or more than one.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use consentry_policy::{Sources, seal};
use consentry_proxy::{Running, Sidecar};
use support::http2::{Frame, Http2, PING};
use support::{get, prepared, split, stage};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Sends bytes, and reads until the other side closes or says nothing more for a while; and whether it closed.
async fn exchange(addr: SocketAddr, bytes: &[u8]) -> (String, bool) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    // Whoever refuses early may close before everything is written.
    drop(stream.write_all(bytes).await);
    let (mut answer, mut part) = (Vec::new(), [0; 4096]);
    loop {
        match tokio::time::timeout(Duration::from_millis(700), stream.read(&mut part)).await {
            Ok(Ok(0) | Err(_)) => return (String::from_utf8_lossy(&answer).into_owned(), true),
            Ok(Ok(n)) => answer.extend_from_slice(&part[..n]),
            Err(_) => return (String::from_utf8_lossy(&answer).into_owned(), false),
        }
    }
}

const HOST: &str = "host: api.example.org\r\n";

#[tokio::test]
async fn law_1_what_is_not_one_request_reaches_nobody() {
    let stage = stage("").await;
    let post = |lines: &str, body: &str| {
        format!("POST /note HTTP/1.1\r\n{HOST}content-type: application/json\r\n{lines}\r\n{body}")
    };
    let many: String = (0..150).map(|n| format!("x-{n}: 1\r\n")).collect();
    let rows: Vec<(&str, String, u16)> = vec![
        ("an absolute form", format!("GET http://api.example.org/ping HTTP/1.1\r\n{HOST}\r\n"), 400),
        (
            "an absolute form of another host",
            format!("GET http://evil.example/ping HTTP/1.1\r\n{HOST}\r\n"),
            400,
        ),
        ("no host", "GET /ping HTTP/1.1\r\n\r\n".into(), 400),
        ("no host in HTTP/1.0", "GET /ping HTTP/1.0\r\n\r\n".into(), 400),
        ("an empty host in HTTP/1.0", "GET /ping HTTP/1.0\r\nhost:\r\n\r\n".into(), 400),
        ("an empty host", "GET /ping HTTP/1.1\r\nhost:\r\n\r\n".into(), 400),
        ("two hosts", format!("GET /ping HTTP/1.1\r\n{HOST}{HOST}\r\n"), 400),
        (
            "a folded header",
            "GET /ping HTTP/1.1\r\nhost: api.example.org\r\n .evil.example\r\n\r\n".into(),
            400,
        ),
        ("a folded first header", "GET /ping HTTP/1.1\r\n host: api.example.org\r\n\r\n".into(), 400),
        ("a blank before a colon", format!("GET /ping HTTP/1.1\r\n{HOST}data-purpose : x\r\n\r\n"), 400),
        ("a null in a value", format!("GET /ping HTTP/1.1\r\n{HOST}accept: a\0b\r\n\r\n"), 400),
        ("a return in a value", format!("GET /ping HTTP/1.1\r\n{HOST}accept: a\rb\r\n\r\n"), 400),
        ("a null in a name", format!("GET /ping HTTP/1.1\r\n{HOST}acc\0ept: a\r\n\r\n"), 400),
        ("a line without a colon", format!("GET /ping HTTP/1.1\r\n{HOST}accept\r\n\r\n"), 400),
        ("a blank in the target", format!("GET /ping x HTTP/1.1\r\n{HOST}\r\n"), 400),
        ("a target that is no path", format!("GET ping HTTP/1.1\r\n{HOST}\r\n"), 400),
        ("a control character in the target", format!("GET /pi\x01ng HTTP/1.1\r\n{HOST}\r\n"), 400),
        ("raw UTF-8 in the target", format!("GET /p\u{ef}ng HTTP/1.1\r\n{HOST}\r\n"), 400),
        ("no version", "GET /ping\r\n\r\n".into(), 400),
        ("a version that does not exist", format!("GET /ping HTTP/1.9\r\n{HOST}\r\n"), 400),
        ("TRACE", format!("TRACE /ping HTTP/1.1\r\n{HOST}\r\n"), 400),
        ("CONNECT", format!("CONNECT api.example.org:443 HTTP/1.1\r\n{HOST}\r\n"), 400),
        ("OPTIONS for all", format!("OPTIONS * HTTP/1.1\r\n{HOST}\r\n"), 400),
        ("a method in small letters", format!("get /ping HTTP/1.1\r\n{HOST}\r\n"), 400),
        (
            "h2c",
            format!(
                "GET /ping HTTP/1.1\r\n{HOST}connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n"
            ),
            400,
        ),
        (
            "a web socket",
            format!("GET /ping HTTP/1.1\r\n{HOST}connection: upgrade\r\nupgrade: websocket\r\n\r\n"),
            400,
        ),
        ("150 headers", format!("GET /ping HTTP/1.1\r\n{HOST}{many}\r\n"), 431),
        ("a fragment", format!("GET /ping#/slow HTTP/1.1\r\n{HOST}\r\n"), 400),
        ("a fragment in the query", format!("GET /ping?x=1#y HTTP/1.1\r\n{HOST}\r\n"), 400),
        ("a first line that ends without a return", format!("GET /ping HTTP/1.1\n{HOST}\r\n"), 400),
        ("an empty line without a return before it", format!("\nGET /ping HTTP/1.1\r\n{HOST}\r\n"), 400),
        (
            "a header within another, behind a line feed",
            format!("GET /ping HTTP/1.1\r\n{HOST}accept: a\nx-requester: admin\r\n\r\n"),
            400,
        ),
        ("an end of the head without a return", format!("GET /ping HTTP/1.1\r\n{HOST}\n"), 400),
        ("a length twice", post("content-length: 2\r\ncontent-length: 2\r\n", "{}"), 400),
        (
            "a length and chunks",
            post("content-length: 2\r\ntransfer-encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"),
            400,
        ),
        (
            "chunks and a length",
            post("transfer-encoding: chunked\r\ncontent-length: 12\r\n", "2\r\n{}\r\n0\r\n\r\n"),
            400,
        ),
        ("two lengths", post("content-length: 2\r\ncontent-length: 3\r\n", "{}x"), 400),
        ("a list of lengths", post("content-length: 2, 2\r\n", "{}"), 400),
        ("a length with a sign", post("content-length: +2\r\n", "{}"), 400),
        ("a negative length", post("content-length: -2\r\n", "{}"), 400),
        ("a length in hexadecimal digits", post("content-length: 0x2\r\n", "{}"), 400),
        ("a coding of the transfer that is not chunked", post("transfer-encoding: gzip\r\n", "{}"), 400),
        ("a coding below chunked", post("transfer-encoding: gzip, chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"), 400),
        (
            "chunked, and something after it",
            post("transfer-encoding: chunked, identity\r\n", "0\r\n\r\n"),
            400,
        ),
        ("chunked in disguise", post("transfer-encoding: \x0bchunked\r\n", "0\r\n\r\n"), 400),
        (
            "chunked twice",
            post("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"),
            400,
        ),
        (
            "chunked in HTTP/1.0",
            format!("POST /note HTTP/1.0\r\n{HOST}transfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
            400,
        ),
        ("a chunk's size that is none", post("transfer-encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"), 400),
        (
            "a chunk's size that overflows",
            post("transfer-encoding: chunked\r\n", "fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
            400,
        ),
        ("a chunk longer than it says", post("transfer-encoding: chunked\r\n", "1\r\n{}\r\n0\r\n\r\n"), 400),
    ];
    for (name, request, status) in rows {
        let (answer, closed) = exchange(stage.running.addr(), request.as_bytes()).await;
        assert_eq!((split(&answer).0, closed), (status, true), "{name}: {answer}");
        assert!(stage.asked.lock().unwrap().is_empty(), "{name} reached the service");
    }
}

#[tokio::test]
async fn law_1_behind_a_head_that_cannot_be_read_nothing_is_taken_for_a_request() {
    let stage = stage("").await;
    let post = |lines: &str, body: &str| format!("POST /note HTTP/1.1\r\n{HOST}{lines}\r\n{body}");
    let get = |target: &str, lines: &str| format!("GET {target} HTTP/1.1\r\n{HOST}{lines}\r\n");
    for (name, first) in [
        ("chunks in disguise", post("transfer_encoding: chunked\r\n", "")),
        ("a length in disguise", post("content_length: 60\r\n", "")),
        ("a coding below chunked", post("transfer-encoding: gzip, chunked\r\n", "2\r\n{}\r\n0\r\n\r\n")),
        ("an absolute form", get("http://api.example.org/ping", "")),
        ("two hosts", get("/ping", HOST)),
        (
            "h2c",
            get("/ping", "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMA\r\n"),
        ),
        ("a method in small letters", get("/ping", "").replacen("GET", "get", 1)),
    ] {
        let request = format!("{first}{}", get("/ping", ""));
        let (answer, closed) = exchange(stage.running.addr(), request.as_bytes()).await;
        assert_eq!((split(&answer).0, answer.matches("HTTP/1.1 ").count()), (400, 1), "{name}: {answer}");
        assert!(closed && answer.to_lowercase().contains("connection: close"), "{name}: {answer}");
        assert!(stage.asked.lock().unwrap().is_empty(), "{name}");
    }
}

#[tokio::test]
async fn law_1_over_http2_a_request_names_a_host_too() {
    let stage = stage("").await;
    for (at, named, status) in [
        (0, None, 400),
        (3, Some(("host", "")), 400),
        (3, Some(("host", "api.example.org")), 200),
        (0, Some((":authority", "api.example.org")), 200),
    ] {
        stage.asked.lock().unwrap().clear();
        let mut fields = vec![(":method", "GET"), (":scheme", "http"), (":path", "/ping")];
        fields.splice(at..at, named);
        let mut speaker = Http2::connect(stage.running.addr(), &[]).await;
        speaker.ask(1, &fields).await;
        let (said, _) = speaker.listen(Duration::from_millis(500)).await;
        assert_eq!(said.iter().find_map(Frame::status), Some(status), "{named:?}");
        assert_eq!(stage.asked.lock().unwrap().len(), usize::from(status == 200), "{named:?}");
    }
}

#[tokio::test]
async fn law_1_over_http2_a_scheme_is_one_that_is_known() {
    let stage = stage("").await;
    for (scheme, status) in [("http", 200), ("https", 200), ("HTTPS", 400), ("ftp", 400), ("javascript", 400)]
    {
        stage.asked.lock().unwrap().clear();
        let mut fields = PING;
        fields[1].1 = scheme;
        let mut speaker = Http2::connect(stage.running.addr(), &[]).await;
        speaker.ask(1, &fields).await;
        let (said, _) = speaker.listen(Duration::from_millis(500)).await;
        assert_eq!(said.iter().find_map(Frame::status), Some(status), "{scheme}");
        assert_eq!(stage.asked.lock().unwrap().len(), usize::from(status == 200), "{scheme}");
    }
}

#[tokio::test]
async fn law_1_a_length_beside_chunks_is_refused_and_nothing_follows_on_the_connection() {
    let stage = stage("").await;
    let smuggled = format!("GET /slow HTTP/1.1\r\n{HOST}\r\n");
    for lines in [
        "content-length: 4\r\ntransfer-encoding: chunked\r\n".to_owned(),
        "transfer-encoding: chunked\r\ncontent-length: 4\r\n".to_owned(),
        format!("transfer-encoding: chunked\r\ncontent-length: {}\r\n", smuggled.len() + 14),
    ] {
        let request = format!(
            "POST /note HTTP/1.1\r\n{HOST}content-type: application/json\r\n{lines}\r\na\r\n{{\"text\":1}}\r\n0\r\n\r\n{smuggled}"
        );
        let (answer, closed) = exchange(stage.running.addr(), request.as_bytes()).await;
        assert_eq!((split(&answer).0, answer.matches("HTTP/1.1 ").count()), (400, 1), "{lines}: {answer}");
        assert!(closed, "{lines}");
        assert!(stage.asked.lock().unwrap().is_empty(), "{lines}");
    }
}

#[tokio::test]
async fn what_is_sent_on_is_framed_anew() {
    let stage = stage("").await;
    let request = format!(
        "POST /note HTTP/1.1\r\n{HOST}content-type: application/json\r\ntransfer-encoding: chunked\r\ntrailer: x-late\r\nexpect: 100-continue\r\n\r\n\
         5;name=ann\r\n{{\"tex\r\n5\r\nt\":1}}\r\n0\r\nx-late: ann\r\n\r\n"
    );
    let (answer, _) = exchange(stage.running.addr(), request.as_bytes()).await;
    assert!(answer.contains("HTTP/1.1 200 OK"), "{answer}");
    let asked = stage.asked.lock().unwrap();
    let headers = &asked[0].headers;
    assert_eq!(headers["content-length"], "10");
    for name in ["transfer-encoding", "trailer", "x-late", "expect"] {
        assert!(!headers.contains_key(name), "{name}");
    }
}

/// Over HTTP/1.1 it is refused; over HTTP/2 whoever reads the frames drops it.
#[tokio::test]
async fn law_1_over_http2_a_fragment_is_matched_and_sent_on_without() {
    let stage = stage("").await;
    let mut fields = PING;
    fields[3].1 = "/ping#/slow";
    let mut speaker = Http2::connect(stage.running.addr(), &[]).await;
    speaker.ask(1, &fields).await;
    let (said, _) = speaker.listen(Duration::from_millis(500)).await;
    let reached: Vec<String> = stage.asked.lock().unwrap().iter().map(|head| head.uri.to_string()).collect();
    assert!(said.iter().find_map(Frame::status) == Some(400) || reached == ["/ping"], "{reached:?}");
}

#[tokio::test]
async fn law_1_a_head_behind_another_request_has_one_reading_too() {
    let stage = stage("").await;
    let note = |lines: &str, body: &str| {
        format!("POST /note HTTP/1.1\r\n{HOST}content-type: application/json\r\n{lines}\r\n{body}")
    };
    for (name, first) in [
        ("a head alone", format!("GET /ping HTTP/1.1\r\n{HOST}\r\n")),
        ("a length", note("content-length: 12\r\n", "{\"text\":\n\n1}")),
        ("chunks", note("transfer-encoding: chunked\r\n", "c;x=#\r\n{\"text\":\n\n1}\r\n0\r\nx: 1\r\n\r\n")),
    ] {
        for (second, status) in [("/ping", "200"), ("/ping#x", "400")] {
            stage.asked.lock().unwrap().clear();
            let request = format!("{first}GET {second} HTTP/1.1\r\n{HOST}connection: close\r\n\r\n");
            let (answer, closed) = exchange(stage.running.addr(), request.as_bytes()).await;
            let statuses: Vec<&str> = answer.split("HTTP/1.1 ").skip(1).map(|rest| &rest[..3]).collect();
            assert_eq!((statuses, closed), (vec!["200", status], true), "{name}, {second}: {answer}");
            let reached = stage.asked.lock().unwrap().len();
            assert_eq!(reached, if status == "200" { 2 } else { 1 }, "{name}, {second}");
        }
    }
}

#[tokio::test]
async fn law_1_each_of_several_requests_in_a_row_is_decided_on_its_own() {
    let stage = stage("").await;
    let request = format!(
        "GET /ping HTTP/1.1\r\n{HOST}\r\nGET /nowhere HTTP/1.1\r\n{HOST}\r\nGET /ping HTTP/1.1\r\n{HOST}connection: close\r\n\r\n"
    );
    let (answer, closed) = exchange(stage.running.addr(), request.as_bytes()).await;
    let statuses: Vec<&str> = answer.split("HTTP/1.1 ").skip(1).map(|rest| &rest[..3]).collect();
    assert_eq!((statuses, closed), (vec!["200", "401", "200"], true), "{answer}");
}

#[tokio::test]
async fn what_could_bring_something_and_does_not_says_so() {
    let stage = stage("").await;
    for (method, target, length) in [
        ("GET", "/ping", None),
        ("POST", "/subscribe", Some("0")),
        ("PUT", "/subscribe", Some("0")),
        ("PATCH", "/subscribe", Some("0")),
        ("DELETE", "/subscribe", None),
    ] {
        for lines in ["", "content-length: 0\r\n", "transfer-encoding: chunked\r\n"] {
            stage.asked.lock().unwrap().clear();
            let end = if lines.starts_with('t') { "0\r\n\r\n" } else { "" };
            let request = format!("{method} {target} HTTP/1.1\r\n{HOST}{lines}\r\n{end}");
            let (answer, _) = exchange(stage.running.addr(), request.as_bytes()).await;
            let asked = stage.asked.lock().unwrap();
            assert_eq!((split(&answer).0, asked.len()), (200, 1), "{method} {lines}: {answer}");
            let said = asked[0].headers.get("content-length").map(|value| value.to_str().unwrap());
            assert_eq!(said, length, "{method} {lines}");
        }
    }
}

#[tokio::test]
async fn the_head_alone_tells_nothing_of_the_length() {
    let stage = stage("").await;
    let (answer, _) =
        exchange(stage.running.addr(), format!("HEAD /ping HTTP/1.1\r\n{HOST}\r\n").as_bytes()).await;
    let (status, body) = split(&answer);
    assert_eq!((status, &*body), (200, ""), "{answer}");
    assert!(!answer.to_lowercase().contains("content-length"), "{answer}");
}

/// Nobody who is still sending may lose the answer: a connection that is closed over unread bytes is reset.
#[tokio::test]
async fn whoever_sends_a_body_that_nobody_reads_hears_why() {
    let stage = stage("").await;
    let body = vec![b'x'; 16 << 20];
    for (name, target, lines, code) in [
        ("without a token", "/nowhere", String::new(), 401),
        ("a head with two readings", "/note", "data_purpose: x\r\n".to_owned(), 400),
        ("a body that is too long", "/note", String::new(), 413),
        ("and nothing after it", "/nowhere", "connection: close\r\n".to_owned(), 401),
    ] {
        let head = format!(
            "POST {target} HTTP/1.1\r\n{HOST}content-type: application/json\r\n{lines}content-length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(stage.running.addr()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let sent = stream.write_all(&body).await;
        assert!(sent.is_ok(), "{name}: {sent:?}");
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer).await;
        assert_eq!((split(&answer).0, read.is_ok()), (code, true), "{name}: {read:?} {answer}");
    }
    assert!(stage.asked.lock().unwrap().is_empty());
    // Whoever goes on for ever is not heard for ever.
    let stage = support::stage("limits: {write_stall_ms_max: 300}").await;
    let mut stream = TcpStream::connect(stage.running.addr()).await.unwrap();
    let head = format!("POST /nowhere HTTP/1.1\r\n{HOST}content-length: 1000000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let endless = async {
        while stream.write_all(&[b'x'; 1_000]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), endless).await.unwrap();
}

/// A service that writes the same bytes for every request it hears, whatever they are; and how many it heard.
async fn writes(bytes: Vec<u8>) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    writes_by(move |_| bytes.clone()).await
}

/// The same, where what it writes depends on the request.
async fn writes_by(
    answers: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static,
) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (answers, kept) = (Arc::new(answers), Arc::clone(&heard));
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (answers, kept) = (Arc::clone(&answers), Arc::clone(&kept));
            tokio::spawn(async move {
                let (mut held, mut part) = (Vec::new(), [0; 4096]);
                while let Ok(n @ 1..) = stream.read(&mut part).await {
                    held.extend_from_slice(&part[..n]);
                    while let Some(end) = ends(&held) {
                        let request: Vec<u8> = held.drain(..end).collect();
                        let request = String::from_utf8_lossy(&request).into_owned();
                        let bytes = answers(&request);
                        kept.lock().unwrap().push(request);
                        if stream.write_all(&bytes).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    (addr, heard)
}

/// Where the first head ends, and how many bytes follow it.
fn head_and_length(held: &[u8]) -> Option<(usize, usize)> {
    let head = held.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&held[..head]);
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    Some((head, length.unwrap_or(0)))
}

/// Where the first request ends.
fn ends(held: &[u8]) -> Option<usize> {
    let (head, length) = head_and_length(held)?;
    (held.len() >= head + length).then_some(head + length)
}

async fn before(bytes: &str) -> (tempfile::TempDir, Running, Arc<Mutex<Vec<String>>>) {
    let (upstream, heard) = writes(bytes.as_bytes().to_vec()).await;
    let (folder, config) = prepared(upstream, "limits: {upstream_wait_ms_max: 1500}");
    (folder, Sidecar::start(config).await.unwrap(), heard)
}

const GOOD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{\"status\":\"ok\"}";
const EVIL: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 17\r\n\r\n{\"status\":\"evil\"}";

#[tokio::test]
async fn law_1_what_a_service_writes_after_its_answer_answers_nobody() {
    let after = [
        ("a whole second answer", format!("{GOOD}{EVIL}")),
        ("part of one", format!("{GOOD}HTTP/1.1 200 OK\r\n")),
        ("noise", format!("{GOOD}\r\n\r\nann")),
        ("a body where there is none", format!("HTTP/1.1 204 No Content\r\n\r\n{EVIL}")),
    ];
    for (name, bytes) in after {
        let (_folder, running, heard) = before(&bytes).await;
        for round in 0..20 {
            let (status, body) = get(running.addr(), "/ping").await;
            assert!(!body.contains("evil"), "{name}, {round}: {body}");
            assert!([200, 204, 502].contains(&status), "{name}, {round}: {status} {body}");
        }
        assert!(heard.lock().unwrap().len() >= 10, "{name}: most requests reach the service");
        running.stop().await;
    }
}

/// A service that answers the first request on each connection, and closes it with the next one unanswered.
async fn answers_once(heard: Arc<Mutex<Vec<String>>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let heard = Arc::clone(&heard);
            tokio::spawn(async move {
                let mut part = vec![0; 65_536];
                for answer in [GOOD, ""] {
                    let mut held = Vec::new();
                    while ends(&held).is_none() {
                        let n @ 1.. = stream.read(&mut part).await.unwrap_or(0) else { return };
                        held.extend_from_slice(&part[..n]);
                    }
                    heard.lock().unwrap().push(String::from_utf8_lossy(&held).into_owned());
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    addr
}

#[tokio::test]
async fn whoever_asks_over_a_connection_that_the_service_closes_is_answered_over_another() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (_folder, config) = prepared(answers_once(Arc::clone(&heard)).await, "");
    let running = Sidecar::start(config).await.unwrap();
    let post = format!(
        "POST /note HTTP/1.1\r\n{HOST}content-type: application/json\r\ncontent-length: 10\r\nconnection: close\r\n\r\n{{\"text\":1}}"
    );
    let ask = format!("GET /ping HTTP/1.1\r\n{HOST}connection: close\r\n\r\n");
    for (name, request, code, hears) in [
        ("the first", &ask, 200, 1),
        ("one that reads, on a connection that closes", &ask, 200, 2),
        // That one left a connection behind that was used once.
        ("one that writes, on a connection that closes", &post, 502, 1),
    ] {
        let (answer, _) = exchange(running.addr(), request.as_bytes()).await;
        let heard: Vec<String> = heard.lock().unwrap().drain(..).collect();
        assert_eq!((split(&answer).0, heard.len()), (code, hears), "{name}: {answer}");
        let without_trace = |text: &String| -> Vec<String> {
            text.lines().filter(|l| !l.starts_with("traceparent")).map(str::to_owned).collect()
        };
        assert!(heard.windows(2).all(|two| without_trace(&two[0]) == without_trace(&two[1])), "{heard:?}");
    }
}

#[tokio::test]
async fn law_1_a_body_after_the_answer_to_a_head_answers_nobody() {
    let bare = EVIL.split_inclusive("\r\n\r\n").next().unwrap();
    for (name, after) in [
        ("the body whose length it tells", EVIL.to_owned()),
        ("another answer", format!("{bare}{EVIL}")),
        ("noise", format!("{bare}evil")),
    ] {
        let answers = move |request: &str| {
            if request.starts_with("HEAD ") { after.clone() } else { GOOD.to_owned() }.into_bytes()
        };
        let (upstream, heard) = writes_by(answers).await;
        let (_folder, config) = prepared(upstream, "limits: {upstream_wait_ms_max: 1500}");
        let running = Sidecar::start(config).await.unwrap();
        for round in 0..10 {
            let head = format!("HEAD /ping HTTP/1.1\r\n{HOST}connection: close\r\n\r\n");
            let (answer, _) = exchange(running.addr(), head.as_bytes()).await;
            let told = split(&answer);
            assert!(told == (200, String::new()), "{name}, {round}: {answer}");
            let (status, body) = get(running.addr(), "/ping").await;
            assert_eq!((status, &*body), (200, "{\"status\":\"ok\"}"), "{name}, {round}");
        }
        let asked = heard.lock().unwrap().iter().filter(|request| request.starts_with("GET ")).count();
        assert_eq!(asked, 10, "{name}");
        running.stop().await;
    }
}

#[tokio::test]
async fn law_1_an_answer_with_two_readings_is_not_passed_on() {
    let body = "{\"status\":\"ann\"}";
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    let rows = [
        ("two lengths", format!("{head}content-length: 16\r\ncontent-length: 2\r\n\r\n{body}")),
        (
            "a length and chunks",
            format!(
                "{head}content-length: 16\r\ntransfer-encoding: chunked\r\n\r\n10\r\n{body}\r\n0\r\n\r\n"
            ),
        ),
        (
            "chunks and a length",
            format!("{head}transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n10\r\n{body}\r\n0\r\n\r\n"),
        ),
        ("a length that is none", format!("{head}content-length: 16x\r\n\r\n{body}")),
        ("a negative length", format!("{head}content-length: -1\r\n\r\n{body}")),
        ("a folded header", format!("{head}x: a\r\n b\r\ncontent-length: 16\r\n\r\n{body}")),
        ("a null in a header", format!("{head}x: a\0b\r\ncontent-length: 16\r\n\r\n{body}")),
        (
            "a chunk's size that is none",
            format!("{head}transfer-encoding: chunked\r\n\r\nxx\r\n{body}\r\n0\r\n\r\n"),
        ),
        ("a status that is none", format!("HTTP/1.1 2000 OK\r\ncontent-length: 16\r\n\r\n{body}")),
        ("no status line", body.to_owned()),
        ("another protocol", "SSH-2.0-ann\r\n".to_owned()),
        (
            "a protocol that was not asked for",
            format!("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n{body}"),
        ),
        (
            "a coding of the transfer",
            format!("{head}transfer-encoding: gzip, chunked\r\n\r\n10\r\n{body}\r\n0\r\n\r\n"),
        ),
    ];
    for (name, bytes) in rows {
        let (_folder, running, _) = before(&bytes).await;
        let (status, body) = get(running.addr(), "/ping").await;
        assert!([502, 504].contains(&status), "{name}: {status} {body}");
        assert!(!body.contains("ann"), "{name}: {body}");
        running.stop().await;
    }
}

#[tokio::test]
async fn what_a_service_says_in_between_is_not_its_answer() {
    let hints = "HTTP/1.1 103 Early Hints\r\nlink: </ann>; rel=preload\r\n\r\n";
    for early in [
        hints,
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n",
    ] {
        let (_folder, running, _) = before(&format!("{early}{GOOD}")).await;
        let request = format!("GET /ping HTTP/1.1\r\n{HOST}connection: close\r\n\r\n");
        let (answer, _) = exchange(running.addr(), request.as_bytes()).await;
        assert_eq!(split(&answer), (200, "{\"status\":\"ok\"}".to_owned()), "{answer}");
        assert!(!answer.contains("ann"), "{answer}");
        running.stop().await;
    }
}

/// A service that answers as soon as it has a head. It passes over what follows by its length, or takes it for the next
/// request. And what it heard on each connection, byte for byte.
async fn answers_early(counts: bool) -> (SocketAddr, Arc<Mutex<Vec<Vec<u8>>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let heard = Arc::<Mutex<Vec<Vec<u8>>>>::default();
    let kept = Arc::clone(&heard);
    tokio::spawn(async move {
        for at in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let kept = Arc::clone(&kept);
            kept.lock().unwrap().push(Vec::new());
            tokio::spawn(async move {
                let (mut held, mut part, mut skipped) = (Vec::new(), [0; 4096], 0);
                while let Ok(n @ 1..) = stream.read(&mut part).await {
                    kept.lock().unwrap()[at].extend_from_slice(&part[..n]);
                    held.extend_from_slice(&part[..n]);
                    while let Some((head, length)) = head_and_length(&held[skipped.min(held.len())..]) {
                        held.drain(..skipped + head);
                        skipped = if counts { length } else { 0 };
                        if stream.write_all(GOOD.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    (addr, heard)
}

#[tokio::test]
async fn law_1_an_answer_before_the_body_was_read_leaves_one_request_of_exactly_its_length() {
    const UPLOAD: &str = "routes: [{route: POST /upload, public: true, purpose: essential.service, request: {type: multipart/form-data, body: {file: none}}, response: {body: {status: none}}}]\n";
    let inside = "\r\n\r\nGET /admin HTTP/1.1\r\nhost: x\r\n\r\n";
    let part = "content-disposition: form-data; name=\"file\"; filename=\"a\"\r\ncontent-type: text/plain";
    let body = format!("--b\r\n{part}\r\n\r\n{inside}{}{inside}\r\n--b--\r\n", "x".repeat(200_000));
    let head = "content-type: multipart/form-data; boundary=b\r\nconnection: close";
    for counts in [true, false] {
        let (upstream, heard) = answers_early(counts).await;
        let (folder, config) = prepared(upstream, "");
        let dir = folder.path().join("policy");
        std::fs::write(dir.join("upload.yaml"), UPLOAD).unwrap();
        seal(&dir, &Sources::read(&dir).unwrap()).unwrap();
        let running = Sidecar::start(config).await.unwrap();
        for round in 0..5 {
            let length = body.len();
            let request =
                format!("POST /upload HTTP/1.1\r\n{HOST}{head}\r\ncontent-length: {length}\r\n\r\n{body}");
            let (answer, closed) = exchange(running.addr(), request.as_bytes()).await;
            assert!([200, 502].contains(&split(&answer).0) && closed, "{counts} {round}: {answer}");
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{counts} {round}: {answer}");
            let (status, _) = get(running.addr(), "/ping").await;
            assert!([200, 502].contains(&status), "{counts} {round}: {status}");
        }
        running.stop().await;
        // Whoever goes by the length hears what was asked and nothing else; a connection may have been cut off.
        let (mut uploads, heard) = (0, heard.lock().unwrap());
        for bytes in heard.iter() {
            let mut rest = &bytes[..];
            while let Some(end) = ends(rest) {
                let request = String::from_utf8_lossy(&rest[..end]);
                let upload = request.starts_with("POST /upload ") && request.ends_with("\r\n--b--\r\n");
                assert!(upload || request.starts_with("GET /ping "), "{counts}: {request:.200}");
                uploads += usize::from(upload && request.matches(inside).count() == 2);
                rest = &rest[end..];
            }
            assert!(rest.is_empty() || rest.starts_with(b"POST /upload "), "{counts}");
        }
        assert!(uploads > 0 && (uploads <= 5), "{counts}: {uploads}");
    }
}
