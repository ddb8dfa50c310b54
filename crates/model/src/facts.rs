//! What a rule may ask beyond who, what and why: typed, with a source, and three-valued.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Where the value of a fact comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FactSource {
    /// The request: its transport, headers, query.
    Request,
    /// The ledger's record of the person, at one purpose.
    Person,
    /// The service map, for one data class: the controller's attestation.
    Datum,
    /// Worked out from values that never enter a fact word: identifiers, lists of them, times.
    Derived,
}

/// The type of a fact.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FactType {
    /// True or false.
    Bool,
    /// One of these words.
    Word(Arc<[Arc<str>]>),
    /// One of these words, from the lowest to the highest.
    Level(Arc<[Arc<str>]>),
    /// A whole number.
    Int,
}

impl FactType {
    /// The words of a word or level type; none for a Boolean or a number.
    #[must_use]
    pub fn words(&self) -> &[Arc<str>] {
        match self {
            Self::Bool | Self::Int => &[],
            Self::Word(words) | Self::Level(words) => words,
        }
    }
}

/// A known value. A word is its position among the words of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactValue {
    /// Of a Boolean fact.
    Bool(bool),
    /// Of a word or level fact.
    Word(u16),
    /// Of a number.
    Int(i64),
}

/// One fact of a schema.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FactDef {
    /// Its dotted name, for example `subject.contract`.
    pub name: Arc<str>,
    /// Its type.
    pub ty: FactType,
    /// Its source.
    pub source: FactSource,
}

/// The position of a fact in its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactId(u16);

impl FactId {
    /// The position.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The facts that one bundle's rules may ask, in a fixed order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FactSchema {
    defs: Vec<FactDef>,
    by_name: BTreeMap<Arc<str>, FactId>,
}

impl FactSchema {
    /// Adds a fact; a name already there keeps its first definition.
    pub fn add(&mut self, def: FactDef) -> FactId {
        if let Some(id) = self.by_name.get(&def.name) {
            return *id;
        }
        // A bundle with more than 65,535 facts is over the loader's size limit long before.
        let id = FactId(u16::try_from(self.defs.len()).unwrap_or(u16::MAX));
        self.by_name.insert(Arc::clone(&def.name), id);
        self.defs.push(def);
        id
    }

    /// Looks a fact up by its name.
    #[must_use]
    pub fn id(&self, name: &str) -> Option<FactId> {
        self.by_name.get(name).copied()
    }

    /// The definition of a fact.
    #[must_use]
    pub fn def(&self, id: FactId) -> Option<&FactDef> {
        self.defs.get(id.index())
    }

    /// All facts in order.
    pub fn iter(&self) -> impl Iterator<Item = (FactId, &FactDef)> {
        (0_u16..).map(FactId).zip(&self.defs)
    }

    /// How many facts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.defs.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.defs.is_empty()
    }
}

/// The facts of one question. Whatever is not set is unknown: it satisfies no permission and stops no prohibition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    values: Box<[Option<FactValue>]>,
}

/// A number for each fact, which is enough to tell facts apart and takes a fraction of the time.
impl Hash for Facts {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for value in &self.values {
            state.write_u64(match *value {
                None => 0,
                Some(FactValue::Bool(b)) => 1 + u64::from(b),
                Some(FactValue::Word(at)) => 3 + u64::from(at),
                Some(FactValue::Int(n)) => n.cast_unsigned().rotate_left(32),
            });
        }
    }
}

impl Facts {
    /// Nothing known.
    #[must_use]
    pub fn unknown(schema: &FactSchema) -> Self {
        Self { values: vec![None; schema.len()].into() }
    }

    /// States a fact, `None` for unknown. An id of another schema is ignored: the fact stays unknown.
    pub fn set(&mut self, id: FactId, value: Option<FactValue>) {
        if let Some(slot) = self.values.get_mut(id.index()) {
            *slot = value;
        }
    }

    /// States a Boolean fact.
    pub fn set_bool(&mut self, id: FactId, value: bool) {
        self.set(id, Some(FactValue::Bool(value)));
    }

    /// States a word or level fact by its word; a word the type does not know leaves the fact unknown.
    pub fn set_word(&mut self, schema: &FactSchema, id: FactId, word: &str) {
        let position = schema
            .def(id)
            .and_then(|def| def.ty.words().iter().position(|w| **w == *word))
            .and_then(|at| u16::try_from(at).ok());
        self.set(id, position.map(FactValue::Word));
    }

    /// The value, `None` when unknown.
    #[must_use]
    pub fn get(&self, id: FactId) -> Option<FactValue> {
        self.values.get(id.index()).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_1_what_is_not_said_or_not_a_word_of_the_type_is_unknown() {
        let mut schema = FactSchema::default();
        let contract = schema.add(FactDef {
            name: "subject.contract".into(),
            ty: FactType::Word(["none".into(), "active".into()].into()),
            source: FactSource::Person,
        });
        let mut facts = Facts::unknown(&schema);
        assert_eq!(facts.get(contract), None);
        facts.set_word(&schema, contract, "active");
        assert_eq!(facts.get(contract), Some(FactValue::Word(1)));
        facts.set_word(&schema, contract, "activ");
        assert_eq!(facts.get(contract), None);
        assert_eq!(facts.get(FactId(7)), None);
    }
}
