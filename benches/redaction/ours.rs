//! Our redactor, driven as the layer drives it: in pieces, window by window, with verdicts at hand.

use std::sync::Arc;

use consentry_body::{JsonRedactor, Limits, Step, SubjectIx};
use consentry_model::{
    ClassId, Emptied, Field, FieldMap, Ladder, MaskForm, RecordScope, Space, Treatment, TruncateForm,
};

use crate::Failure;
use crate::bodies::Body;

/// How much of a body arrives at once.
pub(crate) const PIECE_BYTES: usize = 64 * 1024;

/// The six fields: four go, two are made coarser.
const FIELDS: [(&str, Treatment, Ladder); 6] = [
    ("email", Treatment::Withheld, NONE),
    ("ssn", Treatment::Withheld, NONE),
    ("address.street", Treatment::Withheld, NONE),
    ("payment.iban", Treatment::Withheld, NONE),
    ("phone", Treatment::Masked, Ladder { masked: Some(MaskForm::LastFour), ..NONE }),
    ("address.zip", Treatment::Truncated, Ladder { truncated: Some(TruncateForm::Postcode), ..NONE }),
];
const NONE: Ladder = Ladder { truncated: None, masked: None, pseudonymised: false };

/// The map of one body, compiled.
pub(crate) struct Redactor {
    map: Arc<FieldMap>,
}

impl Redactor {
    pub(crate) fn new(body: &Body) -> Result<Self, Failure> {
        let path = |e| format!("a path of the benchmark: {e}");
        let mut map = FieldMap::builder();
        for open in body.open() {
            map = map.leaf(&open, Field::Open).map_err(path)?;
        }
        for (class, (field, _, ladder)) in (0..).zip(FIELDS) {
            map = map.leaf(&body.path(field), Field::Class(ClassId(class), ladder)).map_err(path)?;
        }
        if !body.person.is_empty() {
            let scope = RecordScope {
                subject: vec!["id".into()],
                space: Space::new("customer"),
                emptied: Emptied::Keep,
                captures: Vec::new(),
            };
            map = map.records(body.person, scope).map_err(path)?;
        }
        Ok(Self { map: Arc::new(map.build()) })
    }

    /// A redactor for one body.
    pub(crate) fn start(&self) -> JsonRedactor {
        JsonRedactor::new(Arc::clone(&self.map), Limits::default())
    }

    /// The whole body's output in one piece.
    pub(crate) fn run(&self, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut out = Vec::with_capacity(body.len());
        self.stream(body, |window| out.extend_from_slice(window))?;
        Ok(out)
    }

    /// The output window by window, each gone before the next is asked for, as the layer hands it to the connection.
    pub(crate) fn stream(&self, body: &[u8], mut sink: impl FnMut(&[u8])) -> Result<(), Failure> {
        let mut redactor = self.start();
        let mut pieces = body.chunks(PIECE_BYTES);
        loop {
            match redactor.step()? {
                Step::NeedInput => match pieces.next() {
                    Some(piece) => redactor.push(piece)?,
                    None => redactor.end()?,
                },
                Step::NeedVerdicts(_) => sink(&redactor.release(&verdict)?),
                Step::Done => return Ok(()),
            }
        }
    }
}

/// The verdict on a class, whoever it is about.
pub(crate) fn verdict(_: SubjectIx, class: ClassId) -> Treatment {
    FIELDS.get(usize::from(class.0)).map_or(Treatment::Withheld, |(_, treatment, _)| *treatment)
}
