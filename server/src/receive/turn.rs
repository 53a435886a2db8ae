//! Large documents are read one at a time. Read, a document takes some five
//! times its own room (an id of two bytes becomes one of four, a pair of ten
//! becomes two slices), and it may have been unpacked from next to nothing: the
//! limits of the HTTP server do not see that.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// One at a time.
#[derive(Debug, Default)]
pub(super) struct Turn {
    is_taken: Mutex<bool>,
    came_free: Condvar,
}

/// Held while it is one's turn.
#[derive(Debug)]
pub(super) struct Held<'t>(&'t Turn);

impl Turn {
    /// Waits for the turn; `None` if it did not come in time.
    pub(super) fn wait(&self, at_most: Duration) -> Option<Held<'_>> {
        let is_taken = self.is_taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut is_taken, waited) = self
            .came_free
            .wait_timeout_while(is_taken, at_most, |is_taken| *is_taken)
            .unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return None;
        }
        *is_taken = true;
        Some(Held(self))
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        *self.0.is_taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.came_free.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_waits_until_the_first_is_done() {
        let turn = Turn::default();
        let first = turn.wait(Duration::ZERO).unwrap();
        assert!(turn.wait(Duration::from_millis(1)).is_none());
        std::thread::scope(|scope| {
            let next = scope.spawn(|| turn.wait(Duration::from_mins(1)).is_some());
            drop(first);
            assert!(next.join().unwrap());
        });
        assert!(turn.wait(Duration::ZERO).is_some());
    }
}
