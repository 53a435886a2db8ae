//! Fields of rows that are no columns of theirs: when a series was last heard
//! of, its key, its latest value.

use juniper::meta::Field;
use juniper::{DefaultScalarValue, ExecutionResult, Executor, GraphQLObject, Registry, Value};

use super::context::{Context, series_of};
use super::kind::Kind;
use super::kinds::{AGENT, DATAPOINT};
use super::record::Record;
use super::{beyond, samples};
use crate::store::{self, Filter, Glue, Kept, Pair, Select, StoreError};

/// The pair whose value is the key of a series.
const KEY_PAIR: &str = "pattoo_key";

/// The latest sample of a series.
#[derive(Debug, Clone, PartialEq, GraphQLObject)]
pub(super) struct Latest {
    /// Unix time of the sample, milliseconds.
    timestamp: String,
    /// The value, with ten decimal places; a text as it came.
    value: String,
    /// The value as a number; none of a text.
    number: Option<f64>,
    /// Seconds since then, by the server's clock.
    age_seconds: f64,
}

impl Latest {
    /// As the schema gives it.
    pub(super) fn of(context: &Context, latest: &store::Latest) -> Self {
        let (value, number) = match &latest.value {
            Kept::Number(number) => (samples::decimal(*number), Some(number.as_f64())),
            Kept::Text(text) => (text.clone(), None),
        };
        let timestamp = latest.timestamp_ms.to_string();
        Self { timestamp, value, number, age_seconds: age(context, latest.timestamp_ms) }
    }
}

/// Seconds since a time; negative if that is ahead of the server's clock.
pub(super) fn age(context: &Context, timestamp_ms: u64) -> f64 {
    (context.now_ms as f64 - timestamp_ms as f64) / 1_000.0
}

/// The fields that a kind has beyond its columns.
pub(super) fn fields(kind: &Kind, registry: &mut Registry) -> Vec<Field<DefaultScalarValue>> {
    if *kind.names.row == *DATAPOINT.names.row {
        vec![
            registry
                .field::<Option<String>>("key", &())
                .description("The key of the series, after the program's name."),
            registry
                .field::<Option<Latest>>("latest", &())
                .description("The latest sample and its age."),
        ]
    } else if *kind.names.row == *AGENT.names.row {
        vec![
            registry
                .field::<Option<f64>>("ageSeconds", &())
                .description("Seconds since the agent's latest sample."),
        ]
    } else {
        Vec::new()
    }
}

/// A column that the table does not have.
pub(super) fn column(
    record: &Record,
    name: &str,
    executor: &Executor<'_, '_, Context>,
) -> ExecutionResult {
    let context = executor.context();
    if name != "last_timestamp" || context.is_over() {
        return Ok(Value::Null);
    }
    let latest = latest(record, context).map_err(|error| context.store_error(error))?;
    let timestamp = latest.map_or(0, |latest| latest.timestamp_ms);
    executor.resolve_with_ctx(&(), &timestamp.to_string())
}

/// A field of [`fields`].
pub(super) fn resolve(
    record: &Record,
    name: &str,
    executor: &Executor<'_, '_, Context>,
) -> ExecutionResult {
    let context = executor.context();
    let fail = |error| context.store_error(error);
    match name {
        "key" => executor.resolve_with_ctx(&(), &key(record, context).map_err(fail)?),
        "latest" => {
            let latest = latest(record, context).map_err(fail)?;
            executor.resolve_with_ctx(&(), &latest.map(|latest| Latest::of(context, &latest)))
        }
        _ => {
            let seen = beyond::last_seen(context, &[record.number("idx_agent")]).map_err(fail)?;
            executor.resolve_with_ctx(&(), &seen.map(|seen| age(context, seen)))
        }
    }
}

fn latest(record: &Record, context: &Context) -> Result<Option<store::Latest>, StoreError> {
    match series_of(record) {
        Some(series) => context.latest(series),
        None => Ok(None),
    }
}

fn key(record: &Record, context: &Context) -> Result<Option<String>, StoreError> {
    let store = &context.store;
    let glue: Vec<Glue> =
        store.rows(&Select::by("idx_datapoint", record.number("idx_datapoint")))?;
    let mut select = Select::among("idx_pair", glue.iter().map(|glue| glue.idx_pair).collect());
    select.filters.push(Filter::Is("key", KEY_PAIR.into()));
    Ok(store.rows::<Pair>(&select)?.pop().map(|pair| pair.value))
}
