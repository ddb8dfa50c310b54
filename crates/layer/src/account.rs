//! What whoever counts may know of an exchange: what became of it, and nothing of anybody.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use consentry_audit::End;
use consentry_model::{Outcome, Reason};
use consentry_policy::Permit;
use http::Response;

use crate::body::ResponseBody;
use crate::describe::Known;

/// What became of a request, found among the extensions of each answer. It names a route of the bundle and codes of closed
/// lists: it may be a label of a metric. How a body that streams ends later is in evidence alone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The route's template; `None` when none was found.
    pub route: Option<Arc<str>>,
    /// The ruling; `None` for whoever was turned away before there was one.
    pub outcome: Option<Outcome>,
    /// Whether something went through only because the ruling is reported and not carried out; of a body that streams, as
    /// far as its head shows.
    pub report_only: bool,
    /// How it ended.
    pub end: End,
    /// Why it was refused or failed.
    pub reason: Option<Reason>,
    /// How long it took from the head to the permit, the durable record included; `None` when there was none.
    pub decided_after: Option<Duration>,
}

impl Account {
    /// Of a request that came to this end.
    pub(crate) fn of(route: Option<&Arc<str>>, end: End, reason: Option<Reason>) -> Self {
        let outcome = (end == End::Refused && route.is_some()).then_some(Outcome::Refuse);
        Self { route: route.cloned(), outcome, report_only: false, end, reason, decided_after: None }
    }

    /// Of a request that got a permit, so long after it came.
    pub(crate) fn permitted(known: &Known, permit: &Permit, after: Duration) -> Self {
        let account = Self::of(known.route.as_ref(), End::Delivered, None);
        Self { outcome: Some(permit.outcome()), decided_after: Some(after), ..account }
    }

    /// Attaches it to an answer of which something may have gone through that is only reported.
    pub(crate) fn onto_answer(
        self,
        response: Response<ResponseBody>,
        spared: Option<&AtomicBool>,
    ) -> Response<ResponseBody> {
        Self { report_only: spared.is_some_and(|spared| spared.load(Ordering::Relaxed)), ..self }
            .onto(response)
    }

    /// Attaches it to an answer that has none yet.
    pub(crate) fn onto(self, mut response: Response<ResponseBody>) -> Response<ResponseBody> {
        if response.extensions().get::<Self>().is_none() {
            response.extensions_mut().insert(self);
        }
        response
    }
}
