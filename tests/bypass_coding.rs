//! Ways round the layer in content codings: what is decided on is what was in them, what goes on is that and nothing else,
//! and nothing is compressed from whose length a stranger could learn.

use bytes::Bytes;
use consentry_body::{Coding, CodingFault, CodingLimits, Encoder, decode};
use consentry_layer::Limits;
use consentry_model::{ConsentState, Reason};
use consentry_policy::{Bundle, Engine, Sources};
use consentry_tests::world::{
    Answer, Otherwise, Seen, TODAY, World, consent, contract, get, json, post, typed,
};
use http::Request;
use http_body_util::{BodyExt, Full};

const EMAIL: &str = "marketing.communications.email";
const SUPPORT: &str = "essential.service.operations.support";
const PROFILE: &str =
    r#"{"id":"c-1","name":"Ann Sample","email":"ann@example.org","plan":"pro","ssn":"078-05-1120"}"#;
const SIGN_UP: &str = r#"{"email":"bob@example.org","opt_in":true}"#;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    encoder.push(text);
    encoder.finish().to_vec()
}

/// A zlib stream of one stored block.
fn zlib(text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in text {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    let mut out = vec![0x78, 0x01, 0x01];
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(text);
    out.extend((b << 16 | a).to_be_bytes());
    out
}

/// A zstd frame of one raw block.
fn zstd(text: &[u8]) -> Vec<u8> {
    let header = u32::try_from(text.len()).unwrap() << 3 | 1;
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x58];
    out.extend(&header.to_le_bytes()[..3]);
    out.extend(text);
    out
}

/// A zstd frame of so many blocks that each stand for 128 KiB of blanks.
fn bomb(blocks: usize) -> Vec<u8> {
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x58];
    for at in 1..=blocks {
        let header = (128_u32 << 10) << 3 | 1 << 1 | u32::from(at == blocks);
        out.extend(&header.to_le_bytes()[..3]);
        out.push(b' ');
    }
    out
}

fn coded(mut answer: Answer, coding: &str, body: Vec<u8>) -> Answer {
    *answer.body_mut() = Full::new(Bytes::from(body)).map_err(|e| match e {}).boxed();
    answer.headers_mut().insert("content-encoding", coding.parse().unwrap());
    answer
}

fn profile(world: &World) -> Request<Full<Bytes>> {
    get("/customers/c-1", Some(&world.token("support", &[SUPPORT])), Some(SUPPORT))
}

async fn world(limits: Limits) -> World {
    let world = World::otherwise(Otherwise { limits: Some(limits), ..Otherwise::default() });
    world.record("customer", "c-1", &[contract()]).await;
    world
}

fn sign_up(coding: &str, body: Vec<u8>) -> Request<Full<Bytes>> {
    let mut request = post("/newsletter", "");
    *request.body_mut() = Full::new(Bytes::from(body));
    request.headers_mut().insert("content-encoding", coding.parse().unwrap());
    request
}

#[tokio::test]
async fn what_was_coded_is_decided_on_and_goes_on_plain() {
    let world = world(Limits::default()).await;
    let text = SIGN_UP.as_bytes();
    for (coding, body) in [
        ("gzip", gzip(text)),
        ("x-gzip", gzip(text)),
        ("deflate", zlib(text)),
        ("zstd", zstd(text)),
        ("identity", text.to_vec()),
        ("deflate, gzip", gzip(&zlib(text))),
        ("identity, zstd", zstd(text)),
    ] {
        let seen = world.send(sign_up(coding, body)).await;
        assert_eq!(seen.status, 200, "{coding} {seen:?}");
        let reached = world.upstream.reached();
        let (head, sent) = reached.last().unwrap();
        assert_eq!(&sent[..], text, "{coding}");
        assert!(!head.headers.contains_key("content-encoding"), "{coding}");
        assert_eq!(
            head.headers["accept-encoding"],
            "identity, gzip;q=0.5, br;q=0.5, zstd;q=0.5, deflate;q=0.3"
        );
    }
}

#[tokio::test]
async fn law_1_a_coded_request_that_is_not_whole_and_one_is_refused_for_its_own_reason() {
    let text = SIGN_UP.as_bytes();
    let good = gzip(text);
    let join = |a: &[u8], b: &[u8]| [a, b].concat();
    let mut wrong = good.clone();
    *wrong.last_mut().unwrap() ^= 1;
    let rows = [
        ("br, gzip, zstd", good.clone(), 415, Reason::BodyCodingStacked),
        ("gzip, gzip, gzip", good.clone(), 415, Reason::BodyCodingStacked),
        ("compress", good.clone(), 415, Reason::BodyEncoding),
        ("gzip;q=1", good.clone(), 415, Reason::BodyEncoding),
        ("", good.clone(), 415, Reason::BodyEncoding),
        ("gzip,", good.clone(), 415, Reason::BodyEncoding),
        ("aes128gcm", good.clone(), 415, Reason::BodyEncoding),
        ("deflate", good.clone(), 400, Reason::BodyCodingMislabelled),
        ("zstd", good.clone(), 400, Reason::BodyCodingMislabelled),
        ("br", text.to_vec(), 400, Reason::BodyCodingMalformed),
        ("gzip", text.to_vec(), 400, Reason::BodyCodingMislabelled),
        ("gzip", good[..good.len() - 3].to_vec(), 400, Reason::BodyCodingTruncated),
        ("gzip", vec![], 400, Reason::BodyCodingTruncated),
        ("gzip", join(&good, b"{}"), 400, Reason::BodyCodingTrailing),
        ("gzip", wrong, 400, Reason::BodyCodingChecksum),
        // Two members are one content, and that is no longer one JSON text.
        ("gzip", join(&good, &gzip(b"{}")), 400, Reason::BodyMalformed),
        ("zstd", bomb(9), 413, Reason::BodyCodingRatio),
        ("zstd, gzip", gzip(&bomb(9)), 413, Reason::BodyCodingRatio),
        ("zstd", vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0xff, 1, 0, 0], 415, Reason::BodyCodingWindow),
        ("zstd", vec![0x28, 0xb5, 0x2f, 0xfd, 1, 0x58, 7, 1, 0, 0], 415, Reason::BodyCodingDictionary),
        ("identity", good.clone(), 400, Reason::BodyMalformed),
    ];
    let world = world(Limits::default()).await;
    for (coding, body, status, reason) in rows {
        let seen = world.send(sign_up(coding, body)).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (status, reason.code()), "{coding}");
        assert!(world.upstream.reached().is_empty(), "{coding}");
        assert_eq!(world.last_ticket().await.1.reason, Some(reason), "{coding}");
    }
}

#[tokio::test]
async fn law_1_a_coded_request_is_as_long_as_it_becomes() {
    let mut limits = Limits::default();
    limits.request_body_bytes_max = 200;
    let world = world(limits).await;
    let long = format!(r#"{{"email":"bob@example.org","name":"{}"}}"#, "n".repeat(300));
    let seen = world.send(sign_up("gzip", gzip(long.as_bytes()))).await;
    assert_eq!((seen.status.as_u16(), &*seen.code()), (413, "body-too-large"));
    assert!(world.upstream.reached().is_empty());
}

#[tokio::test]
async fn what_came_coded_is_redacted_like_anything_else() {
    let world = world(Limits::default()).await;
    let text = PROFILE.as_bytes();
    for (coding, body) in [
        ("gzip", gzip(text)),
        ("x-gzip", gzip(text)),
        ("deflate", zlib(text)),
        ("zstd", zstd(text)),
        ("zstd, gzip", gzip(&zstd(text))),
        ("identity", text.to_vec()),
    ] {
        world.upstream.answers(coded(json(""), coding, body));
        let seen = world.send(profile(&world)).await;
        assert_eq!(seen.status, 200, "{coding} {seen:?}");
        assert!(!seen.headers.contains_key("content-encoding"), "{coding}");
        assert_eq!(seen.json()["name"], "Ann Sample", "{coding}");
        assert!(!format!("{seen:?}").contains("078-05"), "{coding}: {seen:?}");
    }
}

#[tokio::test]
async fn law_1_a_coded_answer_that_is_not_whole_and_one_is_not_passed_on() {
    let text = PROFILE.as_bytes();
    let good = gzip(text);
    let mut wrong = good.clone();
    *wrong.last_mut().unwrap() ^= 1;
    let rows = [
        ("gzip, br, zstd", good.clone(), Reason::ResponseCodingStacked),
        ("snappy", good.clone(), Reason::ResponseEncoding),
        ("zstd", good.clone(), Reason::ResponseCodingMislabelled),
        ("br", text.to_vec(), Reason::ResponseCodingMalformed),
        ("gzip", good[..20].to_vec(), Reason::ResponseCodingTruncated),
        ("gzip", vec![], Reason::ResponseCodingTruncated),
        ("gzip", [&good[..], b"ann"].concat(), Reason::ResponseCodingTrailing),
        ("gzip", wrong, Reason::ResponseCodingChecksum),
        ("zstd", bomb(100), Reason::ResponseCodingRatio),
        ("zstd", vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0xff, 1, 0, 0], Reason::ResponseCodingWindow),
        ("zstd", vec![0x28, 0xb5, 0x2f, 0xfd, 1, 0x58, 7, 1, 0, 0], Reason::ResponseCodingDictionary),
    ];
    let world = world(Limits::default()).await;
    for (coding, body, reason) in rows {
        world.upstream.answers(coded(json(""), coding, body));
        let seen = world.send(profile(&world)).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (502, reason.code()), "{coding}");
        assert!(!format!("{seen:?}").contains("Ann"), "{coding}: {seen:?}");
        assert_eq!(world.last_ticket().await.1.reason, Some(reason), "{coding}");
    }
}

#[tokio::test]
async fn law_1_an_answer_over_the_absolute_limit_is_not_passed_on() {
    let mut limits = Limits::default();
    limits.response_decoded_bytes_max = 64;
    let world = world(limits).await;
    world.upstream.answers(coded(json(""), "gzip", gzip(PROFILE.as_bytes())));
    assert_eq!(world.send(profile(&world)).await.code(), "response-too-large");
}

fn with(mut request: Request<Full<Bytes>>, lines: &[(&'static str, &str)]) -> Request<Full<Bytes>> {
    for (name, value) in lines {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}

fn plain(seen: &Seen) -> Vec<u8> {
    let body = seen.body.as_ref().unwrap();
    if seen.headers.get("content-encoding").is_some_and(|c| c == "gzip") {
        return decode(&[Coding::Gzip], CodingLimits::default(), body).unwrap();
    }
    body.to_vec()
}

const PAGES: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}, excess: drop}
cookies: [{name: sid, purpose: essential.service, data: user.device.cookie, form: hex}]
rules: [{id: keep, permit: essential.service, data: user.device.cookie, basis: notice, clauses: [c-1]}]
clauses: [{id: c-1, line: 1, section: Use, says: A session is kept., status: enforced}]
cases: [{case: nobody, clause: c-1, who: anyone, asks: GET /nowhere, about: nobody, then: refuse route-unknown}]
routes:
  - route: GET /page
    public: true
    purpose: essential.service
    about: {type: visitor, anonymous: true}
    response: {body: page}
";

/// A page longer than what is worth compressing.
fn page() -> String {
    format!("<p>{}</p>", "All of it is the same. ".repeat(200))
}

#[tokio::test]
async fn law_13_only_what_nobody_can_learn_from_is_compressed() {
    let sid = "sid=0123456789abcdef0123456789abcdef";
    type Lines<'a> = &'a [(&'static str, &'a str)];
    let rows: [(Lines<'_>, Lines<'_>, bool); 12] = [
        (&[("accept-encoding", "gzip, br")], &[], true),
        (&[("accept-encoding", "*")], &[], true),
        (&[], &[], false),
        (&[("accept-encoding", "br, zstd")], &[], false),
        (&[("accept-encoding", "gzip;q=0")], &[], false),
        (&[("accept-encoding", "identity, gzip;q=0.5")], &[], false),
        (&[("accept-encoding", "gzip;q=nonsense")], &[], false),
        (&[("accept-encoding", "gzip"), ("cookie", sid)], &[], false),
        (&[("accept-encoding", "gzip"), ("cookie", "other=1")], &[], false),
        (&[("accept-encoding", "gzip"), ("cache-control", "no-transform")], &[], false),
        (&[("accept-encoding", "gzip")], &[("set-cookie", sid)], false),
        (&[("accept-encoding", "gzip")], &[("cache-control", "public, No-Transform")], false),
    ];
    let world = world(Limits::default()).await;
    let bundle =
        Bundle::read(&Sources::from_texts([("bundle.yaml", PAGES)])).unwrap_or_else(|e| panic!("{e}"));
    world.policy.install(Engine::new(bundle).unwrap(), TODAY);
    for (request, answer, compressed) in rows {
        let mut page_of = typed("text/html", &page());
        for (name, value) in answer {
            page_of.headers_mut().append(*name, value.parse().unwrap());
        }
        world.upstream.answers(page_of);
        let seen = world.send(with(get("/page", None, None), request)).await;
        assert_eq!(seen.status, 200, "{request:?}");
        let sets = answer.iter().any(|(name, _)| *name == "set-cookie");
        assert_eq!(seen.headers.contains_key("set-cookie"), sets, "{seen:?}");
        let said = seen.headers.get("content-encoding").map(|v| v.to_str().unwrap());
        assert_eq!(said, compressed.then_some("gzip"), "{request:?} {answer:?}");
        assert_eq!(plain(&seen), page().as_bytes(), "{request:?}");
        let vary = seen.headers["vary"].to_str().unwrap();
        assert!(vary.contains("accept-encoding") && vary.contains("data-purpose"), "{vary}");
        assert_eq!(seen.headers["cache-control"], "private, no-store");
    }
}

#[tokio::test]
async fn a_short_answer_is_not_worth_compressing() {
    let world = world(Limits::default()).await;
    world.upstream.answers(json(PROFILE));
    let seen = world.send(with(profile(&world), &[("accept-encoding", "gzip")])).await;
    assert!(!seen.headers.contains_key("content-encoding"));
}

#[tokio::test]
async fn an_answer_that_streams_is_compressed_window_by_window_and_ends_visibly_when_it_breaks() {
    let mut limits = Limits::default();
    (limits.response_hold_bytes_max, limits.window_bytes_max, limits.recode_bytes_min) = (2048, 512, 64);
    let world = world(limits).await;
    world.record("email", "ann@example.org", &[consent(ConsentState::Given, 10)]).await;
    let rows = r#"{"email":"ann@example.org","name":"Ann"},"#.repeat(200);
    for (end, whole) in [("{\"email\":\"bob@example.org\"}]}", true), ("{\"email\":", false)] {
        let text = format!(r#"{{"rows":[{rows}{end}"#);
        world.upstream.answers(coded(json(""), "gzip", gzip(text.as_bytes())));
        let request = get("/mailing-list", Some(&world.token("newsletter-svc", &[EMAIL])), Some(EMAIL));
        let seen = world.send(with(request, &[("accept-encoding", "gzip")])).await;
        assert_eq!((seen.status.as_u16(), seen.body.is_ok()), (200, whole), "{seen:?}");
        assert_eq!(seen.headers["content-encoding"], "gzip");
        let body = seen.body.clone().unwrap_or_else(|broken| broken);
        let read = decode(&[Coding::Gzip], CodingLimits::default(), &body);
        let text = read.map(|bytes| String::from_utf8(bytes).unwrap());
        if whole {
            let text = text.unwrap();
            assert_eq!((text.matches("ann@").count(), text.contains("bob@")), (200, false), "{text}");
        } else {
            assert_eq!(text, Err(CodingFault::Truncated), "whoever reads it sees that it is cut");
        }
    }
}
