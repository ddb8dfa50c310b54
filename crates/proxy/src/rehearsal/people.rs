//! The people of a case: who they are, and what the ledger holds of them.

use std::collections::BTreeSet;

use consentry_consent::{Ledger, LedgerError};
use consentry_model::{Identifier, LedgerEvent, Moment, Resolution, Space};
use consentry_policy::{Body, Bundle, Case, Route, SubjectSource};

use super::ledger::StageLedger;

/// Every identifier space that the service map names.
pub(super) fn spaces(bundle: &Bundle) -> BTreeSet<Space> {
    let mut spaces = BTreeSet::new();
    for route in &bundle.service.routes {
        spaces.extend(named_space(route));
        for body in [&route.request_body, &route.response_body] {
            if let Body::Json(map) = body {
                spaces.extend(super::made_up::scopes(map).into_iter().map(|scope| scope.space));
            }
        }
    }
    spaces
}

/// The space of the identifier by which requests on a route name their subject.
pub(super) fn named_space(route: &Route) -> Option<Space> {
    match &route.about.as_ref()?.subject {
        SubjectSource::Named { space, .. } => Some(space.clone()),
        SubjectSource::Anonymous | SubjectSource::PerRecord => None,
    }
}

/// Everybody whom a case names.
pub(super) fn names(case: &Case, bundle: &Bundle) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = case.about.iter().cloned().collect();
    names.extend(case.given.iter().map(|given| given.person.clone()));
    if is_person(case, bundle) {
        names.insert(case.who.clone());
    }
    names
}

/// Whether the case is told of somebody who calls in person.
pub(super) fn is_person(case: &Case, bundle: &Bundle) -> bool {
    case.who != "anyone" && !bundle.requesters.keys().any(|r| r.as_str() == case.who)
}

/// An address at which somebody of a case is reached.
pub(super) fn address(name: &str) -> String {
    format!("{name}@example.org")
}

/// Makes the people known by name and address in every space, and tells the ledger what the case says.
pub(super) async fn enter(
    ledger: &StageLedger,
    case: &Case,
    bundle: &Bundle,
    at: Moment,
) -> Result<(), LedgerError> {
    let spaces = spaces(bundle);
    for name in names(case, bundle) {
        let all = spaces.iter().flat_map(|space| {
            [name.clone(), address(&name)].map(|value| Identifier::new(space.clone(), &value))
        });
        let mut all = all.collect::<Vec<_>>().into_iter();
        let Some(first) = all.next() else { continue };
        ledger.append(&first, &[], at).await?;
        for also in all {
            ledger.link(&first, &also, at).await?;
        }
    }
    for given in &case.given {
        if let Some(space) = spaces.first() {
            ledger.append(&Identifier::new(space.clone(), &given.person), &given.events, at).await?;
        }
    }
    Ok(())
}

/// What the ledger holds of everybody whom a case names.
pub(super) async fn histories(
    ledger: &StageLedger,
    case: &Case,
    bundle: &Bundle,
) -> Result<Vec<(String, Vec<LedgerEvent>)>, LedgerError> {
    let Some(space) = spaces(bundle).into_iter().next() else { return Ok(Vec::new()) };
    let mut names = names(case, bundle);
    names.extend(case.expect.recorded.iter().map(|given| given.person.clone()));
    let mut out = Vec::new();
    for name in names {
        let batch = ledger.resolve(&[Identifier::new(space.clone(), &name)]).await?;
        let events = batch.answers.into_iter().flat_map(|answer| match answer {
            Resolution::Known(state) => state.events.iter().map(|(_, event)| event.clone()).collect(),
            Resolution::Unresolved => Vec::new(),
        });
        out.push((name, events.collect()));
    }
    Ok(out)
}
