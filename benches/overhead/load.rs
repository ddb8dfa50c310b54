//! The load: wrk, with so many connections, each of which sends its next request when it has read the answer to the last.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::Failure;
use crate::cores::Cores;
use crate::cpu::Proxy;

/// What is sent to whom.
pub(crate) struct Shot {
    pub(crate) addr: SocketAddr,
    pub(crate) path: &'static str,
    /// Headers besides `Host`.
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// What one turn came to.
#[derive(Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) requests_per_sec: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Of the proxy itself, for each request.
    pub(crate) cpu_us: f64,
}

/// Sends one request and reads the whole answer, which must be a 200.
pub(crate) async fn answer(shot: &Shot) -> Result<Bytes, Failure> {
    let stream = TcpStream::connect(shot.addr).await?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut request = Request::get(shot.path).header(header::HOST, shot.addr.to_string());
    for (name, value) in &shot.headers {
        request = request.header(*name, value);
    }
    let response = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    if status == 200 { Ok(body) } else { Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into()) }
}

/// Puts load on a target for so long, in whole seconds. An answer that is none, or not a success, ends it.
pub(crate) fn turn(
    shot: &Shot,
    connections: usize,
    time: Duration,
    cores: &Cores,
    proxy: Proxy,
) -> Result<Turn, Failure> {
    let mut wrk = cores.others.command("wrk");
    wrk.args(["-t1", "--latency", &format!("-c{connections}"), &format!("-d{}s", time.as_secs().max(1))]);
    for (name, value) in &shot.headers {
        wrk.arg("-H").arg(format!("{name}: {value}"));
    }
    wrk.arg(format!("http://{}{}", shot.addr, shot.path));
    let before = proxy.used()?;
    let said = output(wrk)?;
    let used = proxy.used()?.saturating_sub(before);
    if said.contains("Non-2xx") || said.contains("Socket errors") {
        return Err(format!("not every answer is right: {said}").into());
    }
    let requests = number(&said, " requests in ", false)?;
    Ok(Turn {
        requests_per_sec: number(&said, "Requests/sec:", true)?,
        p50_us: micros(&said, "50%")?,
        p99_us: micros(&said, "99%")?,
        cpu_us: used.as_secs_f64() * 1e6 / requests.max(1.0),
    })
}

fn output(mut command: Command) -> Result<String, Failure> {
    let out =
        command.output().map_err(|error| format!("wrk, which makes the load, does not run: {error}"))?;
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    if out.status.success() { Ok(said) } else { Err(format!("wrk: {said}").into()) }
}

/// The number after, or before, some words.
fn number(said: &str, words: &str, after: bool) -> Result<f64, Failure> {
    let found = said.split_once(words).and_then(|(head, tail)| {
        if after { tail.split_whitespace().next() } else { head.split_whitespace().last() }
    });
    Ok(found.ok_or_else(|| format!("wrk does not say{words}: {said}"))?.parse()?)
}

/// The latency of a percentile, in microseconds.
fn micros(said: &str, percentile: &str) -> Result<f64, Failure> {
    let word = said.lines().find_map(|line| line.trim().strip_prefix(percentile)).map(str::trim);
    let word = word.ok_or_else(|| format!("wrk says no {percentile}"))?;
    for (unit, by) in [("us", 1.0), ("ms", 1e3), ("s", 1e6)] {
        if let Some(number) = word.strip_suffix(unit) {
            return Ok(number.parse::<f64>()? * by);
        }
    }
    Err(format!("wrk says {word}, which is no time").into())
}
