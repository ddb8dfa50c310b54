//! Bodies of every media type: no cut of the input changes what leaves, and what left can be read again unchanged.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use consentry_body::{BodyError, Limits, Reading, Redactor, Step, SubjectIx, Window};
use consentry_model::{ClassId, Field, FieldMap, Format, Ladder, MaskForm, Treatment};

/// Every format but bare JSON, which has a target of its own.
const FORMATS: [Format; 7] = [
    Format::JsonLines,
    Format::JsonSequence,
    Format::Events,
    Format::Form,
    Format::Multipart,
    Format::Csv,
    Format::Whole,
];

fn map(format: Format) -> Arc<FieldMap> {
    static MAPS: OnceLock<[Arc<FieldMap>; 3]> = OnceLock::new();
    let maps = MAPS.get_or_init(|| {
        let masked = Ladder { masked: Some(MaskForm::Email), ..Ladder::default() };
        let fields = |below: &str| {
            let leaves = [
                ("id", Field::Open),
                ("name", Field::Class(ClassId(0), Ladder::default())),
                ("email", Field::Class(ClassId(1), masked)),
                ("ssn", Field::Class(ClassId(2), Ladder::default())),
            ];
            let mut map = FieldMap::builder();
            for (name, field) in leaves {
                map = map.leaf(&format!("{below}{name}"), field).unwrap();
            }
            Arc::new(map.build())
        };
        let whole = FieldMap::builder().leaf("**", Field::Class(ClassId(0), Ladder::default())).unwrap();
        [fields(""), fields("data."), Arc::new(whole.build())]
    });
    let [fields, events, whole] = maps;
    Arc::clone(match format {
        Format::Events => events,
        Format::Whole => whole,
        Format::Json
        | Format::JsonLines
        | Format::JsonSequence
        | Format::Form
        | Format::Multipart
        | Format::Csv => fields,
    })
}

/// The first byte says which format, the second how the input is cut.
pub fn run(data: &[u8]) {
    let [format, cut, body @ ..] = data else { return };
    let format = FORMATS[usize::from(*format) % FORMATS.len()];
    let one = redact(format, body, usize::MAX);
    let kind = |r: &Result<Bytes, BodyError>| r.clone().map_err(|error| error.kind());
    let cut = redact(format, body, usize::from(*cut) + 1);
    assert_eq!(kind(&one), kind(&cut), "{format:?}: a cut changed the result");
    let Ok(out) = one else { return };
    assert_eq!(redact(format, &out, usize::MAX).as_ref(), Ok(&out), "{format:?}: a second time changed it");
}

fn redact(format: Format, body: &[u8], piece: usize) -> Result<Bytes, BodyError> {
    let boundary = (format == Format::Multipart).then(|| "b".into());
    let limits = Limits { record_bytes_max: 2048, depth_max: 16, fields_max: 16, ..Limits::default() };
    let mut redactor = Redactor::new(&Reading { boundary, ..Reading::of(format) }, map(format), limits)?;
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

fn verdicts(_: &Window) -> impl Fn(SubjectIx, ClassId) -> Treatment {
    |_, class| match class {
        ClassId(0) => Treatment::Clear,
        ClassId(1) => Treatment::Masked,
        _ => Treatment::Withheld,
    }
}
