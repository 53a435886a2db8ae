//! Reading and writing sealed samples: chunks, their columns of timestamps,
//! and roll-ups.

use pattoo_common::wall_clock;
use rusqlite::{Connection, OptionalExtension, params};

use super::blob::{self, Damage, Kind};
use super::chunk::{self, Effort};
use super::error::StoreError;
use super::hour_rollup;
use super::keys::{DAY_MS, FIVE_MINUTES_MS, HOUR_MS, SeriesId, row_key, series_of, shard_of};
use super::number::Sample;
use super::rollup::{self, Bucket};
use super::times::{Columns, TimesCache};

/// Where sealed samples stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Tier {
    Hour,
    Day,
}

impl Tier {
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Hour => 1,
            Self::Day => 2,
        }
    }

    pub(super) fn chunks(self) -> &'static str {
        match self {
            Self::Hour => "hour_chunk",
            Self::Day => "day_chunk",
        }
    }

    pub(super) fn times(self) -> &'static str {
        match self {
            Self::Hour => "hour_times",
            Self::Day => "day_times",
        }
    }

    pub(super) fn effort(self) -> Effort {
        match self {
            Self::Hour => Effort::Quick,
            Self::Day => Effort::Thorough,
        }
    }
}

/// How fine stored figures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resolution {
    /// Every sample.
    Raw,
    /// A roll-up of each five minutes.
    FiveMinutes,
    /// A roll-up of each hour.
    OneHour,
}

impl Resolution {
    /// Milliseconds of one roll-up; of raw samples 1.
    pub fn step_ms(self) -> u64 {
        match self {
            Self::Raw => 1,
            Self::FiveMinutes => FIVE_MINUTES_MS,
            Self::OneHour => HOUR_MS,
        }
    }

    /// The table of roll-ups; raw samples have none.
    pub(super) fn table(self) -> Option<(&'static str, Kind)> {
        match self {
            Self::Raw => None,
            Self::FiveMinutes => Some(("five_minutes", Kind::FiveMinutes)),
            Self::OneHour => Some(("one_hour", Kind::OneHour)),
        }
    }
}

/// A blob that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The table it is in.
    pub table: &'static str,
    /// The series; of a column of timestamps, the first of its shard.
    pub series: SeriesId,
    /// Where its window begins, milliseconds since 1970.
    pub window_start_ms: u64,
    /// What is wrong with it.
    pub reason: &'static str,
    pub(super) key: [i64; 2],
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { table, series, window_start_ms, reason, .. } = self;
        write!(f, "{table}, series {series}, window from {window_start_ms} ms: {reason}")
    }
}

/// What reading a chunk may come to, besides an error of the engine.
pub(super) type Read<T> = Result<Result<T, Broken>, StoreError>;

pub(super) fn window_start(tier: Tier, window: u32) -> u64 {
    u64::from(window) * if tier == Tier::Hour { HOUR_MS } else { DAY_MS }
}

/// A chunk as it is stored.
#[derive(Debug)]
pub(super) struct StoredChunk {
    pub(super) times: i64,
    pub(super) blob: Vec<u8>,
}

/// The chunk of a series in a window, if there is one.
pub(super) fn stored_chunk(
    connection: &Connection,
    tier: Tier,
    window: u32,
    series: SeriesId,
) -> Result<Option<StoredChunk>, StoreError> {
    let sql = format!("SELECT times, blob FROM {} WHERE id = ?", tier.chunks());
    let chunk = connection
        .prepare_cached(&sql)?
        .query_row([row_key(window, series)], |row| {
            Ok(StoredChunk { times: row.get(0)?, blob: row.get(1)? })
        })
        .optional()?;
    Ok(chunk)
}

/// The samples of a series in a window, oldest first; empty if there are none.
pub(super) fn chunk_samples(
    connection: &Connection,
    cache: &TimesCache,
    tier: Tier,
    window: u32,
    series: SeriesId,
) -> Read<Vec<Sample>> {
    let Some(chunk) = stored_chunk(connection, tier, window, series)? else {
        return Ok(Ok(Vec::new()));
    };
    let times = match cache.get(connection, tier, window, shard_of(series), chunk.times)? {
        Ok(times) => times,
        Err(broken) => return Ok(Err(Broken { series, ..broken })),
    };
    let key = [row_key(window, series), 0];
    let values = blob::open(Kind::Values, key, &chunk.blob).and_then(chunk::decode_values);
    let samples = values.and_then(|values| {
        if values.len() != times.len() {
            return Err(Damage("it has more values than timestamps or fewer"));
        }
        let sample = |(timestamp_ms, value)| Sample { timestamp_ms, value };
        Ok(times.iter().copied().zip(values).map(sample).collect())
    });
    Ok(samples.map_err(|Damage(reason)| Broken {
        table: tier.chunks(),
        series,
        window_start_ms: window_start(tier, window),
        reason,
        key,
    }))
}

/// The roll-ups of a series and day; none if the day has none stored.
pub(super) fn stored_rollup(
    connection: &Connection,
    resolution: Resolution,
    day: u32,
    series: SeriesId,
) -> Read<Option<Vec<Bucket>>> {
    let Some((table, kind)) = resolution.table() else { return Ok(Ok(None)) };
    let key = row_key(day, series);
    let blob: Option<Vec<u8>> = connection
        .prepare_cached(&format!("SELECT blob FROM {table} WHERE id = ?"))?
        .query_row([key], |row| row.get(0))
        .optional()?;
    let Some(blob) = blob else { return Ok(Ok(None)) };
    let window_start_ms = u64::from(day) * DAY_MS;
    let buckets = blob::open(kind, [key, 0], &blob)
        .and_then(|content| rollup::decode(content, window_start_ms, resolution.step_ms()));
    Ok(buckets.map(Some).map_err(|Damage(reason)| Broken {
        table,
        series,
        window_start_ms,
        reason,
        key: [key, 0],
    }))
}

/// What stands of an hour of a series.
#[derive(Debug)]
pub(super) enum HourRollUps {
    /// There is no chunk.
    NoChunk,
    /// There is a chunk, and its samples are to be read.
    Samples,
    /// Those of its chunk, of five minutes.
    Stored(Vec<Bucket>),
}

/// The roll-ups beside the chunk of a series in an hour.
pub(super) fn hour_rollups(
    connection: &Connection,
    hour: u32,
    series: SeriesId,
) -> Read<HourRollUps> {
    let key = row_key(hour, series);
    let mut statement = connection.prepare_cached("SELECT rollup FROM hour_chunk WHERE id = ?")?;
    let mut rows = statement.query([key])?;
    let Some(row) = rows.next()? else { return Ok(Ok(HourRollUps::NoChunk)) };
    let Some(blob) = row.get_ref(0)?.as_blob_or_null().unwrap_or_default() else {
        return Ok(Ok(HourRollUps::Samples));
    };
    let window_start_ms = window_start(Tier::Hour, hour);
    let buckets = blob::open(Kind::HourRollUps, [key, 0], blob)
        .and_then(|content| hour_rollup::decode(content, window_start_ms));
    Ok(buckets.map(HourRollUps::Stored).map_err(|Damage(reason)| Broken {
        table: Tier::Hour.chunks(),
        series,
        window_start_ms,
        reason,
        key: [key, 0],
    }))
}

/// The series of a shard that have a chunk in a window.
pub(super) fn series_with_chunks(
    connection: &Connection,
    tier: Tier,
    window: u32,
    shard: u32,
) -> Result<Vec<SeriesId>, StoreError> {
    let (first, last) = super::keys::shard_keys(window, shard);
    let sql = format!("SELECT id FROM {} WHERE id BETWEEN ? AND ?", tier.chunks());
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([first, last], |row| row.get::<_, i64>(0))?;
    rows.map(|key| Ok(series_of(key?))).collect()
}

/// A chunk that is ready to be written.
#[derive(Debug)]
pub(super) struct ChunkWrite {
    pub(super) series: SeriesId,
    pub(super) times: i64,
    pub(super) count: usize,
    pub(super) blob: Vec<u8>,
    /// Of an hour: the roll-ups of five minutes.
    rollup: Option<Vec<u8>>,
}

impl ChunkWrite {
    /// Packs the samples of a series and window.
    pub(super) fn pack(
        tier: Tier,
        window: u32,
        series: SeriesId,
        samples: &[Sample],
        columns: &mut Columns,
    ) -> Self {
        let times: Vec<u64> = samples.iter().map(|sample| sample.timestamp_ms).collect();
        let values: Vec<_> = samples.iter().map(|sample| sample.value).collect();
        let content = chunk::encode_values(&values, tier.effort());
        let key = [row_key(window, series), 0];
        let times = columns.number_of(times);
        let rollup = (tier == Tier::Hour).then(|| {
            let buckets = rollup::reckon(samples, FIVE_MINUTES_MS);
            let content = hour_rollup::encode(&buckets, window_start(tier, window));
            blob::seal(Kind::HourRollUps, key, content)
        });
        let blob = blob::seal(Kind::Values, key, content);
        Self { series, times, count: samples.len(), blob, rollup }
    }

    /// Writes it in place of what was there.
    pub(super) fn write(
        &self,
        connection: &Connection,
        tier: Tier,
        window: u32,
    ) -> Result<(), StoreError> {
        let (table, key) = (tier.chunks(), row_key(window, self.series));
        connection.prepare_cached(&format!("DELETE FROM {table} WHERE id = ?"))?.execute([key])?;
        let Self { times, count, blob, rollup, .. } = self;
        match tier {
            Tier::Hour => connection
                .prepare_cached("INSERT INTO hour_chunk VALUES (?, ?, ?, ?, ?)")?
                .execute(params![key, times, count, blob, rollup])?,
            Tier::Day => connection
                .prepare_cached("INSERT INTO day_chunk VALUES (?, ?, ?, ?)")?
                .execute(params![key, times, count, blob])?,
        };
        Ok(())
    }
}

/// Moves a broken blob out of the way, as it is, so that what is around it can
/// be sealed and a person can look at it.
pub(super) fn set_aside(connection: &Connection, broken: &Broken) -> Result<(), StoreError> {
    let [key, number] = broken.key;
    let (filter, values) = match broken.table {
        "hour_times" | "day_times" => {
            ("span = ?1 AND shard = ?2 AND number = ?3", [key >> 32, key & 0xffff_ffff, number])
        }
        "recent" => {
            ("hour = ?1 AND shard = ?2 AND seq = ?3", [key >> 32, key & 0xffff_ffff, number])
        }
        _ => ("id = ?1 AND ?2 = 0 AND ?3 = 0", [key, 0, 0]),
    };
    let now = wall_clock::now_ms();
    connection.execute(
        &format!(
            "INSERT INTO damaged (source, key, subkey, found_ms, reason, blob)
             SELECT '{0}', ?4, ?5, ?6, ?7, blob FROM {0} WHERE {filter}",
            broken.table
        ),
        params![values[0], values[1], values[2], key, number, now, broken.reason],
    )?;
    connection.execute(&format!("DELETE FROM {} WHERE {filter}", broken.table), values)?;
    Ok(())
}
