//! The one place where the layer learns what time it is.

use consentry_model::Moment;

/// Tells the time. Decisions take it as an argument; tests tell their own.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Moment;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment::from_system(std::time::SystemTime::now())
    }
}
