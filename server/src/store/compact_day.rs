//! Compacts a day: the hour chunks of one shard become one chunk a series, and
//! the roll-ups of the day are reckoned from it. Late samples are sealed into
//! hour chunks again and come here a second time; the roll-ups are then reckoned
//! anew from all samples of the day.
//!
//! Every slice of series is one transaction. A kill between two leaves some
//! series with a day chunk and some with hour chunks, and both are read.

use std::collections::BTreeSet;

use pattoo_common::datapoint::DataType;
use rusqlite::{Connection, params};

use super::Shared;
use super::error::StoreError;
use super::keys::{HOUR_MS, SeriesId, row_key};
use super::merge::merge;
use super::seal::living;
use super::tables::{Broken, ChunkWrite, Resolution, RollUpWrite, Tier};
use super::times::{Columns, NewColumn, TimesCache};
use super::{tables, times, writer::Writer};

/// Series that are written in one transaction: short enough that no batch waits
/// for long.
const SERIES_A_SLICE: usize = 64;
/// The same on a full disk, where the log has little room.
const SERIES_A_SLICE_WHEN_FULL: usize = 4;
/// Hours of a day.
const HOURS: u32 = 24;

/// What a compaction writes.
const TIERS: [Tier; 3] = [Tier::Day, Tier::FiveMinutes, Tier::OneHour];

struct Slice {
    day: u32,
    shard: u32,
    times: Vec<(Tier, Vec<NewColumn>)>,
    series: Vec<(ChunkWrite, [Option<RollUpWrite>; 2])>,
    broken: Vec<Broken>,
}

/// Compacts what there is of a day and shard, with other work between slices:
/// a day takes seconds, and fresh rows do not wait that long. Whoever calls holds
/// [`Shared::chunks`], and the work between may seal, but not compact.
pub(super) fn compact(
    common: &Shared,
    writer: &Writer,
    connection: &mut Connection,
    day: u32,
    shard: u32,
    between: &mut dyn FnMut(&mut Connection) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut series = BTreeSet::new();
    for hour in hours(day) {
        series.extend(tables::series_with_chunks(connection, Tier::Hour, hour, shard)?);
    }
    let series: Vec<SeriesId> = series.into_iter().collect();
    let mut columns = OfDay {
        samples: Columns::new(connection, Tier::Day, day, shard)?,
        five_minutes: Columns::new(connection, Tier::FiveMinutes, day, shard)?,
        one_hour: Columns::new(connection, Tier::OneHour, day, shard)?,
    };
    let at_a_time =
        if common.room.is_given_up() { SERIES_A_SLICE_WHEN_FULL } else { SERIES_A_SLICE };
    for slice in series.chunks(at_a_time) {
        if common.backlog.is_stopped() {
            return Err(StoreError::Closed);
        }
        let slice = merge_slice(connection, day, shard, slice, &mut columns)?;
        for broken in &slice.broken {
            common.figures.damaged(broken);
        }
        writer.run(move |transaction| write_slice(transaction, &slice))?;
        between(connection)?;
    }
    writer.run(move |transaction| {
        for hour in hours(day) {
            times::sweep_times(transaction, Tier::Hour, hour, shard)?;
        }
        TIERS.iter().try_for_each(|tier| times::sweep_times(transaction, *tier, day, shard))
    })
}

/// The columns of timestamps of a day.
struct OfDay {
    samples: Columns,
    five_minutes: Columns,
    one_hour: Columns,
}

pub(super) fn hours(day: u32) -> std::ops::Range<u32> {
    day * HOURS..(day + 1) * HOURS
}

fn merge_slice(
    connection: &mut Connection,
    day: u32,
    shard: u32,
    series: &[SeriesId],
    columns: &mut OfDay,
) -> Result<Slice, StoreError> {
    let snapshot = connection.transaction()?;
    // Not for longer than the snapshot: sealing may use a number again.
    let cache = TimesCache::default();
    let living = living(&snapshot, shard)?;
    let mut slice = Slice { day, shard, times: Vec::new(), series: Vec::new(), broken: Vec::new() };
    for series in series.iter().copied() {
        let mut sources = Vec::with_capacity(25);
        let windows =
            std::iter::once((Tier::Day, day)).chain(hours(day).map(|hour| (Tier::Hour, hour)));
        for (tier, window) in windows {
            match tables::chunk_samples(&snapshot, &cache, tier, window, series)? {
                Ok(samples) => sources.push(samples),
                Err(broken) => slice.broken.push(broken),
            }
        }
        let samples = merge(sources);
        if samples.is_empty() {
            continue;
        }
        // What is of a deleted series is swept up soon.
        let of = (series, living.get(&series).copied().unwrap_or(DataType::Gauge));
        let rollups = [
            (Resolution::FiveMinutes, &mut columns.five_minutes),
            (Resolution::OneHour, &mut columns.one_hour),
        ]
        .map(|(resolution, columns)| RollUpWrite::pack(resolution, day, of, &samples, columns));
        let chunk = ChunkWrite::pack(Tier::Day, day, of, &samples, &mut columns.samples);
        slice.series.push((chunk, rollups));
    }
    slice.times = vec![
        (Tier::Day, columns.samples.take_fresh()),
        (Tier::FiveMinutes, columns.five_minutes.take_fresh()),
        (Tier::OneHour, columns.one_hour.take_fresh()),
    ];
    Ok(slice)
}

fn write_slice(transaction: &Connection, slice: &Slice) -> Result<(), StoreError> {
    let Slice { day, shard, times, series, broken } = slice;
    for broken in broken {
        tables::set_aside(transaction, broken)?;
    }
    for (tier, columns) in times {
        times::write_times(transaction, *tier, *day, *shard, columns)?;
    }
    let mut forget = transaction.prepare_cached("DELETE FROM hour_chunk WHERE id = ?")?;
    for (chunk, rollups) in series {
        chunk.write(transaction, Tier::Day, *day)?;
        for rollup in rollups.iter().flatten() {
            rollup.write(transaction)?;
        }
        for hour in hours(*day) {
            forget.execute([row_key(hour, chunk.series)])?;
        }
    }
    Ok(())
}

/// The days before `end_ms` that have hour chunks, each with the shards that
/// have them.
pub(super) fn days_to_compact(
    connection: &Connection,
    end_ms: u64,
) -> Result<BTreeSet<(u32, u32)>, StoreError> {
    let mut hours = connection
        .prepare_cached("SELECT span FROM held WHERE tier = ? AND rows > 0 AND span < ?")?;
    let mut shards =
        connection.prepare_cached("SELECT DISTINCT shard FROM hour_times WHERE span = ?")?;
    let mut days = BTreeSet::new();
    let hours = hours
        .query_map(params![Tier::Hour.number(), end_ms / HOUR_MS], |row| row.get::<_, u32>(0))?;
    for hour in hours {
        let hour = hour?;
        for shard in shards.query_map([hour], |row| row.get(0))? {
            days.insert((hour / HOURS, shard?));
        }
    }
    Ok(days)
}
