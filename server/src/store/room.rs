//! Room for the store on a disk that others may fill to the last byte. To delete,
//! too, something must be written: first to the log, and what the log holds of new
//! pages to the database when the log begins anew. So no transaction is kept whose
//! new pages would have no room in the database, and a file of real blocks is kept
//! for the day when there is none: given up while what has expired is deleted and
//! fresh rows are sealed, and made anew of what is left. A kill between the two
//! leaves the file empty; the next start makes it again.

mod blocks;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use pattoo_common::disk_space::DiskSpace;
use rusqlite::Connection;

use super::DATABASE_FILE;
use super::error::StoreError;

/// The reserve, within the data folder.
const RESERVE_FILE: &str = "store.reserve";
/// The reserve is this part of the disk, ...
const PART_OF_DISK: u64 = 32;
/// ... and at most this.
const RESERVE_MAX_BYTES: u64 = 4 << 20;
/// It is not made where it would take more than this part of what is free.
const PART_OF_FREE: u64 = 4;
/// Bytes of a page and of a block of most disks.
const PAGE_BYTES: u64 = 4096;
/// The log is emptied into the database past so many pages, ...
const LOG_PAGES_MAX: u64 = 1000;
/// ... on a small disk earlier, so that the reserve has room for what is new in it.
const LOG_PAGES_MIN: u64 = 16;

/// What there is of room, and the reserve.
pub(super) struct Room {
    folder: PathBuf,
    database: PathBuf,
    log: PathBuf,
    most_bytes: u64,
    /// None where there is no reserve.
    file: Option<Mutex<File>>,
    reserved_bytes: AtomicU64,
    given_up: AtomicBool,
    told: AtomicBool,
}

impl Room {
    /// Looks at the disk of a data folder, before the database is opened. Where the
    /// disk is too full for that, the reserve is given up at once.
    pub(super) fn of(folder: &Path) -> Self {
        let database = folder.join(DATABASE_FILE);
        let mut log = database.clone().into_os_string();
        log.push("-wal");
        let disk = DiskSpace::of(folder).unwrap_or(DiskSpace { total: 0, free: 0 });
        let most_bytes =
            (disk.total / PART_OF_DISK).min(RESERVE_MAX_BYTES) / PAGE_BYTES * PAGE_BYTES;
        let mut room = Self {
            folder: folder.to_owned(),
            database,
            log: log.into(),
            most_bytes,
            file: None,
            reserved_bytes: AtomicU64::new(0),
            given_up: AtomicBool::new(false),
            told: AtomicBool::new(false),
        };
        if most_bytes == 0 {
            return room;
        }
        match blocks::open(&folder.join(RESERVE_FILE)) {
            Ok((file, bytes)) => {
                room.file = Some(Mutex::new(file));
                room.reserved_bytes = AtomicU64::new(bytes);
            }
            Err(error) => {
                log::warn!("store: no reserve is kept for a full disk: {error}");
            }
        }
        if disk.free < most_bytes {
            room.give_up();
        } else {
            room.refill();
        }
        room
    }

    /// Pages of the log past which it is emptied.
    pub(super) fn log_pages(&self) -> u64 {
        (self.most_bytes / PAGE_BYTES).clamp(LOG_PAGES_MIN, LOG_PAGES_MAX)
    }

    /// The reserve is given up: what is free now is for deleting and sealing.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }

    /// Gives the reserve up, until [`Room::settle`].
    pub(super) fn give_up(&self) {
        if !self.told.swap(true, Ordering::AcqRel) {
            log::warn!("store: the disk is full; what has expired is deleted first");
        }
        self.given_up.store(true, Ordering::Release);
        self.resize(0);
    }

    /// Makes the reserve anew, as far as there is room beside the log: without any
    /// for the log no post could be taken, however many pages the database has free.
    pub(super) fn settle(&self) {
        if let Ok(disk) = DiskSpace::of(&self.folder) {
            let log_bytes = fs::metadata(&self.log).map_or(0, |log| log.len());
            let for_log = (self.most_bytes / 2).saturating_sub(log_bytes);
            let have = self.reserved_bytes.load(Ordering::Acquire);
            let bytes = (have + disk.free).saturating_sub(for_log).min(self.most_bytes);
            self.resize(bytes / PAGE_BYTES * PAGE_BYTES);
        }
        self.given_up.store(false, Ordering::Release);
    }

    /// The same where the disk is full; elsewhere nothing.
    pub(super) fn settle_if_short(&self) {
        let short = || DiskSpace::of(&self.folder).is_ok_and(|disk| disk.free < self.most_bytes);
        if self.is_given_up() || short() {
            self.settle();
        }
    }

    /// Makes the reserve whole again once there is plenty of room.
    pub(super) fn refill(&self) {
        let plenty = self.most_bytes * PART_OF_FREE;
        if DiskSpace::of(&self.folder).is_ok_and(|disk| disk.free >= plenty) {
            self.told.store(false, Ordering::Release);
            self.resize(self.most_bytes);
        }
    }

    /// The reserve of this size, or as near to it as there are blocks.
    fn resize(&self, bytes: u64) {
        let Some(file) = &self.file else { return };
        let file = file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut have = self.reserved_bytes.load(Ordering::Acquire);
        if bytes < have {
            match file.set_len(bytes) {
                Ok(()) => have = bytes,
                Err(error) => log::warn!("store: the reserve cannot be given up: {error}"),
            }
        }
        let mut more = bytes.saturating_sub(have);
        while more >= PAGE_BYTES {
            if blocks::take(&file, have, more).is_ok() {
                have += more;
                break;
            }
            // What was taken of it in vain goes back.
            let _ = file.set_len(have);
            more = more / 2 / PAGE_BYTES * PAGE_BYTES;
        }
        self.reserved_bytes.store(have, Ordering::Release);
    }

    /// Whether a transaction may be committed that began with so many pages: what it
    /// adds must have room in the database once the log is emptied into it.
    pub(super) fn check(&self, connection: &Connection, before: u64) -> Result<(), StoreError> {
        let after = pages(connection)?;
        if after <= before {
            return Ok(());
        }
        let page_bytes: u64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let have = fs::metadata(&self.database).map_or(0, |database| database.len());
        let owed = (after * page_bytes).saturating_sub(have);
        if owed <= self.reserved_bytes.load(Ordering::Acquire) {
            return Ok(());
        }
        // Once in the log, once in the database.
        match DiskSpace::of(&self.folder) {
            Ok(disk) if disk.free < 2 * owed => Err(StoreError::Full),
            _ => Ok(()),
        }
    }
}

/// Pages of the database as a connection sees it.
pub(super) fn pages(connection: &Connection) -> Result<u64, StoreError> {
    Ok(connection.pragma_query_value(None, "page_count", |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::super::scratch::Scratch;
    use super::*;

    #[test]
    fn the_reserve_has_real_blocks_is_given_up_and_comes_back() {
        let scratch = Scratch::new("room");
        let path = scratch.path().join(RESERVE_FILE);
        let room = Room::of(scratch.path());
        let real = || fs::metadata(&path).unwrap().blocks() * 512;
        assert_eq!(real(), RESERVE_MAX_BYTES, "is the disk of the tests nearly full?");
        room.give_up();
        assert!(room.is_given_up());
        assert_eq!(real(), 0);
        room.settle();
        assert!(!room.is_given_up());
        assert_eq!(real(), RESERVE_MAX_BYTES);
        drop(room);
        // A copy with a hole is found out.
        File::create(&path).unwrap().set_len(RESERVE_MAX_BYTES).unwrap();
        let _room = Room::of(scratch.path());
        assert_eq!(real(), RESERVE_MAX_BYTES);
    }
}
