//! Ways round the rules for outbound messages: other addressees, other senders, another spelling of what they are about.

use bytes::Bytes;
use consentry_audit::VerdictLine;
use consentry_consent::Ledger as _;
use consentry_identity::Assurance;
use consentry_model::{Identifier, LedgerEvent, Occurrence, Owed, Reason, Resolution, Space, Treatment};
use consentry_policy::{Bundle, Engine, ReportOnly, Sources};
use consentry_tests::world::{Otherwise, Seen, TODAY, World, contract, post};
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

/// A world whose mail is sent out by a recipient, which the bundle registers like this, under further rules.
async fn sent_out_by(recipient: &str, rules: &str) -> World {
    let world = World::new();
    let text = BUNDLE
        .replace("  excess: drop\n", "  excess: drop\n  home: DE\n  regimes: [eu-gdpr]\n")
        .replace("requesters: {", &format!("recipients: {{mailhouse: {recipient}}}\nrequesters: {{customer-portal: {{purposes: [custom.rights], receives_as: subject}}, "))
        .replace("  - {id: mail,", &format!("{rules}  - {{id: mail,"))
        .replace("act: send, when: {message.sender_domain", "to: [internal, external], act: send, when: {message.sender_domain")
        .replace("  - route: POST /mail\n", ERASED_ON_DEMAND)
        .replace("    message:", "    to: mailhouse\n    message:");
    let bundle =
        Bundle::read(&Sources::from_texts([("bundle.yaml", &*text)])).unwrap_or_else(|e| panic!("{e}"));
    world.policy.install(Engine::new(bundle).unwrap_or_else(|e| panic!("{e:?}")), TODAY);
    world.record("email", "ann@example.org", &[contract()]).await;
    world.record("email", "bob@example.org", &[]).await;
    world
}

/// A route on which somebody is erased, in front of the one by which mail goes out.
const ERASED_ON_DEMAND: &str = "
  - route: DELETE /account
    right: erasure
    about: {type: customer, space: customer, id: token.sub}
    response: {body: none}
    events: [{erase: subject}]
  - route: POST /mail
";

const SAFE: &str = "{class: processor, country: IN, safeguard: scc}";
const INSIDE: &str = "{class: internal, country: IN}";

#[tokio::test]
async fn what_somebody_outside_sends_out_is_disclosed_to_them() {
    let rule = |rule: &str| format!("  - {{{rule}, clauses: [c-1]}}\n");
    let never = rule("id: never, forbid: any, data: user.contact, act: disclose, cure: never");
    let nobody_else =
        rule("id: never, forbid: any, data: user.contact, to: third_party, act: disclose, cure: never");
    let signed = rule(
        "id: signed, require: {that: {request.signed: true}}, for: any, act: disclose, reason: cross-site",
    );
    let agreed = rule(
        "id: agreed, forbid: any, data: user.contact, act: [read, disclose], cure: {consent: opt-in}, reason: consent-required",
    );
    let read = rule("id: read, forbid: any, data: user.contact, act: read, cure: never");
    for (recipient, rules, refused) in [
        ("{class: processor, country: IN}", "", Some(Reason::TransferNotSafeguarded)),
        ("{class: third_party, country: US}", "", Some(Reason::TransferNotSafeguarded)),
        (SAFE, "", None),
        ("{class: processor, country: JP}", "", None),
        // Who is inside is told nothing that was not known there.
        (INSIDE, "", None),
        (SAFE, &never, Some(Reason::PurposeNotPermitted)),
        (INSIDE, &never, None),
        (SAFE, &nobody_else, None),
        (SAFE, &agreed, Some(Reason::ConsentRequired)),
        (INSIDE, &agreed, None),
        (SAFE, &signed, Some(Reason::CrossSite)),
        (INSIDE, &signed, None),
        (SAFE, &read, None),
    ] {
        let world = sent_out_by(recipient, rules).await;
        let (status, code, reached) = sent(&world, json!({})).await;
        assert_eq!(status == 200, refused.is_none(), "{recipient}, {rules}: {status} {code}");
        assert_eq!(reached.is_some(), refused.is_none(), "{recipient}, {rules}");
        let (head, _) = world.last_ticket().await;
        assert_eq!(head.reason, refused, "{recipient}, {rules}: {head:?}");
        assert_eq!(head.recipient.unwrap().as_str(), "mailhouse", "{recipient}, {rules}");
    }
}

#[tokio::test]
async fn law_1_who_may_be_told_of_somebody_may_not_send_them_mail_for_that() {
    let told = "  - {id: told, permit: essential.service, data: user.contact.email, to: external, act: disclose, basis: contract, clauses: [c-1]}\n";
    let world = sent_out_by(SAFE, told).await;
    assert_eq!(sent(&world, json!({})).await.0, 200);
    let silent = "  - {id: mail, permit: marketing,";
    let mail = "  - {id: mail, permit: essential.service,";
    let world = World::new();
    let text = BUNDLE
        .replace("requesters: {", &format!("recipients: {{mailhouse: {SAFE}}}\nrequesters: {{"))
        .replace(mail, &format!("{told}{silent}"))
        .replace("    message:", "    to: mailhouse\n    message:");
    let bundle =
        Bundle::read(&Sources::from_texts([("bundle.yaml", &*text)])).unwrap_or_else(|e| panic!("{e}"));
    world.policy.install(Engine::new(bundle).unwrap_or_else(|e| panic!("{e:?}")), TODAY);
    world.record("email", "ann@example.org", &[contract()]).await;
    let (status, code, reached) = sent(&world, json!({})).await;
    assert_eq!((status, code.as_str(), reached), (403, "purpose-not-permitted", None));
}

#[tokio::test]
async fn law_8_a_promise_on_how_often_somebody_is_disclosed_counts_what_is_sent_out() {
    let weekly = "  - {id: weekly, require: {at_most: {times: 1, per: P7D, of: [subject]}}, for: any, act: disclose, reason: cadence-exceeded, clauses: [c-1]}\n";
    for (recipient, again) in [(SAFE, 403), (INSIDE, 200)] {
        let world = sent_out_by(recipient, weekly).await;
        assert_eq!(sent(&world, json!({})).await.0, 200, "{recipient}");
        assert_eq!(sent(&world, json!({})).await.0, again, "{recipient}");
    }
}

/// What the ledger holds of somebody's own.
async fn noted(world: &World, address: &str) -> Vec<LedgerEvent> {
    let found = world.ledger.resolve(&[who(address)]).await.unwrap().answers.remove(0);
    let Resolution::Known(state) = found else { return Vec::new() };
    state.events.iter().map(|entry| entry.event.clone()).collect()
}

#[tokio::test]
async fn an_erasure_is_told_to_whoever_sent_mail_out() {
    let tell = "  - {id: tell, require: {tell: recipients}, clauses: [c-1]}\n";
    for (recipient, rules, is_noted) in [(SAFE, tell, true), (INSIDE, tell, false), (SAFE, "", false)] {
        let world = sent_out_by(recipient, rules).await;
        let ann = Identifier::new(Space::new("customer"), "ann");
        world.ledger.link(&who("ann@example.org"), &ann, TODAY).await.unwrap();
        let both = json!({"to": ["ann@example.org", "bob@example.org"]});
        let (status, code, reached) = sent(&world, both).await;
        assert_eq!((status, reached.unwrap()["to"].clone()), (200, json!(["ann@example.org"])), "{code}");
        let disclosed = |events: &[LedgerEvent]| {
            let is = |event: &&LedgerEvent| matches!(event, LedgerEvent::Occurrence { what: Occurrence::Disclosed { category, recipient }, .. } if category.as_str() == "user.contact.email" && recipient.as_str() == "mailhouse");
            events.iter().filter(is).count()
        };
        assert_eq!(
            disclosed(&noted(&world, "ann@example.org").await),
            usize::from(is_noted),
            "{recipient} {rules}"
        );
        assert_eq!(
            disclosed(&noted(&world, "bob@example.org").await),
            0,
            "who is left out is told of to nobody"
        );
        let token = world.person("ann", Assurance::Substantial);
        let erase = Request::builder().method("DELETE").uri("/account");
        let erase = erase.header("authorization", format!("Bearer {token}")).body(Full::default()).unwrap();
        let seen = world.send(erase).await;
        assert_eq!(seen.status, 200, "{seen:?}");
        let owed = noted(&world, "ann@example.org").await.into_iter().any(|event| {
            matches!(event, LedgerEvent::Duty { what: Owed::Erasure { recipient }, .. } if recipient.as_str() == "mailhouse")
        });
        assert_eq!(owed, is_noted, "{recipient} {rules}");
    }
}

/// A world in which the rulings on mail are reported and not carried out.
async fn reported() -> World {
    let bundle =
        Bundle::read(&Sources::from_texts([("bundle.yaml", BUNDLE)])).unwrap_or_else(|e| panic!("{e}"));
    let report_only = ReportOnly::dangerously_for(["POST /mail".into()]);
    let world = World::otherwise(Otherwise { bundle: Some(bundle), report_only, ..Otherwise::default() });
    world.record("email", "ann@example.org", &[contract()]).await;
    world.record("email", "bob@example.org", &[]).await;
    world.record("email", "cy@example.org", &[]).await;
    world
}

#[tokio::test]
async fn law_8_what_was_promised_of_how_often_is_kept_where_rulings_are_only_reported() {
    let [ann, bob, cy] = ["ann", "bob", "cy"].map(|name| format!("{name}@example.org"));
    // Mail after mail: to whom, and to whom it goes. Of bob and cy no rule permits anything.
    let letter = "newsletter";
    let stories: [&[(&str, Value, Option<Value>)]; 7] = [
        &[(letter, json!([ann]), Some(json!([ann]))), (letter, json!([ann]), None)],
        &[(letter, json!([bob]), Some(json!([bob]))), (letter, json!([bob]), None)],
        &[
            (letter, json!([bob, cy]), Some(json!([bob, cy]))),
            (letter, json!([bob]), None),
            (letter, json!([cy, bob]), None),
            (letter, json!([ann, cy]), Some(json!([ann]))),
        ],
        &[(letter, json!([ann]), Some(json!([ann]))), (letter, json!([ann, bob]), Some(json!([bob])))],
        // What no promise counts goes as often as it is sent, whatever the rules say.
        &[
            ("invoice", json!([bob]), Some(json!([bob]))),
            ("invoice", json!([bob, ann]), Some(json!([bob, ann]))),
        ],
        // Whom the ledger does not know nobody can count; who has no name is nobody.
        &[
            (letter, json!(["zed@example.org"]), None),
            (letter, json!(["zed@example.org", bob]), Some(json!([bob]))),
        ],
        &[("invoice", json!([null]), None), (letter, json!([null, bob]), Some(json!([bob])))],
    ];
    for story in stories {
        let world = reported().await;
        let mut counted = 0;
        for (topic, to, goes) in story {
            let (status, code, reached) = sent(&world, json!({"topic": topic, "to": to})).await;
            let went = reached.map(|body| body["to"].clone());
            assert_eq!(&went, goes, "{story:?}: {topic} to {to}: {status} {code}");
            assert_eq!(
                (status, code == "not-permitted"),
                if goes.is_some() { (200, false) } else { (403, true) }
            );
            let (head, _) = world.last_ticket().await;
            assert!(head.report_only, "{story:?}");
            let to = went.filter(|_| *topic == letter);
            counted += to.iter().filter_map(Value::as_array).map(Vec::len).sum::<usize>();
        }
        let mut there = 0;
        for address in [&ann, &bob, &cy] {
            let is_sent = |event: &LedgerEvent| {
                matches!(event, LedgerEvent::Occurrence { what: Occurrence::Sent { .. }, .. })
            };
            there += noted(&world, address).await.iter().filter(|event| is_sent(event)).count();
        }
        assert_eq!(there, counted, "{story:?}: whoever is written to is counted, and nobody else");
        assert!(noted(&world, "zed@example.org").await.is_empty());
        let unknown = world.ledger.resolve(&[who("zed@example.org")]).await.unwrap().answers.remove(0);
        assert_eq!(unknown, Resolution::Unresolved, "{story:?}: a report enters nobody");
    }
}

#[tokio::test]
async fn law_12_a_report_tells_what_the_rules_say_and_who_was_left_out_all_the_same() {
    let world = reported().await;
    let said = |line: &VerdictLine| (line.treatment, line.reason, line.subjects.len());
    for (to, lines) in [
        (
            json!(["ann@example.org", "bob@example.org"]),
            vec![(Treatment::Clear, None, 1), (Treatment::Withheld, Some(Reason::BasisLapsed), 1)],
        ),
        (
            json!(["ann@example.org", "bob@example.org", "cy@example.org"]),
            vec![
                (Treatment::Withheld, Some(Reason::BasisLapsed), 2),
                // On what is known of Ann, and on what is known of Bob.
                (Treatment::Withheld, Some(Reason::CadenceExceeded), 1),
                (Treatment::Withheld, Some(Reason::CadenceExceeded), 1),
            ],
        ),
    ] {
        let (status, code, _) = sent(&world, json!({"topic": "newsletter", "to": to})).await;
        assert_eq!(status, 200, "{to}: {code}");
        let (head, _) = world.last_ticket().await;
        let found: Vec<_> = head.verdicts.iter().map(said).collect();
        for line in &lines {
            assert!(found.contains(line), "{to}: {line:?} of {found:?}");
        }
        assert_eq!(found.len(), lines.len(), "{found:?}");
    }
}
