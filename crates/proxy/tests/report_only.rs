//! Routes whose verdicts are recorded and not carried out.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::fs;
use std::time::SystemTime;

use consentry_audit::Entry;
use consentry_model::{ContractState, Identifier, LedgerEvent, Moment, Outcome, Reason, Space};
use consentry_policy::{Sources, seal};
use consentry_proxy::Sidecar;
use support::{PEOPLE, ask, behind, get, prepared, records, status, with_people};

const MODE: &str = "dangerous_report_only: ['GET /people/{id}']";

#[tokio::test]
async fn a_route_is_enforced_unless_the_configuration_names_it_loudly() {
    for (more, code) in [("", 403), (MODE, 200), ("dangerous_report_only: ['GET /egress/{recipient}']", 403)]
    {
        let (upstream, asked) = behind().await;
        let (folder, config) = prepared(upstream, more);
        let token = with_people(folder.path());
        let running = Sidecar::start(config).await.unwrap();
        let headers = format!("authorization: Bearer {token}\r\n");
        let (seen, body) = ask(running.addr(), "/people/ann", &headers).await;
        assert_eq!(seen, code, "{more}: {body}");
        assert_eq!(body.contains("ann@example.org"), code == 200);
        assert!(!body.contains("4711"), "what nobody declared stays here: {body}");
        assert_eq!(asked.lock().unwrap().len(), usize::from(code == 200));
        let (page, metrics) =
            (status(running.admin_addr()).await, get(running.admin_addr(), "/metrics").await.1);
        assert_eq!(page["report_only"].as_array().unwrap().is_empty(), more.is_empty());
        assert!(
            metrics.contains(&format!("\nconsentry_report_only_routes {}\n", u8::from(!more.is_empty())))
        );
        let row = "{route=\"GET /people/{id}\",outcome=\"report-only\",reason=\"\"} 1\n";
        assert_eq!(metrics.contains(row), code == 200, "{metrics}");
        running.stop().await;

        let marked = |entry: &Entry| match entry {
            Entry::Head(head) => Some(head.report_only),
            Entry::Verdicts(verdicts) => Some(verdicts.report_only),
            Entry::Outcome(closing) => Some(closing.report_only),
            Entry::LogOpened(_)
            | Entry::LogRecovered(_)
            | Entry::LogOutage(_)
            | Entry::PolicyInstalled(_)
            | Entry::PolicyRefused(_)
            | Entry::Summary(_)
            | Entry::ConsentChanged(_) => None,
        };
        let entries = records(&folder.path().join("evidence"));
        let marks: Vec<bool> = entries.iter().filter_map(marked).collect();
        assert!(marks.len() >= 2 && marks.iter().all(|mark| *mark == (code == 200)), "{marks:?}");
        let Some(Entry::Head(head)) = entries.iter().find(|e| matches!(e, Entry::Head(_))) else { panic!() };
        assert_eq!(head.outcome, Outcome::Refuse, "the true ruling, whatever became of it");
        assert!(head.reason.is_some_and(|reason| reason.status() == 403 && reason != Reason::NotPermitted));
    }
}

#[tokio::test]
async fn law_1_what_is_unknown_malformed_or_nameless_is_refused_as_ever() {
    let (upstream, _) = behind().await;
    let (folder, config) = prepared(upstream, MODE);
    let token = with_people(folder.path());
    let running = Sidecar::start(config).await.unwrap();
    let bearer = format!("authorization: Bearer {token}\r\n");
    for (path, headers, code) in [
        ("/people/ann", String::new(), 401),
        ("/people/ann", "authorization: Bearer x\r\n".to_owned(), 401),
        ("/people/a%2fb", bearer.clone(), 400),
        ("/people/ann?all=1", bearer.clone(), 403),
        ("/people/ann", format!("{bearer}data-purpose: marketing\r\n"), 403),
        ("/people", bearer.clone(), 403),
        ("/people/broken", bearer.clone(), 502),
        ("/people/ann", bearer, 200),
    ] {
        let (seen, body) = ask(running.addr(), path, &headers).await;
        assert_eq!(seen, code, "{path}: {body}");
    }
}

#[tokio::test]
async fn a_route_that_nobody_has_is_no_route_to_report() {
    let (upstream, _) = behind().await;
    let (_folder, config) = prepared(upstream, "dangerous_report_only: ['GET /persons/{id}']");
    let error = Sidecar::start(config).await.err().unwrap().to_string();
    assert_eq!(error, "dangerous_report_only: the bundle has no route GET /persons/{id}");
}

#[tokio::test]
async fn what_would_have_been_withheld_is_counted_as_reported_and_not_as_redacted() {
    let [secret, undeclared] =
        ["{email: user.contact.email, secret: user.financial}", "{email: user.contact.email}"];
    for (more, fields, outcome, whole) in [
        ("", secret, "redact", false),
        (MODE, secret, "report-only", true),
        // What nobody declared is taken on such a route as well, and nothing is reported of it.
        ("", undeclared, "redact", false),
        (MODE, undeclared, "redact", false),
    ] {
        let (upstream, _) = behind().await;
        let (folder, config) = prepared(upstream, more);
        let token = with_people(folder.path());
        let dir = folder.path().join("policy");
        let people = PEOPLE.replace("    excess: refuse\n", "");
        let people = people.replace("{email: user.contact.email}", fields);
        fs::write(dir.join("people.yaml"), people).unwrap();
        seal(&dir, &Sources::read(&dir).unwrap()).unwrap();
        let running = Sidecar::start(config).await.unwrap();
        let (ann, now) =
            (Identifier::new(Space::new("customer"), "ann"), Moment::from_system(SystemTime::now()));
        let contract = LedgerEvent::Contract { state: ContractState::Active, effective: now };
        running.ledger().append(&ann, &[contract], now).await.unwrap();
        let headers = format!("authorization: Bearer {token}\r\nx-undeclared: 1\r\n");
        let (seen, body) = ask(running.addr(), "/people/ann", &headers).await;
        assert!(seen == 200 && body.contains("ann@example.org"), "{more}: {body}");
        assert_eq!(body.contains("4711"), whole, "{more}: {body}");
        let metrics = get(running.admin_addr(), "/metrics").await.1;
        let row = format!("{{route=\"GET /people/{{id}}\",outcome=\"{outcome}\",reason=\"\"}} 1\n");
        assert!(metrics.contains(&row), "{metrics}");
    }
}
