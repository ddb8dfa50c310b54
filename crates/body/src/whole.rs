//! A body that is one datum: all of it or nothing.

use bytes::Bytes;
use consentry_model::{ClassId, Field, FieldMap, Treatment};

use crate::asked::Asked;
use crate::error::{BodyFault, Fault};
use crate::turns::Media;
use crate::{Decide, Pseudonyms, RecordSubject, Report, SubjectIx};

/// The bytes of a datum that nobody looks into.
#[derive(Debug)]
pub(crate) struct Whole {
    class: ClassId,
    path: String,
    subject: Option<SubjectIx>,
    held: Vec<Bytes>,
    counted: bool,
}

impl Whole {
    /// The map's root is the datum.
    pub(crate) fn new(map: &FieldMap) -> Result<Self, BodyFault> {
        let root = map.root();
        match map.field(root) {
            Some(Field::Class(class, _)) if map.scope_at(root).is_none() => {
                let path = map.path(root).to_owned();
                Ok(Self { class, path, subject: None, held: Vec::new(), counted: false })
            }
            Some(Field::Class(..) | Field::Open) | None => Err(BodyFault::Undeclared),
        }
    }

    fn ask(&mut self, asked: &mut Asked) -> Result<(), BodyFault> {
        // It is the request's subject's, and one subject is at one place in every window.
        self.subject = Some(asked.ask(&RecordSubject::Request, &[self.class])?);
        Ok(())
    }
}

impl Media for Whole {
    fn frame(&mut self, view: &[u8], _: bool) -> Result<Option<usize>, Fault> {
        Ok(Some(view.len()))
    }

    fn take(&mut self, unit: Bytes, asked: &mut Asked) -> Result<(), Fault> {
        self.held.push(unit);
        self.ask(asked).map_err(|kind| Fault::new(kind, 0))
    }

    fn end(&mut self, asked: &mut Asked) -> Result<(), BodyFault> {
        self.ask(asked)
    }

    fn undeclared(&self) -> u64 {
        0
    }

    fn write(
        &mut self,
        decide: &dyn Decide,
        _: Option<&Pseudonyms>,
        report: &mut Report,
        out: &mut Vec<u8>,
    ) -> Result<(), BodyFault> {
        let subject = self.subject.take().ok_or(BodyFault::Internal)?;
        // There is no less revealing form of what nobody reads.
        if decide.treatment(subject, self.class) != Treatment::Clear {
            report.count_withheld(&self.path, 1);
            return Err(BodyFault::NothingLeft);
        }
        if !self.counted {
            report.personal_kept = report.personal_kept.saturating_add(1);
            self.counted = true;
        }
        self.held.drain(..).for_each(|unit| out.extend_from_slice(&unit));
        Ok(())
    }
}
