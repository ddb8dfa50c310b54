//! What Cedar would accept silently, or read otherwise than the laws.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use consentry_model::{Act, Purpose};

use super::ast::{Condition, Cure, Origin, Rule, Test, Verb};
use crate::bundle::{ANYONE, Bundle, Case, Clause, ClauseStatus};
use crate::text::{Reader, Span};

/// Checks a bundle as a whole.
pub(crate) fn check(
    bundle: &Bundle,
    rules: &[(Rule, Span)],
    clauses: &[(Clause, Span)],
    cases: &[(Case, Span)],
    reader: &mut Reader,
) {
    each_rule(bundle, rules, reader);
    invariants(bundle, reader);
    native(bundle, rules, reader);
    super::lints::lint(bundle, rules, reader);
    bases_that_meet(bundle, rules, reader);
    clauses_and_what_cites_them(bundle, rules, clauses, reader);
    each_case(bundle, cases, clauses, reader);
}

fn each_rule(bundle: &Bundle, rules: &[(Rule, Span)], reader: &mut Reader) {
    let mut ids = BTreeSet::new();
    for (rule, span) in rules {
        if !ids.insert(&rule.id) {
            reader.error("defined-twice", *span, format!("rule `{}` is defined already", rule.id));
        }
        if rule.origin != Origin::Bundle {
            continue;
        }
        id_of(rule.id.as_str(), *span, reader);
        if rule.clauses.is_empty() {
            reader.error("rule-without-clause", *span, format!("rule `{}` cites no clause", rule.id));
        }
        known_clauses(bundle, &rule.clauses, *span, reader);
        if let (Some(from), Some(until)) = (rule.from, rule.until)
            && from >= until
        {
            reader.error("never-in-force", *span, format!("rule `{}` ends before it begins", rule.id));
        }
    }
}

fn known_clauses(bundle: &Bundle, clauses: &[Arc<str>], span: Span, reader: &mut Reader) {
    for clause in clauses.iter().filter(|c| bundle.clause(c).is_none()) {
        let known = bundle.clauses.iter().map(|c| &*c.id);
        reader.unknown("unknown-clause", span, "clause", clause, known);
    }
}

fn invariants(bundle: &Bundle, reader: &mut Reader) {
    let mut ids = BTreeSet::new();
    for invariant in &bundle.invariants {
        let (id, span) = (&invariant.rule.id, invariant.span);
        if !ids.insert(id) {
            reader.error("defined-twice", span, format!("the invariant `{id}` is defined already"));
        }
        id_of(id.as_str(), span, reader);
        known_clauses(bundle, invariant.clauses(), span, reader);
    }
}

/// Native policies are rules like others: with an id of their own, and resting on clauses.
fn native(bundle: &Bundle, rules: &[(Rule, Span)], reader: &mut Reader) {
    let mut ids: BTreeSet<_> = rules.iter().map(|(rule, _)| &rule.id).collect();
    for policy in &bundle.native {
        if !ids.insert(&policy.id) {
            reader.error("defined-twice", policy.span, format!("`{}` is defined already", policy.id));
        }
        id_of(policy.id.as_str(), policy.span, reader);
        if policy.clauses.is_empty() {
            let message = format!("the policy `{}` cites no clause: `@clauses(\"...\")`", policy.id);
            reader.error("rule-without-clause", policy.span, message);
        }
        known_clauses(bundle, &policy.clauses, policy.span, reader);
    }
}

/// The product's own rules and the halves of a permission go by ids of their own.
fn id_of(id: &str, span: Span, reader: &mut Reader) {
    let plain = id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
    if id.is_empty() || !plain {
        let message = format!("`{id}` is not a rule's id: small letters, digits, `-` and `_`");
        reader.error("not-an-id", span, message);
    } else if id == "tempted" || ["core-", "eu-", "uk-", "us-"].iter().any(|own| id.starts_with(own)) {
        reader.error("reserved-name", span, format!("`{id}` is reserved for rules of the product itself"));
    }
}

/// Law 6: permissions on different bases must never meet in one cell.
fn bases_that_meet(bundle: &Bundle, rules: &[(Rule, Span)], reader: &mut Reader) {
    let permits: Vec<_> = rules
        .iter()
        .filter_map(|(rule, span)| match &rule.verb {
            Verb::Permit { basis, .. } => Some((rule, basis, *span)),
            Verb::Forbid(_) | Verb::Require(_) => None,
        })
        .collect();
    for (at, (rule, basis, span)) in permits.iter().enumerate() {
        for (other, other_basis, _) in permits.iter().take(at) {
            if basis != other_basis && can_meet(bundle, rule, other) {
                reader.error_help(
                    "bases-meet",
                    *span,
                    format!("rules `{}` and `{}` permit the same on different bases", other.id, rule.id),
                    format!("{} here, {} there", basis.code(), other_basis.code()),
                    "one basis is fixed before data is used and never swapped for another; narrow one of the two rules",
                );
            }
        }
    }
}

fn can_meet(bundle: &Bundle, a: &Rule, b: &Rule) -> bool {
    let vocabulary = &bundle.vocabulary;
    let overlap =
        |x: &Option<Vec<String>>, y: &Option<Vec<String>>, touch: &dyn Fn(&str, &str) -> bool| match (x, y) {
            (Some(x), Some(y)) => x.iter().any(|p| y.iter().any(|q| touch(p, q))),
            _ => true,
        };
    let purposes = |r: &Rule| r.purposes.as_ref().map(|v| v.iter().map(|p| p.as_str().to_owned()).collect());
    let data = |r: &Rule| r.data.as_ref().map(|v| v.iter().map(|c| c.as_str().to_owned()).collect());
    let to =
        |r: &Rule| (!r.to.is_empty()).then(|| r.to.iter().map(|t| t.as_str().to_owned()).collect::<Vec<_>>());
    let any_of = |x: &[String], y: &[String]| x.is_empty() || y.is_empty() || x.iter().any(|v| y.contains(v));
    let names = |r: &Rule| r.of.iter().map(|s| s.as_str().to_owned()).collect::<Vec<_>>();
    let requesters = |r: &Rule| r.by.iter().map(|s| s.as_str().to_owned()).collect::<Vec<_>>();
    let acts = |x: &[Act], y: &[Act]| x.is_empty() || y.is_empty() || x.iter().any(|v| y.contains(v));
    overlap(&purposes(a), &purposes(b), &|x, y| vocabulary.purposes.touches(x, y))
        && overlap(&data(a), &data(b), &|x, y| vocabulary.categories.touches(x, y))
        && overlap(&to(a), &to(b), &|x, y| vocabulary.recipients.touches(x, y))
        && any_of(&names(a), &names(b))
        && any_of(&requesters(a), &requesters(b))
        && acts(&a.acts, &b.acts)
        && !exclude_each_other(&a.when, &b.when)
}

/// Whether two conditions ask the same fact for values that have none in common.
fn exclude_each_other(a: &Condition, b: &Condition) -> bool {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    a.each_necessary(&mut |test| left.push(test));
    b.each_necessary(&mut |test| right.push(test));
    left.iter().any(|x| {
        right.iter().any(|y| match (x, y) {
            (Test::Is(f, v), Test::Is(g, w)) => f == g && v.iter().all(|value| !w.contains(value)),
            _ => false,
        })
    })
}

fn clauses_and_what_cites_them(
    bundle: &Bundle,
    rules: &[(Rule, Span)],
    clauses: &[(Clause, Span)],
    reader: &mut Reader,
) {
    let mut cited: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (rule, _) in rules {
        for clause in &rule.clauses {
            let entry = cited.entry(clause).or_default();
            entry.0 += 1;
            entry.1 += usize::from(matches!(rule.verb, Verb::Forbid(Cure::Pending(_))));
        }
    }
    let of_invariants = bundle.invariants.iter().flat_map(|invariant| invariant.clauses());
    for clause in of_invariants.chain(bundle.native.iter().flat_map(|policy| &policy.clauses)) {
        cited.entry(clause).or_default().0 += 1;
    }
    for (who, clause) in cited_elsewhere(bundle) {
        cited.entry(clause).or_default().0 += 1;
        if bundle.clause(clause).is_none() {
            reader.error_somewhere("unknown-clause", format!("{who} cites the unknown clause `{clause}`"));
        }
    }
    let mut listed = BTreeSet::new();
    for (clause, span) in clauses {
        if !listed.insert(&clause.id) {
            reader.error("defined-twice", *span, format!("clause `{}` is listed already", clause.id));
        }
        let (all, pending) = cited.get(&*clause.id).copied().unwrap_or_default();
        let trouble = match &clause.status {
            ClauseStatus::Enforced | ClauseStatus::Partly(_) if all == pending => {
                Some(("clause-without-rule", "no rule, route, cookie or contact that is in force cites it"))
            }
            ClauseStatus::Pending(_) if pending == 0 => {
                Some(("pending-without-refusal", "no rule with `pending` refuses what it governs"))
            }
            ClauseStatus::Organisational(_) if all > 0 => {
                Some(("organisational-but-cited", "something cites it as if there were something to enforce"))
            }
            ClauseStatus::Enforced
            | ClauseStatus::Partly(_)
            | ClauseStatus::Pending(_)
            | ClauseStatus::Organisational(_) => None,
        };
        if let Some((code, why)) = trouble {
            reader.error(
                code,
                *span,
                format!("clause `{}` is {}, but {why}", clause.id, clause.status.code()),
            );
        }
    }
}

/// What rests on a clause besides rules.
fn cited_elsewhere(bundle: &Bundle) -> Vec<(String, &str)> {
    let mut out: Vec<(String, &str)> = Vec::new();
    for route in &bundle.service.routes {
        out.extend(route.clauses.iter().map(|c| (format!("the route `{}`", route.id), &**c)));
    }
    for cookie in &bundle.service.cookies {
        out.extend(cookie.clauses.iter().map(|c| (format!("the cookie `{}`", cookie.name), &**c)));
    }
    for (name, recipient) in &bundle.recipients {
        out.extend(recipient.clauses.iter().map(|c| (format!("the recipient `{name}`"), &**c)));
    }
    for (name, requester) in &bundle.requesters {
        out.extend(requester.clauses.iter().map(|c| (format!("the requester `{name}`"), &**c)));
    }
    for assumption in &bundle.facts.assumed {
        out.extend(assumption.clauses.iter().map(|c| ("an assumption".to_owned(), &**c)));
    }
    out.extend(bundle.settings.clauses.iter().map(|(what, c)| (format!("`bundle.{what}`"), &**c)));
    let contact = bundle.contact.iter().flat_map(|c| &c.clauses);
    out.extend(contact.map(|c| ("the bundle's contact".to_owned(), &**c)));
    out
}

fn each_case(bundle: &Bundle, cases: &[(Case, Span)], clauses: &[(Clause, Span)], reader: &mut Reader) {
    let mut tested = BTreeSet::new();
    for (case, span) in cases {
        tested.insert(case.clause.as_str());
        if bundle.clause(&case.clause).is_none() {
            let known = bundle.clauses.iter().map(|c| &*c.id);
            reader.unknown("unknown-clause", *span, "clause", &case.clause, known);
        }
        if let Some(why) = &case.why
            && Purpose::new(why).is_err()
        {
            reader.error("not-a-key", *span, format!("`{why}` is not a purpose"));
        }
        let known = case.who == ANYONE
            || bundle.requesters.keys().any(|r| r.as_str() == case.who)
            || case.about.contains(&case.who)
            || case.given.iter().any(|g| g.person == case.who);
        if !known {
            let names = bundle.requesters.keys().map(|r| r.as_str()).chain([ANYONE]);
            reader.unknown("unknown-requester", *span, "requester or person", &case.who, names);
        }
    }
    for (clause, span) in clauses {
        let needs_case = !matches!(clause.status, ClauseStatus::Organisational(_));
        if needs_case && !tested.contains(&*clause.id) {
            reader.error("clause-without-case", *span, format!("no case tests clause `{}`", clause.id));
        }
    }
}
