//! Texts of a request, a record or the ledger → facts and values that rules compare.

use std::sync::Arc;

use consentry_body::{Said, is_exact};
use consentry_model::{FactType, FactValue, Facts, Moment, Scalar};
use consentry_policy::{FactBook, FactTarget, OperandType, Value, Values, day_in};
use jiff::tz::TimeZone;

/// What is known: facts of the word, and values that are compared.
#[derive(Clone)]
pub(crate) struct Stated {
    pub(crate) facts: Facts,
    pub(crate) values: Values,
    /// Of what something was said that does not read as a value of it: it is unknown, and nothing may be assumed instead.
    pub(crate) unreadable: Vec<FactTarget>,
}

/// A value as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing stands there, or nothing that can be read: nobody knows.
    Nothing,
    /// It is said that there is none.
    Null,
    /// A text.
    Text(String),
    /// Several texts.
    Texts(Vec<String>),
    /// `true` or `false`.
    Bool(bool),
    /// A whole number, as it is written: as that it names somebody, however many digits it has.
    Int(Box<str>),
    /// Something that is none of these, or that can be read in several ways.
    Unreadable,
}

/// What programs write where there is nothing, or for a truth: in a header or a form it comes as a text.
const FOR_NOTHING: [&str; 8] = ["false", "true", "null", "none", "nil", "nan", "undefined", "n/a"];

impl Found {
    /// Whether a reference stands there: a number, or texts each of which has a letter or a digit in it and is none of the
    /// words for nothing.
    pub(crate) fn is_reference(&self) -> bool {
        let refers = |text: &String| {
            let word = text.trim_matches(|c: char| !c.is_alphanumeric());
            !word.is_empty() && !FOR_NOTHING.iter().any(|nothing| word.eq_ignore_ascii_case(nothing))
        };
        match self {
            Self::Text(text) => refers(text),
            Self::Texts(texts) => !texts.is_empty() && texts.iter().all(refers),
            Self::Int(_) => true,
            Self::Nothing | Self::Null | Self::Bool(_) | Self::Unreadable => false,
        }
    }

    fn says_nothing(&self) -> bool {
        matches!(self, Self::Nothing | Self::Null) || matches!(self, Self::Text(text) if text.is_empty())
    }
}

impl From<&Scalar> for Found {
    fn from(scalar: &Scalar) -> Self {
        match scalar {
            Scalar::Null => Self::Null,
            Scalar::Bool(b) => Self::Bool(*b),
            Scalar::Text(text) => Self::Text(text.to_string()),
            Scalar::Int(n) => Self::Int(n.to_string().into()),
        }
    }
}

impl From<Option<&Said>> for Found {
    fn from(said: Option<&Said>) -> Self {
        match said {
            None => Self::Nothing,
            // A number that is no whole one names nobody and states nothing.
            Some(Said::Object(_) | Said::Number(_)) => Self::Unreadable,
            Some(Said::Null) => Self::Null,
            Some(Said::Bool(b)) => Self::Bool(*b),
            Some(Said::Text(text)) => Self::Text(text.clone()),
            Some(Said::Integer(text)) => Self::Int(text.clone()),
            Some(Said::List(items)) => {
                let texts: Option<Vec<_>> = items.iter().map(|i| i.text().map(str::to_owned)).collect();
                texts.map_or(Self::Unreadable, Self::Texts)
            }
        }
    }
}

impl Stated {
    /// States what was found; what does not read as a value of the fact leaves it unknown.
    pub(crate) fn state(&mut self, book: &FactBook, target: FactTarget, found: &Found, zone: &TimeZone) {
        let reads = match target {
            FactTarget::Fact(id) => {
                let fact = book.schema.def(id).and_then(|def| fact(&def.ty, found));
                self.facts.set(id, fact);
                fact.is_some()
            }
            FactTarget::Operand(id) => {
                let ty = book.operands.def(id).map(|def| def.ty);
                let value = if let (Found::Text(text), true) = (found, id == book.core_operands.born) {
                    birth(text, zone).map_or(Value::Unknown, Value::Time)
                } else {
                    ty.map_or(Value::Unknown, |ty| value(ty, found, zone))
                };
                // A datum that is there was collected some time: that it was not, nobody can say.
                let never = id == book.core_operands.collected_at && value == Value::Absent;
                let value = if never { Value::Unknown } else { value };
                let reads = value != Value::Unknown;
                self.values.set(id, value);
                reads
            }
        };
        if !reads && !found.says_nothing() && !self.unreadable.contains(&target) {
            self.unreadable.push(target);
        }
    }
}

fn fact(ty: &FactType, found: &Found) -> Option<FactValue> {
    match (ty, found) {
        (FactType::Bool, Found::Bool(b)) => Some(FactValue::Bool(*b)),
        (FactType::Bool, Found::Text(text)) => match text.as_str() {
            "true" => Some(FactValue::Bool(true)),
            "false" => Some(FactValue::Bool(false)),
            _ => None,
        },
        (FactType::Int, Found::Int(text)) => whole(text).map(FactValue::Int),
        (FactType::Int, Found::Text(text)) => whole(text).map(FactValue::Int),
        (FactType::Word(words) | FactType::Level(words), Found::Text(text)) => {
            let at = words.iter().position(|w| **w == **text)?;
            u16::try_from(at).ok().map(FactValue::Word)
        }
        (
            _,
            Found::Nothing
            | Found::Null
            | Found::Texts(_)
            | Found::Bool(_)
            | Found::Int(_)
            | Found::Unreadable,
        ) => None,
    }
}

/// A whole number in the one form that it has: without a plus and without a leading zero.
fn whole(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number: &i64| number.to_string() == text)
}

fn value(ty: OperandType, found: &Found, zone: &TimeZone) -> Value {
    let id = |text: &str| -> Arc<str> { text.into() };
    match (ty, found) {
        (_, Found::Null) => Value::Absent,
        (OperandType::Id, Found::Text(text)) if !text.is_empty() => Value::Id(id(text)),
        (OperandType::Id, Found::Int(text)) if is_exact(text) => Value::Id(id(text)),
        (OperandType::Ids, Found::Text(text)) if !text.is_empty() => Value::Ids([id(text)].into()),
        (OperandType::Ids, Found::Texts(texts)) => Value::Ids(texts.iter().map(|t| id(t)).collect()),
        (OperandType::Time, Found::Text(text)) => moment(text, zone).map_or(Value::Unknown, Value::Time),
        (
            OperandType::Id | OperandType::Ids | OperandType::Time,
            Found::Nothing
            | Found::Text(_)
            | Found::Texts(_)
            | Found::Bool(_)
            | Found::Int(_)
            | Found::Unreadable,
        ) => Value::Unknown,
    }
}

/// A moment of RFC 3339, or the first one of a day. Other notations of ISO 8601 are none.
pub(crate) fn moment(text: &str, zone: &TimeZone) -> Option<Moment> {
    if let Some(day) = day_in(text, zone) {
        return Some(day);
    }
    if !is_date_time(text) {
        return None;
    }
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(Moment::from_unix_millis(at.as_millisecond()))
}

/// Whether a text is written as RFC 3339, section 5.6, has it: a blank may stand for the `T`. Whether there is such a day and such
/// an hour is another matter.
fn is_date_time(text: &str) -> bool {
    let follows = |shape: &str, text: &[u8]| {
        text.len() == shape.len()
            && shape.bytes().zip(text).all(|(wanted, there)| match wanted {
                b'0' => there.is_ascii_digit(),
                b'T' => matches!(there, b'T' | b't' | b' '),
                b'+' => matches!(there, b'+' | b'-'),
                _ => wanted == *there,
            })
    };
    const SECONDS: &str = "0000-00-00T00:00:00";
    let Some((until_seconds, rest)) = text.as_bytes().split_at_checked(SECONDS.len()) else { return false };
    let zone = match rest.strip_prefix(b".") {
        Some(fraction) => {
            let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
            if digits == 0 {
                return false;
            }
            fraction.get(digits..).unwrap_or_default()
        }
        None => rest,
    };
    follows(SECONDS, until_seconds) && (matches!(zone, b"Z" | b"z") || follows("+00:00", zone))
}

/// The day of a birth. Where it is written with an hour, that may make it the day before in this zone or in the writer's: the
/// later of the two makes nobody older.
pub(crate) fn birth(text: &str, zone: &TimeZone) -> Option<Moment> {
    let written = day_in(text.get(.."2026-06-01".len())?, zone)?;
    moment(text, zone).map(|at| written.max(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_1_what_does_not_read_as_a_value_of_the_fact_leaves_it_unknown() {
        let words = FactType::Word(["crm".into(), "web".into()].into());
        let text = |t: &str| Found::Text(t.to_owned());
        for (ty, found, expected) in [
            (&words, text("web"), Some(FactValue::Word(1))),
            (&words, text("WEB"), None),
            (&words, Found::Null, None),
            (&FactType::Bool, Found::Bool(true), Some(FactValue::Bool(true))),
            (&FactType::Bool, text("false"), Some(FactValue::Bool(false))),
            (&FactType::Bool, text("yes"), None),
            (&FactType::Bool, Found::Int("1".into()), None),
            (&FactType::Int, Found::Int("-7".into()), Some(FactValue::Int(-7))),
            (&FactType::Int, Found::Int("18446744073709551615".into()), None),
            (&FactType::Int, text("17"), Some(FactValue::Int(17))),
            (&FactType::Int, text("17.5"), None),
            (&FactType::Int, text("-17"), Some(FactValue::Int(-17))),
            (&FactType::Int, text("0"), Some(FactValue::Int(0))),
            (&FactType::Int, text("+17"), None),
            (&FactType::Int, text("017"), None),
            (&FactType::Int, text("-017"), None),
            (&FactType::Int, text("-0"), None),
            (&FactType::Int, text(" 17"), None),
            (&FactType::Int, Found::Nothing, None),
        ] {
            assert_eq!(fact(ty, &found), expected, "{ty:?} {found:?}");
        }
        let day = Moment::from_unix_millis(1_709_164_800_000);
        for (ty, found, expected) in [
            (OperandType::Time, text("2024-02-29"), Value::Time(day)),
            (OperandType::Time, text("2024-02-29T00:00:00Z"), Value::Time(day)),
            (OperandType::Time, text("2024-02-29t00:00:00.000z"), Value::Time(day)),
            (OperandType::Time, text("2024-02-29 02:00:00+02:00"), Value::Time(day)),
            (OperandType::Time, text("2024-02-28T19:00:00.0-05:00"), Value::Time(day)),
            (OperandType::Time, text("2023-02-29"), Value::Unknown),
            (OperandType::Time, text("2023-02-29T00:00:00Z"), Value::Unknown),
            (OperandType::Time, text("20240229T000000Z"), Value::Unknown),
            (OperandType::Time, text("+002024-02-29T00:00:00Z"), Value::Unknown),
            (OperandType::Time, text("2024-02-29T00:00Z"), Value::Unknown),
            (OperandType::Time, text("2024-02-29T00:00:00"), Value::Unknown),
            (OperandType::Time, text("2024-02-29T00:00:00,5Z"), Value::Unknown),
            (OperandType::Time, text("2024-02-29T00:00:00.Z"), Value::Unknown),
            (OperandType::Time, text("2024-02-29T00:00:00+02"), Value::Unknown),
            (OperandType::Time, text("2024-02-29T00:00:00+0200"), Value::Unknown),
            (OperandType::Time, text("2024-02-29T00:00:00Z[UTC]"), Value::Unknown),
            (OperandType::Time, text("2024-02-29T00:00:00+00:00:00"), Value::Unknown),
            (OperandType::Time, text("yesterday"), Value::Unknown),
            (OperandType::Time, Found::Null, Value::Absent),
            (OperandType::Time, Found::Nothing, Value::Unknown),
            (OperandType::Id, text(""), Value::Unknown),
            (OperandType::Id, Found::Int("9".into()), Value::Id("9".into())),
            (OperandType::Id, Found::Int("9007199254740991".into()), Value::Id("9007199254740991".into())),
            (OperandType::Id, Found::Int("9007199254740993".into()), Value::Unknown),
            (OperandType::Id, Found::Int("-0".into()), Value::Unknown),
            (OperandType::Id, text("9007199254740993"), Value::Id("9007199254740993".into())),
            (OperandType::Id, Found::Texts(vec!["a".to_owned()]), Value::Unknown),
            (OperandType::Ids, text("a"), Value::Ids(["a".into()].into())),
        ] {
            assert_eq!(value(ty, &found, &TimeZone::UTC), expected, "{ty:?} {found:?}");
        }
    }
}
