//! Room for the store on a disk that others may fill to the last byte. To delete,
//! too, something must be written: first to the log, and what the log holds of new
//! pages to the database when the log begins anew. So no transaction is kept whose
//! new pages would have no room in the database, and a file of real blocks is kept
//! for the day when there is none: given up while what has expired is deleted and
//! fresh rows are sealed, and made anew of what is left. A kill between the two
//! leaves the file empty; the next start makes it again.

#![allow(unsafe_code)]

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

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
/// For the owner to write, for the group to read.
const FILE_MODE: u32 = 0o640;
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
        let disk = Space::of(folder).unwrap_or(Space { total: 0, free: 0 });
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
        match open(&folder.join(RESERVE_FILE)) {
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
        if let Ok(disk) = Space::of(&self.folder) {
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
        let short = || Space::of(&self.folder).is_ok_and(|disk| disk.free < self.most_bytes);
        if self.is_given_up() || short() {
            self.settle();
        }
    }

    /// Makes the reserve whole again once there is plenty of room.
    pub(super) fn refill(&self) {
        let plenty = self.most_bytes * PART_OF_FREE;
        if Space::of(&self.folder).is_ok_and(|disk| disk.free >= plenty) {
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
            if take_blocks(&file, have, more).is_ok() {
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
        match Space::of(&self.folder) {
            Ok(disk) if disk.free < 2 * owed => Err(StoreError::Full),
            _ => Ok(()),
        }
    }
}

/// Pages of the database as a connection sees it.
pub(super) fn pages(connection: &Connection) -> Result<u64, StoreError> {
    Ok(connection.pragma_query_value(None, "page_count", |row| row.get(0))?)
}

/// The file of the reserve, and how many bytes of it are real.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let mut options = File::options();
    let file = options.create(true).truncate(false).write(true).mode(FILE_MODE).open(path)?;
    let metadata = file.metadata()?;
    // Blocks of stat(2) have 512 bytes. A copy may have holes, which reserve nothing.
    if metadata.blocks() * 512 < metadata.len() {
        file.set_len(0)?;
        return Ok((file, 0));
    }
    Ok((file, metadata.len()))
}

/// Takes real blocks for so many bytes past those that the file has.
fn take_blocks(mut file: &File, have: u64, more: u64) -> io::Result<()> {
    let length = |bytes: u64| libc::off_t::try_from(bytes).map_err(io::Error::other);
    // SAFETY: a call on a descriptor that is open as long as `file` is borrowed.
    let failed = unsafe { libc::posix_fallocate(file.as_raw_fd(), length(have)?, length(more)?) };
    match failed {
        0 => Ok(()),
        libc::EOPNOTSUPP | libc::EINVAL | libc::ENOSYS => {
            io::Seek::seek(&mut file, io::SeekFrom::Start(have))?;
            io::copy(&mut io::repeat(0).take(more), &mut file)?;
            file.sync_data()
        }
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

/// Bytes of a file system, as `statvfs(3)` has them.
#[derive(Debug, Clone, Copy)]
struct Space {
    total: u64,
    /// What one without privileges may still take.
    free: u64,
}

impl Space {
    #[allow(clippy::useless_conversion, reason = "u64 here, u32 on 32-bit machines")]
    fn of(path: &Path) -> io::Result<Self> {
        let path = CString::new(path.as_os_str().as_bytes())?;
        let mut answer = MaybeUninit::<libc::statvfs>::zeroed();
        // SAFETY: `path` ends in NUL and outlives the call; `answer` is ours and has
        // the size that statvfs writes.
        if unsafe { libc::statvfs(path.as_ptr(), answer.as_mut_ptr()) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: all-zero bytes are a valid statvfs, and the call has filled it.
        let answer = unsafe { answer.assume_init() };
        let block = u64::from(answer.f_frsize);
        let bytes = |blocks: u64| blocks.saturating_mul(block);
        Ok(Self { total: bytes(answer.f_blocks.into()), free: bytes(answer.f_bavail.into()) })
    }
}

#[cfg(test)]
mod tests {
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
