//! What differs between two bundles beside the answers: who there is, what the routes carry and do, and what is carried
//! out beside the decision.

use std::collections::{BTreeMap, BTreeSet};

use consentry_model::{ClassId, Field};

use super::cell::attested;
use crate::bundle::{Body, Bundle, Excess, FactTarget, HeadField, Route};
use crate::engine::Engine;
use crate::rules::{Duty, Rule, Verb};

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Difference {
    /// Whether it lets more through, or may. What is merely there besides, such as a route whose answers were compared
    /// cell by cell, does not.
    pub widens: bool,
    /// What, in one sentence.
    pub what: String,
}

/// Collects differences.
#[derive(Default)]
struct Found(BTreeSet<Difference>);

impl Found {
    fn add(&mut self, widens: bool, what: impl Into<String>) {
        self.0.insert(Difference { widens, what: what.into() });
    }

    /// Names that only one side has.
    fn names<'n>(
        &mut self,
        sort: &str,
        old: impl IntoIterator<Item = &'n str>,
        new: impl IntoIterator<Item = &'n str>,
    ) {
        let (old, new): (BTreeSet<_>, BTreeSet<_>) = (old.into_iter().collect(), new.into_iter().collect());
        new.difference(&old).for_each(|name| self.add(false, format!("the {sort} {name} is new")));
        old.difference(&new).for_each(|name| self.add(false, format!("the {sort} {name} is gone")));
    }
}

pub(crate) fn differences(old: &Engine, new: &Engine) -> Vec<Difference> {
    let mut found = Found::default();
    let (a, b) = (old.bundle(), new.bundle());
    found.names(
        "requester",
        a.requesters.keys().map(|r| r.as_str()),
        b.requesters.keys().map(|r| r.as_str()),
    );
    found.names(
        "recipient",
        a.recipients.keys().map(|r| r.as_str()),
        b.recipients.keys().map(|r| r.as_str()),
    );
    found.names("route", a.service.routes.iter().map(|r| &*r.id), b.service.routes.iter().map(|r| &*r.id));
    found.names(
        "cookie",
        a.service.cookies.iter().map(|c| &*c.name),
        b.service.cookies.iter().map(|c| &*c.name),
    );
    for (name, def) in &b.requesters {
        if let Some(before) = a.requesters.get(name)
            && before.told_reasons != def.told_reasons
        {
            let what = if def.told_reasons { "is now told" } else { "is no longer told" };
            found.add(
                def.told_reasons,
                format!("the requester {name} {what} reasons that depend on a person"),
            );
        }
    }
    for route in &b.service.routes {
        if let Some(before) = a.service.routes.iter().find(|r| r.id == route.id && r.host == route.host) {
            self::route((old, before), (new, route), &mut found);
        }
    }
    duties(a, b, &mut found);
    facts(a, b, &mut found);
    settings(a, b, &mut found);
    found.0.into_iter().rev().collect()
}

/// What a place in an exchange carries.
#[derive(Clone, PartialEq, Eq)]
enum Carried {
    /// No datum: it passes as it is.
    Open,
    Data(String),
}

fn route(old: (&Engine, &Route), new: (&Engine, &Route), found: &mut Found) {
    let (id, before, after) = (&new.1.id, carried(old.0, old.1), carried(new.0, new.1));
    for (place, carries) in &after {
        let then = before.get(place);
        match (then, carries) {
            (Some(Carried::Data(data)), Carried::Open) => {
                found.add(true, format!("{id}: {place} was {data}, and now passes as no datum"));
            }
            (None, Carried::Open) => found.add(true, format!("{id}: {place} now passes, as no datum")),
            (None, Carried::Data(data)) => {
                found.add(false, format!("{id}: {place} is now carried, as {data}"))
            }
            (Some(Carried::Data(was)), Carried::Data(data)) if was != data => {
                found.add(true, format!("{id}: {place} was {was}, and is now {data}"));
            }
            (Some(Carried::Open), Carried::Data(data)) => {
                found.add(false, format!("{id}: {place} passed as no datum, and is now {data}"));
            }
            (Some(_), _) => {}
        }
    }
    for place in before.keys().filter(|place| !after.contains_key(*place)) {
        found.add(false, format!("{id}: {place} is no longer carried"));
    }
    let bodies =
        |route: &'_ Route| [route.request_body.types().cloned(), route.response_body.types().cloned()];
    for (side, (old, new)) in ["request", "response"].iter().zip(bodies(old.1).iter().zip(&bodies(new.1))) {
        if let (Some(old), Some(new)) = (old, new)
            && old != new
        {
            found.add(true, format!("{id}: the media types of its {side} body changed"));
        }
    }
    if !old.1.public && new.1.public {
        found.add(false, format!("{id}: it is now open to anyone"));
    }
    let told = |route: &Route| {
        let to_anybody = route.public && route.about.is_some();
        if to_anybody { route.told_errors.clone() } else { Vec::new() }
    };
    let before = told(old.1);
    for status in told(new.1).iter().filter(|status| !before.contains(status)) {
        found.add(true, format!("{id}: a {status} of the service is now told to anybody"));
    }
    let does = |(engine, route): (&Engine, &Route)| {
        let said = (&route.events, &route.message, &route.narrows, &route.about);
        format!("{said:?} {:?}", stated(engine.bundle(), route))
    };
    if does(old) != does(new) {
        found.add(
            true,
            format!("{id}: what it says of people, facts or the ledger changed, and was not compared"),
        );
    }
    if old.1.excess == Excess::Refuse && new.1.excess == Excess::Drop {
        found.add(true, format!("{id}: a request that brings too much is now let through without it"));
    }
}

/// Which facts a route's values state, by name: their numbers are a bundle's own.
fn stated(bundle: &Bundle, route: &Route) -> Vec<String> {
    let name = |target: &FactTarget| match target {
        FactTarget::Fact(id) => bundle.facts.schema.def(*id).map(|def| def.name.to_string()),
        FactTarget::Operand(id) => bundle.facts.operands.def(*id).map(|def| def.name.to_string()),
    };
    let facts = route.facts.iter().map(|(target, at)| format!("{:?} {at:?}", name(target)));
    facts.chain(route.item_facts.iter().map(|target| format!("{:?}", name(target)))).collect()
}

fn carried(engine: &Engine, route: &Route) -> BTreeMap<String, Carried> {
    let mut out = BTreeMap::new();
    let mut add = |side: &str, path: &str, field: Field| {
        let carries = match field {
            Field::Open => Carried::Open,
            Field::Class(class, _) => Carried::Data(class_words(engine, class)),
        };
        out.insert(format!("{side} {path}"), carries);
    };
    for (side, body) in [("request body", &route.request_body), ("response body", &route.response_body)] {
        match body {
            Body::None => {}
            Body::Page => add(side, "page", Field::Open),
            Body::Fields(map, _) => map.leaves().for_each(|(path, field)| add(side, path, field)),
        }
    }
    let heads = |side: &'static str, fields: &[HeadField], add: &mut dyn FnMut(&str, &str, Field)| {
        fields.iter().for_each(|field| add(side, &field.name, field.field));
    };
    heads("query", &route.request_query, &mut add);
    heads("request header", &route.request_headers, &mut add);
    heads("response header", &route.response_headers, &mut add);
    for adds in &route.adds {
        let at = format!("{}={}", adds.parameter, adds.value);
        out.insert(format!("query {at}"), Carried::Data(class_words(engine, adds.class)));
    }
    out
}

fn class_words(engine: &Engine, id: ClassId) -> String {
    let Some(class) = engine.bundle().service.class(id) else { return "unknown".to_owned() };
    let attested = attested(engine, id);
    let attested = if attested.is_empty() { String::new() } else { format!(" ({})", attested.join(", ")) };
    format!("{} of {}{attested}", class.category, class.subject_type.as_str())
}

/// Obligations that are carried out beside the decision: one that is gone, or says something else, lets more through. So
/// does a new one that notes a consent or keeps data.
fn duties(old: &Bundle, new: &Bundle, found: &mut Found) {
    let beside = |bundle: &Bundle| -> Vec<(String, String, bool)> {
        let bound = bundle.rules.iter().filter_map(|rule| match &rule.verb {
            Verb::Require(Duty::That(_)) | Verb::Permit { .. } | Verb::Forbid(_) => None,
            Verb::Require(duty) => {
                let gives = matches!(duty, Duty::Record { .. } | Duty::Keep { .. });
                Some((rule.id.to_string(), content(bundle, rule), gives))
            }
        });
        bound.collect()
    };
    let (a, b) = (beside(old), beside(new));
    let without = |one: &(String, String, bool), others: &[(String, String, bool)]| {
        !others.iter().any(|(_, content, _)| *content == one.1)
    };
    for one in a.iter().filter(|one| without(one, &b)) {
        found.add(!one.2, format!("the obligation {} no longer binds as it did", one.0));
    }
    for one in b.iter().filter(|one| without(one, &a)) {
        found.add(one.2, format!("the obligation {} is new, or binds otherwise", one.0));
    }
}

/// What an obligation says but for its id and clauses; facts and operands by their names.
fn content(bundle: &Bundle, rule: &Rule) -> String {
    let facts = bundle.facts.schema.iter().map(|(id, def)| (format!("{id:?}"), &def.name));
    let operands = bundle.facts.operands.iter().map(|(id, def)| (format!("{id:?}"), &def.name));
    let names: BTreeMap<String, _> = facts.chain(operands).collect();
    let said = (&rule.verb, &rule.purposes, &rule.data, &rule.of, &rule.by, &rule.to, &rule.acts, &rule.when);
    let mut text = format!("{said:?} {:?} {:?} {:?}", rule.unless, rule.from, rule.until);
    for (number, name) in names {
        text = text.replace(&number, name);
    }
    text
}

/// Where a fact of either bundle comes from, and what is assumed of it.
fn facts(old: &Bundle, new: &Bundle, found: &mut Found) {
    let from = |bundle: &Bundle| -> BTreeMap<String, String> {
        let from = bundle.facts.from.iter().filter_map(|(target, from)| {
            let name = match target {
                FactTarget::Fact(id) => bundle.facts.schema.def(*id).map(|def| def.name.to_string()),
                FactTarget::Operand(id) => bundle.facts.operands.def(*id).map(|def| def.name.to_string()),
            };
            Some((name?, format!("{from:?}")))
        });
        from.collect()
    };
    let (a, b) = (from(old), from(new));
    for (name, _) in b.iter().filter(|(name, from)| a.get(*name).is_some_and(|there| there != *from)) {
        found.add(true, format!("the fact {name} comes from elsewhere now, which was not compared"));
    }
    let types = |bundle: &Bundle| -> BTreeMap<String, String> {
        bundle.facts.schema.iter().map(|(_, def)| (def.name.to_string(), format!("{:?}", def.ty))).collect()
    };
    let (a, b) = (types(old), types(new));
    for (name, _) in b.iter().filter(|(name, ty)| a.get(*name).is_some_and(|there| there != *ty)) {
        found.add(false, format!("the fact {name} has other values now"));
    }
}

/// What holds for the whole bundle.
fn settings(old: &Bundle, new: &Bundle, found: &mut Found) {
    if old.version != new.version {
        found.add(false, format!("the version is {}, and was {}", new.version, old.version));
    }
    let (a, b) = (&old.settings, &new.settings);
    let looked_for = |bundle: &Bundle| -> BTreeSet<String> {
        bundle
            .settings
            .detect
            .iter()
            .map(|(detector, category)| format!("{detector:?} as {category}"))
            .collect()
    };
    for gone in looked_for(old).difference(&looked_for(new)) {
        found.add(true, format!("values are no longer looked for in requests: {gone}"));
    }
    if format!("{:?}", a.mail) != format!("{:?}", b.mail) {
        found.add(true, "what messages are compared with changed, and was not compared");
    }
    if a.zone != b.zone {
        found.add(true, "the time zone changed, and was not compared");
    }
    if format!("{:?}", old.regimes) != format!("{:?}", new.regimes) {
        found.add(true, "the regimes or the home country changed; what they govern was not compared");
    }
}
