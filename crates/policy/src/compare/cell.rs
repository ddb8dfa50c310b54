//! One cell in two bundles.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use consentry_model::{
    Act, Category, ClassId, FactValue, Purpose, RecipientId, RequesterId, SubjectType, Treatment,
};

use super::alike::Numbers;
use super::decided::{Decided, Open, exactly};
use super::expr::Expr;
use super::set::Set;
use super::solve::{Found, Search, widest};
use super::space::Space;
use crate::engine::{Engine, Question, reachable};

/// How many kinds of circumstances are told of one change.
const CASES_MAX: usize = 3;

/// A cell by names that two bundles share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CellName {
    pub(crate) purpose: Purpose,
    pub(crate) recipient: RecipientId,
    pub(crate) act: Act,
    pub(crate) category: Category,
    pub(crate) subject_type: SubjectType,
    /// What the service map attests, in words.
    pub(crate) attested: Vec<String>,
    pub(crate) requester: RequesterId,
}

/// The questions that a service map can make, by name. Classes that differ in their treatments alone share one.
pub(crate) fn cells(engine: &Engine) -> BTreeMap<CellName, Vec<Question>> {
    let mut out: BTreeMap<CellName, Vec<Question>> = BTreeMap::new();
    for question in reachable(engine.bundle()) {
        if let Some(name) = name_of(engine, &question) {
            out.entry(name).or_default().push(question);
        }
    }
    out
}

pub(crate) fn name_of(engine: &Engine, question: &Question) -> Option<CellName> {
    let class = engine.bundle().service.class(question.class)?;
    Some(CellName {
        purpose: question.purpose.clone(),
        recipient: question.recipient.clone(),
        act: question.act,
        category: class.category.clone(),
        subject_type: class.subject_type.clone(),
        attested: attested(engine, question.class),
        requester: question.requester.clone(),
    })
}

/// What the service map attests of a class, in words and in the order of names.
pub(crate) fn attested(engine: &Engine, class: ClassId) -> Vec<String> {
    let schema = &engine.bundle().facts.schema;
    let facts = engine.bundle().service.class(class).map_or(&[][..], |class| &class.facts);
    // What is not said to be about a group is about one person.
    let single = (engine.bundle().facts.core.shape, FactValue::Word(0));
    let said = facts.iter().filter(|fact| **fact != single).filter_map(|(id, value)| {
        let def = schema.def(*id)?;
        Some(format!("{} {}", def.name, super::words::value(&def.ty, *value)))
    });
    let mut said: Vec<String> = said.collect();
    said.sort_unstable();
    said
}

/// A change of a cell's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shift {
    pub(crate) from: Treatment,
    pub(crate) to: Treatment,
    /// Where it changes: all over each of these boxes.
    pub(crate) boxes: Vec<Vec<Set>>,
    /// Whether it changes elsewhere, too.
    pub(crate) more: bool,
}

/// What became of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Compared {
    pub(crate) space: Space,
    pub(crate) shifts: Vec<Shift>,
}

/// Why a cell could not be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotCompared {
    /// Its rules ask more than a search of bounded length can tell apart.
    TooMuch,
    /// A fact of it has more than 256 values that matter.
    TooWide,
    /// A native policy in it is beyond the program, and the two bundles need not mean the same by it.
    Native,
}

impl NotCompared {
    /// Why, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::TooMuch => "the search for a difference was given up at its bound",
            Self::TooWide => "a fact has more than 256 values that matter",
            Self::Native => "a native policy is beyond what can be compared",
        }
    }
}

/// Cells by what rules can tell of their questions, in the old bundle and in the new.
type Kinds = (Vec<[usize; 5]>, Vec<[usize; 5]>);

/// Two bundles, and what was compared before.
pub(crate) struct Known<'e> {
    engines: (&'e Engine, &'e Engine),
    numbers: (Numbers<'e>, Numbers<'e>),
    by_kind: HashMap<Kinds, Arc<Result<Compared, NotCompared>>>,
    by_formulas: HashMap<(Space, Decided, Decided), Arc<Result<Compared, NotCompared>>>,
}

impl<'e> Known<'e> {
    pub(crate) fn of(old: &'e Engine, new: &'e Engine) -> Self {
        Self {
            engines: (old, new),
            numbers: (Numbers::of(old.bundle()), Numbers::of(new.bundle())),
            by_kind: HashMap::new(),
            by_formulas: HashMap::new(),
        }
    }

    /// Compiles one cell of each kind, on all processors.
    pub(crate) fn prepare(
        &mut self,
        old: &BTreeMap<CellName, Vec<Question>>,
        new: &BTreeMap<CellName, Vec<Question>>,
    ) {
        let mut wanted: Vec<(&Engine, &Question)> = Vec::new();
        for (engine, numbers, cells) in
            [(self.engines.0, &mut self.numbers.0, old), (self.engines.1, &mut self.numbers.1, new)]
        {
            let mut seen = BTreeSet::new();
            let all = cells.values().flatten();
            wanted.extend(all.filter(|q| seen.insert(numbers.question(q))).map(|q| (engine, q)));
        }
        let workers = std::thread::available_parallelism().map_or(1, usize::from).min(8);
        let share = wanted.len().div_ceil(workers).max(1);
        std::thread::scope(|scope| {
            for part in wanted.chunks(share) {
                scope.spawn(|| part.iter().for_each(|(engine, question)| _ = engine.cell(question)));
            }
        });
    }

    /// Compares the cells of some questions of the old bundle with those of the new; none are refused.
    pub(crate) fn compare(
        &mut self,
        old: &[Question],
        new: &[Question],
    ) -> Arc<Result<Compared, NotCompared>> {
        let kinds = (
            old.iter().map(|q| self.numbers.0.question(q)).collect(),
            new.iter().map(|q| self.numbers.1.question(q)).collect(),
        );
        if let Some(found) = self.by_kind.get(&kinds) {
            return Arc::clone(found);
        }
        let found = self.compare_afresh(old, new);
        self.by_kind.insert(kinds, Arc::clone(&found));
        found
    }

    fn compare_afresh(&mut self, old: &[Question], new: &[Question]) -> Arc<Result<Compared, NotCompared>> {
        let (space, before, after) = match read((self.engines.0, old), (self.engines.1, new)) {
            Ok(read) => read,
            Err(why) => return Arc::new(Err(why)),
        };
        if before == after {
            return Arc::new(Ok(Compared { space, shifts: Vec::new() }));
        }
        let key = (space, before, after);
        if let Some(found) = self.by_formulas.get(&key) {
            return Arc::clone(found);
        }
        let found = Arc::new(shifts(&key.0, &key.1, &key.2));
        self.by_formulas.insert(key, Arc::clone(&found));
        found
    }
}

fn read(
    old: (&Engine, &[Question]),
    new: (&Engine, &[Question]),
) -> Result<(Space, Decided, Decided), NotCompared> {
    let (before, after) = (open_all(old.0, old.1)?, open_all(new.0, new.1)?);
    let cedar: Vec<_> = before.iter().chain(&after).flat_map(Open::cedar).collect();
    if !cedar.is_empty() && !same_words(old.0, new.0) {
        return Err(NotCompared::Native);
    }
    let shapes = before.iter().chain(&after).flat_map(Open::shapes);
    let space = Space::of(shapes, cedar).map_err(|_| NotCompared::TooWide)?;
    let decided =
        |side: &[Open<'_>]| -> Decided { side.iter().flat_map(|open| open.decided(&space)).collect() };
    let (before, after) = (decided(&before), decided(&after));
    Ok((space, before, after))
}

fn open_all<'e>(engine: &'e Engine, questions: &[Question]) -> Result<Vec<Open<'e>>, NotCompared> {
    questions.iter().map(|question| Open::of(engine, question).ok_or(NotCompared::Native)).collect()
}

/// Whether a policy that only Cedar can read means the same in both bundles.
fn same_words(old: &Engine, new: &Engine) -> bool {
    old.cedar_schema() == new.cedar_schema() && old.bundle().vocabulary == new.bundle().vocabulary
}

fn shifts(space: &Space, before: &Decided, after: &Decided) -> Result<Compared, NotCompared> {
    let every = space.every();
    let mut shifts = Vec::new();
    for from in Treatment::ALL {
        let then = exactly(before, from, &every);
        for to in Treatment::ALL.into_iter().filter(|to| *to != from) {
            let both = Expr::all([then.clone(), exactly(after, to, &every)]);
            if let Some(shift) = shift(from, to, both, &every)? {
                shifts.push(shift);
            }
        }
    }
    Ok(Compared { space: space.clone(), shifts })
}

fn shift(from: Treatment, to: Treatment, both: Expr, every: &[Set]) -> Result<Option<Shift>, NotCompared> {
    let (mut left, mut boxes) = (both.clone(), Vec::new());
    loop {
        match Search::new().find(&left, every) {
            Found::Nowhere => break,
            Found::TooMuch if boxes.is_empty() => return Err(NotCompared::TooMuch),
            Found::TooMuch => return Ok(Some(Shift { from, to, boxes, more: true })),
            Found::Here(_) if boxes.len() == CASES_MAX => {
                return Ok(Some(Shift { from, to, boxes, more: true }));
            }
            Found::Here(found) => {
                let found = widest(&both, found, every);
                let inside = found.iter().enumerate().map(|(at, set)| Expr::any([Expr::In(at, *set)]));
                left = Expr::all([left, Expr::all(inside).not(every)]);
                boxes.push(found);
            }
        }
    }
    Ok((!boxes.is_empty()).then_some(Shift { from, to, boxes, more: false }))
}
