//! What a new bundle changes: every cell that either service map can reach, before and after.

use std::collections::{BTreeMap, BTreeSet};

use consentry_model::Treatment;

use super::cell::{CellName, Compared, Known, NotCompared, Shift, cells};
use super::service::{Difference, differences};
use super::space::Key;
use super::words::conditions;
use crate::engine::Engine;
use crate::rules::{Duty, Origin, Test, Verb};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Impact {
    /// How many cells either service map can reach.
    pub cells: usize,
    /// How many assignments of facts they have together.
    pub assignments: u128,
    /// The changes of answers, those that let more through first.
    pub changes: Vec<CellChange>,
    /// The cells that could not be compared, by why: each counts as one that lets more through.
    pub not_compared: BTreeMap<NotCompared, Vec<String>>,
    /// What else differs.
    pub differences: Vec<Difference>,
}

/// Cells whose answers change alike: every combination of what is listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct CellChange {
    /// The answer before.
    pub from: Treatment,
    /// The answer now.
    pub to: Treatment,
    /// For which purposes.
    pub purposes: BTreeSet<String>,
    /// To which recipients.
    pub recipients: BTreeSet<String>,
    /// Asked by which requesters.
    pub requesters: BTreeSet<String>,
    /// Doing what.
    pub acts: BTreeSet<&'static str>,
    /// Which data.
    pub categories: BTreeSet<String>,
    /// Of whom.
    pub subjects: BTreeSet<String>,
    /// What the service map attests of the data.
    pub attested: BTreeSet<String>,
    /// In which circumstances.
    pub when: Vec<Circumstances>,
    /// Whether there are other circumstances, too.
    pub more: bool,
    /// Which of the bundles can reach the cells.
    pub reach: Reach,
}

/// Facts on which an answer changes: what is not named may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Circumstances {
    /// What the bundles' own rules ask.
    pub facts: Vec<String>,
    /// What only the rules ask that every bundle has.
    pub core: Vec<String>,
}

/// Which service map can make the questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// Both.
    Both,
    /// Only the new one.
    Gained,
    /// Only the old one.
    Lost,
}

impl Reach {
    /// The word in reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Gained => "gained",
            Self::Lost => "lost",
        }
    }
}

impl CellChange {
    /// Whether it lets more through.
    #[must_use]
    pub fn widens(&self) -> bool {
        self.to < self.from
    }
}

impl Impact {
    /// Compares two bundles, cell by cell. Cells that no rule can tell apart are compared once.
    #[must_use]
    pub fn of(old: &Engine, new: &Engine) -> Self {
        let (before, after) = (cells(old), cells(new));
        let names: BTreeSet<&CellName> = before.keys().chain(after.keys()).collect();
        let core = core_facts(old, new);
        let mut known = Known::of(old, new);
        known.prepare(&before, &after);
        let mut out = Self { cells: names.len(), differences: differences(old, new), ..Self::default() };
        let mut changes = Vec::new();
        for name in names {
            let questions = [before.get(name), after.get(name)];
            let [then, now] = questions.map(|there| there.map_or(&[][..], |questions| questions));
            let reach = match questions {
                [Some(_), Some(_)] => Reach::Both,
                [None, _] => Reach::Gained,
                [_, None] => Reach::Lost,
            };
            match &*known.compare(then, now) {
                Ok(compared) => {
                    out.assignments = out.assignments.saturating_add(compared.space.assignments());
                    let told =
                        compared.shifts.iter().map(|shift| change(name, reach, compared, shift, &core));
                    changes.extend(told);
                }
                Err(why) => out.not_compared.entry(*why).or_default().push(cell_words(name)),
            }
        }
        out.changes = grouped(changes);
        out.changes.sort_by_key(|change| (!change.widens(), change.clone()));
        out
    }

    /// Whether anything is let through that was not before, or may be.
    #[must_use]
    pub fn widens(&self) -> bool {
        self.changes.iter().any(CellChange::widens)
            || !self.not_compared.is_empty()
            || self.differences.iter().any(|d| d.widens)
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.changes.is_empty() && self.not_compared.is_empty() && self.differences.is_empty()
    }
}

fn change(
    name: &CellName,
    reach: Reach,
    compared: &Compared,
    shift: &Shift,
    core: &BTreeSet<String>,
) -> CellChange {
    let one = |word: &str| BTreeSet::from([word.to_owned()]);
    let circumstances = |found: &Vec<_>| {
        let mut out = Circumstances::default();
        for (key, said) in conditions(&compared.space.variables, found) {
            let of_core = matches!(&key, Key::Fact(name, _) if core.contains(&**name));
            if of_core { out.core.push(said) } else { out.facts.push(said) }
        }
        out
    };
    let mut when: Vec<Circumstances> = shift.boxes.iter().map(circumstances).collect();
    when.sort();
    CellChange {
        from: shift.from,
        to: shift.to,
        purposes: one(name.purpose.as_str()),
        recipients: one(name.recipient.as_str()),
        requesters: one(name.requester.as_str()),
        acts: [name.act.code()].into(),
        categories: one(name.category.as_str()),
        subjects: one(name.subject_type.as_str()),
        attested: one(&name.attested.join(", ")),
        when,
        more: shift.more,
        reach,
    }
}

/// The facts that only the rules ask which every bundle has.
fn core_facts(old: &Engine, new: &Engine) -> BTreeSet<String> {
    let mut core = BTreeSet::new();
    let mut own = BTreeSet::new();
    for engine in [old, new] {
        let bundle = engine.bundle();
        let facts = &bundle.facts.core;
        let name = |id| bundle.facts.schema.def(id).map(|def| def.name.to_string());
        core.extend([facts.own, facts.legal, facts.approver].into_iter().filter_map(name));
        for rule in &bundle.rules {
            let set = if rule.origin == Origin::Core { &mut core } else { &mut own };
            let that = match &rule.verb {
                Verb::Require(Duty::That(that)) => Some(that),
                Verb::Require(_) | Verb::Permit { .. } | Verb::Forbid(_) => None,
            };
            for condition in std::iter::once(&rule.when).chain(&rule.unless).chain(that) {
                condition.each_test(&mut |test| {
                    if let Test::Is(id, _) | Test::AtLeast(id, _) = test {
                        set.extend(name(*id));
                    }
                });
            }
        }
    }
    core.retain(|name| !own.contains(name) && name != "said_no");
    core
}

/// Puts together what differs in one respect alone, one respect after the other, so that what is told of a group is true
/// of each of its cells.
fn grouped(changes: Vec<CellChange>) -> Vec<CellChange> {
    let mut out = changes;
    out = merged(out, |c| std::mem::take(&mut c.requesters), |c, set| c.requesters.extend(set));
    out = merged(out, |c| std::mem::take(&mut c.categories), |c, set| c.categories.extend(set));
    out = merged(out, |c| std::mem::take(&mut c.acts), |c, set| c.acts.extend(set));
    out = merged(out, |c| std::mem::take(&mut c.subjects), |c, set| c.subjects.extend(set));
    out = merged(out, |c| std::mem::take(&mut c.attested), |c, set| c.attested.extend(set));
    out = merged(out, |c| std::mem::take(&mut c.recipients), |c, set| c.recipients.extend(set));
    merged(out, |c| std::mem::take(&mut c.purposes), |c, set| c.purposes.extend(set))
}

fn merged<W: Ord>(
    changes: Vec<CellChange>,
    take: impl Fn(&mut CellChange) -> BTreeSet<W>,
    put: impl Fn(&mut CellChange, BTreeSet<W>),
) -> Vec<CellChange> {
    let mut by_rest: BTreeMap<CellChange, BTreeSet<W>> = BTreeMap::new();
    for mut change in changes {
        let words = take(&mut change);
        by_rest.entry(change).or_default().extend(words);
    }
    let whole = by_rest.into_iter().map(|(mut change, words)| {
        put(&mut change, words);
        change
    });
    whole.collect()
}

/// A cell in words.
fn cell_words(name: &CellName) -> String {
    let attested =
        if name.attested.is_empty() { String::new() } else { format!(" ({})", name.attested.join(", ")) };
    format!(
        "{} by {} to {}: {} of {}{attested} for {}",
        name.act,
        name.requester,
        name.recipient,
        name.category,
        name.subject_type.as_str(),
        name.purpose
    )
}
