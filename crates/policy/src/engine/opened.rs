//! A cell's program taken apart again: what is compared and proved is what decides.

use std::sync::Arc;

use consentry_model::{FactId, FactValue, Treatment};

use super::atoms::{Atom, Atoms};
use super::cells::Cell;
use super::decide::Engine;
use super::formula::Formula;
use super::program::{Program, Step, Table};

/// One treatment of a cell.
pub(crate) struct OpenStep {
    pub(crate) treatment: Treatment,
    pub(crate) policies: Vec<OpenPolicy>,
}

/// One policy that may fire.
#[derive(Clone)]
pub(crate) struct OpenPolicy {
    pub(crate) permits: bool,
    pub(crate) fires: OpenFires,
}

/// When it fires.
#[derive(Clone)]
pub(crate) enum OpenFires {
    /// When this holds.
    When(Shape),
    /// Only Cedar can say; the text of the policy.
    Cedar(Arc<str>),
}

/// A formula over atoms.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Constant(bool),
    Is(Atom),
    Not(Box<Shape>),
    All(Vec<Shape>),
    Any(Vec<Shape>),
}

impl Shape {
    /// Calls `visit` with every atom in it.
    pub(crate) fn each_atom(&self, visit: &mut impl FnMut(Atom)) {
        match self {
            Self::Constant(_) => {}
            Self::Is(atom) => visit(*atom),
            Self::Not(inner) => inner.each_atom(visit),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|p| p.each_atom(visit)),
        }
    }

    /// `None` for a bit that no atom has.
    fn of(formula: &Formula, atoms: &Atoms) -> Option<Self> {
        let all = |parts: &[Formula]| parts.iter().map(|p| Self::of(p, atoms)).collect::<Option<Vec<_>>>();
        Some(match formula {
            Formula::Constant(b) => Self::Constant(*b),
            Formula::Bit(bit) => Self::Is(atoms.atom(*bit)?),
            Formula::Not(inner) => Self::Not(Box::new(Self::of(inner, atoms)?)),
            Formula::All(parts) => Self::All(all(parts)?),
            Formula::Any(parts) => Self::Any(all(parts)?),
        })
    }
}

impl Engine {
    /// What a cell decides, as formulas; `None` when its program cannot be taken apart.
    pub(crate) fn opened(&self, cell: &Cell) -> Option<Vec<OpenStep>> {
        let program = &*cell.program;
        let mut all = Vec::new();
        for (at, (rule, cubes)) in program.rules.iter().zip(self.open_cubes(program)?).enumerate() {
            let fires = if program.beyond.iter().any(|(there, _)| *there == at) {
                let text = self.compiled.texts.iter().find(|text| text.id == *rule)?;
                OpenFires::Cedar(text.text.as_str().into())
            } else {
                OpenFires::When(Shape::Any(cubes))
            };
            all.push(OpenPolicy { permits: program.permits.has(at), fires });
        }
        let of_step = |step: &Step| {
            let asked = all.iter().enumerate().filter(|(at, _)| step.asks.has(*at));
            let policies = asked.map(|(_, policy)| policy.clone()).collect();
            OpenStep { treatment: step.treatment, policies }
        };
        Some(program.steps.iter().map(of_step).collect())
    }

    /// The cubes of each policy.
    fn open_cubes(&self, program: &Program) -> Option<Vec<Vec<Shape>>> {
        let atoms = self.compiler.atoms();
        let mut cubes: Vec<Vec<Shape>> = vec![Vec::new(); program.rules.len()];
        let mut add = |mask: &[u64], value: &[u64], policy: usize| -> Option<()> {
            let mut literals = Vec::new();
            for (place, (mask, value)) in program.selected.iter().zip(mask.iter().zip(value)) {
                for bit in (0..64).filter(|bit| mask >> bit & 1 == 1) {
                    let is = Shape::Is(atoms.atom(place * 64 + bit)?);
                    let so = value >> bit & 1 == 1;
                    literals.push(if so { is } else { Shape::Not(Box::new(is)) });
                }
            }
            cubes.get_mut(policy)?.push(Shape::All(literals));
            Some(())
        };
        match &program.table {
            Table::One(rows) => {
                for row in rows {
                    add(&row.mask, &row.value, usize::try_from(row.policy).ok()?)?;
                }
            }
            Table::Two(rows) => {
                for row in rows {
                    add(&row.mask, &row.value, usize::try_from(row.policy).ok()?)?;
                }
            }
            Table::Many(rows) => {
                for row in rows {
                    add(&row.mask, &row.value, row.policy)?;
                }
            }
        }
        for (at, formula) in &program.trees {
            cubes.get_mut(*at)?.push(Shape::of(formula, atoms)?);
        }
        Some(cubes)
    }
}

/// Whether an atom holds at some time, of a fact with this value.
pub(crate) fn holds(atom: Atom, value: Option<FactValue>, now: i64) -> bool {
    if let Atom::Before(millis) = atom { now < millis } else { atom.holds_of(value) }
}

/// The bound and fact of what splits numbers.
pub(crate) fn bounds(atom: Atom) -> Option<(FactId, Vec<i64>)> {
    match atom {
        Atom::Below(id, bound) => Some((id, vec![bound])),
        Atom::Is(id, FactValue::Int(n)) => Some((id, std::iter::once(n).chain(n.checked_add(1)).collect())),
        Atom::Is(..) | Atom::Known(_) | Atom::Before(_) => None,
    }
}
