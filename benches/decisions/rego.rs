//! The same rules in Rego: a set of the policies that permit and a set of those that stop, as Cedar names them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::num::NonZero;

use consentry_model::{FactId, FactValue, Facts, Moment, Treatment};
use consentry_policy::{Basis, Bundle, Condition, Cure, Duty, Engine, Question, Rule, Test, Verb};
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use serde_json::{Map, Value, json};

use crate::Failure;
use crate::invent::CATEGORIES;

const ENTRY: &str = "data.bundle.answer";

/// The policy text and its data.
pub(crate) struct Rego {
    pub(crate) policy: String,
    pub(crate) data: Value,
}

/// Regorus with a policy compiled to its bytecode.
pub(crate) struct Regorus(RegoVM);

impl Regorus {
    pub(crate) fn new(rego: &Rego) -> Result<Self, Failure> {
        let mut engine = regorus::Engine::new();
        let config = regorus::PolicyLengthConfig {
            max_lines: NonZero::new(1_000_000).ok_or("no limit")?,
            max_file_bytes: NonZero::new(64_000_000).ok_or("no limit")?,
            ..Default::default()
        };
        engine.set_policy_length_config(config);
        engine.add_policy("bundle.rego".to_owned(), rego.policy.clone())?;
        let data = regorus::Value::from_json_str(&rego.data.to_string())?;
        engine.add_data(data.clone())?;
        let compiled = engine.compile_with_entrypoint(&ENTRY.into())?;
        let program = Compiler::compile_from_policy(&compiled, &[ENTRY])?;
        let mut vm = RegoVM::new();
        vm.load_program(program);
        vm.set_data(data)?;
        Ok(Self(vm))
    }

    pub(crate) fn ask(&mut self, input: &regorus::Value) -> Result<regorus::Value, Failure> {
        self.0.set_input(input.clone());
        Ok(self.0.execute_entry_point_by_index(0)?)
    }
}

/// An answer: permitted or not, and by or against which policies.
pub(crate) fn answer(json: &Value) -> (bool, Vec<String>) {
    let list = |name: &str| -> Vec<String> {
        let items = json.get(name).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(|v| v.as_str().map(str::to_owned)).collect()
    };
    let (permit, stop) = (list("permit"), list("stop"));
    if stop.is_empty() { (!permit.is_empty(), permit) } else { (false, stop) }
}

/// One question as input.
pub(crate) fn input(
    engine: &Engine,
    question: &Question,
    facts: &Facts,
    now: Moment,
) -> Result<Value, Failure> {
    let class = engine.bundle().service.class(question.class).ok_or("no such class")?;
    let mut known = Map::new();
    for (id, def) in engine.bundle().facts.schema.iter() {
        // What is not said to be about a group is one person's.
        let single = (id == engine.bundle().facts.core.shape).then_some(FactValue::Word(0));
        if let Some(value) = single.or_else(|| facts.get(id)) {
            known.insert(def.name.to_string(), plain(value));
        }
    }
    Ok(json!({
        "requester": question.requester.as_str(),
        "recipient": question.recipient.as_str(),
        "act": question.act.code(),
        "purpose": question.purpose.as_str(),
        "category": class.category.as_str(),
        "subject_type": class.subject_type.as_str(),
        "treatment": Treatment::Clear.code(),
        "now": now.unix_millis(),
        "facts": known,
    }))
}

fn plain(value: FactValue) -> Value {
    match value {
        FactValue::Bool(b) => json!(b),
        FactValue::Word(at) => json!(at),
        FactValue::Int(n) => json!(n),
    }
}

/// Translates a bundle.
pub(crate) fn translate(bundle: &Bundle, questions: &[Question]) -> Rego {
    let mut writer =
        Writer { bundle, out: String::from("package bundle\nimport rego.v1\n"), helpers: BTreeMap::new() };
    for rule in &bundle.rules {
        writer.rule(rule);
    }
    writer.out.push_str("answer := {\"permit\": permit, \"stop\": stop}\n");
    Rego { policy: writer.out, data: data(bundle, questions) }
}

/// For each key, the keys that it is within and those that it touches; for each recipient what it is.
fn data(bundle: &Bundle, questions: &[Question]) -> Value {
    let dotted = |key: &str, other: &str| {
        key == other || key.strip_prefix(other).is_some_and(|rest| rest.starts_with('.'))
    };
    let (mut purposes, mut categories, mut recipients) = (Vec::new(), Vec::new(), Vec::new());
    for rule in &bundle.rules {
        purposes.extend(rule.purposes.iter().flatten().map(|p| p.as_str()));
        categories.extend(rule.data.iter().flatten().map(|c| c.as_str()));
        recipients.extend(rule.to.iter().map(|r| r.as_str()));
    }
    let hierarchy = |asked: &[&str], named: &[&str]| {
        let mut out = Map::new();
        for key in asked {
            let set = |holds: &dyn Fn(&str) -> bool| {
                let keys = named.iter().filter(|other| holds(other));
                Value::Object(keys.map(|other| ((*other).to_owned(), json!(true))).collect())
            };
            let within = set(&|other| dotted(key, other));
            let touching = set(&|other| dotted(key, other) || dotted(other, key));
            out.insert((*key).to_owned(), json!({"within": within, "touching": touching}));
        }
        out
    };
    let asked: Vec<&str> = questions.iter().map(|q| q.purpose.as_str()).collect();
    let mut is = Map::new();
    for question in questions {
        let name = question.recipient.as_str();
        let above =
            recipients.iter().chain(&["authority"]).filter(|r| bundle.vocabulary.recipient_is(name, r));
        is.insert(name.to_owned(), Value::Object(above.map(|r| ((*r).to_owned(), json!(true))).collect()));
    }
    // The purposes that the exemptions name.
    purposes.extend(["custom.rights", "third_party_sharing.legal_obligation"]);
    json!({
        "purposes": hierarchy(&asked, &purposes),
        "categories": hierarchy(&CATEGORIES, &categories),
        "recipients": is,
    })
}

struct Writer<'a> {
    bundle: &'a Bundle,
    out: String,
    /// Equal conditions are one rule, which Rego works out once.
    helpers: BTreeMap<Vec<Vec<String>>, String>,
}

impl Writer<'_> {
    fn rule(&mut self, rule: &Rule) {
        match &rule.verb {
            Verb::Permit { basis, treatments } => {
                let mut lines = self.scope(rule, "within");
                self.holds(&rule.when, true, &mut lines);
                rule.unless.iter().for_each(|unless| self.holds(unless, false, &mut lines));
                if !treatments.contains(&Treatment::Clear) {
                    lines.push(one_of("input.treatment", treatments.iter().map(|t| t.code())));
                }
                self.basis(basis, &mut lines);
                self.say("permit", rule.id.as_str(), &lines);
                if basis.yields_to_a_no() {
                    let mut lines = self.scope(rule, "touching");
                    let mut at_peace = Vec::new();
                    self.is(self.bundle.facts.core.said_no, &[FactValue::Bool(true)], false, &mut at_peace);
                    lines.push(self.unless(&at_peace));
                    self.exemptions(&mut lines);
                    self.say("stop", &format!("{}/no", rule.id), &lines);
                }
            }
            Verb::Forbid(cure) => {
                let mut lines = self.scope(rule, "touching");
                self.not_known(rule, &mut lines);
                if let Cure::Consent(kind) = cure {
                    let mut cured = Vec::new();
                    self.is(
                        self.bundle.facts.core.consent_of(*kind),
                        &[FactValue::Bool(true)],
                        true,
                        &mut cured,
                    );
                    lines.push(self.unless(&cured));
                }
                self.exemptions(&mut lines);
                self.say("stop", rule.id.as_str(), &lines);
            }
            Verb::Require(Duty::That(that)) => {
                let mut lines = self.scope(rule, "touching");
                self.not_known(rule, &mut lines);
                let mut done = Vec::new();
                self.holds(that, true, &mut done);
                lines.push(self.unless(&done));
                self.say("stop", rule.id.as_str(), &lines);
            }
            Verb::Require(_) => {}
        }
    }

    fn say(&mut self, set: &str, id: &str, lines: &[String]) {
        let body = if lines.is_empty() { "true".to_owned() } else { lines.join("\n  ") };
        let _ = writeln!(self.out, "{set} contains {id:?} if {{\n  {body}\n}}");
    }

    /// A prohibition's conditions: not known to fail, and its exception not known to hold.
    fn not_known(&mut self, rule: &Rule, lines: &mut Vec<String>) {
        if rule.when != Condition::always() {
            let mut fails = Vec::new();
            self.holds(&rule.when, false, &mut fails);
            lines.push(self.unless(&fails));
        }
        if let Some(unless) = &rule.unless {
            let mut holds = Vec::new();
            self.holds(unless, true, &mut holds);
            lines.push(self.unless(&holds));
        }
    }

    fn basis(&mut self, basis: &Basis, lines: &mut Vec<String>) {
        let core = &self.bundle.facts.core;
        let yes = [FactValue::Bool(true)];
        match basis {
            Basis::Consent(kind) => self.is(core.consent_of(*kind), &yes, true, lines),
            Basis::Contract => self.is(core.contract, &[FactValue::Word(1), FactValue::Word(2)], true, lines),
            Basis::LegitimateInterests(_) | Basis::Notice => self.is(core.said_no, &yes, false, lines),
            Basis::Aggregate => self.is(core.shape, &[FactValue::Word(1)], true, lines),
            Basis::LegalObligation(_)
            | Basis::VitalInterests(_)
            | Basis::PublicInterest(_)
            | Basis::Right => {}
        }
    }

    fn exemptions(&mut self, lines: &mut Vec<String>) {
        let core = &self.bundle.facts.core;
        let yes = [FactValue::Bool(true)];
        let mut own = vec!["data.purposes[input.purpose].within[\"custom.rights\"]".to_owned()];
        self.is(core.own, &yes, true, &mut own);
        let mut compelled = vec![
            "data.purposes[input.purpose].within[\"third_party_sharing.legal_obligation\"]".to_owned(),
            "data.recipients[input.recipient].authority".to_owned(),
        ];
        self.is(core.legal, &yes, true, &mut compelled);
        self.is(core.approver, &yes, true, &mut compelled);
        for exemption in [own, compelled] {
            lines.push(self.unless(&exemption));
        }
    }

    fn scope(&self, rule: &Rule, group: &str) -> Vec<String> {
        let mut out = Vec::new();
        let keyed = |table: &str, key: &str, keys: Vec<&str>| match keys.as_slice() {
            [one] => format!("data.{table}[input.{key}].{group}[{one:?}]"),
            many => format!("some k in {many:?}\n  data.{table}[input.{key}].{group}[k]"),
        };
        if let Some(purposes) = &rule.purposes {
            out.push(keyed("purposes", "purpose", purposes.iter().map(|p| p.as_str()).collect()));
        }
        if let Some(data) = &rule.data {
            let keys = data.iter().map(|c| c.as_str()).collect();
            out.push(keyed("categories", "category", keys).replace("some k", "some c").replace("[k]", "[c]"));
        }
        if !rule.of.is_empty() {
            out.push(one_of("input.subject_type", rule.of.iter().map(|t| t.as_str())));
        }
        if !rule.by.is_empty() {
            out.push(one_of("input.requester", rule.by.iter().map(|r| r.as_str())));
        }
        if !rule.acts.is_empty() {
            out.push(one_of("input.act", rule.acts.iter().map(|a| a.code())));
        }
        if !rule.to.is_empty() {
            let names: Vec<&str> = rule.to.iter().map(|r| r.as_str()).collect();
            out.push(format!("some r in {names:?}\n  data.recipients[input.recipient][r]"));
        }
        out.extend(rule.from.map(|from| format!("input.now >= {}", from.unix_millis())));
        out.extend(rule.until.map(|until| format!("input.now < {}", until.unix_millis())));
        out
    }

    /// A condition known to hold, or known to fail, as lines that must all hold.
    fn holds(&mut self, condition: &Condition, known: bool, lines: &mut Vec<String>) {
        match condition {
            Condition::All(parts) | Condition::Any(parts) => {
                let every = matches!(condition, Condition::All(_)) == known;
                if every || parts.len() == 1 {
                    parts.iter().for_each(|part| self.holds(part, known, lines));
                } else {
                    let bodies: Vec<Vec<String>> = parts
                        .iter()
                        .map(|part| {
                            let mut lines = Vec::new();
                            self.holds(part, known, &mut lines);
                            lines
                        })
                        .collect();
                    lines.push(self.helper(&bodies));
                }
            }
            Condition::Not(part) => self.holds(part, !known, lines),
            Condition::Test(test) => self.test(test, known, lines),
        }
    }

    fn test(&mut self, test: &Test, known: bool, lines: &mut Vec<String>) {
        let not = if known { "" } else { "not " };
        match test {
            Test::Is(id, values) => self.is(*id, values, known, lines),
            Test::AtLeast(id, n) => {
                lines.push(format!("{} {} {n}", self.fact(*id), if known { ">=" } else { "<" }));
            }
            Test::Purpose(purposes) => {
                let bodies: Vec<Vec<String>> = purposes
                    .iter()
                    .map(|p| vec![format!("data.purposes[input.purpose].within[{:?}]", p.as_str())])
                    .collect();
                lines.push(format!("{not}{}", self.helper(&bodies)));
            }
            Test::Data(data) => {
                let bodies: Vec<Vec<String>> = data
                    .iter()
                    .map(|c| vec![format!("data.categories[input.category].within[{:?}]", c.as_str())])
                    .collect();
                lines.push(format!("{not}{}", self.helper(&bodies)));
            }
            Test::As(treatments) => {
                lines
                    .push(format!("{not}{}", one_of("input.treatment", treatments.iter().map(|t| t.code()))));
            }
        }
    }

    fn is(&self, id: FactId, values: &[FactValue], known: bool, lines: &mut Vec<String>) {
        let fact = self.fact(id);
        let values: Vec<String> = values.iter().map(|v| plain(*v).to_string()).collect();
        match (values.as_slice(), known) {
            ([one], true) => lines.push(format!("{fact} == {one}")),
            ([one], false) => lines.push(format!("{fact} != {one}")),
            (many, true) => lines.push(format!("{fact} in {{{}}}", many.join(", "))),
            (many, false) => lines.extend(many.iter().map(|one| format!("{fact} != {one}"))),
        }
    }

    fn fact(&self, id: FactId) -> String {
        let name = self.bundle.facts.schema.def(id).map_or("", |def| &def.name);
        format!("input.facts[{name:?}]")
    }

    fn unless(&mut self, lines: &[String]) -> String {
        format!("not {}", self.helper(&[lines.to_vec()]))
    }

    /// A rule of its own that holds when one of these bodies does.
    fn helper(&mut self, bodies: &[Vec<String>]) -> String {
        if let Some(name) = self.helpers.get(bodies) {
            return name.clone();
        }
        let name = format!("h{}", self.helpers.len());
        self.helpers.insert(bodies.to_vec(), name.clone());
        for body in bodies {
            let body = if body.is_empty() { "true".to_owned() } else { body.join("\n  ") };
            let _ = writeln!(self.out, "{name} if {{\n  {body}\n}}");
        }
        name
    }
}

fn one_of<'w>(what: &str, words: impl Iterator<Item = &'w str>) -> String {
    let words: Vec<String> = words.map(|w| format!("{w:?}")).collect();
    format!("{what} in {{{}}}", words.join(", "))
}
