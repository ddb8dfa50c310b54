//! A whole body at once.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use consentry_model::FieldMap;

use crate::{BodyError, Decide, JsonRedactor, Limits, Report, Step, Window};

/// Redacts a body that is there as a whole, for requests and tests. `decide` is called once per window, and answers
/// with the verdicts on it.
///
/// # Errors
/// As [`JsonRedactor::step`] and [`JsonRedactor::release`]; nothing of the body is returned then.
pub fn redact<D: Decide>(
    map: &Arc<FieldMap>,
    limits: Limits,
    body: &[u8],
    mut decide: impl FnMut(&Window) -> D,
) -> Result<(Bytes, Report), BodyError> {
    let mut redactor = JsonRedactor::new(Arc::clone(map), limits);
    redactor.push(body)?;
    redactor.end()?;
    let mut out = BytesMut::new();
    loop {
        match redactor.step()? {
            Step::NeedVerdicts(window) => out.extend_from_slice(&redactor.release(&decide(&window))?),
            // No input is left to come: were it asked for, `push` would answer with the error.
            Step::NeedInput => redactor.push(&[])?,
            Step::Done => return Ok((out.freeze(), redactor.report().clone())),
        }
    }
}
