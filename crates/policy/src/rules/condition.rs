//! Conditions and bases: what a rule says beside its scope.

use std::sync::Arc;

use consentry_model::{ConsentKind, FactId, FactType, FactValue, Purpose};

use super::ast::{Basis, Condition, Origin, Test};
use super::facts::BuiltIn;
use super::operand::{OperandId, OperandType, Predicate};
use super::parse::RuleContext;
use super::period::Period;
use crate::text::{Kind, Node, Reader, Span};

impl RuleContext<'_> {
    pub(super) fn basis(&self, node: &Node, reader: &mut Reader) -> Option<Basis> {
        if let Kind::Text(_) = node.kind {
            let mut choices = vec![
                ("contract", Basis::Contract),
                ("notice", Basis::Notice),
                ("aggregate", Basis::Aggregate),
            ];
            if self.origin == Origin::Core {
                choices.push(("right", Basis::Right));
            }
            let words: Vec<_> = choices.iter().enumerate().map(|(at, (word, _))| (*word, at)).collect();
            let at = reader.one_of(node, "basis", &words)?;
            return choices.into_iter().nth(at).map(|(_, basis)| basis);
        }
        let keys =
            ["consent", "legitimate_interests", "legal_obligation", "vital_interests", "public_interest"];
        let object = reader.object(node, &keys, "a basis")?;
        let [(key, _, value)] = object.entries() else {
            reader.error("wrong-shape", node.span, "a basis is one word, or one key with its value");
            return None;
        };
        let made: fn(String) -> Basis = match key.as_str() {
            "consent" => return self.kind(value, reader).map(Basis::Consent),
            "legitimate_interests" => Basis::LegitimateInterests,
            "legal_obligation" => Basis::LegalObligation,
            "vital_interests" => Basis::VitalInterests,
            "public_interest" => Basis::PublicInterest,
            _ => return None,
        };
        let reference = reader.word(value)?;
        if reference.trim().is_empty() {
            let message = format!("`{key}` needs a reference: where it was weighed, or the law that says so");
            reader.error("basis-without-reference", value.span, message);
            return None;
        }
        Some(made(reference.to_owned()))
    }

    pub(super) fn kind(&self, node: &Node, reader: &mut Reader) -> Option<ConsentKind> {
        let choices = ConsentKind::ALL.map(|k| (k.code(), k));
        reader.one_of(node, "kind of consent", &choices)
    }

    /// `{PURPOSE: KIND}`.
    pub(super) fn consent_to(&self, node: &Node, reader: &mut Reader) -> Option<(Purpose, ConsentKind)> {
        let object = reader.mapping(node)?;
        let [(key, span, value)] = object.entries() else {
            reader.error(
                "wrong-shape",
                node.span,
                "a consent to another purpose is one purpose with its kind",
            );
            return None;
        };
        let purpose = self.vocabulary.purpose(key, *span, reader);
        let kind = self.kind(value, reader);
        purpose.zip(kind)
    }

    /// A group of at least so many people.
    pub(super) fn group_of(&self, smallest: &Node, reader: &mut Reader) -> Option<Condition> {
        let least = reader.integer(smallest).filter(|n| *n >= 2);
        if least.is_none() {
            reader.error("out-of-range", smallest.span, "a group has at least two people");
        }
        let mut book = self.book.borrow_mut();
        let size = book.ask_for(BuiltIn::GroupSize);
        let group = Test::Is(book.core.shape, vec![FactValue::Word(1)]);
        let parts = vec![Condition::Test(group), Condition::Test(Test::AtLeast(size, least?))];
        Some(Condition::All(parts))
    }

    pub(super) fn condition(&self, node: &Node, reader: &mut Reader) -> Option<Condition> {
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
                "min_group" => self.group_of(value, reader),
                _ => self.test(key, *span, value, reader),
            };
            whole &= part.is_some();
            parts.extend(part);
        }
        whole.then_some(Condition::All(parts))
    }

    fn test(&self, key: &str, span: Span, value: &Node, reader: &mut Reader) -> Option<Condition> {
        let yes = vec![FactValue::Bool(true)];
        let test = match key {
            "purpose" => self.purposes(value, reader)?.map(Test::Purpose),
            "data" => self.data(value, reader)?.map(Test::Data),
            "as" => self.as_test(value, reader),
            "shape" => self.named_test("datum.shape", span, value, reader),
            "consent" => {
                let kind = self.kind(value, reader)?;
                Some(Test::Is(self.book.borrow().core.consent_of(kind), yes))
            }
            "consent_to" => {
                let (purpose, kind) = self.consent_to(value, reader)?;
                Some(Test::Is(self.book.borrow_mut().ask_for(BuiltIn::ConsentTo(purpose, kind)), yes))
            }
            "same" | "member" | "before" => self.comparison(key, value, reader),
            "within" => self.within(value, reader),
            _ => return self.fact(key, span, value, reader),
        };
        test.map(Condition::Test)
    }

    /// `as: aggregated` asks for the shape, everything else for a treatment.
    fn as_test(&self, value: &Node, reader: &mut Reader) -> Option<Test> {
        if matches!(&value.kind, Kind::Text(word) if word == "aggregated") {
            return Some(Test::Is(self.book.borrow().core.shape, vec![FactValue::Word(1)]));
        }
        Some(self.treatments(value, reader)).filter(|t| !t.is_empty()).map(Test::As)
    }

    fn comparison(&self, key: &str, value: &Node, reader: &mut Reader) -> Option<Test> {
        let [left, right] = reader.sequence(value) else {
            reader.error("wrong-shape", value.span, format!("`{key}` compares two values"));
            return None;
        };
        let (left_types, right_types): (&[OperandType], &[OperandType]) = match key {
            "same" => (&[OperandType::Id], &[OperandType::Id]),
            "member" => (&[OperandType::Id], &[OperandType::Ids]),
            _ => (&[OperandType::Time], &[OperandType::Time]),
        };
        let (left, right) =
            (self.operand(left, left_types, reader), self.operand(right, right_types, reader));
        let (left, right) = (left?, right?);
        let predicate = match key {
            "same" => Predicate::Same(left, right),
            "member" => Predicate::Member(left, right),
            _ => Predicate::Before(left, right),
        };
        Some(self.compared(predicate))
    }

    fn within(&self, value: &Node, reader: &mut Reader) -> Option<Test> {
        let object = reader.object(value, &["since", "for"], "a stretch of time")?;
        let since = reader.need(&object, "since", "a stretch of time");
        let since = since.and_then(|n| self.operand(n, &[OperandType::Time], reader));
        let how_long = reader.need(&object, "for", "a stretch of time").and_then(|n| period(n, reader));
        Some(self.compared(Predicate::Within(since?, how_long?)))
    }

    fn compared(&self, predicate: Predicate) -> Test {
        Test::Is(self.book.borrow_mut().compare(predicate), vec![FactValue::Bool(true)])
    }

    pub(super) fn operand(
        &self,
        node: &Node,
        types: &[OperandType],
        reader: &mut Reader,
    ) -> Option<OperandId> {
        let name = reader.word(node)?;
        let book = self.book.borrow();
        let Some((id, def)) = book.operands.iter().find(|(_, def)| *def.name == *name) else {
            let known: Vec<_> = book.operands.iter().map(|(_, def)| def.name.to_string()).collect();
            reader.unknown(
                "unknown-operand",
                node.span,
                "value to compare",
                name,
                known.iter().map(String::as_str),
            );
            return None;
        };
        if types.contains(&def.ty) {
            return Some(id);
        }
        let wanted: Vec<_> = types.iter().map(|t| t.code()).collect();
        let message =
            format!("`{name}` is of type {}; {} is compared here", def.ty.code(), wanted.join(" or "));
        reader.error("operand-type", node.span, message);
        None
    }

    fn named_test(&self, name: &str, span: Span, value: &Node, reader: &mut Reader) -> Option<Test> {
        let id = self.book.borrow_mut().ask(name)?;
        let ty = self.book.borrow().schema.def(id)?.ty.clone();
        match fact_test(id, &ty, span, value, reader)? {
            Condition::Test(test) => Some(test),
            Condition::All(_) | Condition::Any(_) | Condition::Not(_) => None,
        }
    }

    fn fact(&self, key: &str, span: Span, value: &Node, reader: &mut Reader) -> Option<Condition> {
        let id = self.book.borrow_mut().ask(key);
        let Some(id) = id else {
            let operand = self.book.borrow().operands.id(key);
            return match operand {
                Some(operand) => self.presence(operand, value, reader).map(Condition::Test),
                None => {
                    let own = [
                        "any",
                        "all",
                        "not",
                        "purpose",
                        "data",
                        "as",
                        "consent",
                        "consent_to",
                        "shape",
                        "min_group",
                        "same",
                        "member",
                        "before",
                        "within",
                    ];
                    let names = self.book.borrow().names();
                    let known = names.iter().map(String::as_str).chain(own);
                    reader.unknown("unknown-fact", span, "fact", key, known);
                    None
                }
            };
        };
        let ty = self.book.borrow().schema.def(id)?.ty.clone();
        fact_test(id, &ty, span, value, reader)
    }

    /// Of an identifier or a moment a rule asks by itself only whether there is one.
    fn presence(&self, operand: OperandId, value: &Node, reader: &mut Reader) -> Option<Test> {
        let wanted = reader.one_of(
            value,
            "test of an identifier or a moment",
            &[("present", true), ("absent", false)],
        )?;
        let fact = self.book.borrow_mut().compare(Predicate::Present(operand));
        Some(Test::Is(fact, vec![FactValue::Bool(wanted)]))
    }
}

pub(super) fn period(node: &Node, reader: &mut Reader) -> Option<Period> {
    let word = reader.word(node)?;
    let read = Period::parse(word);
    if read.is_none() {
        let message = format!("`{word}` is not a stretch of time such as P6M, P1Y or P30D");
        reader.error("not-a-period", node.span, message);
    }
    read
}

fn fact_test(id: FactId, ty: &FactType, span: Span, value: &Node, reader: &mut Reader) -> Option<Condition> {
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
            Some(Condition::Test(Test::Is(id, vec![FactValue::Bool(wanted)])))
        }
        FactType::Level(words) if matches!(value.kind, Kind::Map(_)) => {
            ordered(id, span, value, reader, |n, reader| position(n, words, reader).map(i64::from))
        }
        FactType::Int if matches!(value.kind, Kind::Map(_)) => {
            ordered(id, span, value, reader, |n, reader| reader.integer(n))
        }
        FactType::Int => {
            let list = reader.list(value);
            let read: Vec<_> = list.iter().filter_map(|n| reader.integer(n)).map(FactValue::Int).collect();
            let complete = read.len() == list.len() && !read.is_empty();
            complete.then_some(Condition::Test(Test::Is(id, read)))
        }
        FactType::Word(words) | FactType::Level(words) => {
            let list = reader.list(value);
            let read: Vec<_> = list.iter().filter_map(|n| position(n, words, reader)).collect();
            let complete = read.len() == list.len() && !read.is_empty();
            complete.then(|| Condition::Test(Test::Is(id, read.into_iter().map(FactValue::Word).collect())))
        }
    }
}

/// `{below: n}`, `{at_most: n}`, `{at_least: n}`, `{over: n}`, or several of them: all of them.
fn ordered(
    id: FactId,
    span: Span,
    value: &Node,
    reader: &mut Reader,
    bound: impl Fn(&Node, &mut Reader) -> Option<i64>,
) -> Option<Condition> {
    let object =
        reader.object(value, &["below", "at_most", "at_least", "over"], "a test of a number or a level")?;
    if object.entries().is_empty() {
        reader.error("empty-condition", span, "a test says `below`, `at_most`, `at_least` or `over` what");
        return None;
    }
    let mut parts = Vec::new();
    for (key, _, node) in object.entries() {
        let n = bound(node, reader)?;
        let next = n.checked_add(1);
        let at_least = |n| Condition::Test(Test::AtLeast(id, n));
        parts.push(match key.as_str() {
            "at_least" => at_least(n),
            "over" => at_least(next?),
            "below" => Condition::Not(Box::new(at_least(n))),
            "at_most" => Condition::Not(Box::new(at_least(next?))),
            _ => return None,
        });
    }
    Some(if let (1, Some(only)) = (parts.len(), parts.first()) {
        only.clone()
    } else {
        Condition::All(parts)
    })
}

fn position(node: &Node, words: &[Arc<str>], reader: &mut Reader) -> Option<u16> {
    let word = reader.word(node)?;
    let at = words.iter().position(|w| **w == *word);
    if at.is_none() {
        reader.unknown("unknown-value", node.span, "value of this fact", word, words.iter().map(|w| &**w));
    }
    at.and_then(|at| u16::try_from(at).ok())
}
