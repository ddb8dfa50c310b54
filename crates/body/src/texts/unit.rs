//! One JSON text inside a larger body, read by the same redactor as a body that is one.

use std::sync::Arc;

use bytes::Bytes;
use consentry_model::{ClassId, FieldMap};

use crate::asked::Asked;
use crate::error::BodyFault;
use crate::nested::Text;
use crate::{Decide, Limits, Pseudonyms, RecordSubject, Report, Step, SubjectIx};

/// A text that waits for its verdicts.
#[derive(Debug)]
pub(crate) struct Unit {
    redactor: Text,
    /// The subject in the body's window, for each in the text's own.
    subjects: Vec<SubjectIx>,
}

impl Unit {
    /// Reads a text. What is the request's subject's in it is `owner`'s.
    pub(crate) fn read(
        map: &Arc<FieldMap>,
        limits: Limits,
        text: &[u8],
        owner: &RecordSubject,
        asked: &mut Asked,
    ) -> Result<Self, BodyFault> {
        // The text is held whole already: it is one window.
        let limits = Limits {
            window_bytes_max: usize::MAX,
            window_subjects_max: usize::MAX,
            record_bytes_max: usize::MAX,
            ..limits
        };
        let mut redactor = Text::new(Arc::clone(map), limits)?;
        redactor.push(text).and_then(|()| redactor.end()).map_err(|error| error.kind())?;
        let Step::NeedVerdicts(window) = redactor.step().map_err(|error| error.kind())? else {
            return Err(BodyFault::Internal);
        };
        let mut classes: Vec<Vec<ClassId>> = vec![Vec::new(); window.subjects.len()];
        for (subject, class) in &window.groups {
            classes.get_mut(subject.index()).ok_or(BodyFault::Internal)?.push(*class);
        }
        let pairs = window.subjects.iter().zip(&classes);
        let subjects = pairs.map(|(subject, classes)| {
            asked.ask(if *subject == RecordSubject::Request { owner } else { subject }, classes)
        });
        Ok(Self { redactor, subjects: subjects.collect::<Result<_, _>>()? })
    }

    /// How many undeclared members it has.
    pub(crate) fn undeclared(&self) -> u64 {
        self.redactor.undeclared()
    }

    /// Whether it holds something personal.
    pub(crate) fn is_personal(&self) -> bool {
        !self.subjects.is_empty()
    }

    /// What is left of the text; nothing when it is withheld as a whole.
    pub(crate) fn write(
        self,
        decide: &dyn Decide,
        key: Option<&Pseudonyms>,
        report: &mut Report,
    ) -> Result<Option<Bytes>, BodyFault> {
        let Self { mut redactor, subjects } = self;
        redactor.use_pseudonyms(key.cloned());
        // A text without a personal value asks about nobody, and is asked about nobody.
        let inner = |subject: SubjectIx, class: ClassId| match subjects.get(subject.index()) {
            Some(subject) => decide.treatment(*subject, class),
            None => consentry_model::Treatment::Withheld,
        };
        let left = match redactor.release(&inner) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == BodyFault::NothingLeft => None,
            Err(error) => return Err(error.kind()),
        };
        report.absorb(redactor.report());
        Ok(left)
    }
}
