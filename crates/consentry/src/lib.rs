//! Enforces a published privacy policy on every HTTP request: one `tower` layer around a service.
//!
//! [`ConsentryLayer`] works out whose data a request touches, for which purpose and for which recipient, asks the
//! rules and each person's own consents, and lets the data through, redacts it or refuses. Each ruling is durable in
//! an evidence log before a protected byte leaves.
//!
//! This crate holds nothing of its own. It gathers what a service author needs, each thing under one path:
//!
//! | path | what is there |
//! |---|---|
//! | the crate itself | the layer, and the slots, limits and clock it is built with |
//! | [`policy`] | a bundle of rules, loaded, checked and compiled |
//! | [`identity`] | whose tokens are believed; an issuer for development |
//! | [`ledger`] | who agreed to what: in memory, in SQLite, or a ledger of your own |
//! | [`evidence`] | the log of rulings: writing, reading and checking it |
//! | [`model`] | the nouns that all of them share |
//!
//! # Building a layer
//!
//! Four parts are mandatory, and none of them has a default that would let data through:
//!
//! ```
//! use consentry::ConsentryLayer;
//!
//! let error = ConsentryLayer::builder().build().err().unwrap();
//! assert_eq!(error.to_string(), "the layer cannot be built without a policy slot");
//! ```
//!
//! 1. [`PolicySlot`]: holds the bundle in force. While it is empty, everything is refused.
//! 2. [`identity::Authenticator`]: believes the tokens of one issuer, for one audience, signed by known keys.
//! 3. [`ledger::Ledger`]: answers for whole windows of people at once.
//! 4. [`evidence::AuditLog`]: when it cannot be written, personal data is not served.
//!
//! # Where to put it
//!
//! A layer protects what it wraps and nothing else. A route that is added to a router *after* its `layer` method was
//! called is not behind the layer, and is served without a question. Finish the router first, then wrap the whole of
//! it as one service, as the example in `examples/axum` does.
//!
//! What the service map of the bundle does not describe is refused: a route that was forgotten there answers 403, and
//! a field that was forgotten does not leave.
//!
//! # What the layer must be told of a connection
//!
//! A request alone does not say by what connection it came. Whoever accepts connections puts a [`Transport`] among its
//! extensions; without one a request counts as come in clear, from nowhere, signed by nobody. Rules on the transport are
//! then never met, no certificate proves who calls, no gateway is known, and all callers without a token share one rate.
//!
//! ```
//! use std::net::SocketAddr;
//!
//! use consentry::{Tls, Transport, identity::Peer};
//!
//! /// Around the service that the layer wraps, by whoever called `accept` and ended TLS.
//! fn accepted<B>(mut request: http::Request<B>, from: SocketAddr) -> http::Request<B> {
//!     let peer = Peer { address: Some(from.ip()), ..Peer::default() };
//!     request.extensions_mut().insert(Transport { tls: Tls::V1_3, peer, ..Transport::default() });
//!     request
//! }
//!
//! let request = accepted(http::Request::new(()), ([192, 0, 2, 1], 4711).into());
//! assert_eq!(request.extensions().get::<Transport>().map(|came| came.tls), Some(Tls::V1_3));
//! ```
//!
//! # What the layer tells
//!
//! The inner service of a route that goes on to a recipient outside finds it as a [`Destination`] among the request's
//! extensions. Each answer carries an [`Account`] among its own: the route, the ruling and the reason, which may be
//! labels of a metric.

/// Bundles: one controller's rules, vocabulary, service map, clauses and cases.
///
/// [`Bundle::load_sealed`](policy::Bundle::load_sealed) reads a folder that was sealed, the only kind to serve from;
/// [`Bundle::read`](policy::Bundle::read) reads texts in memory. [`Engine::new`](policy::Engine::new) compiles either,
/// and [`Engine::compile_all`](policy::Engine::compile_all) every question that its service map can make: call it before
/// the bundle is installed, where one may wait. Without it each question is compiled by the request that asks it first.
pub mod policy {
    #[doc(inline)]
    pub use consentry_policy::{
        Bundle, Case, CaseOutcome, Clause, ClauseStatus, Contact, Diagnostic, Diagnostics, Engine,
        EngineError, LockError, Place, ReadError, ReportOnly, SealError, Severity, Sources, seal,
    };
}

/// Who asks: tokens, keys, and an issuer for development.
pub mod identity {
    #[doc(inline)]
    pub use consentry_identity::{
        Assurance, Authenticator, AuthenticatorConfig, CacheCounts, Ceiling, CeilingSource, CertificateError,
        CertificateHolder, CertificateName, Claims, ConfigError, Fingerprint, Gateway, IdentityError, Issuer,
        IssuerError, KeyProblem, KeySet, KeySetError, NamingHeaders, Network, Peer, PeerCertificate,
        TokenSpec,
    };
}

/// Who agreed to what: an append-only history of events per person.
pub mod ledger {
    #[doc(inline)]
    pub use consentry_consent::{
        Appended, Batch, Ledger, LedgerError, LedgerErrorKind, MemoryLedger, SqliteLedger,
    };
}

/// The record of every ruling, in a log that shows when it was tampered with.
pub mod evidence {
    #[doc(inline)]
    pub use consentry_audit::{
        AuditLog, Checkpoint, Closing, Damage, Direction, End, Entry, FactWord, Failure, Head, Health,
        LogError, LogOptions, OpenError, PolicyInstalled, PublicKey, PurposeSource, Reader, Record, RecordId,
        Records, Summary, Telemetry, TelemetryError, VerdictLine, Verdicts, VerifyFailure, VerifyOptions,
        VerifyReport, VerifyStatus, verify,
    };
}

/// The nouns: purpose, subject, consent, reason, verdict.
pub mod model {
    #[doc(inline)]
    pub use consentry_model::{
        Act, Audience, BundleDigest, Category, ConsentEvent, ConsentKind, ConsentState, ContractState,
        Identifier, KeyError, LawfulBasis, LedgerEvent, LedgerRevision, Moment, Outcome, Proof, Purpose,
        Reason, RecipientId, RecordedEvent, RequesterId, Resolution, RuleId, Space, SubjectRef, SubjectState,
        SubjectType, Treatment, VocabularyRevision,
    };
}

#[doc(inline)]
pub use consentry_layer::{
    Account, AuthenticatorSlot, BuildError, Builder, Clock, Consentry, ConsentryLayer, Destination,
    Installed, Limits, NewerKeys, PolicySlot, PseudonymKey, ResponseBody, StreamError, SystemClock, Tls,
    Transport,
};

/// Compiles and runs every example of the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
