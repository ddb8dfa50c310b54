//! Cedar's expressions → boolean formulas over a fact word.
//!
//! Algebra without short-circuit is sound here: strict validation guarantees that an optional attribute is read only
//! behind its guard, and the atom of an absent attribute is false.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cedar_policy::pst::{BinaryOp, Clause, Expr, Literal, UnaryOp, Var};
use consentry_model::{FactId, FactSchema, FactType, FactValue, Facts};

use super::atoms::{Atom, Atoms};
use super::cedar_text::attribute;
use super::formula::Formula;

/// What cannot be reduced; Cedar evaluates it instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Irreducible;

/// The facts of a schema by the attributes that hold them.
pub(crate) struct Names {
    schema: FactSchema,
    ids: BTreeMap<String, FactId>,
}

impl Names {
    pub(crate) fn of(schema: &FactSchema) -> Self {
        let ids = schema.iter().map(|(id, def)| (attribute(def), id)).collect();
        Self { schema: schema.clone(), ids }
    }

    fn fact(&self, e: &Expr) -> Result<FactId, Irreducible> {
        attr(e).and_then(|name| self.ids.get(name)).copied().ok_or(Irreducible)
    }

    /// What one test says of the facts; `None` for everything else.
    fn test(&self, e: &Expr) -> Result<Option<Test>, Irreducible> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "whatever else there is, is not a test of a fact")]
        Ok(Some(match e {
            Expr::GetAttr { .. } => {
                let id = self.fact(e)?;
                let boolean = self.schema.def(id).is_some_and(|def| def.ty == FactType::Bool);
                Test::one(Atom::Is(boolean.then_some(id).ok_or(Irreducible)?, FactValue::Bool(true)))
            }
            Expr::HasAttr { expr, attrs } if is_context(expr) && attrs.len() == 1 => {
                Test::one(Atom::Known(self.ids.get(attrs.first().as_str()).copied().ok_or(Irreducible)?))
            }
            Expr::BinaryOp { op: BinaryOp::Contains, left, right } => {
                let Expr::Set(items) = &**left else { return Err(Irreducible) };
                self.any_of(right, items.iter().map(|i| &**i))?
            }
            Expr::BinaryOp { op: BinaryOp::Eq, left, right } => self.equal(left, right)?,
            Expr::BinaryOp { op: BinaryOp::NotEq, left, right } => self.equal(left, right)?.not(),
            Expr::BinaryOp { op: BinaryOp::Less, left, right } => self.below(left, right, 0)?,
            Expr::BinaryOp { op: BinaryOp::GreaterEq, left, right } => self.below(left, right, 0)?.not(),
            Expr::BinaryOp { op: BinaryOp::LessEq, left, right } => self.below(left, right, 1)?,
            Expr::BinaryOp { op: BinaryOp::Greater, left, right } => self.below(left, right, 1)?.not(),
            _ => return Ok(None),
        }))
    }

    fn equal(&self, left: &Expr, right: &Expr) -> Result<Test, Irreducible> {
        if attr(left).is_some() { self.any_of(left, [right]) } else { self.any_of(right, [left]) }
    }

    /// `[a, b].contains(context.x)`.
    fn any_of<'e>(
        &self,
        element: &Expr,
        values: impl IntoIterator<Item = &'e Expr>,
    ) -> Result<Test, Irreducible> {
        let id = self.fact(element)?;
        let atoms: Result<Vec<_>, _> = values.into_iter().map(|v| self.is(id, v)).collect();
        atoms.map(|atoms| Test { any: atoms, negated: false })
    }

    fn is(&self, id: FactId, literal: &Expr) -> Result<Atom, Irreducible> {
        let def = self.schema.def(id).ok_or(Irreducible)?;
        Ok(Atom::Is(
            id,
            match &def.ty {
                FactType::Bool => FactValue::Bool(boolean(literal).ok_or(Irreducible)?),
                FactType::Word(words) => {
                    let word = entity(literal).ok_or(Irreducible)?;
                    let at = words.iter().position(|w| **w == *word).ok_or(Irreducible)?;
                    FactValue::Word(u16::try_from(at).map_err(|_| Irreducible)?)
                }
                FactType::Level(_) => {
                    let level = long(literal).ok_or(Irreducible)?;
                    FactValue::Word(u16::try_from(level).map_err(|_| Irreducible)?)
                }
                FactType::Int => FactValue::Int(long(literal).ok_or(Irreducible)?),
            },
        ))
    }

    /// `context.x < literal + more`, either way round.
    fn below(&self, left: &Expr, right: &Expr, more: i64) -> Result<Test, Irreducible> {
        if let (Some(n), Some(_)) = (long(left), attr(right)) {
            // n < x is not x < n + 1; n <= x is not x < n.
            return self.bounded(right, n.checked_add(1 - more).ok_or(Irreducible)?).map(Test::not);
        }
        let bound = long(right).and_then(|n| n.checked_add(more)).ok_or(Irreducible)?;
        self.bounded(left, bound)
    }

    fn bounded(&self, number: &Expr, bound: i64) -> Result<Test, Irreducible> {
        if attr(number) == Some("now") {
            return Ok(Test::one(Atom::Before(bound)));
        }
        Ok(Test::one(Atom::Below(self.fact(number)?, bound)))
    }

    /// Every atom that a policy's clauses ask about, whether or not they can be reduced as a whole.
    pub(crate) fn atoms(&self, clauses: &[Clause]) -> BTreeSet<Atom> {
        let mut out = BTreeSet::new();
        for clause in clauses {
            let (Clause::When(e) | Clause::Unless(e)) = clause;
            self.collect(e, &mut out);
        }
        out
    }

    fn collect(&self, e: &Expr, out: &mut BTreeSet<Atom>) {
        if let Ok(Some(test)) = self.test(e) {
            out.extend(test.any);
        }
        #[expect(clippy::wildcard_enum_match_arm, reason = "nothing below is reduced")]
        match e {
            Expr::UnaryOp { expr, .. } => self.collect(expr, out),
            Expr::BinaryOp { left, right, .. } => {
                self.collect(left, out);
                self.collect(right, out);
            }
            Expr::IfThenElse { cond, then_expr, else_expr } => {
                [cond, then_expr, else_expr].into_iter().for_each(|e| self.collect(e, out));
            }
            _ => {}
        }
    }
}

/// One of these atoms, or none of them.
struct Test {
    any: Vec<Atom>,
    negated: bool,
}

impl Test {
    fn one(atom: Atom) -> Self {
        Self { any: vec![atom], negated: false }
    }

    fn not(self) -> Self {
        Self { negated: !self.negated, ..self }
    }
}

/// Reduces the policies of one cell; the words and facts that the cell fixes are constants.
pub(crate) struct Reducer<'a> {
    pub(crate) names: &'a Names,
    pub(crate) atoms: &'a Atoms,
    pub(crate) words: [(&'static str, &'a str); 3],
    pub(crate) facts: &'a Facts,
    /// Every word and fact that was looked at, with what it was.
    pub(crate) looked: RefCell<Vec<Looked>>,
}

/// A word or fact that the outcome of a reduction depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Looked {
    Word(&'static str, Box<str>),
    Fact(FactId, Option<FactValue>),
}

impl Reducer<'_> {
    /// Whether looking again would show the same.
    pub(crate) fn sees(&self, looked: &Looked) -> bool {
        match looked {
            Looked::Word(name, word) => self.words.iter().any(|(n, w)| n == name && **w == **word),
            Looked::Fact(id, value) => self.facts.get(*id) == *value,
        }
    }

    fn look(&self, looked: Looked) {
        let mut all = self.looked.borrow_mut();
        if !all.contains(&looked) {
            all.push(looked);
        }
    }

    /// What `context.name` is, where the cell fixes it.
    fn word(&self, e: &Expr) -> Option<&str> {
        let asked = attr(e)?;
        let (name, word) = self.words.iter().find(|(name, _)| *name == asked)?;
        self.look(Looked::Word(name, (*word).into()));
        Some(word)
    }

    /// The formula of a policy's clauses.
    pub(crate) fn clauses(&self, clauses: &[Clause]) -> Result<Formula, Irreducible> {
        let parts: Result<Vec<_>, _> = clauses
            .iter()
            .map(|clause| match clause {
                Clause::When(e) => self.formula(e),
                Clause::Unless(e) => self.formula(e).map(Formula::not),
            })
            .collect();
        parts.map(Formula::all)
    }

    fn formula(&self, e: &Expr) -> Result<Formula, Irreducible> {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "whatever is not reduced here is left to Cedar itself"
        )]
        Ok(match e {
            Expr::Literal(Literal::Bool(b)) => Formula::Constant(*b),
            Expr::UnaryOp { op: UnaryOp::Not, expr } => self.formula(expr)?.not(),
            Expr::BinaryOp { op: BinaryOp::And, left, right } => {
                Formula::all(vec![self.formula(left)?, self.formula(right)?])
            }
            Expr::BinaryOp { op: BinaryOp::Or, left, right } => {
                Formula::any(vec![self.formula(left)?, self.formula(right)?])
            }
            Expr::IfThenElse { cond, then_expr, else_expr } => {
                let (cond, yes, no) =
                    (self.formula(cond)?, self.formula(then_expr)?, self.formula(else_expr)?);
                Formula::any(vec![Formula::all(vec![cond.clone(), yes]), Formula::all(vec![cond.not(), no])])
            }
            _ => match self.fixed(e)? {
                Some(constant) => Formula::Constant(constant),
                None => self.test(e)?,
            },
        })
    }

    fn test(&self, e: &Expr) -> Result<Formula, Irreducible> {
        let Test { any, negated } = self.names.test(e)?.ok_or(Irreducible)?;
        let bits: Result<Vec<_>, _> = any.into_iter().map(|atom| self.bit(atom)).collect();
        let formula = Formula::any(bits?);
        Ok(if negated { formula.not() } else { formula })
    }

    fn bit(&self, atom: Atom) -> Result<Formula, Irreducible> {
        if let Some(id) = atom.fact() {
            let value = self.facts.get(id);
            self.look(Looked::Fact(id, value));
            if value.is_some() {
                return Ok(Formula::Constant(atom.holds_of(value)));
            }
        }
        self.atoms.bit(atom).map(Formula::Bit).ok_or(Irreducible)
    }

    /// A test of a word that the cell fixes: `[a, b].contains(context.act)`, `context.act == a`.
    fn fixed(&self, e: &Expr) -> Result<Option<bool>, Irreducible> {
        let Expr::BinaryOp { op, left, right } = e else { return Ok(None) };
        let same = |literal: &Expr, word: &str| Ok(entity(literal).ok_or(Irreducible)? == word);
        match (op, &**left, self.word(left), self.word(right)) {
            (BinaryOp::Contains, Expr::Set(items), _, Some(word)) => {
                let mut there = false;
                for item in items {
                    there |= same(item, word)?;
                }
                Ok(Some(there))
            }
            (BinaryOp::Eq, _, Some(word), None) => same(right, word).map(Some),
            (BinaryOp::Eq, _, None, Some(word)) => same(left, word).map(Some),
            (BinaryOp::NotEq, _, Some(word), None) => same(right, word).map(|b| Some(!b)),
            (BinaryOp::NotEq, _, None, Some(word)) => same(left, word).map(|b| Some(!b)),
            _ => Ok(None),
        }
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
        return Some(attr);
    }
    None
}

fn boolean(e: &Expr) -> Option<bool> {
    if let Expr::Literal(Literal::Bool(b)) = e { Some(*b) } else { None }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only a literal is one")]
fn long(e: &Expr) -> Option<i64> {
    match e {
        Expr::Literal(Literal::Long(n)) => Some(*n),
        Expr::UnaryOp { op: UnaryOp::Neg, expr } => long(expr).and_then(i64::checked_neg),
        _ => None,
    }
}

fn entity(e: &Expr) -> Option<&str> {
    if let Expr::Literal(Literal::EntityUID(uid)) = e { Some(&uid.eid) } else { None }
}

/// The clauses of a policy.
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
