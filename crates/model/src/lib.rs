//! The nouns that every other crate shares.
//!
//! Nothing here reads a clock, a file or a socket, and nothing here depends on anything but `serde`. The words
//! are those of the field: a *requester* asks, for a *recipient*, to do an *act* with a *class* of a *subject's*
//! data for a *purpose*; the *verdict* says how revealing the answer may be.
//!
//! Two types guard against leaks by accident: [`Identifier`] never prints its value, and [`Reason`] knows who may
//! be told it.

mod act;
mod consent;
mod facts;
mod field_map;
mod field_map_builder;
mod fields;
mod hex;
mod key;
mod media;
mod member;
mod moment;
mod party;
mod proof;
mod reason;
mod recorded;
mod revision;
mod subject;
mod treatment;
mod verdict;

pub use act::Act;
pub use consent::{
    ConsentEvent, ConsentKind, ConsentState, ContractState, KindSet, LawfulBasis, LedgerEvent, Occurrence,
    Owed,
};
pub use facts::{FactDef, FactId, FactSchema, FactSource, FactType, FactValue, Facts};
pub use field_map::FieldMap;
pub use field_map_builder::FieldMapBuilder;
pub use fields::{ClassId, Emptied, Field, NodeId, PathError, RecordScope, Scalar, ScopeId, Wrap};
pub use hex::{hex, push_hex};
pub use key::{Category, KeyError, Lineage, Purpose};
pub use media::{
    Format, MediaTypes, UnreadableType, charset_name, is_ascii_based, is_known_charset, is_media_type,
};
pub use moment::Moment;
pub use party::{RecipientClass, RecipientId, RequesterId};
pub use proof::Proof;
pub use reason::{Audience, Reason};
pub use recorded::{RecordedEvent, SubjectState};
pub use revision::{BundleDigest, LedgerRevision, VocabularyRevision};
pub use subject::{Identifier, Resolution, Space, SubjectRef, SubjectType};
pub use treatment::{Ladder, MaskForm, Treatment, TruncateForm};
pub use verdict::{Outcome, RuleId, Verdict};
