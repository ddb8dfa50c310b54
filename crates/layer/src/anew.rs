//! What was decided too long ago to leave by: whom it is about, the token and the bundle are looked at again.

use consentry_model::{Identifier, Moment, Reason, Resolution};
use consentry_policy::{Refusal, Ruling, SubjectSource};
use http::{HeaderMap, HeaderValue, header};

use crate::decide::{is_broken, spare_answers};
use crate::duties;
use crate::evidence::Lines;
use crate::exchange::{Decided, Open};
use crate::layer::Shared;
use crate::people::{Whom, resolve};
use crate::pointers::without_name;
use crate::present::Present;
use crate::request::class_of;
use crate::technical::SetCookie;

impl Decided {
    /// Whether a decision is so old that what it is about may not leave by it; it is also where the clock was set back.
    pub(crate) fn is_old(&self, now: Moment, open: &Open) -> bool {
        is_old(self.access.now, now, open)
    }

    /// A long answer ends with the token that it was asked for with, with the key by which that held, and with the bundle it
    /// was begun under.
    pub(crate) fn may_go_on(&self, now: Moment, open: &Open) -> Result<(), Reason> {
        open.believes(self.access.claims.as_deref(), now)?;
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
    /// lines, also where it refuses.
    pub(crate) async fn renew(&mut self, open: &Open, lines: &mut Lines) -> Result<(), Refusal> {
        if !self.is_old(open.shared.clock.now(), open) {
            return Ok(());
        }
        Box::pin(self.decide_head(open, lines)).await
    }

    async fn decide_head(&mut self, open: &Open, lines: &mut Lines) -> Result<(), Refusal> {
        let present = self.present_again(open).await.map_err(Refusal::plain)?;
        let classes = self.access.route().map_err(Refusal::plain)?.response_classes();
        let answering = self.access.answering();
        self.answered = self.access.may_answer(classes, &answering, &open.known, &present, lines);
        if open.known.report_only() {
            // What could not be decided passes in no case.
            if let Some(reason) = self.answered.by_class.values().find_map(is_broken) {
                return Err(Refusal::plain(reason));
            }
            open.known.note_spared(spare_answers(&mut self.answered));
            return Ok(());
        }
        // An obligation refuses the whole exchange, whenever it is broken.
        let unmet = self.access.unmet(self.is_judged, &present).map(|(_, refusal)| refusal);
        match unmet.map_or_else(|| self.access.bound(&[], &self.answered), Ruling::Refuse) {
            Ruling::Refuse(refusal) => Err(refusal),
            Ruling::Allow(_) | Ruling::Redact(_) => Ok(()),
        }
    }

    /// Whom the request is about, as the ledger knows them now. The access is of this time from then on, which is never before
    /// the one that it was of: what the request itself did has happened.
    async fn present_again(&mut self, open: &Open) -> Result<Present, Reason> {
        self.look_again(&open.shared).await?;
        let now = open.shared.clock.now();
        self.may_go_on(now, open)?;
        self.access.pass_time(now)?;
        let (whom, own, ledger) = (self.whom.clone(), self.own, self.ledger);
        Ok(Present { ledger, whom, own, of_body: Vec::new() })
    }

    /// The same for a head without records, which then gets the headers that obligations put on it. One that cannot be carried
    /// out refuses.
    pub(crate) fn finish_head(
        &mut self,
        headers: &mut HeaderMap,
        decided: Moment,
        open: &Open,
    ) -> Result<(), Reason> {
        self.leave_out_old(headers, decided, open)?;
        duties::set_headers(&self.access, &self.whom, self.own, &[], headers)
    }

    /// Takes from the head of an answer what is about somebody, when it was decided at this time and leaves too late. Places
    /// that are only reported stay; a cookie that is taken away is taken away however late.
    pub(crate) fn leave_out_old(
        &mut self,
        headers: &mut HeaderMap,
        decided: Moment,
        open: &Open,
    ) -> Result<(), Reason> {
        if !is_old(decided, open.shared.clock.now(), open) {
            return Ok(());
        }
        let declared = &self.access.route()?.response_headers;
        let personal = declared.iter().filter(|f| class_of(f.field).is_some() && !open.known.report_only());
        for field in personal {
            let Some(line) = headers.remove(&field.name) else { continue };
            // Without its disposition a file would be shown.
            let kind = (*field.name == header::CONTENT_DISPOSITION).then(|| without_name(&line)).flatten();
            if kind.as_ref() != Some(&line) {
                self.taken.path(format!("response.header.{}", field.name));
            }
            headers.extend(kind.map(|kind| (header::CONTENT_DISPOSITION, kind)));
        }
        if let header::Entry::Occupied(lines) = headers.entry(header::SET_COOKIE) {
            let (_, lines) = lines.remove_entry_mult();
            let lines: Vec<HeaderValue> = lines.collect();
            let (ends, others) = lines.into_iter().partition(|line| takes_away(line, self.access.now));
            let ends: Vec<HeaderValue> = ends;
            ends.into_iter().for_each(|line| _ = headers.append(header::SET_COOKIE, line));
            let others: Vec<HeaderValue> = others;
            for line in &others {
                let name = SetCookie::read(line, |_, _| true).map_or_else(String::new, |read| read.name);
                self.taken.path(format!("response.cookie.{name}"));
            }
        }
        Ok(())
    }
}

/// Whether a line holds nothing and takes a cookie away.
fn takes_away(line: &HeaderValue, now: Moment) -> bool {
    SetCookie::read(line, |_, _| true)
        .is_some_and(|read| read.value.is_empty() && read.taken_away(now).is_some())
}

/// Whether what was decided at a time is so old that nothing may leave by it; it is also where the clock was set back.
pub(crate) fn is_old(decided: Moment, now: Moment, open: &Open) -> bool {
    let age_ms_max = i64::try_from(open.shared.limits.decision_age_ms_max).unwrap_or(i64::MAX);
    now < decided || now >= decided.saturating_add_millis(age_ms_max)
}
