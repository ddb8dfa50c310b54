//! The days of a case's sentences in the bundle's time zone.

use consentry_model::{ConsentEvent, LedgerEvent, Moment};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::given::OPEN_DAY;

/// An event whose days, read as days of UTC, begin when they do in a time zone.
pub(super) fn in_zone(event: LedgerEvent, zone: &TimeZone) -> LedgerEvent {
    let move_to = |at: Moment| {
        let there = Timestamp::from_millisecond(at.unix_millis())
            .ok()
            .and_then(|at| at.to_zoned(TimeZone::UTC).date().to_zoned(zone.clone()).ok());
        let moved = there.map(|there| Moment::from_unix_millis(there.timestamp().as_millisecond()));
        if at == OPEN_DAY { at } else { moved.unwrap_or(at) }
    };
    match event {
        LedgerEvent::Consent(consent) => LedgerEvent::Consent(ConsentEvent {
            effective: move_to(consent.effective),
            valid_until: consent.valid_until.map(move_to),
            ..consent
        }),
        LedgerEvent::Objection { purpose, recipient, effective } => {
            LedgerEvent::Objection { purpose, recipient, effective: move_to(effective) }
        }
        LedgerEvent::Contract { state, effective } => {
            LedgerEvent::Contract { state, effective: move_to(effective) }
        }
        LedgerEvent::Restriction { on, effective } => {
            LedgerEvent::Restriction { on, effective: move_to(effective) }
        }
        LedgerEvent::Erasure { effective } => LedgerEvent::Erasure { effective: move_to(effective) },
        LedgerEvent::Suppression { on, effective } => {
            LedgerEvent::Suppression { on, effective: move_to(effective) }
        }
        LedgerEvent::Attribute { name, value, effective } => {
            LedgerEvent::Attribute { name, value, effective: move_to(effective) }
        }
        LedgerEvent::Occurrence { what, effective } => {
            LedgerEvent::Occurrence { what, effective: move_to(effective) }
        }
        LedgerEvent::Duty { what, due, effective } => {
            LedgerEvent::Duty { what, due: due.map(move_to), effective: move_to(effective) }
        }
    }
}
