//! The points of a chart: at most ten thousand a query, downsampled here, from
//! the coarsest figures that still tell what is asked.

mod builder;

use std::time::{Duration, Instant};

use pattoo_common::datapoint::DataType;
use rusqlite::OptionalExtension;

use super::Store;
use super::error::StoreError;
use super::history::History;
use super::keys::{DAY_MS, FIVE_MINUTES_MS, HOUR_MS, SeriesId, TIMESTAMP_END_MS};
use super::number::Number;
use super::tables::{Broken, Resolution};
use builder::Builder;

/// Points of one query.
pub const POINTS_MAX: usize = 10_000;
/// Days read in one transaction, so that no reader holds the log for long.
const DAYS_A_SNAPSHOT: usize = 16;
/// For the first rate, how many polling intervals before the start are read.
const INTERVALS_BEFORE: u64 = 3;

/// What of the samples of a step becomes its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Aggregate {
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The mean.
    #[default]
    Mean,
    /// The latest.
    Last,
    /// How many there are.
    Count,
}

/// A question about one series.
#[derive(Debug, Clone)]
pub struct PointsQuery {
    /// The series.
    pub series: SeriesId,
    /// The first millisecond wanted.
    pub from_ms: u64,
    /// The first millisecond not wanted any more.
    pub to_ms: u64,
    /// Milliseconds between points. None gives every sample, or, where these
    /// are more than `points_max`, the finest step that is not.
    pub step_ms: Option<u64>,
    /// What becomes of the samples of a step. Of a rate it is always the mean.
    pub aggregate: Aggregate,
    /// The growth per second instead of the values.
    pub as_rate: bool,
    /// Besides its value, the least and the greatest of what each point stands for.
    pub ranges: bool,
    /// At most so many points; never more than [`POINTS_MAX`].
    pub points_max: usize,
    /// When to give up.
    pub deadline: Instant,
}

impl PointsQuery {
    /// Every sample of a series from `from_ms` up to `to_ms`, or the mean of as
    /// many as fit, with ten seconds to find them.
    pub fn new(series: SeriesId, from_ms: u64, to_ms: u64) -> Self {
        Self {
            series,
            from_ms,
            to_ms,
            step_ms: None,
            aggregate: Aggregate::Mean,
            as_rate: false,
            ranges: false,
            points_max: POINTS_MAX,
            deadline: Instant::now() + Duration::from_secs(10),
        }
    }
}

/// One point of a chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Where its step begins; of a single sample, its own time.
    pub timestamp_ms: u64,
    /// The value. Steps without samples have no point.
    pub value: Number,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    /// Oldest first.
    pub points: Vec<Point>,
    /// The least and the greatest of each point; empty unless they were asked for
    /// and there are steps.
    pub ranges: Vec<(Number, Number)>,
    /// Milliseconds between points; none where each point is a sample.
    pub step_ms: Option<u64>,
    /// The coarsest figures that went into it.
    pub resolution: Resolution,
    /// The data type of the series.
    pub data_type: DataType,
    /// What could not be read; the rest is there.
    pub broken: Vec<Broken>,
}

/// How a query is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    Samples,
    Steps { step_ms: u64, from: Resolution },
}

impl Store {
    /// The points of a series; none if there is no such series.
    pub fn points(&self, query: &PointsQuery) -> Result<Option<Points>, StoreError> {
        let series = query.series;
        let found = self.readers.read(|connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT data_type, polling_interval FROM datapoint WHERE idx_datapoint = ?",
                )?
                .query_row([series], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?)))
                .optional()?)
        })?;
        let Some((code, interval_ms)) = found else { return Ok(None) };
        let data_type = DataType::from_code(code)
            .ok_or_else(|| StoreError::Damaged(format!("series {series} has data type {code}")))?;
        let query = PointsQuery {
            to_ms: query.to_ms.min(TIMESTAMP_END_MS),
            points_max: query.points_max.clamp(1, POINTS_MAX),
            ..query.clone()
        };
        let plan = plan(&query, interval_ms);
        let mut answer = self.carry_out(&query, plan, data_type, interval_ms)?;
        if plan == Plan::Samples && answer.points.len() > query.points_max {
            // It is sampled more often than its polling interval says.
            let plan = steps(&query, 1);
            answer = self.carry_out(&query, plan, data_type, interval_ms)?;
        }
        for broken in &answer.broken {
            self.shared.figures.damaged(broken);
        }
        Ok(Some(answer))
    }

    fn carry_out(
        &self,
        query: &PointsQuery,
        plan: Plan,
        data_type: DataType,
        interval_ms: u64,
    ) -> Result<Points, StoreError> {
        let step_ms = match plan {
            Plan::Samples => None,
            Plan::Steps { step_ms, .. } => Some(step_ms),
        };
        let start_ms = step_ms.map_or(query.from_ms, |step| query.from_ms / step * step);
        let before_ms = match (query.as_rate, step_ms) {
            (false, _) => 0,
            (true, step) => step.unwrap_or(0).max(interval_ms.saturating_mul(INTERVALS_BEFORE)),
        };
        let read_from = start_ms.saturating_sub(before_ms.min(DAY_MS));
        let mut builder = Builder::new(query, step_ms, start_ms, data_type);
        let mut answer = Points {
            points: Vec::new(),
            ranges: Vec::new(),
            step_ms,
            resolution: Resolution::Raw,
            data_type,
            broken: Vec::new(),
        };
        let mut next_ms = read_from;
        while next_ms < query.to_ms {
            let read = |connection: &mut rusqlite::Connection| {
                let snapshot = connection.transaction()?;
                let mut history = History::new(&snapshot, next_ms, query.to_ms)?;
                let days = history.days(next_ms, query.to_ms);
                let of = (query, data_type);
                for day in days.iter().take(DAYS_A_SNAPSHOT) {
                    if Instant::now() >= query.deadline {
                        return Err(StoreError::Deadline);
                    }
                    let used =
                        self.add_day(of, plan, &mut history, *day, read_from, &mut builder)?;
                    answer.resolution = answer.resolution.max(used);
                }
                answer.broken.append(&mut history.broken);
                Ok(days.get(DAYS_A_SNAPSHOT).map(|day| u64::from(*day) * DAY_MS))
            };
            match self.readers.read_until(query.deadline, read)? {
                Some(day_ms) if builder.room() => next_ms = day_ms,
                _ => break,
            }
        }
        (answer.points, answer.ranges) = builder.finish();
        Ok(answer)
    }

    fn add_day(
        &self,
        (query, data_type): (&PointsQuery, DataType),
        plan: Plan,
        history: &mut History<'_>,
        day: u32,
        read_from: u64,
        builder: &mut Builder,
    ) -> Result<Resolution, StoreError> {
        let start_ms = u64::from(day) * DAY_MS;
        let resolution = match plan {
            Plan::Samples => Resolution::Raw,
            Plan::Steps { from, .. } => from,
        };
        let expired = start_ms + DAY_MS <= self.raw_start_ms();
        if resolution == Resolution::Raw && !expired {
            for sample in history.samples(query.series, day, read_from, query.to_ms)? {
                builder.sample(sample);
            }
            return Ok(Resolution::Raw);
        }
        let within = (read_from, query.to_ms);
        let (used, buckets) = history.rollups(
            (query.series, data_type),
            day,
            resolution,
            within,
            self.raw_start_ms(),
        )?;
        let wanted = read_from / used.step_ms() * used.step_ms()..query.to_ms;
        for bucket in buckets.iter().filter(|bucket| wanted.contains(&bucket.start_ms)) {
            builder.bucket(bucket);
        }
        Ok(if buckets.is_empty() { Resolution::Raw } else { used })
    }
}

fn plan(query: &PointsQuery, interval_ms: u64) -> Plan {
    let span = query.to_ms.saturating_sub(query.from_ms);
    match query.step_ms {
        None if span / interval_ms.max(1) < query.points_max as u64 => Plan::Samples,
        None => steps(query, 1),
        Some(step_ms) => steps(query, step_ms.max(1)),
    }
}

/// The step, raised until the points fit and the figures it is made of divide
/// it, and the coarsest figures that do.
fn steps(query: &PointsQuery, wanted_ms: u64) -> Plan {
    let span = query.to_ms.saturating_sub(query.from_ms);
    let whole = |step: u64, unit: u64| step.div_ceil(unit) * unit;
    // Steps begin at whole multiples, so one more may be needed to cover it all.
    let room = (query.points_max as u64 - 1).max(1);
    let least = span.div_ceil(room).max(wanted_ms);
    let (step_ms, from) = match least {
        HOUR_MS.. => (whole(least, HOUR_MS), Resolution::OneHour),
        FIVE_MINUTES_MS.. => (whole(least, FIVE_MINUTES_MS), Resolution::FiveMinutes),
        _ if least == wanted_ms => (least, Resolution::Raw),
        _ => (whole(least, 1000), Resolution::Raw),
    };
    Plan::Steps { step_ms, from }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(span_ms: u64, step_ms: Option<u64>, points_max: usize) -> PointsQuery {
        let from_ms = 20_000 * DAY_MS;
        let query = PointsQuery::new(1, from_ms, from_ms + span_ms);
        PointsQuery { step_ms, points_max, ..query }
    }

    #[test]
    fn the_step_grows_until_the_points_fit() {
        let month = query(30 * DAY_MS, None, 1000);
        let expected = Plan::Steps { step_ms: 9 * FIVE_MINUTES_MS, from: Resolution::FiveMinutes };
        assert_eq!(plan(&month, 10_000), expected);
        let year = query(365 * DAY_MS, Some(10_000), 1000);
        let expected = Plan::Steps { step_ms: 9 * HOUR_MS, from: Resolution::OneHour };
        assert_eq!(plan(&year, 10_000), expected);
        assert_eq!(plan(&query(HOUR_MS, None, 1000), 10_000), Plan::Samples);
        let minutes = Plan::Steps { step_ms: 60_000, from: Resolution::Raw };
        assert_eq!(plan(&query(HOUR_MS, Some(60_000), 1000), 10_000), minutes);
    }

    #[test]
    fn no_span_gives_more_points_than_asked() {
        for span in [1, 999, HOUR_MS, DAY_MS + 1, 400 * DAY_MS] {
            for points_max in [1, 2, 7, 1000] {
                let query = query(span, None, points_max);
                if let Plan::Steps { step_ms, .. } = plan(&query, 1) {
                    let points = (query.to_ms - 1) / step_ms - query.from_ms / step_ms + 1;
                    let most = points_max.max(2) as u64;
                    assert!(points <= most, "{span} {points_max}: {points}");
                }
            }
        }
    }
}
