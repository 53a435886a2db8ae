//! The store: a narrow door behind which another engine can stand one day.
//! Nothing outside knows SQL.
//!
//! In: [`Store::batch`] takes the samples of one posted document, and
//! [`Batch::commit`] returns when they are on the disk. Of two samples with one
//! series and timestamp the first stays, so a batch that comes again changes
//! nothing.
//!
//! Out: [`Store::points`] draws a series, downsampled; [`Store::latest`] gives
//! the latest values; [`Store::rows`] and its kin read and change the
//! catalogue; [`Store::watched`] has the latest of chosen series in memory.
//!
//! Inside: one thread writes ([`writer`]); another seals fresh rows into
//! compressed chunks, compacts days, and deletes what has expired ([`sealer`]);
//! readers have connections of their own and hold nobody up. `schema/1.sql`
//! tells the tables, the files beside it what later versions changed.

mod backlog;
mod backup;
mod batch;
mod blob;
mod cache;
mod catalogue;
mod check;
mod chunk;
mod compact_day;
mod course;
mod error;
mod figures;
mod history;
mod hour_rollup;
mod keys;
mod late;
mod latest;
mod log_size;
mod merge;
mod names;
mod number;
mod points;
mod rate;
mod readers;
mod receipt;
mod recent;
mod register;
mod retention;
mod rollup;
mod room;
mod schema;
#[cfg(test)]
mod scratch;
mod seal;
mod sealer;
mod search;
mod tables;
#[cfg(test)]
mod tests;
mod times;
mod watch;
mod writer;

pub use backup::backup;
pub use batch::Batch;
pub use catalogue::{
    Agent, AgentXlate, Cell, Chart, ChartDataPoint, DataPointRow, Favorite, Filter, Glue, Language,
    Pair, PairXlate, PairXlateGroup, ROWS_MAX, Record, Select, User,
};
pub use check::{Findings, check};
pub use error::StoreError;
pub use figures::Status;
pub use keys::{DAY_MS, FIVE_MINUTES_MS, HOUR_MS, SeriesId, TIMESTAMP_END_MS};
pub use latest::{Kept, Latest};
pub use names::{Known, Name, Named};
pub use number::{Number, Sample};
pub use points::{Aggregate, POINTS_MAX, Point, Points, PointsQuery};
pub use rate::grown;
pub use receipt::{Origin, Reading, Receipt, Refusal};
pub use register::NewSeries;
pub use retention::{Keep, Retention};
pub use rollup::Bucket;
pub use search::KeyCount;
pub use tables::{Broken, Resolution};
pub use watch::{Heard, WATCHED_MAX, Watched};

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension};

use backlog::{Backlog, Due};
use cache::Cache;
use figures::Figures;
use readers::Readers;
use register::Caps;
use room::Room;
use sealer::Sealer;
use watch::Watch;
use writer::Writer;

/// The database, within the data folder.
pub const DATABASE_FILE: &str = "store.db";
/// Steps by which the threads that take in, write and seal yield to those that
/// answer questions: where all want a core, these get three times as much of it.
pub const YIELD: i32 = 5;
/// Held locked while a process has the store open.
const LOCK_FILE: &str = "store.lock";
/// Whoever looks whether a store is in use ([`Store::is_nobodys`]) has the lock for a
/// moment: so long it is tried again.
const LOOK: Duration = Duration::from_millis(200);

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data folder; made if it is not there.
    pub folder: PathBuf,
    /// How long samples and roll-ups are kept.
    pub retention: Retention,
    /// Series that one agent id may have.
    pub series_of_agent: u64,
    /// Agents that there may be.
    pub agents: u64,
    /// Series that are remembered between batches; about 150 bytes each.
    pub series_remembered: usize,
}

impl Options {
    /// The defaults, for a data folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            retention: Retention::default(),
            series_of_agent: 20_000,
            agents: 100_000,
            series_remembered: 200_000,
        }
    }
}

/// What the threads of a store share.
struct Shared {
    backlog: Arc<Backlog>,
    figures: Figures,
    room: Arc<Room>,
    retention: Mutex<Retention>,
    /// Before this, samples have been deleted and late ones are refused.
    raw_start_ms: AtomicU64,
    /// Held by whoever reads chunks in order to replace them.
    chunks: Mutex<()>,
}

impl Shared {
    fn chunks(&self) -> MutexGuard<'_, ()> {
        self.chunks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn retention(&self) -> Retention {
        *self.retention.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_raw_start_ms(&self, start_ms: u64) {
        self.raw_start_ms.fetch_max(start_ms, Ordering::AcqRel);
    }

    /// Does what makes room: again with the room of the reserve, where the disk is too
    /// full for it. The caller holds [`Shared::chunks`].
    fn with_room<T>(
        &self,
        writer: &Writer,
        mut work: impl FnMut() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let first = work();
        if !matches!(first, Err(StoreError::Full)) {
            return first;
        }
        self.room.give_up();
        // Where this has no room either, the work may have.
        let _ = writer.begin_log_anew();
        let second = work();
        let _ = writer.begin_log_anew();
        self.room.settle();
        second
    }

    /// Seals every fresh row. The caller holds [`Shared::chunks`].
    fn seal_everything(
        &self,
        writer: &Writer,
        connection: &mut Connection,
    ) -> Result<(), StoreError> {
        let any = Due { bytes: 0, ..Due::NEVER };
        while let Some((hour, shard)) = self.backlog.next(any) {
            if seal::seal(self, writer, connection, hour, shard)? == 0 {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// An open store. Dropping it writes what has been accepted and ends its
/// threads.
pub struct Store {
    folder: PathBuf,
    shared: Arc<Shared>,
    // Before the writer, so that its connection is the last to close: only one that
    // may write can empty the log then.
    readers: Readers,
    writer: Arc<Writer>,
    cache: Cache,
    agents: u64,
    series_of_agent: AtomicU64,
    watch: Watch,
    sealer: Sealer,
    _lock: File,
}

impl Store {
    /// Opens the store of a folder, makes it if there is none, and brings an
    /// older one up to date. Takes milliseconds, however large it is.
    pub fn open(options: &Options) -> Result<Self, StoreError> {
        let folder = &options.folder;
        fs::create_dir_all(folder).map_err(StoreError::file(folder))?;
        let lock = lock(folder)?;
        let path = folder.join(DATABASE_FILE);
        // Before the database, which wants some room when it is opened.
        let room = Arc::new(Room::of(folder));
        let connection = schema::open_writer(&path)?;
        connection.pragma_update(None, "wal_autocheckpoint", room.log_pages())?;
        let raw_start_ms = connection
            .query_row("SELECT value FROM setting WHERE name = 'raw_start_ms'", [], |row| {
                row.get(0)
            })
            .optional()?;
        let backlog = Arc::new(Backlog::default());
        let shared = Arc::new(Shared {
            backlog: Arc::clone(&backlog),
            figures: Figures::default(),
            room: Arc::clone(&room),
            retention: Mutex::new(options.retention),
            raw_start_ms: AtomicU64::new(raw_start_ms.unwrap_or(0)),
            chunks: Mutex::default(),
        });
        let writer = Arc::new(Writer::start(connection, &path, Arc::clone(&backlog), room)?);
        // As a job of the writer, so that it comes before every batch and
        // nothing is counted twice.
        writer.start_with(move |connection| count_backlog(connection, &backlog))?;
        let sealer =
            Sealer::start(Arc::clone(&shared), Arc::clone(&writer), schema::open_reader(&path)?)?;
        Ok(Self {
            folder: folder.clone(),
            shared,
            writer,
            readers: Readers::new(path),
            cache: Cache::new(options.series_remembered),
            agents: options.agents,
            series_of_agent: AtomicU64::new(options.series_of_agent),
            watch: Watch::default(),
            sealer,
            _lock: lock,
        })
    }

    /// Whether no process has the store of this folder open, as far as the caller may
    /// know.
    pub fn is_nobodys(folder: &Path) -> bool {
        File::options()
            .write(true)
            .open(folder.join(LOCK_FILE))
            .is_ok_and(|file| file.try_lock().is_ok())
    }

    /// A batch for the samples of one document.
    pub fn batch(&self) -> Batch<'_> {
        Batch::new(self)
    }

    /// What is kept from now on. The sealer goes by it at once.
    pub fn set_retention(&self, retention: Retention) {
        let before = std::mem::replace(
            &mut *self.shared.retention.lock().unwrap_or_else(PoisonError::into_inner),
            retention,
        );
        if before != retention {
            self.shared.backlog.urge();
        }
    }

    /// Series that one agent id may have from now on.
    pub fn set_series_of_agent(&self, most: u64) {
        self.series_of_agent.store(most, Ordering::Relaxed);
    }

    fn caps(&self) -> Caps {
        let series_of_agent = self.series_of_agent.load(Ordering::Relaxed);
        Caps { series_of_agent, agents: self.agents }
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The newest timestamp that was ever stored, milliseconds since 1970; 0 if
    /// none was.
    pub fn newest_ms(&self) -> u64 {
        self.shared.backlog.newest_ms()
    }

    /// How long, and how much, is kept.
    pub fn retention(&self) -> Retention {
        *self.shared.retention.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Samples before this have been deleted, milliseconds since 1970; roll-ups of
    /// them may be there.
    pub fn raw_start_ms(&self) -> u64 {
        self.shared.raw_start_ms.load(Ordering::Acquire)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.shared.backlog.stop();
        self.sealer.join();
    }
}

fn lock(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join(LOCK_FILE);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(StoreError::file(&path))?;
    let deadline = Instant::now() + LOOK;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::park_timeout(LOOK / 10);
            }
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse(folder.to_owned())),
            Err(TryLockError::Error(error)) => return Err(StoreError::File(path, error)),
        }
    }
}

/// Counts what an earlier process left unsealed.
fn count_backlog(connection: &Connection, backlog: &Backlog) -> Result<(), StoreError> {
    let mut statement = connection.prepare(
        "SELECT hour, shard, sum(length(blob)), max(max_ms) FROM recent GROUP BY hour, shard",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        backlog.found(row.get(0)?, row.get(1)?, row.get(2)?);
        backlog.found_newest(row.get(3)?);
    }
    let sealed: u64 =
        connection
            .query_row("SELECT ifnull(max(timestamp_ms), 0) FROM latest", [], |row| row.get(0))?;
    backlog.found_newest(sealed);
    Ok(())
}
