//! The thread behind the scenes: seals fresh rows, compacts days that are over,
//! deletes what has expired. It reads through a connection of its own and
//! writes through the writer, a short transaction at a time.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::Shared;
use super::backlog::Due;
use super::error::StoreError;
use super::keys::DAY_MS;
use super::writer::Writer;
use super::{clock, compact_day, retention, seal};

/// Fresh rows of a shard and hour are sealed at this many bytes ...
const SEAL_BYTES: usize = 2 << 20;
/// ... or this age.
const SEAL_AGE: Duration = Duration::from_mins(15);
/// A day is compacted so long after its end, ...
const COMPACT_AFTER_MS: u64 = 2 * 3_600_000;
/// ... once nothing of it has been sealed for so long.
const COMPACT_QUIET: Duration = Duration::from_mins(5);
/// How often it looks for days to compact.
const COMPACT_EVERY: Duration = Duration::from_mins(1);
/// How often it looks for what has expired, and when first.
const EXPIRE_EVERY: Duration = Duration::from_mins(10);
/// A look at the clock while nothing comes in.
const IDLE: Duration = Duration::from_secs(30);
/// A pause after an error, so that a full disk is not hammered.
const AFTER_ERROR: Duration = Duration::from_secs(5);

/// The thread; [`Sealer::join`] after the backlog was stopped.
pub(super) struct Sealer(Option<JoinHandle<()>>);

impl Sealer {
    pub(super) fn start(
        shared: Arc<Shared>,
        writer: Arc<Writer>,
        connection: Connection,
    ) -> Result<Self, StoreError> {
        let mut work = Work {
            shared,
            writer,
            connection,
            sealed_at: HashMap::new(),
            compacted: Instant::now(),
            expired: Instant::now(),
        };
        let thread = std::thread::Builder::new()
            .name("store-sealer".into())
            .spawn(move || work.run())
            .map_err(|error| StoreError::Engine(format!("no thread for the sealer: {error}")))?;
        Ok(Self(Some(thread)))
    }

    pub(super) fn join(&mut self) {
        if let Some(thread) = self.0.take() {
            // A panic of the thread has been reported already.
            let _ = thread.join();
        }
    }
}

struct Work {
    shared: Arc<Shared>,
    writer: Arc<Writer>,
    connection: Connection,
    /// When something of a day and shard was last sealed.
    sealed_at: HashMap<(u32, u32), Instant>,
    compacted: Instant,
    expired: Instant,
}

impl Work {
    fn run(&mut self) {
        let mut pause = IDLE;
        while self.shared.backlog.wait(pause) {
            pause = IDLE;
            if let Err(error) = self.round() {
                if matches!(error, StoreError::Closed) {
                    return;
                }
                log::error!("store: sealing failed and will be tried again: {error}");
                self.shared.backlog.pause(AFTER_ERROR);
                pause = Duration::ZERO;
            }
        }
    }

    fn round(&mut self) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        let due = Due { bytes: SEAL_BYTES, age: SEAL_AGE };
        while let Some((hour, shard)) = self.shared.backlog.next(due) {
            if self.shared.backlog.is_stopped() {
                return Err(StoreError::Closed);
            }
            let _chunks = shared.chunks();
            seal::seal(&self.shared, &self.writer, &mut self.connection, hour, shard)?;
            self.sealed_at.insert((hour / 24, shard), Instant::now());
        }
        if self.compacted.elapsed() >= COMPACT_EVERY {
            let _chunks = shared.chunks();
            retention::sweep_doomed(&self.shared, &self.writer)?;
            self.compact_quiet_days()?;
            self.compacted = Instant::now();
        }
        if self.expired.elapsed() >= EXPIRE_EVERY {
            let _chunks = shared.chunks();
            // A clock that jumps ahead must not delete the history: time goes no
            // further than a day past the newest sample.
            let now_ms = clock::now_ms().min(self.shared.backlog.newest_ms() + DAY_MS);
            retention::expire(&self.shared, &self.writer, &mut self.connection, now_ms)?;
            self.expired = Instant::now();
        }
        Ok(())
    }

    fn compact_quiet_days(&mut self) -> Result<(), StoreError> {
        let end_ms = clock::now_ms().saturating_sub(COMPACT_AFTER_MS) / DAY_MS * DAY_MS;
        self.sealed_at.retain(|_, at| at.elapsed() < COMPACT_QUIET);
        for (day, shard) in compact_day::days_to_compact(&self.connection, end_ms)? {
            if !self.sealed_at.contains_key(&(day, shard)) {
                compact_day::compact(&self.shared, &self.writer, &mut self.connection, day, shard)?;
            }
        }
        Ok(())
    }
}
