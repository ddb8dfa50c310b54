//! Short ways to write maps, verdicts and runs.

use std::sync::Arc;

use consentry_body::{
    BodyFault, Limits, Pseudonyms, Reading, RecordSubject, Redactor, Report, Step, SubjectIx, Window,
};
use consentry_model::{
    ClassId, Emptied, Field, FieldMap, Format, Ladder, MaskForm, RecordScope, Space, Treatment,
};

/// The class of names; it knows no form between clear and withheld.
pub(crate) const NAME: Field =
    Field::Class(ClassId(0), Ladder { truncated: None, masked: None, pseudonymised: false });
/// The class of addresses, which may be masked and pseudonymised.
pub(crate) const EMAIL: Field =
    Field::Class(ClassId(1), Ladder { truncated: None, masked: Some(MaskForm::Email), pseudonymised: true });
pub(crate) const OPEN: Field = Field::Open;

pub(crate) fn scope(subject: &str, captures: &[&str]) -> RecordScope {
    let names = |path: &str| path.split('.').filter(|n| !n.is_empty()).map(Box::from).collect();
    RecordScope {
        subject: names(subject),
        space: Space::new("test"),
        emptied: Emptied::Omit,
        captures: captures.iter().map(|path| names(path)).collect(),
    }
}

pub(crate) fn map(leaves: &[(&str, Field)], record: Option<(&str, RecordScope)>) -> Arc<FieldMap> {
    let mut builder = FieldMap::builder();
    for (path, field) in leaves {
        builder = builder.leaf(path, *field).unwrap();
    }
    if let Some((path, scope)) = record {
        builder = builder.record(path, scope).unwrap();
    }
    Arc::new(builder.build())
}

pub(crate) fn reading(format: Format) -> Reading {
    let boundary = (format == Format::Multipart).then(|| "b".into());
    Reading { boundary, ..Reading::of(format) }
}

/// What a run ends in: everything that was released and the report, or a fault and what was released before it.
pub(crate) type Ran = Result<(Vec<u8>, Report), (Vec<u8>, BodyFault)>;

pub(crate) type Verdict<'a> = &'a dyn Fn(&RecordSubject, ClassId) -> Treatment;

/// Runs a body through in pieces of these sizes, over and over.
pub(crate) fn run(
    format: Format,
    map: &Arc<FieldMap>,
    limits: Limits,
    body: &[u8],
    pieces: &[usize],
    verdict: Verdict<'_>,
) -> Ran {
    let redactor =
        Redactor::new(&reading(format), Arc::clone(map), limits).map_err(|e| (Vec::new(), e.kind()))?;
    let mut redactor = redactor.with_pseudonyms(Pseudonyms::new(b"the key that all of our runs use"));
    let mut out = Vec::new();
    match drive(&mut redactor, body, pieces, verdict, &mut out) {
        Ok(()) => Ok((out, redactor.report().clone())),
        Err(error) => {
            assert_eq!(redactor.step().unwrap_err(), error, "an error stays");
            Err((out, error.kind()))
        }
    }
}

fn drive(
    redactor: &mut Redactor,
    mut rest: &[u8],
    pieces: &[usize],
    verdict: Verdict<'_>,
    out: &mut Vec<u8>,
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
            Step::NeedVerdicts(window) => {
                out.extend_from_slice(&redactor.release(&decide(&window, verdict))?)
            }
            Step::Done => return Ok(()),
        }
    }
}

/// The verdicts on a window. Whoever asks for a pair that the window does not name fails the test.
fn decide<'a>(window: &'a Window, verdict: Verdict<'a>) -> impl Fn(SubjectIx, ClassId) -> Treatment + 'a {
    move |subject, class| {
        assert!(window.groups.contains(&(subject, class)), "a pair outside the window is asked for");
        verdict(window.subject(subject).unwrap(), class)
    }
}

/// Everything clear.
pub(crate) fn clear(_: &RecordSubject, _: ClassId) -> Treatment {
    Treatment::Clear
}

/// Everything withheld.
pub(crate) fn withheld(_: &RecordSubject, _: ClassId) -> Treatment {
    Treatment::Withheld
}

/// Names withheld, addresses masked.
pub(crate) fn masked(_: &RecordSubject, class: ClassId) -> Treatment {
    if class == ClassId(1) { Treatment::Masked } else { Treatment::Withheld }
}

/// Clear for the record of this subject, withheld for any other.
pub(crate) fn only(id: &'static str) -> impl Fn(&RecordSubject, ClassId) -> Treatment {
    move |subject, _| match subject {
        RecordSubject::Record { id: Some(there), .. } if **there == *id => Treatment::Clear,
        RecordSubject::Record { .. } | RecordSubject::Request => Treatment::Withheld,
    }
}

/// A row of a table: a body, the verdicts, and what leaves or the fault.
pub(crate) type Row<'a> = (&'a str, Verdict<'a>, Result<&'a str, BodyFault>);

/// Plays a table, each row as a whole and byte by byte.
pub(crate) fn check(format: Format, map: &Arc<FieldMap>, rows: &[Row<'_>]) {
    for (body, verdict, expected) in rows {
        let whole = run(format, map, Limits::default(), body.as_bytes(), &[], *verdict);
        let bytewise = run(format, map, Limits::default(), body.as_bytes(), &[1], *verdict);
        let seen = |ran: Ran| match ran {
            Ok((out, _)) => Ok(String::from_utf8(out).unwrap()),
            Err((_, fault)) => Err(fault),
        };
        let (whole, bytewise) = (seen(whole), seen(bytewise));
        assert_eq!(whole, expected.map(str::to_owned), "{body:?}");
        assert_eq!(bytewise, whole, "{body:?} byte by byte");
    }
}
