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
use crate::store::{Agent, DataPointRow, Select, SeriesId};

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
    let found = read(executor.context(), arguments)?;
    executor.resolve_with_ctx(&(), &found)
}

fn read(context: &Context, arguments: &Arguments<'_>) -> FieldResult<Option<HostDetail>> {
    let target = arguments.get::<String>("target")?.unwrap_or_default();
    let language = arguments.get::<Option<String>>("language")?.flatten();
    let language = language.as_deref().unwrap_or(DEFAULT_LANGUAGE);
    let store = &context.store;
    let fail = |error| context.store_error(error);
    let Some(host) = context.fleet.host(store, &target, context.now_ms).map_err(fail)? else {
        return Ok(None);
    };
    let agents: Vec<Agent> =
        store.rows(&Select::by("agent_polled_target", target.as_str())).map_err(fail)?;
    let numbers = agents.iter().map(|agent| agent.idx_agent).collect();
    let rows: Vec<DataPointRow> = store.rows(&Select::among("idx_agent", numbers)).map_err(fail)?;
    let numbers: Vec<SeriesId> =
        rows.iter().filter_map(|row| SeriesId::try_from(row.idx_datapoint).ok()).collect();
    let names = Names::read(context, language).map_err(fail)?;
    let mut series = describe(context, &names, &numbers).map_err(fail)?;
    series.retain(|series| !series.key.starts_with(OF_DEVICES));
    Ok(Some(HostDetail {
        state: host.state.word(),
        last_seen: host.seen_ms.map(Milliseconds),
        interval_seconds: host.interval_ms.map(seconds),
        reachable: host.reachable,
        error: host.error.clone(),
        facts: facts(&host, &series),
        devices: host.devices.into_iter().map(|device| Device::of(context, device)).collect(),
        series,
        target,
    }))
}

fn facts(host: &Host, series: &[HostSeries]) -> Vec<Label> {
    let mut facts = Vec::new();
    for (name, value) in &host.labels {
        let name = if *name == "release" { "kernel" } else { name };
        facts.push(Label::new(name, value));
    }
    let uptime = series.iter().filter(|series| series.key == "uptime");
    if let Some(uptime) = uptime.max_by_key(|uptime| uptime.seen_ms()).and_then(|it| it.latest) {
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
