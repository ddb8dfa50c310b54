//! [`ConsentryLayer`] and what it is built from.

use std::collections::BTreeSet;
use std::sync::Arc;

use consentry_audit::AuditLog;
use consentry_consent::Ledger;
use consentry_model::RecipientId;
use consentry_policy::ReportOnly;
use tower_layer::Layer;

use crate::admission::Admission;
use crate::clock::{Clock, SystemClock};
use crate::describe::Access;
use crate::limits::Limits;
use crate::pseudonyms::{DerivedKeys, PseudonymKey};
use crate::service::Consentry;
use crate::slot::{AuthenticatorSlot, PolicySlot};

/// Everything that the layer needs while it serves.
pub(crate) struct Shared {
    pub(crate) policy: PolicySlot,
    pub(crate) authenticator: AuthenticatorSlot,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) evidence: AuditLog,
    pub(crate) limits: Limits,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) problem_base: Arc<str>,
    pub(crate) pseudonym_key: Option<PseudonymKey>,
    pub(crate) derived_keys: DerivedKeys,
    pub(crate) admission: Admission,
    /// The recipients that can be reached; `None` when the inner service reaches whomever it knows.
    pub(crate) destinations: Option<BTreeSet<RecipientId>>,
    pub(crate) report_only: ReportOnly,
}

impl Shared {
    /// Whether the rulings on a route are reported and not carried out.
    pub(crate) fn reports_only(&self, access: &Access) -> bool {
        access.route().is_ok_and(|route| self.report_only.covers(&route.id))
    }

    /// Whether the inner service can send a request where it is to go.
    pub(crate) fn reaches(&self, access: &Access) -> bool {
        match (&self.destinations, &access.destination) {
            (Some(reachable), Some(recipient)) => reachable.contains(recipient),
            (None, _) | (_, None) => true,
        }
    }
}

/// Enforces the bundle in force on every request to the service it wraps.
#[derive(Clone)]
pub struct ConsentryLayer {
    shared: Arc<Shared>,
}

/// Why a layer cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the layer cannot be built without {0}")]
pub struct BuildError(&'static str);

/// Collects what a layer is built from.
#[derive(Default)]
pub struct Builder {
    policy: Option<PolicySlot>,
    authenticator: Option<AuthenticatorSlot>,
    ledger: Option<Arc<dyn Ledger>>,
    evidence: Option<AuditLog>,
    limits: Limits,
    clock: Option<Arc<dyn Clock>>,
    problem_base: Option<String>,
    pseudonym_key: Option<PseudonymKey>,
    destinations: Option<BTreeSet<RecipientId>>,
    report_only: ReportOnly,
}

impl ConsentryLayer {
    /// Starts a layer.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Builder {
    /// The bundle in force. Mandatory.
    #[must_use]
    pub fn policy(mut self, slot: PolicySlot) -> Self {
        self.policy = Some(slot);
        self
    }

    /// Whose tokens are believed. Mandatory.
    #[must_use]
    pub fn authenticator(mut self, slot: impl Into<AuthenticatorSlot>) -> Self {
        self.authenticator = Some(slot.into());
        self
    }

    /// Who agreed to what. Mandatory.
    #[must_use]
    pub fn ledger(mut self, ledger: Arc<dyn Ledger>) -> Self {
        self.ledger = Some(ledger);
        self
    }

    /// Where every ruling is recorded. Mandatory.
    #[must_use]
    pub fn evidence(mut self, log: AuditLog) -> Self {
        self.evidence = Some(log);
        self
    }

    /// Every bound; the defaults are documented at [`Limits`].
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The clock; the machine's own when nothing is said.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// What problem types begin with (RFC 9457); the reason's code follows. `urn:consentry:problem:` when nothing is
    /// said.
    #[must_use]
    pub fn problem_base(mut self, base: &str) -> Self {
        self.problem_base = Some(base.to_owned());
        self
    }

    /// The key that pseudonyms are made with. Without one, what may only leave pseudonymised is withheld.
    #[must_use]
    pub fn pseudonym_key(mut self, key: PseudonymKey) -> Self {
        self.pseudonym_key = Some(key);
        self
    }

    /// The recipients outside to which the inner service can send a request: a route `to:` anybody else refuses. When
    /// nothing is said, the inner service is asked for all of them. It finds the recipient among the request's
    /// extensions, as a [`Destination`](crate::Destination).
    #[must_use]
    pub fn destinations(mut self, reachable: impl IntoIterator<Item = RecipientId>) -> Self {
        self.destinations = Some(reachable.into_iter().collect());
        self
    }

    /// **Danger**: routes whose rulings are recorded and not carried out, for trying a bundle out. On them the verdicts
    /// on bodies, queries and headers change nothing. What is unknown, malformed or unavailable is refused as ever, and
    /// so is an obligation with an effect of its own; fields that nobody declared and cookies stay withheld. Every
    /// record of such a request says so.
    #[must_use]
    pub fn dangerously_report_only(mut self, mode: ReportOnly) -> Self {
        self.report_only = mode;
        self
    }

    /// The finished layer.
    ///
    /// # Errors
    /// When something mandatory is missing: there is no default that would let data through.
    pub fn build(self) -> Result<ConsentryLayer, BuildError> {
        let problem_base = self.problem_base.unwrap_or_else(|| "urn:consentry:problem:".to_owned());
        let shared = Shared {
            policy: self.policy.ok_or(BuildError("a policy slot"))?,
            authenticator: self.authenticator.ok_or(BuildError("an authenticator"))?,
            ledger: self.ledger.ok_or(BuildError("a ledger"))?,
            evidence: self.evidence.ok_or(BuildError("an evidence log"))?,
            admission: Admission::new(&self.limits),
            destinations: self.destinations,
            report_only: self.report_only,
            limits: self.limits,
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock)),
            problem_base: problem_base.into(),
            pseudonym_key: self.pseudonym_key,
            derived_keys: DerivedKeys::default(),
        };
        Ok(ConsentryLayer { shared: Arc::new(shared) })
    }
}

impl<S> Layer<S> for ConsentryLayer {
    type Service = Consentry<S>;

    fn layer(&self, inner: S) -> Consentry<S> {
        Consentry::new(Arc::clone(&self.shared), inner)
    }
}
