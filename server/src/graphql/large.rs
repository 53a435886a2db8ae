//! One large query at a time: an answer of many rows takes tens of megabytes
//! while it is put together, and the server has room for one.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

/// Whether a large query is being answered.
#[derive(Debug, Default)]
pub(super) struct Large {
    busy: Mutex<bool>,
    free: Condvar,
}

/// Held by the large query of the moment; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Permit(Arc<Large>);

impl Large {
    /// Waits for the permit; none if the deadline comes first.
    pub(super) fn wait(self: &Arc<Self>, deadline: Instant) -> Option<Permit> {
        let busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let left = deadline.saturating_duration_since(Instant::now());
        let (mut busy, _) = self
            .free
            .wait_timeout_while(busy, left, |busy| *busy)
            .unwrap_or_else(PoisonError::into_inner);
        if *busy {
            return None;
        }
        *busy = true;
        Some(Permit(Arc::clone(self)))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *self.0.busy.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.free.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_at_a_time_and_then_the_next() {
        let large = Arc::new(Large::default());
        let first = large.wait(Instant::now()).unwrap();
        assert!(large.wait(Instant::now()).is_none());
        std::thread::scope(|scope| {
            let next =
                scope.spawn(|| large.wait(Instant::now() + Duration::from_mins(1)).is_some());
            drop(first);
            assert!(next.join().unwrap());
        });
        assert!(large.wait(Instant::now()).is_some());
    }
}
