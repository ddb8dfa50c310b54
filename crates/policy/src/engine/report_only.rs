//! The one loud exit: routes whose rulings are reported and not carried out.

use std::collections::BTreeSet;
use std::sync::Arc;

use consentry_model::Outcome;

use super::ruling::{Permit, Ruling};

/// Routes whose rulings are reported and not carried out. It lets through what the rules do not permit: a permit that it
/// gave says so, and everything that rests on one is recorded with the true ruling. It sets aside the answers of the
/// rules and nothing else: what is unknown, malformed or missing has no ruling and is refused as ever.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportOnly {
    routes: BTreeSet<Arc<str>>,
}

impl ReportOnly {
    /// **Danger**: on these routes personal data leaves although the rules say no. Routes are written as the service map
    /// writes them.
    #[must_use]
    pub fn dangerously_for(routes: impl IntoIterator<Item = Arc<str>>) -> Self {
        Self { routes: routes.into_iter().collect() }
    }

    /// Whether a route's rulings are only reported.
    #[must_use]
    pub fn covers(&self, route: &str) -> bool {
        self.routes.contains(route)
    }

    /// The ruling as it is carried out on a route: a refusal by the rules becomes a permit that says that it is none.
    #[must_use]
    pub fn carried_out(&self, route: &str, ruling: Ruling) -> Ruling {
        match ruling {
            Ruling::Refuse(refusal) if self.covers(route) && refusal.reason.is_of_rules() => {
                Ruling::Redact(Permit { outcome: Outcome::Refuse, reported: Some(refusal.reason) })
            }
            carried_out @ (Ruling::Allow(_) | Ruling::Redact(_) | Ruling::Refuse(_)) => carried_out,
        }
    }
}

#[cfg(test)]
mod tests {
    use consentry_model::Reason;

    use super::*;
    use crate::Refusal;

    #[test]
    fn law_1_only_answers_of_the_rules_on_named_routes_are_set_aside() {
        let mode = ReportOnly::dangerously_for(["GET /a".into()]);
        let refused = |reason| Ruling::Refuse(Refusal::plain(reason));
        let Ruling::Redact(permit) = mode.carried_out("GET /a", refused(Reason::ConsentWithdrawn)) else {
            panic!("it is carried out");
        };
        assert_eq!((permit.outcome(), permit.reported()), (Outcome::Refuse, Some(Reason::ConsentWithdrawn)));
        for (route, reason) in [
            ("GET /b", Reason::ConsentWithdrawn),
            ("GET /a", Reason::EvaluationError),
            ("GET /a", Reason::HeadMalformed),
            ("GET /a", Reason::LedgerUnavailable),
        ] {
            assert_eq!(mode.carried_out(route, refused(reason)), refused(reason), "{route} {reason:?}");
        }
        assert_eq!(
            ReportOnly::default().carried_out("GET /a", refused(Reason::Prohibited)),
            refused(Reason::Prohibited)
        );
    }
}
