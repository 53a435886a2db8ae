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
const PATIENCE: Duration = Duration::from_micros(500);

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

    /// How long to wait for an answer before [`Window::grow`]; `None` if it has
    /// grown as far as it may.
    pub(crate) fn patience(&self) -> Option<Duration> {
        (self.allowed < self.most).then_some(PATIENCE)
    }

    /// Nothing came back meanwhile: more may be under way.
    pub(crate) fn grow(&mut self) {
        self.allowed = self.allowed.saturating_add(STEP).min(self.most);
    }

    /// No thread could be had beyond `alive`: the machine has fewer than we may.
    pub(crate) fn full_at(&mut self, alive: usize) {
        self.most = alive.max(1);
        self.allowed = self.allowed.min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::{START, Window};
    use std::time::Duration;

    #[test]
    fn grows_while_nothing_comes_back_and_stops_at_the_most() {
        let mut window = Window::new(1_000);
        assert_eq!(window.allowed(), START);
        let mut waited = Duration::ZERO;
        while let Some(patience) = window.patience() {
            waited += patience;
            window.grow();
        }
        assert!(waited < Duration::from_millis(500), "{waited:?}");
        assert_eq!(window.allowed(), 1_000);
    }

    #[test]
    fn few_threads_are_enough_to_go_on() {
        let window = Window::new(0);
        assert_eq!((window.allowed(), window.patience()), (1, None));
        let mut window = Window::new(1_000);
        window.full_at(0);
        assert_eq!((window.allowed(), window.patience()), (1, None));
        window.grow();
        assert_eq!(window.allowed(), 1);
    }
}
