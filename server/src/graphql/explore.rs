//! `explore` and `seriesKeys`: finding any series of any agent by words.

use juniper::meta::Field;
use juniper::{
    Arguments, DefaultScalarValue, ExecutionResult, Executor, FieldResult, GraphQLObject, Registry,
};

use super::context::Context;
use super::described::{HostSeries, Names, describe, short};
use crate::store::SeriesId;

/// Series.
pub(super) const EXPLORE: &str = "explore";
/// Keys.
pub(super) const KEYS: &str = "seriesKeys";

const DEFAULT_SERIES: i32 = 100;
const MAX_SERIES: usize = 1_000;
const DEFAULT_KEYS: i32 = 200;
const MAX_KEYS: usize = 2_000;

/// A key that series have.
#[derive(Debug, GraphQLObject)]
struct SeriesKey {
    /// The key as agents send it.
    key: String,
    /// The program that sends it.
    program: String,
    /// What it is called.
    name: String,
    /// Units of the values as a chart shows them.
    units: String,
    /// How many series have it.
    series: i32,
    /// Of how many hosts.
    hosts: i32,
}

/// The fields.
pub(super) fn fields(registry: &mut Registry) -> [Field<DefaultScalarValue>; 2] {
    let explore = registry
        .field::<Vec<HostSeries>>(EXPLORE, &())
        .description(
            "Series of a key, of a target, with every word of a search in their metadata, the \
             name of their key, or that of their target; at most 1,000.",
        )
        .argument(
            registry
                .arg::<Option<Vec<String>>>("idxDatapoint", &())
                .description("Only these series, whatever else is asked for."),
        )
        .argument(registry.arg::<Option<String>>("key", &()))
        .argument(registry.arg::<Option<String>>("target", &()))
        .argument(registry.arg::<Option<String>>("search", &()))
        .argument(registry.arg_with_default::<Option<i32>>("limit", &Some(DEFAULT_SERIES), &()))
        .argument(registry.arg::<Option<String>>("language", &()));
    let keys = registry
        .field::<Vec<SeriesKey>>(KEYS, &())
        .description("The keys that there are, and how many series have each; at most 2,000.")
        .argument(registry.arg::<Option<String>>("search", &()))
        .argument(registry.arg_with_default::<Option<i32>>("limit", &Some(DEFAULT_KEYS), &()))
        .argument(registry.arg::<Option<String>>("language", &()));
    [explore, keys]
}

fn text(arguments: &Arguments<'_>, name: &str) -> FieldResult<Option<String>> {
    Ok(arguments.get::<Option<String>>(name)?.flatten())
}

fn limit(arguments: &Arguments<'_>, default: i32, most: usize) -> FieldResult<usize> {
    let asked = arguments.get::<Option<i32>>("limit")?.flatten().unwrap_or(default);
    Ok(usize::try_from(asked).unwrap_or(0).min(most))
}

fn names(context: &Context, arguments: &Arguments<'_>) -> FieldResult<Names> {
    let language = text(arguments, "language")?.unwrap_or_default();
    Names::read(context, &language).map_err(|error| context.store_error(error))
}

/// Answers [`EXPLORE`].
pub(super) fn explore(
    arguments: &Arguments<'_>,
    executor: &Executor<'_, '_, Context>,
) -> ExecutionResult {
    let context = executor.context();
    let fail = |error| context.store_error(error);
    let wanted = arguments.get::<Option<Vec<String>>>("idxDatapoint")?.flatten();
    if let Some(wanted) = wanted {
        let numbers = wanted.iter().filter_map(|number| number.trim().parse().ok());
        let numbers: Vec<SeriesId> = numbers.take(MAX_SERIES).collect();
        let names = names(context, arguments)?;
        let described = describe(context, &names, &numbers).map_err(fail)?;
        return executor.resolve_with_ctx(&(), &described);
    }
    let (key, target) = (text(arguments, "key")?, text(arguments, "target")?);
    let search = text(arguments, "search")?.unwrap_or_default();
    let limit = limit(arguments, DEFAULT_SERIES, MAX_SERIES)?;
    let found = context
        .store
        .search_series(key.as_deref(), target.as_deref(), &search, limit)
        .map_err(fail)?;
    let described = describe(context, &names(context, arguments)?, &found).map_err(fail)?;
    executor.resolve_with_ctx(&(), &described)
}

/// Answers [`KEYS`].
pub(super) fn keys(
    arguments: &Arguments<'_>,
    executor: &Executor<'_, '_, Context>,
) -> ExecutionResult {
    let context = executor.context();
    let search = text(arguments, "search")?.unwrap_or_default();
    let found = context.store.keys(&search, limit(arguments, DEFAULT_KEYS, MAX_KEYS)?);
    let found = found.map_err(|error| context.store_error(error))?;
    let names = names(context, arguments)?;
    let whole = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let keys = found.into_iter().map(|found| {
        let key = short(&found.program, &found.key).to_owned();
        let (name, units) = names.of(found.group, &found.key, &key);
        SeriesKey {
            key,
            program: found.program,
            name,
            units,
            series: whole(found.series),
            hosts: whole(found.targets),
        }
    });
    executor.resolve_with_ctx(&(), &keys.collect::<Vec<_>>())
}
