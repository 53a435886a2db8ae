//! The figures of one agent, out of the latest samples of its series.

use super::learn::{Carrier, KnownAgent, Place};
use super::role::{Role, is_physical};
use crate::store::{Heard, SeriesId, Watched};

/// Intervals by which a series may lag behind its agent and still be of today: a
/// disk that is gone lags for ever.
const INTERVALS_BEHIND: u64 = 2;

/// A figure of the overview.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Figure {
    /// Processors at work, percent.
    Cpu,
    /// Memory in use, percent.
    Memory,
    /// The fullest file system, percent.
    Disk,
    /// Bytes received a second, over all physical interfaces.
    Received,
    /// Bytes sent.
    Sent,
    /// Load average of a minute.
    Load,
}

/// The latest figures of a host; what it does not tell is none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Percent of all processors' time.
    pub cpu_percent: Option<f64>,
    /// Percent of the memory.
    pub memory_percent: Option<f64>,
    /// Percent of the fullest file system, and where it is mounted.
    pub disk: Option<(f64, String)>,
    /// Over all physical interfaces.
    pub received_bytes_per_second: Option<f64>,
    /// Over all physical interfaces.
    pub sent_bytes_per_second: Option<f64>,
    /// Of one minute.
    pub load_average: Option<f64>,
    /// Since the machine was started.
    pub uptime_seconds: Option<f64>,
}

/// An agent and what was last heard of its series.
pub(super) struct Now<'l> {
    pub(super) agent: &'l KnownAgent,
    watched: &'l Watched,
    /// The latest sample of any of them, by the agent's clock.
    pub(super) seen_ms: Option<u64>,
    pub(super) interval_ms: u64,
}

impl<'l> Now<'l> {
    pub(super) fn of(agent: &'l KnownAgent, watched: &'l Watched) -> Self {
        let heard = agent.series.iter().filter_map(|carrier| watched.get(carrier.series));
        let latest = heard
            .filter_map(|heard| Some((heard.timestamp_ms()?, heard.polling_interval_ms())))
            .max();
        let (seen_ms, interval_ms) = latest.unzip();
        Self { agent, watched, seen_ms, interval_ms: interval_ms.unwrap_or(0) }
    }

    /// The series of a role that are still told.
    fn told(&self, role: Role) -> impl Iterator<Item = (&'l Carrier, &'l Heard)> {
        let behind_ms = self.interval_ms.saturating_mul(INTERVALS_BEHIND);
        let oldest_ms = self.seen_ms.unwrap_or(0).saturating_sub(behind_ms);
        let carriers = self.agent.series.iter().filter(move |carrier| carrier.role == role);
        carriers.filter_map(move |carrier| {
            let heard = self.watched.get(carrier.series)?;
            (heard.timestamp_ms()? >= oldest_ms).then_some((carrier, heard))
        })
    }

    fn newest(&self, role: Role) -> Option<(&'l Carrier, &'l Heard)> {
        self.told(role).max_by_key(|(_, heard)| heard.timestamp_ms())
    }

    fn number(&self, role: Role) -> Option<f64> {
        self.newest(role)?.1.number().map(crate::store::Number::as_f64)
    }

    fn fullest(&self) -> Option<(&'l Carrier, f64)> {
        let disks = self.told(Role::Disk);
        let full = disks.filter_map(|(disk, heard)| Some((disk, heard.number()?.as_f64())));
        full.max_by(|(_, a), (_, b)| a.total_cmp(b))
    }

    /// The interfaces whose bytes are the host's: the physical ones; where none is
    /// known to be that, all but the loopback.
    fn interfaces(&self, role: Role) -> Vec<(&'l Carrier, &'l Heard)> {
        let name = |carrier: &'l Carrier| match &carrier.place {
            Place::Interface(name) => name.as_str(),
            _ => "",
        };
        let all: Vec<_> = self.told(role).filter(|(carrier, _)| name(carrier) != "lo").collect();
        let physical: Vec<_> =
            all.iter().filter(|(carrier, _)| is_physical(name(carrier))).copied().collect();
        if physical.is_empty() { all } else { physical }
    }

    fn growth(&self, role: Role) -> Option<f64> {
        let interfaces = self.interfaces(role);
        let growths = interfaces.iter().filter_map(|(_, heard)| heard.growth_per_second());
        growths.reduce(|a, b| a + b)
    }

    pub(super) fn figures(&self) -> Figures {
        let idle = self.number(Role::CpuIdle);
        let busy = |idle: f64| busy(idle, self.number(Role::CpuWaiting));
        let mount = |(disk, percent): (&Carrier, f64)| match &disk.place {
            Place::Mount(mount) => (percent, mount.clone()),
            _ => (percent, String::new()),
        };
        Figures {
            cpu_percent: idle.map(busy),
            memory_percent: self.number(Role::Memory),
            disk: self.fullest().map(mount),
            received_bytes_per_second: self.growth(Role::Received),
            sent_bytes_per_second: self.growth(Role::Sent),
            load_average: self.number(Role::Load),
            uptime_seconds: self.number(Role::Uptime),
        }
    }

    /// The series that a figure is made of.
    pub(super) fn series(&self, figure: Figure) -> Vec<SeriesId> {
        let newest = |role: Role| self.newest(role).map(|(carrier, _)| carrier.series);
        let of = |role: Role| newest(role).into_iter().collect();
        let interfaces = |role: Role| {
            self.interfaces(role).into_iter().map(|(carrier, _)| carrier.series).collect()
        };
        match figure {
            Figure::Cpu => newest(Role::CpuIdle)
                .map(|idle| std::iter::once(idle).chain(newest(Role::CpuWaiting)).collect())
                .unwrap_or_default(),
            Figure::Memory => of(Role::Memory),
            Figure::Disk => self.fullest().map(|(disk, _)| disk.series).into_iter().collect(),
            Figure::Received => interfaces(Role::Received),
            Figure::Sent => interfaces(Role::Sent),
            Figure::Load => of(Role::Load),
        }
    }
}

impl Figures {
    /// These, and where one is missing that of another agent of the host.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            cpu_percent: self.cpu_percent.or(other.cpu_percent),
            memory_percent: self.memory_percent.or(other.memory_percent),
            disk: self.disk.or(other.disk),
            received_bytes_per_second: self
                .received_bytes_per_second
                .or(other.received_bytes_per_second),
            sent_bytes_per_second: self.sent_bytes_per_second.or(other.sent_bytes_per_second),
            load_average: self.load_average.or(other.load_average),
            uptime_seconds: self.uptime_seconds.or(other.uptime_seconds),
        }
    }
}

/// Percent of the time in which processors had work. Who waits for a disk has
/// none.
pub fn busy(idle_percent: f64, waiting_percent: Option<f64>) -> f64 {
    let busy = 100.0 - idle_percent - waiting_percent.unwrap_or(0.0);
    // One decimal is told of each.
    (busy.clamp(0.0, 100.0) * 10.0).round() / 10.0
}
