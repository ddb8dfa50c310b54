//! The facts that rules may ask, and those of them that the product itself knows how to state.

use std::sync::Arc;

use consentry_model::{ConsentKind, ContractState, FactDef, FactId, FactSchema, FactSource, FactType};

/// How far an identity was proven, from the lowest to the highest.
pub(crate) const ASSURANCE: [&str; 4] = ["none", "low", "substantial", "high"];

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
}

pub(crate) fn core_schema() -> (FactSchema, CoreFacts) {
    let mut schema = FactSchema::default();
    let mut fact =
        |name: &str, ty: FactType, source: FactSource| schema.add(FactDef { name: name.into(), ty, source });
    let consent = ConsentKind::ALL
        .map(|kind| fact(&format!("consent.{}", kind.code()), FactType::Bool, FactSource::Person));
    let contract = FactType::Word(ContractState::ALL.iter().map(|s| Arc::from(s.code())).collect());
    let assurance = FactType::Level(ASSURANCE.iter().map(|w| Arc::from(*w)).collect());
    let core = CoreFacts {
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
    };
    (schema, core)
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
