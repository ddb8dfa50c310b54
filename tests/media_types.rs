//! Every media type through the layer: what is wrong with a body is refused with a reason of its own, and of what is right each
//! person's data is decided on.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails may panic"
)]

use bytes::Bytes;
use consentry_model::{ConsentState, LedgerEvent, Purpose, Reason};
use consentry_policy::{Bundle, Engine, Sources};
use consentry_tests::world::{Answer, Seen, TODAY, World, contract, get, typed};
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};

/// Customers are served while they have a contract; nobody else is.
const BUNDLE: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}}
requesters: {shop: {purposes: [essential.service]}}
routes:
  - route: GET /lines
    purpose: essential.service
    about: {type: customer, space: customer, id: item.id}
    response: {type: [application/x-ndjson, application/json-seq, text/csv], body: {id: none, email: user.contact.email, n: none}}
  - route: GET /events
    purpose: essential.service
    about: {type: customer, space: customer, id: item.data.id}
    response: {type: text/event-stream, body: {data.id: none, data.email: user.contact.email, event: none}}
  - route: GET /watch
    purpose: essential.service
    about: {type: customer, space: customer, id: item.id}
    response: {type: [application/x-ndjson, application/json-seq, application/json], live: true, body: {id: none, email: user.contact.email}}
  - route: GET /invoices/{id}
    purpose: essential.service
    about: {type: customer, space: customer, id: path.id}
    response: {type: [application/pdf], body: user.financial}
  - route: GET /scalars/{id}
    purpose: essential.service
    about: {type: customer, space: customer, id: path.id}
    response: {body: {'[]': user.contact.email}}
  - route: POST /orders
    purpose: essential.service
    about: {type: customer, space: customer, id: body.id}
    request:
      type: [application/json, application/x-www-form-urlencoded, multipart/form-data]
      body: {id: user.unique_id, address.city: user.contact.address.city, news: none, 'tags[]': none, cv: user.job_title}
    events: [{if: {body.news: true}, consent: opt-in, to: marketing.communications.email}]
  - route: POST /papers/{id}
    purpose: essential.service
    about: {type: customer, space: customer, id: path.id}
    excess: drop
    request: {type: application/pdf, body: user.financial}
  - route: POST /baskets/{id}
    purpose: essential.service
    about: {type: customer, space: customer, id: path.id}
    excess: drop
    request:
      type: [application/json, multipart/form-data]
      body: {n: none, o.id: none, o.email: user.contact.email, 'items[].sku': none, 'items[].email': user.contact.email}
    response:
      type: [application/json, multipart/form-data]
      body: {n: none, o.id: none, o.email: user.contact.email, 'items[].sku': none, 'items[].email': user.contact.email}
rules:
  - {id: serve, permit: essential.service, data: user, of: customer, basis: contract, clauses: [c-1]}
clauses:
  - {id: c-1, line: 1, section: Use, says: Customers are served., status: enforced}
cases:
  - {case: nobody is served, clause: c-1, who: shop, asks: GET /invoices/ann, about: ann, then: refuse basis-lapsed}
";

async fn world() -> World {
    let world = World::new();
    let sources = Sources::from_texts([("bundle.yaml", BUNDLE)]);
    let bundle = Bundle::read(&sources).unwrap_or_else(|found| panic!("{found}"));
    world.policy.install(Engine::new(bundle).unwrap(), TODAY);
    world.record("customer", "ann", &[contract()]).await;
    world.record("customer", "bob", &[]).await;
    world
}

fn asks(world: &World, path: &str) -> Request<Full<Bytes>> {
    get(path, Some(&world.token("shop", &["essential.service"])), None)
}

fn sends(world: &World, path: &str, content_type: &str, body: &str) -> Request<Full<Bytes>> {
    let mut request = asks(world, path);
    *request.method_mut() = http::Method::POST;
    if !content_type.is_empty() {
        request.headers_mut().insert("content-type", content_type.parse().unwrap());
    }
    *request.body_mut() = Full::new(Bytes::copy_from_slice(body.as_bytes()));
    request
}

async fn answered(world: &World, path: &str, answer: Answer) -> Seen {
    world.upstream.answers(answer);
    world.send(asks(world, path)).await
}

const LINES: &str = "application/x-ndjson";
const EVENTS: &str = "text/event-stream";
const FORM: &str = "application/x-www-form-urlencoded";
const PARTS: &str = "multipart/form-data; boundary=b";
const PDF: &str = "application/pdf";

#[tokio::test]
async fn each_record_is_decided_on_in_every_media_type() {
    for (path, media_type, body, left, leaves_as) in [
        (
            "/lines",
            LINES,
            "{\"id\":\"ann\",\"email\":\"a@x.org\",\"ssn\":1}\n{\"email\":\"b@x.org\",\"id\":\"bob\"}\n",
            "{\"id\":\"ann\",\"email\":\"a@x.org\"}\n",
            LINES,
        ),
        (
            "/lines",
            "application/json-seq",
            "\u{1e}{\"id\":\"bob\",\"email\":\"b@x.org\"}\n\u{1e}{\"id\":\"ann\",\"email\":\"a@x.org\"}\n",
            "\u{1e}{\"id\":\"ann\",\"email\":\"a@x.org\"}\n",
            "application/json-seq",
        ),
        (
            "/lines",
            "text/csv; header=present",
            "id,ssn,email\r\nann,1,a@x.org\r\nbob,2,b@x.org\r\nnobody,3,c@x.org\r\n",
            "id,email\r\nann,a@x.org\r\n",
            "text/csv; charset=utf-8",
        ),
        (
            "/lines",
            "text/csv",
            "\u{feff}id,ssn,email\r\nann,1,a@x.org\r\nbob,2,b@x.org\r\n",
            "\u{feff}id,email\r\nann,a@x.org\r\n",
            "text/csv; charset=utf-8",
        ),
        (
            "/lines",
            "application/x-ndjson; charset=us-ascii",
            "{\"id\":\"ann\",\"email\":\"a@x.org\"}\n{\"id\":\"bob\",\"email\":\"b@x.org\"}\n",
            "{\"id\":\"ann\",\"email\":\"a@x.org\"}\n",
            LINES,
        ),
        (
            "/events",
            EVENTS,
            "data: {\"id\":\"bob\",\"email\":\"b@x.org\"}\n\nevent: b@x.org\ndata: [DONE]\n\n",
            "data: [DONE]\n\n",
            EVENTS,
        ),
        (
            "/events",
            EVENTS,
            "event: new\ndata: {\"id\":\"ann\",\"email\":\"a@x.org\"}\n\nid: 7\ndata: {\"id\":\"bob\",\"email\":\"b@x.org\"}\n\n",
            "event: new\ndata: {\"id\":\"ann\",\"email\":\"a@x.org\"}\n\n",
            EVENTS,
        ),
        ("/invoices/ann", PDF, "%PDF\u{0} a@x.org", "%PDF\u{0} a@x.org", PDF),
        (
            "/scalars/ann",
            "application/json",
            "[\"a@x.org\", \"b@x.org\"]",
            "[\"a@x.org\", \"b@x.org\"]",
            "application/json",
        ),
    ] {
        let world = world().await;
        let seen = answered(&world, path, typed(media_type, body)).await;
        assert_eq!(seen.status, 200, "{path} {media_type}: {seen:?}");
        assert_eq!(seen.headers["content-type"], leaves_as, "{path}");
        assert_eq!(seen.body.unwrap(), left, "{path} {media_type}");
    }
}

#[tokio::test]
async fn law_1_a_body_that_is_not_what_it_is_called_is_not_passed_on() {
    let world = world().await;
    for (path, media_type, body, reason) in [
        ("/lines", "application/json", "{\"id\":\"ann\"}", Reason::ResponseMediaType),
        ("/lines", "application/xml", "<id>ann</id>", Reason::ResponseMediaType),
        ("/lines", "application/grpc", "\0\0\0\0\0", Reason::ResponseMediaType),
        ("/lines", "", "{\"id\":\"ann\"}\n", Reason::ResponseMediaType),
        ("/lines", "application/x-ndjson; charset=utf-16", "{\"id\":\"ann\"}\n", Reason::ResponseMediaType),
        ("/lines", "text/csv; header=absent", "ann,a@x.org\n", Reason::ResponseMediaType),
        (
            "/lines",
            "application/x-ndjson; charset=us-ascii",
            "{\"id\":\"ann\",\"email\":\"\u{e4}@x.org\"}\n",
            Reason::ResponseMalformed,
        ),
        ("/lines", "text/csv", "\u{feff}\u{feff}id,email\n", Reason::ResponseMalformed),
        ("/lines", LINES, "{\"id\":\"ann\"}\nid,email\n", Reason::ResponseMalformed),
        ("/lines", LINES, "\u{feff}{\"id\":\"ann\"}\n", Reason::ResponseMalformed),
        ("/lines", LINES, "{\"id\":\"ann\",\"id\":\"bob\"}\n", Reason::ResponseDuplicateKey),
        ("/lines", LINES, "{\"id\":\"ann\"}\n{\"id\":\"an", Reason::ResponseTruncated),
        ("/lines", LINES, "[\"ann\"]\n", Reason::FieldUndeclared),
        ("/lines", "text/csv", "id,email\nann\n", Reason::ResponseMalformed),
        ("/lines", "text/csv", "id,email,id\n", Reason::ResponseDuplicateKey),
        ("/lines", "text/csv", "who;mail\nann;a@x.org\n", Reason::FieldUndeclared),
        ("/lines", "text/csv", "", Reason::ResponseTruncated),
        ("/invoices/ann", "application/json", "{}", Reason::ResponseMediaType),
        ("/invoices/ann", "application/pdf; name=ann.pdf", "%PDF", Reason::ResponseMediaType),
        ("/scalars/ann", "application/json", "\"a@x.org\"", Reason::FieldUndeclared),
        ("/scalars/ann", "application/json", "[{\"email\":\"a@x.org\"}] ", Reason::FieldUndeclared),
    ] {
        let mut answer = typed("text/plain", body);
        if body.is_empty() {
            // It does not say itself that it is empty.
            let nothing = futures_util::stream::empty::<Result<Frame<Bytes>, std::io::Error>>();
            *answer.body_mut() = BodyExt::boxed(StreamBody::new(nothing));
        }
        if media_type.is_empty() {
            answer.headers_mut().remove("content-type");
        } else {
            answer.headers_mut().insert("content-type", media_type.parse().unwrap());
        }
        let seen = answered(&world, path, answer).await;
        if seen.status == 200 {
            // An undeclared element of a list goes, and the list is empty.
            assert_eq!(
                (path, seen.body.as_deref().unwrap()),
                ("/scalars/ann", &b"[] "[..]),
                "{media_type} {body}"
            );
            continue;
        }
        assert_eq!(seen.code(), reason.told_to_strangers().code(), "{path} {media_type} {body:?}");
        assert_eq!(world.last_ticket().await.1.reason, Some(reason), "{path} {media_type} {body:?}");
        let shown = format!("{seen:?}");
        assert!(!shown.contains("ann") && !shown.contains("a@x.org"), "{shown}");
    }
}

#[tokio::test]
async fn law_1_of_two_content_types_nobody_knows_which_counts() {
    let world = world().await;
    let mut answer = typed(LINES, "{\"id\":\"ann\"}\n");
    answer.headers_mut().append("content-type", "text/csv".parse().unwrap());
    let seen = answered(&world, "/lines", answer).await;
    assert_eq!(seen.code(), "response-media-type");
}

#[tokio::test]
async fn a_body_that_is_one_datum_passes_whole_or_not_at_all() {
    let world = world().await;
    let seen = answered(&world, "/invoices/bob", typed(PDF, "%PDF b@x.org")).await;
    assert_eq!((seen.status.as_u16(), &*seen.code()), (403, "not-permitted"));
    for (who, content_type, passes) in
        [("ann", PDF, true), ("bob", PDF, false), ("ann", "application/json", false), ("ann", "", false)]
    {
        let before = world.upstream.reached().len();
        let seen = world.send(sends(&world, &format!("/papers/{who}"), content_type, "%PDF 1")).await;
        assert_eq!(seen.status == 200, passes, "{who} {content_type}: {seen:?}");
        let reached = world.upstream.reached();
        assert_eq!(reached.len() - before, usize::from(passes), "{who} {content_type}");
        if passes {
            let (head, body) = reached.last().unwrap();
            assert_eq!((head.headers["content-type"].to_str().unwrap(), &body[..]), (PDF, &b"%PDF 1"[..]));
        }
    }
}

#[tokio::test]
async fn a_form_is_read_decided_on_and_forwarded_as_it_came() {
    let parts = "--b\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\nann\r\n--b\r\nContent-Disposition: form-data; name=\"news\"\r\n\r\ntrue\r\n--b\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"cv.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n--b--\r\n";
    for (content_type, body, forwarded_as) in [
        (FORM, "id=%61nn&address.city=Wien&tags[]=a&tags[]=b&news=true", FORM),
        (PARTS, parts, "multipart/form-data; boundary=\"b\""),
        ("application/json", r#"{"id": "ann", "news": true}"#, "application/json"),
    ] {
        let world = world().await;
        let seen = world.send(sends(&world, "/orders", content_type, body)).await;
        assert_eq!(seen.status, 200, "{content_type}: {seen:?}");
        let (head, reached) = world.upstream.reached().pop().unwrap();
        assert_eq!(head.headers["content-type"], forwarded_as, "{content_type}");
        assert_eq!(reached, body, "{content_type}");
        // What the form says of the person is heard.
        let who = consentry_model::Identifier::new(consentry_model::Space::new("customer"), "ann");
        let batch = consentry_consent::Ledger::resolve(&*world.ledger, &[who]).await.unwrap();
        let consentry_model::Resolution::Known(state) = &batch.answers[0] else { panic!("ann is known") };
        let purpose = Purpose::new("marketing.communications.email").unwrap();
        let agreed = state.events.iter().any(|e| {
            matches!(&e.event, LedgerEvent::Consent(c) if c.purpose == purpose && c.state == ConsentState::Given)
        });
        assert!(agreed, "{content_type}");
    }
}

#[tokio::test]
async fn law_1_a_form_that_is_wrong_in_any_way_reaches_nobody() {
    let world = world().await;
    for (content_type, body, status, code) in [
        (FORM, "id=ann&id=bob", 400, "body-duplicate-key"),
        (FORM, "id=ann&%69d=bob", 400, "body-duplicate-key"),
        (FORM, "id=ann;news=true", 400, "body-malformed"),
        (FORM, "id=ann&news", 400, "body-malformed"),
        (FORM, "id=ann%ff", 400, "body-malformed"),
        (FORM, "id=ann&_charset_=utf-16", 415, "body-media-type"),
        (FORM, "id=ann&ssn=1", 403, "minimisation-violation"),
        (FORM, "id=ann&address[city]=Wien", 403, "minimisation-violation"),
        (FORM, "{\"id\":\"ann\"}", 400, "body-malformed"),
        (FORM, "address.city=Wien", 403, "not-permitted"),
        (FORM, "id=bob", 403, "not-permitted"),
        ("application/x-www-form-urlencoded; charset=utf-16", "id=ann", 415, "body-media-type"),
        ("application/x-www-form-urlencoded; x=y", "id=ann", 415, "body-media-type"),
        (PARTS, "id=ann", 400, "body-malformed"),
        (
            PARTS,
            "--c\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\nann\r\n--c--",
            400,
            "body-malformed",
        ),
        (
            PARTS,
            "--b\r\nContent-Disposition: form-data; name=\"id\"\r\nX-Ssn: 1\r\n\r\nann\r\n--b--",
            403,
            "minimisation-violation",
        ),
        (
            PARTS,
            "--b\r\nContent-Disposition: form-data; name=\"id\"\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b--",
            415,
            "body-media-type",
        ),
        ("multipart/form-data", "--b--", 415, "body-media-type"),
        ("multipart/form-data; boundary=\"a b\"", "--a b--", 415, "body-media-type"),
        ("multipart/related; boundary=b", "--b--", 415, "body-media-type"),
        ("application/xml", "<id>ann</id>", 415, "body-media-type"),
        ("application/graphql", "{ann}", 415, "body-media-type"),
        ("text/csv", "id\nann\n", 415, "body-media-type"),
        ("application/json", "id=ann", 400, "body-malformed"),
    ] {
        let seen = world.send(sends(&world, "/orders", content_type, body)).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (status, code), "{content_type} {body:?}");
        assert!(world.upstream.reached().is_empty(), "{content_type} {body:?}");
    }
}

#[tokio::test]
async fn law_1_a_part_of_json_is_the_member_that_it_would_be_in_both_directions() {
    let part = |head: &str, body: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{head}\r\n\r\n{body}\r\n")
    };
    let json = |name: &str, body: &str| part(&format!("{name}\"\r\nContent-Type: application/json"), body);
    let text = |name: &str, body: &str| part(&format!("{name}\""), body);
    let n = text("n", "1");
    let rows = json("items", r#"[{"sku":"a","email":"a@x.org"},{"sku":"b","ssn":1}]"#);
    let (person, email) = (json("o", r#"{"email":"SECRET@x.org"}"#), text("o.email", "a@x.org"));
    for (parts, left) in [
        ([&n, &rows], Some([&n, &rows.replace(",\"ssn\":1", "")])),
        ([&n, &person], Some([&n, &person])),
        ([&n, &email], Some([&n, &email])),
        ([&person, &email], None),
        ([&email, &person], None),
        ([&rows, &rows], None),
    ] {
        let body = parts.map(String::as_str).concat() + "--b--\r\n";
        let left = left.map(|left| left.map(String::as_str).concat() + "--b--\r\n");
        let world = world().await;
        let seen = world.send(sends(&world, "/baskets/ann", PARTS, &body)).await;
        let went = world.upstream.take().pop().map(|(_, body)| String::from_utf8(body.to_vec()).unwrap());
        assert_eq!(went, left, "{body}");
        if left.is_none() {
            assert_eq!((seen.status.as_u16(), &*seen.code()), (400, "body-duplicate-key"), "{body}");
        }
        world.upstream.answers(typed(PARTS, &body));
        let seen = world.send(sends(&world, "/baskets/ann", "application/json", "{\"n\":1}")).await;
        match left {
            Some(left) => assert_eq!(seen.body.unwrap(), left, "{body}"),
            None => {
                assert_eq!((seen.status.as_u16(), &*seen.code()), (502, "response-duplicate-key"), "{body}")
            }
        }
    }
}

#[tokio::test]
async fn law_11_whoever_says_no_while_a_stream_runs_is_heard() {
    let said = "{\"id\":\"ann\",\"email\":\"a@x.org\"}";
    let (event, line) = (format!("data: {said}\n\n"), format!("{said}\n"));
    // Where a text of a sequence ends is known when the next one begins.
    let text = format!("\u{1e}{said}\n");
    for (path, kind, unit, next) in [
        ("/events", EVENTS, &event, ""),
        ("/watch", LINES, &line, ""),
        ("/watch", "application/json-seq", &text, "\u{1e}"),
    ] {
        stream_with_a_no(path, kind, unit, next).await;
    }
}

async fn stream_with_a_no(path: &str, kind: &str, unit: &str, next: &'static str) {
    let world = world().await;
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel::<Bytes>();
    let body = http_body_util::BodyExt::boxed(http_body_util::StreamBody::new(Fed(receiver)));
    world.upstream.answers(http::Response::builder().header("content-type", kind).body(body).unwrap());
    let response =
        tower_service::Service::call(&mut world.service.clone(), asks(&world, path)).await.unwrap();
    assert_eq!(response.status(), 200, "{kind}: the head does not wait for an event");
    let mut body = response.into_body();
    sender.send(Bytes::from(format!("{unit}{next}"))).unwrap();
    let first = http_body_util::BodyExt::frame(&mut body).await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), unit, "{kind}");
    let effective = TODAY;
    let ended = LedgerEvent::Contract { state: consentry_model::ContractState::Ended, effective };
    world.record("customer", "ann", &[ended]).await;
    sender.send(Bytes::from(unit[next.len()..].to_owned())).unwrap();
    drop(sender);
    let mut rest = Vec::new();
    while let Some(frame) = http_body_util::BodyExt::frame(&mut body).await {
        rest.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    assert_eq!(rest, b"", "{kind}: not even that there was an event");
}

/// A stream that says what it is fed.
struct Fed(tokio::sync::mpsc::UnboundedReceiver<Bytes>);

impl futures_util::Stream for Fed {
    type Item = Result<http_body::Frame<Bytes>, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(http_body::Frame::data(bytes))))
    }
}
