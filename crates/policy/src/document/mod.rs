//! The source document beside the bundle: its sentences, and which clauses rest on which of them.
//!
//! A bundle holds no sentence of the document. A clause names the *fingerprints* of the sentences it comes from, so
//! that a given document can be compared with it: which sentences no clause covers, and which clauses rest on a
//! sentence that has changed since somebody last read it.

mod coverage;
mod enforcers;
mod fold;
mod headings;
mod markup;
mod overlap;
mod pieces;
mod rewrite;
mod sentences;
mod take;

pub use coverage::{ClauseFooting, Coverage, CoverageTotals, Footing, SentenceCoverage};
pub use enforcers::{Enforcer, EnforcerKind, enforcers};
pub use fold::fingerprint;
pub use sentences::{Document, Sentence, SentenceKind};
pub use take::{LeftOut, TakeError, Taken, WhyLeftOut, take_fingerprints};
