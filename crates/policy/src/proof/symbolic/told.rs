//! A solver's counterexample, checked with Cedar, made small and told in words.

use std::collections::BTreeSet;

use cedar_policy::{Authorizer, Context, Decision, EntityUid, PolicySet, Request, Schema};
use cedar_policy_symcc::Env;
use consentry_model::{FactDef, FactType, RuleId};
use serde_json::{Map, Value};

use super::facts::together;
use super::promise::Promise;
use crate::bundle::Bundle;
use crate::engine::attribute;

/// Where an invariant does not hold: somebody and something that could be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SymbolicCounterexample {
    /// Who asks: a registered name, or one that no rule names.
    pub requester: String,
    /// Who receives: a registered recipient or a class of them.
    pub recipient: String,
    /// What is done.
    pub act: String,
    /// Why.
    pub purpose: String,
    /// Which data.
    pub category: String,
    /// Of whom.
    pub subject: String,
    /// In which treatment the answer was asked.
    pub treatment: String,
    /// Whether Cedar permits it.
    pub permitted: bool,
    /// On which facts, in words; what is not named is unknown.
    pub facts: Vec<String>,
    /// The rules that determine the answer.
    pub rules: Vec<RuleId>,
}

impl SymbolicCounterexample {
    /// It in one sentence, without the facts.
    #[must_use]
    pub fn sentence(&self) -> String {
        format!(
            "{} asks to {} {} of {} for {}, received by {}: {} is {}permitted",
            self.requester,
            self.act,
            self.category,
            self.subject,
            self.purpose,
            self.recipient,
            self.treatment,
            if self.permitted { "" } else { "not " }
        )
    }
}

/// What it takes to tell a counterexample.
pub(super) struct Teller<'a> {
    pub(super) bundle: &'a Bundle,
    pub(super) schema: &'a Schema,
    pub(super) own: &'a PolicySet,
    pub(super) promise: &'a Promise,
}

impl Teller<'_> {
    /// # Errors
    /// When Cedar does not confirm it, or nothing like it could be registered.
    pub(super) fn tell(&self, found: &Env) -> Result<SymbolicCounterexample, String> {
        let none = || "the solver's counterexample is none".to_owned();
        let mut context = match found.request.context().map(Context::to_json_value) {
            Some(Ok(Value::Object(context))) => context,
            Some(Ok(_) | Err(_)) | None => return Err(none()),
        };
        let rules = self.broken(found, &context).ok_or_else(none)?;
        let rules = self.shrink(found, &mut context).unwrap_or(rules);
        let worlds = &self.promise.worlds;
        let above = |uid: Option<&EntityUid>| -> Vec<EntityUid> {
            let ancestors = uid.and_then(|uid| found.entities.ancestors(uid));
            ancestors.into_iter().flatten().cloned().collect()
        };
        let (principal, resource) = (above(found.request.principal()), above(found.request.resource()));
        let (principal, resource): (Vec<_>, Vec<_>) = (principal.iter().collect(), resource.iter().collect());
        let word = |name: &str| context.get(name).and_then(id_of).unwrap_or("unknown").to_owned();
        let unregistered = || "the solver's counterexample could not be registered".to_owned();
        let requester = worlds.requesters.example(&principal).ok_or_else(unregistered)?;
        let recipient = worlds.parties.example(&principal).ok_or_else(unregistered)?;
        let category = worlds.categories.example(&resource).ok_or_else(unregistered)?;
        Ok(SymbolicCounterexample {
            requester: requester.unwrap_or("somebody whom no rule names").to_owned(),
            recipient: recipient.unwrap_or("somebody whom no rule names").to_owned(),
            act: word("act"),
            purpose: found.request.action().map_or_else(String::new, |uid| uid.id().unescaped().to_owned()),
            category: category.unwrap_or("data that no rule names").to_owned(),
            subject: word("subject_type"),
            treatment: word("treatment"),
            permitted: !self.promise.always,
            facts: self.facts(&context),
            rules,
        })
    }

    /// The rules that determine the answer, if the promise is broken on these facts.
    fn broken(&self, found: &Env, context: &Map<String, Value>) -> Option<Vec<RuleId>> {
        let request = &found.request;
        let (principal, action, resource) = (request.principal()?, request.action()?, request.resource()?);
        let context = Value::Object(context.clone());
        let context = Context::from_json_value(context, Some((self.schema, action))).ok()?;
        let asked =
            Request::new(principal.clone(), action.clone(), resource.clone(), context, Some(self.schema))
                .ok()?;
        let answer = |set: &PolicySet| {
            let response = Authorizer::new().is_authorized(&asked, set, &found.entities);
            let failed = response.diagnostics().errors().next().is_some();
            (!failed).then_some(response)
        };
        let (own, promised) = (answer(self.own)?, answer(&self.promise.set)?);
        let (wider, narrower) = if self.promise.always { (&promised, &own) } else { (&own, &promised) };
        if wider.decision() != Decision::Allow || narrower.decision() != Decision::Deny {
            return None;
        }
        let mut rules: Vec<RuleId> = own.diagnostics().reason().map(|id| RuleId::new(id.as_ref())).collect();
        rules.sort();
        Some(rules)
    }

    /// Leaves out every fact without which the promise is broken just as well.
    fn shrink(&self, found: &Env, context: &mut Map<String, Value>) -> Option<Vec<RuleId>> {
        let mut groups = together(self.bundle);
        let grouped: BTreeSet<String> = groups.iter().flatten().cloned().collect();
        let names = self.bundle.facts.schema.iter().map(|(_, def)| attribute(def));
        groups.extend(names.filter(|name| !grouped.contains(name)).map(|name| vec![name]));
        let mut last = None;
        for group in groups {
            let mut smaller = context.clone();
            smaller.retain(|name, _| !group.contains(name));
            if smaller.len() < context.len()
                && let Some(rules) = self.broken(found, &smaller)
            {
                (*context, last) = (smaller, Some(rules));
            }
        }
        last
    }

    fn facts(&self, context: &Map<String, Value>) -> Vec<String> {
        let schema = &self.bundle.facts.schema;
        let mut out: Vec<String> = schema
            .iter()
            .filter_map(|(_, def)| {
                let said = context.get(&attribute(def))?;
                Some(format!("{} is {}", def.name, value(def, said)))
            })
            .collect();
        out.sort();
        out
    }
}

fn value(def: &FactDef, said: &Value) -> String {
    let level = |words: &[std::sync::Arc<str>]| {
        let at = said.as_u64().and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| words.get(at)).map(ToString::to_string)
    };
    let word = match &def.ty {
        FactType::Level(words) => level(words),
        FactType::Word(_) => id_of(said).map(str::to_owned),
        FactType::Bool | FactType::Int => None,
    };
    word.unwrap_or_else(|| said.to_string())
}

/// The id of an entity, in Cedar's JSON form.
fn id_of(value: &Value) -> Option<&str> {
    value.get("__entity").unwrap_or(value).get("id")?.as_str()
}
