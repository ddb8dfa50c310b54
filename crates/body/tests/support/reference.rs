//! The slow model: a document as a tree with its text, and the rules written down a second time, recursively.

use std::collections::BTreeMap;

use consentry_body::{RecordSubject, Report};
use consentry_model::{
    ClassId, Emptied, Field, FieldMap, Ladder, MaskForm, NodeId, Scalar, ScopeId, Treatment, TruncateForm,
};
use sha2::{Digest, Sha256};

use super::KEY;

/// A JSON value with its text.
#[derive(Clone, Debug)]
pub(crate) enum Doc {
    /// A string: its text in the document, and what it reads as.
    Text(String, String),
    Integer(String),
    /// Any other scalar.
    Other(String),
    Array(Vec<Child>, String),
    Object(Vec<Child>, String),
}

/// A member or an element: the text before the value (with the name, if it has one), the value, the space after.
#[derive(Clone, Debug)]
pub(crate) struct Child {
    pub(crate) name: String,
    pub(crate) before: String,
    pub(crate) value: Doc,
    pub(crate) after: String,
}

impl Doc {
    pub(crate) fn render(&self) -> String {
        let whole = |c: &Child| Some(format!("{}{}{}", c.before, c.value.render(), c.after));
        match self {
            Self::Text(raw, _) | Self::Integer(raw) | Self::Other(raw) => raw.clone(),
            Self::Array(children, space) => joined('[', children, space, ']', whole),
            Self::Object(children, space) => joined('{', children, space, '}', whole),
        }
    }

    /// What a decision can use of it.
    fn scalar(&self) -> Option<Scalar> {
        match self {
            Self::Text(_, text) => Some(Scalar::Text(text.as_str().into())),
            Self::Integer(raw) | Self::Other(raw) => match serde_json::from_str(raw).ok()? {
                serde_json::Value::Null => Some(Scalar::Null),
                serde_json::Value::Bool(there) => Some(Scalar::Bool(there)),
                // Nobody writes a whole number so.
                _ if raw == "-0" => None,
                serde_json::Value::Number(number) => number.as_i64().map(Scalar::Int),
                serde_json::Value::String(_) | serde_json::Value::Array(_) | serde_json::Value::Object(_) => {
                    unreachable!()
                }
            },
            Self::Array(..) | Self::Object(..) => None,
        }
    }

    fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members, _) = self else { return None };
        members.iter().find(|m| m.name == name).map(|m| &m.value)
    }
}

fn joined(
    open: char,
    children: &[Child],
    space: &str,
    close: char,
    write: impl FnMut(&Child) -> Option<String>,
) -> String {
    let inside = if children.is_empty() {
        space.to_owned()
    } else {
        children.iter().filter_map(write).collect::<Vec<_>>().join(",")
    };
    format!("{open}{inside}{close}")
}

/// Whether a record holds a personal value, and whether one was kept.
#[derive(Default)]
struct Tally {
    personal: bool,
    kept: bool,
}

/// One run of the model.
pub(crate) struct Model<'a> {
    pub(crate) map: &'a FieldMap,
    pub(crate) verdict: &'a dyn Fn(&RecordSubject, ClassId) -> Treatment,
    pub(crate) report: Report,
}

impl Model<'_> {
    /// What is left of a body; `None` when the body as a whole is undeclared or withheld.
    pub(crate) fn body(&mut self, doc: &Doc) -> Option<String> {
        let root = self.map.root();
        if self.map.scope_at(root).is_some() && !matches!(doc, Doc::Object(..)) {
            return None;
        }
        self.value(doc, Some(root), &RecordSubject::Request, &mut Tally::default())
    }

    fn value(
        &mut self,
        doc: &Doc,
        node: Option<NodeId>,
        who: &RecordSubject,
        tally: &mut Tally,
    ) -> Option<String> {
        let map = self.map;
        if let Some((node, field)) = node.and_then(|n| Some((n, map.field(n)?))) {
            return self.leaf(doc, node, field, who, tally, true);
        }
        match (doc, node) {
            (Doc::Array(elements, space), Some(node)) if map.items(node).is_some() => {
                Some(joined('[', elements, space, ']', |c| {
                    let value = self.value(&c.value, map.items(node), who, tally)?;
                    Some(format!("{}{value}{}", c.before, c.after))
                }))
            }
            (Doc::Object(..), Some(node)) if map.scope_at(node).is_some() => {
                self.record(doc, node, map.scope_at(node).unwrap(), tally)
            }
            (Doc::Object(..), Some(node)) if map.has_members(node) => {
                Some(self.members(doc, node, who, tally))
            }
            (Doc::Other(raw), Some(node)) if raw == "null" && node != map.root() => {
                self.null(node, who, tally)
            }
            _ => self.undeclared(),
        }
    }

    /// A `null` instead of an object or array that is declared.
    fn null(&mut self, node: NodeId, who: &RecordSubject, tally: &mut Tally) -> Option<String> {
        let mut classes = Vec::new();
        if !self.below(node, &mut classes) {
            return self.undeclared();
        }
        if classes.is_empty() {
            return Some("null".to_owned());
        }
        tally.personal = true;
        if classes.iter().any(|class| (self.verdict)(who, *class) != Treatment::Clear) {
            *self.report.withheld.entry(self.map.path(node).to_owned()).or_default() += 1;
            return None;
        }
        tally.kept = true;
        self.report.personal_kept += 1;
        Some("null".to_owned())
    }

    /// The classes of all that is declared below a node; whether that has no records, nothing in a string, and no
    /// more than sixteen classes.
    fn below(&self, node: NodeId, into: &mut Vec<ClassId>) -> bool {
        let (map, path) = (self.map, self.map.path(node));
        let inside = |other: &str| {
            let rest = other.strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || rest.starts_with("[]"))
        };
        for other in map.nodes().filter(|other| inside(map.path(*other))) {
            if map.scope_at(other).is_some() || map.wrap_at(other).is_some() {
                return false;
            }
            into.extend(map.class(other));
        }
        into.sort_unstable();
        into.dedup();
        into.len() <= 16
    }

    fn members(&mut self, doc: &Doc, node: NodeId, who: &RecordSubject, tally: &mut Tally) -> String {
        let Doc::Object(members, space) = doc else { unreachable!() };
        joined('{', members, space, '}', |c| {
            let value = self.value(&c.value, self.map.member(node, &c.name), who, tally)?;
            Some(format!("{}{value}{}", c.before, c.after))
        })
    }

    fn record(&mut self, doc: &Doc, node: NodeId, scope: ScopeId, outer: &mut Tally) -> Option<String> {
        self.report.records += 1;
        let mut tally = Tally::default();
        let left = self.members(doc, node, &self.named(doc, scope), &mut tally);
        outer.personal |= tally.personal;
        outer.kept |= tally.kept;
        let emptied = self.map.scope(scope).unwrap().emptied;
        if tally.personal && !tally.kept && emptied == Emptied::Omit {
            self.report.omitted += 1;
            return None;
        }
        Some(left)
    }

    /// Whom a record names, which may be a scalar that names itself.
    fn named(&self, doc: &Doc, scope: ScopeId) -> RecordSubject {
        let spec = self.map.scope(scope).unwrap();
        let at = |path: &[Box<str>]| path.iter().try_fold(doc, |at, name| at.member(name));
        let id = match at(&spec.subject) {
            Some(Doc::Text(_, text)) if !text.is_empty() => Some(&**text),
            // One that is the same to whoever keeps numbers as fractions of 53 bits.
            Some(Doc::Integer(raw)) => raw.parse::<i64>().ok().and_then(|number| {
                let exact = number.unsigned_abs() < 1 << 53 && number.to_string() == *raw;
                exact.then_some(&**raw)
            }),
            _ => None,
        };
        let captured = spec.captures.iter().map(|path| at(path)?.scalar()).collect();
        RecordSubject::Record { scope, id: id.map(Into::into), captured }
    }

    /// Whether a scalar at this node is a record.
    fn names_itself(&self, node: NodeId) -> bool {
        self.map.scope_at(node).is_some_and(|scope| self.map.scope(scope).unwrap().subject.is_empty())
    }

    fn leaf(
        &mut self,
        doc: &Doc,
        node: NodeId,
        field: Field,
        who: &RecordSubject,
        tally: &mut Tally,
        first: bool,
    ) -> Option<String> {
        let subtree = self.map.covers_subtree(node);
        if matches!(doc, Doc::Object(..)) && !subtree {
            return self.undeclared();
        }
        let scalar = !matches!(doc, Doc::Array(..) | Doc::Object(..));
        let record = matches!(doc, Doc::Object(..)) && self.map.scope_at(node).is_some()
            || scalar && self.names_itself(node);
        self.report.records += u64::from(record);
        let own = self.map.scope_at(node).map_or_else(|| who.clone(), |scope| self.named(doc, scope));
        let Field::Class(class, ladder) = field else {
            let Doc::Array(elements, space) = doc else { return Some(doc.render()) };
            return Some(if subtree {
                doc.render()
            } else {
                self.elements(elements, space, |m, c| m.leaf(&c.value, node, field, who, tally, false))
            });
        };
        let asked = (self.verdict)(&own, class);
        let treatment = if ladder.steps().any(|s| s == asked) { asked } else { Treatment::Withheld };
        let path = self.map.path(node).to_owned();
        if let Doc::Array(elements, space) = doc {
            if first {
                tally.personal = true;
                tally.kept |= treatment == Treatment::Clear;
                if treatment == Treatment::Withheld {
                    *self.report.withheld.entry(path).or_default() += 1;
                    // What is undeclared in it, or a record, is counted all the same.
                    let (objects, scalars) = count(elements);
                    self.report.undeclared += if subtree { 0 } else { objects };
                    let records = subtree && self.map.scope_at(node).is_some();
                    self.report.records += if records { objects } else { 0 };
                    self.report.records += if self.names_itself(node) { scalars } else { 0 };
                    return self.instead(node);
                }
            }
            return Some(
                self.elements(elements, space, |m, c| m.leaf(&c.value, node, field, who, tally, false)),
            );
        }
        tally.personal = true;
        let left = treat(doc, treatment, class, ladder);
        self.report.omitted += u64::from(left.is_none() && scalar && self.names_itself(node));
        match (&left, treatment) {
            (None, _) => *self.report.withheld.entry(path).or_default() += 1,
            (Some(_), Treatment::Clear) => {}
            (Some(_), _) => *self.report.altered.entry((path, treatment)).or_default() += 1,
        }
        tally.kept |= left.is_some();
        self.report.personal_kept += u64::from(left.is_some());
        left.or_else(|| self.instead(node))
    }

    /// What stands in the place of what is withheld.
    fn instead(&self, node: NodeId) -> Option<String> {
        self.map.is_null_when_withheld(node).then(|| "null".to_owned())
    }

    fn elements(
        &mut self,
        elements: &[Child],
        space: &str,
        mut each: impl FnMut(&mut Self, &Child) -> Option<String>,
    ) -> String {
        joined('[', elements, space, ']', |c| {
            let value = each(self, c)?;
            Some(format!("{}{value}{}", c.before, c.after))
        })
    }

    fn undeclared(&mut self) -> Option<String> {
        self.report.undeclared += 1;
        None
    }
}

/// How many objects, and how many scalars, lie in arrays of arrays.
fn count(elements: &[Child]) -> (u64, u64) {
    let each = |child: &Child| match &child.value {
        Doc::Object(..) => (1, 0),
        Doc::Array(inner, _) => count(inner),
        Doc::Text(..) | Doc::Integer(_) | Doc::Other(_) => (0, 1),
    };
    elements.iter().map(each).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

/// The treatments that the random maps use, in another way than the crate does them.
fn treat(doc: &Doc, treatment: Treatment, class: ClassId, ladder: Ladder) -> Option<String> {
    let text = match (treatment, doc) {
        (Treatment::Withheld, _) => return None,
        (Treatment::Clear, _) => return Some(doc.render()),
        (Treatment::Pseudonymised, Doc::Text(_, value)) => return Some(quoted_code(class, value)),
        // A number is told by its first character from the literals.
        (Treatment::Pseudonymised, Doc::Integer(raw) | Doc::Other(raw)) => {
            return (!raw.starts_with(['n', 't', 'f'])).then(|| quoted_code(class, raw));
        }
        (_, Doc::Text(_, text)) if !text.is_empty() => text,
        _ => return None,
    };
    let chars: Vec<char> = text.chars().collect();
    let out = if treatment == Treatment::Truncated {
        assert_eq!(ladder.truncated, Some(TruncateForm::Postcode));
        let plain = |c: &char| c.is_ascii_alphanumeric();
        let reads = chars.iter().all(|c| plain(c) || *c == ' ' || *c == '-') && chars.len() <= 12;
        (reads && chars.len() >= 2 && chars[..2].iter().all(plain)).then(|| chars[..2].iter().collect())
    } else {
        assert_eq!(ladder.masked, Some(MaskForm::LastFour));
        let tail: String = chars.iter().rev().take(4).rev().collect();
        let telling = chars.iter().filter(|c| c.is_alphanumeric()).count();
        // What is masked already is left as it is.
        let stays = telling >= 8 || chars.len() == 8 && chars.starts_with(&['*'; 4]);
        Some(if stays { format!("****{tail}") } else { "****".to_owned() })
    };
    out.map(|text: String| serde_json::to_string(&text).unwrap())
}

fn quoted_code(class: ClassId, value: &str) -> String {
    format!("\"{}\"", code(&KEY, class, value))
}

/// The code of a value: HMAC as RFC 2104 writes it, and its bits as text, five by five.
pub(crate) fn code(key: &[u8; 32], class: ClassId, value: &str) -> String {
    let padded = |pad: u8| -> Vec<u8> { key.iter().chain(&[0; 32]).map(|byte| byte ^ pad).collect() };
    let inner = Sha256::digest([&padded(0x36)[..], &class.0.to_be_bytes(), value.as_bytes()].concat());
    let outer = Sha256::digest([&padded(0x5c)[..], &inner[..]].concat());
    let bits: String = outer.iter().map(|byte| format!("{byte:08b}")).collect();
    let digit = |n: usize| {
        let value = u8::from_str_radix(&bits[5 * n..5 * n + 5], 2).unwrap();
        char::from(if value < 26 { b'a' + value } else { b'2' + value - 26 })
    };
    format!("ps_{}", (0..26).map(digit).collect::<String>())
}

/// Every string of a document with how often it occurs.
pub(crate) fn texts(doc: &Doc, into: &mut BTreeMap<String, usize>) {
    match doc {
        Doc::Text(_, text) => *into.entry(text.clone()).or_default() += 1,
        Doc::Integer(_) | Doc::Other(_) => {}
        Doc::Array(children, _) | Doc::Object(children, _) => {
            children.iter().for_each(|c| texts(&c.value, into));
        }
    }
}
