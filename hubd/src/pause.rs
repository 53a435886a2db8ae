//! How long to wait before a post is tried again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The pause after a first failure, at most.
const FIRST: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST: Duration = Duration::from_secs(30);

/// Pauses that double with every failure up to the longest, each shortened by
/// chance to between half and all of it, so that hubs which lost the same server
/// do not all come back in the same moment.
#[derive(Debug)]
pub(crate) struct Pause {
    longest: Duration,
    failures: u32,
    chance: RandomState,
}

impl Default for Pause {
    fn default() -> Self {
        Self::up_to(LONGEST)
    }
}

impl Pause {
    /// Pauses that are never longer than `longest`.
    pub(crate) fn up_to(longest: Duration) -> Self {
        Self { longest, failures: 0, chance: RandomState::new() }
    }

    /// The pause after one more failure.
    pub(crate) fn next(&mut self) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.failures.min(10)).min(self.longest);
        self.failures = self.failures.saturating_add(1);
        // A keyed hash of a count is as good as chance, and needs no crate.
        let parts = u32::try_from(self.chance.hash_one(self.failures) % 1_001).unwrap_or(0);
        whole / 2 + whole / 2 * parts / 1_000
    }

    /// Failures since the last success.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// It went well: the next pause is short again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::{FIRST, LONGEST, Pause};
    use std::time::Duration;

    #[test]
    fn grows_to_the_longest_and_starts_again() {
        let mut pause = Pause::default();
        let mut whole = FIRST;
        for _ in 0..100 {
            let next = pause.next();
            assert!(whole / 2 <= next && next <= whole, "{next:?} of {whole:?}");
            whole = (whole * 2).min(LONGEST);
        }
        assert_eq!(whole, LONGEST);
        pause.reset();
        assert!(pause.next() <= FIRST);
    }

    #[test]
    fn two_hubs_do_not_keep_step() {
        let pauses = || {
            let mut pause = Pause::default();
            (0..8).map(|_| pause.next()).collect::<Vec<Duration>>()
        };
        assert_ne!(pauses(), pauses());
    }
}
