//! `standing` against a slow model that is written down from the rules, on random histories.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics is a test that fails")]

mod support;

use consentry_consent::standing;
use consentry_model::{
    ConsentEvent, ConsentKind, ConsentState, LedgerEvent, LedgerRevision, RecipientId, SubjectState,
};
use proptest::prelude::*;
use support::{PURPOSES, at, lineage, purpose, recorded, state};

/// One thing said, with everything spelled out. `kind` is there for a yes alone, `state` is `None` for an objection.
#[derive(Clone, Debug)]
struct Word {
    purpose: String,
    recipient: Option<String>,
    time: i64,
    state: Option<ConsentState>,
    kind: ConsentKind,
    until: Option<i64>,
    /// What the clock showed when it was recorded.
    recorded: i64,
    revision: usize,
}

/// What the model says; the kinds as the answers to the five questions that can be asked of them.
#[derive(Debug, PartialEq)]
struct Model {
    satisfied: Vec<ConsentKind>,
    said_no: bool,
    objected: bool,
    state: ConsentState,
    recorded: bool,
}

fn within(inner: &str, outer: &str) -> bool {
    inner == outer || inner.starts_with(&format!("{outer}."))
}

impl Word {
    fn is_yes(&self) -> bool {
        matches!(self.state, Some(ConsentState::Given | ConsentState::Renewed))
    }

    fn is_waiting(&self) -> bool {
        use ConsentState::{Deferred, Requested, Unknown};
        matches!(self.state, Some(Unknown | Requested | Deferred))
    }

    fn closes(&self) -> bool {
        !self.is_yes() && !self.is_waiting()
    }

    fn is_own_no(&self) -> bool {
        matches!(self.state, None | Some(ConsentState::Refused | ConsentState::Withdrawn))
    }

    fn strictness(&self) -> usize {
        use ConsentState::{Deferred, Expired, Invalidated, Refused, Requested, Revoked, Unknown, Withdrawn};
        let order = [Unknown, Requested, Deferred, Expired, Revoked, Invalidated, Refused, Withdrawn];
        order.iter().position(|s| Some(*s) == self.state).unwrap()
    }

    /// Whether this yes is still good for something at or around `asked`, if only `against` had been said.
    fn survives<'a>(&self, asked: &str, now: i64, mut against: impl Iterator<Item = &'a Word>) -> bool {
        let expired = self.until.is_some_and(|until| until <= now);
        !expired && against.all(|no| !no.stops(self, asked))
    }

    fn stops(&self, yes: &Word, asked: &str) -> bool {
        let yes_is_inside = within(&yes.purpose, &self.purpose);
        if yes_is_inside { yes.time <= self.time } else { within(asked, &self.purpose) }
    }
}

/// What of the words counts, at the time as of which it does.
fn counted(words: &[Word], now: i64) -> Vec<Word> {
    let as_of = |word: &Word| {
        let on_purpose = word.time > word.recorded;
        if word.closes() && !on_purpose {
            return Some(word.time);
        }
        let later = words.iter().filter(|w| w.revision > word.revision).map(|w| w.recorded);
        let oldest = later.min().filter(|_| !on_purpose).unwrap_or(i64::MAX);
        (word.time <= now).then_some(word.time.min(oldest))
    };
    words.iter().filter_map(|w| Some(Word { time: as_of(w)?, ..w.clone() })).collect()
}

fn model(words: &[Word], asked: &str, now: i64) -> Model {
    let words = counted(words, now);
    let heard: Vec<&Word> = words
        .iter()
        .filter(|w| w.recipient.as_deref() != Some("stranger"))
        .filter(|w| within(&w.purpose, asked) || within(asked, &w.purpose))
        .collect();
    let covers = |w: &Word| within(asked, &w.purpose);
    let noes: Vec<&Word> = heard.iter().copied().filter(|w| w.closes()).collect();
    let yeses: Vec<&Word> = heard.iter().copied().filter(|w| w.is_yes()).collect();
    let good: Vec<&Word> =
        yeses.iter().copied().filter(|y| covers(y) && y.survives(asked, now, noes.iter().copied())).collect();
    let lifters = |no: &Word| -> Vec<&Word> {
        let same_ear = |w: &&&Word| w.recipient.is_none() || w.recipient == no.recipient;
        let there = |y: &Word| if covers(no) { covers(y) } else { y.purpose == no.purpose };
        let yeses = yeses.iter().copied().filter(|y| y.recipient == no.recipient && there(y));
        yeses.filter(|y| y.survives(asked, now, noes.iter().filter(same_ear).copied())).collect()
    };
    let closed: Vec<&Word> = noes.iter().copied().filter(|no| lifters(no).is_empty()).collect();
    let enough = |needed: &ConsentKind| {
        good.iter().any(|y| y.kind.satisfies(*needed))
            && noes.iter().all(|no| lifters(no).iter().any(|y| y.kind.satisfies(*needed)))
    };
    let satisfied: Vec<_> = ConsentKind::ALL.into_iter().filter(enough).collect();

    let state = if satisfied.is_empty() {
        let mut told: Vec<Word> =
            closed.iter().filter(|no| no.state.is_some()).map(|w| (*w).clone()).collect();
        told.extend(heard.iter().filter(|w| w.is_waiting() && covers(w)).map(|w| (*w).clone()));
        for yes in yeses.iter().filter(|y| covers(y) && y.until.is_some_and(|until| until <= now)) {
            if noes.iter().all(|no| !no.stops(yes, asked)) {
                let time = yes.time.max(yes.until.unwrap());
                told.push(Word { state: Some(ConsentState::Expired), time, ..(*yes).clone() });
            }
        }
        told.sort_by_key(|w| (w.time, w.strictness(), w.revision));
        told.last().and_then(|w| w.state).unwrap_or(ConsentState::Unknown)
    } else {
        good.iter().max_by_key(|y| (y.time, y.revision)).and_then(|y| y.state).unwrap()
    };
    Model {
        satisfied,
        said_no: closed.iter().any(|w| w.is_own_no()),
        objected: closed.iter().any(|w| w.state.is_none()),
        state,
        recorded: heard.iter().any(|w| w.closes() || covers(w)),
    }
}

fn real(held: &SubjectState, asked: &str, now: i64) -> Model {
    let found = standing(held, &lineage(asked), &|r| r.as_str() != "stranger", at(now));
    Model {
        satisfied: ConsentKind::ALL.into_iter().filter(|k| found.kinds.satisfies(*k)).collect(),
        said_no: found.said_no,
        objected: found.objected,
        state: found.state,
        recorded: found.recorded,
    }
}

fn as_event(word: &Word) -> LedgerEvent {
    let recipient = word.recipient.as_deref().map(RecipientId::new);
    match word.state {
        None => {
            LedgerEvent::Objection { purpose: purpose(&word.purpose), recipient, effective: at(word.time) }
        }
        Some(state) => LedgerEvent::Consent(ConsentEvent {
            purpose: purpose(&word.purpose),
            state,
            kind: word.kind,
            recipient,
            effective: at(word.time),
            valid_until: word.until.map(at),
            notice: None,
        }),
    }
}

fn held(words: &[Word]) -> SubjectState {
    recorded(&words.iter().map(|w| (w.recorded, as_event(w))).collect::<Vec<_>>())
}

/// Few purposes, recipients and moments, so that histories meet; every other word is a yes, or none would stand.
fn words() -> impl Strategy<Value = Vec<Word>> {
    let states = prop_oneof![
        4 => Just(Some(ConsentState::Given)),
        1 => Just(Some(ConsentState::Renewed)),
        4 => proptest::sample::select(ConsentState::ALL.to_vec()).prop_map(Some),
        1 => Just(None),
    ];
    let recipient =
        prop_oneof![5 => Just(None), 1 => Just(Some("a")), 1 => Just(Some("b")), 1 => Just(Some("stranger"))];
    let until = prop_oneof![4 => Just(None), 1 => (0_i64..12).prop_map(Some)];
    // At the time that it bears, by a clock that showed something else, or ahead of everything.
    let recorded = prop_oneof![3 => Just(None), 2 => (0_i64..12).prop_map(Some), 1 => Just(Some(i64::MIN))];
    let word = (
        proptest::sample::select(PURPOSES.to_vec()),
        recipient,
        0_i64..10,
        states,
        proptest::sample::select(ConsentKind::ALL.to_vec()),
        until,
        recorded,
    );
    proptest::collection::vec(word, 0..9).prop_map(|words| {
        let number = |(revision, (purpose, recipient, time, state, kind, until, recorded)): (
            usize,
            (&str, Option<&str>, _, _, _, _, Option<i64>),
        )| Word {
            purpose: purpose.to_owned(),
            recipient: recipient.map(str::to_owned),
            time,
            state,
            kind,
            until,
            recorded: recorded.unwrap_or(time),
            revision,
        };
        words.into_iter().enumerate().map(number).collect()
    })
}

fn asked() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(PURPOSES.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn law_5_agrees_with_the_rules_as_written(words in words(), asked in asked(), now in 0_i64..12) {
        prop_assert_eq!(real(&held(&words), asked, now), model(&words, asked, now));
    }

    #[test]
    fn law_5_one_more_no_never_permits_more(words in words(), asked in asked(), now in 0_i64..12, one in words()) {
        let before = real(&held(&words), asked, now);
        let mut more = words;
        more.extend(one.into_iter().filter(Word::closes));
        let after = real(&held(&more), asked, now);
        prop_assert!(after.satisfied.iter().all(|k| before.satisfied.contains(k)), "{:?} {:?}", before, after);
    }

    #[test]
    fn law_5_a_no_said_now_binds_now(words in words(), asked in asked(), now in 0_i64..12, no in asked()) {
        let mut events: Vec<_> = words.iter().map(|w| (w.recorded, as_event(w))).collect();
        let before = real(&recorded(&events), asked, now);
        for recorded_at in [i64::MIN, now] {
            events.push((recorded_at, support::event(no, ConsentState::Withdrawn, now)));
            let found = real(&recorded(&events), asked, now);
            if within(no, asked) || within(asked, no) {
                prop_assert!(found.satisfied.is_empty() && found.said_no, "{:?}", found);
            } else if recorded_at == now {
                prop_assert_eq!(&found, &before);
            }
            events.pop();
        }
    }

    #[test]
    fn law_5_the_order_of_recording_permits_nothing(
        words in words(), asked in asked(), now in 0_i64..12, recorded_at in 0_i64..12,
    ) {
        // At once, by whatever clock.
        for recorded_at in [i64::MIN, recorded_at] {
            let at_once: Vec<_> = words.iter().map(|w| (recorded_at, as_event(w))).collect();
            let held = recorded(&at_once);
            let count = held.events.len() as u64;
            let mut turned = held.clone();
            turned.events.iter_mut().for_each(|e| e.revision = LedgerRevision(count + 1 - e.revision.0));
            turned.events.reverse();
            let (one, other) = (real(&held, asked, now), real(&turned, asked, now));
            prop_assert_eq!(
                (one.satisfied, one.said_no, one.objected),
                (other.satisfied, other.said_no, other.objected)
            );
        }
    }

    #[test]
    fn law_5_no_clock_permits_more_than_the_dates(words in words(), asked in asked(), now in 0_i64..12) {
        let dated = real(&state(&words.iter().map(as_event).collect::<Vec<_>>()), asked, now);
        let found = real(&held(&words), asked, now);
        prop_assert!(found.satisfied.iter().all(|k| dated.satisfied.contains(k)), "{:?} {:?}", dated, found);
        prop_assert!(found.said_no >= dated.said_no && found.objected >= dated.objected, "{:?} {:?}", dated, found);
    }

    #[test]
    fn law_5_a_no_said_last_holds_whatever_clocks_showed(
        words in words(), asked in asked(), now in 0_i64..12, no in asked(), shown in 0_i64..12,
    ) {
        // Nothing was dated ahead on purpose.
        let said = words.iter().map(|w| (w.recorded.max(w.time), as_event(w)));
        let no_last = (shown, support::event(no, ConsentState::Withdrawn, shown));
        let found = real(&recorded(&said.chain([no_last]).collect::<Vec<_>>()), asked, now);
        if within(no, asked) || within(asked, no) {
            prop_assert!(found.satisfied.is_empty() && found.said_no, "{:?}", found);
        }
    }
}
