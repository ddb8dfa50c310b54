//! Whom and what a window asks about, put together from its units.

use std::collections::{BTreeSet, HashMap};

use consentry_model::ClassId;

use crate::error::BodyFault;
use crate::{RecordSubject, SubjectIx, Window};

/// What the window asks so far.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    subjects: Vec<RecordSubject>,
    known: HashMap<RecordSubject, SubjectIx>,
    groups: BTreeSet<(SubjectIx, ClassId)>,
}

impl Asked {
    /// Asks about a class of a subject. The same subject is one, wherever it occurs.
    pub(crate) fn ask(
        &mut self,
        subject: &RecordSubject,
        classes: &[ClassId],
    ) -> Result<SubjectIx, BodyFault> {
        let next = u32::try_from(self.subjects.len()).map_err(|_| BodyFault::RecordTooLarge)?;
        let ix = match self.known.get(subject) {
            Some(ix) => *ix,
            None => {
                let ix = SubjectIx(next);
                self.subjects.push(subject.clone());
                self.known.insert(subject.clone(), ix);
                ix
            }
        };
        self.groups.extend(classes.iter().map(|class| (ix, *class)));
        Ok(ix)
    }

    pub(crate) fn subjects_len(&self) -> usize {
        self.subjects.len()
    }

    pub(crate) fn window(&self) -> Window {
        Window { subjects: self.subjects.clone(), groups: self.groups.iter().copied().collect() }
    }

    /// Starts the next window.
    pub(crate) fn clear(&mut self) {
        self.subjects.clear();
        self.known.clear();
        self.groups.clear();
    }
}
