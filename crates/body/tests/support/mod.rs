//! What the tests share: short ways to write maps, verdicts and runs.

#![allow(dead_code, reason = "not every test file uses all of it")]

pub(crate) mod oracle;
pub(crate) mod random;
pub(crate) mod reference;

use std::sync::Arc;

use consentry_body::{
    BodyFault, JsonRedactor, Limits, Pseudonyms, RecordSubject, Report, Step, SubjectIx, Window,
};
use consentry_model::{
    ClassId, Emptied, Field, FieldMap, Ladder, MaskForm, RecordScope, Space, Treatment, TruncateForm,
};

/// A data class without a form between clear and withheld.
pub(crate) const fn class(n: u16) -> Field {
    laddered(n, None, None)
}

/// The key of every run.
pub(crate) const KEY: [u8; 32] = *b"the key that all of our runs use";

/// A data class with these forms.
pub(crate) const fn laddered(n: u16, truncated: Option<TruncateForm>, masked: Option<MaskForm>) -> Field {
    Field::Class(ClassId(n), Ladder { truncated, masked, pseudonymised: false })
}

/// A data class with these forms, that may be pseudonymised.
pub(crate) const fn coded(n: u16, truncated: Option<TruncateForm>, masked: Option<MaskForm>) -> Field {
    Field::Class(ClassId(n), Ladder { truncated, masked, pseudonymised: true })
}

/// A path of member names; the empty one has none.
fn names(path: &str) -> Vec<Box<str>> {
    path.split('.').filter(|name| !name.is_empty()).map(Box::from).collect()
}

pub(crate) fn scope(subject: &str, emptied: Emptied) -> RecordScope {
    RecordScope { subject: names(subject), space: Space::new("test"), emptied, captures: Vec::new() }
}

/// The scope with members whose values bear on the decision.
pub(crate) fn capturing(subject: &str, emptied: Emptied, captures: &[&str]) -> RecordScope {
    RecordScope { captures: captures.iter().map(|path| names(path)).collect(), ..scope(subject, emptied) }
}

pub(crate) fn map(leaves: &[(&str, Field)], records: &[(&str, RecordScope)]) -> Arc<FieldMap> {
    let mut builder = FieldMap::builder();
    for (path, field) in leaves {
        builder = builder.leaf(path, *field).unwrap();
    }
    for (path, scope) in records {
        builder = builder.records(path, scope.clone()).unwrap();
    }
    Arc::new(builder.build())
}

/// What a run ends in: the bytes of each window, and the report, or a fault after what was released before it.
pub(crate) type Ran = Result<(Vec<Vec<u8>>, Report), (Vec<Vec<u8>>, BodyFault)>;

/// Runs a body through in pieces of these sizes, over and over.
pub(crate) fn run(
    map: &Arc<FieldMap>,
    limits: Limits,
    body: &[u8],
    pieces: &[usize],
    verdict: &dyn Fn(&RecordSubject, ClassId) -> Treatment,
) -> Ran {
    let mut redactor = JsonRedactor::new(Arc::clone(map), limits).with_pseudonyms(Pseudonyms::new(&KEY));
    let mut out = Vec::new();
    match drive(&mut redactor, body, pieces, verdict, &mut out) {
        Ok(()) => Ok((out, redactor.report().clone())),
        Err(error) => {
            let at = redactor.step().unwrap_err();
            assert_eq!(at, error, "an error stays");
            Err((out, error.kind()))
        }
    }
}

fn drive(
    redactor: &mut JsonRedactor,
    mut rest: &[u8],
    pieces: &[usize],
    verdict: &dyn Fn(&RecordSubject, ClassId) -> Treatment,
    out: &mut Vec<Vec<u8>>,
) -> Result<(), consentry_body::BodyError> {
    let mut sizes = pieces.iter().copied().filter(|n| *n > 0).cycle();
    loop {
        match redactor.step()? {
            Step::NeedInput if rest.is_empty() => redactor.end()?,
            Step::NeedInput => {
                let (piece, after) = rest.split_at(sizes.next().unwrap_or(rest.len()).min(rest.len()));
                redactor.push(piece)?;
                rest = after;
            }
            Step::NeedVerdicts(window) => out.push(redactor.release(&decide(&window, verdict))?.to_vec()),
            Step::Done => return Ok(()),
        }
    }
}

/// The verdicts on a window. Whoever asks for a pair that the window does not name fails the test.
fn decide<'a>(
    window: &'a Window,
    verdict: &'a dyn Fn(&RecordSubject, ClassId) -> Treatment,
) -> impl Fn(SubjectIx, ClassId) -> Treatment + 'a {
    move |subject, class| {
        assert!(window.groups.contains(&(subject, class)), "a pair outside the window is asked for");
        verdict(window.subject(subject).unwrap(), class)
    }
}

/// The whole output, as text.
pub(crate) fn text(windows: &[Vec<u8>]) -> String {
    String::from_utf8(windows.concat()).unwrap()
}
