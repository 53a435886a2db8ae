//! Connections that only read, a bounded number, lent for moments. A read
//! transaction keeps the log from being emptied, so none may last.

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::error::StoreError;
use super::schema;

/// Reading connections.
const READERS: usize = 6;
/// How long a caller waits for one.
const WAIT: Duration = Duration::from_secs(5);
/// How long one statement may run.
const LONGEST_READ: Duration = Duration::from_secs(10);
/// Steps of the engine between two looks at the clock.
const STEPS_A_LOOK: i32 = 20_000;

#[derive(Default)]
struct Idle {
    connections: Vec<Connection>,
    lent: usize,
}

/// The pool.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Idle>,
    returned: Condvar,
}

impl Readers {
    /// A pool over a database that exists; connections are opened when they are
    /// first wanted.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::default(), returned: Condvar::new() }
    }

    /// Reads with a connection of the pool, for ten seconds at most.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.read_until(Instant::now() + LONGEST_READ, read)
    }

    /// Reads with a connection of the pool; ended at the deadline.
    pub(super) fn read_until<T>(
        &self,
        deadline: Instant,
        read: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.take()?;
        connection.progress_handler(STEPS_A_LOOK, Some(move || Instant::now() >= deadline))?;
        let result = read(&mut connection);
        self.give_back(connection);
        result
    }

    fn take(&self) -> Result<Connection, StoreError> {
        let deadline = Instant::now() + WAIT;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(connection) = idle.connections.pop() {
                idle.lent += 1;
                return Ok(connection);
            }
            if idle.lent < READERS {
                idle.lent += 1;
                drop(idle);
                return schema::open_reader(&self.path).inspect_err(|_| self.returned());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(StoreError::Busy("a reader"));
            }
            idle = self.returned.wait_timeout(idle, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn returned(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).lent -= 1;
        self.returned.notify_one();
    }

    fn give_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.lent -= 1;
        // A transaction that was left open by an error must not last.
        if connection.is_autocommit() {
            idle.connections.push(connection);
        }
        drop(idle);
        self.returned.notify_one();
    }
}
