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
mod engine;
mod rules;
mod text;

pub use bundle::{
    About, Body, Bundle, Case, CaseOutcome, Clause, ClauseStatus, Contact, CookieDef, CookieForm, DataClass,
    EventEffect, EventSpec, Excess, Expectation, Given, HeadField, LockError, PurposeRule, ReadError,
    RecipientDef, Reference, RequesterDef, Right, Route, RouteMatch, SealError, SealedSource, ServiceMap,
    SubjectSource, Vocabulary, seal,
};
pub use engine::{
    CoreFacts, Engine, EngineError, Item, Permit, Person, Question, Refusal, Ruling, Trace, TraceLine,
};
pub use rules::{Basis, Condition, Cure, Duty, Origin, Rule, Test, Verb};
pub use text::{Diagnostic, Diagnostics, Place, Severity, Sources};

/// Strict YAML: one reading for bundles and configurations alike.
pub mod yaml {
    pub use crate::text::{Kind, Node, Span, YamlFault};
}
