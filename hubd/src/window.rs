//! How many polls may be under way at once.
//!
//! A thread for each of 10,000 devices at once costs 230 MB; 64 at a time cost
//! 4 MB and less CPU, as long as answers come fast. So a cycle starts with a few
//! and lets more in while nothing comes back: a fleet that hangs is all started
//! within a fraction of a second, and one that answers is never waited for.

use std::time::Duration;

/// Polls that are let in before any answer is there.
const START: usize = 64;

/// How long nothing may come back before more are let in.
pub(crate) const PATIENCE: Duration = Duration::from_micros(500);

/// How many are let in then: 4,000 a second.
const STEP: usize = 2;

/// The number of polls that may be under way.
#[derive(Debug)]
pub(crate) struct Window {
    allowed: usize,
    most: usize,
}

impl Window {
    /// At most `most`, however slow the devices are.
    pub(crate) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self { allowed: START.min(most), most }
    }

    /// Polls that may be under way now.
    pub(crate) fn allowed(&self) -> usize {
        self.allowed
    }

    /// Nothing came back for `waited`.
    pub(crate) fn idle(&mut self, waited: Duration) {
        let steps = usize::try_from(waited.as_micros() / PATIENCE.as_micros()).unwrap_or(1);
        self.allowed = self.allowed.saturating_add(STEP * steps.max(1)).min(self.most);
    }

    /// No thread could be had beyond `alive`: the machine has fewer than we may.
    pub(crate) fn full_at(&mut self, alive: usize) {
        self.most = alive.max(1);
        self.allowed = self.allowed.min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::{PATIENCE, START, Window};

    #[test]
    fn grows_while_nothing_comes_back_and_stops_at_the_most() {
        let mut window = Window::new(1_000);
        assert_eq!(window.allowed(), START);
        let mut waits = 0;
        while window.allowed() < 1_000 {
            window.idle(PATIENCE);
            waits += 1;
        }
        assert!(PATIENCE * waits < std::time::Duration::from_millis(500), "{waits} waits");
        window.idle(PATIENCE * 1_000_000);
        assert_eq!(window.allowed(), 1_000);
    }

    #[test]
    fn few_threads_are_enough_to_go_on() {
        let mut window = Window::new(0);
        assert_eq!(window.allowed(), 1);
        window.idle(PATIENCE);
        assert_eq!(window.allowed(), 1);
        let mut window = Window::new(1_000);
        window.full_at(0);
        window.idle(PATIENCE);
        assert_eq!(window.allowed(), 1);
    }
}
