//! Reading and writing sealed samples: chunks, their columns of timestamps,
//! and roll-ups.

use pattoo_common::datapoint::DataType;
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

/// The number of times of a roll-up that schema version 2 wrote.
const TIMES_OF_2: i64 = -1;

/// Where sealed samples and their roll-ups stand: rows of a series and window, and
/// columns of timestamps that they share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Tier {
    /// The samples of an hour.
    Hour,
    /// The samples of a day.
    Day,
    /// Roll-ups of a day.
    FiveMinutes,
    /// Roll-ups of a day.
    OneHour,
}

impl Tier {
    pub(super) const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::FiveMinutes, Self::OneHour];

    /// As `held` names it.
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Hour => 1,
            Self::Day => 2,
            Self::FiveMinutes => 3,
            Self::OneHour => 4,
        }
    }

    /// The table of rows.
    pub(super) fn rows(self) -> &'static str {
        match self {
            Self::Hour => "hour_chunk",
            Self::Day => "day_chunk",
            Self::FiveMinutes => "five_minutes",
            Self::OneHour => "one_hour",
        }
    }

    /// The table of columns of timestamps.
    pub(super) fn times(self) -> &'static str {
        match self {
            Self::Hour => "hour_times",
            Self::Day => "day_times",
            Self::FiveMinutes => "five_minutes_times",
            Self::OneHour => "one_hour_times",
        }
    }

    pub(super) fn effort(self) -> Effort {
        match self {
            Self::Hour => Effort::Quick,
            _ => Effort::Thorough,
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

    /// Where its roll-ups stand; raw samples have none.
    pub(super) fn tier(self) -> Option<(Tier, Kind)> {
        match self {
            Self::Raw => None,
            Self::FiveMinutes => Some((Tier::FiveMinutes, Kind::FiveMinutes)),
            Self::OneHour => Some((Tier::OneHour, Kind::OneHour)),
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

/// A chunk or a roll-up as it is stored.
#[derive(Debug)]
pub(super) struct StoredRow {
    pub(super) times: i64,
    pub(super) blob: Vec<u8>,
}

/// The row of a series in a window, if there is one.
fn stored_row(
    connection: &Connection,
    tier: Tier,
    window: u32,
    series: SeriesId,
) -> Result<Option<StoredRow>, StoreError> {
    let sql = format!("SELECT times, blob FROM {} WHERE id = ?", tier.rows());
    let chunk = connection
        .prepare_cached(&sql)?
        .query_row([row_key(window, series)], |row| {
            Ok(StoredRow { times: row.get(0)?, blob: row.get(1)? })
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
    let Some(chunk) = stored_row(connection, tier, window, series)? else {
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
        table: tier.rows(),
        series,
        window_start_ms: window_start(tier, window),
        reason,
        key,
    }))
}

/// The roll-ups of a series and day; none if the day has none stored.
pub(super) fn stored_rollup(
    connection: &Connection,
    cache: &TimesCache,
    resolution: Resolution,
    day: u32,
    series: SeriesId,
) -> Read<Option<Vec<Bucket>>> {
    let Some((tier, kind)) = resolution.tier() else { return Ok(Ok(None)) };
    let Some(StoredRow { times, blob }) = stored_row(connection, tier, day, series)? else {
        return Ok(Ok(None));
    };
    let spans = if times == TIMES_OF_2 {
        None
    } else {
        match cache.get(connection, tier, day, shard_of(series), times)? {
            Ok(spans) => Some(spans),
            Err(broken) => return Ok(Err(Broken { series, ..broken })),
        }
    };
    let (key, window_start_ms) = (row_key(day, series), window_start(tier, day));
    let spans = spans.as_ref().map(|spans| spans.as_slice());
    let buckets = blob::open(kind, [key, 0], &blob)
        .and_then(|content| rollup::decode(content, spans, window_start_ms, resolution.step_ms()));
    Ok(buckets.map(Some).map_err(|Damage(reason)| Broken {
        table: tier.rows(),
        series,
        window_start_ms,
        reason,
        key: [key, 0],
    }))
}

/// The roll-ups of one series and day, ready to be written.
#[derive(Debug)]
pub(super) struct RollUpWrite {
    tier: Tier,
    key: i64,
    times: i64,
    blob: Vec<u8>,
}

impl RollUpWrite {
    /// Packs the roll-ups of all samples of a series and day.
    pub(super) fn pack(
        resolution: Resolution,
        day: u32,
        (series, data_type): (SeriesId, DataType),
        samples: &[Sample],
        columns: &mut Columns,
    ) -> Option<Self> {
        let (tier, kind) = resolution.tier()?;
        let buckets = rollup::reckon(samples, resolution.step_ms(), data_type);
        let key = row_key(day, series);
        let blob = blob::seal(kind, [key, 0], rollup::encode(&buckets));
        Some(Self { tier, key, times: columns.number_of(rollup::spans(&buckets)), blob })
    }

    /// Writes it in place of what was there.
    pub(super) fn write(&self, connection: &Connection) -> Result<(), StoreError> {
        let Self { tier, key, times, blob } = self;
        let table = tier.rows();
        connection.prepare_cached(&format!("DELETE FROM {table} WHERE id = ?"))?.execute([key])?;
        connection
            .prepare_cached(&format!("INSERT INTO {table} (id, times, blob) VALUES (?, ?, ?)"))?
            .execute(params![key, times, blob])?;
        Ok(())
    }
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
    let stored = |buckets: Option<_>| buckets.map_or(HourRollUps::Samples, HourRollUps::Stored);
    Ok(buckets.map(stored).map_err(|Damage(reason)| Broken {
        table: Tier::Hour.rows(),
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
    let sql = format!("SELECT id FROM {} WHERE id BETWEEN ? AND ?", tier.rows());
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
        (series, data_type): (SeriesId, DataType),
        samples: &[Sample],
        columns: &mut Columns,
    ) -> Self {
        let times: Vec<u64> = samples.iter().map(|sample| sample.timestamp_ms).collect();
        let values: Vec<_> = samples.iter().map(|sample| sample.value).collect();
        let content = chunk::encode_values(&values, tier.effort());
        let key = [row_key(window, series), 0];
        let times = columns.number_of(times);
        let rollup = (tier == Tier::Hour).then(|| {
            let buckets = rollup::reckon(samples, FIVE_MINUTES_MS, data_type);
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
        let (table, key) = (tier.rows(), row_key(window, self.series));
        connection.prepare_cached(&format!("DELETE FROM {table} WHERE id = ?"))?.execute([key])?;
        let Self { times, count, blob, rollup, .. } = self;
        match tier {
            Tier::Hour => connection
                .prepare_cached("INSERT INTO hour_chunk VALUES (?, ?, ?, ?, ?)")?
                .execute(params![key, times, count, blob, rollup])?,
            _ => connection
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
        "hour_times" | "day_times" | "five_minutes_times" | "one_hour_times" => {
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
