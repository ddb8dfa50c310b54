//! The JSON Schema for editors.

/// The JSON Schema (draft 2020-12) of a bundle file, for editors that complete and check while one writes. It knows the
/// shape of a file; that words are known, rules agree and clauses are covered only [`Bundle::read`](crate::Bundle::read)
/// can tell.
pub const JSON_SCHEMA: &str = include_str!("../../schema/bundle.schema.json");
