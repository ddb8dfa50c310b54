//! The ledger's answer → facts about a person.

use std::sync::Arc;
use std::time::Duration;

use consentry_consent::{Ledger, contract, erased, restricted, standing};
use consentry_model::{
    ConsentKind, ContractState, FactValue, Facts, Identifier, KindSet, LedgerRevision, Lineage, Reason,
    RecipientId, Resolution, SubjectRef,
};
use consentry_policy::Person;

use crate::describe::Access;
use crate::layer::Shared;

/// A person as far as the ledger knows.
#[derive(Clone, Debug)]
pub(crate) enum Whom {
    /// Nobody in particular: the route says that nobody is identified.
    Nobody,
    /// What the ledger says.
    Somebody(Resolution),
}

impl Whom {
    pub(crate) fn subject(&self) -> Option<SubjectRef> {
        match self {
            Self::Somebody(Resolution::Known(state)) => Some(state.subject),
            Self::Nobody | Self::Somebody(Resolution::Unresolved) => None,
        }
    }
}

/// Asks the ledger about several people at once, within the time it has.
pub(crate) async fn resolve(
    shared: &Shared,
    who: &[Identifier],
) -> Result<(LedgerRevision, Vec<Resolution>), Reason> {
    let wait = Duration::from_millis(shared.limits.ledger_wait_ms_max);
    let answer = tokio::time::timeout(wait, shared.ledger.resolve(who)).await;
    let batch = answer.map_err(|_| Reason::LedgerUnavailable)?.map_err(|_| Reason::LedgerUnavailable)?;
    if batch.answers.len() != who.len() {
        return Err(Reason::LedgerUnavailable);
    }
    Ok((batch.revision, batch.answers))
}

/// The ledger's revision, for rulings that ask about nobody.
pub(crate) async fn revision(shared: &Shared) -> Result<LedgerRevision, Reason> {
    let wait = Duration::from_millis(shared.limits.ledger_wait_ms_max);
    let ledger: &Arc<dyn Ledger> = &shared.ledger;
    let answer = tokio::time::timeout(wait, ledger.revision()).await;
    answer.map_err(|_| Reason::LedgerUnavailable)?.map_err(|_| Reason::LedgerUnavailable)
}

impl Access {
    /// The facts of a person for one purpose and recipient, and what colours the reason.
    pub(crate) fn facts_about(
        &self,
        whom: &Whom,
        own: bool,
        lineage: &Lineage,
        recipient: &RecipientId,
    ) -> (Facts, Person) {
        let bundle = self.installed.engine.bundle();
        let core = &bundle.core;
        let mut facts = self.request_facts.clone();
        facts.set_bool(core.own, own);
        let state = match whom {
            Whom::Somebody(Resolution::Unresolved) => return (facts, Person::UNRESOLVED),
            Whom::Nobody => None,
            Whom::Somebody(Resolution::Known(state)) => Some(state),
        };
        let matches =
            |named: &RecipientId| bundle.vocabulary.recipient_is(recipient.as_str(), named.as_str());
        let stands = state.map(|s| standing(s, lineage, &matches, self.now));
        let kinds = stands.map_or(KindSet::EMPTY, |s| s.kinds);
        for kind in ConsentKind::ALL {
            facts.set_bool(core.consent_of(kind), kinds.satisfies(kind));
        }
        facts.set_bool(core.said_no, stands.is_some_and(|s| s.said_no));
        let contract = state.map_or(ContractState::None, |s| contract(s, self.now));
        facts.set_word(&bundle.schema, core.contract, contract.code());
        facts.set_bool(core.erased, state.is_some_and(|s| erased(s, self.now)));
        facts.set_bool(core.restricted, state.is_some_and(|s| restricted(s, self.now)));
        let person = match stands {
            None => Person::ANONYMOUS,
            Some(s) => {
                Person { resolved: true, consent: s.recorded.then_some(s.state), objected: s.objected }
            }
        };
        (facts, person)
    }

    /// What a set of facts says in words, for evidence. A fact that is unknown is not there.
    pub(crate) fn words(
        &self,
        facts: &Facts,
    ) -> std::collections::BTreeMap<Arc<str>, consentry_audit::FactWord> {
        use consentry_audit::FactWord;
        let schema = &self.installed.engine.bundle().schema;
        let word = |(id, def): (_, &consentry_model::FactDef)| {
            let value = match facts.get(id)? {
                FactValue::Bool(b) => FactWord::Bool(b),
                FactValue::Word(at) => FactWord::Word(Arc::clone(def.ty.words().get(usize::from(at))?)),
            };
            Some((Arc::clone(&def.name), value))
        };
        schema.iter().filter_map(word).collect()
    }
}
