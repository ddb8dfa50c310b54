//! What a request does to the ledger besides passing.

use std::sync::Arc;
use std::time::Duration;

use consentry_audit::{ConsentChanged, RecordId};
use consentry_consent::{Appended, Standing, contract, standing, standing_for};
use consentry_identity::Assurance;
use consentry_model::{
    ConsentEvent, ConsentKind, ConsentState, ContractState, Identifier, LedgerEvent, LedgerRevision, Lineage,
    Moment, Purpose, Reason, RecipientId, Resolution, SubjectState,
};
use consentry_policy::{DataClass, Duty, EventEffect, EventSpec, Question, Reference, Rule};
use http::Method;

use crate::describe::Access;
use crate::head::Head;
use crate::layer::Shared;
use crate::people::{Whom, resolve};
use crate::request::Brought;
use crate::said::{may_say_at, may_say_in_words, says};

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

/// Writes to the ledger the noes that a request says, before it is decided, and tells what it agrees to: a consent that
/// arrives with a request counts for it, and is written when the request is permitted. A no needs a person whom the ledger knows; a yes or a contract may be the first that is heard of somebody. It
/// never replaces what is known of somebody who did not prove to be that person: anybody can write down another's
/// address.
pub(crate) async fn record(
    shared: &Shared,
    access: &Access,
    head: &Head,
    brought: &Brought,
    who: Option<&Identifier>,
) -> Result<Agreed, Unwritten> {
    let holds = |spec: &&EventSpec| !waits(spec) && brought.holds(spec, head);
    let due: Vec<&EventSpec> = access.route()?.events.iter().filter(holds).collect();
    if due.is_empty() {
        return Ok(Agreed::default());
    }
    let who = who.ok_or(Reason::SubjectUnresolved)?;
    let proved = access.claims.as_ref().filter(|claims| claims.assurance >= Assurance::Substantial);
    let person = proved.and_then(|claims| claims.proved_person()).cloned();
    let asked: Vec<Identifier> = std::iter::once(who.clone()).chain(person).collect();
    let (ledger, answers) = resolve(shared, &asked).await?;
    let known = match &answers[..] {
        [Resolution::Known(state), ..] => Some(state),
        _ => None,
    };
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
    // Nobody agrees by having a page fetched in advance.
    let agrees = |spec: &&&EventSpec| is_no(&spec.effect) || !is_prefetch(head);
    let counted = due.iter().filter(agrees).filter(counts).map(|spec| &spec.effect);
    let (noes, yeses): (Vec<&EventEffect>, Vec<&EventEffect>) = counted.partition(|effect| is_no(effect));
    let noes: Vec<_> = noes.into_iter().map(|effect| event(effect, route, access.now)).collect();
    // A no is written whatever becomes of the request. Somebody of whom nothing is known yet is entered, so that what
    // they agree to can count.
    if !noes.is_empty() || (known.is_none() && !yeses.is_empty()) {
        append(shared, access, who, &noes).await?;
    }
    let yeses = yeses.into_iter().map(|effect| (effect.clone(), event(effect, route, access.now)));
    Ok(Agreed { yeses: yeses.collect(), by_themselves: themselves })
}

/// What a request agrees to.
#[derive(Default)]
pub(crate) struct Agreed {
    yeses: Vec<(EventEffect, LedgerEvent)>,
    /// Whether whoever agrees is the person, and proved it.
    by_themselves: bool,
}

impl Agreed {
    /// As much of it as counts beside what is known of the person by now: somebody else's yes replaces no no. What conduct
    /// implied meanwhile stands against nothing that is said.
    pub(crate) fn counts(self, access: &Access, whom: &Whom) -> Vec<LedgerEvent> {
        let known = whom.state().filter(|_| !self.by_themselves);
        let counts = |effect: &EventEffect| match (known, effect) {
            (None, _) => true,
            (Some(state), EventEffect::Consent(_, purpose)) => {
                access.stands(purpose, state).is_some_and(|stands| !stands.said_no)
            }
            (Some(state), _) => access.may_add(effect, state),
        };
        self.yeses.into_iter().filter(|(effect, _)| counts(effect)).map(|(_, event)| event).collect()
    }
}

/// Whether an event is a no.
pub(crate) const fn is_no(effect: &EventEffect) -> bool {
    matches!(effect, EventEffect::Withdraw(_) | EventEffect::Object(_) | EventEffect::Suppress)
}

/// Writes the noes of a request that is refused for how it is put.
pub(crate) async fn noes(
    shared: &Shared,
    access: &Access,
    head: &Head,
    brought: &Brought,
    who: Option<&Identifier>,
) -> Result<(), Unwritten> {
    let route = access.route()?;
    let due = route.events.iter().filter(|spec| is_no(&spec.effect) && brought.holds(spec, head));
    let noes: Vec<_> = due.map(|spec| event(&spec.effect, &route.id, access.now)).collect();
    let Some(who) = who.filter(|_| !noes.is_empty()) else { return Ok(()) };
    let (_, answers) = resolve(shared, std::slice::from_ref(who)).await?;
    match answers.first() {
        Some(Resolution::Known(_)) => append(shared, access, who, &noes).await,
        Some(Resolution::Unresolved) | None => Ok(()),
    }
}

/// Whether an event takes place only once the request is permitted: what is done to a person's data is no wish of whoever
/// happens to ask.
pub(crate) const fn waits(spec: &EventSpec) -> bool {
    matches!(spec.effect, EventEffect::Erase | EventEffect::Restrict)
}

/// What takes place once the request is permitted, of what it asks for.
pub(crate) fn waiting(access: &Access, head: &Head, brought: &Brought) -> Result<Vec<EventEffect>, Reason> {
    let due = access.route()?.events.iter().filter(|spec| waits(spec) && brought.holds(spec, head));
    Ok(due.map(|spec| spec.effect.clone()).collect())
}

/// Whether the identity of whoever asks was proven well enough to act on the own data.
pub(crate) fn is_proved(access: &Access) -> bool {
    access.claims.as_ref().is_some_and(|claims| claims.assurance >= Assurance::Substantial)
}

/// Whether whoever asks is the person that the request is about, and proved it: such a one may be told what depends on a
/// person.
pub(crate) fn is_own(access: &Access, own: bool) -> bool {
    own && is_proved(access)
}

/// Appends, and waits until the ledger holds it and evidence does. Whoever stops waiting stops neither: what the ledger was
/// told is noted whatever becomes of the request.
pub(crate) async fn append(
    shared: &Shared,
    access: &Access,
    who: &Identifier,
    events: &[LedgerEvent],
) -> Result<(), Unwritten> {
    let [wait, evidence_wait] =
        [shared.limits.ledger_wait_ms_max, shared.limits.evidence_wait_ms_max].map(Duration::from_millis);
    let (ledger, evidence) = (Arc::clone(&shared.ledger), shared.evidence.clone());
    let (who, events, now, ticket) = (who.clone(), events.to_vec(), access.now, access.ticket);
    let told = tokio::spawn(async move {
        let appended = ledger.append(&who, &events, now).await.map_err(|_| Reason::LedgerUnavailable)?;
        // All of them are on their way before the first is waited for.
        let noted: Vec<_> = changes(&appended, ticket, &events).map(|change| evidence.note(change)).collect();
        Ok::<_, Reason>((appended.revision, noted))
    });
    let told = tokio::time::timeout(wait, told).await.map_err(|_| Reason::LedgerUnavailable)?;
    let (last, noted) = told.map_err(|_| Reason::LedgerUnavailable)??;
    for noted in noted {
        let noted = tokio::time::timeout(evidence_wait, noted).await;
        let fault = noted.map_or(Some(Reason::EvidenceUnavailable), |noted| noted.err().map(|e| e.reason()));
        if let Some(reason) = fault {
            return Err(Unwritten { reason, ledger: Some(last) });
        }
    }
    Ok(())
}

/// What evidence says of what the ledger was told, as far as that binds decisions from then on.
fn changes(
    appended: &Appended,
    ticket: Option<RecordId>,
    events: &[LedgerEvent],
) -> impl Iterator<Item = ConsentChanged> {
    let Appended { subject, revision: last } = *appended;
    // Entries are numbered in their order, up to the last.
    let later = (0..events.len() as u64).rev();
    later.zip(events).filter_map(move |(later, event)| {
        let revision = LedgerRevision(last.0.saturating_sub(later));
        ConsentChanged::of(subject, revision, ticket, event)
    })
}

/// Notes what the bundle deduces from the mere use of a route, whatever becomes of the request: an implied consent. Only a
/// person's own request is one, not a prefetch, not one for a head alone, not a requester's, not one that the page of another
/// site makes, and not one that carries an opt-out signal. It is noted once under each version of the policy, and never over
/// anything that the person said.
pub(crate) async fn record_acceptance(
    shared: &Shared,
    access: &Access,
    head: &Head,
    who: Option<&Identifier>,
) -> Result<(), Unwritten> {
    let uses = access.claims.is_none()
        && !is_prefetch(head)
        && !is_probe(head)
        && !head.gpc()
        && access.is_seen_used(head);
    let Some(who) = who.filter(|_| uses) else { return Ok(()) };
    let Some((kind, to)) = deduced(access) else { return Ok(()) };
    let (_, answers) = resolve(shared, std::slice::from_ref(who)).await?;
    let known = match answers.first() {
        Some(Resolution::Known(state)) => Some(state.as_ref()),
        Some(Resolution::Unresolved) | None => None,
    };
    let vocabulary = &access.bundle().vocabulary;
    let purposes = to.map_or_else(|| vocabulary.topmost_purposes(), |purpose| vec![purpose]);
    let new =
        purposes.into_iter().filter(|purpose| known.is_none_or(|state| is_news(access, state, purpose)));
    let route = &access.route()?.id;
    let events: Vec<_> =
        new.map(|purpose| event(&EventEffect::Consent(kind, purpose), route, access.now)).collect();
    if events.is_empty() { Ok(()) } else { append(shared, access, who, &events).await }
}

/// Whether the request says that nobody asked for it yet.
fn is_prefetch(head: &Head) -> bool {
    let names = ["sec-purpose", "purpose", "x-moz", "x-purpose"];
    names.iter().any(|name| head.has(name))
}

/// Whether the request only asks what there is.
fn is_probe(head: &Head) -> bool {
    matches!(head.method, Method::HEAD | Method::OPTIONS)
}

/// Whether an implied consent says anything that is not on record: nothing was said about the purpose, or nothing but an
/// implied consent to an earlier version of the policy.
fn is_news(access: &Access, state: &SubjectState, purpose: &Purpose) -> bool {
    let bundle = access.bundle();
    let Some(lineage) = bundle.vocabulary.lineage(purpose) else { return false };
    let stands = standing(state, &lineage, &|_| false, access.now);
    if spoke_otherwise(state, &lineage) {
        return false;
    }
    if !stands.recorded {
        return true;
    }
    let in_force = bundle.settings.versions.iter().rev().find(|(_, from)| *from <= access.now);
    let Some(since) = in_force.map(|(_, from)| *from).or(bundle.from) else { return false };
    let only_implied =
        ConsentKind::ALL.into_iter().all(|k| stands.kinds.contains(k) == (k == ConsentKind::Implied));
    let renewed = state.events.iter().any(|recorded| {
        matches!(&recorded.event, LedgerEvent::Consent(c) if c.purpose == *purpose && c.effective >= since)
    });
    only_implied && !renewed
}

/// Whether the person said no to a purpose, a part of it or what it is a part of, or that they will say it later: conduct
/// does not stand against it.
fn spoke_otherwise(state: &SubjectState, lineage: &Lineage) -> bool {
    state.events.iter().any(|recorded| match &recorded.event {
        LedgerEvent::Consent(c) => {
            !matches!(c.state, ConsentState::Given | ConsentState::Renewed) && lineage.touches(&c.purpose)
        }
        LedgerEvent::Objection { purpose, .. } => lineage.touches(purpose),
        LedgerEvent::Contract { .. }
        | LedgerEvent::Restriction { .. }
        | LedgerEvent::Erasure { .. }
        | LedgerEvent::Suppression { .. }
        | LedgerEvent::Attribute { .. }
        | LedgerEvent::Occurrence { .. }
        | LedgerEvent::Duty { .. } => false,
    })
}

/// What the bundle deduces from the use of this route: of what it brings, or of its use alone.
fn deduced(access: &Access) -> Option<(ConsentKind, Option<Purpose>)> {
    let is_record: fn(&Duty) -> bool = |duty| matches!(duty, Duty::Record { .. });
    let engine = &access.installed.engine;
    if !engine.has_duties(is_record) {
        return None;
    }
    let bringing = access.bringing();
    let facts = &access.impersonal(&bringing).facts;
    let record = |duty: &Duty| {
        let Duty::Record { kind, to } = duty else { return None };
        Some((*kind, to.clone()))
    };
    // What stands for a yes has to be known to hold.
    let holds = |rule: &Rule, class: &DataClass, question: &Question| {
        engine.binds(rule, class, question, facts, access.now) == Some(true)
    };
    let bare = access.bare_class()?;
    let question = access.question(&bringing, consentry_model::ClassId(u16::MAX));
    let by_use = engine.duties_of_page(is_record, &bare, &question, facts, access.now);
    let by_use = by_use.filter(|(rule, _)| holds(rule, &bare, &question));
    let by_use = by_use.filter_map(|(_, duty)| record(duty)).next();
    let classes = access.route().ok()?.request_classes();
    by_use.or_else(|| {
        classes.into_iter().find_map(|class| {
            let question = access.question(&bringing, class);
            let data = access.bundle().service.class(class)?;
            let duties = engine.duties(is_record, &question, facts, access.now);
            duties.filter(|(rule, _)| holds(rule, data, &question)).find_map(|(_, duty)| record(duty))
        })
    })
}

impl Access {
    /// What stands for a purpose, whoever the recipient; nothing for one that nobody knows.
    fn stands(&self, purpose: &Purpose, known: &SubjectState) -> Option<Standing> {
        let vocabulary = &self.bundle().vocabulary;
        let lineage = vocabulary.lineage(purpose)?;
        // A no to somebody whom nobody knows any more is one to everybody.
        let speaks_of =
            |named: &RecipientId| vocabulary.speaks_of(named.as_str(), named.as_str()).map(|_| false);
        Some(standing_for(known, &lineage, &speaks_of, self.now))
    }

    /// Whether somebody else may add this to what is known of a person: a no always, a yes only where the person has
    /// not said no, a contract only where there never was one.
    fn may_add(&self, effect: &EventEffect, known: &SubjectState) -> bool {
        match effect {
            EventEffect::Withdraw(_) | EventEffect::Object(_) | EventEffect::Suppress => true,
            EventEffect::Erase | EventEffect::Restrict => false,
            EventEffect::Contract(_) => contract(known, self.now) == ContractState::None,
            EventEffect::Consent(_, purpose) => self.stands(purpose, known).is_some_and(|stands| {
                let waits = matches!(
                    stands.state,
                    ConsentState::Unknown | ConsentState::Requested | ConsentState::Deferred
                );
                !stands.said_no && (!stands.recorded || waits)
            }),
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
        EventEffect::Erase => LedgerEvent::Erasure { effective: now },
        EventEffect::Restrict => LedgerEvent::Restriction { on: true, effective: now },
        EventEffect::Suppress => LedgerEvent::Suppression { on: true, effective: now },
    }
}

impl Brought {
    /// Whether the request meets the condition of an event.
    pub(crate) fn holds(&self, spec: &EventSpec, head: &Head) -> bool {
        spec.condition.iter().all(|(at, wanted)| match at {
            Reference::Body(path) if is_no(&spec.effect) => {
                self.whole().is_some_and(|(said, _)| may_say_at(said, path, wanted))
            }
            Reference::Body(path) => says(self.at(path), wanted, self.is_flat_at(path)),
            // A no that may be one is one, and a yes has to be said plainly.
            Reference::Query(name) if is_no(&spec.effect) => {
                head.parameter(name).is_some_and(|parameter| may_say_in_words(parameter.readings(), wanted))
            }
            Reference::Query(name) => {
                let said = head.parameter(name).and_then(|parameter| parameter.value.as_deref());
                said.zip(wanted.as_str()).is_some_and(|(said, wanted)| said == wanted)
            }
            Reference::Path(_)
            | Reference::Header(_)
            | Reference::Cookie(_)
            | Reference::Token(_)
            | Reference::Item(_)
            | Reference::Addressees(_) => false,
        })
    }
}
