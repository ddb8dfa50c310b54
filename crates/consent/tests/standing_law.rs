//! Law 5, sentence by sentence.

#![allow(clippy::panic, reason = "a test that panics is a test that fails")]

mod support;

use consentry_consent::{Standing, contract, erased, restricted, standing};
use consentry_model::{ConsentKind, ConsentState, ContractState, KindSet, LedgerEvent, Lineage};
use support::{at, event, event_for, lineage, objection, purpose, state, yes, yes_as, yes_until};

use ConsentState::{
    Deferred, Expired, Given, Invalidated, Refused, Renewed, Requested, Revoked, Unknown, Withdrawn,
};

/// What is expected: `Yes` with nothing said against it, `Lapsed` for no valid consent, `No` for the person's own no.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Is {
    Yes(ConsentState),
    Lapsed(ConsentState),
    No(ConsentState),
}

fn stands(events: &[LedgerEvent], asked: &str, now: i64) -> Standing {
    standing(&state(events), &lineage(asked), &|r| r.as_str() == "acme", at(now))
}

fn check(sentence: &str, events: &[LedgerEvent], asked: &str, now: i64, expected: Is) {
    let found = stands(events, asked, now);
    let is = match (found.kinds.is_empty(), found.said_no) {
        (false, false) => Is::Yes(found.state),
        (true, false) => Is::Lapsed(found.state),
        (true, true) => Is::No(found.state),
        (false, true) => panic!("{sentence}: a consent beside the person's own no"),
    };
    assert_eq!(is, expected, "{sentence}");
    assert_eq!(found.state.is_valid(), matches!(is, Is::Yes(_)), "{sentence}");
}

#[test]
fn law_5_of_ten_states_two_are_valid() {
    for state in ConsentState::ALL {
        let expected = match state {
            Given | Renewed => Is::Yes(state),
            Refused | Withdrawn => Is::No(state),
            Unknown | Requested | Deferred | Expired | Revoked | Invalidated => Is::Lapsed(state),
        };
        check(state.code(), &[event("m.c.e", state, 10)], "m.c.e", 20, expected);
        // And above the asked purpose it is the same.
        check(state.code(), &[event("m", state, 10)], "m.c.e", 20, expected);
    }
}

#[test]
fn law_5_each_of_the_eight_invalid_states_after_a_yes() {
    for (later, expected) in [
        (Unknown, Is::Yes(Given)),
        (Requested, Is::Yes(Given)),
        (Deferred, Is::Yes(Given)),
        (Refused, Is::No(Refused)),
        (Withdrawn, Is::No(Withdrawn)),
        (Expired, Is::Lapsed(Expired)),
        (Revoked, Is::Lapsed(Revoked)),
        (Invalidated, Is::Lapsed(Invalidated)),
    ] {
        let events = [yes("m.c", 10), event("m.c", later, 20)];
        check(later.code(), &events, "m.c", 30, expected);
        check(later.code(), &events, "m.c.e", 30, expected);
        check(later.code(), &events, "m.c", 15, Is::Yes(Given));
    }
}

#[test]
fn law_5_implied_never_satisfies_more() {
    let found = stands(&[yes_as("m", ConsentKind::Implied, 10)], "m.c", 20);
    assert!(found.kinds.satisfies(ConsentKind::Implied));
    for needed in [ConsentKind::SoftOptIn, ConsentKind::OptIn, ConsentKind::Explicit, ConsentKind::Parental] {
        assert!(!found.kinds.satisfies(needed), "{needed}");
    }
    // Neither does an implied yes bring a stronger one back that a no for a part of it had closed.
    let events = [
        yes_as("m.c", ConsentKind::Explicit, 10),
        event("m.c.e", Withdrawn, 20),
        yes_as("m.c.e", ConsentKind::Implied, 30),
    ];
    let found = stands(&events, "m.c", 40);
    assert_eq!(found.kinds, KindSet::EMPTY.with(ConsentKind::Implied));
    assert_eq!(found.state, Given);
}

#[test]
fn law_5_the_latest_event_decides_and_ties_go_to_the_stricter() {
    let no = |t| event("m.c", Withdrawn, t);
    for (sentence, events, expected) in [
        ("a later no ends a yes", vec![yes("m.c", 10), no(20)], Is::No(Withdrawn)),
        ("a later yes lifts a no", vec![no(10), yes("m.c", 20)], Is::Yes(Given)),
        ("recorded later, effective earlier", vec![no(20), yes("m.c", 10)], Is::No(Withdrawn)),
        ("at the same moment, recorded last", vec![yes("m.c", 20), no(20)], Is::No(Withdrawn)),
        ("at the same moment, recorded first", vec![no(20), yes("m.c", 20)], Is::No(Withdrawn)),
        ("at the same moment, of two states", vec![no(20), event("m.c", Requested, 20)], Is::No(Withdrawn)),
        ("renewed", vec![yes("m.c", 10), event("m.c", Renewed, 20)], Is::Yes(Renewed)),
    ] {
        check(sentence, &events, "m.c", 30, expected);
    }
}

#[test]
fn law_5_then_expiry_which_is_exclusive() {
    let events = [yes_until("m.c", 10, 20)];
    for (now, expected) in [
        (9, Is::Lapsed(Unknown)),
        (10, Is::Yes(Given)),
        (19, Is::Yes(Given)),
        (20, Is::Lapsed(Expired)),
        (21, Is::Lapsed(Expired)),
    ] {
        check(&format!("at {now}"), &events, "m.c", now, expected);
    }
    let newer = [yes("m.c", 5), yes_until("m.c", 10, 20)];
    check("an older yes without end still stands", &newer, "m.c", 25, Is::Yes(Given));
    let ended = [yes_until("m.c", 10, 20), event("m.c", Withdrawn, 15)];
    check("what was withdrawn never ran out", &ended, "m.c", 25, Is::No(Withdrawn));
    let empty = [yes_until("m.c", 10, 10)];
    check("a yes for no time at all", &empty, "m.c", 10, Is::Lapsed(Expired));
    let back = [event("m.c", Refused, 5), yes_until("m.c", 10, 20)];
    check("while the yes stands", &back, "m.c", 19, Is::Yes(Given));
    check("a no is back when the yes after it ran out", &back, "m.c", 20, Is::No(Expired));
}

#[test]
fn law_11_time_is_an_argument() {
    let events = [yes("m.c", 10), event("m.c", Withdrawn, 20)];
    for (now, expected) in [
        (9, Is::Lapsed(Unknown)),
        (10, Is::Yes(Given)),
        (19, Is::Yes(Given)),
        (20, Is::No(Withdrawn)),
        (21, Is::No(Withdrawn)),
    ] {
        check(&format!("a withdrawal effective at 20, at {now}"), &events, "m.c", now, expected);
    }
    assert!(!stands(&events, "m.c", 9).recorded);
    assert!(stands(&events, "m.c", 10).recorded);
}

#[test]
fn law_5_a_request_or_a_deferral_never_replaces_a_valid_state() {
    for waiting in [Requested, Deferred, Unknown] {
        let asked = |t| event("m.c", waiting, t);
        check("after a yes", &[yes("m.c", 10), asked(20)], "m.c", 30, Is::Yes(Given));
        check("before a yes", &[asked(10), yes("m.c", 20)], "m.c", 30, Is::Yes(Given));
        let ran_out = [yes_until("m.c", 10, 20), asked(15)];
        check("while it stood, then it ran out", &ran_out, "m.c", 30, Is::Lapsed(Expired));
        check("after it ran out", &[yes_until("m.c", 10, 20), asked(25)], "m.c", 30, Is::Lapsed(waiting));
        check("after a no", &[event("m.c", Refused, 10), asked(20)], "m.c", 30, Is::No(waiting));
    }
}

#[test]
fn law_5_a_grant_covers_below_and_never_revives_a_more_specific_no() {
    for (sentence, events, asked, expected) in [
        ("below", vec![yes("m", 10)], "m.c.e", Is::Yes(Given)),
        ("not above", vec![yes("m.c.e", 10)], "m.c", Is::Lapsed(Unknown)),
        ("not beside", vec![yes("m.c.s", 10)], "m.c.e", Is::Lapsed(Unknown)),
        ("a later yes above", vec![event("m.c.e", Refused, 10), yes("m", 20)], "m.c.e", Is::No(Refused)),
        ("nor below the no", vec![event("m.c.e", Refused, 10), yes("m.c", 20)], "m.c.e.w", Is::No(Refused)),
        ("nor for the whole", vec![event("m.c.e", Refused, 10), yes("m.c", 20)], "m.c", Is::No(Refused)),
        ("but beside it", vec![event("m.c.e", Refused, 10), yes("m.c", 20)], "m.c.s", Is::Yes(Given)),
        ("revoked below", vec![event("m.c.e", Revoked, 10), yes("m.c", 20)], "m.c", Is::Lapsed(Revoked)),
        ("objected below", vec![objection("m.c.e", 10), yes("m.c", 20)], "m.c", Is::No(Unknown)),
    ] {
        check(sentence, &events, asked, 30, expected);
    }
}

#[test]
fn law_5_a_no_ends_every_earlier_grant_below_it_and_a_later_specific_grant_stands() {
    let no = |key, t| event(key, Withdrawn, t);
    for (sentence, events, asked, expected) in [
        ("below", vec![yes("m.c.e", 10), no("m", 20)], "m.c.e", Is::No(Withdrawn)),
        ("later, more specific", vec![no("m", 10), yes("m.c.e", 20)], "m.c.e", Is::Yes(Given)),
        ("for that alone", vec![no("m", 10), yes("m.c.e", 20)], "m.c.s", Is::No(Withdrawn)),
        ("not for the whole", vec![no("m", 10), yes("m.c.e", 20)], "m.c", Is::No(Withdrawn)),
        ("at its own level", vec![no("m", 10), yes("m", 20)], "m.c.e", Is::Yes(Given)),
        ("two noes", vec![no("m.c.e", 10), no("m", 15), yes("m", 20)], "m.c.e", Is::No(Withdrawn)),
        ("two noes, one yes", vec![no("m.c.e", 10), no("m", 15), yes("m.c.e", 20)], "m.c.e", Is::Yes(Given)),
        (
            "a part taken out and given back",
            vec![yes("m.c", 10), no("m.c.e", 20), yes("m.c.e", 30)],
            "m.c",
            Is::Yes(Given),
        ),
        (
            "given back below the part only",
            vec![yes("m.c", 10), no("m.c.e", 20), yes("m.c.e.w", 30)],
            "m.c",
            Is::No(Withdrawn),
        ),
        (
            "given back, then the whole withdrawn and given again",
            vec![no("m.c.e", 10), yes("m.c.e", 20), no("m.c", 30), yes("m.c", 40)],
            "m.c",
            Is::No(Withdrawn),
        ),
    ] {
        check(sentence, &events, asked, 50, expected);
    }
}

#[test]
fn law_7_an_objection_stands_until_a_later_specific_yes() {
    for (events, objected, recorded) in [
        (vec![], false, false),
        (vec![objection("m", 10)], true, true),
        (vec![objection("m.c.e.w", 10)], true, true),
        (vec![objection("m.x", 10)], false, false),
        (vec![yes("m.c.e", 5), objection("m", 10)], true, true),
        (vec![objection("m", 10), yes("m.c.e", 20)], false, true),
        (vec![objection("m", 50)], false, false),
    ] {
        let found = stands(&events, "m.c.e", 30);
        assert_eq!((found.objected, found.recorded), (objected, recorded), "{events:?}");
        assert_eq!(found.said_no, objected, "{events:?}");
        assert_eq!(found.state, if objected || !recorded { Unknown } else { Given });
    }
}

#[test]
fn a_word_about_one_recipient_is_lifted_by_a_yes_for_that_recipient_alone() {
    let for_acme = |state, t| event_for("acme", "m.c", state, t);
    for (sentence, events, expected) in [
        ("a yes for it", vec![for_acme(Given, 10)], Is::Yes(Given)),
        ("a yes for another", vec![event_for("other", "m.c", Given, 10)], Is::Lapsed(Unknown)),
        ("a no for another", vec![yes("m.c", 10), event_for("other", "m.c", Refused, 20)], Is::Yes(Given)),
        ("a no for it", vec![yes("m.c", 10), for_acme(Refused, 20)], Is::No(Refused)),
        ("a yes for all later", vec![for_acme(Refused, 10), yes("m.c", 20)], Is::No(Refused)),
        ("a no for all, a yes for it", vec![event("m.c", Refused, 10), for_acme(Given, 20)], Is::No(Refused)),
        ("a yes for it, a no for all", vec![for_acme(Given, 10), event("m.c", Refused, 20)], Is::No(Refused)),
        (
            "each lifted by its own",
            vec![event("m.c", Refused, 10), yes("m.c", 20), for_acme(Withdrawn, 30), for_acme(Given, 40)],
            Is::Yes(Given),
        ),
        (
            "a yes for it that a no for all ended lifts nothing",
            vec![for_acme(Refused, 10), for_acme(Given, 20), event("m.c", Refused, 30), yes("m.c", 40)],
            Is::No(Refused),
        ),
        (
            "each lifted by its own, the particular one first",
            vec![for_acme(Refused, 10), event("m.c", Refused, 20), for_acme(Given, 30), yes("m.c", 40)],
            Is::Yes(Given),
        ),
    ] {
        check(sentence, &events, "m.c", 50, expected);
    }
}

#[test]
fn a_yes_for_one_parent_does_not_lift_a_no_for_another() {
    let two_parents = Lineage::new(purpose("m.c.e"), vec![purpose("m.c"), purpose("other")], vec![]);
    let asked = |events: &[LedgerEvent]| standing(&state(events), &two_parents, &|_| true, at(30));
    let no = event("other", Refused, 10);
    assert!(asked(&[no.clone(), yes("m.c", 20)]).said_no);
    assert!(!asked(&[no.clone(), yes("other", 20)]).said_no);
    assert!(!asked(&[no, yes("m.c.e", 20)]).said_no);
    assert_eq!(asked(&[yes("other", 10)]).state, Given);
}

#[test]
fn contract_restriction_and_erasure_as_of_a_moment() {
    let contract_is = |state, t| LedgerEvent::Contract { state, effective: at(t) };
    let restriction = |on, t| LedgerEvent::Restriction { on, effective: at(t) };
    let events = [
        contract_is(ContractState::Ended, 30),
        contract_is(ContractState::Requested, 10),
        contract_is(ContractState::Active, 10),
        restriction(true, 10),
        restriction(false, 10),
        restriction(false, 20),
        LedgerEvent::Erasure { effective: at(40) },
        yes("m", 50),
    ];
    for (now, contract_state, is_restricted, is_erased) in [
        (9, ContractState::None, false, false),
        (10, ContractState::Active, true, false),
        (20, ContractState::Active, false, false),
        (30, ContractState::Ended, false, false),
        (40, ContractState::Ended, false, true),
        (60, ContractState::Ended, false, true),
    ] {
        let held = state(&events);
        assert_eq!(contract(&held, at(now)), contract_state, "at {now}");
        assert_eq!(restricted(&held, at(now)), is_restricted, "at {now}");
        assert_eq!(erased(&held, at(now)), is_erased, "at {now}");
    }
}

#[test]
fn a_long_history_is_told_in_good_time() {
    let toggle = |t| if t % 2 == 0 { yes("m.c", t) } else { event("m.c", Withdrawn, t) };
    let events: Vec<_> = (1..=40_000).map(toggle).collect();
    let started = std::time::Instant::now();
    check("the last word", &events, "m.c", 50_000, Is::Yes(Given));
    assert!(started.elapsed() < std::time::Duration::from_secs(2), "{:?}", started.elapsed());
}
