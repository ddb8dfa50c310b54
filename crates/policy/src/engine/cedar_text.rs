//! Rules → the text of Cedar policies and of their strict schema. This text is the reference semantics; it is what
//! `consentry policy print` shows.
//!
//! Purposes are actions, categories are the parents of data, recipients and requesters are the parents of an
//! *exchange* (one requester receiving in one capacity). Every group is an enumerated entity, so that a word Cedar
//! does not know is a validation error. Facts are optional attributes of the context. Each guard is written by
//! polarity: a permission asks whether a fact is *known to be* so, a prohibition whether it is *not known not to be*.

use std::fmt::Write as _;

use consentry_model::{Act, FactDef, FactId, FactType, FactValue, RecipientClass, RuleId, Treatment};

use crate::bundle::Bundle;
use crate::rules::{Basis, Condition, Cure, Duty, NativePolicy, Rule, Test, Verb};

/// One policy: its id and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PolicyText {
    pub(crate) id: RuleId,
    pub(crate) text: String,
}

/// The id of the prohibition that a permission by consent is for whoever said no.
pub(crate) fn no_of(id: &RuleId) -> RuleId {
    RuleId::new(&format!("{id}/no"))
}

/// Which polarity an expression is asked in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Known to hold.
    True,
    /// Known not to hold.
    False,
}

impl Known {
    const fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
        }
    }
}

pub(crate) fn policies(bundle: &Bundle) -> Vec<PolicyText> {
    let writer = Writer { bundle };
    let native = bundle.native.iter().map(|policy| writer.native(policy));
    bundle.rules.iter().flat_map(|rule| writer.rule(rule)).chain(native).collect()
}

/// The attribute that holds a fact: its name with every other character made `_`.
pub(crate) fn attribute(def: &FactDef) -> String {
    def.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// Where an invariant binds, as one expression. What never may be yields to what every prohibition yields to; what is
/// always so binds where nothing that lifts it can be.
#[cfg(feature = "symbolic")]
pub(crate) fn binds(bundle: &Bundle, rule: &Rule, always: bool) -> String {
    let writer = Writer { bundle };
    let group = if always { "within" } else { "touching" };
    let mut guards = writer.scope(rule, group);
    if let Some(purposes) = &rule.purposes {
        let groups = purposes.iter().map(|p| format!("{group} {p}"));
        guards.push(format!("action in {}", list("Action", groups)));
    }
    guards.push(writer.condition(&rule.when, Known::True));
    guards.extend(rule.unless.as_ref().map(|unless| match always {
        true => writer.condition(unless, Known::False),
        false => format!("!({})", writer.condition(unless, Known::True)),
    }));
    if !always {
        guards.extend(writer.exemptions());
    }
    guards.iter().map(|guard| format!("({guard})")).collect::<Vec<_>>().join(" && ")
}

struct Writer<'a> {
    bundle: &'a Bundle,
}

impl Writer<'_> {
    fn rule(&self, rule: &Rule) -> Vec<PolicyText> {
        match &rule.verb {
            Verb::Permit { basis, treatments } => {
                let mut out = vec![self.permit(rule, basis, treatments)];
                if basis.yields_to_a_no() {
                    out.push(self.no(rule));
                }
                out
            }
            Verb::Forbid(cure) => vec![self.forbid(rule, cure)],
            Verb::Require(Duty::That(that)) => vec![self.require(rule, that)],
            // Carried out beside the decision: no answer to a question.
            Verb::Require(_) => Vec::new(),
        }
    }

    /// A native policy as it stands. What the subject's own access and the law's compulsion pass, they pass here too.
    fn native(&self, native: &NativePolicy) -> PolicyText {
        let text = native.text.trim_end().trim_end_matches(';').trim_end();
        let exempt = if native.permits {
            String::new()
        } else {
            self.exemptions().iter().map(|guard| format!("\nwhen {{ {guard} }}")).collect()
        };
        PolicyText { id: native.id.clone(), text: format!("{text}{exempt};\n") }
    }

    fn permit(&self, rule: &Rule, basis: &Basis, treatments: &[Treatment]) -> PolicyText {
        let mut guards = self.scope(rule, "within");
        guards.push(self.condition(&rule.when, Known::True));
        guards.extend(rule.unless.as_ref().map(|c| self.condition(c, Known::False)));
        if !treatments.contains(&Treatment::Clear) {
            guards.push(treatment_test(treatments));
        }
        let core = &self.bundle.facts.core;
        let is = |id: FactId, values: &[FactValue], known| self.is(id, values, known);
        let yes = [FactValue::Bool(true)];
        match basis {
            Basis::Consent(kind) => guards.push(is(core.consent_of(*kind), &yes, Known::True)),
            Basis::Contract => {
                let there = [FactValue::Word(1), FactValue::Word(2)]; // requested, active
                guards.push(is(core.contract, &there, Known::True));
            }
            Basis::LegitimateInterests(_) => guards.push(is(core.said_no, &yes, Known::False)),
            Basis::Notice => {
                guards.push(is(core.said_no, &yes, Known::False));
                let void = self.bundle.where_notice_is_void();
                guards.extend(void.map(|regime| is(regime, &yes, Known::False)));
            }
            Basis::Aggregate => guards.push(is(core.shape, &[FactValue::Word(1)], Known::True)),
            Basis::LegalObligation(_)
            | Basis::VitalInterests(_)
            | Basis::PublicInterest(_)
            | Basis::Right => {}
        }
        let actions = groups("Action", "within", rule.purposes.as_deref());
        self.text(&rule.id, rule, &format!("@basis({:?})\n", basis.code()), "permit", &actions, &guards)
    }

    /// Law 6: a permission that rests on the person's wish is at the same time a prohibition for whoever said no.
    fn no(&self, rule: &Rule) -> PolicyText {
        let mut guards = self.scope(rule, "touching");
        let said_no = self.is(self.bundle.facts.core.said_no, &[FactValue::Bool(true)], Known::False);
        guards.push(format!("!({said_no})"));
        guards.extend(self.exemptions());
        let actions = groups("Action", "touching", rule.purposes.as_deref());
        self.text(&no_of(&rule.id), rule, "", "forbid", &actions, &guards)
    }

    fn forbid(&self, rule: &Rule, cure: &Cure) -> PolicyText {
        let mut guards = self.scope(rule, "touching");
        guards.push(format!("!({})", self.condition(&rule.when, Known::False)));
        guards.extend(rule.unless.as_ref().map(|c| format!("!({})", self.condition(c, Known::True))));
        let note = match cure {
            Cure::Never => "@cure(\"never\")\n".to_owned(),
            Cure::Pending(mechanism) => format!("@pending({mechanism:?})\n"),
            Cure::Consent(kind) => {
                let consent = self.bundle.facts.core.consent_of(*kind);
                guards.push(format!("!({})", self.is(consent, &[FactValue::Bool(true)], Known::True)));
                format!("@cure(\"consent: {kind}\")\n")
            }
            Cure::ConsentTo(fact) => {
                guards.push(format!("!({})", self.is(*fact, &[FactValue::Bool(true)], Known::True)));
                let name = self.bundle.facts.schema.def(*fact).map_or("", |def| &def.name);
                format!("@cure({name:?})\n")
            }
        };
        guards.extend(self.exemptions());
        let actions = groups("Action", "touching", rule.purposes.as_deref());
        self.text(&rule.id, rule, &note, "forbid", &actions, &guards)
    }

    /// An obligation binds own access and lawful demands too: it has no exemptions.
    fn require(&self, rule: &Rule, that: &Condition) -> PolicyText {
        let mut guards = self.scope(rule, "touching");
        guards.push(format!("!({})", self.condition(&rule.when, Known::False)));
        guards.extend(rule.unless.as_ref().map(|c| format!("!({})", self.condition(c, Known::True))));
        guards.push(format!("!({})", self.condition(that, Known::True)));
        let actions = groups("Action", "touching", rule.purposes.as_deref());
        self.text(&rule.id, rule, "@obligation(\"that\")\n", "forbid", &actions, &guards)
    }

    /// Laws 3 and 9: what the subject's own access and the law's compulsion pass.
    fn exemptions(&self) -> [String; 2] {
        let core = &self.bundle.facts.core;
        let yes = [FactValue::Bool(true)];
        let own = self.is(core.own, &yes, Known::True);
        let (legal, approver) =
            (self.is(core.legal, &yes, Known::True), self.is(core.approver, &yes, Known::True));
        [
            format!("!(action in [Action::\"within custom.rights\"] && {own})"),
            format!(
                "!(action in [Action::\"within third_party_sharing.legal_obligation\"] && principal in [Party::\"authority\"] && {legal} && {approver})"
            ),
        ]
    }

    fn scope(&self, rule: &Rule, group: &str) -> Vec<String> {
        let mut out = Vec::new();
        if let Some(data) = &rule.data {
            out.push(format!(
                "resource in {}",
                list("Category", data.iter().map(|c| format!("{group} {c}")))
            ));
        }
        if !rule.of.is_empty() {
            let types = list("SubjectType", rule.of.iter().map(|t| t.as_str().to_owned()));
            out.push(format!("{types}.contains(context.subject_type)"));
        }
        if !rule.by.is_empty() {
            out.push(format!(
                "principal in {}",
                list("Requester", rule.by.iter().map(|r| r.as_str().to_owned()))
            ));
        }
        if !rule.to.is_empty() {
            out.push(format!(
                "principal in {}",
                list("Party", rule.to.iter().map(|r| r.as_str().to_owned()))
            ));
        }
        if !rule.acts.is_empty() {
            let done = |acts: &[Act]| {
                format!("{}.contains(context.act)", list("Act", acts.iter().map(|a| a.code().to_owned())))
            };
            // What is sent to somebody outside is disclosed to them, too.
            out.push(if group == "touching" && rule.reaches_sent_out() {
                let outside =
                    format!("principal in {}", list("Party", [RecipientClass::External.code().to_owned()]));
                format!("{} || ({outside} && {})", done(&rule.acts), done(&[Act::Send]))
            } else {
                done(&rule.acts)
            });
        }
        out.extend(rule.from.map(|from| format!("context.now >= {}", from.unix_millis())));
        out.extend(rule.until.map(|until| format!("context.now < {}", until.unix_millis())));
        out
    }

    fn condition(&self, condition: &Condition, known: Known) -> String {
        let join = |parts: &[Condition], conjunction: bool| {
            let texts: Vec<_> = parts.iter().map(|p| self.condition(p, known)).collect();
            match (&texts[..], conjunction) {
                ([], true) => "true".to_owned(),
                ([], false) => "false".to_owned(),
                ([one], _) => one.clone(),
                (_, true) => format!("({})", texts.join(" && ")),
                (_, false) => format!("({})", texts.join(" || ")),
            }
        };
        match condition {
            // A conjunction is known to fail as soon as one part is.
            Condition::All(parts) => join(parts, known == Known::True),
            Condition::Any(parts) => join(parts, known == Known::False),
            Condition::Not(part) => self.condition(part, known.not()),
            Condition::Test(test) => self.test(test, known),
        }
    }

    fn test(&self, test: &Test, known: Known) -> String {
        let sign = if known == Known::True { "" } else { "!" };
        match test {
            Test::Is(id, values) => self.is(*id, values, known),
            Test::AtLeast(id, level) => self.guarded(*id, |path| format!("{sign}({path} >= {level})")),
            Test::Purpose(purposes) => {
                format!(
                    "{sign}(action in {})",
                    list("Action", purposes.iter().map(|p| format!("within {p}")))
                )
            }
            Test::Data(data) => {
                format!(
                    "{sign}(resource in {})",
                    list("Category", data.iter().map(|c| format!("within {c}")))
                )
            }
            Test::As(treatments) => format!("{sign}({})", treatment_test(treatments)),
        }
    }

    fn is(&self, id: FactId, values: &[FactValue], known: Known) -> String {
        let sign = if known == Known::True { "" } else { "!" };
        let Some(def) = self.bundle.facts.schema.def(id) else { return "false".to_owned() };
        self.guarded(id, |path| match &def.ty {
            FactType::Bool => {
                let wanted = values.contains(&FactValue::Bool(true));
                let both = wanted && values.contains(&FactValue::Bool(false));
                match (both, wanted == (known == Known::True)) {
                    (true, _) => sign.to_owned() + "true",
                    (false, true) => path.to_owned(),
                    (false, false) => format!("!{path}"),
                }
            }
            FactType::Word(words) => {
                let names = values.iter().filter_map(|v| match v {
                    FactValue::Word(at) => words.get(usize::from(*at)).map(|w| w.as_ref().to_owned()),
                    FactValue::Bool(_) | FactValue::Int(_) => None,
                });
                format!("{sign}{}.contains({path})", list(&entity_type(def), names))
            }
            FactType::Level(_) | FactType::Int => {
                let levels: Vec<_> = values
                    .iter()
                    .filter_map(|v| match v {
                        FactValue::Word(at) => Some(at.to_string()),
                        FactValue::Int(n) => Some(n.to_string()),
                        FactValue::Bool(_) => None,
                    })
                    .collect();
                format!("{sign}[{}].contains({path})", levels.join(", "))
            }
        })
    }

    fn guarded(&self, id: FactId, test: impl Fn(&str) -> String) -> String {
        let Some(def) = self.bundle.facts.schema.def(id) else { return "false".to_owned() };
        let name = attribute(def);
        format!("(context has {name} && {})", test(&format!("context.{name}")))
    }

    fn text(
        &self,
        id: &RuleId,
        rule: &Rule,
        notes: &str,
        effect: &str,
        actions: &str,
        guards: &[String],
    ) -> PolicyText {
        let mut text = format!("@id({:?})\n", id.as_str());
        if !rule.clauses.is_empty() {
            let clauses = rule.clauses.join(" ");
            let _ = writeln!(text, "@clauses({clauses:?})");
        }
        text.push_str(notes);
        let _ = write!(text, "{effect} (principal, {actions}, resource)");
        let kept: Vec<_> = guards.iter().filter(|g| *g != "true" && *g != "!(false)").collect();
        for guard in kept {
            let _ = write!(text, "\nwhen {{ {guard} }}");
        }
        text.push_str(";\n");
        PolicyText { id: id.clone(), text }
    }
}

fn treatment_test(treatments: &[Treatment]) -> String {
    format!(
        "{}.contains(context.treatment)",
        list("Treatment", treatments.iter().map(|t| t.code().to_owned()))
    )
}

fn groups<K: std::fmt::Display>(kind: &str, group: &str, keys: Option<&[K]>) -> String {
    match keys {
        None => "action".to_owned(),
        Some(keys) => format!("action in {}", list(kind, keys.iter().map(|k| format!("{group} {k}")))),
    }
}

fn list(kind: &str, names: impl IntoIterator<Item = String>) -> String {
    let items: Vec<_> = names.into_iter().map(|name| format!("{kind}::{name:?}")).collect();
    format!("[{}]", items.join(", "))
}

/// The enumerated type of a word fact's values.
pub(crate) fn entity_type(def: &FactDef) -> String {
    let mut out = String::from("Value");
    for part in def.name.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut chars = part.chars();
        out.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        out.extend(chars);
    }
    out
}
