//! The load: so many connections, each of which sends its next request when it has read the answer to the last.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::Failure;
use crate::cpu::proxies_ns;
use crate::stats::percentile;

/// What is sent to whom, and the answer that counts.
pub(crate) struct Shot {
    pub(crate) addr: SocketAddr,
    pub(crate) path: &'static str,
    /// Headers besides `Host`.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The exact body of every answer; of a rival only the status is looked at when this is empty.
    pub(crate) answer: Bytes,
}

/// What one turn came to.
#[derive(Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) requests_per_sec: f64,
    pub(crate) p50_ns: f64,
    pub(crate) p99_ns: f64,
    /// Of the proxies' own threads, for each request.
    pub(crate) cpu_ns: f64,
}

/// A kept-alive connection.
pub(crate) struct Connection {
    sender: SendRequest<Empty<Bytes>>,
}

impl Connection {
    pub(crate) async fn open(addr: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender })
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn fire(&mut self, shot: &Shot) -> Result<(u16, Bytes), Failure> {
        let mut request = Request::get(shot.path).header(header::HOST, shot.addr.to_string());
        for (name, value) in &shot.headers {
            request = request.header(*name, value);
        }
        self.sender.ready().await?;
        let response = self.sender.send_request(request.body(Empty::new())?).await?;
        let status = response.status().as_u16();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}

/// Puts load on a target for so long. An answer that is not the right one ends it.
pub(crate) async fn turn(shot: &Arc<Shot>, connections: usize, time: Duration) -> Result<Turn, Failure> {
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(Connection::open(shot.addr).await?);
    }
    let (start, cpu) = (Instant::now(), proxies_ns()?);
    let workers: Vec<_> = open
        .into_iter()
        .map(|connection| tokio::spawn(work(connection, Arc::clone(shot), start + time)))
        .collect();
    let mut latencies = Vec::new();
    for worker in workers {
        latencies.extend(worker.await??);
    }
    let took = start.elapsed().as_secs_f64();
    let cpu = proxies_ns()?.saturating_sub(cpu);
    latencies.sort_unstable();
    Ok(Turn {
        requests_per_sec: f64::from(u32::try_from(latencies.len())?) / took,
        p50_ns: percentile(&latencies, 50),
        p99_ns: percentile(&latencies, 99),
        cpu_ns: cpu_each(cpu, latencies.len()),
    })
}

#[allow(clippy::cast_precision_loss, reason = "a turn lasts well below 2^52 nanoseconds")]
fn cpu_each(cpu_ns: u64, requests: usize) -> f64 {
    cpu_ns as f64 / requests.max(1) as f64
}

async fn work(mut connection: Connection, shot: Arc<Shot>, end: Instant) -> Result<Vec<u64>, Failure> {
    let mut latencies = Vec::new();
    loop {
        let sent = Instant::now();
        if sent >= end {
            return Ok(latencies);
        }
        let (status, body) = connection.fire(&shot).await?;
        latencies.push(u64::try_from(sent.elapsed().as_nanos())?);
        if status != 200 || (!shot.answer.is_empty() && body != shot.answer) {
            return Err(format!("an answer with status {status} is not the right one").into());
        }
    }
}
