//! The people of a case: who they are, and what the ledger holds of them.

use std::collections::BTreeSet;

use consentry_consent::{Ledger, LedgerError};
use consentry_model::{Identifier, LedgerEvent, Moment, Space};
use consentry_policy::{Bundle, Case, Route, SubjectSource};

use super::ledger::StageLedger;

/// What stands behind a name in an address.
const AT: &str = "@example.org";

/// Every identifier space that the service map names.
pub(super) fn spaces(bundle: &Bundle) -> BTreeSet<Space> {
    let mut spaces = BTreeSet::new();
    for route in &bundle.service.routes {
        spaces.extend(named_space(route));
        for body in [&route.request_body, &route.response_body] {
            if let Some(map) = body.fields() {
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
        SubjectSource::Anonymous
        | SubjectSource::PerRecord
        | SubjectSource::Addressees
        | SubjectSource::Population { .. } => None,
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
    format!("{name}{AT}")
}

/// Whom an identifier names: a name, or the address of one.
pub(super) fn named_by(identifier: &str) -> &str {
    identifier.strip_suffix(AT).unwrap_or(identifier)
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
    let topmost = bundle.vocabulary.topmost_purposes();
    for given in &case.given {
        if let Some(space) = spaces.first() {
            let events: Vec<LedgerEvent> = given.events_for(&topmost);
            ledger.append(&Identifier::new(space.clone(), &given.person), &events, at).await?;
        }
    }
    ledger.take_written();
    Ok(())
}
