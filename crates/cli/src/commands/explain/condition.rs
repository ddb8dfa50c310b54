//! A condition in words, with what is known of its facts.

use consentry_model::{FactId, FactSchema, FactValue, Facts};
use consentry_policy::{Condition, Test};

/// What the condition asks for, and what is there instead.
pub(super) fn missing(condition: &Condition, schema: &FactSchema, facts: &Facts) -> String {
    let mut here = Vec::new();
    condition.each_test(&mut |test| {
        if let Test::Is(id, _) | Test::AtLeast(id, _) = test {
            let value = facts.get(*id).map_or_else(|| "not known".to_owned(), |v| value(schema, *id, v));
            let fact = (name(schema, *id), value);
            if !here.contains(&fact) {
                here.push(fact);
            }
        }
    });
    let asked = words(condition, schema);
    match here.as_slice() {
        [] => asked,
        [(_, value)] => format!("{asked}; here it is {value}"),
        several => {
            let told: Vec<_> = several.iter().map(|(name, value)| format!("{name} is {value}")).collect();
            format!("{asked}; here {}", told.join(", "))
        }
    }
}

fn words(condition: &Condition, schema: &FactSchema) -> String {
    let several = |parts: &[Condition], with: &str| {
        let parts: Vec<_> = parts
            .iter()
            // What always holds has no words.
            .filter(|part| **part != Condition::always())
            .map(|part| match part {
                Condition::All(inner) | Condition::Any(inner) if inner.len() > 1 => {
                    format!("({})", words(part, schema))
                }
                Condition::All(_) | Condition::Any(_) | Condition::Not(_) | Condition::Test(_) => {
                    words(part, schema)
                }
            })
            .collect();
        parts.join(with)
    };
    match condition {
        Condition::All(parts) => several(parts, " and "),
        Condition::Any(parts) => several(parts, " or "),
        Condition::Not(part) => format!("not ({})", words(part, schema)),
        Condition::Test(test) => one(test, schema),
    }
}

fn one(test: &Test, schema: &FactSchema) -> String {
    match test {
        Test::Is(id, values) => {
            let values: Vec<_> = values.iter().map(|v| value(schema, *id, *v)).collect();
            format!("{} = {}", name(schema, *id), values.join(" or "))
        }
        Test::AtLeast(id, level) => {
            let words = schema.def(*id).is_some_and(|def| !def.ty.words().is_empty());
            let level = match u16::try_from(*level) {
                Ok(at) if words => FactValue::Word(at),
                Ok(_) | Err(_) => FactValue::Int(*level),
            };
            format!("{} at least {}", name(schema, *id), value(schema, *id, level))
        }
        Test::Purpose(purposes) => {
            let keys: Vec<_> = purposes.iter().map(ToString::to_string).collect();
            format!("the purpose {}", keys.join(" or "))
        }
        Test::Data(categories) => {
            let keys: Vec<_> = categories.iter().map(ToString::to_string).collect();
            format!("data of {}", keys.join(" or "))
        }
        Test::As(treatments) => {
            let codes: Vec<_> = treatments.iter().map(ToString::to_string).collect();
            format!("treated as {}", codes.join(" or "))
        }
    }
}

/// The name of a fact.
pub(super) fn name(schema: &FactSchema, id: FactId) -> String {
    schema.def(id).map(|def| def.name.to_string()).unwrap_or_default()
}

fn value(schema: &FactSchema, id: FactId, value: FactValue) -> String {
    match value {
        FactValue::Bool(value) => value.to_string(),
        FactValue::Int(value) => value.to_string(),
        FactValue::Word(at) => {
            let word = schema.def(id).and_then(|def| def.ty.words().get(usize::from(at)));
            word.map_or_else(|| "not known".to_owned(), ToString::to_string)
        }
    }
}
