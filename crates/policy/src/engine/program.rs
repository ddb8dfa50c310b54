//! The decision program: for one cell (requester and recipient, act, purpose, data class) everything static is folded
//! away, and what is left is masks and values over a fact word, for each treatment that the category knows.
//!
//! The result names the complete set of determining rules, as Cedar's own diagnostics do. A formula with too many
//! cubes is evaluated as it stands, an expression that cannot be read by Cedar; the test suite compares every program
//! with Cedar on random facts.

use std::sync::Arc;

use cedar_policy::PolicySet;
use consentry_model::{RuleId, Treatment};

use super::bits::Bits;
use super::formula::{Cube, Formula};

/// Masks and values for each treatment that the category knows.
#[derive(Clone)]
pub(crate) struct Program {
    /// Which words of the fact word are looked at, by their place.
    pub(crate) selected: Box<[usize]>,
    pub(crate) steps: Vec<Step>,
}

/// What is to be found out for one treatment.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) treatment: Treatment,
    /// The policies that may fire, in the bundle's order.
    pub(crate) rules: Box<[RuleId]>,
    /// Those of them that permit.
    pub(crate) permits: Bits,
    pub(crate) table: Table,
    /// Policies whose formulas have too many cubes, by their place among the rules.
    pub(crate) trees: Vec<(usize, Formula)>,
    /// Policies that only Cedar can read.
    pub(crate) beyond: Vec<(usize, PolicySet)>,
    /// Whether the step is nothing but a narrow table of at most 64 policies.
    plain: bool,
}

/// The cubes of all policies of a step, as narrow as they can be written.
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

/// One policy of a step.
pub(crate) struct Entry {
    /// No two different ones of a bundle have the same.
    pub(crate) number: u32,
    pub(crate) rule: RuleId,
    pub(crate) permits: bool,
    pub(crate) fires: Fires,
}

/// The answer to one question: how revealing, and which rules of which step determined it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) treatment: Treatment,
    pub(crate) step: usize,
    pub(crate) fired: Fired,
}

/// Policies that fire, by their place among the rules of a step.
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
    pub(crate) fn new(steps: Vec<(Treatment, Vec<Arc<Entry>>)>) -> Self {
        let mut selected: Vec<usize> = Vec::new();
        for (_, entries) in &steps {
            for entry in entries {
                if let Fires::On(cubes) = &entry.fires {
                    selected.extend(cubes.iter().flat_map(|c| &c.0).map(|(bit, _)| bit / 64));
                }
            }
        }
        selected.sort_unstable();
        selected.dedup();
        let steps = steps.into_iter().map(|(t, entries)| Step::new(t, entries, &selected)).collect();
        Self { selected: selected.into(), steps }
    }

    /// The most revealing treatment that a fact word permits. `beyond` asks Cedar.
    #[inline]
    pub(crate) fn decide(
        &self,
        word: &Bits,
        beyond: impl Fn(&PolicySet, Treatment) -> Result<bool, Failed>,
    ) -> Result<Found, Failed> {
        let mut first_no = None;
        for (at, step) in self.steps.iter().enumerate() {
            let (yes, fired) = step.ask(&self.selected, word, &beyond)?;
            if yes {
                return Ok(Found { treatment: step.treatment, step: at, fired });
            }
            first_no.get_or_insert(Found { treatment: Treatment::Withheld, step: at, fired });
        }
        Ok(first_no.unwrap_or(Found { treatment: Treatment::Withheld, step: 0, fired: Fired::Few(0) }))
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
        let at = self.steps.iter().position(|s| s.treatment == treatment)?;
        let step = self.steps.get(at)?;
        let said = step.ask(&self.selected, word, &beyond);
        Some(said.map(|(yes, fired)| (yes, self.named(at, &fired).cloned().collect())))
    }

    /// The rules that an answer names.
    pub(crate) fn named(&self, step: usize, fired: &Fired) -> impl Iterator<Item = &RuleId> {
        let rules = self.steps.get(step).map_or(&[][..], |s| &s.rules);
        let fired = fired.clone();
        rules.iter().enumerate().filter(move |(at, _)| fired.has(*at)).map(|(_, rule)| rule)
    }

    /// Whether something in it is left to Cedar.
    pub(crate) fn is_beyond(&self) -> bool {
        self.steps.iter().any(|s| !s.beyond.is_empty())
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

/// Prohibitions outweigh permissions; the policies are those of the side that won.
fn answer(fired: Bits, permits: &Bits) -> (bool, Fired) {
    let against = fired.clone().only(permits, false);
    let (yes, fired) = if against.is_empty() { (!fired.is_empty(), fired) } else { (false, against) };
    (yes, Fired::Many(Box::new(fired)))
}

impl Step {
    fn new(treatment: Treatment, entries: Vec<Arc<Entry>>, selected: &[usize]) -> Self {
        let mut permits = Bits::none(entries.len());
        let (mut rules, mut rows, mut trees, mut beyond) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (at, entry) in entries.into_iter().enumerate() {
            if entry.permits {
                permits.set(at);
            }
            rules.push(entry.rule.clone());
            match &entry.fires {
                Fires::On(cubes) => rows.extend(cubes.iter().map(|cube| WideRow::new(cube, at, selected))),
                Fires::As(formula) => trees.push((at, formula.clone())),
                Fires::Beyond(set) => beyond.push((at, (**set).clone())),
            }
        }
        let table = match selected.len() {
            0 | 1 => Table::One(rows.iter().map(WideRow::narrow).collect()),
            2 => Table::Two(rows.iter().map(WideRow::narrow).collect()),
            _ => Table::Many(rows),
        };
        let plain = rules.len() <= 64 && selected.len() <= 2 && trees.is_empty() && beyond.is_empty();
        Self { treatment, rules: rules.into(), permits, table, trees, beyond, plain }
    }

    fn ask(
        &self,
        selected: &[usize],
        word: &Bits,
        beyond: &impl Fn(&PolicySet, Treatment) -> Result<bool, Failed>,
    ) -> Result<(bool, Fired), Failed> {
        if self.plain {
            let permits = self.permits.word(0);
            let fired = match &self.table {
                Table::One(rows) => few(rows, picked(selected, word)),
                Table::Two(rows) => few(rows, picked(selected, word)),
                Table::Many(_) => return Err(Failed),
            };
            let against = fired & !permits;
            let yes = against == 0 && fired != 0;
            return Ok((yes, Fired::Few(if against == 0 { fired } else { against })));
        }
        let mut fired = Bits::none(self.rules.len());
        match &self.table {
            Table::One(rows) => many(rows, picked(selected, word), &mut fired),
            Table::Two(rows) => many(rows, picked(selected, word), &mut fired),
            Table::Many(rows) => {
                rows.iter().filter(|row| row.fires(selected, word)).for_each(|row| fired.set(row.policy));
            }
        }
        for (at, formula) in &self.trees {
            if formula.holds(word) {
                fired.set(*at);
            }
        }
        for (at, set) in &self.beyond {
            if beyond(set, self.treatment)? {
                fired.set(*at);
            }
        }
        Ok(answer(fired, &self.permits))
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
