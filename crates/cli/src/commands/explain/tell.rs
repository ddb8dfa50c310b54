//! The answers, for people and for programs.

use consentry_model::{Purpose, Reason, RuleId, Treatment};
use consentry_policy::{Basis, Bundle, Condition, Cure, Duty, Rule, TraceLine, Verb};
use serde_json::{Value, json};

use super::condition;
use super::story::{Answer, Story};
use crate::output::{self, BOLD, DIM, ERROR, FAIR, GOOD, NAME, PLAIN, Table, paint};
use crate::stop::Stop;

/// For people.
pub(super) fn text(story: &Story, bundle: &Bundle, answers: &[Answer]) -> Result<(), Stop> {
    let asked = format!("{} asks {} for {}", story.requester, story.route.id, story.purpose);
    output::say(&paint(BOLD, format!("{asked}, received as {}", story.receives_as)))?;
    if let Some(reason) = story.refused {
        let what = paint(ERROR, format!("refused with {reason}"));
        output::say(&format!("{what} before any rule is asked; what the rules would say:"))?;
    }
    if answers.is_empty() {
        let binding = obligations(story, bundle);
        let asked = if binding.is_empty() {
            "there is nothing to ask".to_owned()
        } else {
            format!("only an obligation that names no data can refuse it: {}", binding.join(", "))
        };
        return output::say(&format!("The route carries no personal data: {asked}."));
    }
    for answer in answers {
        output::say(&one(bundle, answer))?;
    }
    Ok(())
}

/// The obligations for this purpose that name no data: which of them bind is for their scopes and conditions to say.
fn obligations(story: &Story, bundle: &Bundle) -> Vec<String> {
    let covers = |purpose: &Purpose| bundle.vocabulary.covers(purpose, &story.purpose);
    let binds = |rule: &&Rule| {
        matches!(rule.verb, Verb::Require(Duty::That(_)))
            && rule.data.is_none()
            && rule.purposes.as_ref().is_none_or(|purposes| purposes.iter().any(covers))
    };
    bundle.rules.iter().filter(binds).map(|rule| rule.id.to_string()).collect()
}

fn one(bundle: &Bundle, answer: &Answer) -> String {
    let verdict = &answer.trace.verdict;
    let style = match verdict.treatment {
        Treatment::Clear => GOOD,
        Treatment::Truncated | Treatment::Masked | Treatment::Pseudonymised => FAIR,
        Treatment::Withheld => ERROR,
    };
    let reason = verdict.reason.map(|r| format!(", {r}")).unwrap_or_default();
    let whose = answer.person.as_deref().map(|name| format!(" ({name})")).unwrap_or_default();
    let mut out = format!(
        "\n{} of a {}{whose}, {} to {}: {}{reason}\n",
        paint(NAME, &answer.class.category),
        answer.class.subject_type.as_str(),
        answer.act,
        answer.recipient,
        paint(style, verdict.treatment),
    );
    let mut table = Table::bare();
    for line in &answer.trace.lines {
        let (style, spoke) = spoke(line);
        let rule = bundle.rule(&plain_id(&line.rule));
        table.row([
            (style, spoke.to_owned()),
            (PLAIN, line.rule.to_string()),
            (DIM, rule.map(|r| said(r, line)).unwrap_or_default()),
        ]);
        for clause in rule.iter().flat_map(|r| &r.clauses).filter_map(|id| bundle.clause(id)) {
            let says = format!("{}, line {}: {}", clause.id, clause.line, clause.says);
            table.row([(PLAIN, String::new()), (PLAIN, String::new()), (DIM, says)]);
        }
    }
    out.push_str(&table.render(2, output::width()));
    if answer.trace.lines.is_empty() {
        out.push_str("  no rule speaks of it, and what nothing permits is withheld\n");
    }
    if verdict.treatment != Treatment::Clear {
        out.push_str(&change(bundle, answer));
    }
    out
}

/// What would make it a yes, as far as the rules tell.
fn change(bundle: &Bundle, answer: &Answer) -> String {
    let verdict = &answer.trace.verdict;
    let permitted = answer.trace.lines.iter().any(|l| l.permits && l.spoke == Some(true));
    let mut table = Table::bare();
    for (rule, lacks) in verdict.near.iter() {
        let basis = bundle.rule(rule).map(|r| needed(r, *lacks)).unwrap_or_default();
        table.row([(FAIR, "would change it".to_owned()), (PLAIN, rule.to_string()), (PLAIN, basis)]);
    }
    let against = answer.trace.lines.iter().filter(|l| !l.permits && l.spoke != Some(false));
    for (nth, line) in against.enumerate() {
        let rule = bundle.rule(&plain_id(&line.rule)).filter(|r| r.id == line.rule);
        let cure = match rule.map(|r| &r.verb) {
            Some(Verb::Forbid(Cure::Never)) => "its prohibition is never lifted by a consent".to_owned(),
            Some(Verb::Forbid(Cure::Consent(kind))) => format!("its prohibition is lifted by {kind} consent"),
            Some(Verb::Forbid(Cure::ConsentTo(fact))) => {
                format!("its prohibition is lifted by {}", condition::name(&bundle.facts.schema, *fact))
            }
            Some(Verb::Forbid(Cure::Pending(what))) => format!("it waits for a mechanism: {what}"),
            Some(Verb::Require(Duty::That(condition))) => {
                format!("needs {}", condition::missing(condition, &bundle.facts.schema, &answer.facts))
            }
            // Carried out beside the decision: none of these stops anything here.
            Some(Verb::Require(_)) => "it binds what is done besides".to_owned(),
            Some(Verb::Permit { .. }) | None => {
                "the person's own no must be followed by a later yes".to_owned()
            }
        };
        let cure = match rule.filter(|r| matches!(r.verb, Verb::Forbid(_)) && r.when != Condition::always()) {
            Some(rule) => {
                format!(
                    "{cure}; it speaks when {}",
                    condition::missing(&rule.when, &bundle.facts.schema, &answer.facts)
                )
            }
            None => cure,
        };
        let first = nth == 0 && verdict.near.is_empty() && permitted;
        let word = if first { "would change it" } else { "and" };
        table.row([(FAIR, word.to_owned()), (PLAIN, line.rule.to_string()), (PLAIN, cure)]);
    }
    if verdict.near.is_empty() && !permitted {
        let text = "no rule permits it, whatever the person says; only another rule could";
        table.row([
            (FAIR, "would change it".to_owned()),
            (PLAIN, "nothing".to_owned()),
            (PLAIN, text.to_owned()),
        ]);
    }
    table.render(2, output::width())
}

fn needed(rule: &Rule, lacks: Reason) -> String {
    let basis = match &rule.verb {
        Verb::Permit { basis: Basis::Consent(kind), .. } => format!("with {kind} consent"),
        Verb::Permit { basis: Basis::Contract, .. } => {
            "with a contract that was asked for or runs".to_owned()
        }
        Verb::Permit { .. } | Verb::Forbid(_) | Verb::Require(_) => String::new(),
    };
    let to: Vec<_> = rule.to.iter().map(ToString::to_string).collect();
    let to = if to.is_empty() { String::new() } else { format!(" to {}", to.join(" or ")) };
    format!("it permits{to} {basis}; here it lacks: {lacks}").replace("  ", " ").replace(" ;", ";")
}

fn said(rule: &Rule, line: &TraceLine) -> String {
    match &rule.verb {
        Verb::Permit { basis, .. } if line.permits => format!("permits on {}", basis.code()),
        Verb::Permit { basis, .. } => {
            format!("permits on {}, which the person's own no closes", basis.code())
        }
        Verb::Forbid(Cure::Never) => "forbids, whatever the person agreed to".to_owned(),
        Verb::Forbid(Cure::Consent(kind)) => format!("forbids without {kind} consent"),
        Verb::Forbid(Cure::ConsentTo(_)) => "forbids without a consent to another purpose".to_owned(),
        Verb::Forbid(Cure::Pending(what)) => format!("forbids until there is {what}"),
        Verb::Require(_) => "requires what is not known to hold".to_owned(),
    }
}

fn spoke(line: &TraceLine) -> (anstyle::Style, &'static str) {
    match (line.permits, line.spoke) {
        (true, Some(true)) => (GOOD, "for"),
        (true, Some(false)) => (DIM, "silent"),
        (true, None) => (FAIR, "not known"),
        (false, None) => (ERROR, "against, not known to be met"),
        (false, Some(_)) => (ERROR, "against"),
    }
}

fn plain_id(id: &RuleId) -> RuleId {
    RuleId::new(id.as_str().trim_end_matches("/no"))
}

/// For programs.
pub(super) fn json(story: &Story, bundle: &Bundle, answers: &[Answer]) -> Value {
    let one = |answer: &Answer| {
        let verdict = &answer.trace.verdict;
        let lines: Vec<Value> = answer
            .trace
            .lines
            .iter()
            .map(|line| {
                let rule = bundle.rule(&plain_id(&line.rule));
                json!({
                    "rule": line.rule.as_str(),
                    "permits": line.permits,
                    "spoke": line.spoke,
                    "says": rule.map(|r| said(r, line)),
                    "clauses": rule.map(|r| r.clauses.iter().map(ToString::to_string).collect::<Vec<_>>()),
                })
            })
            .collect();
        json!({
            "person": answer.person,
            "act": answer.act.code(),
            "recipient": answer.recipient.as_str(),
            "category": answer.class.category.as_str(),
            "subject_type": answer.class.subject_type.as_str(),
            "treatment": verdict.treatment.code(),
            "reason": verdict.reason.map(Reason::code),
            "rules": verdict.rules.iter().map(RuleId::as_str).collect::<Vec<_>>(),
            "clauses": verdict.clauses.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "near": verdict.near.iter().map(|(rule, lacks)| json!({"rule": rule.as_str(), "lacks": lacks.code()}))
                .collect::<Vec<_>>(),
            "spoken": lines,
        })
    };
    json!({
        "requester": story.requester.as_str(),
        "recipient": story.receives_as.as_str(),
        "purpose": story.purpose.as_str(),
        "route": &*story.route.id,
        "refused_before": story.refused.map(Reason::code),
        "answers": answers.iter().map(one).collect::<Vec<_>>(),
    })
}
