//! HTTP/2 written by hand: frames that no client of a library would send.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;
/// Flags: nothing follows on the stream; and a head is whole.
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// A request that is answered.
pub(crate) const PING: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "http"), (":authority", "api.example.org"), (":path", "/ping")];

/// A frame that came.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// Whether it is the last of its stream.
    pub(crate) fn ends_stream(&self) -> bool {
        [DATA, HEADERS].contains(&self.kind) && self.flags & END_STREAM != 0
    }

    /// The status, where the frame is the head of an answer and it is one of those that HPACK has in its table.
    pub(crate) fn status(&self) -> Option<u16> {
        let first = self.payload.first().filter(|_| self.kind == HEADERS)?;
        [(0x88, 200), (0x8c, 400), (0x8d, 404), (0x8e, 500)]
            .iter()
            .find(|row| row.0 == *first)
            .map(|row| row.1)
    }
}

/// A frame to send.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Names and values, each written out.
pub(crate) fn hpack(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

/// One connection.
pub(crate) struct Http2 {
    pub(crate) stream: TcpStream,
}

impl Http2 {
    /// Says what every client says first, with these settings.
    pub(crate) async fn connect(addr: SocketAddr, settings: &[u8]) -> Self {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        let hello = [PREFACE, &frame(SETTINGS, 0, 0, settings), &frame(SETTINGS, 1, 0, &[])].concat();
        stream.write_all(&hello).await.unwrap();
        Self { stream }
    }

    pub(crate) async fn ask(&mut self, stream: u32, fields: &[(&str, &str)]) {
        let head = frame(HEADERS, END_STREAM | END_HEADERS, stream, &hpack(fields));
        self.stream.write_all(&head).await.unwrap();
    }

    /// Everything that comes until nothing more does for a while; and whether the connection ended.
    pub(crate) async fn listen(&mut self, wait: Duration) -> (Vec<Frame>, bool) {
        let (mut held, mut part) = (Vec::new(), vec![0; 65_536]);
        let closed = loop {
            match tokio::time::timeout(wait, self.stream.read(&mut part)).await {
                Ok(Ok(0) | Err(_)) => break true,
                Ok(Ok(n)) => held.extend_from_slice(&part[..n]),
                Err(_) => break false,
            }
        };
        let (mut frames, mut rest) = (Vec::new(), &held[..]);
        while let [a, b, c, kind, flags, stream @ ..] = rest {
            let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
            let (stream, after) = stream.split_at(4);
            let stream = u32::from_be_bytes(stream.try_into().unwrap());
            frames.push(Frame { kind: *kind, flags: *flags, stream, payload: after[..length].to_vec() });
            rest = &after[length..];
        }
        (frames, closed)
    }
}
