//! `host`: one host, its facts, and each of its series.

use juniper::meta::Field;
use juniper::{
    Arguments, DefaultScalarValue, ExecutionResult, Executor, FieldResult, GraphQLObject, Registry,
};

use super::context::Context;
use super::described::{HostSeries, Names, describe};
use super::milliseconds::Milliseconds;
use super::overview::{Label, seconds};
use super::reach::Device;
use crate::fleet::Host;
use crate::store::{Agent, DataPointRow, Select, SeriesId, StoreError};

/// Name of the field.
pub(super) const FIELD: &str = "host";
/// What series are named in, unless the query says.
const DEFAULT_LANGUAGE: &str = "en";
/// What a hub tells of each of its devices is of them, not of its host.
const OF_DEVICES: &str = "hub_poll_";

/// A host in full.
#[derive(Debug, GraphQLObject)]
struct HostDetail {
    /// The target.
    target: String,
    /// `up`, `late`, `down` or `unknown`, as in the overview.
    state: &'static str,
    /// Unix time of its latest sample, milliseconds, by its hub's clock.
    last_seen: Option<Milliseconds>,
    /// Seconds between its samples.
    interval_seconds: Option<f64>,
    /// Whether a hub reached it at the last poll; null if no hub tells.
    reachable: Option<bool>,
    /// Why none did.
    error: Option<String>,
    /// How hubs see it.
    devices: Vec<Device>,
    /// What is known of its machine and its agent: `kernel`, `system`, `processor`,
    /// `cpus`, `uptime_seconds`, `address`, `hub`, `clock_skew_seconds`, `version`,
    /// `agent_id`, `program`. What is not known is not there.
    facts: Vec<Label>,
    /// Its series.
    series: Vec<HostSeries>,
}

/// The field.
pub(super) fn field(registry: &mut Registry) -> Field<DefaultScalarValue> {
    registry
        .field::<Option<HostDetail>>(FIELD, &())
        .description("One host, with each of its series; null if no agent tells of it.")
        .argument(registry.arg::<String>("target", &()))
        .argument(
            registry
                .arg_with_default::<Option<String>>(
                    "language",
                    &Some(DEFAULT_LANGUAGE.to_owned()),
                    &(),
                )
                .description("What series are named in: the code of a language."),
        )
}

/// Answers it.
pub(super) fn resolve(
    arguments: &Arguments<'_>,
    executor: &Executor<'_, '_, Context>,
) -> ExecutionResult {
    // They are most of the work, and who follows the state alone does not ask.
    let wanted = executor.look_ahead().children();
    let with_series = wanted.iter().any(|field| field.field_original_name() == "series");
    let found = read(executor.context(), arguments, with_series)?;
    executor.resolve_with_ctx(&(), &found)
}

fn read(
    context: &Context,
    arguments: &Arguments<'_>,
    with_series: bool,
) -> FieldResult<Option<HostDetail>> {
    let target = arguments.get::<String>("target")?.unwrap_or_default();
    let language = arguments.get::<Option<String>>("language")?.flatten();
    let language = language.as_deref().unwrap_or(DEFAULT_LANGUAGE);
    let store = &context.store;
    let fail = |error| context.store_error(error);
    let Some(host) = context.fleet.host(store, &target, context.now_ms).map_err(fail)? else {
        return Ok(None);
    };
    let series =
        if with_series { series(context, &target, language).map_err(fail)? } else { Vec::new() };
    Ok(Some(HostDetail {
        state: host.state.word(),
        last_seen: host.seen_ms.map(Milliseconds),
        interval_seconds: host.interval_ms.map(seconds),
        reachable: host.reachable,
        error: host.error.clone(),
        facts: facts(&host),
        devices: host.devices.into_iter().map(|device| Device::of(context, device)).collect(),
        series,
        target,
    }))
}

/// Every series of the agents of a target.
fn series(context: &Context, target: &str, language: &str) -> Result<Vec<HostSeries>, StoreError> {
    let store = &context.store;
    let agents: Vec<Agent> = store.rows(&Select::by("agent_polled_target", target))?;
    let numbers = agents.iter().map(|agent| agent.idx_agent).collect();
    let rows: Vec<DataPointRow> = store.rows(&Select::among("idx_agent", numbers))?;
    let numbers: Vec<SeriesId> =
        rows.iter().filter_map(|row| SeriesId::try_from(row.idx_datapoint).ok()).collect();
    let names = Names::read(context, language)?;
    let mut series = describe(context, &names, &numbers)?;
    series.retain(|series| !series.key.starts_with(OF_DEVICES));
    Ok(series)
}

fn facts(host: &Host) -> Vec<Label> {
    let mut facts = Vec::new();
    for (name, value) in &host.labels {
        let name = if *name == "release" { "kernel" } else { name };
        facts.push(Label::new(name, value));
    }
    if let Some(uptime) = host.figures.uptime_seconds {
        facts.push(Label::new("uptime_seconds", format!("{uptime:.0}")));
    }
    // The hub that reaches it, before one that does not.
    let device = host.devices.iter().max_by_key(|device| device.reachable);
    if let Some(device) = device {
        let (open, close) = if device.address.contains(':') { ("[", "]") } else { ("", "") };
        let address = &device.address;
        facts.push(Label::new("address", format!("{open}{address}{close}:{}", device.port)));
        if let Some(skew_ms) = device.clock_skew_ms {
            facts.push(Label::new("clock_skew_seconds", format!("{:.3}", skew_ms / 1_000.0)));
        }
        // `pattoo_agent_linux_spoked/0.1.0`
        let version = device.program.as_deref().and_then(|program| program.split_once('/'));
        if let Some((_, version)) = version {
            facts.push(Label::new("version", version));
        }
    }
    if let Some((agent_id, program)) = &host.agent {
        facts.push(Label::new("agent_id", agent_id));
        facts.push(Label::new("program", program));
    }
    facts
}
