//! Where an invariant does not hold, in words.

use consentry_model::{Act, Facts, Moment, RuleId, Treatment};

use super::check::Broken;
use crate::compare::{Key, Open, Point, Set, conditions, facts_of, name_of, value, widest};
use crate::engine::{Engine, Person, Question};

/// Where an invariant does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counterexample {
    /// Who asks.
    pub requester: String,
    /// Who receives.
    pub recipient: String,
    /// What is done.
    pub act: Act,
    /// Why.
    pub purpose: String,
    /// Which data.
    pub category: String,
    /// Of whom.
    pub subject: String,
    /// What the service map attests of the data.
    pub attested: Vec<String>,
    /// The answer.
    pub treatment: Treatment,
    /// On which facts, in words; what is not named may be anything.
    pub facts: Vec<String>,
    /// The rules that determine the answer: those that permit, or those that stand against it.
    pub rules: Vec<RuleId>,
    /// Whether a route can ask this.
    pub reachable: bool,
}

impl Counterexample {
    /// Tells what was found, and asks the engine itself. `asked` is a question of the same kind that a route can make.
    pub(super) fn of(
        engine: &Engine,
        broken: &Broken,
        asked: Option<&Question>,
    ) -> Result<Self, &'static str> {
        let (space, every) = (&broken.space, broken.space.every());
        let found = widest(&broken.expr, broken.found.clone(), &every);
        let question = asked.unwrap_or(&broken.question);
        let (facts, now) = witness(engine, question, broken, &found);
        let verdict = engine.decide(question, &facts, Person::ANONYMOUS, now);
        let expected = engine.decide(&broken.question, &facts, Person::ANONYMOUS, now).treatment;
        let beyond = space.variables.iter().any(|v| matches!(v.key, Key::Cedar(_)));
        if beyond || verdict.treatment != expected {
            return Err("a native policy in its scope is beyond what can be checked");
        }
        let Some(name) = name_of(engine, question) else { return Err("a class has no name") };
        Ok(Self {
            requester: name.requester.as_str().to_owned(),
            recipient: name.recipient.as_str().to_owned(),
            act: name.act,
            purpose: name.purpose.as_str().to_owned(),
            category: name.category.as_str().to_owned(),
            subject: name.subject_type.as_str().to_owned(),
            attested: name.attested,
            treatment: verdict.treatment,
            facts: conditions(&space.variables, &found).into_iter().map(|(_, said)| said).collect(),
            rules: verdict.rules.to_vec(),
            reachable: asked.is_some(),
        })
    }

    /// It in one sentence, without the facts.
    #[must_use]
    pub fn sentence(&self) -> String {
        let attested =
            if self.attested.is_empty() { String::new() } else { format!(" ({})", self.attested.join(", ")) };
        let reach = if self.reachable { "" } else { "; no route asks this today" };
        format!(
            "{} asks to {} {} of {}{attested} for {}, received by {}: {}{reach}",
            self.requester,
            self.act,
            self.category,
            self.subject,
            self.purpose,
            self.recipient,
            self.treatment
        )
    }
}

/// Facts inside a box.
fn witness(engine: &Engine, question: &Question, broken: &Broken, found: &[Set]) -> (Facts, Moment) {
    let (mut facts, mut now) = (engine.facts(), engine.bundle().from.unwrap_or(Moment::from_unix_millis(0)));
    let Some(open) = Open::of(engine, question) else { return (facts, now) };
    for (variable, set) in broken.space.variables.iter().zip(found) {
        let Some(point) = set.iter().next().and_then(|at| variable.points.get(at)) else { continue };
        if let (Key::Now, Point::From(millis)) = (&variable.key, point) {
            now = Moment::from_unix_millis(*millis);
        }
        for id in facts_of(&open.view, &variable.key) {
            if open.view.fixed(id).is_none() {
                facts.set(id, value(&open.view, id, point));
            }
        }
    }
    for (id, value) in open.view.all_fixed(now.unix_millis()) {
        facts.set(id, value);
    }
    (facts, now)
}
