//! Which rules and clauses the cases of a bundle try out.

use std::collections::BTreeSet;
use std::sync::Arc;

use consentry_model::{LedgerEvent, Owed, Reason, RuleId};
use consentry_policy::{Bundle, Case, CaseOutcome, Change, ClauseStatus, Duty, Engine, Origin, Rule, Verb};
use tokio::task::JoinSet;

use super::rehearse::perform;
use super::result::CaseResult;
use super::stage::{Identity, Played, Stage};

/// What the cases try out of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleCoverage {
    /// The rule.
    pub rule: RuleId,
    /// The clauses that it rests on.
    pub clauses: Vec<Arc<str>>,
    /// In how many cases that hold it determined an answer, or was carried out.
    pub cases: usize,
    /// Whether it was tried out. A prohibition is only where it was tempted, or where some case notices when it is gone:
    /// beside what nobody permits anyway it may speak without any effect.
    pub covered: bool,
}

/// What the cases try out of one clause.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClauseCoverage {
    /// The clause.
    pub clause: Arc<str>,
    /// Its status, as a word.
    pub status: &'static str,
    /// How many cases name it.
    pub cases: usize,
    /// How many of these hold.
    pub hold: usize,
    /// The rules that rest on it.
    pub rules: Vec<RuleId>,
    /// Those of them that no case tries out.
    pub untried: Vec<RuleId>,
    /// Whether it is tried out: some case that names it holds, and of the rules that rest on it one is tried out, if
    /// there are any.
    pub covered: bool,
}

/// What the cases of a bundle try out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// The bundle's own rules, in its order.
    pub rules: Vec<RuleCoverage>,
    /// The clauses that the bundle enforces, wholly or in part, in its order.
    pub clauses: Vec<ClauseCoverage>,
}

impl Coverage {
    /// How many rules are tried out.
    #[must_use]
    pub fn rules_covered(&self) -> usize {
        self.rules.iter().filter(|rule| rule.covered).count()
    }

    /// How many clauses are tried out.
    #[must_use]
    pub fn clauses_covered(&self) -> usize {
        self.clauses.iter().filter(|clause| clause.covered).count()
    }

    /// Of a hundred clauses so many are tried out, rounded down; a hundred where there are none to try.
    #[must_use]
    pub fn clause_percent(&self) -> usize {
        (self.clauses_covered() * 100).checked_div(self.clauses.len()).unwrap_or(100)
    }
}

/// The rules that determined an answer of a case, and the obligations that were seen to be carried out.
pub(super) fn spoke(bundle: &Bundle, case: &Case, played: &Played) -> BTreeSet<RuleId> {
    let mut out = played.told.spoke();
    let seen = bundle.rules.iter().filter(|rule| carried_out(rule, case, played));
    out.extend(seen.map(|rule| rule.id.clone()));
    out
}

/// Whether an obligation that no verdict names was carried out.
fn carried_out(rule: &Rule, case: &Case, played: &Played) -> bool {
    let Verb::Require(duty) = &rule.verb else { return false };
    let wrote =
        |is_meant: &dyn Fn(&LedgerEvent) -> bool| played.written.iter().any(|(_, event)| is_meant(event));
    let owes = |is_meant: &dyn Fn(&Owed) -> bool| {
        wrote(&|event| matches!(event, LedgerEvent::Duty { what, .. } if is_meant(what)))
    };
    match duty {
        // Their verdicts name them.
        Duty::That(_) | Duty::AtMost(_) => false,
        Duty::Apart(..) => {
            let own = rule.clauses.iter().any(|clause| **clause == case.clause);
            own && played.told.refused() == Some(rule.reason.unwrap_or(Reason::Linkage))
        }
        Duty::ClampCookies(_) => {
            case.expect.changed.iter().any(|change| matches!(change, Change::CookieMaxAge(..)))
        }
        Duty::SetHeader { name, value } => {
            played.headers.get(name.as_str()).is_some_and(|there| there.as_bytes() == value.as_bytes())
        }
        Duty::Record { kind, .. } => wrote(
            &|event| matches!(event, LedgerEvent::Consent(consent) if consent.kind == *kind && consent.state.is_valid()),
        ),
        Duty::Keep { obligation, .. } => {
            owes(&|what| matches!(what, Owed::Keeping { obligation: there, .. } if there == obligation))
        }
        Duty::AnswerWithin(_) => owes(&|what| matches!(what, Owed::Answer { .. })),
        Duty::TellRecipients => owes(&|what| matches!(what, Owed::Erasure { .. })),
    }
}

/// Tells what the cases of a bundle try out, of their results in the order of the cases.
pub async fn coverage(bundle: &Bundle, results: &[CaseResult]) -> Coverage {
    let noticed = noticed(bundle, results).await;
    let own = bundle.rules.iter().filter(|rule| rule.origin == Origin::Bundle);
    let rules: Vec<RuleCoverage> = own.map(|rule| of_rule(rule, results, &noticed)).collect();
    let enforced = bundle
        .clauses
        .iter()
        .filter(|clause| matches!(clause.status, ClauseStatus::Enforced | ClauseStatus::Partly(_)));
    let clauses = enforced.map(|clause| {
        let cases = results.iter().filter(|result| *result.clause == *clause.id);
        let (cases, hold) = (cases.clone().count(), cases.filter(|result| result.holds()).count());
        let resting = rules.iter().filter(|rule| rule.clauses.contains(&clause.id));
        let untried = resting.clone().filter(|rule| !rule.covered);
        let covered = hold > 0 && (resting.clone().count() == 0 || resting.clone().any(|rule| rule.covered));
        ClauseCoverage {
            clause: Arc::clone(&clause.id),
            status: clause.status.code(),
            cases,
            hold,
            rules: resting.clone().map(|rule| rule.rule.clone()).collect(),
            untried: untried.map(|rule| rule.rule.clone()).collect(),
            covered,
        }
    });
    let clauses = clauses.collect();
    Coverage { rules, clauses }
}

fn of_rule(rule: &Rule, results: &[CaseResult], noticed: &BTreeSet<RuleId>) -> RuleCoverage {
    let spoke = results.iter().filter(|result| result.holds() && result.spoke.contains(&rule.id));
    let cases = spoke.clone().count();
    let covered = match rule.verb {
        Verb::Forbid(_) => spoke.clone().any(|result| result.tempted) || noticed.contains(&rule.id),
        Verb::Permit { .. } | Verb::Require(_) => cases > 0,
    };
    RuleCoverage { rule: rule.id.clone(), clauses: rule.clauses.clone(), cases, covered }
}

/// The prohibitions without which some case comes out otherwise, of those that speak in no tempted case.
async fn noticed(bundle: &Bundle, results: &[CaseResult]) -> BTreeSet<RuleId> {
    let Ok(identity) = Identity::new() else { return BTreeSet::new() };
    let mut playing = JoinSet::new();
    for rule in
        bundle.rules.iter().filter(|r| r.origin == Origin::Bundle && matches!(r.verb, Verb::Forbid(_)))
    {
        let speaks = |result: &&CaseResult| result.holds() && result.spoke.contains(&rule.id);
        if results.iter().filter(speaks).any(|result| result.tempted) {
            continue;
        }
        let told = bundle.cases.iter().zip(results).filter(|(case, result)| {
            speaks(result) && case.if_bundle_had.is_none() && !matches!(case.then, CaseOutcome::LoadError(_))
        });
        let told: Vec<Case> = told.map(|(case, _)| case.clone()).collect();
        if told.is_empty() {
            continue;
        }
        let mut without = bundle.clone();
        without.rules.retain(|there| there.id != rule.id);
        let (id, identity) = (rule.id.clone(), identity.clone());
        playing.spawn(async move { comes_out_otherwise(without, identity, told).await.then_some(id) });
    }
    let mut out = BTreeSet::new();
    while let Some(ended) = playing.join_next().await {
        out.extend(ended.ok().flatten());
    }
    out
}

async fn comes_out_otherwise(bundle: Bundle, identity: Identity, cases: Vec<Case>) -> bool {
    let compiled = tokio::task::spawn_blocking(move || Engine::new(bundle)).await;
    let Ok(Ok(engine)) = compiled else { return false };
    let stage = Stage::new(engine, identity);
    for case in &cases {
        if perform(&stage, case).await.is_ok_and(|result| !result.holds()) {
            return true;
        }
    }
    false
}
