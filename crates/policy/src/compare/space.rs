//! The facts that a cell's rules ask, of one bundle or of two, as variables with few values: every value that no rule can
//! tell from another is one.
//!
//! Facts that hang together are one variable: the consents to one purpose, of which a stronger kind brings every weaker
//! one. A word that only one of two bundles knows is unknown to the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use consentry_model::{ConsentKind, FactId, FactType, FactValue, KindSet, Purpose};

use super::expr::Expr;
use super::set::{Set, VALUES_MAX};
use super::view::View;
use crate::engine::{Atom, Shape, bounds, holds};
use crate::rules::BuiltIn;

/// What a variable stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    /// The consents to the asked purpose, or to another.
    Consent(Option<Purpose>),
    /// One fact, and of which sort it is.
    Fact(Arc<str>, Sort),
    /// The time.
    Now,
    /// A policy that only Cedar can read, by its text.
    Cedar(Arc<str>),
}

/// The sort of a fact. Facts of one name and of different sorts have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Sort {
    Bool,
    Word,
    Level,
    Int,
}

/// One value of a variable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Point {
    Unknown,
    Bool(bool),
    Word(Arc<str>),
    /// This number and those up to the next value's.
    From(i64),
    /// The kinds of consent that stand, the strongest and perhaps a parental one.
    Kinds(Option<ConsentKind>, bool),
}

/// A variable and its values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Variable {
    pub(crate) key: Key,
    pub(crate) points: Vec<Point>,
}

/// The variables of a cell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Space {
    pub(crate) variables: Vec<Variable>,
}

/// A fact has more values than can be held apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooWide;

/// What is gathered of a variable on the way.
#[derive(Default)]
struct Gathered {
    words: Vec<Arc<str>>,
    bounds: BTreeSet<i64>,
}

impl Space {
    /// The variables of some formulas, each read in its own bundle.
    pub(crate) fn of<'v>(
        formulas: impl IntoIterator<Item = (&'v View<'v>, &'v Shape)>,
        cedar: impl IntoIterator<Item = Arc<str>>,
    ) -> Result<Self, TooWide> {
        let mut found: BTreeMap<Key, Gathered> =
            cedar.into_iter().map(|text| (Key::Cedar(text), Gathered::default())).collect();
        for (view, shape) in formulas {
            shape.each_atom(&mut |atom| gather(view, atom, &mut found));
        }
        let variables: Vec<Variable> = found
            .into_iter()
            .map(|(key, gathered)| Variable { points: points(&key, &gathered), key })
            .collect();
        if variables.iter().any(|v| v.points.len() > VALUES_MAX) {
            return Err(TooWide);
        }
        Ok(Self { variables })
    }

    /// Every value of each variable.
    pub(crate) fn every(&self) -> Vec<Set> {
        self.variables.iter().map(|v| Set::first(v.points.len())).collect()
    }

    /// How many different assignments there are.
    pub(crate) fn assignments(&self) -> u128 {
        self.variables.iter().fold(1_u128, |product, v| {
            product.saturating_mul(u128::try_from(v.points.len()).unwrap_or(u128::MAX))
        })
    }

    /// A formula as one over these variables.
    pub(crate) fn expr(&self, view: &View<'_>, shape: &Shape) -> Expr {
        self.expr_of(view, shape, &self.every(), &mut BTreeMap::new())
    }

    fn expr_of(
        &self,
        view: &View<'_>,
        shape: &Shape,
        every: &[Set],
        tests: &mut BTreeMap<Atom, Expr>,
    ) -> Expr {
        match shape {
            Shape::Constant(b) => Expr::Constant(*b),
            Shape::Is(atom) => tests.entry(*atom).or_insert_with(|| self.test(view, *atom, every)).clone(),
            Shape::Not(inner) => self.expr_of(view, inner, every, tests).not(every),
            Shape::All(parts) => {
                Expr::all(parts.iter().map(|p| self.expr_of(view, p, every, tests)).collect::<Vec<_>>())
            }
            Shape::Any(parts) => {
                Expr::any(parts.iter().map(|p| self.expr_of(view, p, every, tests)).collect::<Vec<_>>())
            }
        }
    }

    /// Whether a policy that only Cedar can read fires.
    pub(crate) fn cedar(&self, text: &Arc<str>) -> Expr {
        let key = Key::Cedar(Arc::clone(text));
        let at = self.variables.iter().position(|v| v.key == key);
        at.map_or(Expr::NO, |at| Expr::In(at, [1].into_iter().collect()))
    }

    fn test(&self, view: &View<'_>, atom: Atom, every: &[Set]) -> Expr {
        let fixed = atom.fact().and_then(|id| view.fixed(id));
        if let Some(fixed) = fixed.filter(|fixed| fixed.bounds().next().is_none()) {
            return Expr::Constant(holds(atom, fixed.at(0), 0));
        }
        // What has dates is asked of the time.
        let key = if fixed.is_some() { Some(Key::Now) } else { key(view, atom) };
        let Some(at) = self.variables.iter().position(|v| Some(&v.key) == key.as_ref()) else {
            return Expr::NO;
        };
        let points = self.variables.get(at).map_or(&[][..], |v| &v.points);
        let fires = |point: &Point| match (atom.fact(), fixed, point) {
            (_, Some(fixed), Point::From(now)) => holds(atom, fixed.at(*now), *now),
            (None, None, Point::From(now)) => holds(atom, None, *now),
            (None, ..) | (_, Some(_), _) => false,
            (Some(id), None, point) => holds(atom, value(view, id, point), 0),
        };
        let set: Set = points.iter().enumerate().filter(|(_, p)| fires(p)).map(|(at, _)| at).collect();
        Expr::any([Expr::In(at, set)]).within(every)
    }
}

/// The variable that an atom asks about.
fn key(view: &View<'_>, atom: Atom) -> Option<Key> {
    let Some(id) = atom.fact() else { return Some(Key::Now) };
    if let Some((purpose, _)) = consent(view, id) {
        return Some(Key::Consent(purpose));
    }
    let def = view.book().schema.def(id)?;
    let sort = match &def.ty {
        FactType::Bool => Sort::Bool,
        FactType::Word(_) => Sort::Word,
        FactType::Level(_) => Sort::Level,
        FactType::Int => Sort::Int,
    };
    Some(Key::Fact(Arc::clone(&def.name), sort))
}

/// Which consent a fact is about: to which purpose, `None` for the asked one, and of which kind.
fn consent(view: &View<'_>, id: FactId) -> Option<(Option<Purpose>, ConsentKind)> {
    let book = view.book();
    if let Some(kind) = ConsentKind::ALL.into_iter().find(|kind| book.core.consent_of(*kind) == id) {
        return Some((None, kind));
    }
    book.built_in.iter().find(|(_, there)| **there == id).and_then(|(built_in, _)| {
        if let BuiltIn::ConsentTo(purpose, kind) = built_in {
            return Some((Some(purpose.clone()), *kind));
        }
        None
    })
}

fn gather(view: &View<'_>, atom: Atom, found: &mut BTreeMap<Key, Gathered>) {
    if let Some(fixed) = atom.fact().and_then(|id| view.fixed(id)) {
        if fixed.bounds().next().is_some() {
            found.entry(Key::Now).or_default().bounds.extend(fixed.bounds());
        }
        return;
    }
    let Some(key) = key(view, atom) else { return };
    let gathered = found.entry(key).or_default();
    if let Atom::Before(millis) = atom {
        gathered.bounds.insert(millis);
    }
    gathered.bounds.extend(bounds(atom).into_iter().flat_map(|(_, bounds)| bounds));
    let def = atom.fact().and_then(|id| view.book().schema.def(id));
    for word in def.into_iter().flat_map(|def| def.ty.words()) {
        if !gathered.words.contains(word) {
            gathered.words.push(Arc::clone(word));
        }
    }
}

fn points(key: &Key, gathered: &Gathered) -> Vec<Point> {
    let stretches = || {
        let below = gathered.bounds.first().map_or(0, |first| first.saturating_sub(1));
        std::iter::once(below).chain(gathered.bounds.iter().copied()).map(Point::From)
    };
    let flags = [Point::Bool(false), Point::Bool(true)];
    match key {
        Key::Cedar(_) => flags.into(),
        Key::Now => stretches().collect(),
        Key::Consent(_) => {
            let strongest = [
                None,
                Some(ConsentKind::Implied),
                Some(ConsentKind::SoftOptIn),
                Some(ConsentKind::OptIn),
                Some(ConsentKind::Explicit),
            ];
            let kinds =
                strongest.into_iter().flat_map(|kind| [Point::Kinds(kind, false), Point::Kinds(kind, true)]);
            std::iter::once(Point::Unknown).chain(kinds).collect()
        }
        Key::Fact(_, sort) => {
            let known: Vec<Point> = match sort {
                Sort::Bool => flags.into(),
                Sort::Word | Sort::Level => gathered.words.iter().cloned().map(Point::Word).collect(),
                Sort::Int => stretches().collect(),
            };
            std::iter::once(Point::Unknown).chain(known).collect()
        }
    }
}

/// What a fact is at a point of its variable, in one bundle: what nobody knows may be assumed there, and a word that it
/// does not have is unknown.
pub(crate) fn value(view: &View<'_>, id: FactId, point: &Point) -> Option<FactValue> {
    match point {
        Point::Unknown => view.assumed(id),
        Point::Bool(b) => Some(FactValue::Bool(*b)),
        Point::From(n) => Some(FactValue::Int(*n)),
        Point::Word(word) => {
            let words = view.book().schema.def(id).map_or(&[][..], |def| def.ty.words());
            let at = words.iter().position(|there| there == word);
            at.and_then(|at| u16::try_from(at).ok()).map(FactValue::Word)
        }
        Point::Kinds(strongest, parental) => {
            let (_, kind) = consent(view, id)?;
            Some(FactValue::Bool(standing(*strongest, *parental).satisfies(kind)))
        }
    }
}

/// The kinds that stand.
pub(crate) fn standing(strongest: Option<ConsentKind>, parental: bool) -> KindSet {
    let kinds = strongest.into_iter().chain(parental.then_some(ConsentKind::Parental));
    kinds.fold(KindSet::EMPTY, KindSet::with)
}

/// The facts of one bundle that a variable gives a value.
pub(crate) fn facts_of(view: &View<'_>, key: &Key) -> Vec<FactId> {
    let known = |id: &FactId| match key {
        Key::Consent(purpose) => consent(view, *id).is_some_and(|(there, _)| there == *purpose),
        Key::Fact(name, _) => view.book().schema.id(name) == Some(*id),
        Key::Now | Key::Cedar(_) => false,
    };
    view.book().schema.iter().map(|(id, _)| id).filter(known).collect()
}
