//! A copy of the database while it is in use, and making its file small.

use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::StoreError;
use super::{DATABASE_FILE, Store, compact_day, schema};

/// For the owner to write, for the group to read.
const FILE_MODE: u32 = 0o640;
/// A vacuum copies the whole database.
const VACUUM_WAIT: Duration = Duration::from_hours(6);

/// Copies the database of a data folder into a file, whole as of one moment,
/// while another process may be using it. The file must not exist; it is there
/// under its name only when it is complete and synced.
pub fn backup(folder: &Path, to: &Path) -> Result<(), StoreError> {
    if to.exists() {
        let exists = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        return Err(StoreError::File(to.to_owned(), exists));
    }
    let mut unfinished = to.as_os_str().to_owned();
    unfinished.push(".tmp");
    let unfinished = PathBuf::from(unfinished);
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(StoreError::File(unfinished, error));
        }
        _ => {}
    }
    // There are hashes of passwords in it. The engine takes an empty file for a
    // database, and gives what it makes beside it the same mode.
    File::options()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(&unfinished)
        .map_err(StoreError::file(&unfinished))?;
    let connection = schema::open_reader(&folder.join(DATABASE_FILE))?;
    connection.pragma_update(None, "temp_store", schema::IN_FILES)?;
    let copied = connection
        .execute("VACUUM INTO ?", [unfinished.to_string_lossy()])
        .map_err(StoreError::from)
        .and_then(|_| finish(&unfinished, to));
    if copied.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&unfinished);
    }
    copied
}

fn finish(unfinished: &Path, to: &Path) -> Result<(), StoreError> {
    let sync = |path: &Path| File::open(path)?.sync_all();
    sync(unfinished).map_err(StoreError::file(unfinished))?;
    fs::rename(unfinished, to).map_err(StoreError::file(to))?;
    let folder = match to.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    sync(folder).map_err(StoreError::file(folder))
}

impl Store {
    /// Copies the database into a file; see [`backup`].
    pub fn backup(&self, to: &Path) -> Result<(), StoreError> {
        backup(&self.folder, to)
    }

    /// Seals all that is fresh, compacts every day before `end_ms` and the days
    /// after it not at all. Waits its turn with the sealer.
    pub fn settle(&self, end_ms: u64) -> Result<(), StoreError> {
        let _chunks = self.shared.chunks();
        let mut connection = schema::open_reader(&self.folder.join(DATABASE_FILE))?;
        self.shared.with_room(&self.writer, || {
            self.shared.seal_everything(&self.writer, &mut connection)
        })?;
        for (day, shard) in compact_day::days_to_compact(&connection, end_ms)? {
            let connection = &mut connection;
            compact_day::compact(&self.shared, &self.writer, connection, day, shard, &mut |_| {
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Gives the space of what was deleted back to the file system. Nothing is
    /// stored meanwhile, and as much free space as the database is large is
    /// needed. Not for a daemon: the copy is made where files for the moment go.
    pub fn vacuum(&self) -> Result<(), StoreError> {
        let _chunks = self.shared.chunks();
        self.writer.run_outside(VACUUM_WAIT, |connection| {
            connection.pragma_update(None, "temp_store", schema::IN_FILES)?;
            connection.execute_batch("VACUUM")?;
            // Gives how far it came; readers that hold it up end soon.
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            Ok(())
        })
    }
}
