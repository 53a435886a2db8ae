//! Signs of life of a thread: it says how long it may be silent, and whoever
//! watches it sees whether that is over.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a thread may be late by: a busy machine, a slow disk.
const SLACK: Duration = Duration::from_secs(30);

/// What a thread has said last.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    /// When it has to be heard of; `None`: it waits for others.
    due: Mutex<Option<Instant>>,
}

impl Pulse {
    /// The thread lives, and will be heard of within this time.
    pub(crate) fn within(&self, time: Duration) {
        self.set(Instant::now().checked_add(time.saturating_add(SLACK)));
    }

    /// The thread lives, and waits for others, however long.
    pub(crate) fn rest(&self) {
        self.set(None);
    }

    /// Whether it should have been heard of by now.
    pub(crate) fn is_late(&self, now: Instant) -> bool {
        let due = *self.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.is_some_and(|due| now > due)
    }

    fn set(&self, due: Option<Instant>) {
        *self.due.lock().unwrap_or_else(PoisonError::into_inner) = due;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_silent_for_too_long_is_late() {
        let (pulse, now) = (Pulse::default(), Instant::now());
        assert!(!pulse.is_late(now + Duration::from_hours(1)), "it has not begun");
        pulse.within(Duration::from_secs(10));
        assert!(!pulse.is_late(now + Duration::from_secs(10)));
        assert!(pulse.is_late(now + Duration::from_mins(1)));
        pulse.within(Duration::MAX);
        assert!(!pulse.is_late(now + Duration::from_hours(1)));
        pulse.within(Duration::ZERO);
        pulse.rest();
        assert!(!pulse.is_late(now + Duration::from_hours(1)));
    }
}
