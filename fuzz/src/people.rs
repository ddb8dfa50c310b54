//! Whom a request names: of somebody who objected nothing goes on, however the name is written and wherever it stands.

use std::cell::RefCell;

use bytes::Bytes;
use consentry_model::{LedgerEvent, Purpose};
use consentry_policy::{Bundle, Sources};
use consentry_tests::world::{Otherwise, TODAY, World, json};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::unsynced::Unsynced;

/// Who objected.
const ANN: &str = "ann+x@example.org";
/// A world is made anew after so many exchanges, for what the ledger remembers.
const EXCHANGES_MAX: u32 = 20_000;
/// What a service behind would read that does not look closely.
const BUNDLE: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}, excess: drop}
requesters: {shop: {purposes: [essential]}}
routes:
  - {route: GET /q, purposes: [essential.service], about: {type: customer, space: email, id: query.who, anonymous: true}, request: {query: {who: user.contact.email}}, response: {body: {email: user.contact.email}}}
  - {route: GET /h, purposes: [essential.service], about: {type: customer, space: email, id: header.X-Who, anonymous: true}, request: {headers: {X-Who: user.contact.email}}, response: {body: {email: user.contact.email}}}
  - {route: POST /b, purposes: [essential.service], about: {type: customer, space: email, id: body.user.email, anonymous: true}, request: {body: {user.email: user.contact.email}}, response: {body: {email: user.contact.email}}}
  - {route: POST /f, purposes: [essential.service], about: {type: customer, space: email, id: body.who, anonymous: true}, request: {type: [application/x-www-form-urlencoded, multipart/form-data], body: {who: user.contact.email}}, response: {body: {email: user.contact.email}}}
  - {route: 'GET /p/{who}', purposes: [essential.service], about: {type: customer, space: email, id: path.who}, response: {body: {email: user.contact.email}}}
rules:
  - {id: service, permit: essential, data: user.contact, basis: {legitimate_interests: LIA-1}, clauses: [c]}
clauses: [{id: c, line: 1, section: s, says: everything, status: enforced}]
cases: [{case: nobody, clause: c, who: shop, asks: GET /q, about: ann, then: allow}]
";

struct Place {
    runtime: Runtime,
    world: World,
    token: String,
    exchanges: u32,
}

impl Place {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", BUNDLE)])).unwrap();
        let world = runtime.block_on(async {
            let log = Some(Unsynced::options());
            let world = World::otherwise(Otherwise { log, bundle: Some(bundle), ..Otherwise::default() });
            let purpose = Purpose::new("essential").unwrap();
            let effective = TODAY.saturating_add_millis(-1);
            let objection = LedgerEvent::Objection { purpose, recipient: None, effective };
            world.record("email", ANN, &[objection]).await;
            world
        });
        let token = format!("Bearer {}", world.token("shop", &["essential.service"]));
        Self { runtime, world, token, exchanges: 0 }
    }
}

thread_local! {
    static PLACE: RefCell<Option<Place>> = const { RefCell::new(None) };
}

/// The input is a request: its method and target, its headers, an empty line, its body. Somebody signed in sends it.
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
    let Some(request) = request_of(data, &place.token) else { return };
    place.world.upstream.answers(json(r#"{"email":"somebody@example.org"}"#));
    let seen = place.runtime.block_on(place.world.send(request));
    for (parts, body) in place.world.upstream.take() {
        let names = named(&parts, &body);
        assert!(
            !names.iter().any(|name| name.replace(char::is_control, "").trim() == ANN),
            "of somebody who objected went on: {names:?}"
        );
        assert!(!parts.headers.contains_key("authorization"), "a token went on");
    }
    let told = format!("{:?}", seen.headers);
    assert!(!told.contains("ann+x"), "a header of the answer names somebody");
    place.world.upstream.forget();
}

fn request_of(text: &[u8], token: &str) -> Option<Request<Full<Bytes>>> {
    let end = text.windows(2).position(|two| two == b"\n\n");
    let (head, body) = end.map_or((text, &[][..]), |at| (&text[..at], &text[at + 2..]));
    let mut lines = head.split(|b| *b == b'\n');
    let (method, target) = std::str::from_utf8(lines.next()?).ok()?.split_once(' ')?;
    let body = Full::new(Bytes::copy_from_slice(body));
    let mut request =
        Request::builder().method(Method::from_bytes(method.as_bytes()).ok()?).uri(target).body(body).ok()?;
    for line in lines {
        let colon = line.iter().position(|b| *b == b':')?;
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
        request.headers_mut().append(HeaderName::from_bytes(&line[..colon]).ok()?, value);
    }
    request.headers_mut().insert("authorization", HeaderValue::from_str(token).ok()?);
    Some(request)
}

/// Every name in a request, as far as anybody may read one in it.
fn named(parts: &Parts, body: &[u8]) -> Vec<String> {
    let mut out: Vec<String> = parts.uri.path().split('/').map(plain).collect();
    let pairs = |text: &str| -> Vec<String> {
        let values =
            text.split('&').filter_map(|pair| pair.split_once('=').map(|(_, value)| value.to_owned()));
        values.flat_map(|value| [plain(&value), plain(&value.replace('+', " "))]).collect()
    };
    out.extend(pairs(parts.uri.query().unwrap_or_default()));
    let lines = parts.headers.values().filter_map(|line| std::str::from_utf8(line.as_bytes()).ok());
    out.extend(lines.flat_map(|line| line.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>()));
    let text = String::from_utf8_lossy(body);
    out.extend(pairs(&text));
    out.extend(text.lines().map(|line| line.trim().to_owned()));
    if let Ok(value) = serde_json::from_slice(body) {
        texts(&value, &mut out);
    }
    out
}

fn texts(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, out)),
        Value::Object(members) => members.values().for_each(|member| texts(member, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A text without its percent signs.
fn plain(text: &str) -> String {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..2).and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                out.extend_from_slice(&part.as_bytes()[2..]);
            }
            None => out.extend_from_slice(format!("%{part}").as_bytes()),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
