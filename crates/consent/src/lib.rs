//! The ledger: what each person said, and what stands of it at a moment.
//!
//! A [`Ledger`] keeps an append-only history of [`LedgerEvent`](consentry_model::LedgerEvent)s per subject, and
//! which [`Identifier`](consentry_model::Identifier)s name that subject. It answers a whole window of identifiers
//! at once, from one consistent snapshot, with the revision it answered from. Two are here: [`MemoryLedger`] for
//! tests and demonstrations, [`SqliteLedger`] for one machine and any number of processes on it.
//!
//! What the history amounts to is pure: [`standing`] tells what a consent is worth for one purpose and recipient;
//! [`contract`], [`restricted`], [`suppressed`] and [`erased`] where the person stands; [`attribute`] and
//! [`attributes`] what is known of the person; [`informed`], [`told_of`], [`notified_of`], [`collected_at`],
//! [`sent_since`] and [`disclosed_to`] what happened; and [`owed`] what is still to be done. None of them reads a
//! clock, and nothing counts before its effective time, but for what closes something and was written by a clock that was
//! ahead: that counts at once.
//!
//! What may happen only so often claims its place with [`Ledger::reserve`], which counts and writes in one step.
//!
//! ```
//! use consentry_consent::{Ledger, MemoryLedger, standing};
//! use consentry_model::{
//!     ConsentEvent, ConsentKind, ConsentState, Identifier, LedgerEvent, Lineage, Moment, Purpose, Resolution, Space,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let ledger = MemoryLedger::new();
//! let ann = Identifier::new(Space::new("customer"), "1001");
//! let now = Moment::from_unix_millis(1_000);
//! let newsletter = Purpose::new("marketing.email")?;
//! let yes = LedgerEvent::Consent(ConsentEvent {
//!     purpose: newsletter.clone(),
//!     state: ConsentState::Given,
//!     kind: ConsentKind::OptIn,
//!     recipient: None,
//!     effective: now,
//!     valid_until: None,
//!     notice: None,
//! });
//! ledger.append(&ann, &[yes], now).await?;
//!
//! let batch = ledger.resolve(&[ann]).await?;
//! let [Resolution::Known(state)] = batch.answers.as_slice() else { return Err("unresolved".into()) };
//! let lineage = Lineage::new(newsletter, vec![Purpose::new("marketing")?], vec![]);
//! let stands = standing(state, &lineage, &|_| true, now);
//! assert!(stands.kinds.satisfies(ConsentKind::OptIn));
//! assert_eq!(stands.state, ConsentState::Given);
//! # Ok(())
//! # }
//! ```

mod attributes;
mod counted;
mod duties;
mod error;
mod ledger;
mod limit;
mod memory;
mod occurrences;
mod rights;
mod sqlite;
mod standing;
mod subject;

pub use attributes::{attribute, attributes};
pub use duties::owed;
pub use error::{LedgerError, LedgerErrorKind};
pub use ledger::{Appended, Batch, Ledger};
pub use limit::{Limit, Reserved};
pub use memory::MemoryLedger;
pub use occurrences::{collected_at, disclosed_to, informed, notified_of, sent_since, told_of};
pub use rights::{contract, erased, restricted, suppressed};
pub use sqlite::{LEDGER_ANSWER_MILLIS_MAX, LEDGER_BUSY_MILLIS_MAX, SqliteLedger};
pub use standing::{Standing, standing, standing_for};
