//! The keys of pseudonyms: one for each purpose, recipient and calendar month.

use std::fmt;
use std::sync::Arc;

use consentry_body::Pseudonyms;
use consentry_model::{Moment, Purpose, RecipientId};
use consentry_policy::Kept;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::describe::Access;
use crate::layer::Shared;

/// The key that the pseudonyms of one controller are derived from. It is never printed.
#[derive(Clone)]
pub struct PseudonymKey([u8; 32]);

impl PseudonymKey {
    /// Takes 32 random bytes. Whoever holds them can tell whose pseudonym is whose.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(<redacted>)")
    }
}

impl Shared {
    /// The pseudonyms of one exchange: for its purpose and recipient, stable within the calendar month of UTC. The same
    /// value has another pseudonym for the next purpose, so that what was given for the one cannot be joined with what
    /// was given for the other.
    pub(crate) fn pseudonyms(&self, access: &Access) -> Option<Pseudonyms> {
        let key = self.pseudonym_key.as_ref()?;
        let recipient = access.destination.as_ref().unwrap_or(&access.recipient);
        let (year, month) = month_of(access.now)?;
        let term = Term { purpose: access.purpose.clone(), recipient: recipient.clone(), year, month };
        let find = || key.of(&term).map(|bytes| Pseudonyms::new(&bytes));
        let derived = self.derived_keys.get_or(&term, find);
        derived.map(|derived| derived.with_names(Arc::clone(&access.installed.class_names)))
    }
}

/// Whether what is decided at these two times has pseudonyms of one key.
pub(crate) fn is_same_month(one: Moment, other: Moment) -> bool {
    one == other || month_of(one) == month_of(other)
}

/// The year and the month of UTC, where the calendar has them.
fn month_of(at: Moment) -> Option<(i16, i8)> {
    let at = jiff::Timestamp::from_millisecond(at.unix_millis()).ok()?;
    let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
    Some((date.year(), date.month()))
}

/// For what and for whom pseudonyms are made, and in which month of UTC.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Term {
    purpose: Purpose,
    recipient: RecipientId,
    year: i16,
    month: i8,
}

/// The keys that were derived of one key before.
pub(crate) type DerivedKeys = Kept<Term, Option<Pseudonyms>>;

impl PseudonymKey {
    /// The key of a term.
    fn of(&self, Term { purpose, recipient, year, month }: &Term) -> Option<[u8; 32]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        for part in [purpose.as_str(), recipient.as_str(), &format!("{year}-{month}")] {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        Some(mac.finalize().into_bytes().into())
    }
}
