//! Links that are slow and services that are quiet: whoever goes on, however slowly, gets all of an answer.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use consentry_audit::{End, Entry};
use consentry_model::Reason;
use consentry_policy::{Sources, seal};
use consentry_proxy::{Running, Sidecar};
use support::http2::{DATA, Frame, GOAWAY, Http2, PING, RST_STREAM, WINDOW_UPDATE, frame};
use support::{get, prepared, raw, records, stage, until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const ROUTES: &str = "
routes:
  - {route: GET /events, public: true, purpose: essential.service, response: {type: text/event-stream, body: {data.x: none, event: none}}}
  - {route: GET /big, public: true, purpose: essential.service, response: {body: {'rows[]': none}}}
";

/// How long the service pauses between two events.
const PAUSE: Duration = Duration::from_millis(400);
const EVENTS: usize = 3;

fn big_body() -> String {
    format!("{{\"rows\":[{}1]}}", "\"0123456789\",".repeat(8_000))
}

/// A service with events that pause and an answer of 100,000 bytes.
async fn service() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(answer(stream));
        }
    });
    addr
}

async fn answer(mut stream: TcpStream) {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut asked).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type:";
    if asked.starts_with(b"GET /big ") {
        let said = format!("{head} application/json\r\n\r\n{}", big_body());
        return drop(stream.write_all(said.as_bytes()).await);
    }
    drop(stream.write_all(format!("{head} text/event-stream\r\n\r\n").as_bytes()).await);
    for n in 0..EVENTS {
        drop(stream.write_all(format!("data: {{\"x\":{n}}}\n\n").as_bytes()).await);
        tokio::time::sleep(PAUSE).await;
    }
}

async fn before_it(limits: &str) -> (tempfile::TempDir, Running) {
    let (folder, config) = prepared(service().await, &format!("limits: {{{limits}}}"));
    let dir = folder.path().join("policy");
    fs::write(dir.join("links.yaml"), ROUTES).unwrap();
    seal(&dir, &Sources::read(&dir).unwrap()).unwrap();
    (folder, Sidecar::start(config).await.unwrap())
}

async fn next_frame(stream: &mut TcpStream) -> std::io::Result<Frame> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await?;
    let on = u32::from_be_bytes(head[5..].try_into().unwrap());
    Ok(Frame { kind: head[3], flags: head[4], stream: on, payload })
}

/// Each waits for longer than an answer may stay unread, and all the time another is taken.
#[tokio::test]
async fn many_answers_over_http2_share_a_slow_link_and_are_whole() {
    let (_folder, running) = before_it("write_stall_ms_max: 300").await;
    for streams in [1, 30] {
        let mut caller = Http2::connect(running.addr(), &[]).await;
        let mut big = PING;
        big[3].1 = "/big";
        for n in 0..streams {
            caller.ask(2 * n + 1, &big).await;
        }
        let (mut held, mut whole, mut taken) = (BTreeMap::<_, Vec<u8>>::new(), 0, 0);
        while whole < streams {
            let came = tokio::time::timeout(Duration::from_secs(3), next_frame(&mut caller.stream)).await;
            let came = came.unwrap_or_else(|_| panic!("{whole} of {streams} are whole, and nothing comes"));
            let came = came.unwrap();
            assert!(![RST_STREAM, GOAWAY].contains(&came.kind), "{streams}: {} is ended", came.stream);
            whole += u32::from(came.ends_stream());
            let Frame { kind: DATA, stream, payload, .. } = came else { continue };
            held.entry(stream).or_default().extend(&payload);
            if payload.is_empty() {
                continue;
            }
            taken += payload.len();
            if taken >= 16_384 {
                taken -= 16_384;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let more = u32::try_from(payload.len()).unwrap().to_be_bytes();
            let windows = [frame(WINDOW_UPDATE, 0, 0, &more), frame(WINDOW_UPDATE, 0, stream, &more)];
            caller.stream.write_all(&windows.concat()).await.unwrap();
        }
        assert!(held.values().all(|body| *body == big_body().as_bytes()), "{streams}: each as it was sent");
    }
}

/// One stream that goes on does not keep the places of others that are never taken.
#[tokio::test]
async fn an_answer_that_is_never_taken_is_ended_though_another_is_taken() {
    let (_folder, running) = before_it("write_stall_ms_max: 300").await;
    let mut caller = Http2::connect(running.addr(), &[0, 4, 0, 0, 0, 0]).await;
    caller.ask(1, &PING).await;
    let mut big = PING;
    big[3].1 = "/big";
    let ended = async {
        // Two at a time: the one that is never taken has the time of both, and of what waits in between.
        for n in 1.. {
            let stream = 2 * n + 1;
            caller.ask(stream, &big).await;
            let more = 200_000_u32.to_be_bytes();
            let windows = [frame(WINDOW_UPDATE, 0, 0, &more), frame(WINDOW_UPDATE, 0, stream, &more)];
            caller.stream.write_all(&windows.concat()).await.unwrap();
            let (said, closed) = caller.listen(Duration::from_millis(50)).await;
            assert!(!closed, "the connection goes on");
            if said.iter().any(|frame| frame.kind == RST_STREAM && frame.stream == 1) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), ended).await.unwrap();
}

#[tokio::test]
async fn the_end_of_an_answer_over_http2_waits_for_longer_than_anybody_may_be_silent() {
    let stage = stage("limits: {head_wait_ms_max: 100, write_stall_ms_max: 5000}").await;
    let mut caller = Http2::connect(stage.running.addr(), &[0, 4, 0, 0, 0, 0]).await;
    caller.ask(1, &PING).await;
    let (whole, mut held) = (br#"{"status":"ok"}"#, Vec::new());
    for _ in whole {
        let window = frame(WINDOW_UPDATE, 0, 1, &1_u32.to_be_bytes());
        caller.stream.write_all(&window).await.unwrap();
        let (said, closed) = caller.listen(Duration::from_millis(60)).await;
        assert!(!closed || held.len() + 1 >= whole.len(), "cut after {held:?}");
        held.extend(said.iter().filter(|frame| frame.kind == DATA).flat_map(|frame| frame.payload.clone()));
    }
    assert_eq!(held, whole);
    until(stage.running.admin_addr(), |s| s["counts"]["connections_open"] == 0).await;
}

#[tokio::test]
async fn the_end_of_an_answer_over_http2_waits_for_a_while_only() {
    let stage = stage("limits: {head_wait_ms_max: 100, write_stall_ms_max: 300}").await;
    let mut caller = Http2::connect(stage.running.addr(), &[0, 4, 0, 0, 0, 0]).await;
    caller.ask(1, &PING).await;
    let mut closed = false;
    for _ in 0..10 {
        let window = frame(WINDOW_UPDATE, 0, 1, &1_u32.to_be_bytes());
        closed = closed || caller.stream.write_all(&window).await.is_err();
        closed = closed || caller.listen(Duration::from_millis(200)).await.1;
    }
    assert!(closed, "a byte now and then is less than a slow link takes");
}

#[tokio::test]
async fn a_service_may_pause_in_an_answer_for_longer_than_before_it_and_not_for_ever() {
    for (limits, events, end) in [
        ("upstream_wait_ms_max: 150", EVENTS, (End::Delivered, None)),
        (
            "upstream_wait_ms_max: 5000, upstream_pause_ms_max: 150",
            1,
            (End::Failed, Some(Reason::UpstreamTimeout)),
        ),
    ] {
        let (folder, running) = before_it(limits).await;
        let said = raw(running.addr(), "GET /events HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
        assert_eq!(said.matches("{\"x\":").count(), events, "{limits}: {said}");
        assert_eq!(said.ends_with("0\r\n\r\n"), end.1.is_none(), "{limits}: the end is seen");
        let (_, metrics) = get(running.admin_addr(), "/metrics").await;
        let broken = format!("\nconsentry_answers_broken_off_total {}\n", u8::from(end.1.is_some()));
        assert!(metrics.contains(&broken), "{limits}: {metrics}");
        running.stop().await;
        let ends = records(&folder.path().join("evidence"))
            .into_iter()
            .filter_map(|e| if let Entry::Outcome(o) = e { Some((o.end, o.reason)) } else { None });
        assert_eq!(ends.collect::<Vec<_>>(), [end], "{limits}");
    }
}

/// What has no length and no chunks is complete when the connection is closed: nothing but a reset tells otherwise.
#[tokio::test]
async fn law_1_an_answer_over_http_1_0_that_breaks_off_does_not_look_complete() {
    for (limits, version, breaks) in [
        ("upstream_pause_ms_max: 150", "1.0", true),
        ("upstream_pause_ms_max: 5000", "1.0", false),
        // The last chunk is missing; what came before it is not lost.
        ("upstream_pause_ms_max: 150", "1.1", false),
    ] {
        let (_folder, running) = before_it(limits).await;
        let mut stream = TcpStream::connect(running.addr()).await.unwrap();
        let head = format!("GET /events HTTP/{version}\r\nhost: a\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        let end = stream.read_to_end(&mut said).await.map_err(|error| error.kind());
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains("{\"x\":0}"), "{limits} {version}: {said}");
        assert_eq!(end.err(), breaks.then_some(ErrorKind::ConnectionReset), "{limits} {version}: {said}");
        running.stop().await;
    }
}
