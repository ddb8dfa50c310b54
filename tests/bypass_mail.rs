//! Ways round the rules for outbound messages: other addressees, other senders, another spelling of what they are about.

use bytes::Bytes;
use consentry_audit::VerdictLine;
use consentry_consent::Ledger as _;
use consentry_model::{Identifier, LedgerEvent, Reason, Space, Treatment};
use consentry_policy::{Bundle, Engine, Sources};
use consentry_tests::world::{Seen, TODAY, World, contract, post};
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

const BUNDLE: &str = "
bundle:
  controller: Example
  policy: {version: v1, from: 2026-01-01}
  excess: drop
  mail: {domains: [example.org], postal_address: '1 High Street', markers: ['[ad]'], clauses: [c-1]}
requesters: {mailer: {purposes: [essential, marketing]}}
facts: {message.topic: {values: [newsletter, invoice]}}
rules:
  - {id: mail, permit: essential.service, data: user.contact.email, act: send, when: {message.sender_domain: own}, basis: contract, clauses: [c-1]}
  - {id: monthly, require: {at_most: {times: 1, per: calendar-month, of: [subject, message.topic]}}, for: essential.service, act: send, when: {message.topic: newsletter}, reason: cadence-exceeded, clauses: [c-1]}
clauses: [{id: c-1, line: 1, section: Use, says: Customers are served., status: enforced}]
cases: [{case: nobody, clause: c-1, who: mailer, asks: GET /nowhere, about: nobody, then: refuse route-unknown}]
routes:
  - route: POST /mail
    purpose: essential.service
    about: {type: customer, space: email, id: 'body.to[]'}
    message: {to: 'body.to[]', from: body.from, topic: body.topic, text: body.text, headers: body.headers}
    response: {body: none}
";

async fn world() -> World {
    let world = World::new();
    let bundle =
        Bundle::read(&Sources::from_texts([("bundle.yaml", BUNDLE)])).unwrap_or_else(|e| panic!("{e}"));
    world.policy.install(Engine::new(bundle).unwrap_or_else(|e| panic!("{e:?}")), TODAY);
    world.record("email", "ann@example.org", &[contract()]).await;
    world.record("email", "bob@example.org", &[]).await;
    world
}

fn mail(world: &World, body: &Value) -> Request<Full<Bytes>> {
    let mut request = post("/mail", &body.to_string());
    let token = format!("Bearer {}", world.token("mailer", &["essential.service"]));
    request.headers_mut().insert("authorization", token.parse().unwrap());
    request
}

/// What is sent, with some members in the place of others.
fn message(change: &Value) -> Value {
    let mut all =
        json!({"to": ["ann@example.org"], "from": "info@example.org", "topic": "invoice", "text": "x"});
    for (name, value) in change.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

/// The status, the code of a problem, and what reached the service.
async fn sent(world: &World, change: Value) -> (u16, String, Option<Value>) {
    let seen: Seen = world.send(mail(world, &message(&change))).await;
    let reached = world.upstream.take().pop().map(|(_, body)| serde_json::from_slice(&body).unwrap());
    let code = if seen.status == 200 { String::new() } else { seen.code() };
    (seen.status.as_u16(), code, reached)
}

#[tokio::test]
async fn law_1_a_message_goes_to_its_addressees_alone() {
    for (change, status, code) in [
        (json!({}), 200, ""),
        (json!({"headers": {"Subject": "Your invoice", "Reply-To": "Shop <help@example.org>"}}), 200, ""),
        (json!({"to": ["bob@example.org"]}), 403, "not-permitted"),
        (json!({"to": []}), 422, "message-incomplete"),
        (json!({"to": null}), 422, "message-incomplete"),
        (json!({"to": ["ann@example.org", "ann@example.org"]}), 400, "body-malformed"),
        (json!({"to": ["ann@example.org", "Ann@Example.org"]}), 400, "body-malformed"),
        (json!({"to": [["ann@example.org"]]}), 400, "body-malformed"),
        (json!({"to": [["ann@example.org"], "ann@example.org"]}), 400, "body-malformed"),
        (json!({"to": ["ann@example.org", ["bob@example.org"]]}), 400, "body-malformed"),
        (json!({"to": [{"email": "ann@example.org"}]}), 400, "body-malformed"),
        (json!({"to": [{}]}), 400, "body-malformed"),
        (json!({"to": [null]}), 403, "not-permitted"),
        (json!({"to": [7, "7"]}), 400, "body-malformed"),
        (json!({"to": ["ann@example.org, bob@example.org"]}), 400, "body-malformed"),
        (json!({"to": ["ann@example.org\r\nBcc: bob@example.org"]}), 400, "body-malformed"),
        (json!({"headers": {"Bcc": "bob@example.org"}}), 403, "minimisation-violation"),
        (json!({"headers": {"bcc": "bob@example.org"}}), 403, "minimisation-violation"),
        (json!({"headers": {"Cc": ["bob@example.org"]}}), 403, "minimisation-violation"),
        (json!({"headers": {"To": "bob@example.org"}}), 403, "minimisation-violation"),
        (json!({"headers": {"Resent-To": "bob@example.org"}}), 403, "minimisation-violation"),
        (json!({"headers": {"Resent-Cc": "bob@example.org"}}), 403, "minimisation-violation"),
        (json!({"headers": {"Resent-Bcc": "bob@example.org"}}), 403, "minimisation-violation"),
        // Whoever sends it out is told of further addressees in words of their own, or a report goes to one.
        (json!({"headers": {"X-MC-BccAddress": "bob@example.org"}}), 403, "minimisation-violation"),
        (
            json!({"headers": {"x-smtpapi": r#"{"to":["bob\u0040example.org"]}"#}}),
            403,
            "minimisation-violation",
        ),
        (json!({"headers": {"X-MSYS-API": "{}"}}), 403, "minimisation-violation"),
        (json!({"headers": {"X-Bcc": "bob"}}), 403, "minimisation-violation"),
        (json!({"headers": {"Errors-To": "bob@example.org"}}), 403, "minimisation-violation"),
        (
            json!({"headers": {"Disposition-Notification-To": "bob@example.org"}}),
            403,
            "minimisation-violation",
        ),
        (json!({"headers": {"Return-Receipt-To": "bob@example.org"}}), 403, "minimisation-violation"),
        (json!({"headers": {"Mail-Followup-To": "bob@example.org"}}), 403, "minimisation-violation"),
        (json!({"headers": {"Apparently-To": "bob@example.org"}}), 403, "minimisation-violation"),
        // In any other header an address is an addressee to somebody.
        (json!({"headers": {"X-Copy": "bob@other.test"}}), 403, "minimisation-violation"),
        (
            json!({"headers": {"X-Copy": "Shop <info@example.org>, bob@other.test"}}),
            403,
            "minimisation-violation",
        ),
        (json!({"headers": {"X-Copy": "info@example.org@other.test"}}), 403, "minimisation-violation"),
        (json!({"headers": {"X-Copy": "info@example.org.other.test"}}), 403, "minimisation-violation"),
        (json!({"headers": {"X-Copy": "bob%40other.test"}}), 403, "minimisation-violation"),
        (json!({"headers": {"X-Copy": "bob\u{ff20}other.test"}}), 403, "minimisation-violation"),
        (json!({"headers": {"List-Owner": "<mailto:bob@other.test>"}}), 403, "minimisation-violation"),
        (json!({"headers": {"List-Help": "<mailto:Help@Example.org?subject=help>"}}), 200, ""),
        (json!({"headers": {"X-Copy": "Shop <info@example.org>; help@example.org."}}), 200, ""),
        (json!({"headers": {"X-Campaign": "autumn @ home"}}), 200, ""),
        // These name messages, links and what is talked of.
        (json!({"headers": {"Message-ID": "<1@mx.other.test>", "In-Reply-To": "<2@other.test>"}}), 200, ""),
        (json!({"headers": {"References": "<1@mx.other.test> <2@other.test>"}}), 200, ""),
        (
            json!({"headers": {"List-Unsubscribe": "<mailto:stop@other.test>, <https://example.org/u>"}}),
            200,
            "",
        ),
        (json!({"headers": {"Subject": "The account of ann@example.net"}}), 200, ""),
        (json!({"headers": {"From": "ceo@other.test"}}), 403, "minimisation-violation"),
        (json!({"headers": {"Sender": "ceo@other.test"}}), 403, "minimisation-violation"),
        (json!({"headers": {"Subject": "x\r\nBcc: bob@example.org"}}), 400, "body-malformed"),
        (json!({"headers": {"X: y\r\nBcc": "bob@example.org"}}), 400, "body-malformed"),
        (json!({"headers": {"Subject": "a", "subject": "b"}}), 400, "body-malformed"),
        (json!({"headers": {"Reply-To": ["ceo@other.test"]}}), 400, "body-malformed"),
        (json!({"headers": {"Reply-To ": "ceo@other.test"}}), 400, "body-malformed"),
        (json!({"headers": "Bcc: bob@example.org"}), 400, "body-malformed"),
        (json!({"headers": {"Reply-To": "ceo@other.test"}}), 403, "purpose-not-permitted"),
        (json!({"from": ["info@example.org"]}), 400, "body-malformed"),
        (json!({"from": "Shop\r\nBcc: bob@example.org <info@example.org>"}), 400, "body-malformed"),
        (json!({"from": "ceo@other.test, Shop <info@example.org>"}), 403, "purpose-not-permitted"),
        (json!({"from": "ceo@other.test"}), 403, "purpose-not-permitted"),
    ] {
        let world = world().await;
        let (was, why, reached) = sent(&world, change.clone()).await;
        assert_eq!((was, why.as_str()), (status, code), "{change}");
        assert_eq!(reached.is_some(), status == 200, "{change}");
        let ruled = world.last_ticket().await;
        assert!(!format!("{ruled:?}").contains("bob@"), "{change}");
    }
}

#[tokio::test]
async fn law_1_a_message_that_is_left_out_is_none() {
    let world = world().await;
    for typed in [true, false] {
        let mut request = mail(&world, &message(&json!({})));
        *request.body_mut() = Full::default();
        if !typed {
            request.headers_mut().remove("content-type");
        }
        let seen = world.send(request).await;
        let expected = if typed { (400, "body-malformed") } else { (415, "body-media-type") };
        assert_eq!((seen.status.as_u16(), &*seen.code()), expected, "{seen:?}");
        assert!(world.upstream.take().is_empty());
    }
}

#[tokio::test]
async fn a_header_that_nobody_described_does_not_go_out() {
    let world = world().await;
    let (status, _, reached) =
        sent(&world, json!({"headers": {"Subject": "x", "X-Campaign": "ann", "subject-line": "ann"}})).await;
    assert_eq!((status, reached.unwrap()["headers"].clone()), (200, json!({"Subject": "x"})));
}

#[tokio::test]
async fn law_8_messages_are_counted_by_what_they_are_about_and_not_by_how_it_is_spelled() {
    let world = world().await;
    assert_eq!(sent(&world, json!({"topic": "newsletter"})).await.0, 200);
    for topic in [
        json!("newsletter"),
        json!("Newsletter"),
        json!("newsletter "),
        json!("newsletter2"),
        json!(["newsletter"]),
        json!(5),
        Value::Null,
    ] {
        let (status, _, reached) = sent(&world, json!({"topic": topic})).await;
        assert!(status >= 400 && reached.is_none(), "{topic}: {status}");
    }
    for _ in 0..2 {
        assert_eq!(sent(&world, json!({"topic": "invoice"})).await.0, 200);
    }
}

#[tokio::test]
async fn law_8_of_several_promises_every_one_counts_a_message_once() {
    let daily = "
  - {id: daily, require: {at_most: {times: 1, per: calendar-day, of: [subject]}}, for: essential.service, act: send, when: {message.topic: newsletter}, reason: cadence-exceeded, clauses: [c-1]}
  - {id: monthly,";
    let world = World::new();
    let text = BUNDLE
        .replace("\n  - {id: monthly,", daily)
        .replace("times: 1, per: calendar-month", "times: 2, per: calendar-month");
    let install = || {
        let bundle =
            Bundle::read(&Sources::from_texts([("bundle.yaml", &*text)])).unwrap_or_else(|e| panic!("{e}"));
        world.policy.install(Engine::new(bundle).unwrap_or_else(|e| panic!("{e:?}")), world.clock_now());
    };
    world.record("email", "ann@example.org", &[contract()]).await;
    // Two in a month and one in a day; what is refused by one of them takes no place of the other.
    for (day, topic, goes) in [
        (0, "newsletter", true),
        (0, "newsletter", false),
        (0, "newsletter", false),
        (0, "invoice", true),
        (1, "newsletter", true),
        (2, "newsletter", false),
        (30, "newsletter", true),
        (30, "newsletter", false),
    ] {
        world.clock.set(TODAY.saturating_add_millis(day * 24 * 3_600_000));
        install();
        let (status, code, reached) = sent(&world, json!({"topic": topic})).await;
        assert_eq!(reached.is_some(), goes, "day {day}, {topic}: {status} {code}");
    }
}

#[tokio::test]
async fn law_12_of_two_addresses_of_one_person_evidence_tells_what_left_and_what_did_not() {
    let world = world().await;
    let (ann, other) = (who("ann@example.org"), who("ann@work.example"));
    world.ledger.link(&ann, &other, TODAY).await.unwrap();
    let to = json!({"topic": "newsletter", "to": ["ann@example.org", "ann@work.example"]});
    let (status, code, reached) = sent(&world, to).await;
    assert_eq!((status, reached.unwrap()["to"].clone()), (200, json!(["ann@example.org"])), "{code}");
    let (head, _) = world.last_ticket().await;
    let said = |line: &VerdictLine| (line.treatment, line.reason, line.subjects.len());
    let lines: Vec<_> = head.verdicts.iter().map(said).collect();
    assert!(lines.contains(&(Treatment::Clear, None, 1)), "{lines:?}");
    assert!(lines.contains(&(Treatment::Withheld, Some(Reason::CadenceExceeded), 1)), "{lines:?}");
    // When neither goes nothing is said to have gone.
    let to = json!({"topic": "newsletter", "to": ["ann@example.org", "ann@work.example"]});
    assert_eq!(sent(&world, to).await.0, 403);
    let (head, _) = world.last_ticket().await;
    assert!(head.verdicts.iter().all(|line| line.treatment == Treatment::Withheld), "{:?}", head.verdicts);
}

fn who(address: &str) -> Identifier {
    Identifier::new(Space::new("email"), address)
}

#[tokio::test]
async fn law_7_nothing_is_sent_to_whoever_wants_to_hear_nothing_any_more() {
    let world = world().await;
    world.record("email", "cy@example.org", &[contract()]).await;
    let (status, _, there) = sent(&world, json!({})).await;
    assert_eq!((status, there.is_some()), (200, true));
    let silence = |on| [LedgerEvent::Suppression { on, effective: TODAY }];
    world.record("email", "ann@example.org", &silence(true)).await;
    let (status, code, there) = sent(&world, json!({})).await;
    assert_eq!((status, code.as_str(), there), (403, "not-permitted", None));
    let both = json!({"to": ["ann@example.org", "cy@example.org"]});
    let (status, _, there) = sent(&world, both).await;
    assert_eq!((status, there.unwrap()["to"].clone()), (200, json!(["cy@example.org"])));
    world.record("email", "ann@example.org", &silence(false)).await;
    assert_eq!(sent(&world, json!({})).await.0, 403, "of two at one time the stricter counts");
}

/// A world in which whoever is written to is told how to stop it, and whose map says itself what a message holds.
async fn told_how_to_stop(parts: &str) -> World {
    let world = World::new();
    let rule = "
  - {id: stop, require: {that: {message.unsubscribe: true}}, for: any, act: send, reason: missing-opt-out, clauses: [c-1]}
  - {id: monthly,";
    let body = format!("    request: {{body: {{'to[]': user.contact.email, topic: none, {parts}}}}}\n");
    let text = BUNDLE
        .replace("\n  - {id: monthly,", rule)
        .replace("    response: {body: none}\n", &format!("{body}    response: {{body: none}}\n"));
    let bundle =
        Bundle::read(&Sources::from_texts([("bundle.yaml", &*text)])).unwrap_or_else(|e| panic!("{e}"));
    world.policy.install(Engine::new(bundle).unwrap_or_else(|e| panic!("{e:?}")), TODAY);
    world.record("email", "ann@example.org", &[contract()]).await;
    world
}

#[tokio::test]
async fn law_8_what_a_message_says_is_what_is_sent_on_of_it() {
    let heads = |more: Value| {
        let mut all = json!({
            "List-Unsubscribe": "<https://example.org/u?t=1,2>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        });
        all.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        json!({"text": "stop: https://example.org/u", "headers": all})
    };
    let each = "headers.List-Unsubscribe: none, headers.List-Unsubscribe-Post: none";
    let (own, other) = ("help@example.org", "ceo@other.test");
    for (parts, change, status) in [
        (format!("from: none, text: none, {each}"), heads(json!({})), 200),
        ("from: none, text: none, 'headers.**': none".to_owned(), heads(json!({})), 200),
        ("from: none, text: none, 'headers.*': none".to_owned(), heads(json!({"reply-to": own})), 200),
        // What stays here tells nobody how to stop, and names no sender.
        (format!("from: none, {each}"), heads(json!({})), 422),
        (format!("text: none, {each}"), heads(json!({})), 403),
        ("from: none, text: none".to_owned(), heads(json!({})), 422),
        ("from: none, text: none, headers.list-unsubscribe: none".to_owned(), heads(json!({})), 422),
        // In any other spelling somebody else gets the answers all the same.
        ("from: none, text: none, 'headers.*': none".to_owned(), heads(json!({"Reply-To": other})), 403),
        ("from: none, text: none, 'headers.*': none".to_owned(), heads(json!({"reply-to": other})), 403),
        ("from: none, text: none, 'headers.**': none".to_owned(), heads(json!({"REPLY-TO": other})), 403),
    ] {
        let world = told_how_to_stop(&parts).await;
        let (was, why, reached) = sent(&world, change.clone()).await;
        assert_eq!(was, status, "{parts}, {change}: {why}");
        assert_eq!(reached.is_some(), status == 200, "{parts}, {change}");
    }
}
