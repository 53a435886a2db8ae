//! The tables, how they come to be, and how a connection is opened.
//!
//! The samples stand apart from the catalogue. Fresh samples are in `recent`,
//! a row a batch, hour and shard; sealed ones in `hour_chunk` and, after the
//! day's compaction, in `day_chunk`, a row a series and window. A chunk names
//! the column of timestamps that it shares with its neighbours. A sample may
//! stand in more than one of the three, and the most settled place wins.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::StoreError;

/// "PATT": marks a database as ours.
const APPLICATION_ID: i64 = 0x5041_5454;
/// Memory for pages of the writer, in KiB.
const WRITER_CACHE_KIB: i64 = 6 * 1024;
/// Memory for pages of each reader, in KiB.
const READER_CACHE_KIB: i64 = 1024;
/// The log is cut back to this when a checkpoint empties it.
const LOG_KEPT_BYTES: i64 = 16 << 20;
/// Other connections of this process hold locks for moments only.
pub(super) const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Where the engine keeps what it needs for one statement, such as how to undo a
/// large deletion. The kernel lets a daemon write only in its own folders, and files
/// for the moment would go to /tmp.
const IN_MEMORY: &str = "MEMORY";
/// Where a copy of the whole database is better kept; no daemon makes one.
pub(super) const IN_FILES: &str = "FILE";
/// Statements kept compiled by each connection.
const STATEMENTS_KEPT: usize = 96;

/// Each step leads from the version of its place to the next.
const STEPS: &[&str] =
    &[include_str!("schema/1.sql"), include_str!("schema/2.sql"), include_str!("schema/3.sql")];

fn known_version() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// The connection of the writer: makes the database if there is none, and
/// brings an older one up to date.
pub(super) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(LOCK_WAIT)?;
    check_version(&connection, path)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "journal_size_limit", LOG_KEPT_BYTES)?;
    connection.pragma_update(None, "temp_store", IN_MEMORY)?;
    migrate(&mut connection)?;
    Ok(connection)
}

/// A connection that only reads.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(LOCK_WAIT)?;
    check_version(&connection, path)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", IN_MEMORY)?;
    Ok(connection)
}

fn version(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn check_version(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let foreign = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => StoreError::Foreign(path.to_owned()),
        _ => error.into(),
    };
    let found = version(connection).map_err(foreign)?;
    let application: i64 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 && application != APPLICATION_ID {
        return Err(StoreError::Foreign(path.to_owned()));
    }
    if found > known_version() {
        return Err(StoreError::Newer { found, known: known_version() });
    }
    Ok(())
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found = usize::try_from(version(connection)?).unwrap_or(0);
    if found == STEPS.len() {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for step in STEPS.iter().skip(found) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", known_version())?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::scratch::Scratch;
    use super::*;

    #[test]
    fn a_fresh_folder_gets_the_newest_schema_and_keeps_it() {
        let scratch = Scratch::new("schema");
        let path = scratch.path().join("store.db");
        for _ in 0..2 {
            let connection = open_writer(&path).unwrap();
            assert_eq!(version(&connection).unwrap(), known_version());
        }
    }

    #[test]
    fn every_older_schema_is_brought_up_to_date_with_what_it_holds() {
        for older in 1..STEPS.len() {
            let scratch = Scratch::new("older");
            let path = scratch.path().join("store.db");
            let connection = Connection::open(&path).unwrap();
            for step in &STEPS[..older] {
                connection.execute_batch(step).unwrap();
            }
            connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
            connection.pragma_update(None, "user_version", i64::try_from(older).unwrap()).unwrap();
            connection
                .execute_batch(
                    "INSERT INTO hour_chunk (id, times, count, blob) VALUES (1, 0, 1, x'00');
                     INSERT INTO five_minutes (id, blob) VALUES (1, x'01');",
                )
                .unwrap();
            drop(connection);
            let connection = open_writer(&path).unwrap();
            assert_eq!(version(&connection).unwrap(), known_version());
            let held: (i64, Vec<u8>, Option<Vec<u8>>) = connection
                .query_row(
                    "SELECT five_minutes.times, five_minutes.blob, rollup
                     FROM five_minutes JOIN hour_chunk USING (id)",
                    [],
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                )
                .unwrap();
            assert_eq!(held, (-1, vec![1], None), "from version {older}");
        }
    }

    #[test]
    fn a_newer_schema_is_refused_in_clear_words() {
        let scratch = Scratch::new("newer");
        let path = scratch.path().join("store.db");
        open_writer(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let error = open_writer(&path).unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
        assert!(error.to_string().contains("newer version"));
        assert!(open_reader(&path).is_err());
    }

    #[test]
    fn no_connection_needs_files_for_the_moment() {
        let scratch = Scratch::new("moment");
        let path = scratch.path().join("store.db");
        for connection in [open_writer(&path).unwrap(), open_reader(&path).unwrap()] {
            let place: i64 =
                connection.pragma_query_value(None, "temp_store", |row| row.get(0)).unwrap();
            assert_eq!(place, 2, "memory");
        }
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        let scratch = Scratch::new("foreign");
        let path = scratch.path().join("store.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs(a)").unwrap();
        assert!(matches!(open_writer(&path), Err(StoreError::Foreign(_))));
        let text = scratch.path().join("notes.txt");
        std::fs::write(&text, "not a database, but longer than a header of one ".repeat(40))
            .unwrap();
        assert!(matches!(open_writer(&text), Err(StoreError::Foreign(_))));
        assert!(std::fs::read_to_string(&text).unwrap().starts_with("not a database"));
    }
}
