//! References to subjects.

use consentry_model::SubjectRef;

use crate::LedgerError;

/// A reference that nobody can guess and that says nothing about the person.
pub(crate) fn fresh_reference() -> Result<SubjectRef, LedgerError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|_| LedgerError::unavailable("the system gives no random numbers for a new reference"))?;
    Ok(SubjectRef::from_bytes(bytes))
}
