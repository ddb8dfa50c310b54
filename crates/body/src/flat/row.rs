//! One list of names and texts: whose it is, and what becomes of each text.

use consentry_model::{ClassId, Emptied, Field, FieldMap, Ladder, NodeId, RecordScope, Scalar, ScopeId};

use super::Place;
use crate::asked::Asked;
use crate::error::BodyFault;
use crate::treat::{Left, treat};
use crate::{Decide, Pseudonyms, RecordSubject, Report, SubjectIx};

/// A name, what the map says of it, and its text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell<'a> {
    pub(crate) name: &'a str,
    pub(crate) place: Option<Place>,
    /// Nothing when it is no text that a decision could use.
    pub(crate) text: Option<&'a str>,
    /// Whether there is a value at all.
    pub(crate) there: bool,
}

/// What becomes of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Undeclared,
    Open,
    /// It is decided by whoever reads what lies in it.
    Inner,
    Personal {
        node: NodeId,
        class: ClassId,
        ladder: Ladder,
        subject: SubjectIx,
        /// Whether it names its own subject.
        itself: bool,
    },
}

/// A row that waits for its verdicts.
#[derive(Debug)]
pub(crate) struct Row {
    /// Whether it is a record, and what becomes of it when nothing personal is left.
    emptied: Option<Emptied>,
    owner: RecordSubject,
    pub(crate) fates: Vec<Fate>,
}

impl Row {
    /// Reads a row.
    pub(crate) fn read(map: &FieldMap, cells: &[Cell<'_>], asked: &mut Asked) -> Result<Self, BodyFault> {
        let scope = map.scope_at(map.root()).and_then(|id| Some((id, map.scope(id)?)));
        let owner = match scope {
            Some((id, scope)) => record(id, scope, cells),
            None => RecordSubject::Request,
        };
        let fate = |cell: &Cell<'_>| fate(map, cell, &owner, asked);
        let fates = cells.iter().map(fate).collect::<Result<_, _>>()?;
        Ok(Self { emptied: scope.map(|(_, scope)| scope.emptied), owner, fates })
    }

    /// Whose the row is.
    pub(crate) const fn owner(&self) -> &RecordSubject {
        &self.owner
    }

    /// How many of its cells are undeclared.
    pub(crate) fn undeclared(&self) -> u64 {
        self.fates.iter().filter(|fate| **fate == Fate::Undeclared).count() as u64
    }

    /// What is left of a cell's text, which is counted. A cell without a text is clear or nothing.
    pub(crate) fn left(
        &self,
        (at, text): (usize, Option<&str>),
        map: &FieldMap,
        decide: &dyn Decide,
        key: Option<&Pseudonyms>,
        report: &mut Report,
    ) -> Left<'static> {
        let (node, class, ladder, subject, itself) = match self.fates.get(at) {
            Some(Fate::Open | Fate::Inner) => return Left::Clear,
            Some(Fate::Personal { node, class, ladder, subject, itself }) => {
                (*node, *class, *ladder, *subject, *itself)
            }
            Some(Fate::Undeclared) | None => return Left::Nothing,
        };
        let ladder = if text.is_some() { ladder } else { Ladder::default() };
        let treatment = decide.treatment(subject, class);
        let left = treat((class, ladder), treatment, text.unwrap_or_default(), key);
        match &left {
            Left::Nothing => {
                report.count_withheld(map.path(node), 1);
                report.omitted = report.omitted.saturating_add(u64::from(itself));
            }
            Left::Clear => report.personal_kept = report.personal_kept.saturating_add(1),
            Left::Altered(treatment, _) => {
                report.count_altered(map.path(node), *treatment, 1);
                report.personal_kept = report.personal_kept.saturating_add(1);
            }
        }
        left
    }

    /// Whether the row is left out, with what is left of each of its cells; and, for each of those that hold something
    /// personal inside, whether some of that is. It is counted.
    pub(crate) fn is_omitted(&self, left: &[Left<'_>], inside: &[bool], report: &mut Report) -> bool {
        let Some(emptied) = self.emptied else { return false };
        report.records = report.records.saturating_add(1);
        let cells = self.fates.iter().zip(left).filter(|(fate, _)| matches!(fate, Fate::Personal { .. }));
        let mut kept = cells.map(|(_, left)| *left != Left::Nothing).chain(inside.iter().copied()).peekable();
        let omitted = emptied == Emptied::Omit && kept.peek().is_some() && !kept.any(|kept| kept);
        report.omitted = report.omitted.saturating_add(u64::from(omitted));
        omitted
    }
}

fn record(id: ScopeId, scope: &RecordScope, cells: &[Cell<'_>]) -> RecordSubject {
    // A name that may come more than once names nobody.
    let text = |path: &[Box<str>]| {
        let name = path.join(".");
        let single = |c: &&Cell<'_>| c.name == name && !c.place.is_some_and(|place| place.many);
        cells.iter().find(single).filter(|c| c.there).and_then(|c| c.text)
    };
    let named = Some(&scope.subject).filter(|path| !path.is_empty()).and_then(|path| text(path));
    RecordSubject::Record {
        scope: id,
        id: named.filter(|id| !id.is_empty()).map(Into::into),
        captured: scope.captures.iter().map(|path| text(path).map(|t| Scalar::Text(t.into()))).collect(),
    }
}

fn fate(
    map: &FieldMap,
    cell: &Cell<'_>,
    owner: &RecordSubject,
    asked: &mut Asked,
) -> Result<Fate, BodyFault> {
    let Some(place) = cell.place else { return Ok(Fate::Undeclared) };
    let (class, ladder) = match place.field {
        None => return Ok(Fate::Inner),
        Some(Field::Open) => return Ok(Fate::Open),
        Some(Field::Class(..)) if !cell.there => return Ok(Fate::Open),
        Some(Field::Class(class, ladder)) => (class, ladder),
    };
    let own = map.scope_at(place.node).filter(|_| place.node != map.root());
    let itself = map.names_itself_at(place.node).filter(|_| place.node != map.root()).is_some();
    let subject = match own.and_then(|id| Some((id, map.scope(id)?))) {
        Some((id, scope)) => {
            let named = cell.text.filter(|text| itself && !text.is_empty());
            let captured = vec![None; scope.captures.len()];
            asked.ask(&RecordSubject::Record { scope: id, id: named.map(Into::into), captured }, &[class])?
        }
        None => asked.ask(owner, &[class])?,
    };
    Ok(Fate::Personal { node: place.node, class, ladder, subject, itself })
}
