//! The whole layer: a request and an answer that nobody wrote, with Panopta's bundle between them.

use std::cell::RefCell;

use bytes::Bytes;
use consentry_identity::Assurance;
use consentry_tests::world::{Answer, Otherwise, World, contract, json};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tokio::runtime::Runtime;

use crate::unsynced::Unsynced;

/// Between the request and the answer.
const BETWEEN: &[u8] = b"\n~~~\n";
/// What no rule of the bundle lets anybody see, in an answer of the service behind.
const SECRET: &str = "078-05-1120";
/// A world is made anew after so many exchanges, for what the ledger remembers.
const EXCHANGES_MAX: u32 = 20_000;
/// Headers that are ours, or would change who asks or how an answer is cut; none of them ever goes on.
const NEVER_ON: [&str; 11] = [
    "authorization",
    "connection",
    "data-purpose",
    "expect",
    "forwarded",
    "if-none-match",
    "proxy-authorization",
    "range",
    "transfer-encoding",
    "upgrade",
    "x-http-method-override",
];

struct Place {
    runtime: Runtime,
    world: World,
    support: String,
    person: String,
    exchanges: u32,
}

impl Place {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let world = runtime.block_on(async {
            let world =
                World::otherwise(Otherwise { log: Some(Unsynced::options()), ..Otherwise::default() });
            world.record("customer", "c-1", &[contract()]).await;
            world
        });
        let support = world.token("support", &["essential.service.operations.support"]);
        let person = world.person("c-1", Assurance::High);
        Self { runtime, world, support, person, exchanges: 0 }
    }
}

thread_local! {
    static PLACE: RefCell<Option<Place>> = const { RefCell::new(None) };
}

/// The input is a request as HTTP/1.1 writes it, and after `~~~` perhaps an answer: its status and media type, its
/// headers, its body. `@support` and `@person` stand for good tokens.
pub fn run(data: &[u8]) {
    PLACE.with_borrow_mut(|place| {
        let there = place.get_or_insert_with(Place::new);
        there.exchanges += 1;
        exchange(there, data);
        if there.exchanges >= EXCHANGES_MAX {
            *place = None;
        }
    });
}

fn exchange(place: &Place, data: &[u8]) {
    let (request, answer) = match find(data, BETWEEN) {
        Some(at) => (&data[..at], Some(&data[at + BETWEEN.len()..])),
        None => (data, None),
    };
    let Some(request) = request_of(request, place) else { return };
    let profile = format!(r#"{{"id":"c-1","name":"Ann Sample","email":"ann@example.org","ssn":"{SECRET}"}}"#);
    let planted = answer.is_none();
    place.world.upstream.answers(answer.and_then(answer_of).unwrap_or_else(|| json(&profile)));
    let seen = place.runtime.block_on(place.world.send(request));
    let reached = place.world.upstream.take();
    if [400, 401].contains(&seen.status.as_u16())
        && seen.headers["content-type"] == "application/problem+json"
    {
        let told = seen.json();
        // An upstream's own 4xx is told as one of ours after it was asked.
        assert!(reached.is_empty() || told["code"] == "upstream-error", "refused, and yet asked: {told}");
    }
    for (parts, _) in &reached {
        let path = parts.uri.path();
        let plain =
            !path.contains("//") && !path.contains('\\') && !path.split('/').any(|s| s == "." || s == "..");
        assert!(plain && path.starts_with('/'), "went on: {path}");
        let lower = path.to_ascii_lowercase();
        assert!(
            ["%2f", "%5c", "%2e%2e", "%00", "%25"].iter().all(|hidden| !lower.contains(hidden)),
            "{path}"
        );
        for name in NEVER_ON {
            assert!(!parts.headers.contains_key(name), "went on: {name}");
        }
        // The map declares it for pages alone.
        assert!(
            path.starts_with("/site/") || !parts.headers.contains_key("x-forwarded-for"),
            "went on: an address to {path}"
        );
    }
    let body = seen.body.as_ref().unwrap_or_else(|cut| cut);
    if planted {
        assert!(find(body, SECRET.as_bytes()).is_none(), "what nobody may see left");
    }
    let kept = seen.headers.get("cache-control").and_then(|v| v.to_str().ok()).unwrap_or_default();
    assert!(kept.contains("no-store"), "an answer that may be kept: {kept:?}");
    place.world.upstream.forget();
}

fn request_of(text: &[u8], place: &Place) -> Option<Request<Full<Bytes>>> {
    let (head, body) = halves(text);
    let mut lines = head.split(|b| *b == b'\n');
    let mut words = std::str::from_utf8(lines.next()?).ok()?.split(' ');
    let method = Method::from_bytes(words.next()?.as_bytes()).ok()?;
    let mut request = Request::builder().method(method).uri(words.next()?).body(Full::new(body)).ok()?;
    for line in lines {
        let (name, value) = header(line)?;
        let value = match value.as_bytes() {
            b"@support" => HeaderValue::from_str(&format!("Bearer {}", place.support)).ok()?,
            b"@person" => HeaderValue::from_str(&format!("Bearer {}", place.person)).ok()?,
            _ => value,
        };
        request.headers_mut().append(name, value);
    }
    Some(request)
}

fn answer_of(text: &[u8]) -> Option<Answer> {
    let (head, body) = halves(text);
    let mut lines = head.split(|b| *b == b'\n');
    let (status, media_type) = std::str::from_utf8(lines.next()?).ok()?.split_once(' ')?;
    let body = Full::new(body).map_err(|e| match e {}).boxed();
    let mut answer = Response::builder()
        .status(status.parse::<u16>().ok().and_then(|s| StatusCode::from_u16(s).ok())?)
        .header("content-type", media_type)
        .body(body)
        .ok()?;
    for line in lines {
        let (name, value) = header(line)?;
        answer.headers_mut().append(name, value);
    }
    Some(answer)
}

/// What stands before the first empty line, and after it.
fn halves(text: &[u8]) -> (&[u8], Bytes) {
    match find(text, b"\n\n") {
        Some(at) => (&text[..at], Bytes::copy_from_slice(&text[at + 2..])),
        None => (text, Bytes::new()),
    }
}

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|b| *b == b':')?;
    let value = line[colon + 1..].trim_ascii();
    Some((HeaderName::from_bytes(&line[..colon]).ok()?, HeaderValue::from_bytes(value).ok()?))
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|there| there == wanted)
}
