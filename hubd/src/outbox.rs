//! What is to be posted: on disk in the spool, and in memory only where the
//! configuration says so or the disk lets us down.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pattoo_common::config::SpoolMode;
use pattoo_common::spool::{Entry, Spool, SpoolError, SpoolStats};

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
    /// What the log knows of the spool.
    fault: Option<String>,
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
        let entry = match batch {
            Outgoing::Spooled(entry, _) => Ok(entry),
            Outgoing::Memory(batch) => self.spool.push(&[&batch.body], batch.timestamp_ms),
        };
        match entry {
            Ok(entry) => self.spool.set_aside(&entry, reason),
            Err(error) => {
                log::error!("batch dropped: {reason}; it cannot be set aside: {error}");
                self.lock().dropped += 1;
            }
        }
        self.lock().well = true;
    }

    /// What waits, and what was lost.
    pub(crate) fn stats(&self) -> SpoolStats {
        let mut stats = self.spool.stats();
        stats.dropped_batches += self.lock().dropped;
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
        let fault = fault.map(ToString::to_string);
        if fault != state.fault {
            match &fault {
                Some(fault) => log::error!(
                    "{fault}; until it is well again batches are kept in memory, and a stop of the hub loses them"
                ),
                None => log::info!("spool: {} is well again", self.spool.folder().display()),
            }
            state.fault = fault;
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
        while self.memory_bytes > MAX_MEMORY_BYTES && self.pop_front().is_some() {
            self.dropped += 1;
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
mod tests {
    use super::*;
    use crate::test_folder::TestFolder;
    use pattoo_common::spool::SpoolLimits;

    const HUB: &str = "4903";
    const NOW_MS: u64 = 1_795_394_957_648;

    fn outbox(folder: &TestFolder, mode: SpoolMode) -> Outbox {
        let limits = SpoolLimits { min_free_bytes: Some(0), ..SpoolLimits::default() };
        Outbox::new(Spool::new(folder.path(), HUB, limits), mode)
    }

    fn files(folder: &TestFolder) -> usize {
        let Ok(items) = std::fs::read_dir(folder.path().join(HUB)) else { return 0 };
        items.filter(|item| item.as_ref().unwrap().path().is_file()).count()
    }

    fn text(batch: &Outgoing) -> &str {
        std::str::from_utf8(batch.body()).unwrap()
    }

    #[test]
    fn always_writes_first() {
        let folder = TestFolder::new();
        let outbox = outbox(&folder, SpoolMode::Always);
        outbox.deliver(&[b"first"], NOW_MS);
        outbox.deliver(&[b"second"], NOW_MS);
        assert_eq!(files(&folder), 2);
        let first = outbox.next().unwrap();
        assert_eq!(text(&first), "first");
        outbox.keep(first);
        let first = outbox.next().unwrap();
        assert_eq!((text(&first), files(&folder)), ("first", 2));
        outbox.done(first);
        assert_eq!((text(&outbox.next().unwrap()), files(&folder)), ("second", 1));
    }

    #[test]
    fn on_failure_writes_what_was_not_posted_at_once() {
        let folder = TestFolder::new();
        let outbox = outbox(&folder, SpoolMode::OnFailure);
        outbox.deliver(&[b"first"], NOW_MS);
        outbox.deliver(&[b"second"], NOW_MS + 1);
        let first = outbox.next().unwrap();
        assert_eq!((text(&first), files(&folder)), ("first", 0));
        outbox.keep(first);
        assert_eq!(files(&folder), 1);
        // While the server is away everything is written, in its order.
        outbox.deliver(&[b"third"], NOW_MS + 2);
        assert_eq!(files(&folder), 3);
        for wanted in ["first", "second", "third"] {
            let batch = outbox.next().unwrap();
            assert_eq!(text(&batch), wanted);
            outbox.done(batch);
        }
        outbox.deliver(&[b"fourth"], NOW_MS + 3);
        assert_eq!((files(&folder), outbox.stats().dropped_batches), (0, 0));
    }

    #[test]
    fn a_broken_disk_stops_nothing_and_is_used_again_when_it_is_well() {
        let folder = TestFolder::new();
        std::fs::write(folder.path().join(HUB), b"a file in the way").unwrap();
        let outbox = outbox(&folder, SpoolMode::Always);
        outbox.deliver(&[b"first"], NOW_MS);
        outbox.deliver(&[b"second"], NOW_MS + 1);
        let first = outbox.next().unwrap();
        assert_eq!(text(&first), "first");
        outbox.keep(first);
        let first = outbox.next().unwrap();
        assert_eq!(text(&first), "first");
        outbox.done(first);
        std::fs::remove_file(folder.path().join(HUB)).unwrap();
        outbox.deliver(&[b"third"], NOW_MS + 2);
        assert_eq!(files(&folder), 2, "what was in memory is on disk now");
        for wanted in ["second", "third"] {
            let batch = outbox.next().unwrap();
            assert_eq!(text(&batch), wanted);
            outbox.done(batch);
        }
    }

    #[test]
    fn memory_is_bounded_and_the_loss_is_counted() {
        let folder = TestFolder::new();
        std::fs::write(folder.path().join(HUB), b"a file in the way").unwrap();
        let outbox = outbox(&folder, SpoolMode::Always);
        for batch in 0..5_u8 {
            outbox.deliver(&[vec![batch; MAX_MEMORY_BYTES / 3]], NOW_MS);
        }
        assert_eq!(outbox.stats().dropped_batches, 2);
        assert_eq!(outbox.next().unwrap().body()[0], 2);
    }

    #[test]
    fn what_is_refused_is_set_aside_from_disk_and_from_memory() {
        for mode in [SpoolMode::Always, SpoolMode::OnFailure] {
            let folder = TestFolder::new();
            let outbox = outbox(&folder, mode);
            outbox.deliver(&[b"bad"], NOW_MS);
            outbox.refuse(outbox.next().unwrap(), "the server answered 400");
            assert_eq!(outbox.stats().batches, 0);
            let bad = folder.path().join(HUB).join("bad");
            assert_eq!(std::fs::read_dir(bad).unwrap().count(), 1);
        }
    }

    #[test]
    fn who_waits_is_woken_by_a_batch_and_by_the_end() {
        let folder = TestFolder::new();
        let outbox = outbox(&folder, SpoolMode::Always);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let first = outbox.next().map(|batch| text(&batch).to_owned());
                outbox.done(outbox.next().unwrap());
                (first, outbox.next().is_none())
            });
            outbox.deliver(&[b"first"], NOW_MS);
            while files(&folder) > 0 {
                std::thread::yield_now();
            }
            outbox.close(Duration::from_secs(1));
            assert_eq!(waiter.join().unwrap(), (Some("first".to_owned()), true));
        });
    }
}
