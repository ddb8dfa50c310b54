//! What is known of a person, of whoever receives and of the datum: what a request would find.

use consentry_consent::{
    Standing, attribute, attributes, collected_at, contract, erased, informed, notified_of, restricted,
    standing_for, suppressed, told_of,
};
use consentry_model::{
    Act, ConsentKind, FactId, FactType, FactValue, Facts, KindSet, Moment, RecipientId, SubjectState,
};
use consentry_policy::{
    BuiltIn, Bundle, DataClass, Duty, Engine, FactFrom, FactTarget, OperandType, Person, Question, Value,
    Values, Verb, age, day_in, is_country,
};

/// Of whom something is asked, and when.
pub(super) struct Asked<'a> {
    pub(super) engine: &'a Engine,
    pub(super) question: &'a Question,
    pub(super) class: &'a DataClass,
    /// `None` for somebody whom the ledger does not know.
    pub(super) state: Option<&'a SubjectState>,
    pub(super) at: Moment,
}

impl Asked<'_> {
    /// The facts, beside those of the request, and what colours the reason.
    pub(super) fn facts(&self, mut facts: Facts) -> (Facts, Person) {
        let bundle = self.bundle();
        let mut values = Values::default();
        self.state_recipient(&mut facts, &mut values);
        let person = match self.state {
            Some(state) => self.state_person(state, &mut facts, &mut values),
            None => Person::UNRESOLVED,
        };
        self.state_age(&mut facts);
        bundle.facts.operands.state(&values, self.at, &bundle.settings.zone, &mut facts);
        if self.state.is_some() {
            self.state_held(&values, &mut facts);
        }
        (facts, person)
    }

    fn bundle(&self) -> &Bundle {
        self.engine.bundle()
    }

    fn say(&self, facts: &mut Facts, built_in: &BuiltIn, value: Option<bool>) {
        if let Some(id) = self.bundle().facts.built_in(built_in) {
            facts.set(id, value.map(FactValue::Bool));
        }
    }

    fn word(&self, facts: &mut Facts, built_in: &BuiltIn, word: Option<&str>) {
        let book = &self.bundle().facts;
        if let (Some(id), Some(word)) = (book.built_in(built_in), word) {
            facts.set_word(&book.schema, id, word);
        }
    }

    fn state_recipient(&self, facts: &mut Facts, values: &mut Values) {
        let (bundle, name) = (self.bundle(), self.question.recipient.as_str());
        values.set(bundle.facts.core_operands.recipient, Value::Id(name.into()));
        let registered = bundle.recipients.get(&self.question.recipient);
        let home = bundle.regimes.home.filter(|_| name == "internal");
        self.word(facts, &BuiltIn::RecipientCountry, registered.map(|r| r.country).or(home));
        self.word(
            facts,
            &BuiltIn::RecipientSafeguard,
            Some(registered.map_or("none", |r| r.safeguard(self.at))),
        );
        self.say(facts, &BuiltIn::RecipientAgreement, Some(registered.is_some_and(|r| r.agreement(self.at))));
        let covers = |task| bundle.vocabulary.covers(task, &self.question.purpose);
        self.say(
            facts,
            &BuiltIn::RecipientTask,
            Some(registered.is_some_and(|r| r.tasks.iter().any(covers))),
        );
        for regime in &bundle.regimes.all {
            let governs = regime.governs(bundle.regimes.home, None);
            self.say(facts, &BuiltIn::Regime(regime.id.clone()), governs);
        }
    }

    fn state_person(&self, state: &SubjectState, facts: &mut Facts, values: &mut Values) -> Person {
        let (bundle, at) = (self.bundle(), self.at);
        let (book, core) = (&bundle.facts, &bundle.facts.core);
        let recorded = attribute(state, "region", at);
        let region = recorded.filter(|region| is_country(region));
        self.word(facts, &BuiltIn::Region, region);
        facts.set_word(&book.schema, core.contract, contract(state, at).code());
        facts.set_bool(core.erased, erased(state, at));
        facts.set_bool(core.restricted, restricted(state, at));
        self.say(facts, &BuiltIn::Suppressed, Some(suppressed(state, at)));
        self.say(facts, &BuiltIn::Informed, Some(informed(state, at)));
        self.word(facts, &BuiltIn::SubjectType, attribute(state, "type", at));
        for regime in &bundle.regimes.all {
            let governs = regime.governs(bundle.regimes.home, region);
            self.say(facts, &BuiltIn::Regime(regime.id.clone()), governs);
        }
        let to = bundle.recipients.get(&self.question.recipient).map(|r| r.country);
        let adequate = to.map(|to| bundle.regimes.adequate(to, region, at));
        self.say(facts, &BuiltIn::TransferAdequate, adequate);
        self.state_attributes(state, facts, values);
        self.state_collection(state, facts, values);
        self.state_wish(state, region, facts)
    }

    /// What the person agreed to and refused, as far as it counts where the person lives.
    fn state_wish(&self, state: &SubjectState, region: Option<&str>, facts: &mut Facts) -> Person {
        let (bundle, core) = (self.bundle(), &self.bundle().facts.core);
        let vocabulary = &bundle.vocabulary;
        let speaks_of =
            |named: &RecipientId| vocabulary.speaks_of(named.as_str(), self.question.recipient.as_str());
        let stands = |purpose| {
            let lineage = vocabulary.lineage(purpose)?;
            Some(standing_for(state, &lineage, &speaks_of, self.at))
        };
        let valid =
            |kinds: KindSet, kind: ConsentKind| kinds.contains(kind) && bundle.regimes.counts(kind, region);
        let counts = |standing: &Standing, kind: ConsentKind| {
            ConsentKind::ALL.into_iter().any(|k| valid(standing.kinds, k) && k.satisfies(kind))
        };
        for (built_in, id) in &bundle.facts.built_in {
            if let BuiltIn::ConsentTo(purpose, kind) = built_in {
                let counts = stands(purpose).map(|standing| counts(&standing, *kind));
                facts.set(*id, counts.map(FactValue::Bool));
            }
        }
        // Of a purpose without a lineage nothing can be said: everything about the wish stays unknown.
        let Some(standing) = stands(&self.question.purpose) else { return Person::ANONYMOUS };
        for kind in ConsentKind::ALL {
            facts.set_bool(core.consent_of(kind), counts(&standing, kind));
        }
        facts.set_bool(core.said_no, standing.said_no);
        let chosen = !standing.state.is_valid()
            || ConsentKind::ALL.into_iter().any(|k| k != ConsentKind::Implied && valid(standing.kinds, k));
        let consent = (standing.recorded && chosen).then_some(standing.state);
        Person { resolved: true, consent, objected: standing.objected }
    }

    /// What the ledger says about the person that the bundle asks for by a name of its own.
    fn state_attributes(&self, state: &SubjectState, facts: &mut Facts, values: &mut Values) {
        let (book, zone) = (&self.bundle().facts, &self.bundle().settings.zone);
        for (target, from) in &book.from {
            let FactFrom::Attribute(name) = from else { continue };
            let said = attribute(state, name, self.at);
            match target {
                FactTarget::Fact(id) => facts.set(*id, said.and_then(|said| self.read(*id, said))),
                FactTarget::Operand(id) => {
                    let value = match (book.operands.def(*id).map(|def| def.ty), said) {
                        (Some(OperandType::Ids), _) => {
                            Value::Ids(attributes(state, name, self.at).into_iter().map(Into::into).collect())
                        }
                        (_, None) => Value::Absent,
                        (Some(OperandType::Id), Some(said)) => Value::Id(said.into()),
                        (Some(OperandType::Time), Some(said)) => {
                            day_in(said, zone).map_or(Value::Unknown, Value::Time)
                        }
                        (None, Some(_)) => Value::Unknown,
                    };
                    values.set(*id, value);
                }
            }
        }
    }

    fn read(&self, id: FactId, said: &str) -> Option<FactValue> {
        match &self.bundle().facts.schema.def(id)?.ty {
            FactType::Bool => said.parse().ok().map(FactValue::Bool),
            FactType::Int => said.parse().ok().filter(|n: &i64| n.to_string() == said).map(FactValue::Int),
            FactType::Word(words) | FactType::Level(words) => {
                let at = words.iter().position(|word| **word == *said)?;
                u16::try_from(at).ok().map(FactValue::Word)
            }
        }
    }

    /// Since when the datum is there, under which notice, and whether the person was told of the recipient.
    fn state_collection(&self, state: &SubjectState, facts: &mut Facts, values: &mut Values) {
        let (bundle, at) = (self.bundle(), self.at);
        let (vocabulary, operands) = (&bundle.vocabulary, &bundle.facts.core_operands);
        let recipient = self.question.recipient.as_str();
        let told = told_of(state, &|named| vocabulary.recipient_is(recipient, named.as_str()), at);
        values.set(operands.told_of_recipient, told.map_or(Value::Absent, Value::Time));
        let covers = |given: &_| vocabulary.category_is(&self.class.category, given);
        let given_now = (self.question.act == Act::Collect).then_some(at);
        let since = collected_at(state, &covers, at).or(given_now);
        values.set(operands.collected_at, since.map_or(Value::Unknown, Value::Time));
        let (new, heard) = match vocabulary.since(&self.question.purpose) {
            None => (Some(false), Some(true)),
            Some(id) => match bundle.settings.versions.iter().find(|(version, _)| version == id) {
                None => (None, None),
                Some((_, from)) => {
                    let heard = *from <= at && notified_of(state, id, at).is_some();
                    (since.map(|since| since < *from), Some(heard))
                }
            },
        };
        self.say(facts, &BuiltIn::PurposeNew, new);
        self.say(facts, &BuiltIn::PurposeTold, heard);
    }

    /// The age by the day of birth on record; else what the bundle assumes where nobody said one.
    fn state_age(&self, facts: &mut Facts) {
        let (book, zone) = (&self.bundle().facts, &self.bundle().settings.zone);
        let Some(id) = book.built_in(&BuiltIn::Age) else { return };
        let born = self.state.and_then(|state| attribute(state, "born", self.at));
        let known = match born {
            Some(born) => day_in(born, zone).and_then(|born| age(born, self.at, zone)).map(FactValue::Int),
            None => book.assumed.iter().find(|assumption| assumption.fact == id).map(|a| a.value),
        };
        facts.set(id, known);
    }

    /// Whether a duty to keep the datum runs.
    fn state_held(&self, values: &Values, facts: &mut Facts) {
        let bundle = self.bundle();
        let mut held = Some(false);
        for rule in &bundle.rules {
            let Verb::Require(Duty::Keep { period, since, .. }) = &rule.verb else { continue };
            let runs = match values.get(*since) {
                Value::Time(since) => period.after(*since, &bundle.settings.zone).map(|end| self.at < end),
                Value::Absent => Some(false),
                Value::Unknown | Value::Id(_) | Value::Ids(_) => None,
            };
            held = match self.engine.binds(rule, self.class, self.question, facts, self.at) {
                Some(false) => held,
                Some(true) if runs == Some(true) => Some(true),
                Some(true) if runs == Some(false) => held,
                Some(true) | None => held.filter(|held| *held),
            };
        }
        facts.set(bundle.facts.core.held, held.map(FactValue::Bool));
    }
}
