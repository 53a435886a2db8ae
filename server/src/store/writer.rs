//! The one thread that writes. Whatever changes the database comes to it as a
//! job through a bounded queue. Appends that wait together are written
//! together, with one sync of the disk for all; nobody has an answer before
//! the sync is done.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pattoo_common::priority::yield_to_others;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::YIELD;
use super::backlog::Backlog;
use super::blob::{self, Kind};
use super::error::StoreError;
use super::keys::SeriesId;
use super::log_size::{self, LOG_BYTES, LogSize};
use super::room::{self, Room};

/// Jobs that may wait; each comes from a thread that waits for its answer.
const QUEUE_JOBS: usize = 64;
/// Bytes of appends that are written in one transaction.
const GROUP_BYTES: usize = 4 << 20;
/// How long a caller waits for its place and its answer.
const WAIT: Duration = Duration::from_secs(30);
/// Numbers of `recent.seq` that are taken from the database at a time.
const SEQ_BLOCK: i64 = 1 << 20;

/// A row of `recent`, all but its number.
#[derive(Debug)]
pub(super) struct RecentRow {
    pub(super) hour: u32,
    pub(super) shard: u32,
    pub(super) min_ms: u64,
    pub(super) max_ms: u64,
    pub(super) content: Vec<u8>,
}

/// A value of a text series.
#[derive(Debug)]
pub(super) struct TextRow {
    pub(super) series: SeriesId,
    pub(super) timestamp_ms: u64,
    pub(super) text: String,
}

/// What a batch adds to the database.
#[derive(Debug, Default)]
pub(super) struct Append {
    pub(super) rows: Vec<RecentRow>,
    pub(super) texts: Vec<TextRow>,
    /// The epoch in which the series were looked up.
    pub(super) epoch: u64,
}

impl Append {
    fn bytes(&self) -> usize {
        self.rows.iter().map(|row| row.content.len()).sum::<usize>()
            + self.texts.iter().map(|row| row.text.len()).sum::<usize>()
    }
}

type Answer<T> = mpsc::Sender<Result<T, StoreError>>;
type Task = Box<dyn FnOnce(&mut Connection) + Send>;

enum Job {
    Append(Append, Answer<usize>),
    Task(Task),
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

/// What callers and the thread share.
pub(super) struct Shared {
    queue: Mutex<Queue>,
    came: Condvar,
    left: Condvar,
    epoch: AtomicU64,
    backlog: Arc<Backlog>,
    room: Arc<Room>,
}

/// The handle of the writing thread; the thread ends when it is dropped, after
/// the jobs that it has accepted.
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread over a connection that may write.
    pub(super) fn start(
        mut connection: Connection,
        database: &Path,
        backlog: Arc<Backlog>,
        room: Arc<Room>,
    ) -> Result<Self, StoreError> {
        let mut numbers = Numbers::take(&mut connection)?;
        let mut log = LogSize::new(database, LOG_BYTES);
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            came: Condvar::new(),
            left: Condvar::new(),
            epoch: AtomicU64::new(0),
            backlog,
            room,
        });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                yield_to_others(YIELD);
                while let Some(jobs) = of_thread.next() {
                    of_thread.work(&mut connection, &mut numbers, jobs);
                    if let Err(error) = log.keep(&connection) {
                        log::warn!("store: the log could not be emptied: {error}");
                    }
                }
            })
            .map_err(|error| StoreError::Engine(format!("no thread for the writer: {error}")))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Gives the thread a first job whose answer nobody waits for.
    pub(super) fn start_with(
        &self,
        job: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        self.shared.push(Job::Task(Box::new(move |connection| {
            if let Err(error) = job(connection) {
                log::error!("store: the unsealed rows could not be counted: {error}");
            }
        })))
    }

    /// The present epoch: it changes whenever series are deleted, and an append
    /// of an older epoch is not taken.
    pub(super) fn epoch(&self) -> u64 {
        self.shared.epoch.load(Ordering::Acquire)
    }

    /// Begins a new epoch. Called from within a job, so that no append comes
    /// between the look and the deed.
    pub(super) fn epoch_changer(&self) -> impl FnOnce() + Send + 'static {
        let shared = Arc::clone(&self.shared);
        move || {
            shared.epoch.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Writes a batch; returns how many of its texts were newer than what was
    /// there.
    pub(super) fn append(&self, append: Append) -> Result<usize, StoreError> {
        let (answer, result) = mpsc::channel();
        self.shared.push(Job::Append(append, answer))?;
        wait(&result)
    }

    /// Runs a change in a transaction of its own.
    pub(super) fn run<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let room = Arc::clone(&self.shared.room);
        self.run_outside(WAIT, move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let pages = room::pages(&transaction)?;
            let result = change(&transaction)?;
            room.check(&transaction, pages)?;
            transaction.commit()?;
            Ok(result)
        })
    }

    /// Has the log written from its start again.
    pub(super) fn begin_log_anew(&self) -> Result<(), StoreError> {
        self.run_outside(WAIT, |connection| log_size::begin_anew(connection))
    }

    /// Runs something on the connection itself, such as a vacuum.
    pub(super) fn run_outside<T: Send + 'static>(
        &self,
        wait_at_most: Duration,
        job: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, result) = mpsc::channel();
        let backlog = Arc::clone(&self.shared.backlog);
        self.shared.push(Job::Task(Box::new(move |connection| {
            let result = job(connection);
            if matches!(result, Err(StoreError::Full)) {
                // The next one may have room in what the log has already.
                let _ = log_size::begin_anew(connection);
                backlog.urge();
            }
            // Whoever asked may have gone; then nobody wants the answer.
            let _ = answer.send(result);
        })))?;
        match result.recv_timeout(wait_at_most) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => Err(StoreError::Busy("the writer")),
            Err(RecvTimeoutError::Disconnected) => Err(StoreError::Closed),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.came.notify_all();
        self.shared.left.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported already.
            let _ = thread.join();
        }
    }
}

fn wait<T>(result: &mpsc::Receiver<Result<T, StoreError>>) -> Result<T, StoreError> {
    match result.recv_timeout(WAIT) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => Err(StoreError::Busy("the writer")),
        Err(RecvTimeoutError::Disconnected) => Err(StoreError::Closed),
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job) -> Result<(), StoreError> {
        let deadline = Instant::now() + WAIT;
        let mut queue = self.lock();
        while queue.jobs.len() >= QUEUE_JOBS && !queue.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(StoreError::Busy("the writer's queue"));
            }
            queue = self.left.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if queue.closed {
            return Err(StoreError::Closed);
        }
        queue.jobs.push_back(job);
        self.came.notify_one();
        Ok(())
    }

    /// The next task, or the appends that stand together; none when closed and
    /// empty.
    fn next(&self) -> Option<Vec<Job>> {
        let mut queue = self.lock();
        while queue.jobs.is_empty() {
            if queue.closed {
                return None;
            }
            queue = self.came.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let mut group = Vec::new();
        let mut bytes = 0;
        while let Some(job) = queue.jobs.front() {
            let weight = match job {
                Job::Append(append, _) => append.bytes(),
                Job::Task(_) if group.is_empty() => GROUP_BYTES,
                Job::Task(_) => break,
            };
            group.extend(queue.jobs.pop_front());
            bytes += weight;
            if bytes >= GROUP_BYTES {
                break;
            }
        }
        self.left.notify_all();
        Some(group)
    }

    fn work(&self, connection: &mut Connection, numbers: &mut Numbers, jobs: Vec<Job>) {
        let mut appends = Vec::with_capacity(jobs.len());
        for job in jobs {
            match job {
                Job::Task(task) => task(connection),
                Job::Append(append, answer)
                    if append.epoch == self.epoch.load(Ordering::Acquire) =>
                {
                    appends.push((append, answer));
                }
                Job::Append(_, answer) => {
                    let _ = answer.send(Err(StoreError::Busy("series were deleted meanwhile")));
                }
            }
        }
        if appends.is_empty() {
            return;
        }
        match self.write(connection, numbers, &appends) {
            Ok(texts) => {
                for ((append, answer), texts) in appends.into_iter().zip(texts) {
                    self.backlog.add(&append.rows);
                    let _ = answer.send(Ok(texts));
                }
            }
            Err(error) => {
                // That the disk is full is told by whoever answers the posts.
                if !matches!(error, StoreError::Full) {
                    log::error!("store: {} batches were not written: {error}", appends.len());
                }
                for (_, answer) in appends {
                    let _ = answer.send(Err(again(&error)));
                }
            }
        }
    }

    /// Writes appends, on a full disk into the blocks that the log has already.
    fn write(
        &self,
        connection: &mut Connection,
        numbers: &mut Numbers,
        appends: &[(Append, Answer<usize>)],
    ) -> Result<Vec<usize>, StoreError> {
        // What is free now is for deleting, which has room for them afterwards.
        if self.room.is_given_up() {
            return Err(StoreError::Full);
        }
        let mut result = write(connection, numbers, appends, &self.room);
        if matches!(result, Err(StoreError::Full)) && log_size::begin_anew(connection).is_ok() {
            result = write(connection, numbers, appends, &self.room);
        }
        if matches!(result, Err(StoreError::Full)) {
            self.backlog.urge();
        }
        result
    }
}

/// The same error once more, for each that waits.
fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full => StoreError::Full,
        StoreError::Busy(what) => StoreError::Busy(what),
        error => StoreError::Engine(error.to_string()),
    }
}

fn write(
    connection: &mut Connection,
    numbers: &mut Numbers,
    appends: &[(Append, Answer<usize>)],
    room: &Room,
) -> Result<Vec<usize>, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let pages = room::pages(&transaction)?;
    let mut texts = Vec::with_capacity(appends.len());
    {
        let mut put = transaction.prepare_cached(
            "INSERT INTO recent (hour, shard, seq, min_ms, max_ms, blob) VALUES (?, ?, ?, ?, ?, ?)",
        )?;
        let mut put_text = transaction.prepare_cached(
            "INSERT INTO latest (series, timestamp_ms, value) VALUES (?, ?, ?)
             ON CONFLICT DO UPDATE SET timestamp_ms = excluded.timestamp_ms, value = excluded.value
             WHERE excluded.timestamp_ms > timestamp_ms",
        )?;
        for (append, _) in appends {
            for row in &append.rows {
                let seq = numbers.next(&transaction)?;
                let key = [i64::from(row.hour), i64::from(row.shard)];
                let blob = blob::seal(Kind::Recent, key, row.content.clone());
                put.execute(params![row.hour, row.shard, seq, row.min_ms, row.max_ms, blob])?;
            }
            let mut newer = 0;
            for row in &append.texts {
                newer += put_text.execute(params![row.series, row.timestamp_ms, row.text])?;
            }
            texts.push(newer);
        }
    }
    room.check(&transaction, pages)?;
    transaction.commit()?;
    Ok(texts)
}

/// Numbers for rows of `recent`. They must never be lower than one that was
/// used before, also after a crash and a turned clock, so a block of them is
/// marked as used in the database before the first is given out.
struct Numbers {
    next: i64,
    end: i64,
}

impl Numbers {
    fn take(connection: &mut Connection) -> Result<Self, StoreError> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let end = Self::mark(&transaction)?;
        transaction.commit()?;
        Ok(Self { next: end - SEQ_BLOCK, end })
    }

    fn mark(connection: &Connection) -> Result<i64, StoreError> {
        let end = connection.query_row(
            "INSERT INTO setting VALUES ('next_seq', ?1)
             ON CONFLICT DO UPDATE SET value = value + ?1 RETURNING value",
            [SEQ_BLOCK],
            |row| row.get(0),
        )?;
        Ok(end)
    }

    fn next(&mut self, transaction: &Transaction<'_>) -> Result<i64, StoreError> {
        if self.next == self.end {
            // If this transaction fails, the numbers are skipped, no more.
            self.end = Self::mark(transaction)?.max(self.end + SEQ_BLOCK);
        }
        self.next += 1;
        Ok(self.next - 1)
    }
}
