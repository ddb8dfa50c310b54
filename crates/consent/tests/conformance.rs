//! What every ledger does, asked of each.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::sync::Arc;

use consentry_consent::{Ledger, LedgerError, LedgerErrorKind, MemoryLedger, SqliteLedger};
use consentry_model::{
    ConsentEvent, ConsentKind, ConsentState, ContractState, Identifier, LedgerEvent, LedgerRevision,
    RecipientId, Resolution, SubjectRef, SubjectState,
};
use support::{at, event, id, objection, said, yes};

/// Both ledgers tell the subject of a reference, too.
trait BySubject: Ledger {
    async fn by_ref(&self, subject: &SubjectRef) -> Result<Resolution, LedgerError>;
}

impl BySubject for MemoryLedger {
    async fn by_ref(&self, subject: &SubjectRef) -> Result<Resolution, LedgerError> {
        self.subject(subject)
    }
}

impl BySubject for SqliteLedger {
    async fn by_ref(&self, subject: &SubjectRef) -> Result<Resolution, LedgerError> {
        self.subject(subject).await
    }
}

async fn known(ledger: &impl Ledger, who: &Identifier) -> Arc<SubjectState> {
    let batch = ledger.resolve(std::slice::from_ref(who)).await.unwrap();
    match &batch.answers[..] {
        [Resolution::Known(state)] => Arc::clone(state),
        other => panic!("{} answers, not one known", other.len()),
    }
}

fn every_event() -> Vec<LedgerEvent> {
    let recipient = Some(RecipientId::new("acme"));
    let mut events = vec![
        LedgerEvent::Consent(ConsentEvent {
            kind: ConsentKind::Parental,
            recipient: recipient.clone(),
            valid_until: Some(at(99)),
            notice: Some("notice \"7\", §2".to_owned()),
            ..said("m.c", ConsentState::Given, -5)
        }),
        LedgerEvent::Objection { purpose: support::purpose("m"), recipient, effective: at(1) },
        objection("m", 2),
        LedgerEvent::Restriction { on: true, effective: at(3) },
        LedgerEvent::Restriction { on: false, effective: at(4) },
        LedgerEvent::Erasure { effective: at(i64::MAX) },
    ];
    events.extend(ConsentState::ALL.into_iter().map(|state| event("m.x", state, 5)));
    events.extend(
        ContractState::ALL.into_iter().map(|state| LedgerEvent::Contract { state, effective: at(6) }),
    );
    events
}

async fn what_was_appended_reads_back_in_order(ledger: &impl Ledger) {
    assert_eq!(ledger.revision().await.unwrap(), LedgerRevision(0));
    let ann = id("customer", "1");
    let events = every_event();
    let first = ledger.append(&ann, &events[..2], at(0)).await.unwrap();
    assert_eq!(first.revision, LedgerRevision(2));
    let second = ledger.append(&ann, &events[2..], at(0)).await.unwrap();
    assert_eq!((second.subject, second.revision.0), (first.subject, events.len() as u64));
    let state = known(ledger, &ann).await;
    assert_eq!(state.subject, first.subject);
    let numbered: Vec<_> = (1..).map(LedgerRevision).zip(events).collect();
    assert_eq!(state.events, numbered);
    assert_eq!(ledger.revision().await.unwrap(), second.revision);
}

async fn law_1_who_is_not_known_is_unresolved(ledger: &impl BySubject) {
    let held = ledger.revision().await.unwrap();
    let ann = ledger.append(&id("email", "ann@example.org"), &[yes("m", 1)], at(0)).await.unwrap();
    for (space, value) in [
        ("email", "ann@example.or"),
        ("email", "Ann@example.org"),
        ("email", "ann@example.org "),
        ("email", "ann@example.org\0"),
        ("email", ""),
        ("customer", "ann@example.org"),
        ("", "ann@example.org"),
        ("email", "' OR '1'='1"),
        ("email", "%"),
    ] {
        let batch = ledger.resolve(&[id(space, value)]).await.unwrap();
        assert_eq!(batch.answers, [Resolution::Unresolved], "{space} {value:?}");
        assert_eq!(batch.revision.0, held.0 + 1);
    }
    assert_eq!(ledger.by_ref(&SubjectRef::from_bytes([9; 16])).await.unwrap(), Resolution::Unresolved);
    assert!(matches!(ledger.by_ref(&ann.subject).await.unwrap(), Resolution::Known(_)));
    assert_eq!(ledger.resolve(&[]).await.unwrap().answers, []);
}

async fn a_window_is_answered_in_the_order_asked(ledger: &impl Ledger) {
    let name = |n: usize| id("window", &n.to_string());
    for n in 0..450 {
        if n % 3 != 0 {
            ledger.append(&name(n), &[yes("m", n as i64)], at(0)).await.unwrap();
        }
    }
    let mut who: Vec<_> = (0..450).rev().map(name).collect();
    who.push(name(1));
    let batch = ledger.resolve(&who).await.unwrap();
    assert_eq!(batch.answers.len(), who.len());
    for (asked, answer) in (0..450).rev().chain([1]).zip(&batch.answers) {
        match answer {
            Resolution::Unresolved => assert_eq!(asked % 3, 0),
            Resolution::Known(state) => assert_eq!(state.events[0].1, yes("m", asked as i64)),
        }
    }
}

async fn a_subject_without_events_is_known_and_raises_the_revision(ledger: &impl Ledger) {
    let held = ledger.revision().await.unwrap().0;
    let carl = id("customer", "carl");
    let created = ledger.append(&carl, &[], at(0)).await.unwrap();
    assert_eq!(created.revision.0, held + 1);
    assert_eq!(known(ledger, &carl).await.events, []);
    assert_eq!(ledger.append(&carl, &[], at(0)).await.unwrap(), created);
}

async fn linked_identifiers_name_one_subject(ledger: &impl BySubject) {
    let (customer, email, device) =
        (id("customer", "eve"), id("email", "eve@example.org"), id("device", "d"));
    let held = ledger.revision().await.unwrap();
    let nobody = ledger.link(&customer, &email, at(0)).await.unwrap_err();
    assert_eq!(nobody.kind(), LedgerErrorKind::Unresolved);
    assert_eq!(ledger.revision().await.unwrap(), held);

    let eve = ledger.append(&customer, &[yes("m", 1)], at(0)).await.unwrap();
    let linked = ledger.link(&customer, &email, at(0)).await.unwrap();
    assert_eq!((linked.subject, linked.revision.0), (eve.subject, eve.revision.0 + 1));
    assert_eq!(ledger.link(&email, &customer, at(0)).await.unwrap(), linked, "twice is once");

    let other = ledger.append(&device, &[event("m", ConsentState::Refused, 2)], at(0)).await.unwrap();
    ledger.append(&email, &[objection("m.c", 3)], at(0)).await.unwrap();
    let merged = ledger.link(&email, &device, at(0)).await.unwrap();
    assert_eq!(merged.subject, eve.subject);
    let events: Vec<_> = known(ledger, &device).await.events.iter().map(|(_, e)| e.clone()).collect();
    assert_eq!(events, [yes("m", 1), event("m", ConsentState::Refused, 2), objection("m.c", 3)]);
    let batch = ledger.resolve(&[customer.clone(), email, device]).await.unwrap();
    assert!(batch.answers.iter().all(|a| *a == batch.answers[0]));
    assert_eq!(ledger.by_ref(&other.subject).await.unwrap(), batch.answers[0], "the alias leads there");

    // Merged once more, an alias of an alias still leads there in one step.
    let last = id("customer", "last");
    let kept = ledger.append(&last, &[], at(0)).await.unwrap();
    ledger.link(&last, &customer, at(0)).await.unwrap();
    for alias in [other.subject, eve.subject, kept.subject] {
        let Resolution::Known(state) = ledger.by_ref(&alias).await.unwrap() else { panic!("lost") };
        assert_eq!((state.subject, state.events.len()), (kept.subject, 3));
    }
    let more = ledger.append(&id("device", "d"), &[yes("m.x", 9)], at(0)).await.unwrap();
    assert_eq!(more.subject, kept.subject);
    assert_eq!(known(ledger, &last).await.events.len(), 4);
}

async fn concurrent_appends_lose_nothing(ledger: Arc<impl Ledger>) {
    let held = ledger.revision().await.unwrap().0;
    let tasks: Vec<_> = (0..8_i64)
        .map(|task| {
            let ledger = Arc::clone(&ledger);
            tokio::spawn(async move {
                let mut revisions = Vec::new();
                for n in 0..10 {
                    let who = id("crowd", &(n % 3).to_string());
                    let events = [yes("m", task), event("m", ConsentState::Withdrawn, n)];
                    revisions.push(ledger.append(&who, &events, at(0)).await.unwrap().revision.0);
                    let seen = ledger.resolve(&[who]).await.unwrap();
                    assert!(seen.revision.0 >= *revisions.last().unwrap(), "reads its own write");
                }
                assert!(revisions.is_sorted_by(|a, b| a < b));
                revisions
            })
        })
        .collect();
    let mut revisions = Vec::new();
    for task in tasks {
        revisions.extend(task.await.unwrap());
    }
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=80).map(|n| held + 2 * n).collect::<Vec<_>>());
    let mut events = 0;
    for n in 0..3 {
        let state = known(&*ledger, &id("crowd", &n.to_string())).await;
        assert!(state.events.is_sorted_by(|a, b| a.0 < b.0));
        events += state.events.len();
    }
    assert_eq!(events, 160);
}

async fn conforms(ledger: impl BySubject) {
    what_was_appended_reads_back_in_order(&ledger).await;
    law_1_who_is_not_known_is_unresolved(&ledger).await;
    a_window_is_answered_in_the_order_asked(&ledger).await;
    a_subject_without_events_is_known_and_raises_the_revision(&ledger).await;
    linked_identifiers_name_one_subject(&ledger).await;
    concurrent_appends_lose_nothing(Arc::new(ledger)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_ledger_conforms() {
    conforms(MemoryLedger::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_sqlite_ledger_conforms() {
    let folder = tempfile::tempdir().unwrap();
    conforms(SqliteLedger::open(folder.path().join("ledger.db")).await.unwrap()).await;
}
