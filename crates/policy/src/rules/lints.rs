//! What reads well and says something else than was meant.

use std::collections::BTreeSet;

use consentry_model::{Category, FactId, FactSource, Field};

use super::ast::{Basis, Condition, Duty, Origin, Rule, Test, Verb};
use crate::bundle::{Bundle, DataClass, FactTarget, PurposeRule, Route};
use crate::text::{Reader, Span};

/// Looks at every rule of the bundle for what Cedar would accept silently.
pub(super) fn lint(bundle: &Bundle, rules: &[(Rule, Span)], reader: &mut Reader) {
    for (rule, span) in rules.iter().filter(|(rule, _)| rule.origin == Origin::Bundle) {
        facts_that_nobody_states(bundle, rule, *span, reader);
        consent_in_its_place(bundle, rule, *span, reader);
        basis_that_counts(bundle, rule, *span, reader);
        never_matches(bundle, rule, *span, reader);
    }
    fields_that_identify(bundle, reader);
    purposes_that_nobody_uses(bundle, reader);
}

/// A fact that the service map does not state is unknown: no permission speaks, and every prohibition holds.
fn facts_that_nobody_states(bundle: &Bundle, rule: &Rule, span: Span, reader: &mut Reader) {
    let mut asked = BTreeSet::new();
    let mut look = |condition: &Condition| {
        condition.each_test(&mut |test| {
            if let Test::Is(id, _) | Test::AtLeast(id, _) = test {
                asked.extend(
                    bundle.facts.schema.def(*id).filter(|d| d.source == FactSource::Datum).map(|_| *id),
                );
            }
        });
    };
    look(&rule.when);
    rule.unless.iter().for_each(&mut look);
    if let Verb::Require(Duty::That(that)) = &rule.verb {
        look(that);
    }
    asked.remove(&bundle.facts.core.shape);
    for fact in asked {
        let Some((route, class)) = where_unstated(bundle, rule, fact) else { continue };
        let name = bundle.facts.schema.def(fact).map_or("", |def| &def.name);
        let message = format!(
            "rule `{}` asks for `{name}`, which `{}` does not state for `{}` of a `{}`",
            rule.id,
            route.id,
            class.category,
            class.subject_type.as_str()
        );
        reader.warning_help(
            "fact-not-supplied",
            span,
            message,
            "unknown there: permits nothing, lifts nothing",
            "state it in the route's `facts` or in `bundle.defaults`, or narrow the rule by `of` or `data`",
        );
    }
}

/// A route that carries data which a rule speaks of, without stating a fact that the rule asks.
fn where_unstated<'b>(bundle: &'b Bundle, rule: &Rule, fact: FactId) -> Option<(&'b Route, &'b DataClass)> {
    let reached = |class: &DataClass| {
        let touches =
            |c: &Category| bundle.vocabulary.categories.touches(class.category.as_str(), c.as_str());
        (rule.of.is_empty() || rule.of.contains(&class.subject_type))
            && rule.data.as_ref().is_none_or(|data| data.iter().any(touches))
            && class.facts.iter().all(|(id, _)| *id != fact)
    };
    bundle.service.routes.iter().find_map(|route| {
        let bound = |target: &FactTarget| *target == FactTarget::Fact(fact);
        if route.facts.iter().any(|(target, _)| bound(target)) || route.item_facts.iter().any(bound) {
            return None;
        }
        let classes = route.request_classes().into_iter().chain(route.response_classes().iter().copied());
        let mut classes = classes.filter_map(|id| bundle.service.class(id));
        classes.find(|class| reached(class)).map(|class| (route, class))
    })
}

/// More consent may only ever open: a prohibition names it in `cure`, an obligation not at all.
fn consent_in_its_place(bundle: &Bundle, rule: &Rule, span: Span, reader: &mut Reader) {
    let mut asks = false;
    let mut look = |condition: &Condition| {
        condition.each_test(&mut |test| {
            if let Test::Is(id, _) = test {
                asks |= bundle.facts.core.consent.contains(id);
            }
        });
    };
    let negative = match &rule.verb {
        Verb::Permit { .. } => None,
        Verb::Forbid(_) => Some(&rule.when),
        Verb::Require(duty) => {
            if let Duty::That(that) = duty {
                look(that);
            }
            Some(&rule.when)
        }
    };
    negative.into_iter().chain(&rule.unless).for_each(&mut look);
    if asks {
        let message = format!(
            "rule `{}` asks for a consent outside `basis`, `cure` and a permission's `when`",
            rule.id
        );
        reader.error("consent-in-wrong-place", span, message);
    }
}

/// A basis that no regime of the bundle lets count, or that the bundle itself rules out.
fn basis_that_counts(bundle: &Bundle, rule: &Rule, span: Span, reader: &mut Reader) {
    let Verb::Permit { basis, .. } = &rule.verb else { return };
    let regimes = &bundle.regimes.all;
    let everywhere =
        |void: &dyn Fn(&crate::bundle::Regime) -> bool| !regimes.is_empty() && regimes.iter().all(void);
    if let Basis::Consent(kind) = basis
        && everywhere(&|regime| regime.voids(*kind))
    {
        let message =
            format!("rule `{}` rests on {kind} consent, which counts in no regime of this bundle", rule.id);
        reader.error("consent-void-in-regime", span, message);
    }
    if *basis == Basis::Notice && everywhere(&|regime| regime.voids_notice()) {
        let message = format!(
            "rule `{}` rests on the notice alone, which is no basis in any regime of this bundle",
            rule.id
        );
        reader.error("basis-void-in-regime", span, message);
    }
    let code = basis.code();
    let word = code.split(':').next().unwrap_or_default();
    let allowed = &bundle.settings.bases;
    if !allowed.is_empty() && !allowed.iter().any(|b| b == word) {
        let message = format!("rule `{}` rests on {word}, which `bundle.bases` does not list", rule.id);
        reader.error("basis-not-allowed", span, message);
    }
}

/// A rule that no data of the service map ever meets.
fn never_matches(bundle: &Bundle, rule: &Rule, span: Span, reader: &mut Reader) {
    let touches = |class: &DataClass| {
        let meets = |c: &Category| bundle.vocabulary.categories.touches(class.category.as_str(), c.as_str());
        (rule.of.is_empty() || rule.of.contains(&class.subject_type))
            && rule.data.as_ref().is_none_or(|data| data.iter().any(meets))
    };
    let serves = |route: &Route| {
        let meets = |served: &consentry_model::Purpose| {
            rule.purposes.as_ref().is_none_or(|purposes| {
                purposes.iter().any(|p| bundle.vocabulary.purposes.touches(p.as_str(), served.as_str()))
            })
        };
        match &route.purpose {
            PurposeRule::Fixed(purpose) => meets(purpose),
            PurposeRule::OneOf(purposes) => purposes.iter().any(meets),
            PurposeRule::By { values, .. } => values.values().any(meets),
        }
    };
    let cookie = bundle.service.cookies.iter().any(|c| {
        rule.purposes.as_ref().is_none_or(|v| {
            v.iter().any(|p| bundle.vocabulary.purposes.touches(p.as_str(), c.purpose.as_str()))
        })
    });
    let meets_data = bundle.service.classes.iter().any(touches);
    let serves_any = cookie || bundle.service.routes.iter().any(serves);
    // An obligation may bind pages, which carry no data.
    if matches!(rule.verb, Verb::Require(_)) || (meets_data && serves_any) {
        return;
    }
    let what = if meets_data {
        "no route serves a purpose that it names"
    } else {
        "no route carries data that it names"
    };
    reader.warning("rule-never-matches", span, format!("rule `{}` never speaks: {what}", rule.id));
}

/// What identifies somebody does not pass as no personal data.
fn fields_that_identify(bundle: &Bundle, reader: &mut Reader) {
    let identifying = &bundle.settings.identifying;
    if identifying.is_empty() {
        return;
    }
    for route in &bundle.service.routes {
        let bodies = [&route.request_body, &route.response_body].into_iter().filter_map(|b| b.fields());
        let bodies = bodies.map(|map| map.leaves());
        let heads = [&route.request_query, &route.request_headers, &route.response_headers];
        let heads = heads.into_iter().flatten().map(|f| (f.name.as_str(), f.field));
        for (path, field) in bodies.flatten().chain(heads) {
            let name = path.rsplit('.').next().unwrap_or(path).trim_end_matches("[]").to_ascii_lowercase();
            if field == Field::Open && identifying.contains(&name.replace('-', "_")) {
                let message = format!(
                    "`{path}` of `{}` identifies somebody, and is declared as no personal data",
                    route.id
                );
                reader.error_somewhere("identifying-as-nonpersonal", message);
            }
        }
    }
}

/// A purpose that the bundle adds and that no route, requester, rule or cookie uses.
fn purposes_that_nobody_uses(bundle: &Bundle, reader: &mut Reader) {
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for route in &bundle.service.routes {
        match &route.purpose {
            PurposeRule::Fixed(purpose) => _ = used.insert(purpose.as_str()),
            PurposeRule::OneOf(purposes) => used.extend(purposes.iter().map(|p| p.as_str())),
            PurposeRule::By { values, .. } => used.extend(values.values().map(|p| p.as_str())),
        }
    }
    used.extend(bundle.requesters.values().flat_map(|r| &r.purposes).map(|p| p.as_str()));
    used.extend(bundle.rules.iter().filter_map(|r| r.purposes.as_ref()).flatten().map(|p| p.as_str()));
    used.extend(bundle.service.cookies.iter().map(|c| c.purpose.as_str()));
    for added in bundle.vocabulary.added_purposes() {
        if !used.iter().any(|u| bundle.vocabulary.purposes.touches(u, added)) {
            reader.warning_somewhere("purpose-unused", format!("nothing uses the purpose `{added}`"));
        }
    }
}
