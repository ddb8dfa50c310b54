//! Ways round the search for cards, addresses and telephone numbers: places where nobody looks, and values in disguise.

use bytes::Bytes;
use consentry_policy::{Bundle, Engine, Sources};
use consentry_tests::world::{TODAY, World, contract, post};
use http::Request;
use http_body_util::Full;

const BUNDLE: &str = "
bundle:
  controller: Example
  policy: {version: v1, from: 2026-01-01}
  excess: refuse
  detect: {pan: user.financial.credit_card, email: user.contact.email, phone: user.contact.phone_number, clauses: [c-1]}
  mail: {domains: [example.org], postal_address: '1 High Street', markers: ['[ad]'], clauses: [c-1]}
requesters: {shop: {purposes: [essential]}}
recipients: {bureau: {class: processor, country: DE, agreement: true, tasks: [essential.service]}}
rules:
  - {id: serve, permit: essential.service, data: [user.unique_id, user.name, user.device], of: customer, basis: contract, clauses: [c-1]}
  - {id: reach, permit: essential.service, data: user.contact.email, act: collect, of: customer, when: {subject.contract: active}, basis: contract, clauses: [c-1]}
  - {id: score, permit: essential.service, data: user.financial, act: obtain, to: [internal, processor], of: customer, basis: {legitimate_interests: LIA-1}, clauses: [c-1]}
  - {id: mail, permit: essential.service, data: user.contact.email, act: send, when: {message.sender_domain: own}, basis: contract, clauses: [c-1]}
clauses: [{id: c-1, line: 1, section: Use, says: Customers are served., status: enforced}]
cases: [{case: nobody, clause: c-1, who: shop, asks: GET /nowhere, about: nobody, then: refuse route-unknown}]
routes:
  - route: POST /notes/{id}
    purpose: essential.service
    about: {type: customer, space: customer, id: path.id}
    request:
      headers: {X-Note: none}
      query: {q: none}
      body: {note: none, tags.*: none, 'any.**': none, email: user.contact.email, doc: {json: {note: none}}, blob: {base64: {json: {note: none}}}}
    response: {body: {ok: none}}
  - route: POST /forms/{id}
    purpose: essential.service
    about: {type: customer, space: customer, id: path.id}
    request:
      type: [application/x-www-form-urlencoded, multipart/form-data, text/csv, application/x-ndjson]
      body: {note: none, 'any.**': none, file: none}
    response: {body: {ok: none}}
  - {route: 'POST /scores/{id}', purpose: essential.service, to: bureau, about: {type: customer, space: email, id: path.id}, response: {body: {score: user.financial}}}
  - {route: 'POST /own/{id}', purpose: essential.service, about: {type: customer, space: email, id: path.id}, response: {body: {name: user.name}}}
  - {route: POST /feedback, public: true, purpose: essential.service, request: {query: {q: none}, body: {note: none}}, response: {body: {ok: none}}}
  - route: POST /mail
    purpose: essential.service
    about: {type: customer, space: email, id: 'body.to[]'}
    message: {to: 'body.to[]', from: body.from, topic: body.topic, text: body.text, headers: body.headers}
    response: {body: none}
";
const PAN: &str = "4111111111111111";

async fn world() -> World {
    let world = World::new();
    let bundle =
        Bundle::read(&Sources::from_texts([("bundle.yaml", BUNDLE)])).unwrap_or_else(|e| panic!("{e}"));
    world.policy.install(Engine::new(bundle).unwrap_or_else(|e| panic!("{e:?}")), TODAY);
    world.record("customer", "ann", &[contract()]).await;
    world.record("email", "ann@example.org", &[contract()]).await;
    world
}

fn sends(world: &World, path: &str, kind: &str, body: &str) -> Request<Full<Bytes>> {
    let mut request = post(path, body);
    let token = format!("Bearer {}", world.token("shop", &["essential.service"]));
    request.headers_mut().insert("authorization", token.parse().unwrap());
    request.headers_mut().insert("content-type", kind.parse().unwrap());
    request
}

#[tokio::test]
async fn law_1_a_card_number_is_found_wherever_it_stands() {
    let world = world().await;
    let (json, form, parts) =
        ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b");
    let part = |head: &str, body: &str| {
        format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n--b--\r\n")
    };
    for (path, kind, body, passes) in [
        (
            "/notes/ann",
            json,
            r#"{"note":"x","tags":{"a":1},"any":{"b":["c"]},"doc":"{\"note\":1}"}"#.to_owned(),
            true,
        ),
        ("/notes/ann?q=a%20b", json, "{}".to_owned(), true),
        // Of whom nobody says whose it is.
        ("/feedback?q=a", json, r#"{"note":"x"}"#.to_owned(), true),
        ("/feedback", json, format!(r#"{{"note":"{PAN}"}}"#), false),
        ("/feedback?q=4111111111111111", json, "{}".to_owned(), false),
        // Behind the escapes of JSON, where no body of JSON is.
        ("/notes/ann?q=%7B%22e%22:%22%5Cu0034111111111111111%22%7D", json, "{}".to_owned(), false),
        // In Base64, as a name.
        ("/notes/ann", json, r#"{"tags":{"NDExMTExMTExMTExMTExMQ==":1}}"#.to_owned(), false),
        ("/forms/ann", form, "any.NDExMTExMTExMTExMTExMQ=x".to_owned(), false),
        ("/notes/ann", json, format!(r#"{{"note":"{PAN}"}}"#), false),
        ("/notes/ann", json, format!(r#"{{"note":{PAN}}}"#), false),
        ("/notes/ann", json, r#"{"note":4.111111111111111e15}"#.to_owned(), false),
        ("/notes/ann", json, r#"{"note":"\u0034111111111111111"}"#.to_owned(), false),
        ("/notes/ann", json, format!(r#"{{"tags":{{"{PAN}":1}}}}"#), false),
        ("/notes/ann", json, format!(r#"{{"any":{{"{PAN}":1}}}}"#), false),
        ("/notes/ann", json, r#"{"any":{"+43 1 2345678":1}}"#.to_owned(), false),
        ("/notes/ann", json, format!(r#"{{"any":{{"a":["{PAN}"]}}}}"#), false),
        ("/notes/ann", json, format!(r#"{{"doc":"{{\"note\":\"{PAN}\"}}"}}"#), false),
        ("/notes/ann", json, r#"{"doc":"{\"note\":\"\\u0034111111111111111\"}"}"#.to_owned(), false),
        ("/notes/ann", json, r#"{"doc":"{\"note\":4.111111111111111e15}"}"#.to_owned(), false),
        // {"note":"4111111111111111"}
        ("/notes/ann", json, r#"{"blob":"eyJub3RlIjoiNDExMTExMTExMTExMTExMSJ9"}"#.to_owned(), false),
        // The same in Base64, with something before and behind it, in another one, and in a text of JSON in it.
        ("/notes/ann", json, r#"{"note":"ref bm90aGluZyBhdCBhbGw=, and v1.2-x_y"}"#.to_owned(), true),
        ("/notes/ann", json, r#"{"note":"ref NDExMTExMTExMTExMTExMQ=="}"#.to_owned(), false),
        (
            "/notes/ann",
            json,
            r#"{"note":"data:text/plain;base64,NDExMTExMTExMTExMTExMQ=="}"#.to_owned(),
            false,
        ),
        ("/notes/ann", json, r#"{"note":"v1.NDExMTExMTExMTExMTExMQ"}"#.to_owned(), false),
        ("/notes/ann", json, r#"{"note":"v1-NDExMTExMTExMTExMTExMQ-x"}"#.to_owned(), false),
        ("/notes/ann", json, r#"{"any":{"a":["x.TkRFeE1URXhNVEV4TVRFeE1URXhNUT09"]}}"#.to_owned(), false),
        ("/notes/ann", json, r#"{"note":"a eyJub3RlIjoiNDExMTExMTExMTExMTExMSJ9 b"}"#.to_owned(), false),
        ("/notes/ann?q=v1.NDExMTExMTExMTExMTExMQ", json, "{}".to_owned(), false),
        ("/notes/ann?q=4111111111111111", json, "{}".to_owned(), false),
        ("/notes/ann?q=%34111111111111111", json, "{}".to_owned(), false),
        // A plus sign is itself, or a blank: either may be meant.
        ("/notes/ann?q=a+b", json, "{}".to_owned(), true),
        ("/notes/ann?q=4111+1111+1111+1111", json, "{}".to_owned(), false),
        ("/notes/ann?q=4111111111111111+", json, "{}".to_owned(), false),
        ("/notes/ann?q=+4312345678", json, "{}".to_owned(), false),
        ("/notes/ann?q=NDExMTExMTExMTExMTExMQ", json, "{}".to_owned(), false),
        ("/notes/ann?q=NDExMTExMTExMTExMTExMQ%3D%3D", json, "{}".to_owned(), false),
        ("/notes/ann?q=bm90aGluZyBhdCBhbGw", json, "{}".to_owned(), true),
        ("/forms/ann", form, "note=x&any.a=y".to_owned(), true),
        ("/forms/ann", form, format!("note={PAN}"), false),
        ("/forms/ann", form, format!("any.{PAN}=1"), false),
        ("/forms/ann", form, "any.%2B43 1 2345678=1".to_owned(), false),
        ("/forms/ann", "text/csv", "note\nx\n".to_owned(), true),
        ("/forms/ann", "text/csv", format!("note\n{PAN}\n"), false),
        ("/forms/ann", "text/csv", format!("\u{feff}note\n{PAN}\n"), false),
        ("/forms/ann", "text/csv", "\u{feff}note\nx\n".to_owned(), true),
        ("/forms/ann", "text/csv", format!("any.{PAN}\n1\n"), false),
        // A table without rows has names all the same.
        ("/forms/ann", "text/csv", "note,any.a\n".to_owned(), true),
        ("/forms/ann", "text/csv", format!("any.{PAN}\n"), false),
        ("/forms/ann", "text/csv", "note,any.4111 1111 1111 1111\n".to_owned(), false),
        (
            "/forms/ann",
            "application/x-ndjson",
            format!("{{\"note\":\"x\"}}\n{{\"note\":\"{PAN}\"}}\n"),
            false,
        ),
        ("/forms/ann", parts, part("name=\"note\"", "x"), true),
        ("/forms/ann", parts, part("name=\"note\"", PAN), false),
        ("/forms/ann", parts, part("name=\"file\"; filename=\"a.txt\"", PAN), false),
        ("/forms/ann", parts, part("name=\"file\"; filename=\"a.txt\"", "x"), true),
        ("/forms/ann", parts, part(&format!("name=\"file\"; filename=\"{PAN}.txt\""), "x"), false),
        (
            "/forms/ann",
            parts,
            part("name=\"file\"; filename=\"a.txt\"\r\nContent-Type: image/png", "x"),
            true,
        ),
        (
            "/forms/ann",
            parts,
            part(&format!("name=\"file\"; filename=\"a.txt\"\r\nContent-Type: image/{PAN}"), "x"),
            false,
        ),
        (
            "/forms/ann",
            parts,
            part(
                &format!("name=\"any.x\"; filename=\"{PAN}\"\r\nContent-Type: application/json"),
                "{\"a\":1}",
            ),
            false,
        ),
    ] {
        let seen = world.send(sends(&world, path, kind, &body)).await;
        let reached = !world.upstream.take().is_empty();
        assert_eq!((seen.status == 200, reached), (passes, passes), "{path} {body}: {seen:?}");
    }
    for (note, status) in
        [("x", 200), (PAN, 403), ("NDExMTExMTExMTExMTExMQ==", 403), ("v1 NDExMTExMTExMTExMTExMQ", 403)]
    {
        let mut request = sends(&world, "/notes/ann", json, "{}");
        request.headers_mut().insert("x-note", note.parse().unwrap());
        let seen = world.send(request).await;
        assert_eq!(seen.status, status, "{note}: {seen:?}");
    }
}

#[tokio::test]
async fn what_the_map_calls_by_its_name_is_decided_as_what_it_is() {
    let world = world().await;
    let own = sends(&world, "/notes/ann", "application/json", r#"{"email":"ann@example.org"}"#);
    assert_eq!(world.send(own).await.status, 200);
    let body = r#"{"to":["ann@example.org"],"from":"info@example.org","topic":"t","text":"Hello."}"#;
    let seen = world.send(sends(&world, "/mail", "application/json", body)).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    for body in [
        r#"{"to":["ann@example.org"],"from":"info@example.org","topic":"t","text":"ask bob@other.test"}"#,
        r#"{"to":["ann@example.org"],"from":"info@example.org","topic":"bob@example.org","text":"x"}"#,
        r#"{"to":["ann@example.org"],"from":"bob@other.test","topic":"t","text":"x"}"#,
    ] {
        let seen = world.send(sends(&world, "/mail", "application/json", body)).await;
        assert_ne!(seen.status, 200, "{body}");
    }
}

#[tokio::test]
async fn law_2_what_names_somebody_in_a_path_is_told_whoever_the_path_goes_to() {
    let world = world().await;
    world.record("email", "7", &[contract()]).await;
    for (path, reached) in [("/scores/7", 1), ("/scores/ann@example.org", 0), ("/own/ann@example.org", 1)] {
        let mut request = sends(&world, path, "application/json", "");
        request.headers_mut().remove("content-type");
        let seen = world.send(request).await;
        assert_eq!(world.upstream.take().len(), reached, "{path}: {seen:?}");
    }
}
