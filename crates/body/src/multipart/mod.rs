//! Forms in parts (RFC 7578).

mod form;
mod head;
mod split;

pub(crate) use form::{Parts, beside, texts};
pub(crate) use split::is_boundary;
