//! What a cell decides, as formulas over the variables of a space.

use std::sync::Arc;

use consentry_model::Treatment;

use super::expr::Expr;
use super::set::Set;
use super::space::Space;
use super::view::View;
use crate::engine::{Engine, OpenFires, OpenStep, Question, Shape};

/// One question in one bundle, with its program taken apart.
pub(crate) struct Open<'e> {
    pub(crate) view: View<'e>,
    steps: Vec<OpenStep>,
}

/// For each treatment when it is permitted, most revealing first.
pub(crate) type Decided = Vec<(Treatment, Expr)>;

impl<'e> Open<'e> {
    /// Opens the cell of a question. A question that has no cell is always refused; `None` when its program cannot be
    /// taken apart.
    pub(crate) fn of(engine: &'e Engine, question: &Question) -> Option<Self> {
        let view = View::of(engine, question);
        let Ok(cell) = engine.cell(question) else { return Some(Self { view, steps: Vec::new() }) };
        Some(Self { view, steps: engine.opened(&cell)? })
    }

    /// The formulas that its policies fire on.
    pub(crate) fn shapes(&self) -> impl Iterator<Item = (&View<'e>, &Shape)> {
        let fires = self.steps.iter().flat_map(|step| &step.policies).map(|policy| &policy.fires);
        fires.filter_map(|fires| match fires {
            OpenFires::When(shape) => Some((&self.view, shape)),
            OpenFires::Cedar(_) => None,
        })
    }

    /// The policies that only Cedar can read, each in each treatment.
    pub(crate) fn cedar(&self) -> impl Iterator<Item = Arc<str>> {
        self.steps.iter().flat_map(|step| {
            step.policies.iter().filter_map(move |policy| match &policy.fires {
                OpenFires::Cedar(text) => Some(in_treatment(text, step.treatment)),
                OpenFires::When(_) => None,
            })
        })
    }

    /// When each treatment is permitted: some permission fires, and no prohibition.
    pub(crate) fn decided(&self, space: &Space) -> Decided {
        let every = space.every();
        let fires = |fires: &OpenFires, treatment| match fires {
            OpenFires::When(shape) => space.expr(&self.view, shape),
            OpenFires::Cedar(text) => space.cedar(&in_treatment(text, treatment)),
        };
        let side = |step: &OpenStep, permits: bool| {
            let policies = step.policies.iter().filter(|policy| policy.permits == permits);
            Expr::any(policies.map(|policy| fires(&policy.fires, step.treatment)))
        };
        let yes = |step: &OpenStep| Expr::all([side(step, true), side(step, false).not(&every)]);
        self.steps.iter().map(|step| (step.treatment, yes(step).within(&every))).collect()
    }
}

fn in_treatment(text: &Arc<str>, treatment: Treatment) -> Arc<str> {
    format!("{treatment}: {text}").into()
}

/// When the answer is exactly this treatment.
pub(crate) fn exactly(decided: &Decided, treatment: Treatment, every: &[Set]) -> Expr {
    let sooner = decided.iter().filter(|(there, _)| *there < treatment).map(|(_, expr)| expr.not(every));
    let none_sooner = Expr::all(sooner);
    if treatment == Treatment::Withheld {
        return none_sooner;
    }
    let this = decided.iter().filter(|(there, _)| *there == treatment).map(|(_, expr)| expr.clone());
    Expr::all([Expr::any(this), none_sooner])
}
