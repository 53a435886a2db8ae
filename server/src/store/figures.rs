//! What the store tells about itself.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Store;
use super::error::StoreError;
use super::tables::Broken;

/// Damaged blobs that are remembered so that each is logged once.
const DAMAGE_REMEMBERED: usize = 10_000;

/// Counts since the store was opened.
#[derive(Debug, Default)]
pub(super) struct Figures {
    stored: AtomicU64,
    refused: AtomicU64,
    sealed: AtomicU64,
    sealings: AtomicU64,
    damaged: Mutex<HashSet<(&'static str, [i64; 2])>>,
}

impl Figures {
    pub(super) fn stored(&self, stored: u64, refused: u64) {
        self.stored.fetch_add(stored, Ordering::Relaxed);
        self.refused.fetch_add(refused, Ordering::Relaxed);
    }

    pub(super) fn sealed(&self, samples: u64) {
        self.sealed.fetch_add(samples, Ordering::Relaxed);
        self.sealings.fetch_add(1, Ordering::Relaxed);
    }

    /// How often something was sealed.
    pub(super) fn sealings(&self) -> u64 {
        self.sealings.load(Ordering::Relaxed)
    }

    /// Counts a blob that could not be read, and logs it the first time.
    pub(super) fn damaged(&self, broken: &Broken) {
        let mut damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
        if damaged.len() < DAMAGE_REMEMBERED && damaged.insert((broken.table, broken.key)) {
            log::error!("store: damaged and left out: {broken}");
        }
    }
}

/// What the store tells about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// Samples stored since the store was opened.
    pub stored: u64,
    /// Samples refused.
    pub refused: u64,
    /// Samples written into chunks, again and again as chunks grow.
    pub sealed: u64,
    /// Blobs found damaged.
    pub damaged: u64,
    /// Bytes that wait to be sealed.
    pub fresh_bytes: u64,
    /// Bytes of the database in use.
    pub used_bytes: u64,
    /// Bytes of its file that are free to be used again.
    pub free_bytes: u64,
    /// The newest timestamp ever stored, milliseconds since 1970; 0 if none.
    pub newest_ms: u64,
}

impl Store {
    /// What the store tells about itself; also whether it can be read at all.
    pub fn status(&self) -> Result<Status, StoreError> {
        let (pages, free, size) = self.readers.read(|connection| {
            let pragma =
                |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
            Ok((pragma("page_count")?, pragma("freelist_count")?, pragma("page_size")?))
        })?;
        let figures = &self.shared.figures;
        let damaged = figures.damaged.lock().unwrap_or_else(PoisonError::into_inner).len();
        Ok(Status {
            stored: figures.stored.load(Ordering::Relaxed),
            refused: figures.refused.load(Ordering::Relaxed),
            sealed: figures.sealed.load(Ordering::Relaxed),
            damaged: damaged as u64,
            fresh_bytes: self.shared.backlog.total_bytes() as u64,
            used_bytes: pages.saturating_sub(free) * size,
            free_bytes: free * size,
            newest_ms: self.shared.backlog.newest_ms(),
        })
    }
}
