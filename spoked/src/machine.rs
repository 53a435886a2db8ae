//! This machine as those who ask see it: the poll document and the status page.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pattoo_common::config::SPOKE_PROGRAM;
use pattoo_common::document::{DocumentWriter, Series, Target};
use pattoo_common::wall_clock::now_ms;

use crate::collector::{Busy, Collected, Collector, SourceReport, SourceState};
use crate::host::Host;
use crate::left_out::{MAX_ANSWER_BYTES, by_importance};
use crate::source::{Poll, Roots};
use crate::status_page::{Health, SourceRow, StatusPage};

/// The machine that the spoke runs on.
pub(crate) struct Machine {
    collector: Collector,
    roots: Roots,
    host: Host,
    agent_id: String,
    /// Also makes answers wait their turn, which are written one at a time.
    series: Mutex<Series>,
    /// Whether the last answer was cut, so that only changes are logged.
    left_out: Mutex<usize>,
}

/// The answer to a poll.
pub(crate) struct PollAnswer {
    /// The poll document, JSON.
    pub(crate) document: Vec<u8>,
    /// Datapoints for which there was no room.
    pub(crate) left_out: usize,
}

impl Machine {
    /// A machine whose figures `collector` reads.
    pub(crate) fn new(collector: Collector, roots: Roots, host: Host, agent_id: String) -> Self {
        let series = Mutex::new(Series::new(target(&host, &agent_id)));
        Self { collector, roots, host, agent_id, series, left_out: Mutex::new(0) }
    }

    /// Reads all sources and gives their datapoints as a poll document.
    pub(crate) fn document(&self, poll: Poll) -> Result<PollAnswer, Busy> {
        let collected = self.collector.collect(poll)?;
        let mut series = lock(&self.series);
        series.set_target(target(&self.host, &self.agent_id));
        let interval_ms = u64::from(poll.interval_s) * 1000;
        let now_ms = now_ms();
        let mut left_out = collected.sources.iter().map(|source| source.left_out).sum();
        let of = collected.points.len() + left_out;
        let mut writer = DocumentWriter::new(&mut series, interval_ms);
        let mut has_room = left_out == 0;
        for (timestamp_ms, point) in &collected.points {
            // What is beyond is not reckoned: eighty thousand checksums would take
            // longer than a hub waits.
            has_room = has_room && writer.size_bytes() <= MAX_ANSWER_BYTES;
            if !has_room {
                break;
            }
            writer.push(point, *timestamp_ms);
        }
        if !has_room || writer.size_bytes() > MAX_ANSWER_BYTES {
            drop(writer);
            writer = DocumentWriter::new(&mut series, interval_ms);
            for (timestamp_ms, point) in by_importance(&collected.points, &self.roots) {
                if writer.size_bytes() < MAX_ANSWER_BYTES - LARGEST_DATAPOINT_BYTES {
                    writer.push(point, *timestamp_ms);
                } else {
                    left_out += 1;
                }
            }
        }
        // The document is long enough to be written without them beside it.
        self.collector.give_back(collected);
        let document = writer.finish(now_ms);
        drop(series);
        self.note(left_out, of);
        Ok(PollAnswer { document, left_out })
    }

    /// Reads all sources and shows them to a person.
    pub(crate) fn page(&self, poll: Poll) -> Result<String, Busy> {
        let Collected { points, sources } = self.collector.collect(poll)?;
        let left_out = *lock(&self.left_out);
        let metadata = self.host.pairs();
        let value = |key: &str| {
            metadata.iter().find(|(name, _)| *name == key).map_or("", |(_, value)| value)
        };
        let page = StatusPage {
            host: self.host.name(),
            release: value("release"),
            cpus: value("cpus"),
            agent_id: &self.agent_id,
            points: &points,
            sources: sources.iter().map(row).collect(),
            left_out,
        };
        Ok(page.render())
    }

    /// The name under which the machine is known.
    pub(crate) fn host_name(&self) -> &str {
        self.host.name()
    }

    fn note(&self, left_out: usize, of: usize) {
        let before = std::mem::replace(&mut *lock(&self.left_out), left_out);
        if left_out > 0 && before == 0 {
            log::warn!(
                "the answer would pass {MAX_ANSWER_BYTES} bytes: {left_out} of {of} datapoints are left out, those without hardware first"
            );
        } else if left_out == 0 && before > 0 {
            log::info!("the whole answer has room again");
        }
    }
}

/// No datapoint takes more in a document, long mount options included.
const LARGEST_DATAPOINT_BYTES: usize = 16 * 1024;

fn target(host: &Host, agent_id: &str) -> Target {
    Target {
        agent_id: agent_id.to_owned(),
        program: SPOKE_PROGRAM,
        agent_hostname: host.name().to_owned(),
        polled_target: host.name().to_owned(),
        metadata: host.pairs().into(),
    }
}

fn row(report: &SourceReport) -> SourceRow<'_> {
    SourceRow {
        name: report.name,
        health: match report.state {
            SourceState::Ok => Health::Good,
            SourceState::Absent(_) => Health::Absent,
            SourceState::Failed(_) | SourceState::Hangs(_) => Health::Bad,
        },
        state: report.state.to_string(),
        datapoints: report.datapoints,
        duration_us: report.duration.as_micros(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
