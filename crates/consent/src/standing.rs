//! What a person's consents and objections amount to, for one purpose and recipient, at one moment.
//!
//! The rules, in the order in which the code applies them:
//!
//! 1. An event counts from its effective time on (where a clock was wrong `counted` says when it does); one for a named
//!    recipient counts only when that recipient is asked about. The revision never lets a yes win over a no of the same
//!    effective time: ties go to the stricter.
//! 2. A yes (*given*, *renewed*) covers the purpose it names and everything below. It stands until its `valid_until`,
//!    exclusive, unless something ended it.
//! 3. *Refused*, *withdrawn* and an objection are the person's own no; *revoked*, *invalidated* and a recorded
//!    *expired* end a consent without being one. All of them close the purpose they name: every yes at or below it
//!    ends that is not later, and a yes above it never opens it again. A no does not run out.
//! 4. What closes the asked purpose or one above it is lifted by a later yes at its own level or below it that covers
//!    the asked purpose. What closes a purpose below the asked one closes the asked one too, and is lifted only by a
//!    later yes for exactly that purpose. What speaks of one recipient is lifted only by a yes for that recipient,
//!    what speaks of all only by a yes for all. A yes lifts as long as it stands itself.
//! 5. After that, what stands is no stronger than the weakest yes that had to lift something.
//! 6. *Requested*, *deferred* and *unknown* only tell the state of what does not stand anyway.

use consentry_model::{
    ConsentEvent, ConsentKind, ConsentState, KindSet, LedgerEvent, LedgerRevision, Lineage, Moment, Purpose,
    RecipientId, SubjectState,
};

use crate::counted::{Counted, counted};

/// What stands of a person's consents and objections. Without any record nothing stands and nobody said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The kinds of consent that stand; empty means that there is no valid consent.
    pub kinds: KindSet,
    /// Whether the person's own no stands (*refused*, *withdrawn* or an objection): it closes every basis that rests
    /// on the person's wish. Then `kinds` is empty.
    pub said_no: bool,
    /// Whether an objection is among what the person said.
    pub objected: bool,
    /// The state to report: *given* or *renewed* exactly when `kinds` is not empty, else why it is empty. An objection
    /// is no state of a consent: where nothing but objections is recorded, this is *unknown*.
    pub state: ConsentState,
    /// Whether anything is recorded that bears on the question. A yes for a part of what was asked does not.
    pub recorded: bool,
}

/// Tells what stands for the asked purpose and recipient at `at`. `recipient_matches` says whether an event for a
/// recipient speaks of the one that is asked about; an event that names none speaks of every one.
#[must_use]
pub fn standing(
    state: &SubjectState,
    lineage: &Lineage,
    recipient_matches: &dyn Fn(&RecipientId) -> bool,
    at: Moment,
) -> Standing {
    standing_for(state, lineage, &|named| Some(recipient_matches(named)), at)
}

/// The same where a recipient may be named whom nobody knows any more: then `speaks_of` says nothing. A no to such a one
/// counts for every recipient, and is lifted like any other no to all; a yes counts for none.
#[must_use]
pub fn standing_for(
    state: &SubjectState,
    lineage: &Lineage,
    speaks_of: &dyn Fn(&RecipientId) -> Option<bool>,
    at: Moment,
) -> Standing {
    let mut said = Said::default();
    for counted in counted(state, at) {
        said.hear(&counted, lineage, speaks_of, at);
    }
    said.standing()
}

/// Where an event's purpose is, seen from the asked one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Asked,
    Above,
    Below,
}

/// What every event has, of whatever sort.
#[derive(Clone, Copy)]
struct Event<'a> {
    purpose: &'a Purpose,
    place: Place,
    recipient: Option<&'a RecipientId>,
    /// As of when it counts.
    effective: Moment,
    revision: LedgerRevision,
    state: ConsentState,
}

/// A yes.
#[derive(Clone, Copy)]
struct Grant<'a> {
    event: Event<'a>,
    kind: ConsentKind,
    /// When it ran out, if it did.
    expired: Option<Moment>,
}

/// What closes one purpose for one recipient (or for all). The latest event ends whatever an earlier one ends, so one
/// of these stands for a history of any length.
#[derive(Clone, Copy)]
struct Ender<'a> {
    /// The latest by effective time.
    event: Event<'a>,
    /// The latest that is a state of a consent, and of several at one moment the strictest.
    told: Option<Event<'a>>,
    own_no: bool,
    objection: bool,
}

/// Everything that bears on the question, sorted by what it does.
#[derive(Default)]
struct Said<'a> {
    grants: Vec<Grant<'a>>,
    enders: Vec<Ender<'a>>,
    waiting: Vec<Event<'a>>,
}

impl<'a> Said<'a> {
    fn hear(
        &mut self,
        counted: &Counted<'a>,
        lineage: &Lineage,
        speaks_of: &dyn Fn(&RecipientId) -> Option<bool>,
        at: Moment,
    ) {
        let (purpose, recipient, consent) = match &counted.recorded.event {
            LedgerEvent::Consent(c) => (&c.purpose, &c.recipient, Some(c)),
            LedgerEvent::Objection { purpose, recipient, .. } => (purpose, recipient, None),
            LedgerEvent::Contract { .. }
            | LedgerEvent::Restriction { .. }
            | LedgerEvent::Erasure { .. }
            | LedgerEvent::Suppression { .. }
            | LedgerEvent::Attribute { .. }
            | LedgerEvent::Occurrence { .. }
            | LedgerEvent::Duty { .. } => return,
        };
        let place = match lineage.height(purpose) {
            Some(0) => Place::Asked,
            Some(_) => Place::Above,
            None if lineage.touches(purpose) => Place::Below,
            None => return,
        };
        let is_no = consent.is_none_or(|c| c.state.is_a_no());
        let recipient = match recipient.as_ref().map(|named| (named, speaks_of(named))) {
            None => None,
            Some((named, Some(true))) => Some(named),
            // It must not be lost: that it was not for the one who is asked about, nobody can say.
            Some((_, None)) if is_no => None,
            Some((_, None | Some(false))) => return,
        };
        let state = consent.map_or(ConsentState::Unknown, |c| c.state);
        let revision = counted.recorded.revision;
        let event = Event { purpose, place, recipient, effective: counted.as_of, revision, state };
        match consent {
            None => self.close(Ender { event, told: None, own_no: true, objection: true }),
            Some(consent) => self.hear_consent(event, consent, at),
        }
    }

    fn hear_consent(&mut self, event: Event<'a>, consent: &ConsentEvent, at: Moment) {
        match consent.state {
            ConsentState::Given | ConsentState::Renewed => {
                let expired = consent.valid_until.filter(|until| at >= *until);
                self.grants.push(Grant { event, kind: consent.kind, expired });
            }
            ConsentState::Refused
            | ConsentState::Withdrawn
            | ConsentState::Expired
            | ConsentState::Revoked
            | ConsentState::Invalidated => {
                let own_no = consent.state.is_a_no();
                self.close(Ender { event, told: Some(event), own_no, objection: false });
            }
            ConsentState::Unknown | ConsentState::Requested | ConsentState::Deferred => {
                self.waiting.push(event)
            }
        }
    }

    fn close(&mut self, new: Ender<'a>) {
        let same = |e: &&mut Ender<'_>| {
            e.event.purpose == new.event.purpose && e.event.recipient == new.event.recipient
        };
        let Some(held) = self.enders.iter_mut().find(same) else { return self.enders.push(new) };
        held.event = if new.event.rank() > held.event.rank() { new.event } else { held.event };
        held.told = held.told.into_iter().chain(new.told).max_by_key(Event::rank);
        held.own_no |= new.own_no;
        held.objection |= new.objection;
    }

    fn standing(&self) -> Standing {
        let kinds = self.kinds();
        let standing_enders = || self.enders.iter().filter(|e| self.lifters(e).next().is_none());
        let valid = self.contributors().map(|g| g.event).max_by_key(|e| (e.effective, e.revision));
        let state = match valid {
            Some(grant) if !kinds.is_empty() => grant.state,
            Some(_) | None => self.state_without_consent(),
        };
        Standing {
            kinds,
            said_no: standing_enders().any(|e| e.own_no),
            objected: standing_enders().any(|e| e.objection),
            state,
            recorded: self.covering().next().is_some()
                || !self.enders.is_empty()
                || self.waiting.iter().any(|e| e.place != Place::Below),
        }
    }

    /// The kinds that stand: of the grants that nothing ended, but none stronger than what lifted any of the enders.
    fn kinds(&self) -> KindSet {
        let stands = |kind: ConsentKind| {
            self.contributors().any(|g| g.kind.satisfies(kind))
                && self.enders.iter().all(|e| self.lifters(e).any(|g| g.kind.satisfies(kind)))
        };
        let said = |kind: ConsentKind| {
            let lifters = self.enders.iter().flat_map(|e| self.lifters(e));
            self.contributors().chain(lifters).any(|g| g.kind == kind)
        };
        let kinds = ConsentKind::ALL.into_iter().filter(|kind| said(*kind) && stands(*kind));
        kinds.fold(KindSet::EMPTY, KindSet::with)
    }

    /// The grants for the asked purpose or one above it.
    fn covering(&self) -> impl Iterator<Item = &Grant<'a>> {
        self.grants.iter().filter(|g| g.event.place != Place::Below)
    }

    /// The covering grants that neither ran out nor were ended.
    fn contributors(&self) -> impl Iterator<Item = &Grant<'a>> {
        self.covering().filter(|g| g.expired.is_none() && !self.enders.iter().any(|e| e.ends(g)))
    }

    /// The grants that stand and lift the ender: for the same recipient, in the right place, and not themselves ended
    /// by anything that is said of that recipient or of all.
    fn lifters(&self, ender: &Ender<'a>) -> impl Iterator<Item = &Grant<'a>> {
        let recipient = ender.event.recipient;
        let below = (ender.event.place == Place::Below).then_some(ender.event.purpose);
        self.grants.iter().filter(move |g| {
            let in_place = match below {
                Some(purpose) => g.event.purpose == purpose,
                None => g.event.place != Place::Below,
            };
            let bears_on = |e: &&Ender<'_>| e.event.recipient.is_none() || e.event.recipient == recipient;
            in_place
                && g.event.recipient == recipient
                && g.expired.is_none()
                && !self.enders.iter().filter(bears_on).any(|e| e.ends(g))
        })
    }

    /// The latest of what ended, ran out, or is still waiting for an answer; at one moment the strictest.
    fn state_without_consent(&self) -> ConsentState {
        let ended = self.enders.iter().filter(|e| self.lifters(e).next().is_none()).filter_map(|e| e.told);
        let ran_out = self.covering().filter_map(|g| {
            let until = g.expired.filter(|_| !self.enders.iter().any(|e| e.ends(g)))?;
            let effective = until.max(g.event.effective);
            Some(Event { state: ConsentState::Expired, effective, ..g.event })
        });
        let waiting = self.waiting.iter().filter(|e| e.place != Place::Below).copied();
        ended.chain(ran_out).chain(waiting).max_by_key(Event::rank).map_or(ConsentState::Unknown, |e| e.state)
    }
}

impl Event<'_> {
    /// The order of what is told: by effective time, at one moment the stricter last, then by revision.
    fn rank(&self) -> (Moment, u8, LedgerRevision) {
        (self.effective, strictness(self.state), self.revision)
    }
}

impl Ender<'_> {
    /// Whether it ends the grant, or keeps it from reaching the asked purpose: the recipient is not looked at.
    fn ends(&self, grant: &Grant<'_>) -> bool {
        let later = grant.event.effective > self.event.effective;
        let at_or_below = grant.event.purpose.is_within(self.event.purpose);
        match (self.event.place, grant.event.place) {
            // It closes a part of what the grant is for; whether that part was opened again is asked there.
            (Place::Below, Place::Asked | Place::Above) => false,
            (Place::Below, Place::Below) => at_or_below && !later,
            // Whatever covers the asked purpose covers the asked one itself and everything below.
            (Place::Asked | Place::Above, Place::Below | Place::Asked) => !later,
            (Place::Asked | Place::Above, Place::Above) => !(later && at_or_below),
        }
    }
}

/// Orders states that are told of the same moment.
const fn strictness(state: ConsentState) -> u8 {
    match state {
        ConsentState::Given | ConsentState::Renewed => 0,
        ConsentState::Unknown => 1,
        ConsentState::Requested => 2,
        ConsentState::Deferred => 3,
        ConsentState::Expired => 4,
        ConsentState::Revoked => 5,
        ConsentState::Invalidated => 6,
        ConsentState::Refused => 7,
        ConsentState::Withdrawn => 8,
    }
}
