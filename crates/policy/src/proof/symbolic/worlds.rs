//! What an entity can look like to the policies: its memberships in the groups that they name.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{EntityUid, PolicySet};

use crate::bundle::{ANYONE, Bundle};
use crate::engine::Groups;
use crate::rules::Invariant;

/// Memberships in the groups of one sort that policies name; one example of each combination that the vocabulary has.
pub(super) struct Looks {
    variable: &'static str,
    sort: &'static str,
    named: Vec<String>,
    examples: BTreeMap<Vec<bool>, Option<String>>,
}

/// What principals and resources can look like.
pub(super) struct Worlds {
    pub(super) categories: Looks,
    pub(super) parties: Looks,
    pub(super) requesters: Looks,
}

impl Worlds {
    /// Of everything that could be registered under a bundle's vocabulary and that an invariant is about. `sets` are the
    /// policies that look.
    pub(super) fn of(bundle: &Bundle, sets: &[&PolicySet], invariant: &Invariant) -> Self {
        let literals: BTreeSet<(String, String)> = sets
            .iter()
            .flat_map(|set| set.policies())
            .flat_map(|policy| policy.entity_literals())
            .map(|uid| (uid.type_name().to_string(), uid.id().unescaped().to_owned()))
            .collect();
        let named = |sort: &str| -> Vec<String> {
            literals.iter().filter(|(ty, _)| ty == sort).map(|(_, id)| id.clone()).collect()
        };
        let rule = &invariant.rule;
        let recipients = &bundle.vocabulary.recipients;
        let party = |key: &str| {
            let above = recipients.ancestors(key).into_iter().chain([key]).map(str::to_owned);
            (Some(key.to_owned()), above.collect::<BTreeSet<_>>())
        };
        let group = if invariant.always { "within" } else { "touching" };
        let scope =
            rule.data.as_ref().map(|data| data.iter().map(|c| format!("{group} {c}")).collect::<Vec<_>>());
        let in_scope = |(_, groups): &(Option<String>, BTreeSet<String>)| {
            scope.as_ref().is_none_or(|scope| scope.iter().any(|group| groups.contains(group)))
        };
        let to = |(_, above): &(Option<String>, BTreeSet<String>)| {
            rule.to.is_empty() || rule.to.iter().any(|to| above.contains(to.as_str()))
        };
        let by = |(name, _): &(Option<String>, BTreeSet<String>)| {
            rule.by.is_empty() || rule.by.iter().any(|by| name.as_deref() == Some(by.as_str()))
        };
        let groups = Groups::of(bundle);
        let categories = groups
            .categories
            .iter()
            .map(|(key, parents)| (Some(key.clone()), parents.clone()))
            .filter(in_scope);
        let names = bundle.requesters.keys().map(|name| name.as_str()).chain([ANYONE]);
        let requester = |name: &str| (Some(name.to_owned()), BTreeSet::from([name.to_owned()]));
        // A requester that no rule names: the one that is registered tomorrow.
        let requesters = std::iter::once((None, BTreeSet::new())).chain(names.map(requester)).filter(by);
        Self {
            categories: Looks::of("resource", "Category", named("Category"), categories),
            parties: Looks::of("principal", "Party", named("Party"), recipients.keys().map(party).filter(to)),
            requesters: Looks::of("principal", "Requester", named("Requester"), requesters),
        }
    }

    /// That a request's entities look like something that could be registered, as a Cedar expression.
    pub(super) fn expression(&self) -> String {
        [&self.categories, &self.parties, &self.requesters].map(Looks::expression).join(" && ")
    }
}

impl Looks {
    fn of(
        variable: &'static str,
        sort: &'static str,
        named: Vec<String>,
        all: impl Iterator<Item = (Option<String>, BTreeSet<String>)>,
    ) -> Self {
        let mut examples = BTreeMap::new();
        for (key, groups) in all {
            let look: Vec<bool> = named.iter().map(|name| groups.contains(name)).collect();
            examples.entry(look).or_insert(key);
        }
        Self { variable, sort, named, examples }
    }

    fn expression(&self) -> String {
        let member = |(name, inside): (&String, &bool)| {
            let sign = if *inside { "" } else { "!" };
            format!("{sign}({} in {}::{name:?})", self.variable, self.sort)
        };
        let look = |look: &Vec<bool>| {
            let parts: Vec<String> = self.named.iter().zip(look).map(member).collect();
            joined(&parts, "&&", "true")
        };
        let looks: Vec<String> = self.examples.keys().map(look).collect();
        joined(&looks, "||", "false")
    }

    /// Something that looks so: the inner `None` is what no rule names, the outer one what cannot be registered.
    pub(super) fn example(&self, groups: &[&EntityUid]) -> Option<Option<&str>> {
        let inside = |name: &String| {
            groups.iter().any(|uid| uid.type_name().to_string() == self.sort && uid.id().unescaped() == name)
        };
        let look: Vec<bool> = self.named.iter().map(inside).collect();
        self.examples.get(&look).map(Option::as_deref)
    }
}

/// Expressions joined as a balanced tree: whoever reads it later goes down no deeper than it has to.
pub(super) fn joined(parts: &[String], operator: &str, none: &str) -> String {
    match parts {
        [] => none.to_owned(),
        [one] => one.clone(),
        _ => {
            let (first, second) = parts.split_at(parts.len() / 2);
            format!("({} {operator} {})", joined(first, operator, none), joined(second, operator, none))
        }
    }
}
