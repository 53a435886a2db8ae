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
    not_before: Instant,
}

#[derive(Debug, Default)]
struct Heaps {
    waiting: HashMap<(u32, u32), Heap>,
    total_bytes: usize,
    newest_ms: u64,
    stopped: bool,
}

/// When a heap is due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    /// It is this large.
    pub(super) bytes: usize,
    /// Its oldest row has lain this long.
    pub(super) age: Duration,
    /// It is the largest, and all together are this large.
    pub(super) together_bytes: usize,
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
            .filter(|(_, heap)| any || heap.bytes >= due.bytes || heap.since.elapsed() >= due.age)
            .max_by_key(|(_, heap)| heap.bytes)
            .map(|(key, _)| *key)
    }

    /// Waits until something changes or the time is up; false once stopped.
    pub(super) fn wait(&self, at_most: Duration) -> bool {
        let heaps = self.lock();
        if heaps.stopped {
            return false;
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
        let fresh = Heap { bytes: 0, since: now, not_before: now };
        self.waiting.entry(key).or_insert(fresh).bytes += bytes;
        self.total_bytes += bytes;
    }
}
