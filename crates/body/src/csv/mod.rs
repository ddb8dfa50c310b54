//! Tables (RFC 4180): each row a record, each column a field.

mod scan;
mod table;

pub(crate) use table::{Table, columns};
