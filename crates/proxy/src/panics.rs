//! What is told of a panic.

use std::panic::PanicHookInfo;

/// Has panics told by the place where they were, and not by what they say: that may hold what they were about, such as
/// the text that was to be cut.
pub fn tell_panics_by_place() {
    std::panic::set_hook(Box::new(tell));
}

fn tell(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    tracing::error!(place, "a panic");
}
