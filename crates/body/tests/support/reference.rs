//! The slow model: a document as a tree with its text, and the rules written down a second time, recursively.

use std::collections::BTreeMap;

use consentry_body::{RecordSubject, Report};
use consentry_model::{
    ClassId, Emptied, Field, FieldMap, Ladder, MaskForm, NodeId, ScopeId, Treatment, TruncateForm,
};

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
        self.value(doc, Some(self.map.root()), &RecordSubject::Request, &mut Tally::default())
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
            _ => self.undeclared(),
        }
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

    fn named(&self, doc: &Doc, scope: ScopeId) -> RecordSubject {
        let path = &self.map.scope(scope).unwrap().subject;
        let id = match path.iter().try_fold(doc, |at, name| at.member(name)) {
            Some(Doc::Text(_, text)) if !text.is_empty() => Some(&**text),
            Some(Doc::Integer(raw)) => Some(&**raw),
            _ => None,
        };
        RecordSubject::Record { scope, id: id.map(Box::from) }
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
        let own = match (self.map.scope_at(node), doc) {
            (Some(scope), Doc::Object(..)) => {
                self.report.records += 1;
                self.named(doc, scope)
            }
            (Some(scope), _) => RecordSubject::Record { scope, id: None },
            (None, _) => who.clone(),
        };
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
                    let records = subtree && self.map.scope_at(node).is_some();
                    self.report.undeclared += if subtree { 0 } else { objects(elements) };
                    self.report.records += if records { objects(elements) } else { 0 };
                    return None;
                }
            }
            return Some(
                self.elements(elements, space, |m, c| m.leaf(&c.value, node, field, who, tally, false)),
            );
        }
        tally.personal = true;
        let left = treat(doc, treatment, ladder);
        match (&left, treatment) {
            (None, _) => *self.report.withheld.entry(path).or_default() += 1,
            (Some(_), Treatment::Clear) => {}
            (Some(_), _) => *self.report.altered.entry((path, treatment)).or_default() += 1,
        }
        tally.kept |= left.is_some();
        self.report.personal_kept += u64::from(left.is_some());
        left
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

/// How many objects lie in arrays of arrays.
fn objects(elements: &[Child]) -> u64 {
    let count = |child: &Child| match &child.value {
        Doc::Object(..) => 1,
        Doc::Array(inner, _) => objects(inner),
        Doc::Text(..) | Doc::Integer(_) | Doc::Other(_) => 0,
    };
    elements.iter().map(count).sum()
}

/// The treatments that the random maps use, in another way than the crate does them.
fn treat(doc: &Doc, treatment: Treatment, ladder: Ladder) -> Option<String> {
    let text = match (treatment, doc) {
        (Treatment::Withheld, _) => return None,
        (Treatment::Clear, _) => return Some(doc.render()),
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
        Some(if chars.len() >= 8 { format!("****{tail}") } else { "****".to_owned() })
    };
    out.map(|text: String| serde_json::to_string(&text).unwrap())
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
