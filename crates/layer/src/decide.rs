//! The decision on one request: what it brings, what its answer may carry, and what must be done besides.

use std::sync::Arc;

use consentry_model::{
    ClassId, Identifier, LedgerEvent, LedgerRevision, Moment, Outcome, Reason, Treatment, Verdict,
};
use consentry_policy::{EventEffect, Excess, Item, Permit, Refusal, Ruling};

use crate::asking::Asking;
use crate::browser;
use crate::describe::Access;
use crate::duties::{self, Revealed};
use crate::events::{self, Agreed, Unwritten};
use crate::evidence::{Lines, Taken};
use crate::exchange::{Decided, Open};
use crate::head::Head;
use crate::judge::Brings;
use crate::layer::Shared;
use crate::message;
use crate::naming::Named;
use crate::precedent::Answered;
use crate::present::{Present, meet};
use crate::request::{self, Brought, Treatments, UpstreamRequest};
use crate::sending;

/// As of what something was decided, as far as it came to that.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AsOf {
    pub(crate) ledger: Option<LedgerRevision>,
    pub(crate) at: Option<Moment>,
}

/// Why an exchange stops before the inner service is called.
pub(crate) struct Stop {
    pub(crate) refusal: Refusal,
    pub(crate) as_of: AsOf,
    pub(crate) lines: Lines,
    /// Whether whoever asks proved to be the person that all of it is about.
    pub(crate) is_own: bool,
}

impl Stop {
    /// After the ledger was asked.
    fn of(refusal: Refusal, access: &Access, present: &Present, lines: Lines) -> Self {
        let as_of = AsOf { ledger: Some(present.ledger), at: Some(access.now) };
        Self { refusal, as_of, lines, is_own: events::is_own(access, present.own) }
    }
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self {
            refusal: Refusal::plain(reason),
            as_of: AsOf::default(),
            lines: Lines::default(),
            is_own: false,
        }
    }
}

impl From<Unwritten> for Stop {
    fn from(unwritten: Unwritten) -> Self {
        let as_of = AsOf { ledger: unwritten.ledger, at: None };
        Self { as_of, ..Self::from(unwritten.reason) }
    }
}

pub(crate) type Ready = (Box<Decided>, Permit, UpstreamRequest, Lines);

/// Decides on a request whose body has been read.
pub(crate) async fn decide(
    open: &Open,
    mut access: Access,
    head: &Head,
    mut brought: Brought,
) -> Result<Ready, Stop> {
    let shared = &open.shared;
    access.pass_time(shared.clock.now())?;
    access.state_body(&brought);
    let (bringing, answering) = (access.bringing(), access.answering());
    let name = brought.identifier(&access, head);
    let (unreadable, identifier) = (name == Named::Unreadable, name.known());
    access.named = identifier.as_ref().map(|who| who.reveal().into());
    let strict = fits(shared, &access, head, &brought, identifier.as_ref()).await?;
    let mut classes = brought.classes(access.route()?, head);
    let found = crate::detect::detected(&access, access.route()?, head, &brought);
    classes.extend(found.iter().copied());
    let identified = identifier.as_ref();
    let asked = Asked { bringing: &bringing, classes: &classes, strict, identifier: identified, unreadable };
    let (heard, present) = hear(shared, &access, head, &brought, &asked).await?;
    open.pass_time(&mut access)?;
    let (bringing, answering) = (access.later(bringing), access.later(answering));
    let mut lines = Lines::default();
    let mut brings = access.brings(&brought, head, &bringing, &present, &mut lines);
    let in_found = access.found(&found, &bringing, &present, &mut lines);
    let classes = access.route()?.response_classes();
    let mut answered = access.may_answer(classes, &answering, &open.known, &present, &mut lines);
    let added = access.added(head, &answering, &present, &mut lines);
    let stop = |refusal, lines| Stop::of(refusal, &access, &present, lines);
    let lenient = !strict || access.route()?.message.is_some();
    let items = Arc::clone(&answered);
    let rest = Rest::of(&access, &brings, (&in_found, &items, &added), &present, &mut lines)
        .heard(access.unheard((head, &brought), &brings.treatments, &bringing));
    let fold = |brings: &Brings| rest.ruling(shared, &access, brings, lenient);
    let ruling = fold(&brings);
    brings.is_refused = ruling.outcome() == Outcome::Refuse;
    if let Ruling::Refuse(refusal) = ruling {
        return Err(stop(refusal, lines));
    }
    let revealed = || Revealed::of(&access, &brings.treatments, &answered, classes, head);
    if let Some(reason) = duties::apart(&access, revealed, &mut lines) {
        return Err(stop(Refusal::plain(reason), lines));
    }
    let cookies = access.allowed_cookies(head, &present.whom, present.own, &mut lines);
    let unheard = access.unheard_cookie(head, &cookies, &present.whom).filter(|_| !open.known.report_only());
    // The rest changes what is outside: it comes last, when nothing else can refuse any more. Nobody's place is claimed where
    // nobody is written to.
    let ruling = if present.of_body.is_empty() {
        unheard.map_or(ruling, Ruling::Refuse)
    } else {
        let reserved =
            sending::reserve(shared, &access, &brought, &bringing, &present, &mut brings, &mut lines);
        Box::pin(reserved).await.map_or_else(Ruling::Refuse, |()| fold(&brings))
    };
    spare(open, &mut brings, &mut answered);
    let mut taken = Taken::default();
    let goes_on = (&brings.treatments, &cookies[..]);
    let permitted = permitted(ruling, shared, &access, head, &mut brought, goes_on, &mut taken);
    let (permit, upstream) = match permitted {
        Ok(both) => both,
        Err(refusal) => return Err(stop(with_cause(refusal, &lines), lines)),
    };
    if let Err(unwritten) = write(shared, &access, &brought, identified, &heard, &present, &brings).await {
        return Err(stop(Refusal::plain(unwritten.reason), lines));
    }
    let (Present { ledger, whom, own, .. }, is_judged) = (present, rest.is_judged);
    let decided = Decided { access, whom, own, answered, taken, ledger, is_judged };
    Ok((Box::new(decided), permit, upstream, lines))
}

/// Refuses what nobody's state could make good before anybody is asked about: it leaves no trace elsewhere, but that a no is
/// heard whatever came with it. Whether the route takes nothing in part.
async fn fits(
    shared: &Shared,
    access: &Access,
    head: &Head,
    brought: &Brought,
    who: Option<&Identifier>,
) -> Result<bool, Stop> {
    let route = access.route()?;
    let strict = route.excess == Excess::Refuse;
    let fault = route.message.as_ref().and_then(|map| message::fault(access.bundle(), map, brought));
    let excess = (strict && brought.has_excess(route, head)).then_some(Reason::MinimisationViolation);
    let forged =
        (access.is_forged(head) && browser::agrees(route, head, brought)).then_some(Reason::CrossSite);
    let conditional = browser::is_conditional(head).then_some(Reason::PreconditionUnreadable);
    let unexpected = brought.is_unexpected.then_some(Reason::BodyUnexpected);
    let stands = unexpected.or(fault).or(excess).or(forged).or(conditional);
    let Some(reason) = stands else { return Ok(strict) };
    Box::pin(events::noes(shared, access, head, brought, who)).await?;
    Err(reason.into())
}

/// Writes to the ledger what a permitted request agrees to and does, all of it or nothing.
async fn write(
    shared: &Shared,
    access: &Access,
    brought: &Brought,
    who: Option<&Identifier>,
    heard: &Heard,
    present: &Present,
    brings: &Brings,
) -> Result<(), Unwritten> {
    let Heard { agreed, waiting } = heard;
    let mut events = Vec::new();
    if !brings.is_refused {
        events.clone_from(agreed);
        events.extend(duties::noted(access, &brings.treatments, waiting, &present.whom, present.own)?);
    }
    // What goes out is disclosed, whatever the rules say of it; a mere report enters nobody whom the ledger does not know.
    let reported = shared.reports_only(access);
    if !reported || present.whom.subject().is_some() {
        let of_request = brings.treatments.of_request.iter();
        let of_request =
            of_request.filter(|(_, t)| reported || **t != Treatment::Withheld).map(|(class, _)| *class);
        let classes = of_request.chain(brings.going(reported).map(|(_, class)| class));
        events.extend(duties::disclosed(access, classes.collect()));
    }
    if let Some(who) = who.filter(|_| !events.is_empty()) {
        events::append(shared, access, who, &events).await?;
    }
    if present.of_body.is_empty() {
        return Ok(());
    }
    Box::pin(sending::note(shared, access, brought, present, brings)).await
}

/// Where verdicts are only reported nothing is taken away: they are recorded, and that is all. Whoever may not be written to
/// again yet is left out all the same.
fn spare(open: &Open, brings: &mut Brings, answered: &mut Arc<Answered>) {
    if !open.known.report_only() {
        return;
    }
    let Brings { treatments: Treatments { of_request, of_body }, left_out, .. } = brings;
    let of_body =
        of_body.iter_mut().filter(|(key, _)| !left_out.contains(key)).map(|(_, treatment)| treatment);
    let all = of_request.values_mut().chain(of_body);
    let spared = all.fold(false, |spared, treatment| spare_one(treatment) | spared);
    open.known.note_spared(spare_answers(answered) | spared);
}

/// The same for the answer.
pub(crate) fn spare_answers(answered: &mut Arc<Answered>) -> bool {
    let answers = Arc::make_mut(answered).by_class.values_mut();
    answers.fold(false, |spared, verdict| spare_one(&mut verdict.treatment) | spared)
}

/// The same for one value.
pub(crate) fn spare_one(treatment: &mut Treatment) -> bool {
    std::mem::replace(treatment, Treatment::Clear) != Treatment::Clear
}

/// A body of which nothing is left is refused for what took it out.
fn with_cause(refusal: Refusal, lines: &Lines) -> Refusal {
    let nothing_left = refusal == Refusal::personal(Reason::Prohibited);
    if nothing_left { lines.worst().map_or(refusal, Refusal::personal) } else { refusal }
}

/// The permit of a ruling, with the request that it is for.
fn permitted(
    ruling: Ruling,
    shared: &Shared,
    access: &Access,
    head: &Head,
    brought: &mut Brought,
    (treatments, cookies): (&Treatments, &[String]),
    taken: &mut Taken,
) -> Result<(Permit, UpstreamRequest), Refusal> {
    if let Ruling::Refuse(refusal) = ruling {
        return Err(refusal);
    }
    let route = access.route().map_err(Refusal::plain)?;
    let pseudonyms = || shared.pseudonyms(access);
    let upstream = request::forward(route, head, brought, treatments, cookies, &pseudonyms, taken);
    let ruling = if taken.is_empty() { ruling } else { ruling.redacted() };
    match ruling {
        Ruling::Allow(permit) | Ruling::Redact(permit) => {
            let told = |upstream: UpstreamRequest| upstream.with_headers(browser::told(access, head));
            upstream.map(|upstream| (permit, told(upstream))).map_err(Refusal::plain)
        }
        Ruling::Refuse(refusal) => Err(refusal),
    }
}

/// What is folded with what a request brings.
struct Rest<'a> {
    found: &'a [Item],
    answered: &'a Answered,
    added: &'a [Item],
    /// Whether anything is judged beside the exchange itself.
    is_judged: bool,
    /// What the exchange is refused for, whatever its data.
    unmet: Option<Refusal>,
    /// What it is refused for when the service would not hear by what it is decided.
    unheard: Option<Refusal>,
}

impl<'a> Rest<'a> {
    /// The rest, with what stands against the exchange for what it is.
    fn of(
        access: &Access,
        brings: &Brings,
        (found, answered, added): (&'a [Item], &'a Answered, &'a [Item]),
        present: &Present,
        lines: &mut Lines,
    ) -> Self {
        let is_judged = [&brings.items, found, &answered.items, added].iter().any(|items| !items.is_empty());
        let (rule, unmet) = access.unmet(is_judged, present).unzip();
        rule.flatten().into_iter().for_each(|rule| lines.unmet(rule));
        Self { found, answered, added, is_judged, unmet, unheard: None }
    }

    /// The same, where what an exchange is decided by may not reach the service.
    fn heard(self, unheard: Option<Refusal>) -> Self {
        Self { unheard, ..self }
    }

    /// The ruling as it is carried out. Under report-only everything passes, and what could not be decided would pass with it.
    fn ruling(&self, shared: &Shared, access: &Access, brings: &Brings, lenient: bool) -> Ruling {
        let Ok(route) = access.route() else { return Ruling::Refuse(Refusal::plain(Reason::RouteUnknown)) };
        let broken = self.broken(brings).filter(|_| shared.reports_only(access));
        let ruling = || access.fold(brings, lenient, self);
        let ruling = broken.map_or_else(ruling, |reason| Ruling::Refuse(Refusal::plain(reason)));
        shared.report_only.carried_out(&route.id, ruling)
    }

    /// Why one of the verdicts is none.
    fn broken(&self, brings: &Brings) -> Option<Reason> {
        let all = [&brings.items[..], self.found, &self.answered.items, self.added].into_iter().flatten();
        all.filter_map(|item| item.verdict.as_ref()).find_map(is_broken)
    }
}

/// Why a verdict is none: what it was to be drawn from failed. No rule answered.
pub(crate) fn is_broken(verdict: &Verdict) -> Option<Reason> {
    verdict.reason.filter(|reason| reason.status() >= 500)
}

impl Access {
    fn fold(&self, brings: &Brings, lenient: bool, rest: &Rest<'_>) -> Ruling {
        let ruling = if lenient { Ruling::fold(&brings.items) } else { Ruling::fold_strictly(&brings.items) };
        let ruling = ruling
            .and(self.bound(&brings.items, rest.answered))
            .and(Ruling::fold_strictly(rest.found))
            .and(Ruling::fold(&rest.answered.items))
            .and(Ruling::fold_strictly(rest.added));
        // Why something does not go on says more than that it is missed, unless that is so whoever the person is.
        let ruling = match rest.unheard {
            Some(refusal) if ruling.outcome() != Outcome::Refuse || refusal.told != Reason::NotPermitted => {
                ruling.and(Ruling::Refuse(refusal))
            }
            Some(_) | None => ruling,
        };
        match rest.unmet {
            Some(refusal) => ruling.and(Ruling::Refuse(refusal)),
            None => ruling,
        }
    }
}

/// What bears on hearing what a request says to the ledger.
struct Asked<'a> {
    bringing: &'a Asking,
    classes: &'a [ClassId],
    strict: bool,
    identifier: Option<&'a Identifier>,
    /// Whether something stands at the place of the identifier that cannot be read in one way only.
    unreadable: bool,
}

/// What of that is written only once the request is permitted.
struct Heard {
    /// What it agrees to.
    agreed: Vec<LedgerEvent>,
    /// What it asks to be done to the person's data.
    waiting: Vec<EventEffect>,
}

/// Writes the noes that a request says, and meets whom it is about, as if what it agrees to were written already.
async fn hear(
    shared: &Shared,
    access: &Access,
    head: &Head,
    brought: &Brought,
    asked: &Asked<'_>,
) -> Result<(Heard, Present), Stop> {
    let hopeless = |class: &ClassId| access.hopeless(asked.bringing, *class).is_some();
    let refused =
        if asked.strict { asked.classes.iter().any(hopeless) } else { asked.classes.iter().all(hopeless) };
    let events = access.route()?.events.iter().any(|spec| !events::waits(spec));
    let mut agreed = Agreed::default();
    if events && (asked.classes.is_empty() || !refused) {
        agreed = Box::pin(events::record(shared, access, head, brought, asked.identifier)).await?;
    } else if events {
        // What is refused whoever the person is agrees to nothing; a no is one all the same.
        Box::pin(events::noes(shared, access, head, brought, asked.identifier)).await?;
    }
    events::record_acceptance(shared, access, head, asked.identifier).await?;
    let present = meet(shared, access, brought, asked.identifier, asked.unreadable).await?;
    // What the request agrees to counts for it; it is written when the request is permitted.
    let agreed = agreed.counts(access, &present.whom);
    let present = Present { whom: present.whom.with(&agreed, access.now), ..present };
    let waiting = events::waiting(access, head, brought)?;
    Ok((Heard { agreed, waiting }, present))
}
