//! Values that rules compare with each other, and what they amount to: identifiers, lists of them, times. They never
//! enter a fact word; what is worked out from them does, one Boolean for each comparison.

use std::collections::BTreeSet;
use std::sync::Arc;

use consentry_model::{FactId, Facts, Moment};
use jiff::tz::TimeZone;

use super::period::Period;

/// The position of an operand among those of its bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperandId(pub(crate) u16);

impl OperandId {
    /// The position.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What an operand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperandType {
    /// One identifier.
    Id,
    /// A set of identifiers.
    Ids,
    /// A moment.
    Time,
}

impl OperandType {
    /// The word in bundles.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Ids => "ids",
            Self::Time => "time",
        }
    }
}

/// One operand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperandDef {
    /// Its dotted name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: OperandType,
}

/// The value of an operand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Value {
    /// Nobody knows. It satisfies no permission and stops no prohibition.
    #[default]
    Unknown,
    /// It is known that there is none.
    Absent,
    /// An identifier.
    Id(Arc<str>),
    /// A set of identifiers.
    Ids(BTreeSet<Arc<str>>),
    /// A moment.
    Time(Moment),
}

/// The values of a bundle's operands for one question; whatever is not stated is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Values(Vec<Value>);

impl Values {
    /// States a value.
    pub fn set(&mut self, id: OperandId, value: Value) {
        if self.0.len() <= id.index() {
            self.0.resize(id.index() + 1, Value::Unknown);
        }
        if let Some(slot) = self.0.get_mut(id.index()) {
            *slot = value;
        }
    }

    /// The value.
    #[must_use]
    pub fn get(&self, id: OperandId) -> &Value {
        self.0.get(id.index()).unwrap_or(&Value::Unknown)
    }
}

/// A comparison of operands. Each is one Boolean fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Predicate {
    /// The two are the same identifier.
    Same(OperandId, OperandId),
    /// The one is among the other.
    Member(OperandId, OperandId),
    /// The one moment is earlier than the other.
    Before(OperandId, OperandId),
    /// This moment has come, and the one that lies so long after it has not.
    Within(OperandId, Period),
    /// There is one.
    Present(OperandId),
}

impl Predicate {
    /// What it amounts to; `None` for unknown.
    #[must_use]
    pub fn holds(&self, values: &Values, now: Moment, zone: &TimeZone) -> Option<bool> {
        match self {
            Self::Same(a, b) => match (values.get(*a), values.get(*b)) {
                (Value::Id(a), Value::Id(b)) => Some(a == b),
                (a, b) => one_is_absent(a, b),
            },
            Self::Member(a, b) => match (values.get(*a), values.get(*b)) {
                (Value::Id(a), Value::Ids(b)) => Some(b.contains(a)),
                (a, b) => one_is_absent(a, b),
            },
            Self::Before(a, b) => match (values.get(*a), values.get(*b)) {
                (Value::Time(a), Value::Time(b)) => Some(a < b),
                (a, b) => one_is_absent(a, b),
            },
            Self::Within(since, period) => match values.get(*since) {
                // What is to come has not begun, and nobody knows when it does.
                Value::Time(since) if *since > now => None,
                Value::Time(since) => period.after(*since, zone).map(|end| now < end),
                Value::Absent => Some(false),
                Value::Unknown | Value::Id(_) | Value::Ids(_) => None,
            },
            Self::Present(operand) => match values.get(*operand) {
                Value::Unknown => None,
                Value::Absent => Some(false),
                Value::Id(_) | Value::Ids(_) | Value::Time(_) => Some(true),
            },
        }
    }
}

/// Nothing is the same as, among, or earlier than what is known not to be there.
fn one_is_absent(a: &Value, b: &Value) -> Option<bool> {
    let known = !matches!(a, Value::Unknown) && !matches!(b, Value::Unknown);
    (known && (*a == Value::Absent || *b == Value::Absent)).then_some(false)
}

/// The operands of a bundle, and the facts worked out from them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operands {
    defs: Vec<OperandDef>,
    derived: Vec<(Predicate, FactId)>,
}

impl Operands {
    /// Adds an operand; a name already there keeps its first definition.
    pub(crate) fn add(&mut self, def: OperandDef) -> OperandId {
        let at = self.defs.iter().position(|d| d.name == def.name).unwrap_or_else(|| {
            self.defs.push(def);
            self.defs.len() - 1
        });
        // More than 65,535 cannot be written within a bundle's size limit.
        OperandId(u16::try_from(at).unwrap_or(u16::MAX))
    }

    /// Adds a comparison with its fact.
    pub(crate) fn derive(&mut self, predicate: Predicate, fact: FactId) {
        self.derived.push((predicate, fact));
    }

    /// The fact of a comparison that was asked before.
    pub(crate) fn fact_of(&self, predicate: &Predicate) -> Option<FactId> {
        self.derived.iter().find(|(there, _)| there == predicate).map(|(_, fact)| *fact)
    }

    /// An operand by its name.
    #[must_use]
    pub fn id(&self, name: &str) -> Option<OperandId> {
        let at = self.defs.iter().position(|d| *d.name == *name)?;
        u16::try_from(at).ok().map(OperandId)
    }

    /// An operand.
    #[must_use]
    pub fn def(&self, id: OperandId) -> Option<&OperandDef> {
        self.defs.get(id.index())
    }

    /// All operands in order.
    pub fn iter(&self) -> impl Iterator<Item = (OperandId, &OperandDef)> {
        (0_u16..).map(OperandId).zip(&self.defs)
    }

    /// The comparisons that rules ask, each with its fact.
    pub fn derived(&self) -> impl Iterator<Item = &(Predicate, FactId)> {
        self.derived.iter()
    }

    /// Works every comparison out and states it.
    pub fn state(&self, values: &Values, now: Moment, zone: &TimeZone, facts: &mut Facts) {
        for (predicate, fact) in &self.derived {
            let value = predicate.holds(values, now, zone).map(consentry_model::FactValue::Bool);
            facts.set(*fact, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_1_a_comparison_with_what_nobody_knows_is_unknown_and_with_what_is_absent_false() {
        let (a, b) = (OperandId(0), OperandId(1));
        let id = |text: &str| Value::Id(text.into());
        let ids = |text: &str| Value::Ids([text.into()].into());
        let time = |millis| Value::Time(Moment::from_unix_millis(millis));
        let day = Period::parse("P1D").unwrap();
        let rows = [
            (Predicate::Same(a, b), id("x"), id("x"), Some(true)),
            (Predicate::Same(a, b), id("x"), id("y"), Some(false)),
            (Predicate::Same(a, b), id("x"), Value::Absent, Some(false)),
            (Predicate::Same(a, b), Value::Absent, Value::Absent, Some(false)),
            (Predicate::Same(a, b), id("x"), Value::Unknown, None),
            (Predicate::Same(a, b), Value::Absent, Value::Unknown, None),
            (Predicate::Same(a, b), id("x"), time(1), None),
            (Predicate::Member(a, b), id("x"), ids("x"), Some(true)),
            (Predicate::Member(a, b), id("y"), ids("x"), Some(false)),
            (Predicate::Member(a, b), id("y"), Value::Absent, Some(false)),
            (Predicate::Member(a, b), Value::Unknown, ids("x"), None),
            (Predicate::Before(a, b), time(1), time(2), Some(true)),
            (Predicate::Before(a, b), time(2), time(2), Some(false)),
            (Predicate::Before(a, b), Value::Absent, time(2), Some(false)),
            (Predicate::Before(a, b), Value::Unknown, time(2), None),
            (Predicate::Within(a, day), time(0), Value::Unknown, Some(true)),
            (Predicate::Within(a, day), time(-86_400_000), Value::Unknown, Some(false)),
            (Predicate::Within(a, day), time(1), Value::Unknown, None),
            (Predicate::Within(a, day), time(86_400_000), Value::Unknown, None),
            (Predicate::Within(a, day), Value::Absent, Value::Unknown, Some(false)),
            (Predicate::Within(a, day), Value::Unknown, Value::Unknown, None),
            (Predicate::Present(a), time(0), Value::Unknown, Some(true)),
            (Predicate::Present(a), Value::Absent, Value::Unknown, Some(false)),
            (Predicate::Present(a), Value::Unknown, Value::Unknown, None),
        ];
        for (predicate, left, right, expected) in rows {
            let mut values = Values::default();
            values.set(a, left);
            values.set(b, right);
            let now = Moment::from_unix_millis(0);
            assert_eq!(predicate.holds(&values, now, &TimeZone::UTC), expected, "{predicate:?} {values:?}");
        }
    }
}
