//! What is wrong with a body → the reason that is given for it.

use consentry_body::{BodyError, BodyFault};
use consentry_model::Reason;
use consentry_policy::Refusal;

/// Why a request's body is refused.
pub(crate) fn of_request(error: BodyError) -> Reason {
    match error.kind() {
        BodyFault::DuplicateKey => Reason::BodyDuplicateKey,
        BodyFault::RecordTooLarge | BodyFault::TooManyFields => Reason::BodyTooLarge,
        BodyFault::PartUnreadable => Reason::BodyMediaType,
        BodyFault::Undeclared => Reason::MinimisationViolation,
        BodyFault::NothingLeft => Reason::Prohibited,
        BodyFault::Malformed
        | BodyFault::InvalidUtf8
        | BodyFault::Ragged
        | BodyFault::TooDeep
        | BodyFault::Truncated
        | BodyFault::TrailingBytes => Reason::BodyMalformed,
        BodyFault::OutOfTurn | BodyFault::Internal => Reason::EvaluationError,
    }
}

/// Why an answer's body is not passed on.
pub(crate) fn of_answer(error: BodyError) -> Refusal {
    Refusal::plain(match error.kind() {
        BodyFault::DuplicateKey => Reason::ResponseDuplicateKey,
        BodyFault::RecordTooLarge | BodyFault::TooManyFields => Reason::ResponseRecordTooLarge,
        BodyFault::PartUnreadable => Reason::ResponseMediaType,
        BodyFault::Undeclared => Reason::FieldUndeclared,
        BodyFault::NothingLeft => return Refusal::personal(Reason::Prohibited),
        BodyFault::Truncated => Reason::ResponseTruncated,
        BodyFault::Malformed
        | BodyFault::InvalidUtf8
        | BodyFault::Ragged
        | BodyFault::TooDeep
        | BodyFault::TrailingBytes => Reason::ResponseMalformed,
        BodyFault::OutOfTurn | BodyFault::Internal => Reason::EvaluationError,
    })
}
