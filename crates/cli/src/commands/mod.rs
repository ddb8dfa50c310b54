//! The commands, one file each.

pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod clauses;
pub(crate) mod completions;
pub(crate) mod consent;
pub(crate) mod demo;
pub(crate) mod explain;
pub(crate) mod impact;
pub(crate) mod init;
pub(crate) mod keygen;
pub(crate) mod policy;
pub(crate) mod prove;
pub(crate) mod seal;
pub(crate) mod serve;
pub(crate) mod test;
pub(crate) mod token;
