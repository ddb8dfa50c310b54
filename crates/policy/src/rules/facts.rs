//! The facts that rules may ask, and those of them that the product itself knows how to state.

use std::collections::BTreeMap;
use std::sync::Arc;

use consentry_model::{
    ConsentKind, ContractState, FactDef, FactId, FactSchema, FactSource, FactType, FactValue, Purpose,
};

use super::operand::{OperandDef, OperandId, OperandType, Operands, Predicate};
use crate::bundle::{FactTarget, Reference};

/// How far an identity was proven, from the lowest to the highest.
pub(crate) const ASSURANCE: [&str; 4] = ["none", "low", "substantial", "high"];

/// The versions of TLS that a connection can have, from none to the highest.
const TLS: [&str; 3] = ["none", "tls1.2", "tls1.3"];

/// The safeguards of a transfer, as a recipient states them.
pub(crate) const SAFEGUARDS: [&str; 4] = ["none", "scc", "idta", "bcr"];

/// What the answer is about: one person, or a group.
const SHAPES: [&str; 2] = ["single", "aggregate"];

/// About how much of its population an aggregate is.
const POPULATIONS: [&str; 3] = ["none", "all", "filtered"];

/// Whose address a message is sent from.
const SENDERS: [&str; 2] = ["own", "other"];

/// The facts that every bundle has, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreFacts {
    /// `consent.<kind>`: a consent that satisfies the kind stands for the asked purpose and recipient; in the order of
    /// [`ConsentKind::ALL`].
    pub consent: [FactId; 5],
    /// `said_no`: the person's last word on the purpose, or one touching it, is a no.
    pub said_no: FactId,
    /// `subject.contract`.
    pub contract: FactId,
    /// `subject.erased`.
    pub erased: FactId,
    /// `subject.restricted`.
    pub restricted: FactId,
    /// `own`: the requester is this person, proved by the token.
    pub own: FactId,
    /// `request.assurance`: how far the requester's identity was proven.
    pub assurance: FactId,
    /// `request.gpc`: the request carries a valid `Sec-GPC: 1`.
    pub gpc: FactId,
    /// `request.legal`: the reference of a legal demand is there.
    pub legal: FactId,
    /// `request.approver`: the name of whoever approved answering it is there.
    pub approver: FactId,
    /// `datum.held`: a duty to keep the datum runs, although the person was erased.
    pub held: FactId,
    /// `datum.shape`: one person's data, or a figure about a group.
    pub shape: FactId,
}

/// A fact that the product states when a rule asks for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BuiltIn {
    /// `subject.suppressed`: nothing may be sent to the person.
    Suppressed,
    /// `subject.informed`: the person was told about cookies.
    Informed,
    /// `subject.region`: where the person lives, an ISO 3166-1 code.
    Region,
    /// `subject.age` in full years.
    Age,
    /// `subject.type`: the capacity that the ledger knows.
    SubjectType,
    /// `request.tls`.
    Tls,
    /// `request.signed`: the request is signed by whoever sends it.
    Signed,
    /// `recipient.country`, an ISO 3166-1 code.
    RecipientCountry,
    /// `recipient.safeguard`.
    RecipientSafeguard,
    /// `recipient.agreement`: a processing agreement is in force.
    RecipientAgreement,
    /// `recipient.task`: the asked purpose is one of the recipient's tasks.
    RecipientTask,
    /// `transfer.adequate`: the recipient's country is home, free, or adequate under every regime that may apply.
    TransferAdequate,
    /// `regime.<id>`: the regime governs this person's data.
    Regime(Arc<str>),
    /// `purpose.new`: the purpose came with a version of the policy later than the datum.
    PurposeNew,
    /// `purpose.told`: the person was told of the version that the purpose came with.
    PurposeTold,
    /// `datum.group_size`: how many people a figure is about.
    GroupSize,
    /// `population`.
    Population,
    /// `message.unsubscribe`: the message says how to stop further ones.
    MessageUnsubscribe,
    /// `message.sender_domain`.
    MessageSender,
    /// `message.postal_address`: the message carries the controller's address.
    MessageAddress,
    /// `message.marked`: the message is marked as advertising.
    MessageMarked,
    /// `consent_to.<purpose>`: a consent of the kind stands for another purpose than the asked one.
    ConsentTo(Purpose, ConsentKind),
}

/// Where a declared fact's value comes from, besides routes that state it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactFrom {
    /// A place in the request, whose value it is.
    Request(Reference),
    /// A place in the request: true when something stands there.
    Presence(Reference),
    /// An attribute of the person in the ledger.
    Attribute(Arc<str>),
    /// The bundle's own configuration.
    Constant(FactValue),
}

/// A value that stands in for an unknown one: the only way in which a bundle widens, and stamped as assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumption {
    /// The fact.
    pub fact: FactId,
    /// What is assumed.
    pub value: FactValue,
    /// Why.
    pub because: String,
    /// The clauses it rests on.
    pub clauses: Vec<Arc<str>>,
}

/// The operands that every bundle has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoreOperands {
    /// `subject.id`: the identifier by which the request or the record names the person.
    pub subject: OperandId,
    /// `recipient.id`.
    pub recipient: OperandId,
    /// `subject.told_of_recipient`: when the person was first told that the recipient may receive data.
    pub told_of_recipient: OperandId,
    /// `subject.born`: the first moment of the day of birth.
    pub born: OperandId,
    /// `datum.collected_at`: when the datum was given, the earliest time on record.
    pub collected_at: OperandId,
    /// `now`.
    pub now: OperandId,
    /// `message.product`.
    pub product: OperandId,
}

/// Everything that a bundle's rules may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactBook {
    /// The facts of the word.
    pub schema: FactSchema,
    /// Those that every bundle has.
    pub core: CoreFacts,
    /// Those of the product's own that some rule asks.
    pub built_in: BTreeMap<BuiltIn, FactId>,
    /// What is compared, and the comparisons.
    pub operands: Operands,
    /// The operands that every bundle has.
    pub core_operands: CoreOperands,
    /// Where declared facts and operands come from.
    pub from: Vec<(FactTarget, FactFrom)>,
    /// What is assumed where nothing is known.
    pub assumed: Vec<Assumption>,
    /// The values of data facts that a route does not state.
    pub defaults: Vec<(FactId, FactValue)>,
    /// The regimes of the bundle, whose facts may be asked.
    pub(crate) regimes: Vec<Arc<str>>,
    /// The subject types of the vocabulary.
    pub(crate) subject_types: Vec<Arc<str>>,
}

fn words(of: &[&str]) -> Arc<[Arc<str>]> {
    of.iter().map(|w| Arc::from(*w)).collect()
}

impl FactBook {
    pub(crate) fn new(regimes: Vec<Arc<str>>, subject_types: Vec<Arc<str>>) -> Self {
        let mut schema = FactSchema::default();
        let core = core_facts(&mut schema);
        let mut operands = Operands::default();
        let mut operand = |name: &str, ty| operands.add(OperandDef { name: name.into(), ty });
        let core_operands = CoreOperands {
            subject: operand("subject.id", OperandType::Id),
            recipient: operand("recipient.id", OperandType::Id),
            told_of_recipient: operand("subject.told_of_recipient", OperandType::Time),
            born: operand("subject.born", OperandType::Time),
            collected_at: operand("datum.collected_at", OperandType::Time),
            now: operand("now", OperandType::Time),
            product: operand("message.product", OperandType::Id),
        };
        Self {
            schema,
            core,
            built_in: BTreeMap::new(),
            operands,
            core_operands,
            from: Vec::new(),
            assumed: Vec::new(),
            defaults: Vec::new(),
            regimes,
            subject_types,
        }
    }

    /// The fact of that name; one of the product's own is there from the first time it is asked for.
    pub(crate) fn ask(&mut self, name: &str) -> Option<FactId> {
        self.schema.id(name).or_else(|| self.built_in_named(name).map(|built_in| self.ask_for(built_in)))
    }

    /// What the service map may state under a name.
    pub(crate) fn target(&mut self, name: &str) -> Option<FactTarget> {
        let fact = self.ask(name).map(FactTarget::Fact);
        fact.or_else(|| self.operands.id(name).map(FactTarget::Operand))
    }

    /// One of the product's own facts.
    pub(crate) fn ask_for(&mut self, built_in: BuiltIn) -> FactId {
        if let Some(id) = self.built_in.get(&built_in) {
            return *id;
        }
        let (name, ty, source) = self.definition(&built_in);
        let id = self.schema.add(FactDef { name: name.into(), ty, source });
        self.built_in.insert(built_in, id);
        id
    }

    /// The fact of a comparison.
    pub(crate) fn compare(&mut self, predicate: Predicate) -> FactId {
        if let Some(id) = self.operands.fact_of(&predicate) {
            return id;
        }
        let name = self.name_of(&predicate);
        let def = FactDef { name: name.into(), ty: FactType::Bool, source: FactSource::Derived };
        let id = self.schema.add(def);
        self.operands.derive(predicate, id);
        id
    }

    /// One of the product's own facts, if some rule asks it.
    #[must_use]
    pub fn built_in(&self, built_in: &BuiltIn) -> Option<FactId> {
        self.built_in.get(built_in).copied()
    }

    /// The names that a rule can ask for, for suggestions.
    pub(crate) fn names(&self) -> Vec<String> {
        let own = NAMED.iter().map(|(name, _)| (*name).to_owned());
        let regimes = self.regimes.iter().map(|r| format!("regime.{r}"));
        let declared = self.schema.iter().map(|(_, def)| def.name.to_string());
        let operands = self.operands.iter().map(|(_, def)| def.name.to_string());
        declared.chain(own).chain(regimes).chain(operands).collect()
    }

    fn name_of(&self, predicate: &Predicate) -> String {
        let name = |id: &OperandId| self.operands.def(*id).map_or_else(String::new, |d| d.name.to_string());
        match predicate {
            Predicate::Same(a, b) => format!("same({}, {})", name(a), name(b)),
            Predicate::Member(a, b) => format!("member({}, {})", name(a), name(b)),
            Predicate::Before(a, b) => format!("before({}, {})", name(a), name(b)),
            Predicate::Within(since, period) => format!("within({}, {period})", name(since)),
            Predicate::Present(operand) => format!("present({})", name(operand)),
        }
    }

    fn built_in_named(&self, name: &str) -> Option<BuiltIn> {
        if let Some(id) = name.strip_prefix("regime.") {
            return self.regimes.iter().find(|r| ***r == *id).map(|r| BuiltIn::Regime(Arc::clone(r)));
        }
        NAMED.iter().find(|(there, _)| *there == name).map(|(_, built_in)| built_in.clone())
    }

    fn definition(&self, built_in: &BuiltIn) -> (String, FactType, FactSource) {
        let named = NAMED.iter().find(|(_, there)| there == built_in).map(|(name, _)| (*name).to_owned());
        let name = if let BuiltIn::Regime(id) = built_in {
            format!("regime.{id}")
        } else if let BuiltIn::ConsentTo(purpose, kind) = built_in {
            format!("consent_to.{purpose}.{kind}")
        } else {
            named.unwrap_or_default()
        };
        let ty = match built_in {
            BuiltIn::Region | BuiltIn::RecipientCountry => FactType::Word(words(&crate::bundle::COUNTRIES)),
            BuiltIn::Age | BuiltIn::GroupSize => FactType::Int,
            BuiltIn::SubjectType => FactType::Word(self.subject_types.iter().cloned().collect()),
            BuiltIn::Tls => FactType::Level(words(&TLS)),
            BuiltIn::RecipientSafeguard => FactType::Word(words(&SAFEGUARDS)),
            BuiltIn::Population => FactType::Word(words(&POPULATIONS)),
            BuiltIn::MessageSender => FactType::Word(words(&SENDERS)),
            BuiltIn::Suppressed
            | BuiltIn::Informed
            | BuiltIn::Signed
            | BuiltIn::RecipientAgreement
            | BuiltIn::RecipientTask
            | BuiltIn::TransferAdequate
            | BuiltIn::Regime(_)
            | BuiltIn::PurposeNew
            | BuiltIn::PurposeTold
            | BuiltIn::MessageUnsubscribe
            | BuiltIn::MessageAddress
            | BuiltIn::MessageMarked
            | BuiltIn::ConsentTo(..) => FactType::Bool,
        };
        let source = match built_in {
            BuiltIn::Tls
            | BuiltIn::Signed
            | BuiltIn::Population
            | BuiltIn::MessageUnsubscribe
            | BuiltIn::MessageSender
            | BuiltIn::MessageAddress
            | BuiltIn::MessageMarked
            | BuiltIn::RecipientCountry
            | BuiltIn::RecipientSafeguard
            | BuiltIn::RecipientAgreement
            | BuiltIn::RecipientTask => FactSource::Request,
            BuiltIn::GroupSize => FactSource::Derived,
            BuiltIn::Suppressed
            | BuiltIn::Informed
            | BuiltIn::Region
            | BuiltIn::Age
            | BuiltIn::SubjectType
            | BuiltIn::TransferAdequate
            | BuiltIn::Regime(_)
            | BuiltIn::PurposeNew
            | BuiltIn::PurposeTold
            | BuiltIn::ConsentTo(..) => FactSource::Person,
        };
        (name, ty, source)
    }
}

const NAMED: [(&str, BuiltIn); 20] = [
    ("subject.suppressed", BuiltIn::Suppressed),
    ("subject.informed", BuiltIn::Informed),
    ("subject.region", BuiltIn::Region),
    ("subject.age", BuiltIn::Age),
    ("subject.type", BuiltIn::SubjectType),
    ("request.tls", BuiltIn::Tls),
    ("request.signed", BuiltIn::Signed),
    ("recipient.country", BuiltIn::RecipientCountry),
    ("recipient.safeguard", BuiltIn::RecipientSafeguard),
    ("recipient.agreement", BuiltIn::RecipientAgreement),
    ("recipient.task", BuiltIn::RecipientTask),
    ("transfer.adequate", BuiltIn::TransferAdequate),
    ("purpose.new", BuiltIn::PurposeNew),
    ("purpose.told", BuiltIn::PurposeTold),
    ("datum.group_size", BuiltIn::GroupSize),
    ("population", BuiltIn::Population),
    ("message.unsubscribe", BuiltIn::MessageUnsubscribe),
    ("message.sender_domain", BuiltIn::MessageSender),
    ("message.postal_address", BuiltIn::MessageAddress),
    ("message.marked", BuiltIn::MessageMarked),
];

fn core_facts(schema: &mut FactSchema) -> CoreFacts {
    let mut fact =
        |name: &str, ty: FactType, source: FactSource| schema.add(FactDef { name: name.into(), ty, source });
    let consent = ConsentKind::ALL
        .map(|kind| fact(&format!("consent.{}", kind.code()), FactType::Bool, FactSource::Person));
    let contract = FactType::Word(ContractState::ALL.iter().map(|s| Arc::from(s.code())).collect());
    let assurance = FactType::Level(words(&ASSURANCE));
    CoreFacts {
        consent,
        said_no: fact("said_no", FactType::Bool, FactSource::Person),
        contract: fact("subject.contract", contract, FactSource::Person),
        erased: fact("subject.erased", FactType::Bool, FactSource::Person),
        restricted: fact("subject.restricted", FactType::Bool, FactSource::Person),
        own: fact("own", FactType::Bool, FactSource::Person),
        assurance: fact("request.assurance", assurance, FactSource::Request),
        gpc: fact("request.gpc", FactType::Bool, FactSource::Request),
        legal: fact("request.legal", FactType::Bool, FactSource::Request),
        approver: fact("request.approver", FactType::Bool, FactSource::Request),
        held: fact("datum.held", FactType::Bool, FactSource::Person),
        shape: fact("datum.shape", FactType::Word(words(&SHAPES)), FactSource::Datum),
    }
}

impl CoreFacts {
    /// The fact of a consent kind.
    #[must_use]
    pub fn consent_of(&self, kind: ConsentKind) -> FactId {
        let [implied, soft_opt_in, opt_in, explicit, parental] = self.consent;
        match kind {
            ConsentKind::Implied => implied,
            ConsentKind::SoftOptIn => soft_opt_in,
            ConsentKind::OptIn => opt_in,
            ConsentKind::Explicit => explicit,
            ConsentKind::Parental => parental,
        }
    }
}
