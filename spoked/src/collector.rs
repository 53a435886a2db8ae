//! Runs the list of sources for one poll, and waits for none for ever.
//!
//! The sources run on a reader thread that holds nothing of the process (see
//! [`crate::descriptors`]). A source that does not return is overtaken: another
//! reader goes on with those behind it, and the answer comes without it. It is
//! read again once its own reader has come back.
//!
//! Sources keep their files open, and a descriptor is a number in one table only.
//! So all readers share a table, and one thread, the keeper, has to start them:
//! it left the table of the process before the first source was read.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pattoo_common::datapoint::DataPoint;

use crate::journal::Note;
use crate::source::{Poll, Source};

mod reader;
mod state;
#[cfg(test)]
mod tests;

use state::State;

/// An answer is ready after so long, whatever its sources do. Longer than the
/// budget of statvfs, so that one dead mount does not cost the others.
pub(crate) const DEADLINE: Duration = Duration::from_secs(3);

/// A source that takes longer is overtaken by those behind it. What it brings
/// before [`DEADLINE`] is still taken, and keeps its place in the answer.
const OVERTAKE_AFTER: Duration = Duration::from_millis(250);

/// A poll waits so long for its turn.
const TURN_DEADLINE: Duration = DEADLINE;

/// What one poll brought.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Collected {
    /// The datapoints in the order of the wire, each with the wall clock at which
    /// its source was read, in milliseconds since 1970.
    pub(crate) points: Vec<(u64, DataPoint)>,
    /// How each source fared, in the order of the list.
    pub(crate) sources: Vec<SourceReport>,
}

/// How a source fared when it was last asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceReport {
    /// Its name, such as `memory`.
    pub(crate) name: &'static str,
    /// The kernel's files and calls that it reads.
    pub(crate) reads: &'static str,
    /// How long the reading took, or has taken so far where it hangs.
    pub(crate) duration: Duration,
    /// How many datapoints it gave.
    pub(crate) datapoints: usize,
    /// How many it did not give, because no answer would have had room for them.
    pub(crate) left_out: usize,
    /// What came of it.
    pub(crate) state: SourceState,
    /// The files that it asked for; empty unless the journal was begun.
    pub(crate) files: Vec<Note>,
}

/// What came of reading a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SourceState {
    /// All that it should give is there.
    Ok,
    /// This machine has no such thing. No fault.
    Absent(String),
    /// It could not be read, or not all of it.
    Failed(String),
    /// It has not returned since then, in milliseconds since 1970.
    Hangs(u64),
}

impl fmt::Display for SourceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("ok"),
            Self::Absent(reason) => write!(f, "absent: {reason}"),
            Self::Failed(reason) => write!(f, "failed: {reason}"),
            Self::Hangs(_) => {
                f.write_str("hangs: answers go out without it until the kernel returns")
            }
        }
    }
}

/// Another poll held the sources for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "other polls have held the sources for {} s", TURN_DEADLINE.as_secs())
    }
}

impl std::error::Error for Busy {}

/// The sources and the threads that read them. Dropping it ends the threads, each
/// as soon as it returns from the kernel.
pub(crate) struct Collector {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Wakes the reader in charge.
    work: Condvar,
    /// Wakes the keeper.
    keeper: Condvar,
    /// Wakes the poll whose answer is complete.
    done: Condvar,
    /// Wakes a poll that waits for its turn.
    turn: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector {
    /// Takes the list of sources, in the order of the wire. Threads start with
    /// the first poll. No source may hold a descriptor before it is first read.
    pub(crate) fn new(sources: Vec<Box<dyn Source>>) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(State::new(sources)),
                work: Condvar::new(),
                keeper: Condvar::new(),
                done: Condvar::new(),
                turn: Condvar::new(),
            }),
        }
    }

    /// Reads all sources, within [`DEADLINE`] of its turn. Polls that come at once
    /// take turns. Logs each change of a source's state; the readers themselves
    /// cannot, for the log file is not in their table.
    ///
    /// [`Busy`] if its turn did not come within [`DEADLINE`].
    pub(crate) fn collect(&self, poll: Poll) -> Result<Collected, Busy> {
        let mut state = self.wait_for_turn()?;
        state.begin(poll);
        if !state.kept {
            reader::start_keeper(&self.shared, &mut state);
        } else if state.wants_reader() {
            self.shared.keeper.notify_one();
        }
        drop(state);
        self.shared.work.notify_one();

        let mut state = self.wait_for_answer();
        let collected = state.finish();
        let changes = state.changes();
        drop(state);
        self.shared.turn.notify_one();
        for change in changes {
            log::log!(change.level, "{}", change.text);
        }
        Ok(collected)
    }

    /// Takes back what a poll brought, whose memory the next one can use.
    pub(crate) fn give_back(&self, collected: Collected) {
        self.shared.lock().keep(collected.points);
    }

    fn wait_for_turn(&self) -> Result<MutexGuard<'_, State>, Busy> {
        let deadline = Instant::now() + TURN_DEADLINE;
        let mut state = self.shared.lock();
        while state.open {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Busy);
            }
            state = wait(&self.shared.turn, state, left);
        }
        Ok(state)
    }

    /// Waits until the answer is complete or its time is up, and has those that
    /// hang overtaken.
    fn wait_for_answer(&self) -> MutexGuard<'_, State> {
        let deadline = Instant::now() + DEADLINE;
        let mut state = self.shared.lock();
        while !state.is_complete() {
            let now = Instant::now();
            if now >= deadline {
                break;
            }
            let mut look_again_at = deadline;
            if state.has_more() {
                let since = state.reading_since.unwrap_or(now);
                look_again_at = deadline.min(since + OVERTAKE_AFTER);
            }
            if look_again_at <= now {
                state.change_reader();
                self.shared.keeper.notify_one();
                continue;
            }
            state = wait(&self.shared.done, state, look_again_at - now);
        }
        state
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.keeper.notify_one();
        self.shared.work.notify_all();
    }
}

fn wait<'a>(
    condition: &Condvar,
    state: MutexGuard<'a, State>,
    timeout: Duration,
) -> MutexGuard<'a, State> {
    condition.wait_timeout(state, timeout).unwrap_or_else(PoisonError::into_inner).0
}
