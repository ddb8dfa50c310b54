//! The decision program: for one cell (requester and recipient, act, purpose, data class) everything static is folded
//! away, and what is left is masks and values over a fact word.
//!
//! The result names the complete set of determining rules, as Cedar's own diagnostics do. A formula with too many
//! cubes is evaluated as it stands, an expression that cannot be read by Cedar; the test suite compares every program
//! with Cedar on random facts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cedar_policy::PolicySet;
use consentry_model::{RuleId, Treatment};

use super::bits::Bits;
use super::formula::{Cube, Formula};

/// Masks and values of the policies of a cell, and which of them count for which treatment that the category knows. A
/// policy that fires alike for several treatments is there once, so that one look at the word answers for all of them.
#[derive(Clone)]
pub(crate) struct Program {
    /// Which words of the fact word are looked at, by their place.
    pub(crate) selected: Box<[usize]>,
    /// The policies that may fire, in the bundle's order.
    pub(crate) rules: Box<[RuleId]>,
    /// Those of them that permit.
    pub(crate) permits: Bits,
    pub(crate) table: Table,
    /// Policies whose formulas have too many cubes, by their place among the rules.
    pub(crate) trees: Vec<(usize, Formula)>,
    /// Policies that only Cedar can read.
    pub(crate) beyond: Vec<(usize, PolicySet)>,
    /// From the most revealing treatment to the least.
    pub(crate) steps: Vec<Step>,
    /// Whether it is nothing but a narrow table of at most 64 policies.
    plain: bool,
}

/// What is to be found out for one treatment.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) treatment: Treatment,
    /// The policies that count, by their place among the rules.
    pub(crate) asks: Bits,
}

/// The cubes of all policies, as narrow as they can be written.
#[derive(Clone)]
pub(crate) enum Table {
    One(Vec<Row<1>>),
    Two(Vec<Row<2>>),
    Many(Vec<WideRow>),
}

/// One cube: it fires on words `w` when `w & mask == value` for each of them.
#[derive(Clone, Copy)]
pub(crate) struct Row<const N: usize> {
    pub(crate) mask: [u64; N],
    pub(crate) value: [u64; N],
    /// Which policy fires, and its bit where there are at most 64.
    pub(crate) policy: u32,
    pub(crate) bit: u64,
}

/// One cube over any number of words, of one of any number of policies.
#[derive(Clone)]
pub(crate) struct WideRow {
    pub(crate) mask: Box<[u64]>,
    pub(crate) value: Box<[u64]>,
    pub(crate) policy: usize,
}

/// When one policy fires.
pub(crate) enum Fires {
    On(Vec<Cube>),
    As(Formula),
    Beyond(Box<PolicySet>),
}

/// One policy, as it fires for one treatment or several.
pub(crate) struct Entry {
    /// No two different ones of a bundle have the same.
    pub(crate) number: u32,
    pub(crate) rule: RuleId,
    pub(crate) permits: bool,
    pub(crate) fires: Fires,
}

/// The answer to one question: how revealing, and which rules determined it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) treatment: Treatment,
    pub(crate) fired: Fired,
}

/// The policies for each treatment, each with its place among those of the bundle, in that order.
pub(crate) type Entries = Vec<(Treatment, Vec<(usize, Arc<Entry>)>)>;

/// Policies that fire, by their place among the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fired {
    /// Of at most 64.
    Few(u64),
    Many(Box<Bits>),
}

/// Cedar could not evaluate a policy, which never permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

impl Program {
    /// Packs the policies of each treatment.
    pub(crate) fn new(steps: &Entries) -> Self {
        let all: BTreeMap<(usize, u32), &Entry> = steps
            .iter()
            .flat_map(|(_, entries)| entries.iter().map(|(at, entry)| ((*at, entry.number), &**entry)))
            .collect();
        let cubes = all.values().flat_map(|e| if let Fires::On(cubes) = &e.fires { &cubes[..] } else { &[] });
        let selected: BTreeSet<usize> = cubes.flat_map(|cube| &cube.0).map(|(bit, _)| bit / 64).collect();
        let selected: Box<[usize]> = selected.into_iter().collect();
        let mut permits = Bits::none(all.len());
        let (mut rows, mut trees, mut beyond) = (Vec::new(), Vec::new(), Vec::new());
        for (at, entry) in all.values().enumerate() {
            if entry.permits {
                permits.set(at);
            }
            match &entry.fires {
                Fires::On(cubes) => rows.extend(cubes.iter().map(|cube| WideRow::new(cube, at, &selected))),
                Fires::As(formula) => trees.push((at, formula.clone())),
                Fires::Beyond(set) => beyond.push((at, (**set).clone())),
            }
        }
        let table = match selected.len() {
            0 | 1 => Table::One(rows.iter().map(WideRow::narrow).collect()),
            2 => Table::Two(rows.iter().map(WideRow::narrow).collect()),
            _ => Table::Many(rows),
        };
        let asks = |entries: &[(usize, Arc<Entry>)]| {
            let mut asks = Bits::none(all.len());
            let keys = entries.iter().map(|(at, entry)| (*at, entry.number));
            keys.filter_map(|key| all.keys().position(|k| *k == key)).for_each(|at| asks.set(at));
            asks
        };
        let steps =
            steps.iter().map(|(treatment, e)| Step { treatment: *treatment, asks: asks(e) }).collect();
        let plain = all.len() <= 64 && selected.len() <= 2 && trees.is_empty() && beyond.is_empty();
        let rules = all.values().map(|entry| entry.rule.clone()).collect();
        Self { selected, rules, permits, table, trees, beyond, steps, plain }
    }

    /// The most revealing treatment that a fact word permits. `beyond` asks Cedar.
    #[inline]
    pub(crate) fn decide(
        &self,
        word: &Bits,
        beyond: impl Fn(&PolicySet, Treatment) -> Result<bool, Failed>,
    ) -> Result<Found, Failed> {
        if self.plain { self.looked_up(word) } else { self.worked_out(word, &beyond) }.map(|(_, found)| found)
    }

    /// As [`decide`](Self::decide) for a plain program, and whether anything is permitted.
    #[inline]
    fn looked_up(&self, word: &Bits) -> Result<(bool, Found), Failed> {
        let fired = self.fired_of_few(word)?;
        let permits = self.permits.word(0);
        let mut against_first = None;
        for step in &self.steps {
            let asked = fired & step.asks.word(0);
            let against = asked & !permits;
            if against == 0 && asked != 0 {
                return Ok((true, Found { treatment: step.treatment, fired: Fired::Few(asked) }));
            }
            against_first.get_or_insert(against);
        }
        let fired = Fired::Few(against_first.unwrap_or(0));
        Ok((false, Found { treatment: Treatment::Withheld, fired }))
    }

    /// As [`decide`](Self::decide), whatever the program consists of, and whether anything is permitted.
    fn worked_out(
        &self,
        word: &Bits,
        beyond: &impl Fn(&PolicySet, Treatment) -> Result<bool, Failed>,
    ) -> Result<(bool, Found), Failed> {
        let fired = self.fired(word);
        let mut first_no = None;
        for step in &self.steps {
            let (yes, fired) = self.answer(step, fired.clone(), beyond)?;
            if yes {
                let fired = Fired::Many(Box::new(fired));
                return Ok((true, Found { treatment: step.treatment, fired }));
            }
            first_no.get_or_insert(fired);
        }
        let fired = first_no.map_or(Fired::Few(0), |fired| Fired::Many(Box::new(fired)));
        Ok((false, Found { treatment: Treatment::Withheld, fired }))
    }

    /// The answer for one treatment: whether it is permitted, and by or against which rules. `None` for a treatment
    /// that the category does not know.
    #[cfg(test)]
    pub(crate) fn ask(
        &self,
        treatment: Treatment,
        word: &Bits,
        beyond: impl Fn(&PolicySet, Treatment) -> Result<bool, Failed>,
    ) -> Option<Result<(bool, Vec<RuleId>), Failed>> {
        let mut alone = self.clone();
        alone.steps.retain(|step| step.treatment == treatment);
        alone.steps.first()?;
        let found = if alone.plain { alone.looked_up(word) } else { alone.worked_out(word, &beyond) };
        Some(found.map(|(yes, found)| (yes, self.named(&found.fired).cloned().collect())))
    }

    /// The rules that an answer names.
    pub(crate) fn named(&self, fired: &Fired) -> impl Iterator<Item = &RuleId> {
        let fired = fired.clone();
        self.rules.iter().enumerate().filter(move |(at, _)| fired.has(*at)).map(|(_, rule)| rule)
    }

    /// Whether something in it is left to Cedar.
    pub(crate) fn is_beyond(&self) -> bool {
        !self.beyond.is_empty()
    }

    /// Which of at most 64 policies fire.
    #[inline]
    fn fired_of_few(&self, word: &Bits) -> Result<u64, Failed> {
        match &self.table {
            Table::One(rows) => Ok(few(rows, picked(&self.selected, word))),
            Table::Two(rows) => Ok(few(rows, picked(&self.selected, word))),
            Table::Many(_) => Err(Failed),
        }
    }

    /// Which policies fire, as far as Cedar is not needed for it.
    fn fired(&self, word: &Bits) -> Bits {
        let mut fired = Bits::none(self.rules.len());
        match &self.table {
            Table::One(rows) => many(rows, picked(&self.selected, word), &mut fired),
            Table::Two(rows) => many(rows, picked(&self.selected, word), &mut fired),
            Table::Many(rows) => {
                let there = rows.iter().filter(|row| row.fires(&self.selected, word));
                there.for_each(|row| fired.set(row.policy));
            }
        }
        for (at, _) in self.trees.iter().filter(|(_, formula)| formula.holds(word)) {
            fired.set(*at);
        }
        fired
    }

    /// Prohibitions outweigh permissions; the policies are those of the side that won.
    fn answer(
        &self,
        step: &Step,
        mut fired: Bits,
        beyond: &impl Fn(&PolicySet, Treatment) -> Result<bool, Failed>,
    ) -> Result<(bool, Bits), Failed> {
        for (at, set) in self.beyond.iter().filter(|(at, _)| step.asks.has(*at)) {
            if beyond(set, step.treatment)? {
                fired.set(*at);
            }
        }
        let fired = fired.only(&step.asks, true);
        let against = fired.clone().only(&self.permits, false);
        Ok(if against.is_empty() { (!fired.is_empty(), fired) } else { (false, against) })
    }
}

impl Fired {
    fn has(&self, policy: usize) -> bool {
        match self {
            Self::Few(word) => policy < 64 && word >> policy & 1 == 1,
            Self::Many(bits) => bits.has(policy),
        }
    }
}

fn picked<const N: usize>(selected: &[usize], word: &Bits) -> [u64; N] {
    std::array::from_fn(|at| selected.get(at).map_or(0, |place| word.word(*place)))
}

fn few<const N: usize>(rows: &[Row<N>], word: [u64; N]) -> u64 {
    rows.iter().fold(0, |out, row| out | if row.fires(&word) { row.bit } else { 0 })
}

fn many<const N: usize>(rows: &[Row<N>], word: [u64; N], out: &mut Bits) {
    for row in rows.iter().filter(|row| row.fires(&word)) {
        out.set(usize::try_from(row.policy).unwrap_or(usize::MAX));
    }
}

impl<const N: usize> Row<N> {
    #[inline]
    fn fires(&self, word: &[u64; N]) -> bool {
        let mut differs = 0;
        for ((word, mask), value) in word.iter().zip(&self.mask).zip(&self.value) {
            differs |= word & mask ^ value;
        }
        differs == 0
    }
}

impl WideRow {
    fn new(cube: &Cube, policy: usize, selected: &[usize]) -> Self {
        let (mut mask, mut value) = (vec![0; selected.len()], vec![0; selected.len()]);
        for (bit, stated) in &cube.0 {
            let place = selected.iter().position(|word| *word == bit / 64);
            if let Some((mask, value)) = place.and_then(|at| mask.get_mut(at).zip(value.get_mut(at))) {
                *mask |= 1_u64 << (bit % 64);
                *value |= u64::from(*stated) << (bit % 64);
            }
        }
        Self { mask: mask.into(), value: value.into(), policy }
    }

    fn narrow<const N: usize>(&self) -> Row<N> {
        let pick = |words: &[u64]| std::array::from_fn(|at| words.get(at).copied().unwrap_or(0));
        let policy = u32::try_from(self.policy).unwrap_or(u32::MAX);
        Row { mask: pick(&self.mask), value: pick(&self.value), policy, bit: 1_u64.wrapping_shl(policy) }
    }

    fn fires(&self, selected: &[usize], word: &Bits) -> bool {
        selected
            .iter()
            .zip(self.mask.iter().zip(&self.value))
            .all(|(place, (mask, value))| word.word(*place) & mask == *value)
    }
}
