//! Each fault is what it says, seen from the other end of a connection.
#![allow(clippy::unwrap_used, reason = "test support: what cannot be set up fails the test")]

use legacy_api::{Legacy, router, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Serves the API, asks once, and returns everything that came until the connection closed.
async fn ask(target: &str) -> (String, Vec<u8>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, router(Legacy::new()), async {
        stopped.await.unwrap();
    }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nhost: api\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let body = bytes.split_off(end + 4);
    (String::from_utf8(bytes).unwrap().to_lowercase(), body)
}

#[tokio::test]
async fn each_fault_is_what_it_says() {
    for (target, head, body) in [
        ("/faults/gzip", "content-encoding: gzip", b"\x1f\x8b".as_slice()),
        ("/faults/invalid", "200 ok", b"\"name\":}"),
        ("/faults/unfinished", "200 ok", b"example.org\","),
        ("/faults/not-utf8", "application/json", b"\"\xff\"}"),
        ("/faults/duplicate", "application/json", b"\"name\":\"Customer 18\""),
        ("/faults/html", "content-type: text/html", b"<p>"),
        ("/faults/no-type", "200 ok", b"customer-17@example.org"),
        ("/faults/redirect", "location: /welcome?email=customer-17@example.org", b""),
        ("/faults/slow?delay=1", "200 ok", b"customer-17@example.org"),
        ("/faults/error", "500 internal server error", b"customer-17@example.org\n  at"),
        ("/faults/partial", "206 partial content", b"customer-17@example.org\"}"),
        ("/faults/stall?delay=1", "transfer-encoding: chunked", b"\r\n0\r\n\r\n"),
    ] {
        let (sent_head, sent_body) = ask(target).await;
        assert!(sent_head.contains(head), "{target}: {sent_head}");
        assert!(body.is_empty() || sent_body.windows(body.len()).any(|w| w == body), "{target}");
        assert_eq!(
            sent_head.contains("content-type"),
            !matches!(target, "/faults/no-type" | "/faults/redirect")
        );
    }
}

#[tokio::test]
async fn a_truncated_body_is_shorter_than_announced() {
    let (head, body) = ask("/faults/truncated").await;
    assert!(head.contains("content-length: 1000"), "{head}");
    assert_eq!(body.len(), 56);
}

#[tokio::test]
async fn an_aborted_body_has_no_last_chunk() {
    let (head, body) = ask("/faults/aborted").await;
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    assert!(body.windows(11).any(|w| w == b"customer-17"));
    assert!(!body.ends_with(b"0\r\n\r\n"));
}

#[tokio::test]
async fn a_big_list_has_as_many_rows_as_asked_for() {
    use axum::body::Body;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    for rows in [0, 1, 100, 250] {
        let request = axum::http::Request::get(format!("/faults/big?n={rows}")).body(Body::empty()).unwrap();
        let response = router(Legacy::new()).oneshot(request).await.unwrap();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(body["customers"].as_array().unwrap().len(), rows);
    }
}

#[tokio::test]
async fn the_static_gzip_bytes_are_whole() {
    let (_, body) = ask("/faults/gzip").await;
    // A gzip member ends with the length of what was packed, little-endian.
    assert_eq!(body[body.len() - 4..], 56_u32.to_le_bytes());
}
