//! What waits to be sealed: bytes and age of the fresh rows of each hour and
//! shard. Kept in memory by the writer, counted anew when the store opens.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::blob::CRC_BYTES;
use super::error::StoreError;
use super::writer::RecentRow;

/// Fresh rows of one hour and shard.
#[derive(Debug, Clone, Copy)]
struct Heap {
    bytes: usize,
    since: Instant,
    /// When something came last.
    last: Instant,
    not_before: Instant,
}

#[derive(Debug, Default)]
struct Heaps {
    waiting: HashMap<(u32, u32), Heap>,
    total_bytes: usize,
    newest_ms: u64,
    urged: bool,
    stopped: bool,
}

/// When a heap is due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    /// It is this large.
    pub(super) bytes: usize,
    /// Its oldest row has lain this long.
    pub(super) age: Duration,
    /// Its hour is over, and nothing has come for so long.
    pub(super) quiet: Duration,
    /// The hour that is not over yet.
    pub(super) this_hour: u32,
    /// It is the largest, and all together are this large.
    pub(super) together_bytes: usize,
}

impl Due {
    /// Nothing makes it due.
    pub(super) const NEVER: Self = Self {
        bytes: usize::MAX,
        age: Duration::MAX,
        quiet: Duration::MAX,
        this_hour: 0,
        together_bytes: usize::MAX,
    };

    fn is(&self, hour: u32, heap: &Heap) -> bool {
        heap.bytes >= self.bytes
            || heap.since.elapsed() >= self.age
            || (hour < self.this_hour && heap.last.elapsed() >= self.quiet)
    }
}

/// What waits to be sealed.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    heaps: Mutex<Heaps>,
    changed: Condvar,
}

impl Backlog {
    fn lock(&self) -> MutexGuard<'_, Heaps> {
        self.heaps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts rows that were just written.
    pub(super) fn add(&self, rows: &[RecentRow]) {
        let mut heaps = self.lock();
        for row in rows {
            heaps.add((row.hour, row.shard), row.content.len() + CRC_BYTES);
            heaps.newest_ms = heaps.newest_ms.max(row.max_ms);
        }
        drop(heaps);
        self.changed.notify_all();
    }

    /// Counts what was found on opening.
    pub(super) fn found(&self, hour: u32, shard: u32, bytes: usize) {
        self.lock().add((hour, shard), bytes);
    }

    /// Remembers the newest timestamp found on opening.
    pub(super) fn found_newest(&self, timestamp_ms: u64) {
        let mut heaps = self.lock();
        heaps.newest_ms = heaps.newest_ms.max(timestamp_ms);
    }

    /// The newest timestamp that was ever stored; 0 if there is none.
    pub(super) fn newest_ms(&self) -> u64 {
        self.lock().newest_ms
    }

    /// Bytes that wait.
    pub(super) fn total_bytes(&self) -> usize {
        self.lock().total_bytes
    }

    /// Rows of a heap have been sealed.
    pub(super) fn sealed(&self, hour: u32, shard: u32, bytes: usize) {
        let mut heaps = self.lock();
        if let Some(heap) = heaps.waiting.get_mut(&(hour, shard)) {
            let gone = bytes.min(heap.bytes);
            heap.bytes -= gone;
            heap.since = Instant::now();
            if heap.bytes == 0 {
                heaps.waiting.remove(&(hour, shard));
            }
            heaps.total_bytes = heaps.total_bytes.saturating_sub(gone);
        }
        drop(heaps);
        self.changed.notify_all();
    }

    /// Leaves a heap alone for a while, as after an error.
    pub(super) fn postpone(&self, hour: u32, shard: u32, time: Duration) {
        if let Some(heap) = self.lock().waiting.get_mut(&(hour, shard)) {
            heap.not_before = Instant::now() + time;
        }
    }

    /// The heap that is most in need of sealing, if one is due.
    pub(super) fn next(&self, due: Due) -> Option<(u32, u32)> {
        let heaps = self.lock();
        let any = heaps.total_bytes >= due.together_bytes;
        let now = Instant::now();
        heaps
            .waiting
            .iter()
            .filter(|(_, heap)| heap.not_before <= now)
            .filter(|((hour, _), heap)| any || due.is(*hour, heap))
            .max_by_key(|(_, heap)| heap.bytes)
            .map(|(key, _)| *key)
    }

    /// Waits until something changes or the time is up; false once stopped.
    pub(super) fn wait(&self, at_most: Duration) -> bool {
        let heaps = self.lock();
        if heaps.stopped || heaps.urged {
            return !heaps.stopped;
        }
        let (heaps, _) =
            self.changed.wait_timeout(heaps, at_most).unwrap_or_else(PoisonError::into_inner);
        !heaps.stopped
    }

    /// Waits until the time is up, whatever changes; ends early once stopped.
    pub(super) fn pause(&self, time: Duration) {
        let deadline = Instant::now() + time;
        let mut heaps = self.lock();
        while !heaps.stopped {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            heaps =
                self.changed.wait_timeout(heaps, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Wakes the sealer to delete what has expired: the disk is full, or less is to be
    /// kept.
    pub(super) fn urge(&self) {
        self.lock().urged = true;
        self.changed.notify_all();
    }

    /// Whether the sealer was urged since it was last asked.
    pub(super) fn take_urge(&self) -> bool {
        std::mem::take(&mut self.lock().urged)
    }

    /// Bytes that wait of an hour and shard.
    pub(super) fn bytes(&self, hour: u32, shard: u32) -> usize {
        self.lock().waiting.get(&(hour, shard)).map_or(0, |heap| heap.bytes)
    }

    /// Whether the sealer is to end.
    pub(super) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Wakes whoever waits, for the last time.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    /// Holds a writer of batches back while too much waits.
    pub(super) fn wait_for_room(&self, bytes: usize, at_most: Duration) -> Result<(), StoreError> {
        let deadline = Instant::now() + at_most;
        let mut heaps = self.lock();
        while heaps.total_bytes > bytes {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || heaps.stopped {
                return Err(StoreError::Busy("the sealer"));
            }
            heaps =
                self.changed.wait_timeout(heaps, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }
}

impl Heaps {
    fn add(&mut self, key: (u32, u32), bytes: usize) {
        let now = Instant::now();
        let fresh = Heap { bytes: 0, since: now, last: now, not_before: now };
        let heap = self.waiting.entry(key).or_insert(fresh);
        heap.bytes += bytes;
        heap.last = now;
        self.total_bytes += bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backlog(hours: &[(u32, usize)]) -> Backlog {
        let backlog = Backlog::default();
        for (hour, bytes) in hours {
            backlog.found(*hour, 0, *bytes);
        }
        backlog
    }

    #[test]
    fn an_hour_that_is_over_and_quiet_is_due_and_this_hour_is_not() {
        let backlog = backlog(&[(7, 10), (8, 20)]);
        let due = Due { quiet: Duration::ZERO, this_hour: 8, ..Due::NEVER };
        assert_eq!(backlog.next(due), Some((7, 0)));
        backlog.sealed(7, 0, 10);
        assert_eq!(backlog.next(due), None);
        assert_eq!(backlog.next(Due { this_hour: 9, ..due }), Some((8, 0)));
        let not_yet = Due { quiet: Duration::from_hours(1), this_hour: 9, ..Due::NEVER };
        assert_eq!(backlog.next(not_yet), None);
    }

    #[test]
    fn what_is_large_or_old_or_too_much_together_is_due_largest_first() {
        let backlog = backlog(&[(7, 10), (8, 20)]);
        assert_eq!(backlog.next(Due::NEVER), None);
        assert_eq!(backlog.next(Due { bytes: 15, ..Due::NEVER }), Some((8, 0)));
        assert_eq!(backlog.next(Due { age: Duration::ZERO, ..Due::NEVER }), Some((8, 0)));
        assert_eq!(backlog.next(Due { together_bytes: 30, ..Due::NEVER }), Some((8, 0)));
        assert_eq!(backlog.next(Due { together_bytes: 31, ..Due::NEVER }), None);
        backlog.postpone(8, 0, Duration::from_hours(1));
        assert_eq!(backlog.next(Due { bytes: 0, ..Due::NEVER }), Some((7, 0)));
    }
}
