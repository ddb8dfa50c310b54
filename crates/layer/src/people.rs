//! The ledger's answer → facts about a person.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use consentry_consent::{
    Ledger, Standing, attribute, attributes, collected_at, contract, erased, informed, restricted,
    standing_for, suppressed, told_of,
};
use consentry_model::{
    Category, ClassId, ConsentKind, ContractState, FactId, FactValue, Facts, Identifier, LedgerEvent,
    LedgerRevision, Lineage, Moment, Reason, RecipientId, RecordedEvent, Resolution, SubjectRef,
    SubjectState, SubjectType,
};
use consentry_policy::{BuiltIn, Bundle, FactFrom, FactTarget, OperandType, Person, Value, age, is_country};

use crate::asking::Asking;
use crate::data::DataFacts;
use crate::describe::Access;
use crate::layer::Shared;
use crate::stated::{Found, Stated, birth};

/// A person as far as the ledger knows.
#[derive(Clone, Debug)]
pub(crate) enum Whom {
    /// Nobody in particular: the route says that nobody is identified.
    Nobody,
    /// What the ledger says.
    Somebody(Resolution),
}

impl Whom {
    pub(crate) fn subject(&self) -> Option<SubjectRef> {
        self.state().map(|state| state.subject)
    }

    /// What is recorded about a person whom the ledger knows.
    pub(crate) fn state(&self) -> Option<&Arc<SubjectState>> {
        match self {
            Self::Somebody(Resolution::Known(state)) => Some(state),
            Self::Nobody | Self::Somebody(Resolution::Unresolved) => None,
        }
    }

    /// The same person, as if these events were recorded already, at `now`.
    pub(crate) fn with(self, events: &[LedgerEvent], now: Moment) -> Self {
        let Self::Somebody(Resolution::Known(state)) = &self else { return self };
        if events.is_empty() {
            return self;
        }
        let mut state = SubjectState::clone(state);
        let last = state.events.last().map_or(0, |recorded| recorded.revision.0);
        let added = (1..).zip(events).map(|(n, event)| RecordedEvent {
            revision: LedgerRevision(last.saturating_add(n)),
            recorded_at: now,
            event: event.clone(),
        });
        state.events.extend(added);
        Self::Somebody(Resolution::Known(Arc::new(state)))
    }

    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Self::Somebody(Resolution::Unresolved))
    }
}

/// Asks the ledger about several people at once, within the time it has.
pub(crate) async fn resolve(
    shared: &Shared,
    who: &[Identifier],
) -> Result<(LedgerRevision, Vec<Resolution>), Reason> {
    let wait = Duration::from_millis(shared.limits.ledger_wait_ms_max);
    let answer = tokio::time::timeout(wait, shared.ledger.resolve(who)).await;
    let batch = answer.map_err(|_| Reason::LedgerUnavailable)?.map_err(|_| Reason::LedgerUnavailable)?;
    if batch.answers.len() != who.len() {
        return Err(Reason::LedgerUnavailable);
    }
    Ok((batch.revision, batch.answers))
}

/// The ledger's revision, for rulings that ask about nobody.
pub(crate) async fn revision(shared: &Shared) -> Result<LedgerRevision, Reason> {
    let wait = Duration::from_millis(shared.limits.ledger_wait_ms_max);
    let ledger: &Arc<dyn Ledger> = &shared.ledger;
    let answer = tokio::time::timeout(wait, ledger.revision()).await;
    answer.map_err(|_| Reason::LedgerUnavailable)?.map_err(|_| Reason::LedgerUnavailable)
}

/// Everything about a person that does not depend on the data class.
pub(crate) struct Told<'a> {
    pub(crate) stated: Stated,
    pub(crate) person: Person,
    pub(crate) whom: &'a Whom,
    pub(crate) asking: &'a Asking,
    /// What nobody knew, and the bundle assumes.
    pub(crate) assumed: Vec<FactId>,
    /// In which capacity, where only the ledger knows.
    pub(crate) subject_type: Option<SubjectType>,
    /// The facts about data by since when they are there, as far as they were worked out.
    pub(crate) of_data: RefCell<Vec<(Value, Arc<DataFacts>)>>,
    /// Whether the ledger knows of anything when it was collected.
    collections: OnceCell<bool>,
}

impl<'a> Told<'a> {
    /// Whom it is about.
    pub(crate) const fn whom(&self) -> &'a Whom {
        self.whom
    }

    /// Whether the ledger knows of any of the person's data when it was collected.
    pub(crate) fn has_collections(&self, now: Moment) -> bool {
        let any = |_: &Category| true;
        *self
            .collections
            .get_or_init(|| self.whom.state().is_some_and(|state| collected_at(state, &any, now).is_some()))
    }

    /// The names of the assumed facts that bear on one class: some rule that speaks of it asks them.
    pub(crate) fn assumed_for(&self, access: &Access, class: ClassId) -> Vec<Arc<str>> {
        if self.assumed.is_empty() {
            return Vec::new();
        }
        let bears = |fact: &&FactId| access.asks(self.asking, class, **fact);
        let schema = &access.bundle().facts.schema;
        let named = self.assumed.iter().filter(bears).filter_map(|fact| schema.def(*fact));
        named.map(|def| Arc::clone(&def.name)).collect()
    }

    /// Leaves unknown what is only assumed.
    pub(crate) fn assume_nothing(&mut self) {
        for fact in self.assumed.drain(..) {
            self.stated.facts.set(fact, None);
        }
    }

    /// The same facts, about nobody: what is recorded of answers that the records decide.
    pub(crate) fn of_nobody(other: &Told<'a>) -> Self {
        Self {
            stated: other.stated.clone(),
            person: other.person,
            whom: &Whom::Nobody,
            asking: other.asking,
            assumed: other.assumed.clone(),
            subject_type: other.subject_type.clone(),
            of_data: RefCell::default(),
            collections: OnceCell::new(),
        }
    }
}

impl Access {
    pub(crate) fn bundle(&self) -> &Bundle {
        self.installed.engine.bundle()
    }

    pub(crate) fn compare(&self, stated: &mut Stated) {
        let bundle = self.bundle();
        let zone = &bundle.settings.zone;
        bundle.facts.operands.state(&stated.values, self.now, zone, &mut stated.facts);
    }

    /// The facts of a person for one purpose and recipient, and what colours the reason.
    pub(crate) fn told<'a>(&self, whom: &'a Whom, own: bool, asking: &'a Asking) -> Told<'a> {
        let book = &self.bundle().facts;
        let mut stated = self.circumstances(asking).clone();
        stated.facts.set_bool(book.core.own, own);
        if let Some(name) = &self.named {
            stated.values.set(book.core_operands.subject, Value::Id(Arc::clone(name)));
        }
        let mut told = Told {
            stated,
            person: Person::UNRESOLVED,
            whom,
            asking,
            assumed: Vec::new(),
            subject_type: None,
            of_data: RefCell::default(),
            collections: OnceCell::new(),
        };
        if !whom.is_unknown() {
            self.state_person(&mut told);
        }
        self.state_age(&mut told);
        told
    }

    fn state_person(&self, told: &mut Told<'_>) {
        let (bundle, now) = (self.bundle(), self.now);
        let (book, core) = (&bundle.facts, &bundle.facts.core);
        let state = told.whom.state().map(Arc::as_ref);
        let region = self.region(told, state);
        let (facts, asking) = (&mut told.stated.facts, told.asking);
        let matches =
            |named: &RecipientId| bundle.vocabulary.recipient_is(asking.recipient.as_str(), named.as_str());
        let speaks_of =
            |named: &RecipientId| bundle.vocabulary.speaks_of(named.as_str(), asking.recipient.as_str());
        let stands = |lineage: &Lineage| state.map(|s| standing_for(s, lineage, &speaks_of, now));
        let count = |standing: Option<&Standing>, kind: ConsentKind| {
            let kinds = standing.map_or(consentry_model::KindSet::EMPTY, |s| s.kinds);
            let valid = |k: &ConsentKind| kinds.contains(*k) && bundle.regimes.counts(*k, region.as_deref());
            ConsentKind::ALL.iter().filter(|k| valid(k)).any(|k| k.satisfies(kind))
        };
        let counts = |lineage: &Lineage, kind: ConsentKind| count(stands(lineage).as_ref(), kind);
        let standing = stands(&asking.lineage);
        for kind in ConsentKind::ALL {
            facts.set_bool(core.consent_of(kind), count(standing.as_ref(), kind));
        }
        facts.set_bool(core.said_no, standing.is_some_and(|s| s.said_no));
        let contract = state.map_or(ContractState::None, |s| contract(s, now));
        facts.set_word(&book.schema, core.contract, contract.code());
        facts.set_bool(core.erased, state.is_some_and(|s| erased(s, now)));
        facts.set_bool(core.restricted, state.is_some_and(|s| restricted(s, now)));
        self.state_built_in(facts, asking, state, region.as_deref(), &counts);
        if let Some(id) = book.built_in(&BuiltIn::Region) {
            match &region {
                Some(region) => facts.set_word(&book.schema, id, region),
                None => facts.set(id, None),
            }
        }
        // What was only deduced from conduct, or counts under no regime that may govern, is nobody's choice.
        let chosen = |s: &Standing| {
            let kinds =
                ConsentKind::ALL.iter().filter(|k| s.kinds.contains(**k) && **k != ConsentKind::Implied);
            !s.state.is_valid() || kinds.into_iter().any(|k| bundle.regimes.counts(*k, region.as_deref()))
        };
        told.person = match standing {
            None => Person::ANONYMOUS,
            Some(s) => {
                let consent = (s.recorded && chosen(&s)).then_some(s.state);
                Person { resolved: true, consent, objected: s.objected }
            }
        };
        self.state_relations(told, state, &matches);
    }

    /// What the product itself states of a person when a rule asks it.
    fn state_built_in(
        &self,
        facts: &mut Facts,
        asking: &Asking,
        state: Option<&SubjectState>,
        region: Option<&str>,
        counts: &dyn Fn(&Lineage, ConsentKind) -> bool,
    ) {
        let (bundle, now) = (self.bundle(), self.now);
        let book = &bundle.facts;
        for (built_in, id) in &book.built_in {
            let value = match built_in {
                BuiltIn::Suppressed => Some(state.is_some_and(|s| suppressed(s, now))),
                BuiltIn::Informed => Some(state.is_some_and(|s| informed(s, now))),
                BuiltIn::Regime(regime) => {
                    let found = bundle.regimes.all.iter().find(|r| r.id == *regime);
                    found.and_then(|r| r.governs(bundle.regimes.home, region))
                }
                BuiltIn::TransferAdequate => {
                    let to = bundle.recipients.get(&asking.recipient).map(|r| r.country);
                    to.map(|to| bundle.regimes.adequate(to, region, now))
                }
                BuiltIn::ConsentTo(purpose, kind) => {
                    bundle.vocabulary.lineage(purpose).map(|lineage| counts(&lineage, *kind))
                }
                BuiltIn::Region
                | BuiltIn::Age
                | BuiltIn::SubjectType
                | BuiltIn::Tls
                | BuiltIn::Signed
                | BuiltIn::RecipientCountry
                | BuiltIn::RecipientSafeguard
                | BuiltIn::RecipientAgreement
                | BuiltIn::RecipientTask
                | BuiltIn::PurposeNew
                | BuiltIn::PurposeTold
                | BuiltIn::GroupSize
                | BuiltIn::Population
                | BuiltIn::MessageUnsubscribe
                | BuiltIn::MessageSender
                | BuiltIn::MessageAddress
                | BuiltIn::MessageMarked => continue,
            };
            facts.set(*id, value.map(FactValue::Bool));
        }
    }

    /// Where the person lives: as the ledger says, or the request. Where the two differ nobody knows.
    fn region(&self, told: &Told<'_>, state: Option<&SubjectState>) -> Option<String> {
        let book = &self.bundle().facts;
        let id = book.built_in(&BuiltIn::Region);
        // What nobody can read may differ from what is recorded.
        if id.is_some_and(|id| told.stated.unreadable.contains(&FactTarget::Fact(id))) {
            return None;
        }
        let of_request = id.and_then(|id| {
            let FactValue::Word(at) = told.stated.facts.get(id)? else { return None };
            book.schema.def(id)?.ty.words().get(usize::from(at)).map(ToString::to_string)
        });
        // What is no country is nowhere in particular, and not elsewhere.
        let recorded = state.and_then(|s| attribute(s, "region", self.now));
        let of_ledger = recorded.filter(|region| is_country(region)).map(str::to_owned);
        if recorded.is_some() && of_ledger.is_none() {
            return None;
        }
        match (of_request, of_ledger) {
            (Some(a), Some(b)) if a != b => None,
            (a, b) => a.or(b),
        }
    }

    /// What the ledger says about the person beyond consents: attributes, times.
    fn state_relations(
        &self,
        told: &mut Told<'_>,
        state: Option<&SubjectState>,
        matches: &dyn Fn(&RecipientId) -> bool,
    ) {
        let (bundle, now) = (self.bundle(), self.now);
        let (book, zone) = (&bundle.facts, &bundle.settings.zone);
        let told_of = state.and_then(|s| told_of(s, matches, now));
        told.stated
            .values
            .set(book.core_operands.told_of_recipient, told_of.map_or(Value::Absent, Value::Time));
        for (target, from) in &book.from {
            let FactFrom::Attribute(name) = from else { continue };
            let several = |id| book.operands.def(id).is_some_and(|def| def.ty == OperandType::Ids);
            let found = match (target, state) {
                (_, None) => Found::Null,
                (FactTarget::Operand(id), Some(s)) if several(*id) => {
                    Found::Texts(attributes(s, name, now).into_iter().map(str::to_owned).collect())
                }
                (_, Some(s)) => {
                    attribute(s, name, now).map_or(Found::Null, |value| Found::Text(value.to_owned()))
                }
            };
            told.stated.state(book, *target, &found, zone);
        }
        let capacity = state.and_then(|s| attribute(s, "type", now));
        told.subject_type = capacity.map(SubjectType::new);
        if let (Some(id), Some(word)) = (book.built_in(&BuiltIn::SubjectType), capacity) {
            told.stated.facts.set_word(&book.schema, id, word);
        }
    }

    /// The age, from the day of birth that the request or the ledger knows; else what the bundle assumes.
    fn state_age(&self, told: &mut Told<'_>) {
        let bundle = self.bundle();
        let (book, zone) = (&bundle.facts, &bundle.settings.zone);
        let Some(id) = book.built_in(&BuiltIn::Age) else { return };
        let of_request = match told.stated.values.get(book.core_operands.born) {
            Value::Time(born) => Some(*born),
            Value::Unknown | Value::Absent | Value::Id(_) | Value::Ids(_) => None,
        };
        let recorded = told.whom.state().and_then(|s| attribute(s, "born", self.now));
        let of_ledger = recorded.and_then(|text| birth(text, zone));
        // Of two days of birth the later one binds: nobody grows older by typing another one.
        let born = of_request.max(of_ledger);
        let stated = told.stated.facts.get(id);
        let years = born.and_then(|born| age(born, self.now, zone)).map(FactValue::Int);
        // Of two ages the lower one binds.
        let known = match (stated, years) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let places = [FactTarget::Operand(book.core_operands.born), FactTarget::Fact(id)];
        let unclear = places.iter().any(|place| told.stated.unreadable.contains(place))
            || (recorded.is_some() && of_ledger.is_none())
            || (born.is_some() && years.is_none());
        // Assumed is what nobody said, and not what somebody said in a way that nobody can read.
        let known = known.filter(|_| !unclear).or_else(|| {
            let assumption = book.assumed.iter().find(|a| a.fact == id && !unclear)?;
            told.assumed.push(id);
            Some(assumption.value)
        });
        told.stated.facts.set(id, known);
    }
}
