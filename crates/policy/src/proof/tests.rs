//! Invariants that hold, and how they stop holding.

use super::{Proof, ProofOutcome, Proven};
use crate::compare::tests::{HEAD, SERVE, engine_of};

const SOLD: &str = "{id: sold, permit: custom.sale, data: any, of: customer, to: printer, basis: {consent: opt-in}, clauses: [c]}";
const MAIL: &str = "{id: mail, permit: marketing.communications, data: user.contact, of: customer, basis: {consent: opt-in}, clauses: [c]}";
const NEVER: &str = "{id: never, forbid: custom.sale, data: any, cure: never, clauses: [c]}";
const NO_MAIL: &str = "{id: no-mail, forbid: marketing, data: user.contact, cure: never, clauses: [c]}";
const CURED: &str = "{id: cured, forbid: custom.sale, data: any, cure: {consent: explicit}, clauses: [c]}";

const NOBODY_SOLD: &str = "{id: nobody-is-sold, forbid: custom.sale, data: any, clauses: [c]}";
const NOTHING_OUT: &str = "{id: nothing-out, forbid: any, data: user.contact, to: printer, clauses: [c]}";
const INSIDE: &str = "{id: inside, forbid: any, data: user.contact, to: internal, by: desk, clauses: [c]}";
const ERASED: &str = "{id: erased, forbid: any, data: any, when: {subject.erased: true}, unless: {datum.held: true}, clauses: [c]}";
const SERVED: &str = "{id: served, permit: essential.service, data: user.contact, of: customer, when: {subject.contract: active, subject.erased: false, subject.restricted: false, subject.suppressed: false}, clauses: [c]}";
const SERVED_ALWAYS: &str = "{id: served-always, permit: essential.service, data: user.contact, of: customer, when: {subject.contract: active}, clauses: [c]}";
const NOT_UNDER_16: &str =
    "{id: grown-up, forbid: marketing, data: any, unless: {subject.age: {at_least: 16}}, clauses: [c]}";
const GROWN_UP: &str = "{id: age, forbid: marketing, data: any, unless: {subject.age: {at_least: 16}}, cure: never, clauses: [c]}";

fn proof(rules: &[&str], invariant: &str) -> Proven {
    let found = Proof::of(&engine_of(&format!("{HEAD}\ninvariants:\n  - {invariant}\n"), rules));
    assert_eq!(found.invariants.len(), 1);
    assert_eq!(found.holds(), found.invariants[0].outcome == ProofOutcome::Holds);
    found.invariants.into_iter().next().unwrap()
}

/// What is told of an invariant.
fn said(proven: &Proven) -> String {
    match &proven.outcome {
        ProofOutcome::Holds => "holds".to_owned(),
        ProofOutcome::NotProved(why) => format!("not proved: {why}"),
        ProofOutcome::False(counter) => {
            let rules: Vec<&str> = counter.rules.iter().map(|rule| rule.as_str()).collect();
            format!(
                "{}\n  where {}\n  by {}",
                counter.sentence(),
                counter.facts.join("\n  where "),
                rules.join(", ")
            )
        }
    }
}

#[test]
fn an_invariant_holds_in_every_cell_or_is_refuted_by_one() {
    let rows: [(&[&str], &str, bool); 14] = [
        (&[SERVE, SOLD, NEVER], NOBODY_SOLD, true),
        (&[SERVE, SOLD], NOBODY_SOLD, false),
        (&[SERVE, SOLD, CURED], NOBODY_SOLD, false),
        (&[SERVE], NOBODY_SOLD, true),
        (&[SERVE, MAIL], NOTHING_OUT, true),
        (&[SERVE, MAIL, SOLD], NOTHING_OUT, false),
        (&[MAIL, NO_MAIL], INSIDE, true),
        (&[MAIL], INSIDE, false),
        (&[SERVE, MAIL, SOLD], ERASED, true),
        (&[SERVE], SERVED, true),
        (&[SERVE], SERVED_ALWAYS, false),
        (&[MAIL], SERVED, false),
        (&[MAIL, GROWN_UP], NOT_UNDER_16, true),
        (&[MAIL], NOT_UNDER_16, false),
    ];
    let mut all = String::new();
    for (rules, invariant, holds) in rows {
        let found = proof(rules, invariant);
        assert_eq!(found.outcome == ProofOutcome::Holds, holds, "{rules:?} {invariant}: {}", said(&found));
        assert!(found.cells > 0);
        if !holds {
            all.push_str(&format!("{}\n{}\n\n", found.id, said(&found)));
        }
    }
    insta::assert_snapshot!(all);
}

/// The prohibition that carries an invariant is taken away, and the invariant notices.
#[test]
fn an_invariant_is_as_strong_as_the_prohibition_that_carries_it() {
    for (permit, prohibition, invariant) in
        [(SOLD, NEVER, NOBODY_SOLD), (MAIL, NO_MAIL, INSIDE), (MAIL, GROWN_UP, NOT_UNDER_16)]
    {
        assert_eq!(proof(&[permit, prohibition], invariant).outcome, ProofOutcome::Holds, "{invariant}");
        assert!(matches!(proof(&[permit], invariant).outcome, ProofOutcome::False(_)), "{invariant}");
    }
}

#[test]
fn law_1_what_cannot_be_checked_is_not_proved() {
    let nothing = "{id: nothing, forbid: any, data: user.biometric, clauses: [c]}";
    assert!(matches!(proof(&[SERVE], nothing).outcome, ProofOutcome::NotProved(_)));
    // An engine that was compiled whole refuses what no route asks: nothing could be learnt from it.
    let engine = engine_of(&format!("{HEAD}\ninvariants:\n  - {NOBODY_SOLD}\n"), &[SERVE, SOLD]);
    engine.compile_all();
    let found = Proof::of(&engine);
    assert!(!found.holds() && matches!(found.invariants[0].outcome, ProofOutcome::NotProved(_)));
}

#[test]
fn how_much_was_checked_is_told() {
    let found = proof(&[SERVE, SOLD, NEVER], NOBODY_SOLD);
    let (cells, assignments) = (found.cells, found.assignments);
    assert!(cells > 1_000 && assignments > u128::from(cells), "{cells} {assignments}");
}
