//! Store and forward on disk: what a hub has taken and the server has not yet
//! acknowledged.
//!
//! A batch is a file `<ms>_<hub id>_<seq>_<crc32>.json` in
//! `<cache_directory>/<hub id>/`. It is taken when [`Spool::push`] has returned:
//! written to a temporary name, synced, renamed, and the folder synced. It leaves
//! by [`Spool::remove`] after the server's 200, by [`Spool::set_aside`] into
//! `bad/`, or because a bound of [`SpoolLimits`] drops the oldest, which is
//! counted and said. Files of the original hub in the same folder are taken up.

mod bad;
mod bounds;
mod crc32;
mod error;
mod folder;
mod index;
mod name;
#[cfg(test)]
mod tests;
mod write;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use self::bad::{MAX_BAD_BYTES, MAX_BAD_FILES};
pub use self::bounds::SpoolLimits;
pub use self::crc32::{crc32, crc32_after};
pub use self::error::{SpoolError, Trouble};

use self::index::Index;
use self::name::{Name, Writer};
use crate::document::Document;
use crate::durable_file::make_folder;

/// Bytes that one batch may have, in the spool as on the way to the server.
pub const MAX_BATCH_BYTES: u64 = 32 << 20;

/// Acknowledged batches that the disk would not remove and that are remembered.
const MAX_UNDELETED: usize = 50_000;

/// A wall clock that shows an earlier time than this (July 2017) was not yet set,
/// as on boards without a battery: the age of such a batch is not known.
const CLOCK_SET_MS: u64 = 1_500_000_000_000;

/// What a spool holds, and what it has lost since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpoolStats {
    /// Batches that wait for the server.
    pub batches: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Batches that the bounds have cost.
    pub dropped_batches: u64,
    /// Their bytes.
    pub dropped_bytes: u64,
    /// Their datapoints.
    pub dropped_datapoints: u64,
    /// Batches that are in `bad/`.
    pub set_aside: u64,
}

/// One batch of a spool. Made by the spool only, so that no name of a file comes
/// from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry(Name);

impl Entry {
    /// When the batch was made: Unix time in milliseconds.
    pub fn timestamp_ms(&self) -> u64 {
        self.0.timestamp_ms
    }
}

/// The spool of one hub.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    hub_id: String,
    limits: SpoolLimits,
    before: write::Before,
    index: Mutex<Index>,
    written: Condvar,
}

impl Spool {
    /// A spool that keeps its files in `<cache_directory>/<hub id>/`. The disk is
    /// first touched by [`Spool::open`], or by whatever comes before it.
    pub fn new(cache_directory: &Path, hub_id: &str, limits: SpoolLimits) -> Self {
        Self {
            folder: cache_directory.join(hub_id),
            hub_id: hub_id.to_owned(),
            limits,
            before: |_| Ok(()),
            index: Mutex::default(),
            written: Condvar::new(),
        }
    }

    /// Makes the folder where it is missing, removes what a stop has left
    /// half-written, and takes up the batches that are there.
    ///
    /// # Errors
    /// The folder cannot be made or listed. The spool may be used all the same:
    /// everything tries again.
    pub fn open(&self) -> Result<(), SpoolError> {
        self.opened().map(drop)
    }

    /// The folder of the batches.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes a batch, given in pieces, that was made at `timestamp_ms` (Unix, milliseconds; also
    /// the time by which older ones are too old). It is on the disk when this
    /// returns.
    ///
    /// # Errors
    /// The disk is full, read-only or broken: nothing was taken.
    pub fn push(&self, body: &[impl AsRef<[u8]>], timestamp_ms: u64) -> Result<Entry, SpoolError> {
        let bytes = body.iter().map(|piece| piece.as_ref().len() as u64).sum();
        let limit_bytes = self.limits.max_bytes.min(MAX_BATCH_BYTES);
        if bytes > limit_bytes {
            return Err(SpoolError::TooLarge { bytes, limit_bytes });
        }
        let crc32 = body.iter().fold(0, |crc, piece| crc32_after(crc, piece.as_ref()));
        let mut index = self.opened()?;
        self.drop_old(&mut index, timestamp_ms)?;
        self.make_room(&mut index, bytes)?;
        let name = Name::new(timestamp_ms, index.sequence(), crc32);

        let result = match self.write(index, &name, body, bytes) {
            Err(error) if error.is_full() => {
                // No byte or no inode is left: take the place of the oldest.
                let mut index = self.lock();
                if !self.replace_oldest(&mut index, bytes, "the disk is full")? {
                    return Err(error);
                }
                self.write(index, &name, body, bytes)
            }
            other => other,
        };
        result.map(|()| Entry(name))
    }

    /// The batch to be posted next, and its content. What cannot be read as a
    /// batch is set aside on the way to it.
    ///
    /// # Errors
    /// The folder cannot be listed, or a file cannot be opened for want of
    /// descriptors or memory: try again later.
    pub fn oldest(&self) -> Result<Option<(Entry, Vec<u8>)>, SpoolError> {
        loop {
            let mut index = self.opened()?;
            index.put_back();
            let Some((name, _)) = index.oldest() else { return Ok(None) };
            let entry = Entry(name.clone());
            index.hand_out(&entry.0);
            drop(index);
            match self.read(&entry) {
                Ok(body) => return Ok(Some((entry, body))),
                Err(ReadError::Gone) => {
                    self.lock().remove(&entry.0);
                }
                Err(ReadError::Bad(reason)) => self.set_aside(&entry, &reason),
                Err(ReadError::Later(error)) => return Err(error),
            }
        }
    }

    /// Removes a batch that the server has acknowledged. Should the disk refuse,
    /// the file stays, and each later removal tries again; one that is left when the
    /// hub ends is posted once more after the next start.
    pub fn remove(&self, entry: &Entry) {
        let (lost, undeleted) = {
            let mut index = self.lock();
            index.sent(&entry.0);
            (std::mem::take(&mut index.dropping), std::mem::take(&mut index.undeleted))
        };
        // Told when the server takes batches again, and not each time that one fits:
        // a spool at its bounds drops a large batch now and two small ones then.
        if lost > 0 {
            log::info!(
                "spool: {}: batches leave it again; {lost} were dropped",
                self.folder.display()
            );
        }
        let was_well = undeleted.is_empty();
        // One that the disk does remove says that it is worth trying the others.
        let mut left = match self.delete(&entry.0) {
            Ok(()) => undeleted.into_iter().filter(|name| self.delete(name).is_err()).collect(),
            Err(error) => {
                if was_well {
                    log::warn!(
                        "{error}; this batch and those after it stay until the disk removes them, \
                         and are posted once more if the hub is restarted before that"
                    );
                }
                let mut left = undeleted;
                left.push(entry.0.clone());
                left
            }
        };
        if left.is_empty() {
            if !was_well {
                log::info!("spool: {}: acknowledged batches are removed", self.folder.display());
            }
            return;
        }
        // Past this they are found again by the next start alone.
        left.truncate(MAX_UNDELETED);
        self.lock().undeleted.append(&mut left);
    }

    /// Moves a batch into `bad/` and says why in the log.
    pub fn set_aside(&self, entry: &Entry, reason: &str) {
        let file_name = entry.0.file_name(&self.hub_id);
        {
            let mut index = self.lock();
            if !index.remove(&entry.0) {
                index.put_back();
                return;
            }
            index.set_aside += 1;
        }
        match bad::set_aside(&self.folder, &file_name, &self.hub_id) {
            Ok(path) => log::error!("spool: batch set aside as {}: {reason}", path.display()),
            Err(error) => log::error!(
                "spool: batch {} is left out: {reason}; it cannot be moved to bad/: {error}",
                self.folder.join(file_name).display()
            ),
        }
    }

    /// What the spool holds now.
    pub fn stats(&self) -> SpoolStats {
        let index = self.lock();
        SpoolStats {
            batches: index.batches() as u64,
            bytes: index.bytes(),
            dropped_batches: index.dropped_batches,
            dropped_bytes: index.dropped_bytes,
            dropped_datapoints: index.dropped_datapoints,
            set_aside: index.set_aside,
        }
    }

    /// Waits until no write is under way, for at most `patience`. A program that
    /// ends meanwhile leaves a temporary file and nothing worse.
    pub fn wait_written(&self, patience: Duration) {
        let writing = |index: &mut Index| index.writing > 0;
        drop(self.written.wait_timeout_while(self.lock(), patience, writing));
    }

    fn lock(&self) -> MutexGuard<'_, Index> {
        // No step between two changes of the index can panic.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The index, after the folder was listed.
    fn opened(&self) -> Result<MutexGuard<'_, Index>, SpoolError> {
        let mut index = self.lock();
        if !index.listed {
            make_folder(&self.folder).map_err(SpoolError::disk("make", &self.folder))?;
            let mut listing = folder::list(&self.folder, &self.hub_id)
                .map_err(SpoolError::disk("list", &self.folder))?;
            for path in listing.temporary.drain(..) {
                match fs::remove_file(&path) {
                    Ok(()) => log::info!("spool: removed half-written {}", path.display()),
                    Err(error) => {
                        log::warn!("spool: cannot remove {}: {error}", path.display());
                    }
                }
            }
            index.take_up(listing);
        }
        Ok(index)
    }

    /// Writes a batch without holding the index, and enters it.
    fn write(
        &self,
        mut index: MutexGuard<'_, Index>,
        name: &Name,
        body: &[impl AsRef<[u8]>],
        bytes: u64,
    ) -> Result<(), SpoolError> {
        index.writing += 1;
        index.reserved_bytes += bytes;
        drop(index);
        let file_name = name.file_name(&self.hub_id);
        let mut result = write::write(&self.folder, &file_name, body, self.before);
        if matches!(&result, Err(error) if error.kind() == io::ErrorKind::NotFound) {
            // Somebody has removed the folder; what was in it is gone.
            result = make_folder(&self.folder)
                .and_then(|()| write::write(&self.folder, &file_name, body, self.before));
        }
        let mut index = self.lock();
        index.writing -= 1;
        index.reserved_bytes -= bytes;
        if result.is_ok() {
            index.insert(name.clone(), bytes);
        }
        self.written.notify_all();
        result.map_err(SpoolError::disk("write", self.folder.join(file_name)))
    }

    fn delete(&self, name: &Name) -> Result<(), SpoolError> {
        let path = self.folder.join(name.file_name(&self.hub_id));
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(SpoolError::disk("remove", path)(error))
            }
            _ => Ok(()),
        }
    }

    /// The content of a batch, checked against its name; one without a checksum
    /// in its name must be a document.
    fn read(&self, entry: &Entry) -> Result<Vec<u8>, ReadError> {
        let path = self.folder.join(entry.0.file_name(&self.hub_id));
        let mut body = Vec::new();
        let read = File::open(&path).and_then(|file| {
            let bytes = file.metadata()?.len().min(MAX_BATCH_BYTES);
            body.reserve_exact(usize::try_from(bytes).unwrap_or_default() + 1);
            file.take(MAX_BATCH_BYTES + 1).read_to_end(&mut body)
        });
        if let Err(error) = read {
            return Err(ReadError::new(error, path));
        }
        if body.len() as u64 > MAX_BATCH_BYTES {
            return Err(ReadError::Bad(format!("it has more than {MAX_BATCH_BYTES} bytes")));
        }
        match &entry.0.writer {
            Writer::Pattoo { crc32: wanted } => {
                let found = crc32(&body);
                if found != *wanted {
                    return Err(ReadError::Bad(format!(
                        "its {} bytes have the checksum {found:08x}, its name says {wanted:08x}",
                        body.len()
                    )));
                }
            }
            Writer::Original { .. } => {
                if let Err(error) = Document::parse(&body) {
                    return Err(ReadError::Bad(error.to_string()));
                }
            }
        }
        Ok(body)
    }
}

/// How many datapoints a batch holds; none if it is no document.
pub fn datapoint_count(body: &[u8]) -> u64 {
    Document::parse(body).map_or(0, |document| document.datapoint_count() as u64)
}

/// Why a file of the spool could not be read.
enum ReadError {
    /// Somebody has removed it.
    Gone,
    /// It is no batch, or the disk does not give it back.
    Bad(String),
    /// Not its fault.
    Later(SpoolError),
}

impl ReadError {
    fn new(error: io::Error, path: PathBuf) -> Self {
        match error.raw_os_error() {
            Some(libc::ENOENT) => Self::Gone,
            Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::EINTR) => {
                Self::Later(SpoolError::disk("read", path)(error))
            }
            _ => Self::Bad(format!("it cannot be read: {error}")),
        }
    }
}
