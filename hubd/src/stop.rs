//! The word to stop, and waiting for it.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wakes those who wait for their time when it is time to stop.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    said: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Says it.
    pub(crate) fn say(&self) {
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits until `moment`. Returns whether it is time to stop.
    pub(crate) fn wait_until(&self, moment: Instant) -> bool {
        self.wait(moment.saturating_duration_since(Instant::now()))
    }

    /// Waits for `patience`. Returns whether it is time to stop.
    pub(crate) fn wait(&self, patience: Duration) -> bool {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let (said, _) = self
            .changed
            .wait_timeout_while(said, patience, |said| !*said)
            .unwrap_or_else(PoisonError::into_inner);
        *said
    }
}

#[cfg(test)]
mod tests {
    use super::Stop;
    use std::time::{Duration, Instant};

    #[test]
    fn wakes_who_waits() {
        let stop = Stop::default();
        assert!(!stop.wait_until(Instant::now()));
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| stop.wait(Duration::MAX));
            stop.say();
            assert!(waiter.join().unwrap());
        });
        assert!(stop.wait(Duration::MAX));
    }
}
