//! How time and series are cut into the keys of the tables.
//!
//! A window is an hour or a day since 1970. A shard is 1,024 series whose
//! numbers follow each other: as series are numbered when they are first seen,
//! the series of one agent mostly share a shard, and with it their timestamps.

/// The number of a series; never used twice.
pub type SeriesId = u32;

/// Milliseconds of five minutes: the finer roll-up.
pub const FIVE_MINUTES_MS: u64 = 300_000;
/// Milliseconds of an hour: a window of fresh data, and the coarser roll-up.
pub const HOUR_MS: u64 = 3_600_000;
/// Milliseconds of a day: a window of compacted data.
pub const DAY_MS: u64 = 86_400_000;

/// Timestamps at or past this (the year 2200) are refused.
pub const TIMESTAMP_END_MS: u64 = 7_258_118_400_000;

/// Series of a shard.
pub(super) const SHARD_SERIES: u32 = 1024;

/// The hour of a timestamp. Timestamps are below [`TIMESTAMP_END_MS`].
pub(super) fn hour_of(timestamp_ms: u64) -> u32 {
    u32::try_from(timestamp_ms / HOUR_MS).unwrap_or(u32::MAX)
}

/// The day of a timestamp.
pub(super) fn day_of(timestamp_ms: u64) -> u32 {
    u32::try_from(timestamp_ms / DAY_MS).unwrap_or(u32::MAX)
}

/// The shard of a series.
pub(super) fn shard_of(series: SeriesId) -> u32 {
    series / SHARD_SERIES
}

/// The key of a series in a window: windows first, so that retention deletes a
/// range.
pub(super) fn row_key(window: u32, series: SeriesId) -> i64 {
    (i64::from(window) << 32) | i64::from(series)
}

/// The keys of all series of a shard in a window, first and last.
pub(super) fn shard_keys(window: u32, shard: u32) -> (i64, i64) {
    let first = row_key(window, shard * SHARD_SERIES);
    (first, first + i64::from(SHARD_SERIES) - 1)
}

/// The series of a key.
pub(super) fn series_of(key: i64) -> SeriesId {
    SeriesId::try_from(key & 0xffff_ffff).unwrap_or(0)
}
