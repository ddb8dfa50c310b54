//! Conditions and changes in words.

use std::collections::BTreeSet;

use consentry_model::{ConsentKind, FactType, FactValue};

use super::set::Set;
use super::space::{Key, Point, Sort, Variable, standing};

/// The value of a fact.
pub(crate) fn value(ty: &FactType, value: FactValue) -> String {
    match value {
        FactValue::Bool(b) => b.to_string(),
        FactValue::Int(n) => n.to_string(),
        FactValue::Word(at) => {
            ty.words().get(usize::from(at)).map_or_else(|| "unknown".to_owned(), |word| word.to_string())
        }
    }
}

/// Words as a list: `a`, `a or b`, `a, b or c`.
pub(crate) fn list(words: &[String], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// That a variable has one of some values; `None` when it has any.
pub(crate) fn condition(variable: &Variable, set: Set) -> Option<String> {
    let points: Vec<(bool, &Point)> =
        variable.points.iter().enumerate().map(|(at, point)| (set.has(at), point)).collect();
    if points.iter().all(|(there, _)| *there) {
        return None;
    }
    Some(match &variable.key {
        Key::Cedar(_) if set.has(1) => "a native policy speaks".to_owned(),
        Key::Cedar(_) => "a native policy does not speak".to_owned(),
        Key::Now => {
            let said = stretches(&points, moment);
            format!("it is {}", said.replace("at least ", "at or after ").replace("below ", "before "))
        }
        Key::Consent(purpose) => {
            let to = purpose.as_ref().map_or_else(String::new, |purpose| format!(" to {purpose}"));
            consent(&points, &to)
        }
        Key::Fact(name, Sort::Bool) => format!("{name} is {}", flag(&points)),
        Key::Fact(name, Sort::Int) => {
            let (unknown, known) = divided(&points);
            or_unknown(format!("{name} is {}", stretches(&known, |n| n.to_string())), unknown, &known)
        }
        Key::Fact(name, Sort::Word | Sort::Level) => {
            let (unknown, known) = divided(&points);
            or_unknown(words(name, &known), unknown, &known)
        }
    })
}

/// One value of each variable of a box, in words; `None` for what has any.
pub(crate) fn conditions(variables: &[Variable], found: &[Set]) -> Vec<(Key, String)> {
    let said = variables.iter().zip(found).filter_map(|(v, set)| Some((v.key.clone(), condition(v, *set)?)));
    said.collect()
}

type Points<'p> = [(bool, &'p Point)];

fn flag(points: &Points<'_>) -> &'static str {
    let has = |wanted: &Point| points.iter().any(|(there, point)| *there && *point == wanted);
    match (has(&Point::Unknown), has(&Point::Bool(false)), has(&Point::Bool(true))) {
        (false, false, true) => "true",
        (false, true, false) => "false",
        (true, false, false) => "unknown",
        (true, true, false) => "not known to be true",
        (true, false, true) => "not known to be false",
        (false, true, true) => "known",
        (true, true, true) | (false, false, false) => "anything",
    }
}

/// Whether unknown is among them, and the others.
fn divided<'p>(points: &[(bool, &'p Point)]) -> (bool, Vec<(bool, &'p Point)>) {
    let unknown = points.iter().any(|(there, point)| *there && **point == Point::Unknown);
    (unknown, points.iter().filter(|(_, point)| **point != Point::Unknown).copied().collect())
}

fn or_unknown(said: String, unknown: bool, known: &Points<'_>) -> String {
    let name = said.split(" is ").next().unwrap_or_default();
    match (unknown, known.iter().all(|(there, _)| *there), known.iter().any(|(there, _)| *there)) {
        (false, true, _) => format!("{name} is known"),
        (true, _, false) => format!("{name} is unknown"),
        (true, _, true) => format!("{said} or unknown"),
        (false, false, _) => said,
    }
}

fn words(name: &str, known: &Points<'_>) -> String {
    let side = |wanted: bool| -> Vec<String> {
        let chosen = known.iter().filter(|(there, _)| *there == wanted);
        chosen
            .filter_map(
                |(_, point)| if let Point::Word(word) = point { Some(word.to_string()) } else { None },
            )
            .collect()
    };
    let (inside, outside) = (side(true), side(false));
    if inside.len() > 4 && outside.len() < inside.len() {
        return format!("{name} is known and not {}", list(&outside, "or"));
    }
    format!("{name} is {}", list(&inside, "or"))
}

/// Numbers, each value being those from its own up to the next one's.
fn stretches(points: &Points<'_>, show: impl Fn(i64) -> String) -> String {
    let mut parts = Vec::new();
    let mut at = 0;
    let number = |at: usize| match points.get(at) {
        Some((there, Point::From(n))) => Some((*there, *n)),
        Some(_) | None => None,
    };
    while let Some((there, from)) = number(at) {
        let first = at == 0;
        at += 1;
        if !there {
            continue;
        }
        while number(at).is_some_and(|(there, _)| there) {
            at += 1;
        }
        parts.push(match (first, number(at)) {
            (true, Some((_, end))) => format!("below {}", show(end)),
            (false, Some((_, end))) if from.checked_add(1) == Some(end) => show(from),
            (false, Some((_, end))) => format!("at least {} and below {}", show(from), show(end)),
            (false, None) => format!("at least {}", show(from)),
            (true, None) => "anything".to_owned(),
        });
    }
    list(&parts, "or")
}

fn moment(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).map_or_else(
        |_| "a time beyond the calendar".to_owned(),
        |at| at.to_string().trim_end_matches("T00:00:00Z").to_owned(),
    )
}

fn consent(points: &Points<'_>, to: &str) -> String {
    let inside: BTreeSet<&Point> =
        points.iter().filter(|(there, _)| *there).map(|(_, point)| *point).collect();
    let all = || points.iter().map(|(_, point)| *point);
    let stands = |point: &Point, kind| match point {
        Point::Kinds(strongest, parental) => standing(*strongest, *parental).satisfies(kind),
        Point::Unknown | Point::Bool(_) | Point::Word(_) | Point::From(_) => false,
    };
    for kind in ConsentKind::ALL {
        let enough: BTreeSet<&Point> = all().filter(|point| stands(point, kind)).collect();
        if inside == enough {
            return format!("a consent{to} stands ({})", or_stronger(kind));
        }
        let lacking: BTreeSet<&Point> = all().filter(|point| !stands(point, kind)).collect();
        if inside == lacking {
            return format!("no consent{to} stands that is {}", or_stronger(kind));
        }
    }
    for kind in ConsentKind::ALL {
        for stronger in ConsentKind::ALL {
            let between = |point: &&Point| stands(point, kind) && !stands(point, stronger);
            let between: BTreeSet<&Point> = all().filter(between).collect();
            if inside == between {
                return format!("a consent{to} stands that is {kind} and not {stronger}");
            }
        }
    }
    let said: Vec<String> = inside
        .iter()
        .map(|point| match point {
            Point::Kinds(None, false) => "none".to_owned(),
            Point::Kinds(None, true) => "parental".to_owned(),
            Point::Kinds(Some(kind), false) => kind.to_string(),
            Point::Kinds(Some(kind), true) => format!("{kind} and parental"),
            Point::Unknown | Point::Bool(_) | Point::Word(_) | Point::From(_) => "unknown".to_owned(),
        })
        .collect();
    format!("the strongest consent{to} is {}", list(&said, "or"))
}

fn or_stronger(kind: ConsentKind) -> String {
    match kind {
        ConsentKind::Implied | ConsentKind::SoftOptIn | ConsentKind::OptIn => format!("{kind} or stronger"),
        ConsentKind::Explicit | ConsentKind::Parental => kind.to_string(),
    }
}
