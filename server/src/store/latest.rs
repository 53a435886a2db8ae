//! The latest value of each series.

use std::collections::HashMap;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};

use super::Store;
use super::blob::{self, Kind};
use super::error::StoreError;
use super::keys::{SeriesId, shard_of};
use super::number::Number;
use super::recent::Row;
use super::register::fresh_hours;

/// A value that is kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Kept {
    /// A number.
    Number(Number),
    /// The text of a series of data type 2.
    Text(String),
}

/// The latest sample of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Latest {
    /// Its time, milliseconds since 1970.
    pub timestamp_ms: u64,
    /// Its value.
    pub value: Kept,
}

impl Store {
    /// The latest sample of each of the series, in their order; none where there
    /// is no sample.
    pub fn latest(&self, series: &[SeriesId]) -> Result<Vec<Option<Latest>>, StoreError> {
        self.readers.read(|connection| {
            let snapshot = connection.transaction()?;
            latest(&snapshot, series)
        })
    }
}

fn latest(snapshot: &Connection, series: &[SeriesId]) -> Result<Vec<Option<Latest>>, StoreError> {
    let mut found = Vec::with_capacity(series.len());
    let mut of_shard: HashMap<u32, Vec<usize>> = HashMap::new();
    for (place, series) in series.iter().enumerate() {
        of_shard.entry(shard_of(*series)).or_default().push(place);
        found.push(sealed(snapshot, *series)?);
    }
    let hours = fresh_hours(snapshot)?;
    for (shard, places) in of_shard {
        for hour in hours.iter().rev() {
            if !newer_in_hour(snapshot, *hour, shard, series, &places, &mut found)? {
                break;
            }
        }
    }
    Ok(found)
}

pub(super) fn sealed(
    snapshot: &Connection,
    series: SeriesId,
) -> Result<Option<Latest>, StoreError> {
    let found = snapshot
        .prepare_cached("SELECT timestamp_ms, value FROM latest WHERE series = ?")?
        .query_row([series], |row| {
            let value = match row.get_ref(1)? {
                ValueRef::Integer(value) => Some(Kept::Number(value.into())),
                ValueRef::Real(value) => Some(Kept::Number(Number::Fraction(value))),
                ValueRef::Text(text) => Some(Kept::Text(String::from_utf8_lossy(text).into())),
                ValueRef::Blob(bytes) => <[u8; 8]>::try_from(bytes)
                    .ok()
                    .map(|bytes| Kept::Number(u64::from_le_bytes(bytes).into())),
                ValueRef::Null => None,
            };
            let timestamp_ms = row.get(0)?;
            Ok(value.map(|value| Latest { timestamp_ms, value }))
        })
        .optional()?;
    Ok(found.flatten())
}

/// Looks through the fresh rows of an hour, the latest first; false once older
/// ones cannot matter.
fn newer_in_hour(
    snapshot: &Connection,
    hour: u32,
    shard: u32,
    series: &[SeriesId],
    places: &[usize],
    found: &mut [Option<Latest>],
) -> Result<bool, StoreError> {
    // Two steps, so that only the rows that matter are read whole.
    let mut heads = snapshot.prepare_cached(
        "SELECT seq, max_ms FROM recent WHERE hour = ? AND shard = ? ORDER BY max_ms DESC, seq",
    )?;
    let heads: Vec<(i64, u64)> = heads
        .query_map([hour, shard], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut get = snapshot
        .prepare_cached("SELECT blob FROM recent WHERE hour = ? AND shard = ? AND seq = ?")?;
    for (seq, max_ms) in heads {
        let oldest = places.iter().filter_map(|place| found.get(*place));
        let oldest =
            oldest.map(|latest| latest.as_ref().map_or(0, |latest| latest.timestamp_ms)).min();
        if oldest.unwrap_or(0) >= max_ms {
            return Ok(false);
        }
        let blob: Vec<u8> = get.query_row((hour, shard, seq), |row| row.get(0))?;
        let content = blob::open(Kind::Recent, [hour.into(), shard.into()], &blob);
        let Ok(row) = content.and_then(Row::parse) else { continue };
        for place in places {
            let (Some(series), Some(found)) = (series.get(*place), found.get_mut(*place)) else {
                continue;
            };
            let Some(Ok(sample)) = row.samples(*series).last() else { continue };
            if found.as_ref().is_none_or(|found| found.timestamp_ms < sample.timestamp_ms) {
                let value = Kept::Number(sample.value);
                *found = Some(Latest { timestamp_ms: sample.timestamp_ms, value });
            }
        }
    }
    Ok(true)
}
