//! Whether a host or a hub is well, by when it was last heard of, and by what a hub
//! says of its devices.

/// What can be said of a host, or of a hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its figures come as they should.
    Up,
    /// A figure or two did not come; of a hub also: it does not reach all.
    Late,
    /// Its hub cannot reach it, or nothing comes any more.
    Down,
    /// Nothing ever came.
    Unknown,
}

/// Intervals that may pass until a host is late, and until it is down.
const LATE_INTERVALS: u64 = 2;
const DOWN_INTERVALS: u64 = 5;
/// And beside them, for the ways of hub and server.
const SLACK_MS: u64 = 10_000;

impl State {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Late => "late",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }

    pub(super) fn of(
        seen_ms: Option<u64>,
        interval_ms: u64,
        reachable: Option<bool>,
        now_ms: u64,
    ) -> Self {
        let Some(seen_ms) = seen_ms else { return Self::Unknown };
        let age_ms = now_ms.saturating_sub(seen_ms);
        let past = |intervals: u64| age_ms > interval_ms.saturating_mul(intervals) + SLACK_MS;
        if reachable == Some(false) || past(DOWN_INTERVALS) {
            Self::Down
        } else if past(LATE_INTERVALS) {
            Self::Late
        } else {
            Self::Up
        }
    }

    /// Of a hub, which is as well as what it says of itself is fresh, and at most late
    /// while it does not reach all of its devices.
    pub(super) fn of_hub(
        seen_ms: Option<u64>,
        interval_ms: u64,
        reaches_all: bool,
        now_ms: u64,
    ) -> Self {
        match Self::of(seen_ms, interval_ms, None, now_ms) {
            Self::Up if !reaches_all => Self::Late,
            state => state,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_follow_the_age_and_the_word_of_the_hub() {
        let state = |age_s: u64, interval_s: u64, reachable| {
            let now_ms = 1_000_000_000;
            State::of(Some(now_ms - age_s * 1_000), interval_s * 1_000, reachable, now_ms)
        };
        assert_eq!(State::of(None, 10_000, Some(true), 5), State::Unknown);
        for (age_s, interval_s, reachable, wanted) in [
            (5, 10, None, State::Up),
            (30, 10, Some(true), State::Up),
            (31, 10, Some(true), State::Late),
            (60, 10, None, State::Late),
            (61, 10, Some(true), State::Down),
            (5, 10, Some(false), State::Down),
            (600, 300, None, State::Up),
            (620, 300, None, State::Late),
            // A short interval does not make a host late at every hiccup.
            (11, 1, None, State::Up),
            (14, 1, None, State::Late),
        ] {
            assert_eq!(state(age_s, interval_s, reachable), wanted, "{age_s} s at {interval_s} s");
        }
        // Its clock is ahead.
        assert_eq!(State::of(Some(9_000), 1_000, None, 5_000), State::Up);
    }

    #[test]
    fn a_hub_is_late_while_it_does_not_reach_all_and_down_when_it_is_silent() {
        let now_ms = 1_000_000_000;
        for (age_s, reaches_all, wanted) in [
            (5, true, State::Up),
            (5, false, State::Late),
            (31, true, State::Late),
            (61, true, State::Down),
            (61, false, State::Down),
        ] {
            let state = State::of_hub(Some(now_ms - age_s * 1_000), 10_000, reaches_all, now_ms);
            assert_eq!(state, wanted, "{age_s} s");
        }
        assert_eq!(State::of_hub(None, 0, false, now_ms), State::Unknown);
    }
}
