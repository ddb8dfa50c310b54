//! Ways round the layer by spelling: a name that cannot be read, a word that is written otherwise, a cookie in a bad line.

use std::sync::Arc;

use bytes::Bytes;
use consentry_audit::End;
use consentry_consent::Ledger;
use consentry_layer::Limits;
use consentry_model::{Identifier, LedgerEvent, Space};
use consentry_policy::{Bundle, Engine};
use consentry_tests::world::{Otherwise, TODAY, UpstreamBody, World, get, json, post};
use futures_util::{FutureExt, Stream, StreamExt, stream};
use http::{HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tower_service::Service as _;

const BUNDLE: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}, excess: drop}
requesters: {shop: {purposes: [essential]}}
recipients: {partner: {class: processor, country: AT, agreement: true, tasks: [essential.service]}}
routes:
  - {route: GET /q, purposes: [essential.service], about: {type: customer, space: email, id: query.who, anonymous: true}, request: {query: {who: user.contact.email}}, response: {body: {email: user.contact.email}}}
  - {route: GET /h, purposes: [essential.service], about: {type: customer, space: email, id: header.X-Who, anonymous: true}, request: {headers: {X-Who: user.contact.email}}, response: {body: {email: user.contact.email}}}
  - {route: POST /b, purposes: [essential.service], about: {type: customer, space: email, id: body.user.email, anonymous: true}, request: {body: {user.email: user.contact.email, note: none}}, response: {body: {email: user.contact.email}}}
  - {route: POST /s, purposes: [essential.service], about: {type: customer, space: email, id: body.doc.email, anonymous: true}, request: {type: [application/json], body: {doc: {json: {email: user.contact.email, stop: none}}}}, events: [{if: {body.doc.stop: true}, withdraw: marketing}], response: {body: {email: user.contact.email}}}
  - {route: 'POST /l/{id}', purposes: [essential.service], about: {type: customer, space: email, id: path.id}, request: {type: [application/x-ndjson, application/json-seq], body: {stop: none}}, events: [{if: {body.stop: true}, withdraw: marketing}], response: {body: {n: none}}}
  - {route: POST /e, purposes: [essential.service], about: {type: customer, space: email, id: body.email, anonymous: true}, request: {body: {email: {base64: user.contact.email}}}, response: {body: {email: user.contact.email}}}
  - {route: POST /any, purposes: [essential.service], about: {type: customer, space: email, id: body.email, anonymous: true}, request: {type: [application/json, application/x-www-form-urlencoded, multipart/form-data], body: {email: user.contact.email, e_mail: none, '*': none}}, response: {body: {email: user.contact.email}}}
  - {route: POST /in, purposes: [essential.service], about: {type: customer, space: email, id: body.doc.who, anonymous: true}, request: {body: {doc: {json: {who: none, inner: {json: {a: none}}}}}}, response: {body: {email: user.contact.email}}}
  - {route: POST /tags, purposes: [essential.service], about: {type: customer, space: email, id: body.tags, anonymous: true}, request: {body: {'tags[]': none}}, response: {body: {email: user.contact.email}}}
  - {route: POST /join, purposes: [essential.service], about: {type: customer, space: email, id: body.email}, request: {type: [multipart/form-data], body: {email: user.contact.email, who.opt_in: none, opt_in: none}}, events: [{if: {body.who.opt_in: true}, consent: opt-in, to: marketing}], response: {body: {n: none}}}
  - {route: POST /leave, purposes: [essential.service], about: {type: customer, space: email, id: body.email}, request: {type: [multipart/form-data], body: {email: user.contact.email, stop: none}}, events: [{if: {body.stop: true}, withdraw: marketing}], response: {body: {n: none}}}
  - {route: POST /photos, purposes: [essential.service], about: {type: customer, anonymous: true}, request: {type: [multipart/form-data], body: {'photos[]': user.contact, photo: user.contact}}, response: {body: {n: none}}}
  - {route: GET /c, purposes: [essential.service], about: {type: customer, space: email, id: cookie.who, anonymous: true}, response: {body: {email: user.contact.email}}}
  - {route: 'GET /news/{id}', purposes: [essential.service], about: {type: customer, space: email, id: path.id}, response: {type: text/event-stream, body: {data.note: user.contact}}}
  - {route: GET /feed, purposes: [essential.service], about: {type: customer, space: email, id: query.who, anonymous: true}, request: {query: {who: user.contact.email}}, response: {type: text/event-stream, body: {data.note: user.contact}}}
  - {route: GET /f, purposes: [essential.service], about: {type: customer, population: all}, request: {query: {by: {adds: {user: user.unique_id, a b: user.unique_id}}}}, response: {body: {n: none}}}
  - {route: GET /many, purposes: [essential.service], about: {type: customer, space: email, id: query.who, anonymous: true}, request: {query: {who: user.contact.email, 'ids[]': none, 'mails[]': user.contact.email, 'page[number]': none, 'where[city][]': none}}, response: {body: {n: none}}}
  - {route: GET /stop, purposes: [essential.service], about: {type: customer, space: email, id: query.who}, request: {query: {who: user.contact.email, say: none}}, events: [{if: {query.say: all mail}, withdraw: marketing}], response: {body: {n: none}}}
  - {route: 'POST /to/{recipient}', to: path.recipient, purposes: [essential.service], about: {type: customer, anonymous: true}, request: {body: {email: user.contact.email}}, response: {body: {n: none}}}
cookies:
  - {name: sid, purpose: essential.service.authentication, data: user.device.cookie, form: opaque, clauses: [c]}
rules:
  - {id: service, permit: essential, data: user.contact, basis: {legitimate_interests: LIA-1}, clauses: [c]}
  - {id: outside, permit: essential.service, data: user.contact, to: partner, basis: {legitimate_interests: LIA-1}, clauses: [c]}
  - {id: session, permit: essential.service.authentication, data: user.device.cookie, to: internal, basis: {legitimate_interests: LIA-1}, clauses: [c]}
clauses: [{id: c, line: 1, section: s, says: everything, status: enforced}]
cases: [{case: nobody, clause: c, who: shop, asks: GET /q, about: ann, then: allow}]
";
const ANN: &str = "ann+x@example.org";

async fn world() -> World {
    otherwise(Otherwise::default()).await
}

async fn otherwise(otherwise: Otherwise) -> World {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bundle.yaml"), BUNDLE).unwrap();
    let bundle = Bundle::load(folder.path()).unwrap_or_else(|e| panic!("{e:?}"));
    let world = World::otherwise(otherwise);
    world.policy.install(Engine::new(bundle).unwrap(), TODAY);
    let restricted = LedgerEvent::Restriction { on: true, effective: TODAY.saturating_add_millis(-1) };
    world.record("email", ANN, &[restricted]).await;
    world
}

fn asked(world: &World, path: &str, lines: &[(&'static str, &[u8])]) -> Request<Full<Bytes>> {
    let mut request = get(path, Some(&world.token("shop", &["essential.service"])), None);
    for (name, value) in lines {
        request.headers_mut().append(*name, HeaderValue::from_bytes(value).unwrap());
    }
    request
}

fn brought(world: &World, path: &str, body: &str) -> Request<Full<Bytes>> {
    let mut request = post(path, body);
    let token = format!("Bearer {}", world.token("shop", &["essential.service"]));
    request.headers_mut().insert("authorization", token.parse().unwrap());
    request
}

/// Whether her address, which the service answers with, comes out, or the request goes on to it.
async fn shows(world: &World, request: Request<Full<Bytes>>) -> (bool, bool) {
    world.upstream.answers(json(r#"{"email":"ann+x@example.org"}"#));
    let seen = world.send(request).await;
    world.upstream.forget();
    let body = seen.body.unwrap_or_else(|begun| begun);
    (String::from_utf8_lossy(&body).contains("ann"), !world.upstream.take().is_empty())
}

/// A form of one part.
fn part(name: &str, kind: &str, content: &str) -> String {
    format!(
        "--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\nContent-Type: {kind}\r\n\r\n{content}\r\n--b--"
    )
}

/// What is not of the declared shape goes, and takes along what stands in it.
#[tokio::test]
async fn law_1_nothing_is_decided_by_what_its_shape_takes_out() {
    let world = world().await;
    let inside = |inner: &str| {
        serde_json::json!({"doc": format!(r#"{{"who":"bob@example.org","inner":{inner}}}"#)}).to_string()
    };
    for (path, body, status) in [
        ("/in", inside(r#""{}""#), 200),
        ("/in", inside(r#""{\"a\":1}""#), 200),
        ("/in", inside(r#"{"a":1}"#), 403),
        ("/in", inside("[]"), 403),
        ("/tags", r#"{"tags":"bob@example.org"}"#.to_owned(), 403),
        ("/tags", r#"{"tags":null}"#.to_owned(), 200),
        ("/tags", "{}".to_owned(), 200),
    ] {
        world.upstream.forget();
        world.upstream.answers(json(r#"{"email":"bob@example.org"}"#));
        let seen = world.send(brought(&world, path, &body)).await;
        assert_eq!(seen.status, status, "{path} {body}: {seen:?}");
        assert_eq!(!world.upstream.take().is_empty(), status == 200, "{path} {body}");
        assert!(status == 200 || seen.code() == "minimisation-violation", "{path} {body}: {seen:?}");
    }
}

/// A part of JSON says what a body of JSON would.
#[tokio::test]
async fn law_1_a_yes_in_a_part_of_json_is_read_as_json() {
    for (kind, name, said, agreed) in [
        ("application/json", "who", r#"{"opt_in":true}"#, true),
        ("application/json", "who", r#"{"opt_in":"true"}"#, false),
        ("application/json", "who", r#"{"opt_in":1}"#, false),
        ("application/json", "who.opt_in", "true", true),
        ("application/json", "who.opt_in", r#""true""#, false),
        ("text/plain", "who.opt_in", "true", true),
        ("text/plain", "who.opt_in", "1", false),
    ] {
        let world = world().await;
        let form =
            part("email", "text/plain", "eve@example.org").replace("--b--", "") + &part(name, kind, said);
        let mut request = brought(&world, "/join", &form);
        request.headers_mut().insert("content-type", "multipart/form-data; boundary=b".parse().unwrap());
        world.upstream.answers(json(r#"{"n":1}"#));
        let seen = world.send(request).await;
        // Of whom nobody has heard, and who agrees to nothing, nothing may be said.
        assert_eq!(seen.status, if agreed { 200 } else { 403 }, "{kind} {said}: {seen:?}");
        let eve = Identifier::new(Space::new("email"), "eve@example.org");
        let known = world.ledger.resolve(&[eve]).await.unwrap().answers.remove(0);
        let is_known = matches!(known, consentry_model::Resolution::Known(_));
        assert_eq!(is_known, agreed, "{kind} {name} {said}");
    }
}

/// A browser sends a file of JSON for `new Blob(['false'])`, and some services read the field.
#[tokio::test]
async fn law_7_a_no_in_a_file_of_json_is_heard() {
    for (said, heard) in [("true", true), ("\"yes\"", true), ("false", false), ("{\"a\":true}", false)] {
        let world = world().await;
        let bob = Identifier::new(Space::new("email"), "bob@example.org");
        world.record("email", "bob@example.org", &[]).await;
        let form = part("email", "text/plain", "bob@example.org").replace("--b--", "")
            + &part("stop\"; filename=\"blob", "application/json", said);
        let mut request = brought(&world, "/leave", &form);
        request.headers_mut().insert("content-type", "multipart/form-data; boundary=b".parse().unwrap());
        world.upstream.answers(json(r#"{"n":1}"#));
        world.send(request).await;
        let known = world.ledger.resolve(&[bob]).await.unwrap().answers.remove(0);
        let consentry_model::Resolution::Known(state) = known else { panic!("{said}") };
        let is_no = |event: &LedgerEvent| matches!(event, LedgerEvent::Consent(_));
        assert_eq!(state.events.iter().any(|entry| is_no(&entry.event)), heard, "{said}");
    }
}

#[tokio::test]
async fn several_files_under_the_name_of_a_list_are_a_list() {
    let world = world().await;
    for (name, status) in [("photos", 200), ("photos[]", 200), ("photo", 400)] {
        let photo = part(&format!("{name}\"; filename=\"a.png"), "image/png", "x");
        let form = photo.replace("--b--", "") + &photo;
        let mut request = brought(&world, "/photos", &form);
        request.headers_mut().insert("content-type", "multipart/form-data; boundary=b".parse().unwrap());
        world.upstream.answers(json(r#"{"n":1}"#));
        let seen = world.send(request).await;
        assert_eq!(seen.status, status, "{name}: {seen:?}");
    }
}

/// Some readers take the last of several names that are the same to them, and others rewrite names.
#[tokio::test]
async fn law_1_a_name_that_any_name_lets_through_is_no_other_spelling_of_a_declared_one() {
    let world = world().await;
    let (json, form) = ("application/json", "application/x-www-form-urlencoded");
    let parts = "multipart/form-data; boundary=b";
    for (kind, body, status) in [
        (json, r#"{"email":"bob@example.org","other":"x"}"#, 200),
        (json, r#"{"other":"x"}"#, 200),
        (json, r#"{"email":"bob@example.org","Email":"ann+x@example.org"}"#, 400),
        (json, r#"{"EMAIL":"ann+x@example.org"}"#, 400),
        (json, r#"{" email":"ann+x@example.org"}"#, 400),
        (json, r#"{"e-mail":"x"}"#, 400),
        (json, r#"{"e_mail":"x","emails":"y"}"#, 200),
        (form, "email=bob@example.org&other=x", 200),
        (form, "email=bob@example.org&eMail=ann%2Bx@example.org", 400),
        (form, "email=bob@example.org&+email=ann%2Bx@example.org", 400),
        (form, "e+mail=x", 400),
        (form, "e%2Dmail=x", 400),
        (parts, &part("email", "text/plain", "bob@example.org"), 200),
        (parts, &part("Email", "text/plain", "ann+x@example.org"), 400),
        (parts, &part("Email", "text/html", "ann+x@example.org"), 400),
        (parts, &part("Email", "application/json", r#"{"x":1}"#), 400),
        (parts, &part("other", "text/html", "x"), 200),
    ] {
        let mut request = brought(&world, "/any", body);
        request.headers_mut().insert("content-type", kind.parse().unwrap());
        world.upstream.forget();
        let seen = world.send(request).await;
        assert_eq!(seen.status, status, "{kind} {body}: {seen:?}");
        assert_eq!(!world.upstream.take().is_empty(), status == 200, "{kind} {body}");
        assert!(status == 200 || seen.code() == "body-malformed", "{kind} {body}: {seen:?}");
    }
}

#[tokio::test]
async fn law_1_a_name_that_nobody_can_read_is_not_nobodys() {
    let world = world().await;
    let line = |value: &'static [u8], name: &'static str| vec![(name, value)];
    for (path, lines, shown) in [
        // Nobody is named, and nobody's address is.
        ("/q", vec![], true),
        ("/q?who=", vec![], true),
        ("/q?who=bob@example.org", vec![], true),
        ("/h", vec![], true),
        ("/c", vec![], true),
        ("/c", line(b"x=1; flag", "cookie"), true),
        // Ann, whose data is restricted.
        ("/q?who=ann%2Bx@example.org", vec![], false),
        ("/h", line(b"ann+x@example.org", "x-who"), false),
        ("/c", line(b"who=ann+x@example.org", "cookie"), false),
        // Ann, for whoever reads a plus sign as it is.
        ("/q?who=ann+x@example.org", vec![], false),
        ("/q?who=ann%2Bx@example.org%20", vec![], false),
        ("/q?who=%E2%80%8Bann%2Bx@example.org", vec![], false),
        ("/h", line(b"ann+x@example.org\xc3\xa9", "x-who"), false),
        ("/c", line(b"who=ann+x@example.org; flag", "cookie"), false),
        ("/c", line(b"who=ann+x@example.org; who=b", "cookie"), false),
        ("/c", line(b"who=ann+x@example.org; z=\xff", "cookie"), false),
        // Ann, for whoever decodes, or takes quotation marks off.
        ("/c", line(b"who=ann%2Bx%40example.org", "cookie"), false),
        ("/c", line(b"who=ann+x%40example.org", "cookie"), false),
        ("/c", line(b"who=%", "cookie"), false),
        ("/c", line(b"who=\"ann+x@example.org\"", "cookie"), false),
        ("/c", line(b"who=ann\\+x@example.org", "cookie"), false),
        ("/c", line(b"wh%6F=ann+x@example.org", "cookie"), false),
        ("/c", line(b"x%6F=ann+x@example.org", "cookie"), true),
    ] {
        let (seen, _) = shows(&world, asked(&world, path, &lines)).await;
        assert_eq!(seen, shown, "{path} {lines:?}");
    }
}

#[tokio::test]
async fn law_1_a_name_in_another_shape_is_not_nobodys() {
    let world = world().await;
    for (body, shown) in [
        (r#"{"note":1}"#, true),
        ("", true),
        (r#"{"user":null,"note":1}"#, true),
        (r#"{"user":{"email":null}}"#, true),
        (r#"{"user":{"email":"bob@example.org"}}"#, true),
        (r#"{"user":{"email":"ann+x@example.org"}}"#, false),
        (r#"{"user":{"email":["ann+x@example.org"]}}"#, false),
        (r#"{"user":{"email":{"address":"ann+x@example.org"}}}"#, false),
        (r#"{"user":[{"email":"ann+x@example.org"}]}"#, false),
        (r#"{"user":"ann+x@example.org"}"#, false),
        (r#"{"user":{"email":true}}"#, false),
        // A number that every reader takes for the same is a name; any other may be anybody's.
        (r#"{"user":{"email":-9007199254740991}}"#, true),
        (r#"{"user":{"email":9007199254740992}}"#, false),
        (r#"{"user":{"email":-0}}"#, false),
        (r#"{"user":{"email":" ann+x@example.org"}}"#, false),
        (r#"{"user":{"email":"ann+x@example.org\n"}}"#, false),
        (r#"{"user":{"email":"ann+x@example.org\u0000"}}"#, false),
        (r#"{"user":{"email":"ann\u200b+x@example.org"}}"#, false),
        (r#"{"user":{"email":"ann\ufe0f+x@example.org"}}"#, false),
        (r#"{"user":{"email":"ann\u180e+x@example.org"}}"#, false),
        (r#"{"user":{"email":"ann\udb40\udc41+x@example.org"}}"#, false),
        (
            r#"{"user":{"email":"bob@example.org"},"note":"\u2764\ufe0f \ud83d\udc69\u200d\ud83d\udc67"}"#,
            true,
        ),
        (r#"{"user":{"email":"\u00a0ann+x@example.org"}}"#, false),
        (r#"{"user":{"email":" "}}"#, false),
    ] {
        let (seen, _) = shows(&world, brought(&world, "/b", body)).await;
        assert_eq!(seen, shown, "{body}");
    }
}

#[tokio::test]
async fn law_1_a_name_inside_of_a_string_is_the_name_that_it_would_be_outside() {
    let world = world().await;
    world.record("email", "bob@example.org", &[]).await;
    for (path, body, shown) in [
        ("/s", r#"{"doc":"{\"email\":\"bob@example.org\"}"}"#, true),
        ("/s", r#"{"doc":"{\"email\":null}"}"#, true),
        ("/s", r#"{"doc":"{\"email\":\"ann+x@example.org\"}"}"#, false),
        ("/s", r#"{"doc":"{\"email\":\"ann\\u002bx@example.org\"}"}"#, false),
        ("/s", r#"{"doc":"{\"email\":\"b\",\"email\":\"ann+x@example.org\"}"}"#, false),
        ("/s", r#"{"doc":"[\"ann+x@example.org\"]"}"#, false),
        ("/s", r#"{"doc":"ann+x@example.org"}"#, false),
        // Bob, Ann, and Ann without the sign that fills up.
        ("/e", r#"{"email":"Ym9iQGV4YW1wbGUub3Jn"}"#, true),
        ("/e", r#"{"email":"YW5uK3hAZXhhbXBsZS5vcmc="}"#, false),
        ("/e", r#"{"email":"YW5uK3hAZXhhbXBsZS5vcmc"}"#, false),
    ] {
        let (seen, _) = shows(&world, brought(&world, path, body)).await;
        assert_eq!(seen, shown, "{path} {body}");
    }
}

#[tokio::test]
async fn law_7_a_no_inside_of_a_string_is_heard() {
    for (stop, heard) in [("true", true), ("false", false), (r#"\"true\""#, true), (r#"\"later\""#, false)] {
        let world = world().await;
        let body = format!(r#"{{"doc":"{{\"email\":\"{ANN}\",\"stop\":{stop}}}"}}"#);
        world.send(brought(&world, "/s", &body)).await;
        let who = [Identifier::new(Space::new("email"), ANN)];
        let batch = Ledger::resolve(&*world.ledger, &who).await.unwrap();
        assert_eq!(format!("{:?}", batch.answers).contains("Withdrawn"), heard, "{stop}");
    }
}

#[tokio::test]
async fn law_7_a_no_in_any_of_several_texts_is_heard() {
    for (kind, body, heard) in [
        ("application/x-ndjson", "{\"stop\":true}\n", true),
        ("application/x-ndjson", "{}\n{\"stop\":false}\n{\"stop\":true}\n", true),
        ("application/x-ndjson", "{\"stop\":[\"on\"]}", true),
        ("application/x-ndjson", "{}\n{\"stop\":false}\n", false),
        ("application/json-seq", "\u{1e}{}\n\u{1e}{\"stop\":true}\n", true),
        ("application/json-seq", "\u{1e}{\"go\":true}\n", false),
    ] {
        let world = world().await;
        let mut request = brought(&world, &format!("/l/{ANN}"), body);
        request.headers_mut().insert("content-type", kind.parse().unwrap());
        world.send(request).await;
        let who = [Identifier::new(Space::new("email"), ANN)];
        let batch = Ledger::resolve(&*world.ledger, &who).await.unwrap();
        assert_eq!(format!("{:?}", batch.answers).contains("Withdrawn"), heard, "{kind} {body}");
    }
}

#[tokio::test]
async fn law_1_a_word_that_asks_for_more_does_so_however_it_is_written() {
    let world = world().await;
    for (query, passes) in [
        ("", true),
        ("?by=day", true),
        ("?by=users", true),
        ("?by=user", false),
        ("?by=us%65r", false),
        ("?by=User", false),
        ("?by=day,user", false),
        ("?by=day|user", false),
        ("?by=user%20", false),
        ("?by=user+", false),
        ("?by=a%20b", false),
        ("?by=a+b", false),
        ("?by=day%0Auser", false),
        ("?by=day%09user", false),
        ("?by=day%E2%80%A8user", false),
        ("?by=us%E2%80%8Ber", false),
        ("?by=[day,user]", false),
        ("?by=%5B%22user%22%5D", false),
        ("?by=day.user", false),
        ("?by=-user", false),
        ("?by=user:desc", false),
        ("?by=day/user", false),
        ("?by=superuser", true),
        ("?by=user_name", true),
        ("?by=super_user", true),
        ("?by=super-user", true),
        ("?by=user-", false),
        ("?by=day,-user", false),
    ] {
        let (_, reached) = shows(&world, asked(&world, &format!("/f{query}"), &[])).await;
        assert_eq!(reached, passes, "{query}");
    }
}

#[tokio::test]
async fn law_1_a_parameter_comes_as_often_and_in_the_brackets_that_the_route_says() {
    let world = world().await;
    for (query, passes) in [
        ("ids=1", true),
        ("ids=1&ids=2&ids=1", true),
        ("ids[]=1", true),
        ("ids[]=1&ids%5B%5D=2", true),
        ("mails=a%40example.org&mails=b%40example.org", true),
        ("page[number]=2", true),
        ("page%5Bnumber%5D=2", true),
        ("where[city]=a&where[city]=b", true),
        ("where[city][]=a", true),
        // One thing in two spellings.
        ("ids=1&ids[]=2", false),
        ("ids=1&IDS=2", false),
        ("ids[]=1&Ids[]=2", false),
        ("page[number]=2&page.number=3", false),
        ("page[number]=2&page_number=3", false),
        ("page[number]=2&page=3", false),
        ("page=3&page[number]=2", false),
        // What nobody declared so.
        ("page[number]=2&page[number]=3", false),
        ("page[number][]=2", false),
        ("page[size]=2", false),
        ("page[Number]=2", false),
        ("page[]=2", false),
        ("who=a&who=b", false),
        ("who[]=a", false),
        ("other=1&other=2", false),
        ("other[]=1", false),
        ("other[a]=1", false),
        // What is no name.
        ("ids[0]=1", false),
        ("ids[]x=1", false),
        ("ids[[]]=1", false),
        ("[ids]=1", false),
        ("[]=1", false),
        ("ids[a.b]=1", false),
        ("ids[]]=1", false),
        ("_method[]=DELETE", false),
    ] {
        let (_, reached) = shows(&world, asked(&world, &format!("/many?{query}"), &[])).await;
        assert_eq!(reached, passes, "{query}");
    }
    // As they came, and each of them.
    world.upstream.answers(json("{}"));
    world.send(asked(&world, "/many?ids=2&ids=1&other=x&page[number]=3", &[])).await;
    assert_eq!(world.upstream.take()[0].0.uri.query(), Some("ids=2&ids=1&page[number]=3"));
}

#[tokio::test]
async fn law_7_a_no_is_heard_as_a_browsers_form_writes_it() {
    for (say, heard) in [
        ("all%20mail", true),
        ("all+mail", true),
        ("ALL%20mail", true),
        ("all%20mail%E2%80%8B", true),
        ("%20all%20mail", true),
        ("all", false),
    ] {
        let world = world().await;
        world.record("email", "bob@example.org", &[]).await;
        let path = format!("/stop?who={}&say={say}", "ann%2Bx@example.org");
        world.send(asked(&world, &path, &[])).await;
        let who = [Identifier::new(Space::new("email"), ANN)];
        let batch = Ledger::resolve(&*world.ledger, &who).await.unwrap();
        let told = format!("{:?}", batch.answers).contains("Withdrawn");
        assert_eq!(told, heard, "{say}");
    }
}

#[tokio::test]
async fn law_1_no_cookie_goes_outside_or_comes_from_there() {
    let world = world().await;
    let answer = || {
        let mut answer = json(r#"{"n":1}"#);
        answer.headers_mut().append("set-cookie", "sid=from-outside; Path=/".parse().unwrap());
        answer
    };
    let mut request = brought(&world, "/to/partner", r#"{"email":"bob@example.org"}"#);
    request.headers_mut().insert("cookie", "sid=secret-session-1".parse().unwrap());
    world.upstream.answers(answer());
    let seen = world.send(request).await;
    let reached = world.upstream.take();
    assert_eq!(reached.len(), 1, "{seen:?}");
    assert!(!reached[0].0.headers.contains_key("cookie"), "{reached:?}");
    assert!(!seen.headers.contains_key("set-cookie"), "{seen:?}");
    // Within, both travel.
    for line in [&b"sid=secret-session-1; flag"[..], "sid=secret-session-1; city=Gra\u{df}".as_bytes()] {
        world.upstream.answers(answer());
        let seen = world.send(asked(&world, "/c", &[("cookie", line)])).await;
        assert_eq!(world.upstream.take()[0].0.headers["cookie"], "sid=secret-session-1");
        assert!(seen.headers.contains_key("set-cookie"), "{seen:?}");
    }
}

#[tokio::test]
async fn law_11_whom_a_request_names_is_looked_up_again_while_the_answer_streams() {
    for (path, known, restricts, notes) in [
        ("/news/bob@example.org", true, false, 40..=40),
        ("/news/bob@example.org", true, true, 15..=24),
        // Nobody knows him until he says no.
        ("/feed?who=bob@example.org", false, false, 40..=40),
        ("/feed?who=bob@example.org", false, true, 15..=24),
        ("/feed", false, true, 40..=40),
    ] {
        let mut limits = Limits::default();
        (limits.response_hold_bytes_max, limits.window_bytes_max) = (256, 128);
        let world = otherwise(Otherwise { limits: Some(limits), ..Otherwise::default() }).await;
        if known {
            world.record("email", "bob@example.org", &[]).await;
        }
        let half = "data: {\"note\":\"a note of some length\"}\n\n".repeat(20);
        let pieces = [half.clone(), half];
        let ledger = Arc::clone(&world.ledger);
        let restricted = LedgerEvent::Restriction { on: true, effective: TODAY };
        let events = if restricts { vec![restricted] } else { Vec::new() };
        let pieces = stream::iter(pieces.into_iter().enumerate()).map(move |(at, piece)| {
            if at == 1 && restricts {
                let bob = Identifier::new(Space::new("email"), "bob@example.org");
                ledger.append(&bob, &events, TODAY).now_or_never().unwrap().unwrap();
            }
            Ok(Frame::data(Bytes::from(piece)))
        });
        world.upstream.answers(events_of(pieces));
        let seen = world.send(asked(&world, path, &[])).await;
        let body = String::from_utf8(seen.body.unwrap_or_else(|begun| begun).to_vec()).unwrap();
        let shown = body.matches("a note").count();
        assert!(notes.contains(&shown), "{path} {restricts}: {shown}: {body}");
    }
}

/// An answer of events that come piece by piece.
fn events_of(
    pieces: impl Stream<Item = std::io::Result<Frame<Bytes>>> + Send + Sync + 'static,
) -> Response<UpstreamBody> {
    let body = BodyExt::boxed(StreamBody::new(pieces));
    Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
}

#[tokio::test]
async fn law_12_a_stream_that_nobody_reads_any_more_ends_although_the_service_is_silent() {
    let world = world().await;
    world.record("email", "bob@example.org", &[]).await;
    let event = Ok(Frame::data(Bytes::from("data: {\"note\":\"a note\"}\n\n")));
    let begun = Arc::new(());
    let held = Arc::clone(&begun);
    let silent = stream::iter([event]).chain(stream::pending()).inspect(move |_| drop(Arc::clone(&held)));
    world.upstream.answers(events_of(silent));
    let answer = world.service.clone().call(asked(&world, "/news/bob@example.org", &[])).await.unwrap();
    let mut body = answer.into_body();
    let first = body.frame().await.unwrap().unwrap();
    assert!(first.into_data().unwrap().starts_with(b"data: "), "the first event comes");
    drop(body);
    let ended = async {
        while Arc::strong_count(&begun) > 1 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let ended = tokio::time::timeout(std::time::Duration::from_secs(5), ended).await;
    assert!(ended.is_ok(), "the service is still listened to, and its slot is taken");
    let (_, closing) = world.last_ticket().await;
    assert_eq!((closing.end, closing.status, closing.bytes > 0), (End::Abandoned, Some(200), true));
}
