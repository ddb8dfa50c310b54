//! What is asked whoever the person is: what is done, for whom and why, and what follows from that alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use consentry_model::{Act, ClassId, FactId, FactValue, Lineage, Purpose, RecipientId};
use consentry_policy::{BuiltIn, RecipientDef, Value};

use crate::data::DataFacts;
use crate::describe::Access;
use crate::stated::Stated;

/// What is done, for whom and why, at one time.
#[derive(Clone)]
pub(crate) struct Asking {
    pub(crate) act: Act,
    pub(crate) recipient: RecipientId,
    pub(crate) lineage: Lineage,
    circumstances: OnceLock<Stated>,
    impersonal: OnceLock<Arc<DataFacts>>,
    bearing: Bearing,
}

/// Which facts some rule asks of which class, as far as that was worked out.
struct Bearing(Mutex<BTreeMap<(ClassId, FactId), bool>>);

impl Clone for Bearing {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()))
    }
}

impl Asking {
    pub(crate) const fn new(act: Act, recipient: RecipientId, lineage: Lineage) -> Self {
        let bearing = Bearing(Mutex::new(BTreeMap::new()));
        Self { act, recipient, lineage, circumstances: OnceLock::new(), impersonal: OnceLock::new(), bearing }
    }

    /// The same with another act.
    pub(crate) fn doing(self, act: Act) -> Self {
        Self::new(act, self.recipient, self.lineage)
    }

    pub(crate) fn purpose(&self) -> &Purpose {
        self.lineage.asked()
    }
}

impl Access {
    /// Whether some rule that can bear on this class asks a fact. A list asks it of each of its records.
    pub(crate) fn asks(&self, asking: &Asking, class: ClassId, fact: FactId) -> bool {
        let mut found = asking.bearing.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ask = || self.installed.engine.asks(&self.question(asking, class), fact);
        *found.entry((class, fact)).or_insert_with(ask)
    }

    /// What the request states, and what is known of whoever receives.
    pub(crate) fn circumstances<'a>(&self, asking: &'a Asking) -> &'a Stated {
        asking.circumstances.get_or_init(|| self.work_out_circumstances(asking))
    }

    /// The same for a later time: what is agreed with whoever receives may have begun or ended meanwhile.
    pub(crate) fn later(&self, asking: Asking) -> Asking {
        let registered = self.bundle().recipients.get(&asking.recipient);
        if registered.is_some_and(RecipientDef::is_dated) {
            return Asking::new(asking.act, asking.recipient, asking.lineage);
        }
        asking
    }

    fn work_out_circumstances(&self, asking: &Asking) -> Stated {
        let bundle = self.bundle();
        let book = &bundle.facts;
        let mut out = self.stated.clone();
        let name = asking.recipient.as_str();
        out.values.set(book.core_operands.recipient, Value::Id(name.into()));
        let registered = bundle.recipients.get(&asking.recipient);
        let home = bundle.regimes.home.filter(|_| name == "internal");
        let country = registered.map(|r| r.country).or(home);
        let mut word = |built_in: &BuiltIn, word: Option<&str>| {
            let Some(id) = book.built_in(built_in) else { return };
            match word {
                Some(word) => out.facts.set_word(&book.schema, id, word),
                None => out.facts.set(id, None),
            }
        };
        word(&BuiltIn::RecipientCountry, country);
        word(&BuiltIn::RecipientSafeguard, Some(registered.map_or("none", |r| r.safeguard(self.now))));
        let mut say = |built_in: &BuiltIn, value: Option<bool>| {
            if let Some(id) = book.built_in(built_in) {
                out.facts.set(id, value.map(FactValue::Bool));
            }
        };
        let task = |p: &Purpose| bundle.vocabulary.covers(p, asking.purpose());
        say(&BuiltIn::RecipientAgreement, Some(registered.is_some_and(|r| r.agreement(self.now))));
        say(&BuiltIn::RecipientTask, Some(registered.is_some_and(|r| r.tasks.iter().any(task))));
        // Where the controller is at home, its own law governs whoever the person is.
        for regime in &bundle.regimes.all {
            let governs = regime.governs(bundle.regimes.home, None);
            say(&BuiltIn::Regime(Arc::clone(&regime.id)), governs);
        }
        out
    }

    /// The facts of which the answer depends on nobody.
    pub(crate) fn impersonal<'a>(&self, asking: &'a Asking) -> &'a Arc<DataFacts> {
        asking.impersonal.get_or_init(|| {
            let mut stated = self.circumstances(asking).clone();
            self.compare(&mut stated);
            self.data_facts(stated.facts)
        })
    }
}
