//! What the newer events amount to at a moment.

#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod support;

use consentry_consent::{
    attribute, attributes, collected_at, contract, disclosed_to, erased, informed, notified_of, owed,
    restricted, sent_since, standing, suppressed, told_of,
};
use consentry_model::{ContractState, LedgerEvent, Moment, Occurrence, Owed, RecipientId, SubjectState};
use support::{at, born, category, collected, disclosed, duty, lineage, notified, sent, state, told, yes};

fn suppression(on: bool, millis: i64) -> LedgerEvent {
    LedgerEvent::Suppression { on, effective: at(millis) }
}

/// One of each of the events that say nothing about consent, contract, restriction or erasure.
fn beside_consent() -> Vec<LedgerEvent> {
    let mut events = vec![suppression(true, 20), suppression(false, 20), born("1990-01-01", 20)];
    events.extend([collected("m.c", 20), told("acme", 20), notified("v2", 20), sent("m.c", 20)]);
    events.push(LedgerEvent::Occurrence { what: Occurrence::Informed, effective: at(20) });
    events.extend([disclosed("m.c", "acme", 20), duty(Owed::Answer { right: "access".into() }, None, 20)]);
    events.push(duty(Owed::Erasure { recipient: RecipientId::new("acme") }, Some(30), 20));
    events.push(duty(Owed::Keeping { category: category("m.c"), obligation: "o".into() }, Some(30), 20));
    events
}

#[test]
fn events_beside_consent_neither_give_nor_take_one() {
    let alone = state(&beside_consent());
    for asked in ["m", "m.c", "other"] {
        let found = standing(&alone, &lineage(asked), &|_| true, at(50));
        let nothing = standing(&state(&[]), &lineage(asked), &|_| true, at(50));
        assert_eq!(found, nothing, "{asked}");
    }
    assert_eq!(contract(&alone, at(50)), ContractState::None);
    assert_eq!((restricted(&alone, at(50)), erased(&alone, at(50))), (false, false));
    let mut with_a_yes = vec![yes("m.c", 10)];
    let before = standing(&state(&with_a_yes), &lineage("m.c"), &|_| true, at(50));
    with_a_yes.extend(beside_consent());
    assert_eq!(standing(&state(&with_a_yes), &lineage("m.c"), &|_| true, at(50)), before);
}

#[test]
fn law_1_nothing_recorded_tells_nothing() {
    let bare = state(&[yes("m", 0), LedgerEvent::Erasure { effective: at(1) }]);
    let now = at(i64::MAX);
    assert!(!suppressed(&bare, now) && !informed(&bare, now));
    assert_eq!((attribute(&bare, "region", now), attributes(&bare, "region", now).len()), (None, 0));
    assert_eq!((told_of(&bare, &|_| true, now), notified_of(&bare, "", now)), (None, None));
    assert_eq!(collected_at(&bare, &|_| true, now), None);
    assert_eq!(sent_since(&bare, None, Moment::BEGINNING, now), 0);
    assert_eq!((disclosed_to(&bare, now).len(), owed(&bare, now)), (0, vec![]));
}

#[test]
fn the_latest_word_on_suppression_decides_and_of_two_at_once_the_stricter() {
    for (how, events, asked, expected) in [
        ("before it begins", &[(true, 10)][..], 9, false),
        ("from its first moment", &[(true, 10)], 10, true),
        ("until it is lifted", &[(true, 10), (false, 20)], 19, true),
        ("from the lifting on", &[(true, 10), (false, 20)], 20, false),
        ("recorded late, effective early", &[(false, 20), (true, 10)], 30, false),
        ("on and off at once", &[(true, 10), (false, 10)], 10, true),
        ("off and on at once", &[(false, 10), (true, 10)], 10, true),
        ("a lifting of nothing", &[(false, 10)], 10, false),
    ] {
        let events: Vec<_> = events.iter().map(|(on, millis)| suppression(*on, *millis)).collect();
        assert_eq!(suppressed(&state(&events), at(asked)), expected, "{how}");
    }
}

#[test]
fn the_latest_value_of_an_attribute_counts_and_every_value_was_stated() {
    let stated = |name: &str, value: &str, millis| LedgerEvent::Attribute {
        name: name.into(),
        value: value.into(),
        effective: at(millis),
    };
    let held = state(&[
        stated("region", "FR", 10),
        stated("region", "US", 30),
        stated("region", "GB", 20),
        stated("born", "1990-01-01", 5),
        stated("product", "p1", 40),
        stated("product", "p0", 40),
        stated("product", "p1", 41),
    ]);
    for (name, asked, value, all) in [
        ("region", 9, None, &[][..]),
        ("region", 10, Some("FR"), &["FR"]),
        ("region", 20, Some("GB"), &["FR", "GB"]),
        ("region", 99, Some("US"), &["FR", "GB", "US"]),
        ("product", 40, Some("p0"), &["p0", "p1"]),
        ("product", 41, Some("p1"), &["p0", "p1"]),
        ("regio", 99, None, &[]),
        ("Region", 99, None, &[]),
        ("", 99, None, &[]),
    ] {
        assert_eq!(attribute(&held, name, at(asked)), value, "{name} at {asked}");
        assert!(attributes(&held, name, at(asked)).into_iter().eq(all.iter().copied()), "{name} at {asked}");
    }
}

#[test]
fn of_what_happened_the_earliest_time_on_record_counts() {
    type Ask = fn(&SubjectState, Moment) -> Option<Moment>;
    let of_acme: Ask = |s, at| told_of(s, &|named| named.as_str() == "acme", at);
    let of_anybody: Ask = |s, at| told_of(s, &|_| true, at);
    let of_nobody: Ask = |s, at| told_of(s, &|_| false, at);
    let of_v2: Ask = |s, at| notified_of(s, "v2", at);
    let of_v: Ask = |s, at| notified_of(s, "v", at);
    let below_m: Ask = |s, at| collected_at(s, &|c| c.is_within(&category("m")), at);
    let below_m_c_e: Ask = |s, at| collected_at(s, &|c| c.is_within(&category("m.c.e")), at);
    let events = [
        told("acme", 30),
        told("acme", 20),
        told("other", 10),
        notified("v2", 50),
        notified("v2", 40),
        notified("v1", 5),
        collected("m.c", 70),
        collected("m.x", 60),
        collected("other", 1),
        sent("m", 2),
        disclosed("m", "acme", 3),
    ];
    let held = state(&events);
    for (how, ask, asked, expected) in [
        ("not told yet", of_acme, 19, None),
        ("told once", of_acme, 20, Some(20)),
        ("told again is still told first", of_acme, 99, Some(20)),
        ("any recipient", of_anybody, 99, Some(10)),
        ("none that matches", of_nobody, 99, None),
        ("not told of the version yet", of_v2, 39, None),
        ("told of the version", of_v2, 99, Some(40)),
        ("a version is no prefix", of_v, 99, None),
        ("not collected yet", below_m, 59, None),
        ("the older of two", below_m, 99, Some(60)),
        ("none below", below_m_c_e, 99, None),
    ] {
        assert_eq!(ask(&held, at(asked)), expected.map(at), "{how}");
    }
}

#[test]
fn who_was_told_about_cookies_once_is_informed() {
    let events =
        [LedgerEvent::Occurrence { what: Occurrence::Informed, effective: at(10) }, told("cookies", 1)];
    for (asked, expected) in [(9, false), (10, true), (99, true)] {
        assert_eq!(informed(&state(&events), at(asked)), expected, "{asked}");
    }
}

#[test]
fn messages_are_counted_from_a_moment_to_a_moment_and_by_topic() {
    let held =
        state(&[sent("a", 10), sent("a", 20), sent("b", 20), sent("a", 20), told("a", 20), sent("a", 30)]);
    for (topic, since, until, expected) in [
        (Some("a"), 10, 30, 4),
        (Some("a"), 11, 30, 3),
        (Some("a"), 20, 20, 2),
        (Some("a"), 21, 29, 0),
        (Some("b"), 0, 99, 1),
        (Some("A"), 0, 99, 0),
        (Some(""), 0, 99, 0),
        (None, 0, 99, 5),
        (None, 20, 29, 3),
        (None, 30, 20, 0),
    ] {
        assert_eq!(sent_since(&held, topic, at(since), at(until)), expected, "{topic:?} {since} {until}");
    }
}

#[test]
fn everybody_who_received_something_is_listed_once() {
    let held =
        state(&[disclosed("m", "b", 10), disclosed("m.c", "b", 20), disclosed("m", "a", 20), told("c", 1)]);
    let names =
        |millis| -> Vec<String> { disclosed_to(&held, at(millis)).iter().map(ToString::to_string).collect() };
    assert_eq!(names(9), [""; 0]);
    assert_eq!(names(10), ["b"]);
    assert_eq!(names(20), ["a", "b"]);
}

#[test]
fn what_is_owed_stays_owed_and_keeping_ends_with_its_day() {
    let answer = || Owed::Answer { right: "access".into() };
    let erasure = || Owed::Erasure { recipient: RecipientId::new("acme") };
    let keeping = || Owed::Keeping { category: category("m.c"), obligation: "tax".into() };
    let held = state(&[
        duty(keeping(), Some(40), 10),
        duty(answer(), Some(30), 10),
        duty(answer(), Some(30), 20),
        duty(erasure(), None, 20),
    ]);
    for (how, asked, expected) in [
        ("nothing yet", 9, vec![]),
        ("from its first moment", 10, vec![(answer(), Some(at(30))), (keeping(), Some(at(40)))]),
        (
            "said twice is owed once",
            20,
            vec![(answer(), Some(at(30))), (erasure(), None), (keeping(), Some(at(40)))],
        ),
        (
            "a late answer is owed still",
            39,
            vec![(answer(), Some(at(30))), (erasure(), None), (keeping(), Some(at(40)))],
        ),
        ("the end of keeping is exclusive", 40, vec![(answer(), Some(at(30))), (erasure(), None)]),
    ] {
        assert_eq!(owed(&held, at(asked)), expected, "{how}");
    }
    let open = state(&[duty(keeping(), None, 10)]);
    assert_eq!(owed(&open, at(i64::MAX)), [(keeping(), None)], "without a date it does not end");
}
