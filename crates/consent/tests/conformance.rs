//! What every ledger does, asked of each.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::slice::from_ref;
use std::sync::Arc;

use consentry_consent::{
    Appended, Ledger, LedgerError, LedgerErrorKind, Limit, MemoryLedger, Reserved, SqliteLedger,
};
use consentry_model::{
    ConsentEvent, ConsentKind, ConsentState, ContractState, Identifier, LedgerEvent, LedgerRevision, Moment,
    Occurrence, Owed, RecipientId, RecordedEvent, Resolution, SubjectRef, SubjectState,
};
use support::{
    at, born, category, collected, disclosed, duty, event, id, notified, objection, said, sent, told, yes,
};

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
    let batch = ledger.resolve(from_ref(who)).await.unwrap();
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
        LedgerEvent::Suppression { on: true, effective: Moment::BEGINNING },
        LedgerEvent::Suppression { on: false, effective: at(8) },
        born("1990-01-01", 9),
        LedgerEvent::Attribute { name: String::new(), value: "\"{}\\\n\0 §".to_owned(), effective: at(9) },
        collected("m.c", 10),
        LedgerEvent::Occurrence {
            what: Occurrence::Collected { category: category("m"), origin: Some("web \"form\"".to_owned()) },
            effective: at(10),
        },
        told("acme", 11),
        notified("2026-01-01", 12),
        LedgerEvent::Occurrence { what: Occurrence::Informed, effective: at(13) },
        sent("", 14),
        disclosed("m.c", "acme", 15),
        duty(Owed::Answer { right: "access".to_owned() }, Some(i64::MAX), 16),
        duty(Owed::Erasure { recipient: RecipientId::new("acme") }, None, 17),
        duty(Owed::Keeping { category: category("m.c"), obligation: "tax".to_owned() }, Some(i64::MIN), 18),
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
    let first = ledger.append(&ann, &events[..2], at(i64::MIN)).await.unwrap();
    assert_eq!(first.revision, LedgerRevision(2));
    let second = ledger.append(&ann, &events[2..], at(7)).await.unwrap();
    assert_eq!((second.subject, second.revision.0), (first.subject, events.len() as u64));
    let state = known(ledger, &ann).await;
    assert_eq!(state.subject, first.subject);
    let numbered = (1..).map(LedgerRevision).zip(events);
    let recorded: Vec<_> = numbered
        .map(|(revision, event)| {
            let recorded_at = at(if revision.0 <= 2 { i64::MIN } else { 7 });
            RecordedEvent { revision, recorded_at, event }
        })
        .collect();
    assert_eq!(state.events, recorded);
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
            Resolution::Known(state) => assert_eq!(state.events[0].event, yes("m", asked as i64)),
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
    let events: Vec<_> = known(ledger, &device).await.events.iter().map(|e| e.event.clone()).collect();
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

async fn events_tell_when_they_were_recorded_also_after_a_merge(ledger: &impl Ledger) {
    let held = ledger.revision().await.unwrap().0;
    let who = |name| id("recorded", name);
    for (name, recorded) in [("a", 100), ("b", 200), ("a", 300), ("other", 400), ("b", -1)] {
        ledger.append(&who(name), &[yes("m", 1)], at(recorded)).await.unwrap();
    }
    ledger.link(&who("a"), &who("b"), at(500)).await.unwrap();
    ledger.reserve(&who("b"), &sent("a", 100), &[limit(None, 1)], at(600)).await.unwrap();
    let state = known(ledger, &who("a")).await;
    let told: Vec<_> =
        state.events.iter().map(|e| (e.revision.0 - held, e.recorded_at.unix_millis())).collect();
    assert_eq!(told, [(1, 100), (2, 200), (3, 300), (5, -1), (7, 600)]);
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
        assert!(state.events.is_sorted_by(|a, b| a.revision < b.revision));
        events += state.events.len();
    }
    assert_eq!(events, 160);
}

/// A limit of so many messages about a topic, counted from 100 on.
fn limit(topic: Option<&str>, times: u32) -> Limit {
    Limit { topic: topic.map(str::to_owned), since: at(100), times }
}

async fn law_8_a_place_is_claimed_only_where_one_is_left(ledger: &impl Ledger) {
    let ann = id("places", "ann");
    let held = ledger.revision().await.unwrap();
    let asked = ledger.reserve(&ann, &sent("a", 100), &[limit(Some("a"), 1)], at(0)).await.unwrap();
    assert_eq!((asked, ledger.revision().await.unwrap()), (Reserved::Unresolved, held), "nobody was created");

    // Before the time that counts, about something else, something else.
    let before = [sent("a", 99), sent("b", 100), told("a", 100), yes("m", 100)];
    let known = ledger.append(&ann, &before, at(0)).await.unwrap();
    let mut last = known.revision;
    let later = Limit { since: at(301), ..limit(Some("a"), 1) };
    for (how, topic, effective, limit, placed) in [
        ("no place at all", "a", 100, limit(Some("a"), 0), false),
        ("the first", "a", 100, limit(Some("a"), 1), true),
        ("its place is taken", "a", 500, limit(Some("a"), 1), false),
        ("a second", "a", 300, limit(Some("a"), 2), true),
        ("one that is dated ahead counts, too", "a", 200, limit(Some("a"), 2), false),
        ("of any topic there are three", "c", 200, limit(None, 3), false),
        ("a fourth of any", "c", 200, limit(None, 4), true),
        ("another topic has places of its own", "d", 200, limit(Some("d"), 1), true),
        ("what was sent before does not count", "a", 301, later.clone(), true),
        ("what was sent at the first moment does", "a", 302, later, false),
    ] {
        let event = sent(topic, effective);
        let asked = ledger.reserve(&ann, &event, from_ref(&limit), at(0)).await.unwrap();
        if placed {
            last = LedgerRevision(last.0 + 1);
            assert_eq!(asked, Reserved::Placed(Appended { subject: known.subject, revision: last }), "{how}");
            let recorded = RecordedEvent { revision: last, recorded_at: at(0), event };
            assert_eq!(self::known(ledger, &ann).await.events.last(), Some(&recorded), "{how}");
        } else {
            assert_eq!(asked, Reserved::Exhausted { limit: 0, revision: last }, "{how}");
            assert_eq!(ledger.revision().await.unwrap(), last, "{how}: nothing was written");
        }
    }
}

async fn law_8_one_event_holds_a_place_under_every_limit_or_none(ledger: &impl Ledger) {
    let dan = id("places", "dan");
    let known = ledger.append(&dan, &[], at(0)).await.unwrap();
    let mut last = known.revision;
    for (how, topic, limits, exhausted) in [
        ("the first of both", "a", [limit(None, 1), limit(Some("a"), 2)], None),
        ("one of any is there", "a", [limit(None, 1), limit(Some("a"), 2)], Some(0)),
        ("and still but one about it", "a", [limit(None, 2), limit(Some("a"), 2)], None),
        ("two are about it", "a", [limit(None, 3), limit(Some("a"), 2)], Some(1)),
        ("neither leaves one", "a", [limit(None, 2), limit(Some("a"), 2)], Some(0)),
        ("about something else", "b", [limit(None, 3), limit(Some("b"), 1)], None),
    ] {
        let asked = ledger.reserve(&dan, &sent(topic, 100), &limits, at(0)).await.unwrap();
        let expected = match exhausted {
            Some(limit) => Reserved::Exhausted { limit, revision: last },
            None => {
                last = LedgerRevision(last.0 + 1);
                Reserved::Placed(Appended { subject: known.subject, revision: last })
            }
        };
        assert_eq!(asked, expected, "{how}");
    }
    let other = [limit(None, 9), limit(Some("b"), 9)];
    for (how, limits) in [("no limit", &[][..]), ("one of them does not count it", &other[..])] {
        let asked = ledger.reserve(&dan, &sent("a", 100), limits, at(0)).await;
        assert_eq!(asked.map_err(|e| e.kind()), Err(LedgerErrorKind::Conflict), "{how}");
    }
    assert_eq!(ledger.revision().await.unwrap(), last);
}

async fn law_8_an_event_that_would_hold_no_place_is_refused(ledger: &impl Ledger) {
    let bob = id("places", "bob");
    let held = ledger.append(&bob, &[yes("m", 1)], at(0)).await.unwrap().revision;
    for (how, event) in [
        ("about another topic", sent("b", 100)),
        ("before the time that counts", sent("a", 99)),
        ("another occurrence", told("a", 100)),
        ("no occurrence", yes("a", 100)),
    ] {
        let asked = ledger.reserve(&bob, &event, &[limit(Some("a"), 9)], at(0)).await;
        assert_eq!(asked.map_err(|e| e.kind()), Err(LedgerErrorKind::Conflict), "{how}");
    }
    assert_eq!(ledger.revision().await.unwrap(), held);
}

async fn law_8_messages_of_a_merged_identity_count(ledger: &impl Ledger) {
    let (email, device) = (id("places", "eve@example.org"), id("places", "device"));
    let kept = ledger.append(&email, &[sent("a", 100)], at(0)).await.unwrap().subject;
    ledger.append(&device, &[sent("a", 100)], at(0)).await.unwrap();
    let merged = ledger.link(&email, &device, at(0)).await.unwrap().revision;
    for who in [&email, &device] {
        let full = ledger.reserve(who, &sent("a", 101), &[limit(Some("a"), 2)], at(0)).await.unwrap();
        assert_eq!(full, Reserved::Exhausted { limit: 0, revision: merged });
    }
    let third = ledger.reserve(&device, &sent("a", 101), &[limit(Some("a"), 3)], at(0)).await.unwrap();
    let revision = LedgerRevision(merged.0 + 1);
    assert_eq!(third, Reserved::Placed(Appended { subject: kept, revision }));
}

async fn law_8_of_many_who_race_for_one_place_one_gets_it(ledgers: Vec<Arc<impl Ledger>>) {
    for round in 0..8 {
        let who = id("race", &round.to_string());
        ledgers[0].append(&who, &[], at(0)).await.unwrap();
        let tasks: Vec<_> = (0..16)
            .map(|n| {
                let (ledger, who) = (Arc::clone(&ledgers[n % ledgers.len()]), who.clone());
                tokio::spawn(async move {
                    ledger.reserve(&who, &sent("a", 100), &[limit(Some("a"), 1)], at(0)).await.unwrap()
                })
            })
            .collect();
        let (mut placed, mut exhausted) = (0, 0);
        for task in tasks {
            match task.await.unwrap() {
                Reserved::Placed(_) => placed += 1,
                Reserved::Exhausted { .. } => exhausted += 1,
                Reserved::Unresolved => panic!("the subject is there"),
            }
        }
        assert_eq!((placed, exhausted), (1, 15), "round {round}");
        assert_eq!(known(&*ledgers[0], &who).await.events.len(), 1);
    }
}

async fn conforms(ledger: impl BySubject) {
    what_was_appended_reads_back_in_order(&ledger).await;
    law_1_who_is_not_known_is_unresolved(&ledger).await;
    a_window_is_answered_in_the_order_asked(&ledger).await;
    a_subject_without_events_is_known_and_raises_the_revision(&ledger).await;
    linked_identifiers_name_one_subject(&ledger).await;
    events_tell_when_they_were_recorded_also_after_a_merge(&ledger).await;
    law_8_a_place_is_claimed_only_where_one_is_left(&ledger).await;
    law_8_an_event_that_would_hold_no_place_is_refused(&ledger).await;
    law_8_one_event_holds_a_place_under_every_limit_or_none(&ledger).await;
    law_8_messages_of_a_merged_identity_count(&ledger).await;
    let ledger = Arc::new(ledger);
    law_8_of_many_who_race_for_one_place_one_gets_it(vec![Arc::clone(&ledger)]).await;
    concurrent_appends_lose_nothing(ledger).await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn law_8_places_are_counted_across_handles_on_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut handles = Vec::new();
    for _ in 0..4 {
        handles.push(Arc::new(SqliteLedger::open(&path).await.unwrap()));
    }
    law_8_of_many_who_race_for_one_place_one_gets_it(handles).await;
}
