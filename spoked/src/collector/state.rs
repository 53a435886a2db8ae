//! What polls, readers and keeper share: which source is where, and what of the
//! answer is there.

use std::time::{Duration, Instant};

use log::Level;
use pattoo_common::datapoint::DataPoint;
use pattoo_common::wall_clock::now_ms;

use super::{Collected, DEADLINE, SourceReport, SourceState};
use crate::journal::{self, Note};
use crate::source::{Poll, Source, SourceError};

/// A source that had more datapoints gives the memory for them back.
const KEPT_POINTS: usize = 4 * 1024;

/// Behind the lock of the collector.
pub(super) struct State {
    slots: Vec<Slot>,
    poll: Option<Poll>,
    /// The number of this answer. What was taken for another comes too late.
    answer: u64,
    /// Whether a poll has its turn and results are still taken.
    pub(super) open: bool,
    /// The first slot that no reader has taken for this answer.
    next: usize,
    /// How many slots readers have taken for this answer and not given back.
    taken: usize,
    /// When the reader in charge took the slot that it is reading.
    pub(super) reading_since: Option<Instant>,
    /// The reader in charge. Another ends when it comes back.
    pub(super) reader: u64,
    /// The last reader that the keeper has started, or tried to.
    started: u64,
    /// Whether there is a keeper.
    pub(super) kept: bool,
    /// Whether all threads are to end.
    pub(super) closing: bool,
    /// Why no reader could be started for this answer.
    pub(super) start_error: Option<String>,
    /// An answer's datapoints are put together in this.
    points: Vec<(u64, DataPoint)>,
    /// To be said once: why the threads are in the process's own table.
    pub(super) table_error: Option<String>,
}

/// The place of a source.
struct Slot {
    /// Not here while a reader has it.
    source: Option<Box<dyn Source>>,
    /// When it was taken, on both clocks.
    taken_at: Option<(Instant, u64)>,
    /// The answer that `points` and `timestamp_ms` are for.
    answer: u64,
    points: Vec<DataPoint>,
    timestamp_ms: u64,
    report: SourceReport,
    /// The state that was last logged.
    logged: SourceState,
}

/// A source in the hands of a reader.
pub(super) struct Reading {
    place: usize,
    answer: u64,
    source: Box<dyn Source>,
    poll: Poll,
    points: Vec<DataPoint>,
    begun: Instant,
    timestamp_ms: u64,
    outcome: Result<(), SourceError>,
    files: Vec<Note>,
}

impl Reading {
    /// Reads the source. This may take long, or never end.
    pub(super) fn read(&mut self) {
        self.outcome = self.source.read(&self.poll, &mut self.points);
        self.files = journal::take();
    }
}

/// A line for the log.
pub(super) struct Change {
    pub(super) level: Level,
    pub(super) text: String,
}

impl State {
    pub(super) fn new(sources: Vec<Box<dyn Source>>) -> Self {
        Self {
            slots: sources.into_iter().map(Slot::new).collect(),
            poll: None,
            answer: 0,
            open: false,
            next: 0,
            taken: 0,
            reading_since: None,
            reader: 0,
            started: 0,
            kept: false,
            closing: false,
            start_error: None,
            points: Vec::new(),
            table_error: None,
        }
    }

    /// Begins an answer.
    pub(super) fn begin(&mut self, poll: Poll) {
        self.poll = Some(poll);
        self.answer += 1;
        self.open = true;
        self.next = 0;
        self.taken = 0;
        if self.start_error.take().is_some() {
            self.change_reader();
        }
        self.pass_over();
    }

    /// Whether nothing more can come.
    pub(super) fn is_complete(&self) -> bool {
        self.start_error.is_some() || (!self.has_more() && self.taken == 0)
    }

    /// Whether sources wait for a reader.
    pub(super) fn has_more(&self) -> bool {
        self.next < self.slots.len()
    }

    /// Puts the next reader in charge; the keeper has to start it.
    pub(super) fn change_reader(&mut self) {
        self.reader += 1;
        self.reading_since = None;
    }

    /// Whether the reader in charge is still to be started.
    pub(super) fn wants_reader(&self) -> bool {
        self.started != self.reader
    }

    /// The number of the reader that the keeper starts now.
    pub(super) fn start_reader(&mut self) -> u64 {
        self.started = self.reader;
        self.started
    }

    /// The next source for the reader in charge, if there is something to do.
    pub(super) fn take(&mut self) -> Option<Reading> {
        if !self.open {
            return None;
        }
        let (place, answer, poll) = (self.next, self.answer, self.poll?);
        let slot = self.slots.get_mut(place)?;
        let source = slot.source.take()?;
        let (begun, timestamp_ms) = (Instant::now(), now_ms());
        slot.taken_at = Some((begun, timestamp_ms));
        let points = std::mem::take(&mut slot.points);
        self.taken += 1;
        self.reading_since = Some(begun);
        self.pass_over();
        let (outcome, files) = (Ok(()), Vec::new());
        Some(Reading { place, answer, source, poll, points, begun, timestamp_ms, outcome, files })
    }

    /// Passes over those that still hang.
    fn pass_over(&mut self) {
        while self.slots.get(self.next).is_some_and(|slot| slot.source.is_none()) {
            self.next += 1;
        }
    }

    /// Takes a source back from a reader, and what it brought if it is in time.
    pub(super) fn give_back(&mut self, me: u64, mut reading: Reading) {
        if me == self.reader {
            self.reading_since = None;
        }
        let in_time = self.open && reading.answer == self.answer;
        let Some(slot) = self.slots.get_mut(reading.place) else { return };
        if in_time {
            self.taken -= 1;
            slot.answer = reading.answer;
            slot.timestamp_ms = reading.timestamp_ms;
            slot.report.duration = reading.begun.elapsed();
            slot.report.datapoints = reading.points.len();
            slot.report.left_out = reading.source.left_out();
            slot.report.files = reading.files;
            slot.report.state = match reading.outcome {
                Ok(()) => SourceState::Ok,
                Err(SourceError::Absent(reason)) => SourceState::Absent(reason),
                Err(SourceError::Failed(reason)) => SourceState::Failed(reason),
            };
        } else {
            reading.points.clear();
        }
        slot.points = reading.points;
        slot.taken_at = None;
        slot.source = Some(reading.source);
    }

    /// Ends the answer with what is there.
    pub(super) fn finish(&mut self) -> Collected {
        self.open = false;
        let mut points = std::mem::take(&mut self.points);
        points.reserve_exact(self.slots.iter().map(|slot| slot.points.len()).sum());
        for (place, slot) in self.slots.iter_mut().enumerate() {
            if slot.answer == self.answer {
                let timestamp_ms = slot.timestamp_ms;
                points.extend(slot.points.drain(..).map(|point| (timestamp_ms, point)));
                if slot.points.capacity() > KEPT_POINTS {
                    slot.points = Vec::new();
                }
            } else if let Some((begun, since_ms)) = slot.taken_at {
                slot.report.miss(begun.elapsed(), SourceState::Hangs(since_ms));
            } else if place >= self.next {
                let missed = self.start_error.clone().unwrap_or_else(not_reached);
                slot.report.miss(Duration::ZERO, SourceState::Failed(missed));
            }
            // Else it came back from an earlier answer after it was passed over:
            // it still counts as hanging, until the next answer.
        }
        if self.reading_since.is_some() {
            self.change_reader();
        }
        Collected { points, sources: self.reports() }
    }

    /// Takes an answer's memory back for the next, unless it is too much to keep.
    pub(super) fn keep(&mut self, mut points: Vec<(u64, DataPoint)>) {
        points.clear();
        if points.capacity() <= KEPT_POINTS {
            self.points = points;
        }
    }

    pub(super) fn reports(&self) -> Vec<SourceReport> {
        self.slots.iter().map(|slot| slot.report.clone()).collect()
    }

    /// What has changed since this was last asked, for the log.
    pub(super) fn changes(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        if let Some(error) = self.table_error.take() {
            let text = format!(
                "the threads that read sources cannot leave the table of descriptors ({error}): \
                 should one hang when this daemon is killed, it keeps the port and the lock"
            );
            changes.push(Change { level: Level::Warn, text });
        }
        changes.extend(self.slots.iter_mut().filter_map(Slot::change));
        changes
    }

    /// How many sources no reader has.
    #[cfg(test)]
    pub(super) fn at_home(&self) -> usize {
        self.slots.iter().filter(|slot| slot.source.is_some()).count()
    }

    /// All sources that no reader has, for the keeper to drop in its own table.
    pub(super) fn take_sources(&mut self) -> Vec<Box<dyn Source>> {
        self.slots.iter_mut().filter_map(|slot| slot.source.take()).collect()
    }
}

impl Slot {
    fn new(source: Box<dyn Source>) -> Self {
        let report = SourceReport {
            name: source.name(),
            reads: source.reads(),
            duration: Duration::ZERO,
            datapoints: 0,
            left_out: 0,
            state: SourceState::Absent("not read yet".to_owned()),
            files: Vec::new(),
        };
        Self {
            source: Some(source),
            taken_at: None,
            answer: 0,
            points: Vec::new(),
            timestamp_ms: 0,
            report,
            logged: SourceState::Ok,
        }
    }

    fn change(&mut self) -> Option<Change> {
        let state = &self.report.state;
        if *state == self.logged {
            return None;
        }
        self.logged = state.clone();
        let level = match state {
            SourceState::Ok | SourceState::Absent(_) => Level::Info,
            SourceState::Failed(_) | SourceState::Hangs(_) => Level::Warn,
        };
        Some(Change { level, text: format!("source {} {state}", self.report.name) })
    }
}

impl SourceReport {
    fn miss(&mut self, duration: Duration, state: SourceState) {
        self.datapoints = 0;
        self.left_out = 0;
        self.duration = duration;
        self.state = state;
    }
}

fn not_reached() -> String {
    format!("not read: the sources before it took {} s", DEADLINE.as_secs())
}
