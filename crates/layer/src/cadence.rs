//! How often one person may be written to.

use std::time::Duration;

use consentry_consent::{Limit, Reserved};
use consentry_model::{FactValue, Facts, Identifier, LedgerEvent, Occurrence, Reason, RuleId};
use consentry_policy::{Cadence, Duty, Question};

use crate::describe::Access;
use crate::layer::Shared;
use crate::request::Brought;

/// Claims a place for a message to one person under every cadence that binds it, all at once. The rule that leaves none, with
/// its reason.
pub(crate) async fn claim(
    shared: &Shared,
    access: &Access,
    question: &Question,
    facts: &Facts,
    who: &Identifier,
    brought: &Brought,
) -> Result<Option<(RuleId, Reason)>, Reason> {
    let engine = &access.installed.engine;
    let bound: Vec<(RuleId, Reason, Cadence)> = engine
        .duties(|duty| matches!(duty, Duty::AtMost(_)), question, facts, access.now)
        .filter_map(|(rule, duty)| {
            let Duty::AtMost(cadence) = duty else { return None };
            Some((rule.id.clone(), rule.reason.unwrap_or(Reason::CadenceExceeded), cadence.clone()))
        })
        .collect();
    let topic = Topic::of(access, facts, brought)?;
    let (mut limits, mut rules) = (Vec::new(), Vec::new());
    for (rule, reason, cadence) in bound {
        let zone = &access.bundle().settings.zone;
        let Some(since) = cadence.per.begins(access.now, zone) else { return Ok(Some((rule, reason))) };
        if cadence.per_topic && topic == Topic::Unknown {
            return Ok(Some((rule, Reason::MessageIncomplete)));
        }
        let topic = topic.counted().filter(|_| cadence.per_topic);
        limits.push(Limit { topic, since, times: cadence.times });
        rules.push((rule, reason));
    }
    let Some((first, _)) = rules.first().cloned() else { return Ok(None) };
    let event =
        LedgerEvent::Occurrence { what: Occurrence::Sent { topic: topic.name() }, effective: access.now };
    let wait = Duration::from_millis(shared.limits.ledger_wait_ms_max);
    let placed = tokio::time::timeout(wait, shared.ledger.reserve(who, &event, &limits, access.now)).await;
    match placed.map_err(|_| Reason::LedgerUnavailable)?.map_err(|_| Reason::LedgerUnavailable)? {
        Reserved::Placed(_) => Ok(None),
        Reserved::Exhausted { limit, .. } => {
            rules.get(limit).cloned().map(Some).ok_or(Reason::LedgerUnavailable)
        }
        Reserved::Unresolved => Ok(Some((first, Reason::SubjectUnresolved))),
    }
}

/// What a message is about, as far as messages are counted by it.
#[derive(PartialEq, Eq)]
enum Topic {
    /// One of the words that the bundle declares.
    Declared(String),
    /// None of them: how it is spelled must not make it another one.
    Unknown,
    /// The bundle declares none, and nothing is told apart by what anybody may write.
    Free(String),
}

impl Topic {
    fn of(access: &Access, facts: &Facts, brought: &Brought) -> Result<Self, Reason> {
        let schema = &access.bundle().facts.schema;
        let def = schema.id("message.topic").and_then(|id| Some((id, schema.def(id)?)));
        let Some((id, def)) = def else {
            let at = access.route()?.message.as_ref().and_then(|message| message.topic.as_ref());
            return Ok(Self::Free(at.and_then(|at| brought.text(at)).unwrap_or_default()));
        };
        let Some(FactValue::Word(at)) = facts.get(id) else { return Ok(Self::Unknown) };
        let word = def.ty.words().get(usize::from(at));
        Ok(word.map_or(Self::Unknown, |word| Self::Declared(word.to_string())))
    }

    /// What messages are counted by; nothing counts them all.
    fn counted(&self) -> Option<String> {
        if let Self::Declared(word) = self { Some(word.clone()) } else { None }
    }

    fn name(&self) -> String {
        match self {
            Self::Declared(word) | Self::Free(word) => word.clone(),
            Self::Unknown => String::new(),
        }
    }
}
