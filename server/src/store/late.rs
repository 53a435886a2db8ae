//! Whether samples that are not newer than what their series has are there
//! already: what a batch that is posted again comes to.

use rusqlite::{Connection, OptionalExtension};

use super::blob::{self, Kind};
use super::error::StoreError;
use super::keys::{SeriesId, day_of, hour_of, row_key, shard_of};
use super::recent::Row;
use super::tables::Tier;
use super::times::TimesCache;

/// For each pair of series and timestamp, whether there is such a sample.
/// Pairs come sorted by hour, then series. A blob that cannot be read counts as
/// without the sample: it is then stored again.
pub(super) fn are_there(
    connection: &Connection,
    wanted: &[(SeriesId, u64)],
) -> Result<Vec<bool>, StoreError> {
    let mut found = Vec::with_capacity(wanted.len());
    let cache = TimesCache::default();
    let together = |a: &(SeriesId, u64), b: &(SeriesId, u64)| {
        hour_of(a.1) == hour_of(b.1) && shard_of(a.0) == shard_of(b.0)
    };
    for group in wanted.chunk_by(together) {
        let Some((series, timestamp_ms)) = group.first() else { continue };
        let mut there = vec![false; group.len()];
        among_fresh(connection, hour_of(*timestamp_ms), shard_of(*series), group, &mut there)?;
        for ((series, timestamp_ms), there) in group.iter().zip(&mut there) {
            *there = *there
                || in_chunk(connection, &cache, Tier::Hour, *series, *timestamp_ms)?
                || in_chunk(connection, &cache, Tier::Day, *series, *timestamp_ms)?;
        }
        found.extend(there);
    }
    Ok(found)
}

fn among_fresh(
    connection: &Connection,
    hour: u32,
    shard: u32,
    group: &[(SeriesId, u64)],
    there: &mut [bool],
) -> Result<(), StoreError> {
    let low = group.iter().map(|(_, timestamp_ms)| *timestamp_ms).min().unwrap_or(0);
    let high = group.iter().map(|(_, timestamp_ms)| *timestamp_ms).max().unwrap_or(0);
    let mut statement = connection.prepare_cached(
        "SELECT blob FROM recent WHERE hour = ? AND shard = ? AND min_ms <= ? AND max_ms >= ?",
    )?;
    let mut rows = statement.query((hour, shard, high, low))?;
    while let Some(row) = rows.next()? {
        let blob = row.get_ref(0)?.as_blob().unwrap_or_default();
        let content = blob::open(Kind::Recent, [hour.into(), shard.into()], blob);
        if let Ok(row) = content.and_then(Row::parse) {
            for ((series, timestamp_ms), there) in group.iter().zip(there.iter_mut()) {
                *there = *there || row.holds(*series, *timestamp_ms);
            }
        }
    }
    Ok(())
}

fn in_chunk(
    connection: &Connection,
    cache: &TimesCache,
    tier: Tier,
    series: SeriesId,
    timestamp_ms: u64,
) -> Result<bool, StoreError> {
    let window = match tier {
        Tier::Hour => hour_of(timestamp_ms),
        _ => day_of(timestamp_ms),
    };
    let sql = format!("SELECT times FROM {} WHERE id = ?", tier.rows());
    let number: Option<i64> = connection
        .prepare_cached(&sql)?
        .query_row([row_key(window, series)], |row| row.get(0))
        .optional()?;
    let Some(number) = number else { return Ok(false) };
    let times = cache.get(connection, tier, window, shard_of(series), number)?;
    Ok(times.is_ok_and(|times| times.binary_search(&timestamp_ms).is_ok()))
}
