//! What is to be posted: on disk in the spool, and in memory only where the
//! configuration says so or the disk lets us down.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pattoo_common::config::SpoolMode;
use pattoo_common::spool::{Entry, Spool, SpoolError, SpoolStats, Trouble, datapoint_count};

/// Bytes of batches that wait in memory; past that the oldest goes.
const MAX_MEMORY_BYTES: usize = 16 << 20;

/// How long to wait before a spool that cannot be read is looked at again.
const SPOOL_PATIENCE: Duration = Duration::from_secs(5);

/// Takes what the cycles make and gives it to the poster, oldest first.
#[derive(Debug)]
pub(crate) struct Outbox {
    spool: Spool,
    mode: SpoolMode,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// Younger than all that is in the spool.
    memory: VecDeque<InMemory>,
    memory_bytes: usize,
    /// Whether the last post went well.
    well: bool,
    /// Counts arrivals, so that none is slept through.
    arrivals: u64,
    closed: bool,
    /// Batches that neither disk nor memory could hold.
    dropped: u64,
    /// Their datapoints.
    dropped_datapoints: u64,
    /// What the log knows of the spool.
    fault: Option<Trouble>,
}

/// A batch that is not on disk.
#[derive(Debug)]
pub(crate) struct InMemory {
    timestamp_ms: u64,
    body: Vec<u8>,
}

/// A batch on its way to the server. It is to be given back by [`Outbox::done`],
/// [`Outbox::keep`] or [`Outbox::refuse`].
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// Its file stays until the server has acknowledged it.
    Spooled(Entry, Vec<u8>),
    /// It is nowhere else.
    Memory(InMemory),
}

impl Outgoing {
    /// A batch that never was in an outbox.
    pub(crate) fn direct(body: Vec<u8>, timestamp_ms: u64) -> Self {
        Self::Memory(InMemory { timestamp_ms, body })
    }

    /// What is to be posted.
    pub(crate) fn body(&self) -> &[u8] {
        match self {
            Self::Spooled(_, body) | Self::Memory(InMemory { body, .. }) => body,
        }
    }

    /// What tells this batch from all others, if it has a file.
    pub(crate) fn entry(&self) -> Option<&Entry> {
        match self {
            Self::Spooled(entry, _) => Some(entry),
            Self::Memory(_) => None,
        }
    }
}

impl Outbox {
    /// An outbox over `spool`.
    pub(crate) fn new(spool: Spool, mode: SpoolMode) -> Self {
        let state = State {
            memory: VecDeque::new(),
            memory_bytes: 0,
            well: true,
            arrivals: 0,
            closed: false,
            dropped: 0,
            dropped_datapoints: 0,
            fault: None,
        };
        let outbox = Self { spool, mode, state: Mutex::new(state), changed: Condvar::new() };
        if let Err(error) = outbox.spool.open() {
            outbox.note(&mut outbox.lock(), Some(&error));
        }
        outbox
    }

    /// Takes a batch, in pieces, that was made at `timestamp_ms`. It never fails:
    /// what the disk does not take is kept in memory for a direct post.
    pub(crate) fn deliver(&self, pieces: &[impl AsRef<[u8]>], timestamp_ms: u64) {
        let in_memory = || {
            let body = pieces.iter().map(AsRef::as_ref).collect::<Vec<_>>().concat();
            InMemory { timestamp_ms, body }
        };
        let bytes: usize = pieces.iter().map(|piece| piece.as_ref().len()).sum();
        let mut state = self.lock();
        let direct = self.mode == SpoolMode::OnFailure
            && state.well
            && state.memory_bytes + bytes <= MAX_MEMORY_BYTES
            && self.spool.stats().batches == 0;
        if direct {
            state.push_back(in_memory());
        } else {
            drop(state);
            let stored = self.store_waiting().and_then(|()| self.spool.push(pieces, timestamp_ms));
            state = self.lock();
            self.note(&mut state, stored.as_ref().err());
            if stored.is_err() {
                state.push_back(in_memory());
                state.trim();
            }
        }
        state.arrivals += 1;
        self.changed.notify_all();
    }

    /// Waits for a batch; `None` once the outbox is closed.
    pub(crate) fn next(&self) -> Option<Outgoing> {
        loop {
            let arrivals = {
                let state = self.lock();
                if state.closed {
                    return None;
                }
                state.arrivals
            };
            let patience = match self.spool.oldest() {
                Ok(Some((entry, body))) => return Some(Outgoing::Spooled(entry, body)),
                Ok(None) => Duration::MAX,
                Err(error) => {
                    self.note(&mut self.lock(), Some(&error));
                    SPOOL_PATIENCE
                }
            };
            let mut state = self.lock();
            if let Some(batch) = state.pop_front() {
                return Some(Outgoing::Memory(batch));
            }
            let nothing_new = |state: &mut State| state.arrivals == arrivals && !state.closed;
            drop(self.changed.wait_timeout_while(state, patience, nothing_new));
        }
    }

    /// The server has acknowledged it.
    pub(crate) fn done(&self, batch: Outgoing) {
        if let Outgoing::Spooled(entry, _) = batch {
            self.spool.remove(&entry);
        }
        self.lock().well = true;
    }

    /// It could not be posted, and is tried again.
    pub(crate) fn keep(&self, batch: Outgoing) {
        self.lock().well = false;
        if let Outgoing::Memory(batch) = batch {
            match self.spool.push(&[&batch.body], batch.timestamp_ms) {
                Ok(_) => self.note(&mut self.lock(), None),
                Err(error) => {
                    let mut state = self.lock();
                    self.note(&mut state, Some(&error));
                    state.push_front(batch);
                    state.trim();
                }
            }
        }
    }

    /// The server never takes it: it goes to `bad/`.
    pub(crate) fn refuse(&self, batch: Outgoing, reason: &str) {
        let datapoints = datapoint_count(batch.body());
        let entry = match batch {
            Outgoing::Spooled(entry, _) => Ok(entry),
            Outgoing::Memory(batch) => self.spool.push(&[&batch.body], batch.timestamp_ms),
        };
        match entry {
            Ok(entry) => self.spool.set_aside(&entry, reason),
            Err(error) => {
                log::error!("batch dropped: {reason}; it cannot be set aside: {error}");
                let mut state = self.lock();
                state.dropped += 1;
                state.dropped_datapoints += datapoints;
            }
        }
        self.lock().well = true;
    }

    /// What waits, and what was lost.
    pub(crate) fn stats(&self) -> SpoolStats {
        let mut stats = self.spool.stats();
        let outbox = self.lock();
        stats.dropped_batches += outbox.dropped;
        stats.dropped_datapoints += outbox.dropped_datapoints;
        stats
    }

    /// Ends [`Outbox::next`], and waits at most `patience` for a write that is
    /// under way.
    pub(crate) fn close(&self, patience: Duration) {
        self.lock().closed = true;
        self.changed.notify_all();
        self.spool.wait_written(patience);
    }

    /// To disk with what waits in memory, which is older than what comes now.
    fn store_waiting(&self) -> Result<(), SpoolError> {
        loop {
            let Some(batch) = self.lock().pop_front() else { return Ok(()) };
            if let Err(error) = self.spool.push(&[&batch.body], batch.timestamp_ms) {
                self.lock().push_front(batch);
                return Err(error);
            }
        }
    }

    /// Says in the log when the spool begins to fail, and when it is well again.
    fn note(&self, state: &mut State, fault: Option<&SpoolError>) {
        let trouble = fault.map(SpoolError::trouble);
        if trouble != state.fault {
            match fault {
                Some(fault) => log::error!(
                    "{fault}; until it is well again batches are kept in memory, and a stop of the hub loses them"
                ),
                None => log::info!("spool: {} is well again", self.spool.folder().display()),
            }
            state.fault = trouble;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push_back(&mut self, batch: InMemory) {
        self.memory_bytes += batch.body.len();
        self.memory.push_back(batch);
    }

    fn push_front(&mut self, batch: InMemory) {
        self.memory_bytes += batch.body.len();
        self.memory.push_front(batch);
    }

    fn pop_front(&mut self) -> Option<InMemory> {
        let batch = self.memory.pop_front()?;
        self.memory_bytes -= batch.body.len();
        Some(batch)
    }

    /// Drops the oldest until memory holds no more than it may.
    fn trim(&mut self) {
        let before = self.dropped;
        while self.memory_bytes > MAX_MEMORY_BYTES
            && let Some(batch) = self.pop_front()
        {
            self.dropped += 1;
            self.dropped_datapoints += datapoint_count(&batch.body);
        }
        if self.dropped > before {
            log::error!(
                "{} batches were lost: neither disk nor memory had room for them",
                self.dropped - before
            );
        }
    }
}

#[cfg(test)]
mod tests;
