//! Ways round the layer where its parts meet: codings, media types, heads without bodies, streams, report-only, pages.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails may panic"
)]

use bytes::Bytes;
use consentry_body::Encoder;
use consentry_identity::{AuthenticatorConfig, NamingHeaders};
use consentry_layer::{Clock as _, Limits};
use consentry_model::{Reason, Space};
use consentry_policy::{Bundle, Engine, ReportOnly, Sources};
use consentry_tests::world::{Answer, Otherwise, Seen, TODAY, World, contract, get, typed};
use futures_util::FutureExt as _;
use http::{Method, Request};
use http_body_util::{BodyExt, Full, StreamBody};

const BUNDLE: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}}
requesters: {shop: {purposes: [essential.service]}}
routes:
  - route: GET /people/{id}
    purpose: essential.service
    about: {type: customer, space: customer, id: path.id}
    response: {body: {id: none, email: user.contact.email, ssn: user.government_id}}
  - route: GET /rows
    purpose: essential.service
    about: {type: customer, space: customer, id: item.id}
    response: {records: 'rows[]', body: {'rows[].id': none, 'rows[].n': none, 'rows[].email': user.contact.email}}
  - route: GET /one
    purpose: essential.service
    about: {type: customer, space: customer, id: item.id}
    response: {body: {id: none, n: none, email: user.contact.email}}
  - route: GET /lines
    purpose: essential.service
    about: {type: customer, space: customer, id: item.id}
    response: {type: [application/x-ndjson, application/json-seq, text/csv], body: {id: none, email: user.contact.email, n: none}}
  - route: GET /events
    purpose: essential.service
    about: {type: customer, space: customer, id: item.data.id}
    response: {type: text/event-stream, body: {data.id: none, data.email: user.contact.email, event: none}}
  - route: GET /boxes
    purpose: essential.service
    about: {type: customer, space: customer, id: item.doc.id}
    response: {records: 'rows[]', body: {'rows[].doc': {json: {id: none, email: user.contact.email}}, 'rows[].n': none}}
  - route: GET /invoices/{id}
    purpose: essential.service
    about: {type: customer, space: customer, id: path.id}
    response: {type: [application/pdf], body: user.financial}
  - route: GET /page
    purpose: essential.service
    public: true
    about: {type: customer, anonymous: true}
    response: {body: page}
  - route: POST /orders
    purpose: essential.service
    about: {type: customer, space: customer, id: body.id}
    request:
      type: [application/json, application/x-www-form-urlencoded, multipart/form-data]
      body: {id: user.unique_id, news: none, 'tags[]': none, cv: user.job_title}
  - route: POST /bulk/{id}
    purpose: essential.service
    about: {type: customer, space: customer, id: path.id}
    request: {type: [application/x-ndjson, application/json-seq, text/csv], body: {email: user.contact.email, n: none}}
rules:
  - {id: serve, permit: essential.service, data: user, of: customer, basis: contract, clauses: [c-1]}
clauses:
  - {id: c-1, line: 1, section: Use, says: Customers are served., status: enforced}
cases:
  - {case: nobody is served, clause: c-1, who: shop, asks: GET /invoices/ann, about: ann, then: refuse basis-lapsed}
";

async fn world(otherwise: Otherwise) -> World {
    let world = World::otherwise(otherwise);
    let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", BUNDLE)]));
    world.policy.install(Engine::new(bundle.unwrap_or_else(|e| panic!("{e}"))).unwrap(), TODAY);
    world.record("customer", "ann", &[contract()]).await;
    world.record("customer", "bob", &[]).await;
    world
}

fn asks(world: &World, method: Method, path: &str) -> Request<Full<Bytes>> {
    let mut request = get(path, Some(&world.token("shop", &["essential.service"])), None);
    *request.method_mut() = method;
    request
}

fn sends(world: &World, path: &str, content_type: &str, body: &[u8]) -> Request<Full<Bytes>> {
    let mut request = asks(world, Method::POST, path);
    request.headers_mut().insert("content-type", content_type.parse().unwrap());
    *request.body_mut() = Full::new(Bytes::copy_from_slice(body));
    request
}

async fn seen(world: &World, path: &str, answer: Answer) -> Seen {
    world.upstream.forget();
    world.upstream.answers(answer);
    world.send(asks(world, Method::GET, path)).await
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    encoder.push(text);
    encoder.finish().to_vec()
}

fn coded(media_type: &str, text: &str) -> Answer {
    let mut answer = typed(media_type, "");
    *answer.body_mut() = Full::new(Bytes::from(gzip(text.as_bytes()))).map_err(|e| match e {}).boxed();
    answer.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    answer
}

const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";
const EVENTS: &str = "text/event-stream";
const PARTS: &str = "multipart/form-data; boundary=b";
const FORM: &str = "application/x-www-form-urlencoded";

/// The same answer, whose body comes byte by byte.
fn dripping(answer: Answer) -> Answer {
    let (head, body) = answer.into_parts();
    let whole = body.collect().now_or_never().unwrap().unwrap().to_bytes();
    let bytes = (0..whole.len()).map(move |at| Ok(http_body::Frame::data(whole.slice(at..=at))));
    Answer::from_parts(head, BodyExt::boxed(StreamBody::new(futures_util::stream::iter(bytes))))
}

/// Each answer, plain and coded, in one piece and byte by byte: the same is left of it.
#[tokio::test]
async fn law_1_what_is_left_of_an_answer_does_not_depend_on_how_it_comes() {
    let rows = |rows: &str| format!("{{\"rows\":[{rows}]}}");
    let table = [
        ("/people/ann", JSON, r#"{"id":"ann","email":"a@x.org","ssn":1,"x":2}"#.to_owned(), r#"{"id":"ann","email":"a@x.org","ssn":1}"#.to_owned()),
        ("/rows", JSON, rows(r#"{"id":"ann","email":"a@x.org"},{"id":"bob","email":"b@x.org"}"#), rows(r#"{"id":"ann","email":"a@x.org"}"#)),
        ("/rows", JSON, rows(r#"{"email":"a@x.org","id":"ann"},{"email":"b@x.org","id":null}"#), rows(r#"{"email":"a@x.org","id":"ann"}"#)),
        ("/rows", JSON, rows(r#"{"email":"b@x.org"},{"email":"b@x.org","id":["ann"]}"#), rows("")),
        ("/rows", JSON, rows(r#"{"email":"b@x.org","id":{"id":"ann"}},{"n":{"id":"ann"},"email":"b@x.org"}"#), rows("")),
        ("/rows", JSON, rows(r#"{"email":"b@x.org","id":"Ann"},{"email":"b@x.org","id":" ann"},{"email":"b@x.org","id":"ann\u0000"}"#), rows("")),
        ("/rows", JSON, rows(r#"{"email":"a@x.org","id":"\u0061nn"}"#), rows(r#"{"email":"a@x.org","id":"\u0061nn"}"#)),
        ("/rows", JSON, rows(r#"{"id":"ann","rows":[{"id":"bob","email":"b@x.org"}]}"#), rows(r#"{"id":"ann"}"#)),
        ("/rows", JSON, rows(r#"[{"id":"ann","email":"b@x.org"}]"#), rows("")),
        ("/rows", JSON, rows(r#"{"id":1.0,"email":"b@x.org"},{"id":1e0,"email":"b@x.org"},{"id":true,"email":"b@x.org"},{"id":"","email":"b@x.org"}"#), rows("")),
        ("/lines", LINES, "{\"id\":\"ann\",\"email\":\"a@x.org\"}\n\r\n{\"id\":\"bob\",\"email\":\"b@x.org\"}".to_owned(), "{\"id\":\"ann\",\"email\":\"a@x.org\"}\n\r\n".to_owned()),
        ("/lines", "text/csv", "id,email\r\nann,a@x.org\r\nbob,b@x.org\r\n\"ann\"\"\",c@x.org\r\n ann,d@x.org\r\n".to_owned(), "id,email\r\nann,a@x.org\r\n".to_owned()),
        ("/events", EVENTS, "data: {\"id\":\"bob\",\ndata: \"email\":\"b@x.org\"}\n\n:c@x.org\ndata: {\"id\":\"ann\"}\n\nid: d@x.org\nretry: 1\n\n".to_owned(), ":\ndata: {\"id\":\"ann\"}\n\n\n".to_owned()),
        ("/boxes", JSON, rows(r#"{"doc":"{\"id\":\"ann\",\"email\":\"a@x.org\",\"ssn\":1}"},{"doc":"{\"email\":\"b@x.org\",\"id\":\"bob\"}"}"#), rows(r#"{"doc":"{\"id\":\"ann\",\"email\":\"a@x.org\"}"}"#)),
        ("/boxes", JSON, rows(r#"{"doc":"{\"id\":\"ann\",\"id\":\"bob\",\"email\":\"b@x.org\"}"}"#), rows("{}")),
        (
            "/boxes",
            JSON,
            rows(r#"{"doc":"not json b@x.org"},{"doc":"{\"email\":\"b@x.org\"}"},{"doc":null},{"doc":7}"#),
            rows("{},{},{}"),
        ),
    ];
    let world = world(Otherwise::default()).await;
    for (path, media_type, body, left) in &table {
        let (plain, coded) = (|| typed(media_type, body), || coded(media_type, body));
        for (how, answer) in [
            ("plain, in one piece", plain()),
            ("plain, byte by byte", dripping(plain())),
            ("coded, in one piece", coded()),
            ("coded, byte by byte", dripping(coded())),
        ] {
            let seen = seen(&world, path, answer).await;
            let got = String::from_utf8_lossy(seen.body.as_ref().unwrap()).into_owned();
            assert_eq!((seen.status.as_u16(), &got), (200, left), "{path} {body} {how}");
        }
    }
}

/// What a caller sees, but for the number of the record.
fn plain(seen: &Seen) -> (u16, String, String) {
    let body = String::from_utf8_lossy(seen.body.as_ref().unwrap()).into_owned();
    let body = body.split("\"instance\"").next().unwrap_or_default().to_owned();
    (seen.status.as_u16(), format!("{:?}", seen.headers), body)
}

#[tokio::test]
async fn law_13_nobody_learns_from_an_answer_whether_somebody_is_there() {
    let world = world(Otherwise::default()).await;
    let pdf = "application/pdf";
    for (method, path, media_type) in [
        (Method::GET, "/people/", JSON),
        (Method::HEAD, "/people/", JSON),
        (Method::GET, "/invoices/", pdf),
        (Method::HEAD, "/invoices/", pdf),
    ] {
        let mut all = Vec::new();
        for who in ["bob", "nobody", "Ann", "ann%40x.org"] {
            world.upstream.forget();
            world.upstream.answers(typed(media_type, "{}"));
            all.push(plain(&world.send(asks(&world, method.clone(), &format!("{path}{who}"))).await));
        }
        assert!(all.iter().all(|seen| *seen == all[0]), "{method} {path}: {all:?}");
        assert_eq!(all[0].0, 403);
    }
    for (path, bodies) in [
        (
            "/one",
            &[
                r#"{"id":"bob","email":"b@x.org"}"#,
                r#"{"id":"nobody","email":"b@x.org"}"#,
                r#"{"email":"b@x.org"}"#,
                r#"{"id":null,"email":"b@x.org"}"#,
                r#"{"id":1.5,"email":"b@x.org"}"#,
            ][..],
        ),
        (
            "/rows",
            &[
                r#"{"rows":[{"id":"bob","email":"b@x.org"}]}"#,
                r#"{"rows":[{"id":"nobody","email":"b@x.org"}]}"#,
                r#"{"rows":[{"email":"b@x.org"}]}"#,
                r#"{"rows":[]}"#,
            ],
        ),
    ] {
        let mut all = Vec::new();
        for body in bodies {
            all.push(plain(&seen(&world, path, typed(JSON, body)).await));
        }
        assert!(all.iter().all(|seen| *seen == all[0]), "{path}: {all:?}");
    }
    // A head tells nothing of the body that it stands for.
    for (path, media_type) in [
        ("/people/ann", JSON),
        ("/invoices/ann", pdf),
        ("/page", "text/html"),
        ("/rows", JSON),
        ("/events", EVENTS),
    ] {
        world.upstream.forget();
        let mut answer = coded(media_type, "{\"id\":\"ann\"}");
        answer.headers_mut().insert("content-length", "4711".parse().unwrap());
        world.upstream.answers(answer);
        let seen = world.send(asks(&world, Method::HEAD, path)).await;
        assert_eq!((seen.status.as_u16(), seen.body.as_deref()), (200, Ok(&b""[..])), "{path}");
        for name in ["content-length", "content-encoding", "etag"] {
            assert!(!seen.headers.contains_key(name), "{path}: {name}");
        }
    }
}

#[tokio::test]
async fn law_1_a_page_has_one_type_and_no_room_for_anything_else() {
    let world = world(Otherwise::default()).await;
    for (kinds, expected) in [
        (&["text/html"][..], Some("text/html")),
        (&["Text/HTML; Charset=\"utf-8\""], Some("text/html; charset=utf-8")),
        (&["text/html; charset=UTF8"], Some("text/html; charset=utf-8")),
        (&["image/svg+xml"], Some("image/svg+xml")),
        (&["application/javascript; charset=utf-8"], Some("application/javascript; charset=utf-8")),
        (&["image/gif"], Some("image/gif")),
        (&["application/octet-stream"], None),
        (&["text/csv"], None),
        (&["text/xml"], None),
        (&["text/html", "text/plain"], None),
        (&["text/html", "text/html"], None),
        (&["text/html; name=\"ann@x.org\""], None),
        (&["text/html; charset=\"ann@x.org\""], None),
        (&["text/html; charset=4111111111111111"], None),
        (&["text/html; charset=ISO-8859-1"], Some("text/html; charset=iso-8859-1")),
        (&["text/html; charset=utf-8; charset=utf-16"], None),
        (&["text/html, application/json"], None),
        (&["application/json"], None),
        (&["application/ld+json"], None),
        (&[], None),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let mut answer = typed("text/html", "<p>");
            answer.headers_mut().remove("content-type");
            kinds
                .iter()
                .for_each(|kind| _ = answer.headers_mut().append("content-type", kind.parse().unwrap()));
            world.upstream.forget();
            world.upstream.answers(answer);
            let seen = world.send(asks(&world, method.clone(), "/page")).await;
            let kind = seen.headers["content-type"].to_str().unwrap();
            match expected {
                Some(expected) => {
                    assert_eq!((seen.status.as_u16(), kind), (200, expected), "{method} {kinds:?}")
                }
                None => assert_eq!(seen.code(), "response-media-type", "{method} {kinds:?}"),
            }
        }
    }
}

/// A file of JSON that is a scalar: many services look for no field among files.
const NAMED_JSON: &str = "name=\"id\"; filename=\"x\"\r\nContent-Type: application/json";

#[tokio::test]
async fn law_1_a_request_with_two_readings_reaches_nobody_coded_or_not() {
    let (ok, malformed, twice) = ("ok", "body-malformed", "body-duplicate-key");
    let (excess, kind, nobody) = ("minimisation-violation", "body-media-type", "not-permitted");
    let world = world(Otherwise::default()).await;
    for id in
        ["9007199254740991", "9007199254740993", "18446744073709551615", "123456789012345678901234567890"]
    {
        world.record("customer", id, &[contract()]).await;
    }
    let part =
        |head: &str, body: &str| format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n");
    let id = part("name=\"id\"", "ann");
    let json =
        |name: &str, body: &str| part(&format!("name=\"{name}\"\r\nContent-Type: application/json"), body);
    let rows: Vec<(String, Vec<u8>, &str)> = vec![
        (PARTS.into(), format!("{id}--b--").into_bytes(), ok),
        (PARTS.into(), format!("{id}--b--\r\n").into_bytes(), ok),
        (PARTS.into(), format!("{id}--b--\n").into_bytes(), malformed),
        (PARTS.into(), format!("{id}--b--\r\nid=bob").into_bytes(), ok),
        (PARTS.into(), format!("id=bob\r\n{id}--b--").into_bytes(), ok),
        (PARTS.into(), id.replace("\r\n", "\n").into_bytes(), malformed),
        (PARTS.into(), format!("{id}{}--b--", part("name=\"id\"", "bob")).into_bytes(), twice),
        (PARTS.into(), format!("{id}{}--b--", part("name=\"ID\"", "bob")).into_bytes(), excess),
        (PARTS.into(), format!("{id}{}--b--", part("name=\"i%64\"", "bob")).into_bytes(), excess),
        (PARTS.into(), format!("{id}{}--b--", part("name=\"id[]\"", "bob")).into_bytes(), twice),
        (PARTS.into(), format!("{id}{}--b--", part("name=\"id[0]\"", "bob")).into_bytes(), excess),
        (PARTS.into(), format!("{id}{}--b--", part("name=\"id \"", "bob")).into_bytes(), excess),
        (PARTS.into(), format!("{id}{}--b--", part("name=\"id\0\"", "bob")).into_bytes(), malformed),
        (PARTS.into(), format!("{}--b--", part("name=\"id\"; filename=\"x\"", "ann")).into_bytes(), nobody),
        (
            PARTS.into(),
            format!("{}--b--", part("name=\"id\"\r\nContent-Type: application/json", "\"ann\"")).into_bytes(),
            ok,
        ),
        (
            PARTS.into(),
            format!("{}--b--", part("name=\"id\"\r\nContent-Type: application/json", "{\"id\":\"ann\"}"))
                .into_bytes(),
            excess,
        ),
        (
            PARTS.into(),
            format!("{}--b--", part("name=\"id\"\r\nContent-Type: text/html", "ann")).into_bytes(),
            nobody,
        ),
        // A word without quotes is a name like any other (RFC 2045, section 5.1), and goes on in quotes.
        (PARTS.into(), format!("{}--b--", part("name=id", "ann")).into_bytes(), ok),
        (PARTS.into(), format!("{}--b--", part("name=id\"", "ann")).into_bytes(), malformed),
        (PARTS.into(), format!("{}--b--", part("name='id'", "ann")).into_bytes(), malformed),
        (PARTS.into(), format!("{}--b--", part("name=id[]", "ann")).into_bytes(), malformed),
        (PARTS.into(), format!("{}--b--", part("name=i d", "ann")).into_bytes(), malformed),
        (PARTS.into(), format!("{}--b--", part("name=id; name=\"id\"", "ann")).into_bytes(), malformed),
        (PARTS.into(), format!("{id}{}--b--", part("name=id", "bob")).into_bytes(), twice),
        (
            PARTS.into(),
            format!("{}--b--", part("name=\"id\";filename=\"../../etc\"", "ann")).into_bytes(),
            nobody,
        ),
        (PARTS.into(), format!("{}--b--", part(NAMED_JSON, "\"ann\"")).into_bytes(), nobody),
        (PARTS.into(), format!("{}--b--", part(NAMED_JSON, " 7")).into_bytes(), nobody),
        (PARTS.into(), format!("{}--b--", part("name=\"id\"\r\n folded: x", "ann")).into_bytes(), malformed),
        (
            PARTS.into(),
            format!(
                "{}--b--",
                part("name=\"cv\"; filename=\"ann@x.org.pdf\"\r\nContent-Type: application/pdf", "%PDF")
            )
            .into_bytes(),
            nobody,
        ),
        (PARTS.into(), format!("{id}{}--b--", json("news", "{\"ssn\":1}")).into_bytes(), excess),
        (PARTS.into(), format!("{id}{}--b--", json("cv", "{\"ssn\":1}")).into_bytes(), excess),
        (PARTS.into(), format!("{id}{}--b--", json("news", "{\"ssn\":1,\"ssn\":2}")).into_bytes(), twice),
        (PARTS.into(), format!("{id}{}--b--", json("news", "[1,]")).into_bytes(), malformed),
        ("multipart/form-data; boundary=\"b\"; boundary=c".into(), format!("{id}--b--").into_bytes(), kind),
        ("multipart/form-data; boundary=b, x".into(), format!("{id}--b--").into_bytes(), kind),
        ("multipart/form-data; boundary*=b".into(), format!("{id}--b--").into_bytes(), kind),
        ("multipart/form-data; boundary=B".into(), format!("{id}--b--").into_bytes(), malformed),
        ("multipart/form-data; charset=utf-8; boundary=b".into(), format!("{id}--b--").into_bytes(), ok),
        ("multipart/mixed; boundary=b".into(), format!("{id}--b--").into_bytes(), kind),
        (FORM.into(), b"id=ann&id%5B%5D=bob".to_vec(), twice),
        (FORM.into(), b"id=ann&id%00=bob".to_vec(), excess),
        (FORM.into(), b"id=ann%00".to_vec(), nobody),
        (FORM.into(), b"id=%c0%61nn".to_vec(), malformed),
        (FORM.into(), b"id=ann&".to_vec(), malformed),
        (FORM.into(), b"&id=ann".to_vec(), malformed),
        (FORM.into(), b"?id=ann".to_vec(), excess),
        (FORM.into(), b"id=ann\r\n".to_vec(), malformed),
        (FORM.into(), b"id=ann&ID=bob".to_vec(), excess),
        (FORM.into(), b"id=ann&+id=bob".to_vec(), excess),
        (FORM.into(), b"id=ann&id.x=bob".to_vec(), malformed),
        (FORM.into(), b"id=ann=bob".to_vec(), nobody),
        (FORM.into(), b"id=".to_vec(), nobody),
        (FORM.into(), b"".to_vec(), ok),
        (JSON.into(), br#"{"id":"ann","id":"bob"}"#.to_vec(), twice),
        (JSON.into(), br#"{"id":"ann","\u0069d":"bob"}"#.to_vec(), twice),
        (JSON.into(), br#"{"id":"ann"}{"id":"bob"}"#.to_vec(), malformed),
        (JSON.into(), br#"{"id":"ann"} "#.to_vec(), ok),
        (JSON.into(), b"\xef\xbb\xbf{\"id\":\"ann\"}".to_vec(), malformed),
        (JSON.into(), br#"[{"id":"ann"}]"#.to_vec(), excess),
        (JSON.into(), br#"{"id":["ann"]}"#.to_vec(), nobody),
        (JSON.into(), br#"{"id":{"$ne":null}}"#.to_vec(), excess),
        (JSON.into(), br#"{"id":"ann","Id":"bob"}"#.to_vec(), excess),
        (JSON.into(), br#"{"id":null}"#.to_vec(), nobody),
        (JSON.into(), br#"{"id":"ann","__proto__":{"id":"bob"}}"#.to_vec(), excess),
        (JSON.into(), b"{}".to_vec(), ok),
        (JSON.into(), b" ".to_vec(), malformed),
        (JSON.into(), b"null".to_vec(), excess),
        (JSON.into(), br#"{"id":"a\ud800nn"}"#.to_vec(), malformed),
        (
            JSON.into(),
            format!("{}\"ann\"{}", "{\"tags\":[".repeat(70), "]}".repeat(70)).into_bytes(),
            malformed,
        ),
        (JSON.into(), br#"{"id":"ann","tags":[1e999999]}"#.to_vec(), ok),
        (JSON.into(), br#"{"id":1e400}"#.to_vec(), nobody),
        (JSON.into(), br#"{"id":1.0}"#.to_vec(), nobody),
        (JSON.into(), br#"{"id":9007199254740991}"#.to_vec(), ok),
        // To a reader that keeps numbers as fractions of 53 bits they name somebody else.
        (JSON.into(), br#"{"id":9007199254740993}"#.to_vec(), nobody),
        (JSON.into(), br#"{"id":18446744073709551615}"#.to_vec(), nobody),
        (JSON.into(), br#"{"id":123456789012345678901234567890}"#.to_vec(), nobody),
        (JSON.into(), br#"{"id":"9007199254740993"}"#.to_vec(), ok),
        (JSON.into(), br#"{"id":"123456789012345678901234567890"}"#.to_vec(), ok),
        (JSON.into(), br#"{"id":18446744073709551616}"#.to_vec(), nobody),
        (JSON.into(), br#"{"id":"ann","tags":[123456789012345678901234567890]}"#.to_vec(), ok),
    ];
    for (kind, body, expected) in rows {
        let shown = String::from_utf8_lossy(&body).into_owned();
        let mut coded = sends(&world, "/orders", &kind, &gzip(&body));
        coded.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
        for request in [sends(&world, "/orders", &kind, &body), coded] {
            let seen = world.send(request).await;
            let code = if seen.status == 200 { "ok".to_owned() } else { seen.code() };
            assert_eq!(code, expected, "{kind} {shown:?}");
            assert_eq!(world.upstream.take().len(), usize::from(expected == ok), "{kind} {shown:?}");
        }
    }
    // No byte is no more than an object without members; in a coding it is no text.
    let mut coded = sends(&world, "/orders", JSON, &gzip(b""));
    coded.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    assert_eq!(world.send(coded).await.code(), malformed);
    assert!(world.upstream.take().is_empty());
    assert_eq!(world.send(sends(&world, "/orders", JSON, b"")).await.status, 200);
    assert!(world.upstream.take().pop().is_some_and(|(_, body)| body.is_empty()));
}

#[tokio::test]
async fn law_1_a_page_that_is_longer_than_is_held_is_refused_as_that() {
    let mut limits = Limits::default();
    limits.response_hold_bytes_max = 8;
    let world = world(Otherwise { limits: Some(limits), ..Otherwise::default() }).await;
    for (page, code) in [("<p>ann</p>", Some("response-too-large")), ("<p></p>", None)] {
        let seen = seen(&world, "/page", typed("text/html", page)).await;
        match code {
            Some(code) => assert_eq!((seen.status.as_u16(), &*seen.code()), (502, code), "{page}"),
            None => assert_eq!(seen.status, 200, "{page}: {seen:?}"),
        }
    }
}

#[tokio::test]
async fn law_1_a_table_is_decided_by_the_names_that_its_service_reads() {
    let world = world(Otherwise::default()).await;
    let (csv, ascii) = ("text/csv", "text/csv; charset=us-ascii");
    for (kind, body, left) in [
        (csv, "email,n\na@x.org,1\n", Some("email,n\na@x.org,1\n")),
        // What a spreadsheet begins with goes no further: to a service that does not know it the name is another.
        (csv, "\u{feff}email,n\na@x.org,1\n", Some("email,n\na@x.org,1\n")),
        (csv, "\u{feff}\u{feff}email,n\na@x.org,1\n", None),
        (ascii, "email,n\na@x.org,1\n", Some("email,n\na@x.org,1\n")),
        (ascii, "\u{feff}email,n\na@x.org,1\n", None),
        (ascii, "email,n\na@x.org,\u{e9}\n", None),
    ] {
        let seen = world.send(sends(&world, "/bulk/ann", kind, body.as_bytes())).await;
        assert_eq!(seen.status.as_u16(), if left.is_some() { 200 } else { 400 }, "{kind} {body:?}: {seen:?}");
        let reached = world.upstream.take().pop();
        let kind = reached.as_ref().map(|(head, _)| head.headers["content-type"].to_str().unwrap());
        assert_eq!(kind, left.map(|_| "text/csv; charset=utf-8"), "{body:?}");
        let reached = reached.as_ref().map(|(_, body)| &**body);
        assert_eq!(reached, left.map(str::as_bytes), "{body:?}");
    }
}

#[tokio::test]
async fn law_1_report_only_covers_nothing_that_is_malformed_or_undeclared() {
    let routes = [
        "GET /people/{id}",
        "GET /rows",
        "GET /lines",
        "GET /events",
        "GET /one",
        "POST /orders",
        "GET /page",
    ];
    let mode = ReportOnly::dangerously_for(routes.map(Into::into));
    let world = world(Otherwise { report_only: mode, ..Otherwise::default() }).await;
    let shown = r#"{"id":"bob","email":"b@x.org"}"#;
    for (path, kind, body, expected) in [
        ("/people/bob", JSON, r#"{"id":"bob","email":"b@x.org","x":1}"#, Ok(shown)),
        ("/one", JSON, r#"{"id":"bob","email":"b@x.org","x":1}"#, Ok(shown)),
        (
            "/rows",
            JSON,
            r#"{"rows":[{"id":"bob","x":1,"email":"b@x.org"}],"x":1}"#,
            Ok(r#"{"rows":[{"id":"bob","email":"b@x.org"}]}"#),
        ),
        ("/rows", JSON, r#"{"rows":[{"id":"bob","email":"b@x.org"}"#, Err("response-truncated")),
        ("/rows", JSON, r#"{"rows":[{"id":"bob","id":"bob"}]}"#, Err("response-duplicate-key")),
        ("/rows", "text/html", r#"{"rows":[]}"#, Err("response-media-type")),
        ("/lines", LINES, "{\"id\":\"bob\"}\n{]\n", Err("response-malformed")),
        ("/events", EVENTS, "data: {\"id\":\"bob\",\"x\":1}\n\n", Ok("data: {\"id\":\"bob\"}\n\n")),
        ("/invoices/bob", "application/pdf", "%PDF", Err("not-permitted")),
    ] {
        world.upstream.forget();
        let mut head = asks(&world, Method::HEAD, path);
        let seen = seen(&world, path, typed(kind, body)).await;
        match expected {
            Ok(left) => assert_eq!(seen.body.as_deref().unwrap(), left.as_bytes(), "{path} {body}"),
            Err(code) => assert_eq!(seen.code(), code, "{path} {body}"),
        }
        world.upstream.forget();
        head.headers_mut().insert("data-purpose", "gossip".parse().unwrap());
        assert!(world.send(head).await.status.is_client_error(), "{path}: an unknown purpose has no ruling");
    }
}

#[tokio::test]
async fn law_1_what_names_somebody_or_a_purpose_comes_under_its_own_name() {
    let named: fn(&mut AuthenticatorConfig) = |config| {
        config.naming_headers = Some(NamingHeaders {
            requester: "x-requester".to_owned(),
            person: Some(("x-person".to_owned(), Space::new("customer"))),
        });
    };
    let world = world(Otherwise { identity: Some(named), ..Otherwise::default() }).await;
    for name in ["baggage", "data-purpose", "txn-token", "x-requester", "x-person"] {
        for (line, nominated) in
            [(name.to_owned(), true), (name.replace('-', "_"), false), (name.replace('-', "."), false)]
        {
            if line == name && !nominated {
                continue;
            }
            let mut request = asks(&world, Method::GET, "/people/ann");
            if nominated {
                request.headers_mut().append("connection", format!("keep-alive, {name}").parse().unwrap());
            } else {
                request
                    .headers_mut()
                    .append(http::HeaderName::try_from(line.as_str()).unwrap(), "a".parse().unwrap());
            }
            let seen = world.send(request).await;
            assert_eq!((seen.status.as_u16(), &*seen.code()), (400, "head-malformed"), "{line} {nominated}");
        }
    }
    assert!(world.upstream.reached().is_empty());
}

#[tokio::test]
async fn law_1_strangers_from_nowhere_use_up_nothing_of_others() {
    let mut limits = Limits::default();
    (limits.client_burst_max, limits.client_requests_per_sec_max) = (3, 1);
    let world = world(Otherwise { limits: Some(limits), ..Otherwise::default() }).await;
    for code in ["token-missing", "token-missing", "token-missing", "rate-exceeded", "rate-exceeded"] {
        assert_eq!(world.send(get("/people/ann", None, None)).await.code(), code);
    }
    let seen = world.send(asks(&world, Method::GET, "/people/ann")).await;
    assert_eq!(seen.status, 200, "a requester has a bucket of its own");
}

/// What is counted is how much time passed, and not what a clock says.
#[tokio::test]
async fn whoever_may_ask_once_a_second_may_when_the_clock_was_set_back_too() {
    let mut limits = Limits::default();
    (limits.client_burst_max, limits.client_requests_per_sec_max) = (1, 1);
    let world = world(Otherwise { limits: Some(limits), ..Otherwise::default() }).await;
    for (name, back, on, status) in [
        ("the first", 0, 0, 200),
        ("at once", 0, 0, 429),
        ("a second later", 0, 1_000, 200),
        ("half a minute back", 30_000, 0, 429),
        ("and a second later", 0, 1_000, 200),
        ("at once again", 0, 999, 429),
    ] {
        world.clock.set_back(back);
        world.clock.set(world.clock.now().saturating_add_millis(on));
        let seen = world.send(asks(&world, Method::GET, "/people/ann")).await;
        assert_eq!(seen.status, status, "{name}: {seen:?}");
    }
}

/// A thousand times as much is held of a short line than it is long.
#[tokio::test]
async fn law_1_a_body_of_many_short_records_is_bounded_like_one_of_long_ones() {
    let world = world(Otherwise::default()).await;
    for (kind, body) in [
        ("text/csv", format!("n\r\n{}", "1\n".repeat(1_000))),
        (LINES, "\n".repeat(1_001)),
        (LINES, "{}\n".repeat(1_001)),
        ("application/json-seq", "\u{1e}{}\n".repeat(1_001)),
    ] {
        let seen = world.send(sends(&world, "/bulk/ann", kind, body.as_bytes())).await;
        assert_eq!(seen.code(), "body-too-large", "{kind}");
        assert_eq!(world.last_ticket().await.1.reason, Some(Reason::BodyTooLarge));
        let one_less =
            body.strip_suffix("\u{1e}{}\n").or(body.strip_suffix("{}\n")).or(body.strip_suffix("1\n"));
        let one_less = one_less.unwrap_or(&body[1..]);
        assert_eq!(
            world.send(sends(&world, "/bulk/ann", kind, one_less.as_bytes())).await.status,
            200,
            "{kind}"
        );
        assert_eq!(world.upstream.take().last().unwrap().1, one_less, "all of it is forwarded");
    }
    // An answer is decided in more windows, and all of it is delivered.
    for (path, kind, body, left) in [
        ("/lines", LINES, "{}\n".repeat(5_000), "{}\n".repeat(5_000)),
        ("/lines", LINES, "\n".repeat(5_000), "\n".repeat(5_000)),
        ("/lines", "text/csv", format!("n\n{}", "1\n".repeat(5_000)), format!("n\n{}", "1\n".repeat(5_000))),
        ("/events", EVENTS, "data: {}\n\n".repeat(5_000), "data: {}\n\n".repeat(5_000)),
    ] {
        let seen = seen(&world, path, typed(kind, &body)).await;
        assert_eq!(seen.body.unwrap(), left, "{path} {kind}");
    }
}
