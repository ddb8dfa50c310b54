//! Bodies that are lists of names and texts.

mod names;
mod row;

pub(crate) use names::{Place, Places};
pub(crate) use row::{Cell, Fate, Row};
