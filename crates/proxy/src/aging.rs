//! The age of the bundle in force, told when it passes a mark: a warning at half of what is allowed, an error beyond.

use crate::state::State;

/// How old the bundle in force is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    /// Found sealed a short while ago.
    Young,
    /// Beyond half of what is allowed.
    Half,
    /// Refused: nothing is decided with it.
    TooOld,
}

impl Age {
    /// An age among marks, in milliseconds. With long polls the warning waits for two of them, which are nothing odd.
    const fn of(age_ms: i64, max_ms: i64, poll_ms: i64) -> Self {
        let half = max_ms / 2;
        let two_polls = poll_ms.saturating_mul(2);
        let warn_ms = if half > two_polls { half } else { two_polls };
        if age_ms > max_ms {
            Self::TooOld
        } else if age_ms > warn_ms {
            Self::Half
        } else {
            Self::Young
        }
    }
}

/// Tells of the bundle's age once for each mark that it passes.
pub(crate) struct Aging {
    told: Age,
}

impl Aging {
    pub(crate) const fn new() -> Self {
        Self { told: Age::Young }
    }

    /// Looks at the age, and tells what is new about it.
    pub(crate) fn look(&mut self, state: &State) {
        let Some(age_ms) = state.bundle_age_ms() else { return };
        let max_secs = state.config.limits.bundle_age_secs_max;
        let max_ms = state.bundle_age_ms_max();
        let age = Age::of(
            age_ms.saturating_abs(),
            max_ms,
            i64::try_from(state.config.reload_poll_ms).unwrap_or(i64::MAX),
        );
        let age_secs = age_ms / 1000;
        match self.news(age) {
            Some((_, Age::TooOld)) => tracing::error!(
                "the last good bundle is too old ({age_secs} s, {max_secs} at most): everything is refused"
            ),
            Some((_, Age::Half)) => tracing::warn!(
                "the last good bundle grows old ({age_secs} s, {max_secs} at most): beyond that everything is refused"
            ),
            Some((Age::TooOld, Age::Young)) => {
                tracing::info!("a good bundle is in force again: requests are decided");
            }
            Some(_) | None => {}
        }
    }

    /// What was told before and what is to be told now, if that differs.
    fn news(&mut self, age: Age) -> Option<(Age, Age)> {
        let before = std::mem::replace(&mut self.told, age);
        (before != age).then_some((before, age))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_at_half_and_beyond_the_limit() {
        let table = [
            (-5_000, 1_000, Age::Young),
            (50_000, 1_000, Age::Young),
            (50_001, 1_000, Age::Half),
            (100_000, 1_000, Age::Half),
            (100_001, 1_000, Age::TooOld),
            // Long polls: what lies between two of them is no reason to warn, and never a reason to be silent.
            (70_000, 40_000, Age::Young),
            (80_001, 40_000, Age::Half),
            (100_001, 3_600_000, Age::TooOld),
        ];
        for (age_ms, poll_ms, expected) in table {
            assert_eq!(Age::of(age_ms, 100_000, poll_ms), expected, "{age_ms} {poll_ms}");
        }
    }

    #[test]
    fn each_mark_is_told_once() {
        let mut aging = Aging::new();
        let seen = [Age::Young, Age::Half, Age::Half, Age::TooOld, Age::TooOld, Age::Young, Age::Young];
        let told: Vec<_> = seen.into_iter().filter_map(|age| aging.news(age)).collect();
        let expected = [(Age::Young, Age::Half), (Age::Half, Age::TooOld), (Age::TooOld, Age::Young)];
        assert_eq!(told, expected);
    }
}
