//! What the ledger holds about a subject: events, and when each was recorded.

use crate::{LedgerEvent, LedgerRevision, Moment, SubjectRef};

/// What the ledger holds about one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectState {
    /// The subject.
    pub subject: SubjectRef,
    /// Its events, in the order they were recorded.
    pub events: Vec<RecordedEvent>,
}

/// An event as the ledger holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The revision that recorded it. It tells the order of recording, whatever clocks showed.
    pub revision: LedgerRevision,
    /// What the clock showed when it was recorded.
    pub recorded_at: Moment,
    /// The event.
    pub event: LedgerEvent,
}

impl RecordedEvent {
    /// Whether it bears a date that was still to come when it was recorded: it was dated ahead on purpose. Any other
    /// had happened when it was recorded, whatever the clock showed.
    #[must_use]
    pub const fn is_dated_ahead(&self) -> bool {
        self.event.effective().unix_millis() > self.recorded_at.unix_millis()
    }
}

impl SubjectState {
    /// The same history for a question about a moment that is past: without what was neither recorded nor to count by
    /// then. By the dates alone a moment that is past looks like one at which a clock was set back, and there a no that
    /// bears a later date counts already. What bears a date after `now` was written by such a clock, and stays.
    #[must_use]
    pub fn looking_back(&self, at: Moment, now: Moment) -> Self {
        let is_later = |e: &RecordedEvent| {
            let effective = e.event.effective();
            at < effective && effective <= now && !e.is_dated_ahead()
        };
        let events = self.events.iter().filter(|e| !is_later(e)).cloned().collect();
        Self { subject: self.subject, events }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_looks_back_does_not_see_what_was_recorded_later() {
        let event = |recorded: i64, effective: i64| RecordedEvent {
            revision: LedgerRevision(1),
            recorded_at: Moment::from_unix_millis(recorded),
            event: LedgerEvent::Erasure { effective: Moment::from_unix_millis(effective) },
        };
        let (at, now) = (Moment::from_unix_millis(50), Moment::from_unix_millis(100));
        for (what, recorded, effective, seen) in [
            ("recorded by then", 40, 40, true),
            ("at that moment", 50, 50, true),
            ("later", 51, 51, false),
            ("later, and dated back", 60, 40, true),
            ("later, and dated back to after it", 90, 51, false),
            ("just now", 100, 100, false),
            ("by a clock that was ahead", 101, 101, true),
            ("by then, and dated ahead", 40, 70, true),
            ("later, and dated ahead", 60, 70, true),
        ] {
            let state = SubjectState {
                subject: SubjectRef::from_bytes([1; 16]),
                events: vec![event(recorded, effective)],
            };
            assert_eq!(!state.looking_back(at, now).events.is_empty(), seen, "{what}");
        }
    }
}
