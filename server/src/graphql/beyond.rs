//! What we answer beyond the original: finding series, hosts and devices here, and
//! what the page asks for in files of its own.

use juniper::meta::Field;
use juniper::{
    Arguments, DefaultScalarValue, ExecutionResult, Executor, FieldResult, GraphQLInputObject,
    GraphQLObject, Registry,
};

use super::connection::{Connection, page_arguments, page_asked};
use super::context::Context;
use super::kinds::DATAPOINT;
use super::reach::{Device, devices};
use super::{duplicate_agents, explore, extras, host_detail, overview, points, rows, sparklines};
use crate::store::{Agent, DataPointRow, Filter, Select, SeriesId, StoreError};

/// Pairs of metadata that a search may name.
const MAX_METADATA: usize = 16;
/// Series that a search may find.
const MAX_FOUND: usize = 100_000;
/// Hosts of one answer, unless fewer are asked for.
const MAX_HOSTS: usize = 1_000;
const DEFAULT_HOSTS: i32 = 100;
/// Agents looked up at a time.
const AGENTS_AT_A_TIME: usize = 1_000;
/// Series whose latest sample is looked up at a time.
const SERIES_AT_A_TIME: usize = 10_000;

const FIND: &str = "findDatapoints";
const HOSTS: &str = "hosts";
const DEVICES: &str = "devices";

/// A pair of metadata that a series must have.
#[derive(Debug, GraphQLInputObject)]
struct MetadataInput {
    /// The key, with or without the program's name before it.
    key: String,
    /// The value.
    value: String,
}

/// A host: all agents that tell of one target.
#[derive(Debug, GraphQLObject)]
struct Host {
    /// The target.
    target: String,
    /// Numbers of its agents.
    idx_agent: Vec<String>,
    /// Unix time of the latest sample of any of them, milliseconds.
    last_seen: Option<String>,
    /// Seconds since then.
    age_seconds: Option<f64>,
    /// Whether a hub reached it at the last poll; none if no hub tells.
    reachable: Option<bool>,
    /// How hubs see it.
    devices: Vec<Device>,
}

/// The fields of the query.
pub(super) fn fields(registry: &mut Registry) -> Vec<Field<DefaultScalarValue>> {
    let find = registry
        .field::<Option<Connection>>(FIND, &DATAPOINT)
        .description("The series of a key, of a target, with all of the metadata named.")
        .argument(registry.arg::<Option<String>>("key", &()))
        .argument(registry.arg::<Option<String>>("target", &()))
        .argument(registry.arg::<Option<Vec<MetadataInput>>>("metadata", &()));
    let find = page_arguments(registry, find);
    let hosts = registry
        .field::<Vec<Host>>(HOSTS, &())
        .description("Hosts in order of their names, when they were last seen, and by whom.")
        .argument(registry.arg::<Option<String>>("target", &()))
        .argument(registry.arg::<Option<i32>>("offset", &()))
        .argument(registry.arg_with_default::<i32>("limit", &DEFAULT_HOSTS, &()));
    let devices = registry
        .field::<Vec<Device>>(DEVICES, &())
        .description("Every device of every hub, also those that never answered.");
    let mut fields = vec![find, hosts, devices, duplicate_agents::field(registry)];
    fields.extend(points::fields(registry));
    fields.push(overview::field(registry));
    fields.push(sparklines::field(registry));
    fields.push(host_detail::field(registry));
    fields.extend(explore::fields(registry));
    fields
}

/// One of [`fields`].
pub(super) fn resolve(
    name: &str,
    arguments: &Arguments<'_>,
    executor: &Executor<'_, '_, Context>,
) -> ExecutionResult {
    let context = executor.context();
    match name {
        FIND => executor.resolve(&DATAPOINT, &find(context, arguments)?),
        duplicate_agents::FIELD => duplicate_agents::resolve(executor),
        HOSTS => executor.resolve_with_ctx(&(), &hosts(context, arguments)?),
        DEVICES => {
            let devices = devices(context).map_err(|error| context.store_error(error))?;
            context.count_rows(devices.len());
            executor.resolve_with_ctx(&(), &devices)
        }
        points::POINTS => points::points(arguments, executor),
        points::COLUMNS => points::columns(arguments, executor),
        overview::FIELD => overview::resolve(executor),
        sparklines::FIELD => sparklines::resolve(arguments, executor),
        host_detail::FIELD => host_detail::resolve(arguments, executor),
        explore::EXPLORE => explore::explore(arguments, executor),
        explore::KEYS => explore::keys(arguments, executor),
        other => Err(format!("{other} is no query").into()),
    }
}

fn find(context: &Context, arguments: &Arguments<'_>) -> FieldResult<Connection> {
    let key = arguments.get::<Option<String>>("key")?.flatten();
    let target = arguments.get::<Option<String>>("target")?.flatten();
    let metadata = arguments.get::<Option<Vec<MetadataInput>>>("metadata")?.flatten();
    let metadata: Vec<(String, String)> =
        metadata.unwrap_or_default().into_iter().map(|pair| (pair.key, pair.value)).collect();
    if metadata.len() > MAX_METADATA {
        return Err(format!("metadata: at most {MAX_METADATA} pairs may be named").into());
    }
    let found = context
        .store
        .find_series(key.as_deref(), target.as_deref(), &metadata, MAX_FOUND)
        .map_err(|error| context.store_error(error))?;
    let asked = page_asked(arguments)?;
    Connection::read_with(
        context,
        &asked,
        || Ok(found.len() as u64),
        |offset, limit| {
            let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
            let page = found.iter().skip(whole(offset)).take(whole(limit));
            let numbers = page.map(|series| i64::from(*series)).collect();
            rows::page(context, &DATAPOINT, &[Filter::In("idx_datapoint", numbers)], &[], 0, limit)
        },
    )
}

fn hosts(context: &Context, arguments: &Arguments<'_>) -> FieldResult<Vec<Host>> {
    let target = arguments.get::<Option<String>>("target")?.flatten();
    let whole = |value: Option<i32>| usize::try_from(value.unwrap_or(0)).unwrap_or(0);
    let offset = whole(arguments.get::<Option<i32>>("offset")?.flatten());
    let limit = whole(arguments.get::<i32>("limit")?).min(MAX_HOSTS);
    let fail = |error| context.store_error(error);
    let agents = agents_by_host(context, target.as_deref(), offset, limit).map_err(fail)?;
    let known = devices(context).map_err(fail)?;
    let mut hosts = Vec::with_capacity(agents.len());
    for agents in agents {
        let numbers: Vec<i64> = agents.iter().map(|agent| agent.idx_agent).collect();
        let seen = last_seen(context, &numbers).map_err(fail)?;
        let of_host = |device: &&Device| agents.iter().any(|agent| device.is_of(&agent.agent_id));
        let devices: Vec<Device> = known.iter().filter(of_host).cloned().collect();
        hosts.push(Host {
            target: agents
                .first()
                .map(|agent| agent.agent_polled_target.clone())
                .unwrap_or_default(),
            idx_agent: numbers.iter().map(ToString::to_string).collect(),
            last_seen: seen.map(|seen| seen.to_string()),
            age_seconds: seen.map(|seen| extras::age(context, seen)),
            reachable: devices.iter().filter_map(Device::is_reachable).reduce(|a, b| a || b),
            devices,
        });
        if context.is_over() {
            break;
        }
    }
    context.count_rows(hosts.len());
    Ok(hosts)
}

/// The agents of each host, hosts in order of their names.
fn agents_by_host(
    context: &Context,
    target: Option<&str>,
    offset: usize,
    limit: usize,
) -> Result<Vec<Vec<Agent>>, StoreError> {
    let mut hosts: Vec<Vec<Agent>> = Vec::new();
    let mut passed = 0;
    let mut last: Option<String> = None;
    for start in (0..).step_by(AGENTS_AT_A_TIME) {
        let mut select = match target {
            Some(target) => Select::by("agent_polled_target", target),
            None => Select::all(),
        };
        select.order.push(("agent_polled_target", false));
        let agents: Vec<Agent> = context.store.rows(&select.page(start, AGENTS_AT_A_TIME))?;
        let was_last = agents.len() < AGENTS_AT_A_TIME;
        for agent in agents {
            if last.as_deref() != Some(&agent.agent_polled_target) {
                last = Some(agent.agent_polled_target.clone());
                passed += 1;
                if passed > offset.saturating_add(limit) {
                    return Ok(hosts);
                }
                if passed > offset {
                    hosts.push(Vec::new());
                }
            }
            if let Some(host) = hosts.last_mut() {
                host.push(agent);
            }
        }
        if was_last || context.is_over() {
            break;
        }
    }
    Ok(hosts)
}

/// The time of the latest sample of any series of these agents.
pub(super) fn last_seen(context: &Context, agents: &[i64]) -> Result<Option<u64>, StoreError> {
    let rows: Vec<DataPointRow> =
        context.store.rows(&Select::among("idx_agent", agents.to_vec()))?;
    let series: Vec<SeriesId> =
        rows.iter().filter_map(|row| SeriesId::try_from(row.idx_datapoint).ok()).collect();
    let mut seen = None;
    for series in series.chunks(SERIES_AT_A_TIME) {
        let latest = context.store.latest(series)?;
        seen = seen.max(latest.iter().flatten().map(|latest| latest.timestamp_ms).max());
    }
    Ok(seen)
}
