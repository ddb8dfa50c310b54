//! The one place where the layer learns what time it is.

use std::sync::OnceLock;
use std::time::Instant;

use consentry_model::Moment;

/// Tells the time. Decisions take it as an argument; tests tell their own.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Moment;

    /// The time since some beginning, for whatever counts how long something took: nobody sets it. It is the time now where
    /// nothing else is said.
    fn steady(&self) -> Moment {
        self.now()
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment::from_system(std::time::SystemTime::now())
    }

    fn steady(&self) -> Moment {
        static BEGINNING: OnceLock<Instant> = OnceLock::new();
        let since = BEGINNING.get_or_init(Instant::now).elapsed();
        Moment::from_unix_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
