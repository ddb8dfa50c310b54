//! Cedar's own answer, for whoever wants to compare.

use cedar_policy::Request;
use consentry_model::{Facts, Moment, RuleId, Treatment};

use super::cedar::{Answer, Compiled};
use super::decide::{Engine, Question, with_class};
use crate::bundle::Bundle;

/// One question in one treatment, as Cedar takes it. The engine does not ask Cedar: it runs the decision program that
/// was compiled from the same policies.
pub struct CedarQuestion<'a> {
    compiled: &'a Compiled,
    request: Request,
}

impl CedarQuestion<'_> {
    /// Whether all policies together permit it, and every policy that determined it; `None` when one failed.
    #[must_use]
    pub fn ask(&self) -> Option<(bool, Vec<RuleId>)> {
        match self.compiled.answer(&self.request) {
            Answer::Yes(rules) => Some((true, rules)),
            Answer::No(rules) => Some((false, rules)),
            Answer::Error => None,
        }
    }
}

impl Engine {
    /// Every policy and the schema that they were validated against, for whoever proves something about them.
    #[cfg(feature = "symbolic")]
    pub(crate) fn policies_and_schema(&self) -> (Vec<&cedar_policy::Policy>, &cedar_policy::Schema) {
        (self.compiled.policies().collect(), self.compiled.schema())
    }

    /// Prepares a question for Cedar; `None` when the bundle does not know its words.
    #[must_use]
    pub fn reference(
        &self,
        question: &Question,
        treatment: Treatment,
        facts: &Facts,
        now: Moment,
    ) -> Option<CedarQuestion<'_>> {
        let bundle: &Bundle = self.bundle();
        let class = bundle.service.class(question.class)?;
        let facts = with_class(bundle, facts, class);
        let request = self.compiled.request(bundle, question, class, treatment, &facts, now)?;
        Some(CedarQuestion { compiled: &self.compiled, request })
    }
}
