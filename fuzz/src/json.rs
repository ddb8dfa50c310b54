//! JSON bodies: what is accepted is JSON, what leaves is JSON, and no cut of the input changes it.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use consentry_body::{BodyError, JsonRedactor, Limits, RecordSubject, Step, SubjectIx, Window};
use consentry_model::{
    ClassId, Emptied, Field, FieldMap, Ladder, MaskForm, RecordScope, Space, Treatment, TruncateForm,
};
use serde_json::Value;

/// No value of this class ever leaves.
const SECRET: ClassId = ClassId(9);

fn map() -> Arc<FieldMap> {
    static MAP: OnceLock<Arc<FieldMap>> = OnceLock::new();
    Arc::clone(MAP.get_or_init(|| {
        let ladder = Ladder {
            truncated: Some(TruncateForm::Date),
            masked: Some(MaskForm::Email),
            pseudonymised: true,
        };
        let class = |n| Field::Class(ClassId(n), ladder);
        let scope = |subject: &[&str]| RecordScope {
            subject: subject.iter().map(|s| (*s).into()).collect(),
            space: Space::new("customer"),
            emptied: Emptied::Omit,
            captures: vec![vec!["seen".into()]],
        };
        let map = FieldMap::builder()
            .leaf("id", Field::Open)
            .and_then(|m| m.leaf("email", class(1)))
            .and_then(|m| m.leaf("ssn", Field::Class(SECRET, Ladder::default())))
            .and_then(|m| m.leaf("tags.*", class(2)))
            .and_then(|m| m.leaf("notes.**", class(3)))
            .and_then(|m| m.leaf("rows[].id", Field::Open))
            .and_then(|m| m.leaf("rows[].who.key", Field::Open))
            .and_then(|m| m.leaf("rows[].email", class(1)))
            .and_then(|m| m.leaf("rows[].ssn", Field::Class(SECRET, Ladder::default())))
            .and_then(|m| m.leaf("rows[].orders[].total", class(4)))
            .and_then(|m| m.leaf("rows[].orders[].of", Field::Open))
            .and_then(|m| m.records("rows[]", scope(&["who", "key"])))
            .and_then(|m| m.records("rows[].orders[]", scope(&["of"])));
        Arc::new(map.unwrap().build())
    }))
}

/// The first byte says how the input is cut, the second how much each window may hold.
pub fn run(data: &[u8]) {
    let [cut, window, body @ ..] = data else { return };
    let small = Limits {
        window_bytes_max: usize::from(*window) + 1,
        record_bytes_max: 2048,
        depth_max: 24,
        window_subjects_max: 2,
        fields_max: 64,
    };
    let whole = Limits { window_bytes_max: usize::MAX, ..small };
    let one = redact(body, usize::MAX, whole);
    let kind = |r: &Result<Bytes, BodyError>| r.clone().map_err(|error| error.kind());
    assert_eq!(kind(&one), kind(&redact(body, usize::from(*cut) + 1, whole)), "a cut changed the result");
    let windows = redact(body, usize::from(*cut) + 1, small);
    if let (Ok(one), Ok(windows)) = (&one, &windows) {
        assert_eq!(one, windows, "windows changed the result");
    }
    let Ok(out) = one else { return };
    for text in [body, &out] {
        let _: serde::de::IgnoredAny =
            serde_json::from_slice(text).expect("what is accepted and what leaves is JSON");
    }
    // Without a comma that went with what it divided, more of what leaves hangs together.
    let roomy = Limits { record_bytes_max: usize::MAX, ..whole };
    assert_eq!(redact(&out, usize::MAX, roomy).as_ref(), Ok(&out), "a second time changed it");
    // A number that is too large for any type of ours passes all the same, to the digit.
    let (Ok(before), Ok(after)) = (serde_json::from_slice(body), serde_json::from_slice(&out)) else {
        return;
    };
    let (before, after): (Value, Value) = (before, after);
    assert!(is_part(&after, &before), "something left that was not there");
    let rows = after.get("rows").and_then(Value::as_array).into_iter().flatten();
    assert!(rows.chain([&after]).all(|record| record.get("ssn").is_none()), "a withheld member left");
}

fn redact(body: &[u8], piece: usize, limits: Limits) -> Result<Bytes, BodyError> {
    let mut redactor = JsonRedactor::new(map(), limits);
    let mut pieces = body.chunks(piece);
    let mut out = Vec::new();
    loop {
        match redactor.step()? {
            Step::NeedInput => match pieces.next() {
                Some(piece) => redactor.push(piece)?,
                None => redactor.end()?,
            },
            Step::NeedVerdicts(window) => out.extend_from_slice(&redactor.release(&verdicts(&window))?),
            Step::Done => return Ok(out.into()),
        }
    }
}

/// Only what one can read again unchanged: clear for some, withheld for others, by the subject's own name.
fn verdicts(window: &Window) -> impl Fn(SubjectIx, ClassId) -> Treatment + '_ {
    |subject, class| match window.subject(subject) {
        _ if class == SECRET => Treatment::Withheld,
        Some(RecordSubject::Request) => Treatment::Clear,
        Some(RecordSubject::Record { id: Some(id), .. }) if id.len() % 2 == 0 => Treatment::Clear,
        Some(RecordSubject::Record { .. }) | None => Treatment::Withheld,
    }
}

/// Whether everything in `part` stands in `whole` too, in the same place but for elements that were left out.
fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|there| is_part(value, there)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            let mut whole = whole.iter();
            part.iter().all(|value| whole.any(|there| is_part(value, there)))
        }
        (part, whole) => part == whole,
    }
}
