//! The keys of pseudonyms: one for each purpose and calendar month.

use std::fmt;
use std::sync::Arc;

use consentry_body::Pseudonyms;
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
        let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).ok()?;
        let recipient = access.destination.as_ref().unwrap_or(&access.recipient);
        let at = jiff::Timestamp::from_millisecond(access.now.unix_millis()).ok()?;
        let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
        for part in
            [access.purpose.as_str(), recipient.as_str(), &format!("{}-{}", date.year(), date.month())]
        {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        let bytes: [u8; 32] = mac.finalize().into_bytes().into();
        Some(Pseudonyms::new(&bytes).with_names(Arc::clone(&access.installed.class_names)))
    }
}
