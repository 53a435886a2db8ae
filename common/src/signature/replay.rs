//! What came before: whoever has seen a signed request could send it again. Only
//! requests that were signed with a secret get here, so strangers fill nothing.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::WINDOW_S;

/// Room for so many is kept.
const KEPT: usize = 64;

/// The requests that could be repeated by now.
#[derive(Debug)]
pub(super) struct Replay {
    /// Requests that are remembered; 32 bytes each.
    capacity: usize,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// When each was made, and its nonce, in this order.
    seen: VecDeque<(u64, u128)>,
    /// When the latest of those was made that were forgotten.
    ///
    /// While the clock only goes on, this is out of the window. A clock that went
    /// ahead and is set back has forgotten what is in the window once more: then
    /// nothing that was made up to here is taken, for nobody knows whether it came
    /// before. That must not last. A clock that was a year ahead has forgotten what it
    /// had taken as made in a year, and would take nothing until then; so this is never
    /// kept further ahead than the window, and whoever asks with a right clock is put
    /// off for one window at most. What a clock that was ahead by more took and forgot
    /// could therefore be sent once more at the time at which it says it was made.
    forgotten_s: Option<u64>,
}

/// What is known of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// It comes for the first time.
    New,
    /// It was here before.
    Seen,
    /// It was made at a time of which some are forgotten: our clock was set back.
    Unsure,
    /// So many came of late that no more can be remembered.
    Full,
}

impl Replay {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, known: Mutex::default() }
    }

    /// Remembers a request until its time, which is within the window now, is out
    /// of it.
    pub(super) fn remember(&self, created_s: u64, nonce: u128, now_s: u64) -> Memory {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Known { seen, forgotten_s } = &mut *known;
        while let Some(&(oldest_s, _)) = seen.front()
            && oldest_s.saturating_add(WINDOW_S) < now_s
        {
            seen.pop_front();
            *forgotten_s = (*forgotten_s).max(Some(oldest_s));
        }
        // The room for a burst is given back once the burst is out of the window.
        if seen.capacity() > KEPT.max(seen.len() * 4) {
            seen.shrink_to(KEPT.max(seen.len() * 2));
        }
        let window_end_s = now_s.saturating_add(WINDOW_S);
        *forgotten_s = forgotten_s.map(|latest_s| latest_s.min(window_end_s));
        // Taken by a clock that was ahead. They can only be sent again when it is their
        // time, and would keep everybody out until then.
        if seen.len() >= self.capacity {
            seen.truncate(seen.partition_point(|(made_s, _)| *made_s <= window_end_s));
        }
        let Err(place) = seen.binary_search(&(created_s, nonce)) else { return Memory::Seen };
        if forgotten_s.is_some_and(|latest_s| created_s <= latest_s) {
            Memory::Unsure
        } else if seen.len() >= self.capacity {
            Memory::Full
        } else {
            seen.insert(place, (created_s, nonce));
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

    #[test]
    fn the_room_for_a_burst_is_given_back() {
        let replay = Replay::new(10_000);
        for nonce in 0..10_000 {
            assert_eq!(replay.remember(NOW, nonce, NOW), Memory::New);
        }
        let room = || replay.known.lock().unwrap().seen.capacity();
        assert!(room() >= 10_000);
        let later = NOW + WINDOW_S + 1;
        assert_eq!(replay.remember(later, 1, later), Memory::New);
        assert!(room() <= 2 * KEPT, "{}", room());
    }

    #[test]
    fn a_clock_that_steps_ahead_and_back_lets_nothing_come_twice() {
        for ahead_s in [WINDOW_S + 31, 86_400] {
            let replay = Replay::new(10);
            for created in [NOW, NOW + 30] {
                assert_eq!(replay.remember(created, 1, NOW + 30), Memory::New);
            }
            // Whoever asks has that clock too, and makes us forget.
            assert_eq!(replay.remember(NOW + ahead_s, 2, NOW + ahead_s), Memory::New);
            for created in [NOW, NOW + 30] {
                assert_eq!(replay.remember(created, 1, NOW + 40), Memory::Unsure, "{ahead_s}");
            }
            assert_eq!(replay.remember(NOW + 31, 3, NOW + 40), Memory::New, "{ahead_s}");
        }
    }

    #[test]
    fn a_clock_that_was_far_ahead_puts_nobody_off_for_longer_than_the_window() {
        let (replay, year_s) = (Replay::new(10), 365 * 86_400);
        assert_eq!(replay.remember(NOW + year_s, 1, NOW + year_s), Memory::New);
        let later = NOW + year_s + WINDOW_S + 1;
        assert_eq!(replay.remember(later, 2, later), Memory::New);
        // Set right.
        assert_eq!(replay.remember(NOW, 3, NOW), Memory::Unsure);
        let end = NOW + WINDOW_S;
        assert_eq!(replay.remember(end, 4, end), Memory::Unsure);
        assert_eq!(replay.remember(end + 1, 5, end + 1), Memory::New);
        assert_eq!(replay.remember(end + 1, 5, end + 1), Memory::Seen);
    }

    #[test]
    fn what_a_clock_that_was_ahead_has_taken_does_not_keep_others_out() {
        let replay = Replay::new(3);
        for nonce in 0..3 {
            assert_eq!(replay.remember(NOW + 86_400, nonce, NOW + 86_400), Memory::New);
        }
        for nonce in 3..6 {
            assert_eq!(replay.remember(NOW, nonce, NOW), Memory::New);
        }
        assert_eq!(replay.remember(NOW, 6, NOW), Memory::Full);
        assert_eq!(replay.remember(NOW, 5, NOW), Memory::Seen);
    }
}
