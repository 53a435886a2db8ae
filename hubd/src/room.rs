//! Room for answers: all that devices send is held in memory until it is merged,
//! and there is only so much of it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Bytes of answers that are held at once.
pub(crate) const ROOM_BYTES: usize = 16 << 20;

/// Answers up to this size have half of the room to themselves, so that a few
/// devices with a lot to say do not shut out all others.
const SMALL_BYTES: usize = 256 << 10;

/// What is left of the room for answers.
#[derive(Debug)]
pub(crate) struct Room {
    free: Mutex<Halves>,
    freed: Condvar,
}

/// Bytes that are free for small answers, and for large ones.
#[derive(Debug)]
struct Halves {
    small: usize,
    large: usize,
}

impl Halves {
    fn of(&mut self, bytes: usize) -> &mut usize {
        if bytes <= SMALL_BYTES { &mut self.small } else { &mut self.large }
    }
}

impl Room {
    /// Room for `bytes` of answers.
    pub(crate) fn new(bytes: usize) -> Self {
        let free = Halves { small: bytes / 2, large: bytes - bytes / 2 };
        Self { free: Mutex::new(free), freed: Condvar::new() }
    }

    /// Room for a whole answer of `bytes`, waited for until `deadline`. All of it
    /// or nothing: who held a part and waited for the rest would wait for others
    /// that do the same.
    pub(crate) fn take(&self, bytes: usize, deadline: Instant) -> Option<Share<'_>> {
        let patience = deadline.saturating_duration_since(Instant::now());
        let (mut free, _) = self
            .freed
            .wait_timeout_while(self.lock(), patience, |free| *free.of(bytes) < bytes)
            .unwrap_or_else(PoisonError::into_inner);
        let free = free.of(bytes);
        *free = free.checked_sub(bytes)?;
        Some(Share { room: self, bytes })
    }

    fn lock(&self) -> MutexGuard<'_, Halves> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one answer holds of the room; given back when dropped.
#[derive(Debug)]
pub(crate) struct Share<'r> {
    room: &'r Room,
    bytes: usize,
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        *self.room.lock().of(self.bytes) += self.bytes;
        self.room.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::{ROOM_BYTES, Room, SMALL_BYTES};
    use std::time::{Duration, Instant};

    const KIB: usize = 1 << 10;

    fn free(room: &Room) -> (usize, usize) {
        let free = room.lock();
        (free.small, free.large)
    }

    #[test]
    fn everything_comes_back() {
        let room = Room::new(4_096 * KIB);
        let whole = free(&room);
        let small = room.take(100 * KIB, Instant::now()).unwrap();
        let large = room.take(300 * KIB, Instant::now()).unwrap();
        assert_eq!(free(&room), (whole.0 - 100 * KIB, whole.1 - 300 * KIB));
        drop((small, large));
        assert_eq!(free(&room), whole);
    }

    #[test]
    fn large_answers_do_not_shut_out_small_ones() {
        let room = Room::new(ROOM_BYTES);
        let now = Instant::now();
        let large: Vec<_> = (0..8).filter_map(|_| room.take(4_096 * KIB, now)).collect();
        assert_eq!(large.len(), 2);
        let small: Vec<_> = (0..1_000).filter_map(|_| room.take(SMALL_BYTES, now)).collect();
        assert_eq!(small.len(), ROOM_BYTES / 2 / SMALL_BYTES);
    }

    #[test]
    fn who_waits_gets_what_is_given_back() {
        let room = Room::new(2 * KIB);
        let first = room.take(KIB, Instant::now());
        assert!(first.is_some());
        assert!(room.take(1, Instant::now()).is_none(), "nothing is left");
        std::thread::scope(|scope| {
            let (waiting, patient) = (&room, Instant::now() + Duration::from_mins(1));
            let waiter = scope.spawn(move || waiting.take(KIB, patient).is_some());
            drop(first);
            assert!(waiter.join().unwrap());
        });
    }
}
