//! What a person's own state withholds, and what it lets through.

use consentry_audit::End;
use consentry_model::{ConsentState, LedgerEvent, Purpose, Reason};
use consentry_tests::world::{World, consent, contract, get, json, post};

use crate::row::{EMAIL, LIST, PROFILE, profile};

#[tokio::test]
async fn law_1_a_field_that_no_map_names_is_withheld() {
    let world = World::new();
    world.record("customer", "c-1", &[contract()]).await;
    world.upstream.answers(json(PROFILE));
    let seen = world.send(profile(&world)).await;
    assert_eq!(seen.status, 200);
    let expected =
        serde_json::json!({"id": "c-1", "name": "Ann Sample", "email": "ann@example.org", "plan": "pro"});
    assert_eq!(seen.json(), expected);
    let (_, closing) = world.last_ticket().await;
    assert_eq!((closing.end, closing.undeclared), (End::Delivered, 1));
}

#[tokio::test]
async fn law_5_each_of_the_eight_invalid_consent_states_withholds_with_its_own_reason() {
    let table = [
        (ConsentState::Unknown, Reason::ConsentUnknown),
        (ConsentState::Requested, Reason::ConsentRequested),
        (ConsentState::Deferred, Reason::ConsentDeferred),
        (ConsentState::Refused, Reason::ConsentRefused),
        (ConsentState::Withdrawn, Reason::ConsentWithdrawn),
        (ConsentState::Expired, Reason::ConsentExpired),
        (ConsentState::Revoked, Reason::ConsentRevoked),
        (ConsentState::Invalidated, Reason::ConsentInvalidated),
    ];
    for (state, reason) in table {
        let world = World::new();
        world.record("email", "ann@example.org", &[consent(state, 10)]).await;
        world.upstream.answers(json(LIST));
        let seen = world
            .send(get("/mailing-list", Some(&world.token("newsletter-svc", &[EMAIL])), Some(EMAIL)))
            .await;
        assert_eq!(seen.json(), serde_json::json!({"rows": []}), "{state}");
        let lines: Vec<_> =
            world.records().await.iter().flat_map(|r| r.entry().verdicts().to_vec()).collect();
        assert!(!lines.is_empty(), "{state}");
        assert!(lines.iter().any(|l| l.reason == Some(reason)), "{state}: {lines:?}");
        assert!(lines.iter().all(|l| l.treatment == consentry_model::Treatment::Withheld), "{state}");
    }
}

#[tokio::test]
async fn law_5_a_valid_consent_and_nothing_else_lets_the_row_through() {
    let world = World::new();
    world.record("email", "ann@example.org", &[consent(ConsentState::Given, 10)]).await;
    let body = r#"{"rows":[{"email":"ann@example.org","name":"Ann"},{"email":"bob@example.org","name":"Bob"},{"name":"Nobody"}]}"#;
    world.upstream.answers(json(body));
    let request = get("/mailing-list", Some(&world.token("newsletter-svc", &[EMAIL])), Some(EMAIL));
    let seen = world.send(request).await;
    assert_eq!(seen.json(), serde_json::json!({"rows": [{"email": "ann@example.org", "name": "Ann"}]}));
}

#[tokio::test]
async fn law_7_a_one_click_unsubscription_as_mail_clients_send_it_arrives() {
    let world = World::new();
    world.record("unsubscribe", "t-1", &[consent(ConsentState::Given, 10)]).await;
    for body in ["List-Unsubscribe=One-Click", "List-Unsubscribe=One-Click&x=1", "anything"] {
        let mut request = post("/unsubscribe?t=t-1", body);
        request.headers_mut().insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
        world.upstream.answers(json("{}"));
        let expected = if body == "List-Unsubscribe=One-Click" { 200 } else { 400 };
        assert_eq!(world.send(request).await.status, expected, "{body}");
    }
    // RFC 8058, section 3.1, would rather have it in parts.
    let part = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let one = part("List-Unsubscribe", "One-Click");
    for (parts, expected) in [
        (format!("{one}--b--\r\n"), 200),
        (format!("{one}{}--b--\r\n", part("x", "1")), 400),
        (format!("{one}{one}--b--\r\n"), 400),
        (part("List-Unsubscribe", "Two-Clicks") + "--b--\r\n", 400),
        (one.clone(), 400),
    ] {
        let mut request = post("/unsubscribe?t=t-1", &parts);
        request.headers_mut().insert("content-type", "multipart/form-data; boundary=b".parse().unwrap());
        world.upstream.answers(json("{}"));
        assert_eq!(world.send(request).await.status, expected, "{parts}");
    }
    for (_, forwarded) in world.upstream.reached() {
        assert!(forwarded.is_empty(), "the body says nothing, and goes nowhere");
    }
}

/// A later, wider use reaches nobody's data until it is recorded who was told of it, whatever the person agreed to.
#[tokio::test]
async fn law_10_a_use_that_the_notice_did_not_name_waits_and_consent_does_not_help() {
    let world = World::new();
    let mut agreed = consent(ConsentState::Given, 10);
    if let LedgerEvent::Consent(event) = &mut agreed {
        event.purpose = Purpose::new("train_ai_system").unwrap();
    }
    world.record("customer", "c-1", &[contract(), agreed]).await;
    world.upstream.answers(json(PROFILE));
    let token = world.token("ml-svc", &["train_ai_system"]);
    let seen = world.send(get("/customers/c-1", Some(&token), Some("train_ai_system"))).await;
    assert_eq!((seen.status.as_u16(), &*seen.code()), (403, "not-permitted"));
    assert!(world.upstream.reached().is_empty());
}
