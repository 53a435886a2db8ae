//! `overview`: every host and every hub as they are now, out of memory.

use juniper::meta::Field;
use juniper::{DefaultScalarValue, ExecutionResult, Executor, GraphQLObject, Registry};

use super::context::Context;
use super::milliseconds::Milliseconds;
use super::reach::Device;
use crate::fleet::{Host, Hub};

/// Name of the field.
pub(super) const FIELD: &str = "overview";

/// Everything at a glance.
#[derive(Debug, GraphQLObject)]
struct Overview {
    /// The server's clock, Unix time in milliseconds.
    now: Milliseconds,
    /// In order of their names.
    hosts: Vec<OverviewHost>,
    /// In order of the names of their hosts.
    hubs: Vec<OverviewHub>,
}

/// A host and its latest figures; what it does not tell is null.
#[derive(Debug, GraphQLObject)]
struct OverviewHost {
    /// The target.
    target: String,
    /// `up`; `late`, if a figure or two did not come; `down`, if its hub cannot
    /// reach it or nothing comes any more; `unknown`, if nothing ever came.
    state: &'static str,
    /// Unix time of its latest sample, milliseconds, by its hub's clock.
    last_seen: Option<Milliseconds>,
    /// Seconds between its samples.
    interval_seconds: Option<f64>,
    /// Processors at work, percent.
    cpu_percent: Option<f64>,
    /// Memory in use, percent.
    memory_percent: Option<f64>,
    /// The fullest file system, percent.
    disk_percent: Option<f64>,
    /// Where that is mounted.
    disk_mount: Option<String>,
    /// Over all physical interfaces.
    received_bytes_per_second: Option<f64>,
    /// Over all physical interfaces.
    sent_bytes_per_second: Option<f64>,
    /// Of one minute.
    load_average: Option<f64>,
    /// Logical processors.
    cpus: Option<i32>,
    /// Whether a hub reached it at the last poll; null if no hub tells.
    reachable: Option<bool>,
    /// Why none did.
    error: Option<String>,
    /// What its machine is and who polls it: `system`, `release`, `processor`,
    /// `hub`.
    labels: Vec<Label>,
}

/// A name and a value.
#[derive(Debug, Clone, GraphQLObject)]
pub(super) struct Label {
    /// The name.
    pub(super) key: String,
    /// The value.
    pub(super) value: String,
}

impl Label {
    pub(super) fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into() }
    }
}

/// A hub and its devices.
#[derive(Debug, GraphQLObject)]
struct OverviewHub {
    /// The host it runs on.
    target: String,
    /// Number of its agent.
    idx_agent: String,
    /// `up`; `late`, if it does not reach all of its devices or its figures are late;
    /// `down`, if nothing comes from it any more; `unknown`, if nothing ever came.
    state: &'static str,
    /// Unix time of what it last told of itself, milliseconds.
    last_seen: Option<Milliseconds>,
    /// Devices that it polls.
    devices: i32,
    /// Of them, those that answered the last poll.
    reached: i32,
    /// Those that did not.
    unreachable: Vec<Device>,
    /// Batches that wait until the server takes them.
    spool_waiting: Option<f64>,
}

/// The field.
pub(super) fn field(registry: &mut Registry) -> Field<DefaultScalarValue> {
    registry
        .field::<Overview>(FIELD, &())
        .description("Every host and every hub as they are now; cheap enough to ask often.")
}

/// Answers it.
pub(super) fn resolve(executor: &Executor<'_, '_, Context>) -> ExecutionResult {
    let context = executor.context();
    let found = context.fleet.overview(&context.store, context.now_ms);
    let (hosts, hubs) = found.map_err(|error| context.store_error(error))?;
    let overview = Overview {
        now: Milliseconds(context.now_ms),
        hosts: hosts.into_iter().map(OverviewHost::of).collect(),
        hubs: hubs.into_iter().map(|hub| OverviewHub::of(context, hub)).collect(),
    };
    executor.resolve_with_ctx(&(), &overview)
}

/// Seconds of a polling interval.
pub(super) fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1_000.0
}

impl OverviewHost {
    fn of(host: Host) -> Self {
        let (disk_percent, disk_mount) = host.figures.disk.unzip();
        let cpus = host.labels.iter().find(|(name, _)| *name == "cpus");
        let labels = host.labels.iter().filter(|(name, _)| *name != "cpus");
        Self {
            state: host.state.word(),
            last_seen: host.seen_ms.map(Milliseconds),
            interval_seconds: host.interval_ms.map(seconds),
            cpu_percent: host.figures.cpu_percent,
            memory_percent: host.figures.memory_percent,
            disk_percent,
            disk_mount,
            received_bytes_per_second: host.figures.received_bytes_per_second,
            sent_bytes_per_second: host.figures.sent_bytes_per_second,
            load_average: host.figures.load_average,
            cpus: cpus.and_then(|(_, value)| value.parse().ok()),
            reachable: host.reachable,
            error: host.error,
            labels: labels.map(|(name, value)| Label::new(*name, value)).collect(),
            target: host.target,
        }
    }
}

impl OverviewHub {
    fn of(context: &Context, hub: Hub) -> Self {
        let whole = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        let unreachable = hub.unreachable.into_iter();
        Self {
            target: hub.target,
            idx_agent: hub.idx_agent.to_string(),
            state: hub.state.word(),
            last_seen: hub.seen_ms.map(Milliseconds),
            devices: whole(hub.devices),
            reached: whole(hub.reached),
            unreachable: unreachable.map(|device| Device::of(context, device)).collect(),
            spool_waiting: hub.spool_waiting,
        }
    }
}
