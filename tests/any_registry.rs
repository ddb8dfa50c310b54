//! Invariants over any registry: what a solver proves, what it refutes, and that nothing else is a proof.
#![allow(clippy::panic, clippy::unwrap_used, reason = "what cannot be set up fails the test")]
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use consentry_policy::{Bundle, Engine, Solver, Sources, SymbolicOutcome, SymbolicProof};
use consentry_tests::{skip, stories};

const BUNDLE: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}, home: DE, regimes: [eu-gdpr]}
vocabulary: {subjects: [reader]}
requesters:
  shop: {purposes: [essential, marketing, custom.sale]}
recipients:
  printer: {class: third_party, country: DE}
routes:
  - route: GET /customers/{id}
    purposes: [essential, marketing, custom.sale]
    about: {type: customer, space: customer, id: path.id}
    response: {body: {email: user.contact.email}}
clauses: [{id: c, line: 1, section: s, says: everything, status: enforced}]
cases: [{case: it is tested, clause: c, who: shop, asks: GET /customers/ann, about: ann, then: refuse basis-lapsed}]
";

const SERVE: &str =
    "{id: serve, permit: essential.service, data: user.contact, of: customer, basis: contract, clauses: [c]}";
const SOLD: &str = "{id: sold, permit: custom.sale, data: user.contact, of: customer, to: printer, basis: {consent: opt-in}, clauses: [c]}";
/// Nothing that this bundle's routes carry, and nobody whom it registers: the exhaustive check cannot see it.
const READERS: &str = "{id: readers, permit: custom.sale, data: user.behavior, of: reader, to: third_party, basis: {consent: opt-in}, clauses: [c]}";
const NEVER: &str = "{id: never, forbid: custom.sale, data: any, cure: never, clauses: [c]}";
const CURED: &str = "{id: cured, forbid: custom.sale, data: any, cure: {consent: explicit}, clauses: [c]}";
const BOOKS: &str = "{id: books, permit: essential.legal_obligation, data: user.financial, of: customer, basis: {legal_obligation: tax}, clauses: [c]}";

const NOBODY_SOLD: &str = "{id: nobody-is-sold, forbid: custom.sale, data: any, clauses: [c]}";
const ONLY_EXPLICIT: &str =
    "{id: only-explicit, forbid: custom.sale, data: any, unless: {consent: explicit}, clauses: [c]}";
const BOOKED: &str = "{id: booked, permit: essential.legal_obligation, data: user.financial, of: customer, to: internal, when: {subject.erased: false, subject.restricted: false, subject.suppressed: false}, clauses: [c]}";
/// Whoever wants to hear nothing any more is sent nothing.
const BOOKED_TO_THE_SUPPRESSED: &str = "{id: booked, permit: essential.legal_obligation, data: user.financial, of: customer, to: internal, when: {subject.erased: false, subject.restricted: false}, clauses: [c]}";
const BOOKED_ALWAYS: &str = "{id: booked-always, permit: essential.legal_obligation, data: user.financial, of: customer, to: internal, clauses: [c]}";

fn engine(rules: &[&str], invariant: &str) -> Engine {
    let text = format!("{BUNDLE}rules:\n  - {}\ninvariants:\n  - {invariant}\n", rules.join("\n  - "));
    let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", &*text)]));
    Engine::new(bundle.unwrap_or_else(|found| panic!("{}", found.render(false)))).unwrap()
}

fn outcome(engine: &Engine, solver: &Solver) -> SymbolicOutcome {
    let proof = SymbolicProof::of(engine, solver);
    assert_eq!(proof.invariants.len(), 1);
    assert_eq!(proof.holds(), proof.invariants[0].outcome == SymbolicOutcome::Holds);
    proof.invariants.into_iter().next().unwrap().outcome
}

/// A program that answers every line in which a solver is asked something, as a shell script.
fn program(folder: &Path, name: &str, script: &str) -> Solver {
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut solver = Solver::at(path);
    solver.question_millis_max = 1_000;
    solver
}

/// A script that says the same to every question.
fn always(answer: &str) -> String {
    format!(
        "while read -r line; do case \"$line\" in *check-sat*) echo '{answer}';; *get-model*) echo '()';; esac; done"
    )
}

#[test]
fn law_1_a_solver_that_is_missing_late_at_a_loss_broken_or_lying_proves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let table = [
        ("ends", "exit 1".to_owned()),
        ("ends-well", "exit 0".to_owned()),
        ("hangs", "exec sleep 60".to_owned()),
        ("talks", "while true; do echo hello; sleep 1; done".to_owned()),
        ("unknown", always("unknown")),
        ("always-proved", always("unsat")),
        ("always-refuted", always("sat")),
        ("errs", always("(error \"no\")")),
        ("mumbles", always("perhaps")),
        ("says-nothing", always("")),
    ];
    // It holds, so that a proof would be no lie.
    let engine = engine(&[SERVE, SOLD, NEVER], NOBODY_SOLD);
    for (name, script) in table {
        let found = outcome(&engine, &program(folder.path(), name, &script));
        assert!(matches!(found, SymbolicOutcome::NotProved(_)), "{name}: {found:?}");
    }
    let missing = outcome(&engine, &Solver::at(folder.path().join("nowhere")));
    assert!(matches!(missing, SymbolicOutcome::NotProved(_)), "{missing:?}");
    let folder = outcome(&engine, &Solver::at(folder.path()));
    assert!(matches!(folder, SymbolicOutcome::NotProved(_)), "{folder:?}");
}

#[test]
fn a_solver_proves_what_holds_over_any_registry_and_refutes_what_does_not() {
    let Some(solver) = Solver::installed() else {
        return skip("any_registry::a_solver_proves_what_holds", "no cvc5 is installed");
    };
    let table: [(&[&str], &str, bool); 11] = [
        (&[SERVE, SOLD, NEVER], NOBODY_SOLD, true),
        (&[SERVE, SOLD], NOBODY_SOLD, false),
        (&[SERVE, SOLD, CURED], NOBODY_SOLD, false),
        (&[SERVE, SOLD, CURED], ONLY_EXPLICIT, true),
        (&[SERVE], NOBODY_SOLD, true),
        // What no route carries today is permitted to whoever will be registered.
        (&[SERVE, READERS], NOBODY_SOLD, false),
        (&[SERVE, READERS, NEVER], NOBODY_SOLD, true),
        (&[SERVE, READERS, CURED], ONLY_EXPLICIT, true),
        (&[SERVE, BOOKS], BOOKED_ALWAYS, false),
        (&[SERVE, BOOKS], BOOKED_TO_THE_SUPPRESSED, false),
        (&[SERVE, BOOKS], BOOKED, true),
    ];
    for (rules, invariant, holds) in table {
        let found = outcome(&engine(rules, invariant), &solver);
        match &found {
            SymbolicOutcome::Holds => assert!(holds, "{rules:?} {invariant}"),
            SymbolicOutcome::False(counter) => {
                assert!(!holds, "{invariant}: {} where {:?}", counter.sentence(), counter.facts);
                assert!(!counter.rules.is_empty() || !counter.permitted, "{counter:?}");
            }
            SymbolicOutcome::NotProved(why) => panic!("{rules:?} {invariant}: {why}"),
        }
    }
}

#[test]
fn a_counterexample_is_told_in_words_and_leaves_out_what_does_not_matter() {
    let Some(solver) = Solver::installed() else {
        return skip("any_registry::a_counterexample_is_told_in_words", "no cvc5 is installed");
    };
    let SymbolicOutcome::False(found) = outcome(&engine(&[SERVE, READERS], NOBODY_SOLD), &solver) else {
        panic!("it does not hold");
    };
    assert!(found.sentence().contains("of reader for custom.sale"), "{}", found.sentence());
    assert!(found.permitted && found.category.starts_with("user.behavior"), "{found:?}");
    let rules: Vec<&str> = found.rules.iter().map(consentry_model::RuleId::as_str).collect();
    assert_eq!(rules, ["readers"]);
    assert!(found.facts.contains(&"consent.opt-in is true".to_owned()), "{:?}", found.facts);
    assert!(found.facts.contains(&"said_no is false".to_owned()), "{:?}", found.facts);
    // The consents to the purpose, that nobody said no, and what the core and the regime ask.
    assert!(found.facts.len() <= 14, "{:?}", found.facts);
}

/// What the shipped policies promise, they promise whoever is registered and whatever a route carries. The largest bundle
/// takes minutes without optimisation; `cargo xtask policies` has it proved.
#[test]
fn every_shipped_invariant_is_proved_over_any_registry() {
    let Some(solver) = Solver::installed() else {
        return skip("any_registry::every_shipped_invariant", "no cvc5 is installed");
    };
    let mut problems = Vec::new();
    let mut proved = 0;
    for name in stories::BUNDLES.into_iter().filter(|name| *name != "panoptics") {
        let engine = Engine::new(stories::bundle(&stories::sources(name, ""), |_| false)).unwrap();
        for one in SymbolicProof::of(&engine, &solver).invariants {
            match &one.outcome {
                SymbolicOutcome::Holds => proved += 1,
                SymbolicOutcome::False(found) => {
                    problems.push(format!(
                        "{name}, {}: {} where {:?}",
                        one.id,
                        found.sentence(),
                        found.facts
                    ));
                }
                SymbolicOutcome::NotProved(why) => problems.push(format!("{name}, {}: {why}", one.id)),
            }
        }
    }
    assert!(problems.is_empty() && proved > 8, "{proved} proved\n{}", problems.join("\n"));
}
