//! What Cedar's partial evaluation leaves of a policy → a boolean formula over atoms → cubes of a fact word.
//!
//! Algebra without short-circuit is sound here: strict validation guarantees that an optional attribute is read only
//! behind its guard, and the atom of an absent attribute is false.

use std::collections::BTreeMap;
use std::sync::Arc;

use cedar_policy::pst::{BinaryOp, Clause, Expr, Literal, UnaryOp, Var};
use consentry_model::{FactId, FactSchema, FactType, FactValue, Facts, Moment};

use super::cedar_text::attribute;

/// One bit of a fact word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Atom {
    /// The fact is known.
    Known(FactId),
    /// The fact has this value.
    Is(FactId, FactValue),
    /// The level fact is below this.
    Below(FactId, i64),
    /// It is earlier than this, in milliseconds since the epoch.
    Before(i64),
}

impl Atom {
    pub(crate) fn holds(self, facts: &Facts, now: Moment) -> bool {
        match self {
            Self::Known(id) => facts.get(id).is_some(),
            Self::Is(id, value) => facts.get(id) == Some(value),
            Self::Below(id, level) => match facts.get(id) {
                Some(FactValue::Word(at)) => i64::from(at) < level,
                Some(FactValue::Bool(_)) | None => false,
            },
            Self::Before(millis) => now.unix_millis() < millis,
        }
    }
}

/// Bits that must be as stated: the cube fires on a word `w` when `w & mask == value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cube {
    pub(crate) mask: u64,
    pub(crate) value: u64,
}

/// What cannot be reduced; Cedar evaluates it instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Irreducible;

/// How many cubes one policy may have.
const CUBES_MAX: usize = 256;

#[derive(Clone, Debug)]
enum Formula {
    Constant(bool),
    Bit(u32),
    Not(Box<Formula>),
    All(Vec<Formula>),
    Any(Vec<Formula>),
}

/// Reduces the policies of one cell; the words that the cell fixes are constants.
pub(crate) struct Reducer<'a> {
    schema: &'a FactSchema,
    names: BTreeMap<String, FactId>,
    constants: BTreeMap<&'static str, String>,
    atoms: Vec<Atom>,
}

impl<'a> Reducer<'a> {
    pub(crate) fn new(schema: &'a FactSchema, constants: BTreeMap<&'static str, String>) -> Self {
        let names = schema.iter().map(|(id, def)| (attribute(def), id)).collect();
        Self { schema, names, constants, atoms: Vec::new() }
    }

    /// The atoms met so far, by their bit.
    pub(crate) fn atoms(&self) -> &[Atom] {
        &self.atoms
    }

    /// Changes a word that the cell fixes.
    pub(crate) fn fix(&mut self, name: &'static str, word: &str) {
        self.constants.insert(name, word.to_owned());
    }

    /// The cubes of a policy's clauses: none when it never fires, one without bits when it always does.
    pub(crate) fn cubes(&mut self, clauses: &[Clause]) -> Result<Vec<Cube>, Irreducible> {
        let mut parts = Vec::new();
        for clause in clauses {
            parts.push(match clause {
                Clause::When(e) => self.formula(e)?,
                Clause::Unless(e) => not(self.formula(e)?),
            });
        }
        cubes(&all(parts), false)
    }

    fn formula(&mut self, e: &Expr) -> Result<Formula, Irreducible> {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "whatever is not reduced here is left to Cedar itself"
        )]
        Ok(match e {
            Expr::Literal(Literal::Bool(b)) => Formula::Constant(*b),
            Expr::UnaryOp { op: UnaryOp::Not, expr } => not(self.formula(expr)?),
            Expr::BinaryOp { op: BinaryOp::And, left, right } => {
                all(vec![self.formula(left)?, self.formula(right)?])
            }
            Expr::BinaryOp { op: BinaryOp::Or, left, right } => {
                any(vec![self.formula(left)?, self.formula(right)?])
            }
            Expr::IfThenElse { cond, then_expr, else_expr } => {
                let (cond, yes, no) =
                    (self.formula(cond)?, self.formula(then_expr)?, self.formula(else_expr)?);
                any(vec![all(vec![cond.clone(), yes]), all(vec![not(cond), no])])
            }
            Expr::GetAttr { .. } => {
                let id = self.fact(e)?;
                self.bit(Atom::Is(id, FactValue::Bool(true)))?
            }
            Expr::HasAttr { expr, attrs } if is_context(expr) && attrs.len() == 1 => {
                let id = self.names.get(attrs.first().as_str()).copied().ok_or(Irreducible)?;
                self.bit(Atom::Known(id))?
            }
            Expr::BinaryOp { op: BinaryOp::Contains, left, right } => self.contains(left, right)?,
            Expr::BinaryOp { op: BinaryOp::Less, left, right } => self.below(left, right, 0)?,
            Expr::BinaryOp { op: BinaryOp::GreaterEq, left, right } => not(self.below(left, right, 0)?),
            Expr::BinaryOp { op: BinaryOp::LessEq, left, right } => self.below(left, right, 1)?,
            Expr::BinaryOp { op: BinaryOp::Greater, left, right } => not(self.below(left, right, 1)?),
            _ => return Err(Irreducible),
        })
    }

    /// `[a, b].contains(context.x)`.
    fn contains(&mut self, set: &Expr, element: &Expr) -> Result<Formula, Irreducible> {
        let Expr::Set(items) = set else { return Err(Irreducible) };
        if let Some(word) = attr(element).and_then(|name| self.constants.get(name)) {
            let mut there = false;
            for item in items {
                there |= entity(item).ok_or(Irreducible)? == *word;
            }
            return Ok(Formula::Constant(there));
        }
        let id = self.fact(element)?;
        let mut parts = Vec::new();
        for item in items {
            let value = self.value(id, item)?;
            parts.push(self.bit(Atom::Is(id, value))?);
        }
        Ok(any(parts))
    }

    fn value(&self, id: FactId, literal: &Expr) -> Result<FactValue, Irreducible> {
        let def = self.schema.def(id).ok_or(Irreducible)?;
        match &def.ty {
            FactType::Word(words) => {
                let word = entity(literal).ok_or(Irreducible)?;
                let at = words.iter().position(|w| **w == *word).ok_or(Irreducible)?;
                u16::try_from(at).map(FactValue::Word).map_err(|_| Irreducible)
            }
            FactType::Level(_) => {
                let level = long(literal).ok_or(Irreducible)?;
                u16::try_from(level).map(FactValue::Word).map_err(|_| Irreducible)
            }
            FactType::Bool => Err(Irreducible),
        }
    }

    /// `context.x < literal + more`.
    fn below(&mut self, left: &Expr, right: &Expr, more: i64) -> Result<Formula, Irreducible> {
        let bound = long(right).and_then(|n| n.checked_add(more)).ok_or(Irreducible)?;
        if attr(left) == Some("now") {
            return self.bit(Atom::Before(bound));
        }
        let id = self.fact(left)?;
        self.bit(Atom::Below(id, bound))
    }

    fn fact(&self, e: &Expr) -> Result<FactId, Irreducible> {
        attr(e).and_then(|name| self.names.get(name)).copied().ok_or(Irreducible)
    }

    fn bit(&mut self, atom: Atom) -> Result<Formula, Irreducible> {
        let at = self.atoms.iter().position(|a| *a == atom).unwrap_or_else(|| {
            self.atoms.push(atom);
            self.atoms.len() - 1
        });
        u32::try_from(at).ok().filter(|at| *at < u64::BITS).map(Formula::Bit).ok_or(Irreducible)
    }
}

fn is_context(e: &Expr) -> bool {
    matches!(e, Expr::Var(Var::Context))
}

/// The name of `context.name`.
fn attr(e: &Expr) -> Option<&str> {
    if let Expr::GetAttr { expr, attr } = e
        && is_context(expr)
    {
        Some(attr)
    } else {
        None
    }
}

fn long(e: &Expr) -> Option<i64> {
    if let Expr::Literal(Literal::Long(n)) = e { Some(*n) } else { None }
}

fn entity(e: &Expr) -> Option<&str> {
    if let Expr::Literal(Literal::EntityUID(uid)) = e { Some(&uid.eid) } else { None }
}

fn not(f: Formula) -> Formula {
    match f {
        Formula::Constant(b) => Formula::Constant(!b),
        Formula::Not(inner) => *inner,
        Formula::Bit(_) | Formula::All(_) | Formula::Any(_) => Formula::Not(Box::new(f)),
    }
}

fn all(parts: Vec<Formula>) -> Formula {
    join(parts, true)
}

fn any(parts: Vec<Formula>) -> Formula {
    join(parts, false)
}

fn join(parts: Vec<Formula>, conjunction: bool) -> Formula {
    let mut kept = Vec::new();
    for part in parts {
        match part {
            Formula::Constant(b) if b == conjunction => {}
            Formula::Constant(b) => return Formula::Constant(b),
            Formula::Bit(_) | Formula::Not(_) | Formula::All(_) | Formula::Any(_) => kept.push(part),
        }
    }
    match (kept.len(), conjunction) {
        (0, _) => Formula::Constant(conjunction),
        (_, true) => Formula::All(kept),
        (_, false) => Formula::Any(kept),
    }
}

/// The disjunctive normal form, of the formula or of its negation.
fn cubes(f: &Formula, negated: bool) -> Result<Vec<Cube>, Irreducible> {
    let (parts, conjunction) = match f {
        Formula::Constant(b) if *b != negated => return Ok(vec![Cube { mask: 0, value: 0 }]),
        Formula::Constant(_) => return Ok(Vec::new()),
        Formula::Bit(at) => {
            let mask = 1_u64.checked_shl(*at).ok_or(Irreducible)?;
            return Ok(vec![Cube { mask, value: if negated { 0 } else { mask } }]);
        }
        Formula::Not(inner) => return cubes(inner, !negated),
        Formula::All(parts) => (parts, !negated),
        Formula::Any(parts) => (parts, negated),
    };
    let mut out = if conjunction { vec![Cube { mask: 0, value: 0 }] } else { Vec::new() };
    for part in parts {
        let more = cubes(part, negated)?;
        if conjunction {
            let pairs = out.iter().flat_map(|a| more.iter().filter_map(|b| meet(*a, *b)));
            out = pairs.collect();
        } else {
            out.extend(more);
        }
        out.sort_unstable();
        out.dedup();
        if out.len() > CUBES_MAX {
            return Err(Irreducible);
        }
    }
    Ok(out)
}

fn meet(a: Cube, b: Cube) -> Option<Cube> {
    let agree = a.mask & b.mask & (a.value ^ b.value) == 0;
    agree.then_some(Cube { mask: a.mask | b.mask, value: a.value | b.value })
}

/// The clauses of a residual policy.
pub(crate) fn clauses(policy: &cedar_policy::Policy) -> Result<Vec<Clause>, Irreducible> {
    let pst = policy.to_pst().map_err(|_| Irreducible)?;
    Ok(pst.body().clauses().iter().map(clone_clause).collect())
}

fn clone_clause(clause: &Clause) -> Clause {
    match clause {
        Clause::When(e) => Clause::When(Arc::clone(e)),
        Clause::Unless(e) => Clause::Unless(Arc::clone(e)),
    }
}
