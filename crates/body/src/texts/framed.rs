//! Texts and what stands between them.

use std::sync::Arc;

use bytes::Bytes;
use consentry_model::FieldMap;

use super::Unit;
use crate::asked::Asked;
use crate::error::{BodyFault, Fault};
use crate::turns::Media;
use crate::{Decide, Limits, Pseudonyms, RecordSubject, Report};

/// How texts are divided.
pub(crate) trait Frame: Send + Sync {
    /// The length of the next unit; see [`Media::frame`].
    fn frame(&mut self, view: &[u8], last: bool) -> Result<Option<usize>, Fault>;

    /// Where the text is in its unit; `None` when the unit has none, and stays as it is.
    fn text(&self, unit: &[u8]) -> Result<Option<(usize, usize)>, Fault>;
}

struct Held {
    before: Bytes,
    text: Unit,
    after: Bytes,
}

/// A body of texts, each of which is read alone.
pub(crate) struct Framed<F> {
    frame: F,
    map: Arc<FieldMap>,
    limits: Limits,
    held: Vec<Result<Held, Bytes>>,
}

impl<F> Framed<F> {
    pub(crate) const fn new(frame: F, map: Arc<FieldMap>, limits: Limits) -> Self {
        Self { frame, map, limits, held: Vec::new() }
    }
}

impl<F: Frame> Media for Framed<F> {
    fn frame(&mut self, view: &[u8], last: bool) -> Result<Option<usize>, Fault> {
        self.frame.frame(view, last)
    }

    fn take(&mut self, unit: Bytes, asked: &mut Asked) -> Result<(), Fault> {
        let Some((start, end)) = self.frame.text(&unit)? else {
            self.held.push(Err(unit));
            return Ok(());
        };
        let text = unit.get(start..end).ok_or(Fault::internal(0))?;
        // A text that its line ended is not cut short: it is wrong.
        let ended = end < unit.len();
        let cut = |kind| if ended && kind == BodyFault::Truncated { BodyFault::Malformed } else { kind };
        let here = |kind| Fault::new(cut(kind), start);
        let text = Unit::read(&self.map, self.limits, text, &RecordSubject::Request, asked).map_err(here)?;
        self.held.push(Ok(Held { before: unit.slice(..start), text, after: unit.slice(end..) }));
        Ok(())
    }

    fn end(&mut self, _: &mut Asked) -> Result<(), BodyFault> {
        // No text at all is a list without records.
        Ok(())
    }

    fn undeclared(&self) -> u64 {
        let texts = self.held.iter().filter_map(|held| held.as_ref().ok());
        texts.map(|held| held.text.undeclared()).sum()
    }

    fn write(
        &mut self,
        decide: &dyn Decide,
        key: Option<&Pseudonyms>,
        report: &mut Report,
        out: &mut Vec<u8>,
    ) -> Result<(), BodyFault> {
        for held in self.held.drain(..) {
            match held {
                Ok(Held { before, text, after }) => {
                    if let Some(text) = text.write(decide, key, report)? {
                        [&before, &text, &after].into_iter().for_each(|part| out.extend_from_slice(part));
                    }
                }
                Err(plain) => out.extend_from_slice(&plain),
            }
        }
        Ok(())
    }
}
