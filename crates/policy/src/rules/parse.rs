//! YAML → [`Rule`].

use std::collections::BTreeSet;
use std::sync::Arc;

use consentry_model::{
    Act, ConsentKind, FactSchema, FactType, FactValue, Reason, RecipientId, RequesterId, RuleId, Treatment,
};

use super::ast::{Basis, Condition, Cure, Duty, Origin, Rule, Test, Verb};
use super::facts::CoreFacts;
use crate::bundle::{Requesters, Vocabulary};
use crate::text::{Kind, Node, Object, Reader, Span};

const KEYS: [&str; 19] = [
    "id", "permit", "forbid", "require", "for", "data", "of", "by", "to", "act", "as", "when", "unless",
    "from", "until", "basis", "cure", "reason", "clauses",
];

/// What a rule's words are looked up in.
pub(crate) struct RuleContext<'a> {
    pub(crate) vocabulary: &'a Vocabulary,
    pub(crate) requesters: &'a Requesters,
    pub(crate) schema: &'a FactSchema,
    pub(crate) core: &'a CoreFacts,
    pub(crate) origin: Origin,
}

/// Reads a `rules` section; a rule that is wrong is reported and left out.
pub(crate) fn read_rules(node: &Node, context: &RuleContext<'_>, reader: &mut Reader) -> Vec<(Rule, Span)> {
    let mut out = Vec::new();
    for item in reader.sequence(node) {
        let (errors, _) = reader.found.counts();
        match context.rule(item, reader) {
            Some(rule) => out.push((rule, item.span)),
            // A rule is never left out without a word: what it forbids would be allowed.
            None if reader.found.counts().0 == errors => {
                let message = "this rule cannot be read whole: a list in one of its conditions is empty";
                reader.error("rule-unreadable", item.span, message);
            }
            None => {}
        }
    }
    out
}

impl RuleContext<'_> {
    fn rule(&self, node: &Node, reader: &mut Reader) -> Option<Rule> {
        let mut keys = KEYS.to_vec();
        keys.push("pending");
        let object = reader.object(node, &keys, "a rule")?;
        refuse_empty_lists(&object, reader);
        let id = reader.need(&object, "id", "a rule").and_then(|n| Some((reader.word(n)?, n.span)));
        let verb = self.verb(&object, reader);
        let (word, scope) = self.verb_key(&object, reader)?;
        let purposes = match word {
            "require" => object.get("for").map_or(Some(None), |n| self.purposes(n, reader)),
            _ => self.purposes(scope, reader),
        };
        let data = match object.get("data") {
            Some(node) => self.data(node, reader),
            None if word == "require" => Some(None),
            None => {
                reader.error("key-missing", object.span, format!("a rule that says `{word}` needs `data`"));
                None
            }
        };
        let when = object.get("when").map_or(Some(Condition::always()), |n| self.condition(n, reader));
        let unless = object.get("unless").map(|n| self.condition(n, reader));
        // Everything is read before anything is given up, so that all that is wrong is told at once.
        let (of, by) = (self.subjects(&object, reader), self.requesters(&object, reader));
        let (to, acts) = (self.recipients(&object, word, reader), self.acts(&object, reader));
        let from = object.get("from").and_then(|n| reader.date(n));
        let until = object.get("until").and_then(|n| reader.date(n));
        let (reason, clauses) = (self.reason(&object, reader), self.clauses(&object, reader));
        Some(Rule {
            id: RuleId::new(id?.0),
            verb: verb?,
            purposes: purposes?,
            data: data?,
            of,
            by,
            to,
            acts,
            when: when?,
            unless: match unless {
                Some(read) => Some(read?),
                None => None,
            },
            from,
            until,
            reason,
            clauses,
            origin: self.origin,
        })
    }

    fn verb_key<'n>(&self, object: &Object<'n>, reader: &mut Reader) -> Option<(&'static str, &'n Node)> {
        let verbs: Vec<_> = ["permit", "forbid", "require"]
            .into_iter()
            .filter_map(|word| Some((word, object.get(word)?)))
            .collect();
        if let [one] = verbs[..] {
            return Some(one);
        }
        reader.error("one-verb", object.span, "a rule says exactly one of `permit`, `forbid` and `require`");
        None
    }

    fn verb(&self, object: &Object<'_>, reader: &mut Reader) -> Option<Verb> {
        let misplaced = |key: &str, verb: &str, reader: &mut Reader| {
            if let Some(node) = object.get(key) {
                reader.error("misplaced-key", node.span, format!("`{key}` does not go with `{verb}`"));
            }
        };
        if object.get("permit").is_some() {
            for key in ["cure", "for", "pending"] {
                misplaced(key, "permit", reader);
            }
            let basis = reader.need(object, "basis", "a permission").and_then(|n| self.basis(n, reader));
            let treatments = object.get("as").map_or(Some(vec![Treatment::Clear]), |n| {
                let read: Vec<_> = self.treatments(n, reader);
                (!read.is_empty()).then_some(read)
            });
            return Some(Verb::Permit { basis: basis?, treatments: treatments? });
        }
        for key in ["basis", "as"] {
            misplaced(key, "forbid` or `require", reader);
        }
        if object.get("forbid").is_some() {
            misplaced("for", "forbid", reader);
            return self.cure(object, reader).map(Verb::Forbid);
        }
        let node = object.get("require")?;
        for key in ["cure", "pending"] {
            misplaced(key, "require", reader);
        }
        let duty = reader.object(node, &["that"], "an obligation")?;
        let that = reader.need(&duty, "that", "an obligation")?;
        self.condition(that, reader).map(|c| Verb::Require(Duty::That(c)))
    }

    fn cure(&self, object: &Object<'_>, reader: &mut Reader) -> Option<Cure> {
        match (object.get("cure"), object.get("pending")) {
            (None, Some(mechanism)) => reader.word(mechanism).map(|m| Cure::Pending(m.to_owned())),
            (Some(node), None) => match &node.kind {
                Kind::Text(word) if word == "never" => Some(Cure::Never),
                Kind::Map(_) => {
                    let cure = reader.object(node, &["consent"], "a cure")?;
                    let kind = reader.need(&cure, "consent", "a cure")?;
                    self.kind(kind, reader).map(Cure::Consent)
                }
                Kind::Text(_) | Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float | Kind::List(_) => {
                    reader.error("wrong-shape", node.span, "a cure is `never` or `{consent: KIND}`");
                    None
                }
            },
            (Some(_), Some(both)) => {
                reader.error("misplaced-key", both.span, "a prohibition says `cure` or `pending`, not both");
                None
            }
            (None, None) => {
                reader.error_help(
                    "key-missing",
                    object.span,
                    "a prohibition needs `cure`",
                    "this one does not say whether consent lifts it",
                    "write `cure: never` where the policy says \"never\", `cure: {consent: opt-in}` where it says \
                     \"unless you agreed\"",
                );
                None
            }
        }
    }

    fn basis(&self, node: &Node, reader: &mut Reader) -> Option<Basis> {
        if let Kind::Text(_) = node.kind {
            let mut choices = vec![("contract", Basis::Contract), ("notice", Basis::Notice)];
            if self.origin == Origin::Core {
                choices.push(("right", Basis::Right));
            }
            let words: Vec<_> = choices.iter().enumerate().map(|(at, (word, _))| (*word, at)).collect();
            let at = reader.one_of(node, "basis", &words)?;
            return choices.into_iter().nth(at).map(|(_, basis)| basis);
        }
        let keys = ["consent", "legitimate_interests", "legal_obligation"];
        let object = reader.object(node, &keys, "a basis")?;
        let [(key, _, value)] = object.entries() else {
            reader.error("wrong-shape", node.span, "a basis is one word, or one key with its value");
            return None;
        };
        match key.as_str() {
            "consent" => self.kind(value, reader).map(Basis::Consent),
            "legitimate_interests" => reader.word(value).map(|id| Basis::LegitimateInterests(id.to_owned())),
            "legal_obligation" => reader.word(value).map(|id| Basis::LegalObligation(id.to_owned())),
            _ => None,
        }
    }

    fn kind(&self, node: &Node, reader: &mut Reader) -> Option<ConsentKind> {
        let choices = ConsentKind::ALL.map(|k| (k.code(), k));
        reader.one_of(node, "kind of consent", &choices)
    }

    #[expect(
        clippy::option_option,
        reason = "the outer says whether it could be read, the inner that any is meant"
    )]
    fn purposes(&self, node: &Node, reader: &mut Reader) -> Option<Option<Vec<consentry_model::Purpose>>> {
        let words = reader.words(node);
        if let [("any", _)] = words[..] {
            return Some(None);
        }
        let read: Vec<_> =
            words.iter().filter_map(|(w, at)| self.vocabulary.purpose(w, *at, reader)).collect();
        (!words.is_empty() && read.len() == words.len()).then_some(Some(read))
    }

    #[expect(
        clippy::option_option,
        reason = "the outer says whether it could be read, the inner that any is meant"
    )]
    fn data(&self, node: &Node, reader: &mut Reader) -> Option<Option<Vec<consentry_model::Category>>> {
        let words = reader.words(node);
        if let [("any", _)] = words[..] {
            return Some(None);
        }
        let read: Vec<_> =
            words.iter().filter_map(|(w, at)| self.vocabulary.category(w, *at, reader)).collect();
        (!words.is_empty() && read.len() == words.len()).then_some(Some(read))
    }

    fn subjects(&self, object: &Object<'_>, reader: &mut Reader) -> Vec<consentry_model::SubjectType> {
        let Some(node) = object.get("of") else { return Vec::new() };
        let words = reader.words(node);
        words.iter().filter_map(|(w, at)| self.vocabulary.subject(w, *at, reader)).collect()
    }

    fn requesters(&self, object: &Object<'_>, reader: &mut Reader) -> Vec<RequesterId> {
        let Some(node) = object.get("by") else { return Vec::new() };
        let mut out = Vec::new();
        for (word, span) in reader.words(node) {
            let id = RequesterId::new(word);
            if word == "anyone" || self.requesters.contains_key(&id) {
                out.push(id);
            } else {
                let known = self.requesters.keys().map(RequesterId::as_str);
                reader.unknown("unknown-requester", span, "requester", word, known);
            }
        }
        out
    }

    fn recipients(&self, object: &Object<'_>, verb: &str, reader: &mut Reader) -> Vec<RecipientId> {
        let Some(node) = object.get("to") else {
            // A permission that names no recipient keeps the data inside; what stops or binds, does so everywhere.
            return if verb == "permit" { vec![RecipientId::new("internal")] } else { Vec::new() };
        };
        let mut out = Vec::new();
        for (word, span) in reader.words(node) {
            if self.vocabulary.recipients.contains(word) {
                out.push(RecipientId::new(word));
            } else {
                let known = self.vocabulary.recipients.keys();
                reader.unknown("unknown-recipient", span, "recipient", word, known);
            }
        }
        out
    }

    fn acts(&self, object: &Object<'_>, reader: &mut Reader) -> Vec<Act> {
        let Some(node) = object.get("act") else { return Vec::new() };
        let choices = Act::ALL.map(|a| (a.code(), a));
        reader.list(node).iter().filter_map(|n| reader.one_of(n, "act", &choices)).collect()
    }

    fn treatments(&self, node: &Node, reader: &mut Reader) -> Vec<Treatment> {
        let choices = [Treatment::Clear, Treatment::Truncated, Treatment::Masked].map(|t| (t.code(), t));
        reader.list(node).iter().filter_map(|n| reader.one_of(n, "treatment", &choices)).collect()
    }

    fn reason(&self, object: &Object<'_>, reader: &mut Reader) -> Option<Reason> {
        let node = object.get("reason")?;
        let choices: Vec<_> = Reason::ALL.iter().map(|r| (r.code(), *r)).collect();
        reader.one_of(node, "reason", &choices)
    }

    fn clauses(&self, object: &Object<'_>, reader: &mut Reader) -> Vec<Arc<str>> {
        let Some(node) = object.get("clauses") else { return Vec::new() };
        reader.words(node).into_iter().map(|(word, _)| Arc::from(word)).collect()
    }

    fn condition(&self, node: &Node, reader: &mut Reader) -> Option<Condition> {
        let object = reader.mapping(node)?;
        if object.entries().is_empty() {
            // It would always hold: a permission without its condition, a prohibition always lifted.
            reader.error(
                "empty-condition",
                node.span,
                "a condition asks for something; leave it out if nothing is meant",
            );
            return None;
        }
        let mut parts = Vec::new();
        let mut whole = true;
        for (key, span, value) in object.entries() {
            let part = match key.as_str() {
                "any" | "all" => {
                    let list = reader.sequence(value);
                    let read: Vec<_> = list.iter().filter_map(|n| self.condition(n, reader)).collect();
                    let complete = read.len() == list.len() && !read.is_empty();
                    let made = if key == "any" { Condition::Any(read) } else { Condition::All(read) };
                    complete.then_some(made)
                }
                "not" => self.condition(value, reader).map(|c| Condition::Not(Box::new(c))),
                _ => self.test(key, *span, value, reader).map(Condition::Test),
            };
            whole &= part.is_some();
            parts.extend(part);
        }
        whole.then_some(Condition::All(parts))
    }

    fn test(&self, key: &str, span: Span, value: &Node, reader: &mut Reader) -> Option<Test> {
        match key {
            "purpose" => self.purposes(value, reader)?.map(Test::Purpose),
            "data" => self.data(value, reader)?.map(Test::Data),
            "as" => Some(self.treatments(value, reader)).filter(|t| !t.is_empty()).map(Test::As),
            "consent" => {
                let kind = self.kind(value, reader)?;
                Some(Test::Is(self.core.consent_of(kind), vec![FactValue::Bool(true)]))
            }
            _ => {
                let Some(id) = self.schema.id(key) else {
                    let own = ["any", "all", "not", "purpose", "data", "as", "consent"];
                    let known: BTreeSet<&str> =
                        self.schema.iter().map(|(_, d)| &*d.name).chain(own).collect();
                    reader.unknown("unknown-fact", span, "fact", key, known);
                    return None;
                };
                let ty = self.schema.def(id)?.ty.clone();
                fact_test(id, &ty, value, reader)
            }
        }
    }
}

/// An empty list would read as "every one".
fn refuse_empty_lists(object: &Object<'_>, reader: &mut Reader) {
    for key in ["permit", "forbid", "for", "data", "of", "by", "to", "act", "as", "clauses"] {
        let Some(node) = object.get(key) else { continue };
        if reader.list(node).is_empty() {
            reader.error(
                "empty-list",
                node.span,
                format!("`{key}` names nothing; leave it out or name something"),
            );
        }
    }
}

fn fact_test(id: consentry_model::FactId, ty: &FactType, value: &Node, reader: &mut Reader) -> Option<Test> {
    match ty {
        FactType::Bool => {
            let wanted = match &value.kind {
                Kind::Text(word) if word == "present" => true,
                Kind::Text(word) if word == "absent" => false,
                Kind::Text(_)
                | Kind::Null
                | Kind::Bool(_)
                | Kind::Int(_)
                | Kind::Float
                | Kind::List(_)
                | Kind::Map(_) => reader.boolean(value)?,
            };
            Some(Test::Is(id, vec![FactValue::Bool(wanted)]))
        }
        FactType::Level(words) if matches!(value.kind, Kind::Map(_)) => {
            let object = reader.object(value, &["at_least"], "a test of a level")?;
            let node = reader.need(&object, "at_least", "a test of a level")?;
            position(node, words, reader).map(|at| Test::AtLeast(id, at))
        }
        FactType::Word(words) | FactType::Level(words) => {
            let list = reader.list(value);
            let read: Vec<_> = list.iter().filter_map(|n| position(n, words, reader)).collect();
            let complete = read.len() == list.len() && !read.is_empty();
            complete.then(|| Test::Is(id, read.into_iter().map(FactValue::Word).collect()))
        }
    }
}

fn position(node: &Node, words: &[Arc<str>], reader: &mut Reader) -> Option<u16> {
    let word = reader.word(node)?;
    let at = words.iter().position(|w| **w == *word);
    if at.is_none() {
        reader.unknown("unknown-value", node.span, "value of this fact", word, words.iter().map(|w| &**w));
    }
    at.and_then(|at| u16::try_from(at).ok())
}
