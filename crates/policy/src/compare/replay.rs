//! Decisions that were made under one bundle, under another.
//!
//! A recorded answer names its data, its capacity and its facts, and not the act of each line nor what identifies
//! somebody. It is replayed in every cell of the old bundle that gives the recorded answer on the recorded facts; where
//! the new bundle does not say the same in all of them, the record is not replayable, and says why.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use consentry_model::{
    Category, FactType, FactValue, Moment, Purpose, RecipientId, RequesterId, SubjectType, Treatment,
};

use super::cell::{CellName, cells};
use super::decided::{Open, exactly};
use super::expr::Expr;
use super::set::Set;
use super::solve::{Found, Search};
use super::space::{Key, Point, Space, Variable, facts_of, value};
use super::view::View;
use crate::engine::{Engine, Question};

/// The value of a recorded fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordedFact {
    /// Of a Boolean fact.
    Bool(bool),
    /// Of a number.
    Int(i64),
    /// A word.
    Word(Arc<str>),
}

/// One recorded answer.
#[derive(Clone, Debug)]
pub struct Recorded<'r> {
    /// Who asked.
    pub requester: &'r RequesterId,
    /// In which capacity the answer was received.
    pub recipient: &'r RecipientId,
    /// Why.
    pub purpose: &'r Purpose,
    /// Which data.
    pub category: &'r Category,
    /// Of whom.
    pub subject_type: &'r SubjectType,
    /// Where it was collected, as the service map said.
    pub origin: Option<&'r str>,
    /// The facts that were known.
    pub facts: BTreeMap<&'r str, RecordedFact>,
    /// The answer.
    pub treatment: Treatment,
    /// When.
    pub at: Moment,
}

/// Why a recorded answer cannot be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotReplayable {
    /// No cell of the old bundle gives the recorded answer on the recorded facts.
    NotReproduced,
    /// No route of the new bundle can ask it.
    RouteGone,
    /// The answer depends on a fact that the old bundle did not have, so that it was not recorded.
    FactNotRecorded,
    /// The record fits several cells, whose answers differ.
    ClassAmbiguous,
    /// A cell cannot be taken apart.
    NotCompared,
}

impl NotReplayable {
    /// Why, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotReproduced => "the old bundle does not give the recorded answer on the recorded facts",
            Self::RouteGone => "no route of the new bundle can ask it",
            Self::FactNotRecorded => "the answer depends on a fact that was not recorded",
            Self::ClassAmbiguous => "the record fits several cells whose answers differ",
            Self::NotCompared => "a cell cannot be compared",
        }
    }
}

/// Replays recorded answers under a new bundle.
pub struct Replay<'e> {
    old: &'e Engine,
    new: &'e Engine,
    before: BTreeMap<CellName, Vec<Question>>,
    after: BTreeMap<CellName, Vec<Question>>,
}

impl<'e> Replay<'e> {
    /// Prepares to replay what was recorded under `old`.
    #[must_use]
    pub fn new(old: &'e Engine, new: &'e Engine) -> Self {
        Self { old, new, before: cells(old), after: cells(new) }
    }

    /// The answer of the new bundle.
    ///
    /// # Errors
    /// Why there is none.
    pub fn answer(&self, recorded: &Recorded<'_>) -> Result<Treatment, NotReplayable> {
        let fits = |name: &&CellName| self.fits(name, recorded);
        let mut answers: BTreeSet<Treatment> = BTreeSet::new();
        let (mut reproduced, mut gone) = (false, false);
        for name in self.before.keys().filter(fits) {
            let then = treatments(self.old, self.before.get(name), recorded, None)?;
            if then != BTreeSet::from([recorded.treatment]) {
                continue;
            }
            reproduced = true;
            match self.after.get(name) {
                None => gone = true,
                there => {
                    let now = treatments(self.new, there, recorded, Some(self.old))?;
                    if now.len() != 1 {
                        return Err(NotReplayable::FactNotRecorded);
                    }
                    answers.extend(now);
                }
            }
        }
        match (reproduced, gone, answers.len()) {
            (false, _, _) => Err(NotReplayable::NotReproduced),
            (true, true, 0) => Err(NotReplayable::RouteGone),
            (true, false, 1) => answers.pop_first().ok_or(NotReplayable::ClassAmbiguous),
            (true, _, _) => Err(NotReplayable::ClassAmbiguous),
        }
    }

    fn fits(&self, name: &CellName, recorded: &Recorded<'_>) -> bool {
        let origin = name.attested.iter().find_map(|said| said.strip_prefix("datum.origin "));
        // What a request brings is collected inside, a cookie for a purpose of its own.
        let cookie = || self.old.bundle().service.cookies.iter().any(|c| c.purpose == name.purpose);
        name.requester == *recorded.requester
            && (name.recipient == *recorded.recipient || name.recipient.as_str() == "internal")
            && (name.purpose == *recorded.purpose || cookie())
            && name.category == *recorded.category
            && name.subject_type == *recorded.subject_type
            && origin == recorded.origin
    }
}

/// The answers that the questions of a cell can have on what was recorded. A fact that the bundle which recorded it does
/// not have may have been anything; any other that is not there was unknown.
fn treatments(
    engine: &Engine,
    questions: Option<&Vec<Question>>,
    recorded: &Recorded<'_>,
    recorded_by: Option<&Engine>,
) -> Result<BTreeSet<Treatment>, NotReplayable> {
    let mut out = BTreeSet::new();
    for question in questions.into_iter().flatten() {
        let open = Open::of(engine, question).ok_or(NotReplayable::NotCompared)?;
        if open.cedar().next().is_some() {
            return Err(NotReplayable::NotCompared);
        }
        let space = Space::of(open.shapes(), []).map_err(|_| NotReplayable::NotCompared)?;
        let (every, decided) = (space.every(), open.decided(&space));
        let there: Vec<Set> =
            space.variables.iter().map(|v| values(&open.view, v, recorded, recorded_by)).collect();
        if there.iter().any(|set| set.is_empty()) {
            return Err(NotReplayable::NotReproduced);
        }
        for treatment in Treatment::ALL {
            let expr: Expr = exactly(&decided, treatment, &every);
            match Search::new().find(&expr, &there) {
                Found::Nowhere => {}
                Found::Here(_) => _ = out.insert(treatment),
                Found::TooMuch => return Err(NotReplayable::NotCompared),
            }
        }
    }
    Ok(out)
}

/// The values of a variable that agree with what was recorded.
fn values(
    view: &View<'_>,
    variable: &Variable,
    recorded: &Recorded<'_>,
    recorded_by: Option<&Engine>,
) -> Set {
    if variable.key == Key::Now {
        return stretch(variable, recorded.at.unix_millis());
    }
    let mut out = Set::first(variable.points.len());
    for id in facts_of(view, &variable.key) {
        let Some(def) = view.book().schema.def(id) else { continue };
        let said = recorded.facts.get(&*def.name);
        let was_there = recorded_by.is_none_or(|e| e.bundle().facts.schema.id(&def.name).is_some());
        let agree: Set = match said {
            None if !was_there => continue,
            None => places(variable, |point| *point == Point::Unknown),
            Some(RecordedFact::Int(n)) => stretch(variable, *n),
            Some(said) => places(variable, |point| {
                *point != Point::Unknown
                    && value(view, id, point) == known(&def.ty, said)
                    && known(&def.ty, said).is_some()
            }),
        };
        out = out.both(agree);
    }
    out
}

fn known(ty: &FactType, said: &RecordedFact) -> Option<FactValue> {
    match (ty, said) {
        (FactType::Bool, RecordedFact::Bool(b)) => Some(FactValue::Bool(*b)),
        (FactType::Word(words) | FactType::Level(words), RecordedFact::Word(word)) => {
            let at = words.iter().position(|there| there == word)?;
            u16::try_from(at).ok().map(FactValue::Word)
        }
        (FactType::Int, RecordedFact::Int(n)) => Some(FactValue::Int(*n)),
        (FactType::Bool | FactType::Word(_) | FactType::Level(_) | FactType::Int, _) => None,
    }
}

fn places(variable: &Variable, fits: impl Fn(&Point) -> bool) -> Set {
    variable.points.iter().enumerate().filter(|(_, point)| fits(point)).map(|(at, _)| at).collect()
}

/// The stretch of numbers that one of them lies in: the last that begins at or before it, or the first.
fn stretch(variable: &Variable, n: i64) -> Set {
    let begins =
        |(at, point): (usize, &Point)| if let Point::From(from) = point { Some((at, *from)) } else { None };
    let stretches: Vec<(usize, i64)> = variable.points.iter().enumerate().filter_map(begins).collect();
    let last = stretches.iter().rev().find(|(_, from)| *from <= n).or(stretches.first());
    last.map(|(at, _)| *at).into_iter().collect()
}
