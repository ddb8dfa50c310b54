//! A clock that was ahead and was set back, in both ledgers: it undoes no no, and lets none wait.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics is a test that fails")]

mod support;

use std::collections::BTreeSet;
use std::slice::from_ref;

use consentry_consent::{
    Ledger, MemoryLedger, SqliteLedger, attribute, attributes, collected_at, contract, disclosed_to, erased,
    informed, owed, restricted, sent_since, standing, suppressed,
};
use consentry_model::{
    ConsentState, ContractState, LedgerEvent, Moment, Occurrence, Owed, RecipientId, Resolution, SubjectState,
};
use support::{
    at, born, collected, disclosed, duty, event, id, lineage, objection, sent, told, yes, yes_until,
};

use ConsentState::{Expired, Given, Invalidated, Refused, Renewed, Requested, Revoked, Withdrawn};

/// What the clock shows where it is right.
const NOW: i64 = 1_000;
/// What it shows where it is ahead.
const AHEAD: i64 = 90_000;

/// What the clock showed, and what was recorded then.
type Story = Vec<(i64, LedgerEvent)>;

/// What both ledgers hold after a story.
async fn told_by_both(story: &Story) -> Vec<SubjectState> {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = SqliteLedger::open(folder.path().join("ledger.db")).await.unwrap();
    vec![after(&MemoryLedger::new(), story).await, after(&sqlite, story).await]
}

async fn after(ledger: &impl Ledger, story: &Story) -> SubjectState {
    let who = id("customer", "ann");
    for (recorded, event) in story {
        ledger.append(&who, from_ref(event), at(*recorded)).await.unwrap();
    }
    match ledger.resolve(&[who]).await.unwrap().answers.first() {
        Some(Resolution::Known(state)) => SubjectState::clone(state),
        other => panic!("{other:?}"),
    }
}

/// An event that is dated when it is recorded.
fn live(millis: i64, of: impl Fn(i64) -> LedgerEvent) -> (i64, LedgerEvent) {
    (millis, of(millis))
}

fn m(state: ConsentState) -> impl Fn(i64) -> LedgerEvent {
    move |millis| event("m", state, millis)
}

fn contract_is(state: ContractState) -> impl Fn(i64) -> LedgerEvent {
    move |millis| LedgerEvent::Contract { state, effective: at(millis) }
}

fn restriction(on: bool) -> impl Fn(i64) -> LedgerEvent {
    move |millis| LedgerEvent::Restriction { on, effective: at(millis) }
}

fn suppression(on: bool) -> impl Fn(i64) -> LedgerEvent {
    move |millis| LedgerEvent::Suppression { on, effective: at(millis) }
}

fn region(value: &str) -> impl Fn(i64) -> LedgerEvent {
    let value = value.to_owned();
    move |millis| LedgerEvent::Attribute {
        name: "region".into(),
        value: value.clone(),
        effective: at(millis),
    }
}

/// Whether a consent stands for `m.c`, and whether the person's own no does.
fn stands(state: &SubjectState, now: i64) -> (bool, bool) {
    let found = standing(state, &lineage("m.c"), &|_| true, at(now));
    (!found.kinds.is_empty(), found.said_no)
}

#[tokio::test]
async fn law_5_a_yes_by_a_clock_that_was_ahead_does_not_outlive_the_no_after_it() {
    let no = (false, true);
    let (yes_ahead, yes_once_more) = (live(2_000, m(Given)), live(1_600, m(Renewed)));
    for (how, story, asked, expected) in [
        ("a withdrawal, when the clock is past both", vec![live(1_500, m(Withdrawn))], 2_500, no),
        ("and for ever", vec![live(1_500, m(Withdrawn))], i64::MAX, no),
        ("a refusal", vec![live(1_500, m(Refused))], 2_500, no),
        ("an objection", vec![live(1_500, |t| objection("m", t))], 2_500, no),
        ("a revocation", vec![live(1_500, m(Revoked))], 2_500, (false, false)),
        ("a withdrawal of the same", vec![live(1_500, |t| event("m.c", Withdrawn, t))], 2_500, no),
        ("a withdrawal of a part", vec![live(1_500, |t| event("m.c.e", Withdrawn, t))], 2_500, no),
        ("one that was dated back", vec![(1_500, event("m", Withdrawn, 1_450))], 2_500, (true, false)),
        (
            "one that was dated back, to after something else",
            vec![live(1_400, |t| told("acme", t)), (1_500, event("m", Withdrawn, 1_450))],
            2_500,
            no,
        ),
        (
            "a yes after it, when the clock was right",
            vec![live(1_500, m(Withdrawn)), yes_once_more],
            2_500,
            (true, false),
        ),
        ("nothing", vec![], 2_500, (true, false)),
        ("nothing, before its date", vec![], 1_999, (false, false)),
        ("something else, before its date", vec![live(1_400, |t| told("acme", t))], 1_999, (false, false)),
    ] {
        let story: Story = [yes_ahead.clone()].into_iter().chain(story).collect();
        for state in told_by_both(&story).await {
            assert_eq!(stands(&state, asked), expected, "{how}");
        }
    }
}

#[tokio::test]
async fn law_5_what_is_dated_ahead_on_purpose_counts_from_its_date() {
    let given_ahead = (NOW, yes("m", 5_000));
    let withdrawn = live(1_500, m(Withdrawn));
    let withdrawn_ahead = (NOW, event("m", Withdrawn, 5_000));
    for (how, story, before, from_then_on) in [
        ("a yes", vec![given_ahead.clone()], (false, false), (true, false)),
        ("a yes, and a no first", vec![given_ahead, withdrawn], (false, true), (true, false)),
        ("a no", vec![live(NOW, m(Given)), withdrawn_ahead], (true, false), (false, true)),
    ] {
        for state in told_by_both(&story).await {
            assert_eq!((stands(&state, 4_999), stands(&state, 5_000)), (before, from_then_on), "{how}");
        }
    }
}

#[tokio::test]
async fn law_5_a_no_by_a_clock_that_was_ahead_binds_when_it_is_set_back() {
    let no = (false, true);
    for (how, closing, expected) in [
        ("a refusal", live(AHEAD, m(Refused)), no),
        ("a withdrawal", live(AHEAD, m(Withdrawn)), no),
        (
            "a withdrawal that was dated back, and still lies ahead",
            (AHEAD, event("m", Withdrawn, 80_000)),
            no,
        ),
        ("an objection", live(AHEAD, |t| objection("m", t)), no),
        ("a revocation", live(AHEAD, m(Revoked)), (false, false)),
        ("an invalidation", live(AHEAD, m(Invalidated)), (false, false)),
        ("an end on record", live(AHEAD, m(Expired)), (false, false)),
        ("a question that was not answered", live(AHEAD, m(Requested)), (true, false)),
        ("a yes once more", live(AHEAD, m(Renewed)), (true, false)),
        ("a no that is dated ahead on purpose", (NOW, event("m", Withdrawn, AHEAD)), (true, false)),
    ] {
        for state in told_by_both(&vec![live(NOW, m(Given)), closing.clone()]).await {
            assert_eq!(stands(&state, NOW + 1), expected, "{how}");
        }
    }
    // Who said no can say yes again once the clock is past the no, and not before.
    let mut story = vec![live(AHEAD, m(Withdrawn)), live(NOW, m(Given))];
    for (how, asked, expected) in [("before it is past", NOW + 1, no), ("then", AHEAD, no)] {
        for state in told_by_both(&story).await {
            assert_eq!(stands(&state, asked), expected, "{how}");
        }
    }
    story.push(live(AHEAD + 1, m(Given)));
    for state in told_by_both(&story).await {
        assert_eq!(stands(&state, AHEAD + 1), (true, false), "a yes after it");
    }
    // A yes by a clock that was ahead is none before its date.
    for state in told_by_both(&vec![live(AHEAD, |t| yes_until("m", t, AHEAD + 9))]).await {
        assert_eq!((stands(&state, NOW).0, stands(&state, AHEAD).0), (false, true));
    }
}

#[tokio::test]
async fn law_7_what_closes_and_was_written_by_a_clock_that_was_ahead_closes_at_once() {
    type Closed = fn(&SubjectState, Moment) -> bool;
    let ended: Closed = |s, at| contract(s, at) != ContractState::Active;
    let active = || contract_is(ContractState::Active);
    let over = || contract_is(ContractState::Ended);
    for (how, story, is_closed, asked, expected) in [
        ("restricted", vec![live(AHEAD, restriction(true))], restricted as Closed, NOW, true),
        (
            "lifted by the same clock",
            vec![live(NOW, restriction(true)), live(AHEAD, restriction(false))],
            restricted,
            NOW,
            true,
        ),
        (
            "lifted, then restricted by the right clock",
            vec![live(2_000, restriction(false)), live(1_500, restriction(true))],
            restricted,
            2_500,
            true,
        ),
        (
            "restricted on purpose from later on",
            vec![(NOW, restriction(true)(AHEAD))],
            restricted,
            NOW,
            false,
        ),
        ("suppressed", vec![live(AHEAD, suppression(true))], suppressed, NOW, true),
        (
            "suppressed, then lifted by the right clock",
            vec![live(AHEAD, suppression(true)), live(NOW, suppression(false))],
            suppressed,
            NOW,
            true,
        ),
        (
            "lifted, then suppressed by the right clock",
            vec![live(2_000, suppression(false)), live(1_500, suppression(true))],
            suppressed,
            2_500,
            true,
        ),
        ("erased", vec![live(AHEAD, |t| LedgerEvent::Erasure { effective: at(t) })], erased, NOW, true),
        (
            "erased on purpose from later on",
            vec![(NOW, LedgerEvent::Erasure { effective: at(AHEAD) })],
            erased,
            NOW,
            false,
        ),
        ("a contract that ended", vec![live(500, active()), live(AHEAD, over())], ended, NOW, true),
        ("a contract that began", vec![live(AHEAD, active())], ended, NOW, true),
        (
            "a contract that began, then ended by the right clock",
            vec![live(2_000, active()), live(1_500, over())],
            ended,
            2_500,
            true,
        ),
        ("a contract that runs", vec![live(500, active())], ended, NOW, false),
        (
            "not told about cookies",
            vec![live(AHEAD, |t| LedgerEvent::Occurrence { what: Occurrence::Informed, effective: at(t) })],
            |s, at| !informed(s, at),
            NOW,
            true,
        ),
        (
            "a message that was sent",
            vec![live(AHEAD, |t| sent("a", t))],
            |s, now| sent_since(s, None, at(0), now) == 1,
            NOW,
            true,
        ),
        (
            "a recipient who is to hear of an erasure",
            vec![live(AHEAD, |t| disclosed("m", "acme", t))],
            |s, at| disclosed_to(s, at).len() == 1,
            NOW,
            true,
        ),
        (
            "an answer that is owed",
            vec![live(AHEAD, |t| duty(Owed::Answer { right: "access".into() }, None, t))],
            |s, at| owed(s, at).len() == 1,
            NOW,
            true,
        ),
        (
            "a duty from later on",
            vec![(NOW, duty(Owed::Erasure { recipient: RecipientId::new("acme") }, None, AHEAD))],
            |s, at| owed(s, at).len() == 1,
            NOW,
            false,
        ),
        (
            "a datum that is as old as it can be",
            vec![live(2_000, |t| collected("m", t)), live(1_500, |t| told("acme", t))],
            |s, now| collected_at(s, &|_| true, now) == Some(at(1_500)),
            2_500,
            true,
        ),
    ] {
        for state in told_by_both(&story).await {
            assert_eq!(is_closed(&state, at(asked)), expected, "{how}");
        }
    }
}

#[tokio::test]
async fn law_1_the_value_that_was_recorded_last_is_the_newest_whatever_the_clock_showed() {
    for (how, story, asked, value, all) in [
        ("by a clock that was ahead", vec![live(AHEAD, region("US"))], NOW, Some("US"), &["US"][..]),
        (
            "over an older one",
            vec![live(500, region("FR")), live(AHEAD, region("US"))],
            NOW,
            Some("US"),
            &["FR", "US"],
        ),
        (
            "then by the right clock",
            vec![live(AHEAD, region("US")), live(NOW, region("FR"))],
            NOW,
            Some("FR"),
            &["FR", "US"],
        ),
        (
            "and when the clock is past it",
            vec![live(AHEAD, region("US")), live(NOW, region("FR"))],
            i64::MAX,
            Some("FR"),
            &["FR", "US"],
        ),
        (
            "one that was dated back is older",
            vec![live(AHEAD, region("US")), (NOW, region("FR")(500))],
            NOW,
            Some("US"),
            &["FR", "US"],
        ),
        (
            "on purpose from later on",
            vec![live(500, region("FR")), (NOW, region("US")(AHEAD))],
            NOW,
            Some("FR"),
            &["FR"],
        ),
    ] {
        for state in told_by_both(&story).await {
            assert_eq!(attribute(&state, "region", at(asked)), value, "{how}");
            let all: BTreeSet<_> = all.iter().copied().collect();
            assert_eq!(attributes(&state, "region", at(asked)), all, "{how}");
        }
    }
    for state in told_by_both(&vec![live(AHEAD, |t| born("2015-01-01", t))]).await {
        assert_eq!(attribute(&state, "born", at(NOW)), Some("2015-01-01"), "not only from tomorrow on");
    }
}

#[tokio::test]
async fn whoever_looks_back_is_told_what_stood_then() {
    let story = vec![live(500, m(Given)), live(800, m(Withdrawn)), live(AHEAD, restriction(true))];
    for state in told_by_both(&story).await {
        let then = |asked| state.looking_back(at(asked), at(NOW));
        assert_eq!((stands(&then(700), 700), stands(&then(NOW), NOW)), ((true, false), (false, true)));
        assert!(restricted(&then(NOW), at(NOW)), "a clock that was ahead");
    }
}
