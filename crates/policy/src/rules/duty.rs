//! What an obligation asks for.

use consentry_model::ConsentKind;

use super::ast::{Cadence, Duty, Stretch};
use super::condition::period;
use super::operand::OperandType;
use super::parse::RuleContext;
use crate::bundle::may_be_answered;
use crate::text::{Kind, Node, Reader};

impl RuleContext<'_> {
    pub(super) fn duty(&self, node: &Node, reader: &mut Reader) -> Option<Duty> {
        let keys =
            ["that", "apart", "at_most", "clamp", "set_header", "record", "keep", "answer_within", "tell"];
        let object = reader.object(node, &keys, "an obligation")?;
        let [(key, _, value)] = object.entries() else {
            reader.error("one-duty", node.span, "an obligation says exactly one thing");
            return None;
        };
        match key.as_str() {
            "that" => self.condition(value, reader).map(Duty::That),
            "apart" => self.apart(value, reader),
            "at_most" => self.at_most(value, reader),
            "clamp" => {
                let clamp = reader.object(value, &["cookie.lives_until"], "a clamp")?;
                let lives = reader.need(&clamp, "cookie.lives_until", "a clamp")?;
                period(lives, reader).map(Duty::ClampCookies)
            }
            "set_header" => header(value, reader),
            "record" => self.record(value, reader),
            "keep" => self.keep(value, reader),
            "answer_within" => period(value, reader).map(Duty::AnswerWithin),
            "tell" => {
                reader.one_of(value, "choice", &[("recipients", ())])?;
                Some(Duty::TellRecipients)
            }
            _ => None,
        }
    }

    fn apart(&self, node: &Node, reader: &mut Reader) -> Option<Duty> {
        let [left, right] = reader.sequence(node) else {
            reader.error("wrong-shape", node.span, "`apart` names two lists of data categories");
            return None;
        };
        let (left, right) = (self.data(left, reader)?, self.data(right, reader)?);
        left.zip(right).map(|(left, right)| Duty::Apart(left, right))
    }

    fn at_most(&self, node: &Node, reader: &mut Reader) -> Option<Duty> {
        let object = reader.object(node, &["times", "per", "of"], "a cadence")?;
        let times = reader.need(&object, "times", "a cadence").and_then(|n| {
            let read = reader.integer(n).and_then(|i| u32::try_from(i).ok());
            if read.is_none() {
                reader.error("out-of-range", n.span, "how often is a number from 0 on");
            }
            read
        });
        let per = reader.need(&object, "per", "a cadence").and_then(|n| match &n.kind {
            Kind::Text(word) if word == "calendar-month" => Some(Stretch::CalendarMonth),
            Kind::Text(word) if word == "calendar-day" => Some(Stretch::CalendarDay),
            Kind::Text(_)
            | Kind::Null
            | Kind::Bool(_)
            | Kind::Int(_)
            | Kind::Float
            | Kind::List(_)
            | Kind::Map(_) => period(n, reader).map(Stretch::Last),
        });
        let of = reader.need(&object, "of", "a cadence").map(|n| reader.list(n).to_vec())?;
        let words = [("subject", false), ("message.topic", true)];
        let counted: Vec<bool> =
            of.iter().filter_map(|n| reader.one_of(n, "what is counted by", &words)).collect();
        if !counted.contains(&false) {
            reader.error(
                "cadence-without-subject",
                node.span,
                "a cadence counts by `subject`: it is promised to each",
            );
            return None;
        }
        Some(Duty::AtMost(Cadence { times: times?, per: per?, per_topic: counted.contains(&true) }))
    }

    fn record(&self, node: &Node, reader: &mut Reader) -> Option<Duty> {
        let object = reader.object(node, &["consent", "to"], "what is recorded")?;
        let kind = reader.need(&object, "consent", "what is recorded").and_then(|n| self.kind(n, reader))?;
        let to = reader.need(&object, "to", "what is recorded")?;
        if kind != ConsentKind::Implied {
            // Nobody else's act is a choice of the person's.
            let message =
                "only an `implied` consent can be deduced from a request; a choice is an event of its route";
            reader.error("record-not-implied", node.span, message);
            return None;
        }
        let word = reader.word(to)?;
        if word == "any" {
            return Some(Duty::Record { kind, to: None });
        }
        let to = self.vocabulary.purpose(word, to.span, reader)?;
        Some(Duty::Record { kind, to: Some(to) })
    }

    fn keep(&self, node: &Node, reader: &mut Reader) -> Option<Duty> {
        let object = reader.object(node, &["for", "since", "obligation"], "what is kept")?;
        let how_long = reader.need(&object, "for", "what is kept").and_then(|n| period(n, reader));
        let since = reader.need(&object, "since", "what is kept");
        let since = since.and_then(|n| self.operand(n, &[OperandType::Time], reader));
        let obligation = reader.need(&object, "obligation", "what is kept").and_then(|n| reader.word(n));
        let obligation = obligation?.to_owned();
        if obligation.trim().is_empty() {
            reader.error(
                "basis-without-reference",
                node.span,
                "`obligation` names the law under which data is kept",
            );
            return None;
        }
        Some(Duty::Keep { period: how_long?, since: since?, obligation })
    }
}

fn header(node: &Node, reader: &mut Reader) -> Option<Duty> {
    let object = reader.mapping(node)?;
    let [(name, span, value)] = object.entries() else {
        reader.error("wrong-shape", node.span, "`set_header` names one header with its value");
        return None;
    };
    let value_node = value;
    let value = reader.word(value)?;
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let lower = name.to_ascii_lowercase();
    // What the product says itself no rule says otherwise.
    if name.is_empty() || !name.bytes().all(token) || !may_be_answered(&lower) {
        reader.error("not-a-header", *span, format!("`{name}` is not a header that a rule may set"));
        return None;
    }
    if value.bytes().any(|b| !(b' '..=b'~').contains(&b)) {
        reader.error("not-a-header", value_node.span, "a header's value is printable ASCII");
        return None;
    }
    Some(Duty::SetHeader { name: lower, value: value.to_owned() })
}
