//! What can go wrong with the store, told so that a caller can choose an HTTP
//! status and a person can act.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// What can go wrong with the store.
#[derive(Debug)]
pub enum StoreError {
    /// The disk is full; nothing of the call was stored. Worth trying again
    /// once there is room.
    Full,
    /// The store did not get to it in time; worth trying again. Says what was
    /// waited for.
    Busy(&'static str),
    /// The deadline of a read passed, and the read was ended.
    Deadline,
    /// The store is closing.
    Closed,
    /// Another process holds the data folder.
    InUse(PathBuf),
    /// The database was written by a newer version of this program.
    Newer {
        /// The schema version that was found.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The file is not a database of this program.
    Foreign(PathBuf),
    /// A part of the database cannot be read.
    Damaged(String),
    /// What was to be created is there already, or points at nothing.
    Conflict(String),
    /// A column that the table does not have or that may not be written.
    UnknownColumn(String),
    /// A folder or file that could not be made, read or written.
    File(PathBuf, io::Error),
    /// Anything else that the engine reported.
    Engine(String),
}

impl StoreError {
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File(path, error)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the disk of the store is full; make room and try again"),
            Self::Busy(what) => write!(f, "the store is busy ({what}); try again"),
            Self::Deadline => f.write_str("the query took longer than it may and was ended"),
            Self::Closed => f.write_str("the store is closing"),
            Self::InUse(path) => {
                write!(f, "{}: another process uses this store; stop it first", path.display())
            }
            Self::Newer { found, known } => write!(
                f,
                "the store has schema version {found}, this program knows up to {known}: \
                 it was written by a newer version; use that one, or a backup"
            ),
            Self::Foreign(path) => {
                write!(f, "{}: not a database of pattood; name another folder", path.display())
            }
            Self::Damaged(what) => write!(f, "damaged: {what}"),
            Self::Conflict(what) => write!(f, "conflict: {what}"),
            Self::UnknownColumn(name) => write!(f, "no such column, or not writable: {name}"),
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Engine(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error() {
            Some(code) if code.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE => Self::Full,
            Some(code) => match code.code {
                ErrorCode::DiskFull => Self::Full,
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy("a lock"),
                ErrorCode::OperationInterrupted => Self::Deadline,
                ErrorCode::ConstraintViolation => Self::Conflict(error.to_string()),
                ErrorCode::DatabaseCorrupt => Self::Damaged(error.to_string()),
                _ => Self::Engine(error.to_string()),
            },
            None => Self::Engine(error.to_string()),
        }
    }
}
