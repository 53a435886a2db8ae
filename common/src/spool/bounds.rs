//! How much a spool may hold, and what goes where it is too much: the oldest,
//! counted and said.

use std::time::Duration;

use super::index::Index;
use super::name::Name;
use super::{Entry, Spool, SpoolError, datapoint_count};
use crate::disk_space::DiskSpace;

/// The part of its disk that a spool leaves free, in per cent, ...
const MIN_FREE_PERCENT: u64 = 5;
/// ... or in bytes, whichever is less.
const MIN_FREE_BYTES: u64 = 512 << 20;

/// How much a spool may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolLimits {
    /// Bytes of all batches.
    pub max_bytes: u64,
    /// Files, whatever their size: each takes an inode and some memory.
    pub max_batches: usize,
    /// Batches that are older go, whether or not there is room.
    pub max_age: Duration,
    /// Bytes that the spool leaves free on its disk; `None`: 5 % of the disk, at
    /// most 512 MiB.
    pub min_free_bytes: Option<u64>,
}

impl Default for SpoolLimits {
    fn default() -> Self {
        Self {
            max_bytes: 256 << 20,
            max_batches: 50_000,
            max_age: Duration::from_hours(7 * 24),
            min_free_bytes: None,
        }
    }
}

impl Spool {
    /// Drops what is older than the limit.
    pub(super) fn drop_old(&self, index: &mut Index, now_ms: u64) -> Result<(), SpoolError> {
        let max_age_ms = u64::try_from(self.limits.max_age.as_millis()).unwrap_or(u64::MAX);
        while let Some(name) = index.oldest_with_known_age()
            && now_ms.saturating_sub(name.timestamp_ms) > max_age_ms
        {
            let name = name.clone();
            self.drop_batch(index, &name, "its batches are too old")?;
        }
        Ok(())
    }

    /// Drops the oldest until `bytes` more fit in.
    pub(super) fn make_room(&self, index: &mut Index, bytes: u64) -> Result<(), SpoolError> {
        while (index.bytes() + bytes > self.limits.max_bytes
            || index.batches() >= self.limits.max_batches)
            && let Some((name, _)) = index.oldest()
        {
            let name = name.clone();
            self.drop_batch(index, &name, "it has reached its limit")?;
        }
        // A disk whose room cannot be told is left to say no by itself.
        let Ok(space) = DiskSpace::of(&self.folder) else { return Ok(()) };
        let usual = (space.total / 100 * MIN_FREE_PERCENT).min(MIN_FREE_BYTES);
        let min_free_bytes = self.limits.min_free_bytes.unwrap_or(usual);
        // Others may have filled the disk: the spool does not give up all it has
        // for them, but it does not grow.
        if space.free < min_free_bytes.saturating_add(bytes)
            && !self.replace_oldest(index, bytes, "the disk is nearly full")?
        {
            return Err(SpoolError::NoRoom {
                path: self.folder.clone(),
                free_bytes: space.free,
                min_free_bytes,
            });
        }
        Ok(())
    }

    /// Drops the oldest until their bytes make up for `bytes`; nothing at all if
    /// there are not so many. Whether there were.
    pub(super) fn replace_oldest(
        &self,
        index: &mut Index,
        bytes: u64,
        reason: &str,
    ) -> Result<bool, SpoolError> {
        if index.bytes_at_rest() < bytes || index.oldest().is_none() {
            return Ok(false);
        }
        let mut dropped = 0;
        while dropped < bytes.max(1)
            && let Some((name, size)) = index.oldest()
        {
            let name = name.clone();
            self.drop_batch(index, &name, reason)?;
            dropped += size;
        }
        Ok(true)
    }

    /// Drops a batch. On a disk that has turned read-only nothing is dropped: no
    /// room would come of it, and what is there can still be posted.
    fn drop_batch(&self, index: &mut Index, name: &Name, reason: &str) -> Result<(), SpoolError> {
        // What a batch was worth is known only while it is there.
        let entry = Entry(name.clone());
        let datapoints = self.read(&entry).map_or(0, |body| datapoint_count(&body));
        match self.delete(name) {
            Ok(()) => {}
            Err(error) if error.is_read_only() => return Err(error),
            Err(error) => log::warn!("{error}"),
        }
        index.drop_batch(name, datapoints);
        let file_name = name.file_name(&self.hub_id);
        log::debug!("spool: dropped {file_name} with {datapoints} datapoints");
        if index.dropping == 1 {
            log::error!("spool: {}: {reason}, the oldest are dropped", self.folder.display());
        }
        Ok(())
    }
}
