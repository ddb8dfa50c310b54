//! What the cases of a bundle try out, for people and for programs.

use consentry_model::RuleId;
use consentry_proxy::Coverage;
use serde_json::{Value, json};

use crate::output::{self, BOLD, DIM, ERROR, FAIR, GOOD, PLAIN, Table, paint};

/// For people.
pub(super) fn text(coverage: &Coverage) -> String {
    let mut out = String::new();
    let (tried, rules) = (coverage.rules_covered(), coverage.rules.len());
    out.push_str(&paint(BOLD, format!("rules: {tried} of {rules} are tried out\n")));
    let mut table = Table::new(["", "rule", "cases", "clauses"]);
    for rule in &coverage.rules {
        let (style, word) = if rule.covered { (GOOD, "yes") } else { (ERROR, "no") };
        table.row([
            (style, word.to_owned()),
            (PLAIN, rule.rule.to_string()),
            (PLAIN, rule.cases.to_string()),
            (DIM, rule.clauses.join(" ")),
        ]);
    }
    out.push_str(&table.render(2, output::width()));
    let (tried, clauses) = (coverage.clauses_covered(), coverage.clauses.len());
    let percent = coverage.clause_percent();
    out.push_str(&paint(BOLD, format!("\nclauses: {tried} of {clauses} are tried out ({percent} %)\n")));
    let mut table = Table::new(["", "clause", "status", "cases", "rules that no case tries out"]);
    for clause in &coverage.clauses {
        let (style, word) = if clause.covered { (GOOD, "yes") } else { (ERROR, "no") };
        let cases = if clause.hold == clause.cases {
            clause.cases.to_string()
        } else {
            format!("{} of {}", clause.hold, clause.cases)
        };
        table.row([
            (style, word.to_owned()),
            (PLAIN, clause.clause.to_string()),
            (DIM, clause.status.to_owned()),
            (PLAIN, cases),
            (FAIR, names(&clause.untried).join(" ")),
        ]);
    }
    out.push_str(&table.render(2, output::width()));
    out
}

/// For programs.
pub(super) fn json(coverage: &Coverage) -> Value {
    let rules = coverage.rules.iter().map(|rule| {
        json!({
            "rule": rule.rule.as_str(),
            "clauses": rule.clauses.iter().map(|c| &**c).collect::<Vec<_>>(),
            "cases": rule.cases,
            "covered": rule.covered,
        })
    });
    let clauses = coverage.clauses.iter().map(|clause| {
        json!({
            "clause": &*clause.clause,
            "status": clause.status,
            "cases": clause.cases,
            "hold": clause.hold,
            "rules": names(&clause.rules),
            "untried": names(&clause.untried),
            "covered": clause.covered,
        })
    });
    json!({
        "rules": rules.collect::<Vec<_>>(),
        "rules_covered": coverage.rules_covered(),
        "clauses": clauses.collect::<Vec<_>>(),
        "clauses_covered": coverage.clauses_covered(),
        "clause_percent": coverage.clause_percent(),
    })
}

fn names(rules: &[RuleId]) -> Vec<&str> {
    rules.iter().map(RuleId::as_str).collect()
}
