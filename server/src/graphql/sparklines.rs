//! `sparklines`: how a figure of a host went of late, coarse enough for a line of
//! a few pixels. Each is kept until its next step begins, so that many looks cost
//! one reading.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use juniper::meta::Field;
use juniper::{
    Arguments, DefaultScalarValue, ExecutionResult, Executor, FieldResult, GraphQLEnum,
    GraphQLObject, Registry,
};

use super::context::Context;
use super::milliseconds::Milliseconds;
use crate::fleet::{self, Figure};
use crate::store::{FIVE_MINUTES_MS, HOUR_MS, PointsQuery, SeriesId, StoreError};

/// Name of the field.
pub(super) const FIELD: &str = "sparklines";
/// Hosts of one query: what a screen shows, and more.
const MAX_TARGETS: usize = 200;
/// Minutes that a line may go back.
const MAX_MINUTES: i32 = 7 * 24 * 60;
const DEFAULT_MINUTES: i32 = 60;
/// Points of a line.
const MAX_POINTS: i32 = 240;
const DEFAULT_POINTS: i32 = 60;
/// Lines that are kept: half a kilobyte each.
const MAX_KEPT: usize = 10_000;

/// A figure of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, GraphQLEnum)]
enum HostFigure {
    /// Processors at work, percent.
    Cpu,
    /// Memory in use, percent.
    Memory,
    /// The file system that is the fullest now, percent.
    Disk,
    /// Bytes received a second, over all physical interfaces.
    Received,
    /// Bytes sent a second, over all physical interfaces.
    Sent,
    /// Load average of one minute.
    Load,
}

/// How a figure went.
#[derive(Debug, GraphQLObject)]
struct Sparkline {
    /// The host.
    target: String,
    /// The figure.
    figure: HostFigure,
    /// Where each step begins, Unix time in milliseconds; empty if the host does
    /// not tell the figure.
    timestamps: Vec<Milliseconds>,
    /// The mean of each step; null where nothing was told.
    values: Vec<Option<f64>>,
}

/// Which line it is: host, figure, milliseconds of a step, steps.
type Key = (String, HostFigure, u64, usize);

/// A line that was read.
#[derive(Debug)]
struct Line {
    /// Where its first step begins.
    start_ms: u64,
    step_ms: u64,
    values: Vec<Option<f64>>,
}

/// The lines that were read lately.
#[derive(Debug, Default)]
pub(super) struct Sparklines(Mutex<HashMap<Key, Arc<Line>>>);

/// The field.
pub(super) fn field(registry: &mut Registry) -> Field<DefaultScalarValue> {
    registry
        .field::<Vec<Sparkline>>(FIELD, &())
        .description(
            "How figures of hosts went in the last minutes; of each step the mean. A step is \
             never shorter than the time between samples.",
        )
        .argument(registry.arg::<Vec<String>>("targets", &()))
        .argument(registry.arg::<Vec<HostFigure>>("figure", &()))
        .argument(registry.arg_with_default::<Option<i32>>("minutes", &Some(DEFAULT_MINUTES), &()))
        .argument(registry.arg_with_default::<Option<i32>>("points", &Some(DEFAULT_POINTS), &()))
}

/// Answers it.
pub(super) fn resolve(
    arguments: &Arguments<'_>,
    executor: &Executor<'_, '_, Context>,
) -> ExecutionResult {
    let context = executor.context();
    let targets = arguments.get::<Vec<String>>("targets")?.unwrap_or_default();
    if targets.len() > MAX_TARGETS {
        return Err(format!("targets: at most {MAX_TARGETS}, {} found", targets.len()).into());
    }
    let mut figures = arguments.get::<Vec<HostFigure>>("figure")?.unwrap_or_default();
    figures.truncate(6);
    let bounded = |name: &str, default: i32, most: i32| -> FieldResult<i32> {
        let asked = arguments.get::<Option<i32>>(name)?.flatten();
        Ok(asked.unwrap_or(default).clamp(1, most))
    };
    let minutes = bounded("minutes", DEFAULT_MINUTES, MAX_MINUTES)?;
    let points = bounded("points", DEFAULT_POINTS, MAX_POINTS)?;
    let steps = usize::try_from(points).unwrap_or(1);
    let step_ms = u64::try_from(minutes).unwrap_or(1) * 60_000 / steps as u64;
    let mut lines = Vec::with_capacity(targets.len() * figures.len());
    for figure in figures {
        let series = context
            .fleet
            .series(&context.store, &targets, figure.of_fleet())
            .map_err(|error| context.store_error(error))?;
        for (target, series) in targets.iter().zip(series) {
            if context.is_over() {
                break;
            }
            let key = (target.clone(), figure, step_ms.max(1_000), steps);
            let line = context
                .sparklines
                .get(context, key, &series)
                .map_err(|error| context.store_error(error))?;
            lines.push(Sparkline::of(target, figure, &line));
        }
    }
    executor.resolve_with_ctx(&(), &lines)
}

impl HostFigure {
    fn of_fleet(self) -> Figure {
        match self {
            Self::Cpu => Figure::Cpu,
            Self::Memory => Figure::Memory,
            Self::Disk => Figure::Disk,
            Self::Received => Figure::Received,
            Self::Sent => Figure::Sent,
            Self::Load => Figure::Load,
        }
    }

    fn is_rate(self) -> bool {
        matches!(self, Self::Received | Self::Sent)
    }
}

impl Sparkline {
    fn of(target: &str, figure: HostFigure, line: &Line) -> Self {
        let at = |step: usize| Milliseconds(line.start_ms + step as u64 * line.step_ms);
        Self {
            target: target.to_owned(),
            figure,
            timestamps: (0..line.values.len()).map(at).collect(),
            values: line.values.clone(),
        }
    }
}

impl Sparklines {
    fn get(
        &self,
        context: &Context,
        key: Key,
        series: &[SeriesId],
    ) -> Result<Arc<Line>, StoreError> {
        if let Some(line) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key)
            && line.is_of(context.now_ms)
        {
            return Ok(Arc::clone(line));
        }
        let line = Arc::new(read(context, &key, series)?);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&line));
        Ok(line)
    }
}

impl Line {
    /// Whether its last step is the one that runs.
    fn is_of(&self, now_ms: u64) -> bool {
        let last_ms = self.start_ms + (self.values.len().max(1) as u64 - 1) * self.step_ms;
        !self.values.is_empty() && (last_ms..last_ms + self.step_ms).contains(&now_ms)
    }
}

/// A step of which the store's roll-ups are whole parts, as it wants them.
fn whole(step_ms: u64) -> u64 {
    match step_ms {
        HOUR_MS.. => step_ms.next_multiple_of(HOUR_MS),
        FIVE_MINUTES_MS.. => step_ms.next_multiple_of(FIVE_MINUTES_MS),
        _ => step_ms,
    }
}

fn read(
    context: &Context,
    (_, figure, step_ms, steps): &Key,
    series: &[SeriesId],
) -> Result<Line, StoreError> {
    let store = &context.store;
    let interval_ms = store.watched(|watched| {
        let intervals = series.iter().filter_map(|series| watched.get(*series));
        intervals.map(crate::store::Heard::polling_interval_ms).max().unwrap_or(0)
    });
    let span_ms = step_ms * *steps as u64;
    let step_ms = whole(interval_ms.max(*step_ms)).min(span_ms);
    let steps = span_ms / step_ms;
    let end_ms = (context.now_ms / step_ms + 1) * step_ms;
    let start_ms = end_ms.saturating_sub(steps * step_ms);
    let mut columns = Vec::with_capacity(series.len());
    for series in series {
        let query = PointsQuery {
            step_ms: Some(step_ms),
            as_rate: figure.is_rate(),
            deadline: context.deadline,
            ..PointsQuery::new(*series, start_ms, end_ms)
        };
        let mut column = vec![None; usize::try_from(steps).unwrap_or(0)];
        if let Some(found) = store.points(&query)? {
            for point in found.points {
                let step = point.timestamp_ms.saturating_sub(start_ms) / step_ms;
                let step = usize::try_from(step).unwrap_or(usize::MAX);
                if let Some(place) = column.get_mut(step) {
                    *place = Some(point.value.as_f64());
                }
            }
        }
        columns.push(column);
    }
    let values = match (figure, columns.as_slice()) {
        (_, []) => Vec::new(),
        (HostFigure::Cpu, [idle, rest @ ..]) => {
            let waiting = |step: usize| rest.first().and_then(|column| *column.get(step)?);
            let busy = |(step, idle): (usize, &Option<f64>)| {
                idle.map(|idle| fleet::busy(idle, waiting(step)))
            };
            idle.iter().enumerate().map(busy).collect()
        }
        (_, [first, ..]) => (0..first.len())
            .map(|step| {
                let told = columns.iter().filter_map(|column| *column.get(step)?);
                told.reduce(|a, b| a + b)
            })
            .collect(),
    };
    Ok(Line { start_ms, step_ms, values })
}
