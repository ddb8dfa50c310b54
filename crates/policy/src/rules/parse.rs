//! YAML → [`Rule`].

use std::cell::RefCell;
use std::sync::Arc;

use consentry_model::{Act, Reason, RecipientId, RequesterId, RuleId, Treatment};

use super::ast::{Condition, Cure, Duty, Origin, Rule, Verb};
use super::facts::{BuiltIn, FactBook};
use super::invariant::bare_verb;
use crate::bundle::{Requesters, Vocabulary};
use crate::text::{Kind, Node, Object, Reader, Span};

/// What only a rule says, and no invariant.
const OF_RULES: [&str; 7] = ["require", "for", "basis", "cure", "pending", "reason", "from"];

const KEYS: [&str; 20] = [
    "id", "permit", "forbid", "require", "for", "data", "of", "by", "to", "act", "as", "when", "unless",
    "from", "until", "basis", "cure", "pending", "reason", "clauses",
];

/// What a rule's words are looked up in.
pub(crate) struct RuleContext<'a> {
    pub(crate) vocabulary: &'a Vocabulary,
    pub(crate) requesters: &'a Requesters,
    pub(crate) book: &'a RefCell<FactBook>,
    pub(crate) origin: Origin,
}

/// Reads a `rules` section; a rule that is wrong is reported and left out.
pub(crate) fn read_rules(node: &Node, context: &RuleContext<'_>, reader: &mut Reader) -> Vec<(Rule, Span)> {
    let mut out = Vec::new();
    for item in reader.sequence(node) {
        let (errors, _) = reader.found.counts();
        match context.rule_of(item, false, reader) {
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
    /// Reads a rule, or an invariant: a rule that says nothing of basis, cure and reason.
    pub(super) fn rule_of(&self, node: &Node, invariant: bool, reader: &mut Reader) -> Option<Rule> {
        let says = |key: &&&str| !(invariant && OF_RULES.contains(*key));
        let keys: Vec<&str> = KEYS.iter().filter(says).copied().collect();
        let object = reader.object(node, &keys, if invariant { "an invariant" } else { "a rule" })?;
        refuse_empty_lists(&object, reader);
        let id = reader.need(&object, "id", "a rule").and_then(|n| Some((reader.word(n)?, n.span)));
        let (word, scope) = self.verb_key(&object, reader)?;
        let verb = if invariant {
            self.as_which(&object, reader).map(|treatments| bare_verb(word == "permit", treatments))
        } else {
            self.verb(&object, reader)
        };
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
        let when = match object.get("as") {
            Some(node) if word == "permit" && matches!(node.kind, Kind::Map(_)) => {
                let group = self.aggregated(node, &mut Reader::new(crate::text::Diagnostics::default()));
                when.zip(group).map(|(when, group)| Condition::All(vec![group, when]))
            }
            Some(_) | None => when,
        };
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
            let treatments = self.as_which(object, reader);
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
        let duty = self.duty(node, reader)?;
        let refuses = matches!(duty, Duty::That(_) | Duty::Apart(..) | Duty::AtMost(_));
        if let (false, Some(reason)) = (refuses, object.get("reason")) {
            reader.error(
                "misplaced-key",
                reason.span,
                "this obligation refuses nothing, and has no `reason`",
            );
        }
        Some(Verb::Require(duty))
    }

    /// The treatments of a permission. What is `aggregated` is no treatment: it is clear, of a group.
    fn as_which(&self, object: &Object<'_>, reader: &mut Reader) -> Option<Vec<Treatment>> {
        match object.get("as") {
            None => Some(vec![Treatment::Clear]),
            Some(node) if matches!(node.kind, Kind::Map(_)) => {
                self.aggregated(node, reader).map(|_| vec![Treatment::Clear])
            }
            Some(node) => {
                let read = self.treatments(node, reader);
                (!read.is_empty()).then_some(read)
            }
        }
    }

    /// `{aggregated: {min_group: 10}}` as the condition that it is.
    fn aggregated(&self, node: &Node, reader: &mut Reader) -> Option<Condition> {
        let object = reader.object(node, &["aggregated"], "a treatment")?;
        let groups = reader.need(&object, "aggregated", "a treatment")?;
        let groups = reader.object(groups, &["min_group"], "an aggregate")?;
        let smallest = reader.need(&groups, "min_group", "an aggregate")?;
        self.group_of(smallest, reader)
    }

    fn cure(&self, object: &Object<'_>, reader: &mut Reader) -> Option<Cure> {
        match (object.get("cure"), object.get("pending")) {
            (None, Some(mechanism)) => reader.word(mechanism).map(|m| Cure::Pending(m.to_owned())),
            (Some(node), None) => match &node.kind {
                Kind::Text(word) if word == "never" => Some(Cure::Never),
                Kind::Map(_) => {
                    let cure = reader.object(node, &["consent", "consent_to"], "a cure")?;
                    if let Some(other) = cure.get("consent_to") {
                        let (purpose, kind) = self.consent_to(other, reader)?;
                        let fact = self.book.borrow_mut().ask_for(BuiltIn::ConsentTo(purpose, kind));
                        return Some(Cure::ConsentTo(fact));
                    }
                    let kind = reader.need(&cure, "consent", "a cure")?;
                    self.kind(kind, reader).map(Cure::Consent)
                }
                Kind::Text(_) | Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float | Kind::List(_) => {
                    reader.error(
                        "wrong-shape",
                        node.span,
                        "a cure is `never`, `{consent: KIND}` or `{consent_to: {PURPOSE: KIND}}`",
                    );
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

    #[expect(
        clippy::option_option,
        reason = "the outer says whether it could be read, the inner that any is meant"
    )]
    pub(super) fn purposes(
        &self,
        node: &Node,
        reader: &mut Reader,
    ) -> Option<Option<Vec<consentry_model::Purpose>>> {
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
    pub(super) fn data(
        &self,
        node: &Node,
        reader: &mut Reader,
    ) -> Option<Option<Vec<consentry_model::Category>>> {
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

    /// Requesters by their names, by a role that they have, or `anyone`.
    fn requesters(&self, object: &Object<'_>, reader: &mut Reader) -> Vec<RequesterId> {
        let Some(node) = object.get("by") else { return Vec::new() };
        let mut out: Vec<RequesterId> = Vec::new();
        for (word, span) in reader.words(node) {
            let id = RequesterId::new(word);
            let in_role = self.requesters.iter().filter(|(_, def)| def.roles.iter().any(|r| r == word));
            let in_role: Vec<_> = in_role.map(|(name, _)| name.clone()).collect();
            if word == "anyone" || self.requesters.contains_key(&id) {
                out.push(id);
            } else if in_role.is_empty() {
                let roles = self.requesters.values().flat_map(|def| &def.roles);
                let known = self.requesters.keys().map(RequesterId::as_str).chain(roles.map(String::as_str));
                reader.unknown("unknown-requester", span, "requester or role", word, known);
            } else {
                out.extend(in_role);
            }
        }
        out.sort_unstable();
        out.dedup();
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

    pub(super) fn treatments(&self, node: &Node, reader: &mut Reader) -> Vec<Treatment> {
        let choices = [Treatment::Clear, Treatment::Truncated, Treatment::Masked, Treatment::Pseudonymised]
            .map(|t| (t.code(), t));
        reader.list(node).iter().filter_map(|n| reader.one_of(n, "treatment", &choices)).collect()
    }

    pub(super) fn reason(&self, object: &Object<'_>, reader: &mut Reader) -> Option<Reason> {
        let node = object.get("reason")?;
        let choices: Vec<_> = Reason::ALL.iter().map(|r| (r.code(), *r)).collect();
        reader.one_of(node, "reason", &choices)
    }

    fn clauses(&self, object: &Object<'_>, reader: &mut Reader) -> Vec<Arc<str>> {
        let Some(node) = object.get("clauses") else { return Vec::new() };
        reader.words(node).into_iter().map(|(word, _)| Arc::from(word)).collect()
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
