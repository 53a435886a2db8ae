//! The points of series for charts: `points`, one object each, and `columns`, the
//! same in lists of numbers, which a page with thirty charts reads sooner.

use juniper::meta::Field;
use juniper::{
    Arguments, DefaultScalarValue, ExecutionResult, Executor, FieldError, FieldResult, GraphQLEnum,
    GraphQLObject, Registry,
};
use pattoo_common::quoted::quoted;

use super::context::Context;
use super::milliseconds::Milliseconds;
use crate::store::{self, DAY_MS, POINTS_MAX, PointsQuery, Resolution, SeriesId};

/// Points as objects.
pub(super) const POINTS: &str = "points";
/// Points in columns.
pub(super) const COLUMNS: &str = "columns";
/// Series that `points` may ask for.
const MAX_SERIES: usize = 100;
/// In columns there may be more: all of a host.
const MAX_COLUMNS: usize = 200;

/// What of the samples of a step becomes its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, GraphQLEnum)]
enum Aggregate {
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The mean.
    Mean,
    /// The latest.
    Last,
    /// How many there are.
    Count,
}

/// The points of a series.
#[derive(Debug, GraphQLObject)]
#[graphql(name = "Points")]
struct Drawn {
    /// Number of the datapoint.
    idx_datapoint: String,
    /// Milliseconds between points; none where each point is a sample.
    step: Option<Milliseconds>,
    /// The coarsest figures that went into it: `raw`, `5min` or `1h`.
    resolution: &'static str,
    /// Oldest first. Steps without samples have no point.
    points: Vec<Point>,
    /// What could not be read, and is missing here.
    damaged: Vec<String>,
}

/// A point of a chart.
#[derive(Debug, GraphQLObject)]
struct Point {
    /// Unix time, milliseconds: of the sample, or where its step begins.
    timestamp: Milliseconds,
    /// The value; of a rate, the growth per second.
    value: f64,
}

/// The points of a series in columns.
#[derive(Debug, GraphQLObject)]
struct Columns {
    /// Number of the datapoint.
    idx_datapoint: String,
    /// Milliseconds between points; none where each point is a sample.
    step: Option<Milliseconds>,
    /// The coarsest figures that went into it: `raw`, `5min` or `1h`.
    resolution: &'static str,
    /// Unix times, oldest first: of each sample, or where its step begins. Steps
    /// without samples have no point.
    timestamps: Vec<Milliseconds>,
    /// The values; of a rate, the growth per second.
    values: Vec<Option<f64>>,
    /// The least of what each point stands for, where that is several samples and
    /// the value is their mean.
    lows: Option<Vec<f64>>,
    /// The greatest.
    highs: Option<Vec<f64>>,
    /// What could not be read, and is missing here.
    damaged: Vec<String>,
}

/// The fields of the query.
pub(super) fn fields(registry: &mut Registry) -> [Field<DefaultScalarValue>; 2] {
    let points = registry.field::<Vec<Drawn>>(POINTS, &()).description(
        "The points of one or more series, at most 10,000 in a query; the step is raised \
         until they fit. Times are Unix times in milliseconds; the last day, unless told.",
    );
    let columns = registry.field::<Vec<Columns>>(COLUMNS, &()).description(
        "The same as points, in lists of numbers, with the least and the greatest of what \
         each stands for: of at most 200 series, and 100,000 points in a query.",
    );
    [with_arguments(points, registry), with_arguments(columns, registry)]
}

fn with_arguments(
    field: Field<DefaultScalarValue>,
    registry: &mut Registry,
) -> Field<DefaultScalarValue> {
    field
        .argument(registry.arg::<Vec<String>>("idxDatapoint", &()))
        .argument(registry.arg::<Option<Milliseconds>>("from", &()))
        .argument(registry.arg::<Option<Milliseconds>>("to", &()))
        .argument(
            registry
                .arg::<Option<Milliseconds>>("step", &())
                .description("Milliseconds; without it every sample, where they fit."),
        )
        .argument(registry.arg::<Option<Aggregate>>("aggregate", &()))
        .argument(registry.arg::<Option<bool>>("asRate", &()))
}

/// Resolves [`POINTS`].
pub(super) fn points(
    arguments: &Arguments<'_>,
    executor: &Executor<'_, '_, Context>,
) -> ExecutionResult {
    let found = read(executor.context(), arguments, false)?;
    let drawn = |(series, found): (SeriesId, store::Points)| Drawn {
        idx_datapoint: series.to_string(),
        step: found.step_ms.map(Milliseconds),
        resolution: name(found.resolution),
        points: found
            .points
            .iter()
            .map(|point| Point {
                timestamp: Milliseconds(point.timestamp_ms),
                value: point.value.as_f64(),
            })
            .collect(),
        damaged: found.broken.iter().map(ToString::to_string).collect(),
    };
    executor.resolve_with_ctx(&(), &found.into_iter().map(drawn).collect::<Vec<_>>())
}

/// Resolves [`COLUMNS`].
pub(super) fn columns(
    arguments: &Arguments<'_>,
    executor: &Executor<'_, '_, Context>,
) -> ExecutionResult {
    let found = read(executor.context(), arguments, true)?;
    let columns = |(series, found): (SeriesId, store::Points)| {
        let ranges = (!found.ranges.is_empty()).then_some(&found.ranges);
        let column = |pick: fn(&(store::Number, store::Number)) -> store::Number| {
            ranges.map(|ranges| ranges.iter().map(|range| pick(range).as_f64()).collect())
        };
        Columns {
            idx_datapoint: series.to_string(),
            step: found.step_ms.map(Milliseconds),
            resolution: name(found.resolution),
            timestamps: found.points.iter().map(|p| Milliseconds(p.timestamp_ms)).collect(),
            values: found.points.iter().map(|p| Some(p.value.as_f64())).collect(),
            lows: column(|(low, _)| *low),
            highs: column(|(_, high)| *high),
            damaged: found.broken.iter().map(ToString::to_string).collect(),
        }
    };
    executor.resolve_with_ctx(&(), &found.into_iter().map(columns).collect::<Vec<_>>())
}

fn milliseconds(arguments: &Arguments<'_>, name: &str) -> FieldResult<Option<u64>> {
    let given = arguments.get::<Option<Milliseconds>>(name)?.flatten();
    Ok(given.map(|Milliseconds(value)| value))
}

/// The points of each of the series.
fn read(
    context: &Context,
    arguments: &Arguments<'_>,
    columns: bool,
) -> FieldResult<Vec<(SeriesId, store::Points)>> {
    let numbers = arguments.get::<Vec<String>>("idxDatapoint")?.unwrap_or_default();
    let most = if columns { MAX_COLUMNS } else { MAX_SERIES };
    if numbers.is_empty() || numbers.len() > most {
        let found = numbers.len();
        return Err(format!("idxDatapoint: 1 to {most} are wanted, {found} found").into());
    }
    let to_ms = milliseconds(arguments, "to")?.unwrap_or(context.now_ms + 1);
    let from_ms = milliseconds(arguments, "from")?.unwrap_or(to_ms.saturating_sub(DAY_MS));
    if from_ms >= to_ms {
        return Err(format!("from ({from_ms}) is not before to ({to_ms})").into());
    }
    let step_ms = milliseconds(arguments, "step")?.filter(|step| *step > 0);
    let as_rate = arguments.get::<Option<bool>>("asRate")?.flatten().unwrap_or(false);
    let aggregate = match arguments.get::<Option<Aggregate>>("aggregate")?.flatten() {
        Some(Aggregate::Min) => store::Aggregate::Min,
        Some(Aggregate::Max) => store::Aggregate::Max,
        Some(Aggregate::Last) => store::Aggregate::Last,
        Some(Aggregate::Count) => store::Aggregate::Count,
        Some(Aggregate::Mean) | None => store::Aggregate::Mean,
    };
    let left = if columns { context.column_points_left() } else { context.points_left() };
    let points_max = (left / numbers.len()).min(POINTS_MAX);
    if points_max < 2 {
        return Err("the query has asked for all the points that it may; ask in two".into());
    }
    let mut answers = Vec::with_capacity(numbers.len());
    for number in numbers {
        let no_such = || format!("idxDatapoint: there is no datapoint {}", quoted(&number));
        let series: SeriesId = number.trim().parse().map_err(|_| no_such())?;
        let query = PointsQuery {
            series,
            from_ms,
            to_ms,
            step_ms,
            aggregate,
            as_rate,
            ranges: columns && aggregate == store::Aggregate::Mean && !as_rate,
            points_max,
            deadline: context.deadline,
        };
        let found = context.store.points(&query).map_err(|error| context.store_error(error))?;
        let found = found.ok_or_else(|| FieldError::from(no_such()))?;
        if columns {
            context.count_column_points(found.points.len());
        } else {
            context.count_points(found.points.len());
        }
        answers.push((series, found));
    }
    Ok(answers)
}

fn name(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Raw => "raw",
        Resolution::FiveMinutes => "5min",
        Resolution::OneHour => "1h",
    }
}
