//! REST as the original has it: `GET /pattoo/api/v1/web/rest/data/<idx>`, one
//! entry for each polling interval, `null` where there is no sample. Counters
//! are given as growth per second.

use std::time::{Duration, Instant};

use pattoo_common::datapoint::DataType;

use crate::percent;
use crate::raw_samples::{self, Point};
use crate::store::{DataPointRow, Number, POINTS_MAX, SeriesId, Store, StoreError, grown};

/// Where the data of a series is; its number follows.
pub const DATA_PATH: &str = "/pattoo/api/v1/web/rest/data/";
/// How far back an answer goes, unless the query says.
const DEFAULT_SECONDS: u64 = 7 * 86_400;
/// Entries of an answer: 7 days at 2.5 seconds, about 11 MB.
const MAX_ENTRIES: u64 = 250_000;
/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// Status and JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON.
    pub body: Vec<u8>,
}

impl Answer {
    fn error(status: u16, reason: &str) -> Self {
        let body = serde_json::json!({ "error": reason });
        Self { status, body: body.to_string().into_bytes() }
    }
}

/// The entries of a series, up to its latest sample: `number` is what follows
/// [`DATA_PATH`]. 404 if there is no such series, 400 for a `secondsago` that is
/// no number or asks for too much, 503 if the store cannot answer now.
pub fn data(store: &Store, number: &str, query_string: Option<&str>, now_ms: u64) -> Answer {
    let Ok(series) = number.parse::<SeriesId>() else {
        return Answer::error(404, "the path ends in the number of a datapoint");
    };
    let asked = query_string.and_then(|query| percent::value_of(query, "secondsago"));
    let seconds = asked.as_deref().map(|text| text.trim().parse::<u64>()).transpose();
    let Ok(seconds) = seconds else {
        return Answer::error(400, "secondsago: a whole number of seconds is wanted");
    };
    match entries(store, series, seconds, now_ms) {
        Ok(Ok(entries)) => Answer { status: 200, body: json(&entries) },
        Ok(Err(answer)) => answer,
        Err(error @ (StoreError::Damaged(_) | StoreError::Engine(_))) => {
            Answer::error(500, &error.to_string())
        }
        Err(error) => Answer::error(503, &error.to_string()),
    }
}

/// A time and what was measured then.
type Entry = (u64, Option<Number>);

fn entries(
    store: &Store,
    series: SeriesId,
    seconds: Option<u64>,
    now_ms: u64,
) -> Result<Result<Vec<Entry>, Answer>, StoreError> {
    let Some(row) = store.row::<DataPointRow>(series.into())? else {
        return Ok(Err(Answer::error(404, &format!("there is no datapoint {series}"))));
    };
    let data_type = u64::try_from(row.data_type).ok().and_then(DataType::from_code);
    let interval_ms = u64::try_from(row.polling_interval).unwrap_or(0).max(1);
    let floor = |at_ms: u64| at_ms / interval_ms * interval_ms;
    let Some(Some(latest)) = store.latest(&[series])?.pop() else { return Ok(Ok(Vec::new())) };
    if data_type == Some(DataType::Text) {
        return Ok(Ok(Vec::new()));
    }

    let last_ms = floor(latest.timestamp_ms);
    let ago_ms = seconds.unwrap_or(DEFAULT_SECONDS).saturating_mul(1_000);
    let mut first_ms = floor(now_ms.saturating_sub(ago_ms));
    let count = |first_ms: u64| last_ms.saturating_sub(first_ms) / interval_ms + 1;
    if count(first_ms) > MAX_ENTRIES {
        if seconds.is_some() {
            let reason = format!(
                "at an interval of {interval_ms} ms that is more than {MAX_ENTRIES} entries; \
                 ask for fewer seconds, or ask GraphQL for points"
            );
            return Ok(Err(Answer::error(400, &reason)));
        }
        first_ms = last_ms - (MAX_ENTRIES - 1) * interval_ms;
    }
    if first_ms > last_ms {
        return Ok(Ok(Vec::new()));
    }

    let capacity = usize::try_from(count(first_ms)).unwrap_or(0);
    let mut entries: Vec<Entry> = Vec::with_capacity(capacity);
    entries.extend((first_ms..=last_ms).step_by(step(interval_ms)).map(|at_ms| (at_ms, None)));
    let mut put = |Point { timestamp_ms, value }: Point| {
        let place = timestamp_ms.saturating_sub(first_ms) / interval_ms;
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        if let Some((_, entry)) = entries.get_mut(place) {
            *entry = Some(value);
        }
        true
    };
    let deadline = Instant::now() + DEADLINE;
    let end_ms = last_ms + interval_ms;
    let start_ms = first_ms.max(store.raw_start_ms());
    let at_once_ms = interval_ms.saturating_mul(POINTS_MAX as u64 - 1);
    for from_ms in (start_ms..end_ms).step_by(step(at_once_ms)) {
        let stretch = (from_ms, (from_ms + at_once_ms).min(end_ms));
        raw_samples::each(store, series, stretch, deadline, &mut put)?;
    }
    Ok(Ok(match data_type {
        Some(counter @ (DataType::Counter32 | DataType::Counter64)) => {
            growth(&entries, interval_ms, counter)
        }
        _ => entries,
    }))
}

fn step(interval_ms: u64) -> usize {
    usize::try_from(interval_ms).unwrap_or(usize::MAX)
}

/// Growth per second from one entry that has a value to the next, beginning with
/// the first that has one. A fall is a restart and gives nothing, unless the
/// counter wrapped near its top.
fn growth(entries: &[Entry], interval_ms: u64, counter: DataType) -> Vec<Entry> {
    let mut before: Option<Entry> = None;
    let mut rates = Vec::with_capacity(entries.len());
    for (at_ms, value) in entries.iter().skip_while(|(_, value)| value.is_none()) {
        let rate = match (before, value) {
            (Some((before_ms, Some(before))), Some(value)) => {
                let intervals = (at_ms - before_ms) / interval_ms;
                let seconds = (intervals * interval_ms) as f64 / 1_000.0;
                grown(counter, before, *value).and_then(|by| Number::from_float(by / seconds))
            }
            _ => None,
        };
        rates.push((*at_ms, rate));
        if value.is_some() {
            before = Some((*at_ms, *value));
        }
    }
    rates
}

fn json(entries: &[Entry]) -> Vec<u8> {
    use std::io::Write;
    let mut text = Vec::with_capacity(entries.len() * 44 + 2);
    text.push(b'[');
    for (number, (at_ms, value)) in entries.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        // A Vec takes every write.
        let _ = match value.map(rounded) {
            Some(value) => write!(text, "{comma}{{\"timestamp\":{at_ms},\"value\":{value}}}"),
            None => write!(text, "{comma}{{\"timestamp\":{at_ms},\"value\":null}}"),
        };
    }
    text.push(b']');
    text
}

/// To ten decimal places, as the original's column had them.
fn rounded(value: Number) -> Number {
    match value {
        Number::Fraction(value) if value.abs() < 1e5 => {
            Number::from_float((value * 1e10).round() / 1e10).unwrap_or(Number::Fraction(value))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const C32: DataType = DataType::Counter32;
    const C64: DataType = DataType::Counter64;

    fn rates(values: &[Option<u64>], counter: DataType) -> Vec<Option<f64>> {
        let entry =
            |(n, value): (usize, &Option<u64>)| (n as u64 * 10_000, value.map(Number::from));
        let entries: Vec<Entry> = values.iter().enumerate().map(entry).collect();
        growth(&entries, 10_000, counter).into_iter().map(|(_, v)| v.map(Number::as_f64)).collect()
    }

    #[test]
    fn growth_begins_with_the_first_sample_and_spans_gaps() {
        assert_eq!(
            rates(&[None, Some(100), Some(300), None, Some(700)], C64),
            [None, Some(20.0), None, Some(20.0)]
        );
        assert_eq!(rates(&[None, None], C64), []);
    }

    #[test]
    fn a_fall_is_a_restart_and_a_wrap_a_wrap() {
        let top = u64::from(u32::MAX);
        assert_eq!(rates(&[Some(9), Some(5), Some(15)], C32), [None, None, Some(1.0)]);
        assert_eq!(rates(&[Some(top - 49), Some(50)], C32), [None, Some(10.0)]);
        assert_eq!(rates(&[Some(top - 49), Some(50)], C64), [None, None]);
        assert_eq!(rates(&[Some(u64::MAX - 30), Some(u64::MAX)], C64), [None, Some(3.0)]);
    }

    #[test]
    fn entries_are_json() {
        let entries =
            [(10, None), (20, Some(Number::Fraction(0.1 + 0.2))), (30, Some(5_u64.into()))];
        assert_eq!(
            String::from_utf8(json(&entries)).unwrap(),
            r#"[{"timestamp":10,"value":null},{"timestamp":20,"value":0.3},{"timestamp":30,"value":5}]"#
        );
        assert_eq!(json(&[]), b"[]");
    }
}
