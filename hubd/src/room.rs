//! Room for answers: all that devices send is held in memory until it is merged,
//! and there is only so much of it.

use std::cell::Cell;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Bytes of answers that are held at once.
pub(crate) const ROOM_BYTES: usize = 16 << 20;

/// Bytes of one answer that come out of the half that is kept for small answers,
/// so that a few devices with a lot to say do not shut out all others.
const SMALL_BYTES: usize = 128 << 10;

/// What is left of the room for answers.
#[derive(Debug)]
pub(crate) struct Room {
    free: Mutex<Halves>,
    freed: Condvar,
}

/// Bytes that are free for what an answer begins with, and for what goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Halves {
    small: usize,
    large: usize,
}

impl Room {
    /// Room for `bytes` of answers.
    pub(crate) fn new(bytes: usize) -> Self {
        let free = Halves { small: bytes / 2, large: bytes - bytes / 2 };
        Self { free: Mutex::new(free), freed: Condvar::new() }
    }

    /// The share of one answer, with nothing in it yet.
    pub(crate) fn share(&self) -> Share<'_> {
        Share { room: self, held: Cell::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, Halves> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one answer holds of the room; given back when dropped.
#[derive(Debug)]
pub(crate) struct Share<'r> {
    room: &'r Room,
    held: Cell<usize>,
}

impl Share<'_> {
    /// Takes `bytes` more, and waits for them until `deadline` if they are not
    /// free. Says whether they were had.
    pub(crate) fn take(&self, bytes: usize, deadline: Instant) -> bool {
        let held = self.held.get();
        let wanted = split(held, held + bytes);
        let lacking =
            |free: &mut Halves| free.small < wanted.small || free.large < wanted.large;
        let patience = deadline.saturating_duration_since(Instant::now());
        let (mut free, _) = self
            .room
            .freed
            .wait_timeout_while(self.room.lock(), patience, lacking)
            .unwrap_or_else(PoisonError::into_inner);
        if lacking(&mut free) {
            return false;
        }
        free.small -= wanted.small;
        free.large -= wanted.large;
        self.held.set(held + bytes);
        true
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let back = split(0, self.held.get());
        if back == (Halves { small: 0, large: 0 }) {
            return;
        }
        let mut free = self.room.lock();
        free.small += back.small;
        free.large += back.large;
        drop(free);
        self.room.freed.notify_all();
    }
}

/// What the bytes from `start` to `end` of an answer take of the two halves.
fn split(start: usize, end: usize) -> Halves {
    let small = end.min(SMALL_BYTES) - start.min(SMALL_BYTES);
    Halves { small, large: end - start - small }
}

#[cfg(test)]
mod tests {
    use super::{Room, SMALL_BYTES};
    use std::time::{Duration, Instant};

    const KIB: usize = 1 << 10;

    fn free(room: &Room) -> usize {
        let free = *room.lock();
        free.small + free.large
    }

    #[test]
    fn everything_comes_back() {
        let room = Room::new(4_096 * KIB);
        let now = Instant::now();
        let share = room.share();
        for bytes in [1, SMALL_BYTES - 2, 5, 1_000 * KIB] {
            assert!(share.take(bytes, now));
        }
        assert_eq!(free(&room), 4_096 * KIB - SMALL_BYTES - 4 - 1_000 * KIB);
        drop(share);
        assert_eq!(free(&room), 4_096 * KIB);
    }

    #[test]
    fn large_answers_do_not_shut_out_small_ones() {
        let room = Room::new(2_048 * KIB);
        let now = Instant::now();
        let large: Vec<_> = (0..8).map(|_| room.share()).collect();
        let had = large.iter().filter(|share| share.take(300 * KIB, now)).count();
        assert_eq!(had, 5, "5 x 172 KiB of the large half");
        assert!(room.share().take(100 * KIB, now));
    }

    #[test]
    fn who_waits_gets_what_is_given_back() {
        let room = Room::new(2 * KIB);
        let first = room.share();
        assert!(first.take(KIB, Instant::now()));
        let second = room.share();
        assert!(!second.take(1, Instant::now()), "nothing is left");
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                room.share().take(KIB, Instant::now() + Duration::from_mins(1))
            });
            drop(first);
            assert!(waiter.join().unwrap());
        });
    }
}
