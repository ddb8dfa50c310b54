//! What a request does to the ledger besides passing.

use std::time::Duration;

use consentry_consent::{contract, standing};
use consentry_identity::Assurance;
use consentry_model::{
    ConsentEvent, ConsentKind, ConsentState, ContractState, Identifier, LedgerEvent, LedgerRevision, Moment,
    Purpose, Reason, Resolution, SubjectState,
};
use consentry_policy::{EventEffect, EventSpec};

use crate::describe::Access;
use crate::layer::Shared;
use crate::people::resolve;
use crate::request::Brought;

/// Why nothing was written, and how far the ledger was when it was asked.
pub(crate) struct Unwritten {
    pub(crate) reason: Reason,
    pub(crate) ledger: Option<LedgerRevision>,
}

impl From<Reason> for Unwritten {
    fn from(reason: Reason) -> Self {
        Self { reason, ledger: None }
    }
}

/// Writes to the ledger what the request says, before it is decided: a consent that arrives with a request counts for
/// it. A no needs a person whom the ledger knows; a yes or a contract may be the first that is heard of somebody. It
/// never replaces what is known of somebody who did not prove to be that person: anybody can write down another's
/// address.
pub(crate) async fn record(
    shared: &Shared,
    access: &Access,
    brought: &Brought,
    who: Option<&Identifier>,
) -> Result<(), Unwritten> {
    let due: Vec<&EventSpec> = access.route()?.events.iter().filter(|spec| brought.holds(spec)).collect();
    if due.is_empty() {
        return Ok(());
    }
    let who = who.ok_or(Reason::SubjectUnresolved)?;
    let proved = access.claims.as_ref().filter(|claims| claims.assurance >= Assurance::Substantial);
    let person = proved.and_then(|claims| claims.person.clone());
    let asked: Vec<Identifier> = std::iter::once(who.clone()).chain(person).collect();
    let (ledger, answers) = resolve(shared, &asked).await?;
    let known = match &answers[..] {
        [Resolution::Known(state), ..] => Some(state),
        _ => None,
    };
    let is_no = |e: &EventEffect| matches!(e, EventEffect::Withdraw(_) | EventEffect::Object(_));
    if known.is_none() && due.iter().any(|spec| is_no(&spec.effect)) {
        return Err(Unwritten { reason: Reason::SubjectUnresolved, ledger: Some(ledger) });
    }
    let themselves = match &answers[..] {
        [Resolution::Known(named), Resolution::Known(person)] => named.subject == person.subject,
        _ => false,
    };
    let stranger = known.filter(|_| !themselves);
    let counts = |spec: &&&EventSpec| stranger.is_none_or(|state| access.may_add(&spec.effect, state));
    let route = &access.route()?.id;
    let events: Vec<LedgerEvent> =
        due.iter().filter(counts).map(|spec| event(&spec.effect, route, access.now)).collect();
    if events.is_empty() {
        return Ok(());
    }
    let wait = Duration::from_millis(shared.limits.ledger_wait_ms_max);
    let appended = tokio::time::timeout(wait, shared.ledger.append(who, &events, access.now)).await;
    appended.map_err(|_| Reason::LedgerUnavailable)?.map_err(|_| Reason::LedgerUnavailable)?;
    Ok(())
}

impl Access {
    /// Whether somebody else may add this to what is known of a person: a no always, a yes only where the person has
    /// not said no, a contract only where there never was one.
    fn may_add(&self, effect: &EventEffect, known: &SubjectState) -> bool {
        match effect {
            EventEffect::Withdraw(_) | EventEffect::Object(_) => true,
            EventEffect::Contract(_) => contract(known, self.now) == ContractState::None,
            EventEffect::Consent(_, purpose) => {
                let lineage = self.installed.engine.bundle().vocabulary.lineage(purpose);
                lineage.is_some_and(|lineage| !standing(known, &lineage, &|_| false, self.now).said_no)
            }
        }
    }
}

fn event(effect: &EventEffect, route: &str, now: Moment) -> LedgerEvent {
    let consent = |state, kind, purpose: &Purpose| {
        LedgerEvent::Consent(ConsentEvent {
            purpose: purpose.clone(),
            state,
            kind,
            recipient: None,
            effective: now,
            valid_until: None,
            notice: Some(route.to_owned()),
        })
    };
    match effect {
        EventEffect::Consent(kind, purpose) => consent(ConsentState::Given, *kind, purpose),
        EventEffect::Withdraw(purpose) => consent(ConsentState::Withdrawn, ConsentKind::OptIn, purpose),
        EventEffect::Object(purpose) => {
            LedgerEvent::Objection { purpose: purpose.clone(), recipient: None, effective: now }
        }
        EventEffect::Contract(state) => LedgerEvent::Contract { state: *state, effective: now },
    }
}
