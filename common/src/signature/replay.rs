//! What came before: whoever has seen a signed request could send it again. Only
//! requests that were signed with a secret get here, so strangers fill nothing.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::WINDOW_S;

/// The requests that could be repeated by now.
#[derive(Debug)]
pub(super) struct Replay {
    /// Requests that are remembered; 32 bytes each, and what the tree adds.
    capacity: usize,
    /// When each was made, and its nonce.
    seen: Mutex<BTreeSet<(u64, u128)>>,
}

/// What is known of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// It comes for the first time.
    New,
    /// It was here before.
    Seen,
    /// So many came of late that no more can be remembered.
    Full,
}

impl Replay {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, seen: Mutex::default() }
    }

    /// Remembers a request until its time, which is within the window now, is out
    /// of it.
    pub(super) fn remember(&self, created_s: u64, nonce: u128, now_s: u64) -> Memory {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(&(oldest_s, _)) = seen.first()
            && oldest_s.saturating_add(WINDOW_S) < now_s
        {
            seen.pop_first();
        }
        if seen.contains(&(created_s, nonce)) {
            Memory::Seen
        } else if seen.len() >= self.capacity {
            Memory::Full
        } else {
            seen.insert((created_s, nonce));
            Memory::New
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_796_000_000;

    #[test]
    fn a_request_is_remembered_as_long_as_it_could_be_repeated() {
        let replay = Replay::new(10);
        for created in [NOW - WINDOW_S, NOW, NOW + WINDOW_S] {
            assert_eq!(replay.remember(created, 1, NOW), Memory::New);
            for now in NOW..=created + WINDOW_S {
                assert_eq!(replay.remember(created, 1, now), Memory::Seen, "{created} {now}");
            }
        }
        assert_eq!(replay.remember(NOW + WINDOW_S, 2, NOW), Memory::New, "another nonce");
    }

    #[test]
    fn when_it_is_full_there_is_room_again_once_the_oldest_are_out_of_the_window() {
        let replay = Replay::new(3);
        for nonce in 0..3 {
            assert_eq!(replay.remember(NOW, nonce, NOW), Memory::New);
        }
        assert_eq!(replay.remember(NOW, 3, NOW), Memory::Full);
        assert_eq!(replay.remember(NOW, 0, NOW), Memory::Seen, "also while it is full");
        let later = NOW + WINDOW_S;
        assert_eq!(replay.remember(later, 3, later), Memory::Full);
        assert_eq!(replay.remember(later, 3, later + 1), Memory::New);
    }
}
