//! Formulas over variables with few values: a test asks whether a variable has one of some values, and nothing is
//! negated but by asking for the others.

use super::set::Set;

/// A formula.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Expr {
    Constant(bool),
    /// The variable at this place has one of these values.
    In(usize, Set),
    All(Vec<Expr>),
    Any(Vec<Expr>),
}

/// Every value of each variable.
pub(crate) type Values = [Set];

impl Expr {
    pub(crate) const NO: Self = Self::Constant(false);
    pub(crate) const YES: Self = Self::Constant(true);

    pub(crate) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::join(parts, true)
    }

    pub(crate) fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::join(parts, false)
    }

    /// Tests of one variable are made one, what is there twice is there once, and the order is always the same.
    fn join(parts: impl IntoIterator<Item = Self>, conjunction: bool) -> Self {
        let mut kept: Vec<Self> = Vec::new();
        let mut tests: Vec<(usize, Set)> = Vec::new();
        let mut left: Vec<Self> = parts.into_iter().collect();
        left.reverse();
        while let Some(part) = left.pop() {
            match part {
                Self::Constant(b) if b == conjunction => {}
                Self::Constant(b) => return Self::Constant(b),
                Self::In(variable, set) => match tests.iter_mut().find(|(there, _)| *there == variable) {
                    Some((_, there)) if conjunction => *there = there.both(set),
                    Some((_, there)) => *there = there.either(set),
                    None => tests.push((variable, set)),
                },
                Self::All(inner) if conjunction => left.extend(inner.into_iter().rev()),
                Self::Any(inner) if !conjunction => left.extend(inner.into_iter().rev()),
                Self::All(_) | Self::Any(_) => kept.push(part),
            }
        }
        if tests.iter().any(|(_, set)| set.is_empty()) {
            if conjunction {
                return Self::NO;
            }
            tests.retain(|(_, set)| !set.is_empty());
        }
        kept.extend(tests.into_iter().map(|(variable, set)| Self::In(variable, set)));
        kept.sort_unstable();
        kept.dedup();
        match (kept.len(), conjunction) {
            (0, _) => Self::Constant(conjunction),
            (1, _) => kept.pop().unwrap_or(Self::NO),
            (_, true) => Self::All(kept),
            (_, false) => Self::Any(kept),
        }
    }

    /// What holds where it does not.
    pub(crate) fn not(&self, every: &Values) -> Self {
        match self {
            Self::Constant(b) => Self::Constant(!b),
            Self::In(variable, set) => {
                let all = every.get(*variable).copied().unwrap_or(Set::NONE);
                Self::any([Self::In(*variable, all.without(*set))])
            }
            Self::All(parts) => Self::any(parts.iter().map(|p| p.not(every))),
            Self::Any(parts) => Self::all(parts.iter().map(|p| p.not(every))),
        }
    }

    /// What is left of it where each variable has one of these values.
    pub(crate) fn within(&self, values: &Values) -> Self {
        match self {
            Self::Constant(b) => Self::Constant(*b),
            Self::In(variable, set) => {
                let there = values.get(*variable).copied().unwrap_or(Set::NONE);
                let left = there.both(*set);
                match (left.is_empty(), left == there) {
                    (true, _) => Self::NO,
                    (false, true) => Self::YES,
                    (false, false) => Self::In(*variable, left),
                }
            }
            Self::All(parts) => Self::all(parts.iter().map(|p| p.within(values))),
            Self::Any(parts) => Self::any(parts.iter().map(|p| p.within(values))),
        }
    }

    /// The first variable that it tests.
    pub(crate) fn first_test(&self) -> Option<(usize, Set)> {
        match self {
            Self::Constant(_) => None,
            Self::In(variable, set) => Some((*variable, *set)),
            Self::All(parts) | Self::Any(parts) => parts.iter().find_map(Self::first_test),
        }
    }
}
