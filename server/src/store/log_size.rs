//! Keeps the write-ahead log small. The engine empties it by itself, but only
//! at a moment when nobody reads from it; readers that overlap without end
//! never give it one. Past a bound the writer therefore waits for that moment,
//! briefly and not too often, so that a long reader such as a backup holds up
//! neither the batches nor, once it is done, the log.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::error::StoreError;

/// The size past which the log is emptied.
pub(super) const LOG_BYTES: u64 = 64 << 20;
/// How long readers are waited for.
const WAIT: Duration = Duration::from_millis(100);
/// The pause after they were waited for in vain.
const PAUSE: Duration = Duration::from_secs(5);

/// Watches the log of a database.
pub(super) struct LogSize {
    log: PathBuf,
    bound_bytes: u64,
    not_before: Instant,
}

impl LogSize {
    pub(super) fn new(database: &Path, bound_bytes: u64) -> Self {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        Self { log: log.into(), bound_bytes, not_before: Instant::now() }
    }

    /// Empties the log if it is too large and readers allow it; says if it was
    /// emptied.
    pub(super) fn keep(&mut self, connection: &Connection) -> Result<bool, StoreError> {
        let size = std::fs::metadata(&self.log).map_or(0, |log| log.len());
        if size <= self.bound_bytes || Instant::now() < self.not_before {
            return Ok(false);
        }
        connection.busy_timeout(WAIT)?;
        let held_up = connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
        connection.busy_timeout(super::schema::LOCK_WAIT)?;
        let held_up = held_up?;
        if held_up {
            self.not_before = Instant::now() + PAUSE;
        }
        Ok(!held_up)
    }
}

/// Empties the log into the database, if readers allow it soon, so that it is written
/// from its start again: in blocks that it has already. It keeps them.
pub(super) fn begin_anew(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(WAIT)?;
    let emptied = connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()));
    connection.busy_timeout(super::schema::LOCK_WAIT)?;
    Ok(emptied?)
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::super::scratch::Scratch;
    use super::*;

    #[test]
    fn a_reader_holds_the_log_only_while_it_reads() {
        let scratch = Scratch::new("log");
        let path = scratch.path().join("store.db");
        let writer = schema::open_writer(&path).unwrap();
        let mut reader = schema::open_reader(&path).unwrap();
        let bound_bytes = 1 << 20;
        let mut log = LogSize::new(&path, bound_bytes);

        let reading = reader.transaction().unwrap();
        let count = "SELECT count(*) FROM damaged";
        reading.query_row(count, [], |row| row.get::<_, u64>(0)).unwrap();
        let mut emptied = false;
        for _ in 0..40 {
            let put = "INSERT INTO damaged VALUES (NULL, '', 0, 0, 0, '', zeroblob(100000))";
            writer.execute(put, []).unwrap();
            emptied |= log.keep(&writer).unwrap();
        }
        assert!(!emptied);
        assert!(std::fs::metadata(&log.log).unwrap().len() > bound_bytes);
        drop(reading);
        log.not_before = Instant::now();
        assert!(log.keep(&writer).unwrap());
        assert_eq!(std::fs::metadata(&log.log).unwrap().len(), 0);
    }
}
