//! Whether a formula can hold at all, and where: an exhaustive search that leaves out what cannot matter.
//!
//! The search splits the values of one variable at a time and simplifies what is left. Each formula that was found to
//! hold nowhere is remembered. It is exact: it ends with values on which the formula holds, with the certainty that
//! there are none, or with the admission that the bound was reached.

use std::collections::HashSet;

use super::expr::{Expr, Values};
use super::set::Set;

/// How many simplifications one search may take. A search that needs more is given up, and its cell counts as one that
/// was not compared.
pub(crate) const STEPS_MAX: usize = 20_000;

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// It holds nowhere.
    Nowhere,
    /// It holds wherever each variable has one of these values.
    Here(Vec<Set>),
    /// The bound was reached.
    TooMuch,
}

/// One search.
pub(crate) struct Search {
    steps_left: usize,
    nowhere: HashSet<Expr>,
}

impl Search {
    pub(crate) fn new() -> Self {
        Self { steps_left: STEPS_MAX, nowhere: HashSet::new() }
    }

    /// Looks for values on which a formula holds.
    pub(crate) fn find(&mut self, expr: &Expr, values: &Values) -> Found {
        self.narrow(expr.within(values), values.to_vec())
    }

    fn narrow(&mut self, expr: Expr, values: Vec<Set>) -> Found {
        if self.steps_left == 0 {
            return Found::TooMuch;
        }
        self.steps_left -= 1;
        let (mut expr, mut values) = (expr, values);
        // What is asked for outright is settled first.
        while let Expr::All(parts) = &expr {
            let mut settled = false;
            for part in parts {
                if let Expr::In(variable, set) = part
                    && let Some(there) = values.get_mut(*variable)
                {
                    *there = there.both(*set);
                    settled = true;
                }
            }
            if !settled {
                break;
            }
            expr = expr.within(&values);
        }
        match &expr {
            Expr::Constant(true) => Found::Here(values),
            Expr::Constant(false) => Found::Nowhere,
            Expr::In(variable, set) => {
                if let Some(there) = values.get_mut(*variable) {
                    *there = there.both(*set);
                }
                Found::Here(values)
            }
            Expr::Any(parts) => self.any_of(&expr, parts, &values),
            Expr::All(parts) => self.split(&expr, parts, &values),
        }
    }

    fn any_of(&mut self, expr: &Expr, parts: &[Expr], values: &Values) -> Found {
        if self.nowhere.contains(expr) {
            return Found::Nowhere;
        }
        let mut given_up = false;
        for part in parts {
            match self.narrow(part.clone(), values.to_vec()) {
                Found::Here(there) => return Found::Here(there),
                Found::Nowhere => {}
                Found::TooMuch => given_up = true,
            }
        }
        self.end(expr, given_up)
    }

    /// Splits the values of the first variable in the shortest of the alternatives that must hold together.
    fn split(&mut self, expr: &Expr, parts: &[Expr], values: &Values) -> Found {
        if self.nowhere.contains(expr) {
            return Found::Nowhere;
        }
        let shortest = parts.iter().min_by_key(|part| size(part));
        let Some((variable, set)) = shortest.and_then(Expr::first_test) else { return Found::TooMuch };
        let mut given_up = false;
        for half in [true, false] {
            let mut values = values.to_vec();
            let Some(there) = values.get_mut(variable) else { return Found::TooMuch };
            *there = if half { there.both(set) } else { there.without(set) };
            if there.is_empty() {
                continue;
            }
            match self.narrow(expr.within(&values), values) {
                Found::Here(there) => return Found::Here(there),
                Found::Nowhere => {}
                Found::TooMuch => given_up = true,
            }
        }
        self.end(expr, given_up)
    }

    fn end(&mut self, expr: &Expr, given_up: bool) -> Found {
        if given_up {
            return Found::TooMuch;
        }
        self.nowhere.insert(expr.clone());
        Found::Nowhere
    }
}

fn size(expr: &Expr) -> usize {
    match expr {
        Expr::Constant(_) | Expr::In(..) => 1,
        Expr::All(parts) | Expr::Any(parts) => parts.iter().map(size).sum(),
    }
}

/// Frees every variable of a box that does not matter, and gives the others every value that does as well: the formula
/// holds all over what is returned.
pub(crate) fn widest(expr: &Expr, found: Vec<Set>, every: &Values) -> Vec<Set> {
    let not = expr.not(every);
    let holds = |values: &Values| Search::new().find(&not, values) == Found::Nowhere;
    let mut out = found;
    for (at, all) in every.iter().enumerate() {
        let there = out.get(at).copied().unwrap_or(Set::NONE);
        let mut tried = vec![*all];
        let more = all.without(there);
        if more.len() <= 8 {
            tried.extend(more.iter().map(|value| [value].into_iter().collect::<Set>()));
        }
        for more in tried {
            let Some(slot) = out.get_mut(at) else { continue };
            let before = *slot;
            *slot = before.either(more);
            if *slot != before
                && !holds(&out)
                && let Some(slot) = out.get_mut(at)
            {
                *slot = before;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Random(u64);

    impl Random {
        fn below(&mut self, n: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % n
        }
    }

    const SIZES: [usize; 4] = [2, 3, 4, 3];

    fn random(next: &mut Random, depth: usize) -> Expr {
        match (depth, next.below(3)) {
            (0, _) | (_, 0) => {
                let variable = next.below(4);
                Expr::In(variable, (0..SIZES[variable]).filter(|_| next.below(2) == 0).collect())
            }
            (_, kind) => {
                let parts: Vec<_> = (0..=next.below(3)).map(|_| random(next, depth - 1)).collect();
                if kind == 1 { Expr::all(parts) } else { Expr::any(parts) }
            }
        }
    }

    fn truth(expr: &Expr, at: &[usize; 4]) -> bool {
        match expr {
            Expr::Constant(b) => *b,
            Expr::In(variable, set) => set.has(at[*variable]),
            Expr::All(parts) => parts.iter().all(|p| truth(p, at)),
            Expr::Any(parts) => parts.iter().any(|p| truth(p, at)),
        }
    }

    fn points() -> impl Iterator<Item = [usize; 4]> {
        (0..72).map(|n| [n % 2, n / 2 % 3, n / 6 % 4, n / 24])
    }

    #[test]
    fn a_search_finds_what_trying_everything_finds() {
        let every: Vec<Set> = SIZES.iter().map(|n| Set::first(*n)).collect();
        let (mut next, mut nowhere) = (Random(7), 0);
        for _ in 0..4_000 {
            let expr = random(&mut next, 4);
            let not = expr.not(&every);
            for at in points() {
                assert_eq!(truth(&expr, &at), !truth(&not, &at), "{expr:?}");
            }
            match Search::new().find(&expr, &every) {
                Found::TooMuch => unreachable!("{expr:?}"),
                Found::Nowhere => {
                    nowhere += 1;
                    assert!(points().all(|at| !truth(&expr, &at)), "{expr:?}");
                }
                Found::Here(found) => {
                    for found in [found.clone(), widest(&expr, found, &every)] {
                        let inside = |at: &[usize; 4]| found.iter().zip(at).all(|(set, at)| set.has(*at));
                        assert!(points().any(|at| inside(&at)), "{expr:?}");
                        assert!(points().filter(inside).all(|at| truth(&expr, &at)), "{expr:?} {found:?}");
                    }
                }
            }
        }
        assert!(nowhere > 100, "{nowhere}");
    }

    #[test]
    fn law_1_a_search_that_is_too_long_says_so_and_never_that_there_is_nothing() {
        let mut search = Search { steps_left: 2, nowhere: HashSet::new() };
        let every: Vec<Set> = (0..4).map(|_| Set::first(2)).collect();
        let one = |n: usize, value: usize| Expr::In(n, [value].into_iter().collect());
        // Each is as the next one, and the last is not as the first.
        let same =
            |a: usize, b: usize| [Expr::any([one(a, 0), one(b, 1)]), Expr::any([one(a, 1), one(b, 0)])];
        let differ = [Expr::any([one(0, 0), one(3, 0)]), Expr::any([one(0, 1), one(3, 1)])];
        let all = Expr::all([same(0, 1), same(1, 2), same(2, 3), differ].into_iter().flatten());
        assert_eq!(search.find(&all, &every), Found::TooMuch);
        assert_eq!(Search::new().find(&all, &every), Found::Nowhere);
    }
}
