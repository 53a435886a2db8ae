//! The samples themselves as rows: `Data` of the schema, in order of series and
//! time. What lies before a page is passed over by the counts of days, so that
//! only the page is read.

use super::context::Context;
use super::kinds::DATA;
use super::record::Record;
use crate::raw_samples;
use crate::store::{
    Aggregate, Cell, DAY_MS, DataPointRow, Filter, Kept, Number, Point, PointsQuery, Select,
    SeriesId, StoreError, TIMESTAMP_END_MS,
};

/// The columns of a row, in their order.
pub(super) const COLUMNS: &[&str] = &["idx_datapoint", "timestamp", "value"];
/// Series looked up at a time where all are wanted.
const SERIES_AT_A_TIME: usize = 1_000;
/// Decimal places of a value, as the original's column had them.
const DECIMALS: usize = 10;

/// A value as the original writes it.
pub(super) fn decimal(value: Number) -> String {
    match value {
        Number::Integer(value) => format!("{value}.{:0DECIMALS$}", 0),
        Number::Large(value) => format!("{value}.{:0DECIMALS$}", 0),
        Number::Fraction(value) => format!("{value:.DECIMALS$}"),
    }
}

/// How many samples pass the filters.
pub(super) fn count(context: &Context, filters: &[Filter]) -> Result<u64, StoreError> {
    let mut walk = Walk::new(context, filters, u64::MAX, 0);
    walk.all_series()?;
    Ok(u64::MAX - walk.skip)
}

/// At most `limit` samples from `offset` on.
pub(super) fn page(
    context: &Context,
    filters: &[Filter],
    offset: u64,
    limit: u64,
) -> Result<Vec<Record>, StoreError> {
    let mut walk = Walk::new(context, filters, offset, limit);
    walk.all_series()?;
    Ok(walk.found)
}

/// A walk over samples: past some, then taking some.
struct Walk<'c> {
    context: &'c Context,
    series: Option<Cell>,
    timestamp: Option<Cell>,
    value: Option<String>,
    skip: u64,
    left: u64,
    counting: bool,
    found: Vec<Record>,
}

impl<'c> Walk<'c> {
    fn new(context: &'c Context, filters: &[Filter], skip: u64, left: u64) -> Self {
        let is = |name: &str| {
            filters.iter().find_map(|filter| match filter {
                Filter::Is(column, cell) if *column == name => Some(cell.clone()),
                _ => None,
            })
        };
        let value = is("value").map(|cell| match cell {
            Cell::Text(text) => normal(&text),
            Cell::Integer(number) => decimal(number.into()),
        });
        let (series, timestamp) = (is("idx_datapoint"), is("timestamp"));
        let counting = left == 0;
        Self { context, series, timestamp, value, skip, left, counting, found: Vec::new() }
    }

    fn is_done(&self) -> bool {
        (self.left == 0 && !self.counting) || self.context.is_over()
    }

    fn all_series(&mut self) -> Result<(), StoreError> {
        if let Some(wanted) = &self.series {
            let Some(series) = number(wanted) else { return Ok(()) };
            return match SeriesId::try_from(series) {
                Ok(series) => self.one_series(series),
                Err(_) => Ok(()),
            };
        }
        let mut offset = 0;
        loop {
            let select = Select::all().page(offset, SERIES_AT_A_TIME);
            let rows: Vec<DataPointRow> = self.context.store.rows(&select)?;
            for row in &rows {
                if self.is_done() {
                    return Ok(());
                }
                if let Ok(series) = SeriesId::try_from(row.idx_datapoint) {
                    self.one_series(series)?;
                }
            }
            if rows.len() < SERIES_AT_A_TIME {
                return Ok(());
            }
            offset += rows.len();
        }
    }

    fn one_series(&mut self, series: SeriesId) -> Result<(), StoreError> {
        let (from_ms, to_ms) = match &self.timestamp {
            None => (self.context.store.raw_start_ms(), TIMESTAMP_END_MS),
            Some(wanted) => match number(wanted).and_then(|at| u64::try_from(at).ok()) {
                Some(at_ms) => (at_ms, at_ms.saturating_add(1)),
                None => return Ok(()),
            },
        };
        let counts = PointsQuery {
            step_ms: Some(DAY_MS),
            aggregate: Aggregate::Count,
            deadline: self.context.deadline,
            ..PointsQuery::new(series, from_ms, to_ms)
        };
        let Some(counts) = self.context.store.points(&counts)? else { return Ok(()) };
        if counts.points.is_empty() {
            return self.text(series, from_ms, to_ms);
        }
        let step_ms = counts.step_ms.unwrap_or(DAY_MS);
        for Point { timestamp_ms, value } in counts.points {
            if self.is_done() {
                break;
            }
            let count = match value {
                Number::Integer(count) => u64::try_from(count).unwrap_or(0),
                _ => 0,
            };
            if self.value.is_none() && self.skip >= count {
                self.skip -= count;
                continue;
            }
            let (start, end) = (timestamp_ms.max(from_ms), (timestamp_ms + step_ms).min(to_ms));
            self.stretch(series, start, end)?;
        }
        Ok(())
    }

    /// The samples of a stretch of time.
    fn stretch(&mut self, series: SeriesId, from_ms: u64, to_ms: u64) -> Result<(), StoreError> {
        let (store, deadline) = (&self.context.store, self.context.deadline);
        raw_samples::each(store, series, (from_ms, to_ms), deadline, &mut |point| {
            self.take(series, point.timestamp_ms, decimal(point.value));
            !self.is_done()
        })?;
        Ok(())
    }

    /// Of a series of text the latest is kept.
    fn text(&mut self, series: SeriesId, from_ms: u64, to_ms: u64) -> Result<(), StoreError> {
        if let Some(latest) = self.context.latest(series)?
            && let Kept::Text(text) = latest.value
            && (from_ms..to_ms).contains(&latest.timestamp_ms)
        {
            self.take(series, latest.timestamp_ms, text);
        }
        Ok(())
    }

    fn take(&mut self, series: SeriesId, timestamp_ms: u64, value: String) {
        if self.value.as_ref().is_some_and(|wanted| *wanted != value) {
            return;
        }
        if self.skip > 0 {
            self.skip -= 1;
        } else if self.left > 0 {
            self.left -= 1;
            let timestamp = i64::try_from(timestamp_ms).unwrap_or(i64::MAX);
            let cells = vec![i64::from(series).into(), timestamp.into(), value.into()];
            self.found.push(Record { kind: &DATA, cells });
        }
    }
}

fn number(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Integer(number) => Some(*number),
        Cell::Text(text) => text.trim().parse().ok(),
    }
}

/// A value that is asked for, in the form that values are given.
fn normal(text: &str) -> String {
    let text = text.trim();
    let exact =
        text.parse::<u64>().map(Number::from).or_else(|_| text.parse::<i64>().map(Number::from));
    match exact.ok().or_else(|| text.parse().ok().and_then(Number::from_float)) {
        Some(number) => decimal(number),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_ten_decimal_places_and_lose_nothing() {
        assert_eq!(decimal(Number::from(u64::MAX)), "18446744073709551615.0000000000");
        assert_eq!(decimal(Number::from(-3_i64)), "-3.0000000000");
        assert_eq!(decimal(Number::Fraction(37.8)), "37.8000000000");
        for (asked, given) in [
            ("37.8", "37.8000000000"),
            ("7", "7.0000000000"),
            ("-1.50", "-1.5000000000"),
            ("x", "x"),
        ] {
            assert_eq!(normal(asked), given);
        }
    }
}
