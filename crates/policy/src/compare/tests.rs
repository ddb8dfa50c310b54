//! Small bundles side by side.

use std::collections::BTreeMap;

use consentry_model::{Category, Moment, Purpose, RecipientId, RequesterId, SubjectType, Treatment};

use super::cell::{Known, cells};
use super::set::Set;
use super::space::{Key, Point, facts_of, value};
use super::view::View;
use super::{Impact, NotReplayable, Recorded, RecordedFact, Replay};
use crate::bundle::Bundle;
use crate::engine::{Engine, Person, Question};
use crate::text::Sources;

pub(crate) const HEAD: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}}
facts:
  datum.origin: {values: [web, shop]}
requesters:
  shop: {purposes: [essential, marketing, analytics]}
  desk: {purposes: [essential, marketing]}
recipients:
  printer: {class: third_party, country: DE}
routes:
  - route: GET /customers/{id}
    purposes: [essential.service, marketing.communications.email]
    about: {type: customer, space: customer, id: path.id}
    facts: {datum.origin: shop}
    response: {body: {email: user.contact.email, name: user.name}}
  - route: GET /figures
    purpose: analytics
    about: {type: customer, population: all}
    response: {body: {count: user.behavior}, size: visitors}
  - route: POST /out/print
    purpose: marketing.communications.email
    to: printer
    about: {type: customer, space: customer, id: body.id}
    request: {body: {id: user.unique_id, email: user.contact.email}}
    response: {body: {ok: none}}
clauses: [{id: c, line: 1, section: s, says: everything, status: enforced}]
cases: [{case: it is tested, clause: c, who: shop, asks: GET /customers/ann, about: ann, then: refuse basis-lapsed}]
";

pub(crate) const SERVE: &str =
    "{id: serve, permit: essential.service, data: any, of: customer, basis: contract, clauses: [c]}";

pub(crate) fn engine(rules: &[&str]) -> Engine {
    engine_of(HEAD, rules)
}

pub(crate) fn engine_of(head: &str, rules: &[&str]) -> Engine {
    let rules: String = rules.iter().map(|rule| format!("  - {rule}\n")).collect();
    let text = format!("{head}\nrules:\n{rules}");
    let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", text.as_str())]));
    Engine::new(bundle.unwrap_or_else(|found| panic!("{}", found.render(false)))).unwrap()
}

/// Everything that is said of a change, as the command says it.
fn said(impact: &Impact) -> String {
    let mut lines = Vec::new();
    for change in &impact.changes {
        lines.push(format!("{} {}", if change.widens() { "+" } else { "-" }, change.sentence()));
        lines.extend(change.circumstances().into_iter().map(|line| format!("    {line}")));
    }
    for (why, cells) in &impact.not_compared {
        lines.push(format!("? {}: {}", cells.len(), why.words()));
    }
    lines.extend(
        impact.differences.iter().map(|d| format!("{} {}", if d.widens { "!" } else { "." }, d.what)),
    );
    lines.join("\n")
}

fn compare(old: &[&str], new: &[&str]) -> Impact {
    Impact::of(&engine(old), &engine(new))
}

const MAIL: &str = "{id: mail, permit: marketing.communications, data: user.contact, of: customer, to: [internal, printer], basis: {consent: opt-in}, clauses: [c]}";
const RENAMED: &str = "{id: post, permit: marketing.communications, data: user.contact, of: customer, to: [internal, printer], basis: {consent: opt-in}, clauses: [c]}";
const WEAKER: &str = "{id: mail, permit: marketing.communications, data: user.contact, of: customer, to: [internal, printer], basis: {consent: soft-opt-in}, clauses: [c]}";
const NEVER_OUT: &str =
    "{id: never-out, forbid: marketing, data: any, to: third_party, cure: never, clauses: [c]}";
const TEN: &str = "{id: figures, permit: analytics, data: user.behavior, as: {aggregated: {min_group: 10}}, basis: aggregate, clauses: [c]}";
const FIVE: &str = "{id: figures, permit: analytics, data: user.behavior, as: {aggregated: {min_group: 5}}, basis: aggregate, clauses: [c]}";
const MASKED: &str = "{id: masked, permit: marketing.communications, data: user.contact, of: customer, as: masked, basis: {consent: opt-in}, clauses: [c]}";
const AGREED: &str = "{id: agreed, permit: marketing.communications, data: user.contact, of: customer, to: printer, when: {recipient.agreement: true}, basis: {consent: opt-in}, clauses: [c]}";
const SAFE: &str = "{id: safe, permit: marketing.communications, data: user.contact, of: customer, to: printer, when: {recipient.safeguard: scc}, basis: {consent: opt-in}, clauses: [c]}";
const MONTHLY: &str = "{id: monthly, require: {at_most: {times: 1, per: calendar-month, of: [subject]}}, for: [marketing], reason: cadence-exceeded, clauses: [c]}";

#[test]
fn what_lets_more_through_is_told_and_its_reverse_lets_less_through() {
    let rows: [(&str, &[&str], &[&str]); 6] = [
        ("a new permission", &[SERVE], &[SERVE, MAIL]),
        ("a prohibition is gone", &[MAIL, NEVER_OUT], &[MAIL]),
        ("a weaker consent", &[MAIL], &[WEAKER]),
        ("smaller groups", &[TEN], &[FIVE]),
        ("in clear instead of masked", &[MASKED], &[MAIL]),
        ("an obligation is gone", &[MAIL, MONTHLY], &[MAIL]),
    ];
    let mut all = String::new();
    for (what, old, new) in rows {
        let (there, back) = (compare(old, new), compare(new, old));
        assert!(there.widens(), "{what}");
        assert!(!back.widens() && !back.is_nothing(), "{what}: {}", said(&back));
        all.push_str(&format!("{what}\n{}\nand back\n{}\n\n", said(&there), said(&back)));
    }
    insta::assert_snapshot!(all);
}

/// What is said between two recipients that are agreed with for different times.
#[test]
fn what_is_agreed_for_longer_lets_more_through() {
    const OUT: &str = "{id: out, permit: marketing.communications, data: user.contact, of: customer, to: printer, when: {recipient.agreement: true, recipient.safeguard: scc}, basis: {consent: opt-in}, clauses: [c]}";
    let printer = |said: &str| {
        let head = HEAD.replace(
            "printer: {class: third_party, country: DE}",
            &format!("printer: {{class: third_party, country: DE, {said}}}"),
        );
        assert_ne!(head, HEAD);
        engine_of(&head, &[OUT])
    };
    let always = "safeguard: scc, agreement: true";
    let to_2027 = "safeguard: {kind: scc, until: 2027-01-01}, agreement: true";
    let to_2028 = "safeguard: {kind: scc, until: 2028-01-01}, agreement: true";
    let of_2026 = "safeguard: scc, agreement: {from: 2026-01-01, until: 2027-01-01}";
    let other = "safeguard: {kind: bcr, until: 2027-01-01}, agreement: true";
    let mut all = String::new();
    for (what, shorter, longer) in [
        ("some day", to_2027, always),
        ("a year", to_2027, to_2028),
        ("before that year, too", of_2026, to_2027),
        ("nothing before", "agreement: true", of_2026),
        ("of another kind before", other, to_2027),
    ] {
        let (shorter, longer) = (printer(shorter), printer(longer));
        let (there, back) = (Impact::of(&shorter, &longer), Impact::of(&longer, &shorter));
        assert!(there.widens(), "{what}");
        assert!(!back.widens() && !back.is_nothing(), "{what}: {}", said(&back));
        all.push_str(&format!("{what}\n{}\nand back\n{}\n\n", said(&there), said(&back)));
    }
    assert!(Impact::of(&printer(to_2027), &printer(to_2027)).is_nothing());
    insta::assert_snapshot!(all);
}

#[test]
fn what_a_rule_is_called_and_where_it_stands_changes_nothing() {
    for (old, new) in
        [(vec![SERVE, MAIL], vec![RENAMED, SERVE]), (vec![SERVE], vec![SERVE]), (vec![TEN], vec![TEN])]
    {
        let found = compare(&old, &new);
        assert!(found.is_nothing() && found.cells > 0 && found.assignments > 0, "{}", said(&found));
    }
}

#[test]
fn law_1_what_was_not_compared_counts_as_letting_more_through() {
    let words: Vec<String> = (0..300).map(|n| format!("w{n}")).collect();
    let fact = format!("facts:\n  request.kind: {{values: [{}], from: header.Kind}}", words.join(", "));
    let head = HEAD.replacen("facts:", &fact, 1);
    let rule = "{id: kinds, permit: essential.service, data: any, of: customer, when: {request.kind: w7}, basis: contract, clauses: [c]}";
    let wide = || engine_of(&head, &[rule]);
    let found = Impact::of(&wide(), &wide());
    assert!(found.widens() && found.changes.is_empty(), "{}", said(&found));
    assert_eq!(found.not_compared.keys().copied().collect::<Vec<_>>(), [super::NotCompared::TooWide]);
}

#[test]
fn what_routes_carry_and_do_is_compared_too() {
    let rows = [
        ("body: {email: user.contact.email, name: user.name}", "body: {email: none, name: user.name}", true),
        (
            "body: {email: user.contact.email, name: user.name}",
            "body: {email: user.contact.email, name: user.name, more: none}",
            true,
        ),
        ("body: {email: user.contact.email, name: user.name}", "body: {email: user.contact.email}", false),
        (
            "  desk: {purposes: [essential, marketing]}",
            "  desk: {purposes: [essential, marketing], told_reasons: true}",
            true,
        ),
        (
            "response: {body: {email: user.contact.email, name: user.name}}",
            "public: true\n    response: {errors: [422], body: {email: user.contact.email, name: user.name}}",
            true,
        ),
        ("version: v1", "version: v2", false),
    ];
    let before = engine(&[SERVE]);
    let mut all = String::new();
    for (text, other, widens) in rows {
        let head = HEAD.replace(text, other);
        assert_ne!(head, HEAD);
        let found = Impact::of(&before, &engine_of(&head, &[SERVE]));
        assert_eq!(found.widens(), widens, "{other}: {}", said(&found));
        all.push_str(&format!("{other}\n{}\n\n", said(&found)));
    }
    insta::assert_snapshot!(all);
}

/// Random facts: wherever the engines differ a change is told, and where a change is told the engines differ.
#[test]
fn what_is_told_of_a_cell_is_what_the_two_engines_answer() {
    let pairs: [(&[&str], &[&str]); 6] = [
        (&[SERVE, MAIL, NEVER_OUT], &[SERVE, WEAKER]),
        (&[AGREED, SERVE], &[SAFE]),
        (&[MASKED], &[WEAKER, NEVER_OUT]),
        (&[TEN, SERVE], &[FIVE]),
        (&[MASKED], &[MAIL]),
        (&[SERVE], &[MAIL, TEN]),
    ];
    let mut seed = 7_usize;
    let mut below = |n: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % n
    };
    let (mut differ, mut alike) = (0, 0);
    let dated = HEAD.replace(
        "country: DE}",
        "country: DE, safeguard: {kind: scc, from: 2026-03-01}, agreement: {from: 2026-01-01, until: 2026-06-01}}",
    );
    for (old, new) in pairs {
        let (old, new) = (engine_of(&dated, old), engine_of(&dated, new));
        let (before, after) = (cells(&old), cells(&new));
        let mut known = Known::of(&old, &new);
        for name in before.keys() {
            let (Some(then), Some(now)) = (before.get(name), after.get(name)) else { continue };
            let found = known.compare(then, now);
            let Ok(found) = &*found else { panic!("{name:?}") };
            for _ in 0..40 {
                let at: Vec<usize> = found.space.variables.iter().map(|v| below(v.points.len())).collect();
                let answer = |engine: &Engine, question: &Question| {
                    let (view, mut facts) = (View::of(engine, question), engine.facts());
                    for (variable, at) in found.space.variables.iter().zip(&at) {
                        for id in facts_of(&view, &variable.key) {
                            facts.set(id, value(&view, id, &variable.points[*at]));
                        }
                    }
                    let mut points =
                        found.space.variables.iter().zip(&at).map(|(v, at)| (&v.key, &v.points[*at]));
                    let millis = points.find_map(|(key, point)| match (key, point) {
                        (Key::Now, Point::From(millis)) => Some(*millis),
                        _ => None,
                    });
                    let now = Moment::from_unix_millis(millis.unwrap_or(0));
                    view.all_fixed(now.unix_millis()).for_each(|(id, value)| facts.set(id, value));
                    engine.decide(question, &facts, Person::ANONYMOUS, now).treatment
                };
                let shift = (answer(&old, &then[0]), answer(&new, &now[0]));
                let inside = |b: &Vec<Set>| b.iter().zip(&at).all(|(set, at)| set.has(*at));
                let told: Vec<_> = found.shifts.iter().filter(|s| s.boxes.iter().any(inside)).collect();
                let more = found.shifts.iter().any(|s| (s.from, s.to) == shift && s.more);
                if shift.0 == shift.1 {
                    assert!(told.is_empty(), "{name:?} {shift:?} {told:?}");
                    alike += 1;
                } else {
                    assert!(
                        more || told.iter().any(|s| (s.from, s.to) == shift),
                        "{name:?} {shift:?} {found:?}"
                    );
                    differ += 1;
                }
            }
        }
    }
    assert!(differ > 50 && alike > 1_000, "{differ} {alike}");
}

/// What a record says, and what becomes of it.
#[test]
fn recorded_decisions_are_replayed_or_counted_with_their_reason() {
    let known = |extra: &[(&'static str, RecordedFact)]| -> BTreeMap<&'static str, RecordedFact> {
        let no = [
            "said_no",
            "subject.erased",
            "subject.restricted",
            "own",
            "request.gpc",
            "request.legal",
            "request.approver",
        ];
        let consents = [
            "consent.implied",
            "consent.soft-opt-in",
            "consent.opt-in",
            "consent.explicit",
            "consent.parental",
        ];
        let all = no.into_iter().chain(consents).map(|name| (name, RecordedFact::Bool(false)));
        all.chain(extra.iter().cloned()).collect()
    };
    let yes = RecordedFact::Bool(true);
    let soft = known(&[("consent.implied", yes.clone()), ("consent.soft-opt-in", yes.clone())]);
    let tls = "{id: tls, forbid: marketing, data: any, unless: {request.tls: {at_least: tls1.2}}, cure: never, clauses: [c]}";
    let gone = HEAD.replace(
        "purposes: [essential.service, marketing.communications.email]",
        "purposes: [essential.service]",
    );
    let rows = [
        (engine(&[WEAKER]), &soft, Treatment::Withheld, Ok(Treatment::Clear)),
        (engine(&[MAIL]), &soft, Treatment::Withheld, Ok(Treatment::Withheld)),
        (engine(&[MAIL]), &soft, Treatment::Clear, Err(NotReplayable::NotReproduced)),
        (engine(&[WEAKER, tls]), &soft, Treatment::Withheld, Err(NotReplayable::FactNotRecorded)),
        (engine(&[MAIL, tls]), &soft, Treatment::Withheld, Ok(Treatment::Withheld)),
        (engine_of(&gone, &[WEAKER]), &soft, Treatment::Withheld, Err(NotReplayable::RouteGone)),
    ];
    let old = engine(&[MAIL]);
    let (shop, internal) = (RequesterId::new("shop"), RecipientId::new("internal"));
    let purpose = Purpose::new("marketing.communications.email").unwrap();
    let (email, customer) = (Category::new("user.contact.email").unwrap(), SubjectType::new("customer"));
    for (at, (new, facts, treatment, expected)) in rows.into_iter().enumerate() {
        let recorded = Recorded {
            requester: &shop,
            recipient: &internal,
            purpose: &purpose,
            category: &email,
            subject_type: &customer,
            origin: Some("shop"),
            facts: facts.clone(),
            treatment,
            at: Moment::from_unix_millis(0),
        };
        assert_eq!(Replay::new(&old, &new).answer(&recorded), expected, "row {at}");
    }
}
