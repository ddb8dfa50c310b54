//! What was decided too long ago to leave by: whom it is about, the token and the bundle are looked at again.

use consentry_model::{Identifier, Moment, Reason, Resolution};
use consentry_policy::SubjectSource;
use http::{HeaderMap, header};

use crate::decide::{is_broken, spare_answers};
use crate::evidence::Lines;
use crate::exchange::{Decided, Open};
use crate::layer::Shared;
use crate::people::{Whom, resolve};
use crate::present::Present;
use crate::request::class_of;

impl Decided {
    /// Whether a decision is so old that what it is about may not leave by it; it is also where the clock was set back.
    pub(crate) fn is_old(&self, now: Moment, open: &Open) -> bool {
        is_old(self.access.now, now, open)
    }

    /// A long answer ends with the token that it was asked for with, and with the bundle it was begun under.
    pub(crate) fn may_go_on(&self, now: Moment, open: &Open) -> Result<(), Reason> {
        if self.access.claims.as_ref().is_some_and(|claims| now >= claims.expires) {
            return Err(Reason::TokenExpired);
        }
        let digest = &open.installed.engine.bundle().digest;
        let age_secs_max = open.shared.limits.bundle_age_secs_max;
        let current = open.shared.policy.serving(now, age_secs_max)?;
        if current.engine.bundle().digest == *digest { Ok(()) } else { Err(Reason::BundleUnavailable) }
    }

    /// Asks the ledger anew about the person whom the request names.
    pub(crate) async fn look_again(&mut self, shared: &Shared) -> Result<(), Reason> {
        let Some(SubjectSource::Named { space, .. }) = self.access.about().map(|about| &about.subject) else {
            return Ok(());
        };
        let Some(named) = &self.access.named else { return Ok(()) };
        let who = Identifier::new(space.clone(), named);
        let (ledger, answers) = resolve(shared, &[who]).await?;
        self.ledger = ledger;
        let now = answers.into_iter().next().unwrap_or(Resolution::Unresolved);
        // Whom nobody knew may have become somebody meanwhile, by a no.
        if !matches!((&self.whom, &now), (Whom::Nobody, Resolution::Unresolved)) {
            self.whom = Whom::Somebody(now);
        }
        Ok(())
    }

    /// Decides anew what the head of an answer leaves by, where that was decided too long ago. What is said of it comes to the
    /// lines.
    pub(crate) async fn renew(&mut self, open: &Open, lines: &mut Lines) -> Result<(), Reason> {
        if !self.is_old(open.shared.clock.now(), open) {
            return Ok(());
        }
        Box::pin(self.decide_head(open, lines)).await
    }

    async fn decide_head(&mut self, open: &Open, lines: &mut Lines) -> Result<(), Reason> {
        self.look_again(&open.shared).await?;
        // The answer of the ledger is of a time before this one: what it holds has happened.
        let now = open.shared.clock.now();
        self.may_go_on(now, open)?;
        self.access.now = now;
        let (whom, own, ledger) = (self.whom.clone(), self.own, self.ledger);
        let present = Present { ledger, whom, own, of_body: Vec::new() };
        let classes = self.access.route()?.response_classes();
        let answering = self.access.answering();
        let answered = self.access.may_answer(classes, &answering, &open.known, &present, lines);
        self.answered = answered;
        if open.known.report_only {
            // What could not be decided passes in no case.
            if let Some(reason) = self.answered.by_class.values().find_map(is_broken) {
                return Err(reason);
            }
            spare_answers(&mut self.answered);
        }
        Ok(())
    }

    /// Takes from the head of an answer what is about somebody, when it was decided at this time and leaves too late. What
    /// is reported only stays.
    pub(crate) fn leave_out_old(
        &mut self,
        headers: &mut HeaderMap,
        decided: Moment,
        open: &Open,
    ) -> Result<(), Reason> {
        if open.known.report_only || !is_old(decided, open.shared.clock.now(), open) {
            return Ok(());
        }
        let declared = &self.access.route()?.response_headers;
        for field in declared.iter().filter(|field| class_of(field.field).is_some()) {
            if headers.remove(&field.name).is_some() {
                self.taken.path(format!("response.header.{}", field.name));
            }
        }
        if headers.remove(header::SET_COOKIE).is_some() {
            self.taken.path("response.header.set-cookie".to_owned());
        }
        Ok(())
    }
}

fn is_old(decided: Moment, now: Moment, open: &Open) -> bool {
    let age_ms_max = i64::try_from(open.shared.limits.decision_age_ms_max).unwrap_or(i64::MAX);
    now < decided || now >= decided.saturating_add_millis(age_ms_max)
}
