//! Bundle text → checked rules → Cedar policies → decisions.
//!
//! A *bundle* is one controller's folder of YAML: rules, vocabulary additions, service map, clauses and cases.
//! [`Bundle::load`] reads it as a compiler would, and reports everything that is wrong at once. [`Engine`] decides: it
//! is pure, synchronous and does no I/O. It compiles the rules to Cedar policies under a generated strict schema, which
//! is the reference semantics and can be printed.
//!
//! ```
//! use consentry_policy::{Bundle, Sources};
//!
//! let sources = Sources::from_texts([("bundle.yaml", "bundle: {controller: Example}\n")]);
//! let diagnostics = Bundle::read(&sources).unwrap_err();
//! assert!(diagnostics.iter().any(|d| d.code == "key-missing"));
//! ```

mod bundle;
mod compare;
mod document;
mod engine;
mod proof;
mod rules;
mod text;

pub use bundle::{
    About, Adds, Body, Bundle, Case, CaseOutcome, Change, Clause, ClauseStatus, Contact, CookieDef,
    CookieForm, DataClass, Destination, Detector, EventEffect, EventSpec, Excess, Expectation, FactTarget,
    Given, HeadField, JSON_SCHEMA, LEDGER_TYPE, LockError, MailSettings, MessageMap, PurposeRule, ReadError,
    RecipientDef, Reference, Regime, Regimes, RequesterDef, Right, Route, RouteMatch, SealError,
    SealedSource, ServiceMap, Settings, SubjectSource, Vocabulary, is_country, may_be_answered, may_be_sent,
    seal,
};
pub use compare::{
    CellChange, Circumstances, Difference, Impact, NotCompared, NotReplayable, Reach, Recorded, RecordedFact,
    Replay,
};
pub use document::{
    ClauseFooting, Coverage, CoverageTotals, Document, Enforcer, EnforcerKind, Footing, LeftOut, Sentence,
    SentenceCoverage, SentenceKind, TakeError, Taken, WhyLeftOut, enforcers, fingerprint, take_fingerprints,
};
pub use engine::{
    CedarQuestion, Cell, CoreFacts, Decision, Engine, EngineError, FactWord, Item, Kept, Permit, Person,
    Question, Refusal, ReportOnly, Ruling, Trace, TraceLine, gravest,
};
pub use proof::{Counterexample, Proof, ProofOutcome, Proven};
#[cfg(feature = "symbolic")]
pub use proof::{Solver, SymbolicCounterexample, SymbolicOutcome, SymbolicProof, SymbolicallyProven};
pub use rules::{
    Assumption, Basis, BuiltIn, Cadence, Condition, CoreOperands, Cure, Duty, FactBook, FactFrom, Invariant,
    NativePolicy, OperandDef, OperandId, OperandType, Operands, Origin, Period, Predicate, Rule, Stretch,
    Test, Value, Values, Verb, age, day_in,
};
pub use text::{Diagnostic, Diagnostics, Place, Severity, Sources};

/// Strict YAML: one reading for bundles and configurations alike.
pub mod yaml {
    pub use crate::text::{Kind, Lines, Node, Span, YamlFault};
}
