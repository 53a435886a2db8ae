//! Seals fresh rows: the rows of one hour and shard, as they stand in a
//! snapshot, are merged with the hour's chunks, and one transaction writes the
//! merged chunks and deletes the rows up to the last that was seen. A row that
//! comes meanwhile has a higher number and stays. A kill leaves either the rows
//! or the chunks.

use std::collections::HashMap;

use pattoo_common::datapoint::DataType;
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, params};

use super::Shared;
use super::blob::{self, CRC_BYTES, Damage, Kind};
use super::error::StoreError;
use super::keys::{HOUR_MS, SHARD_SERIES, SeriesId};
use super::merge::merge;
use super::number::{Number, Sample};
use super::recent::Row;
use super::tables::{Broken, ChunkWrite, Tier};
use super::times::{Columns, NewColumn, TimesCache};
use super::{tables, times, writer::Writer};

/// Bytes of fresh rows that are merged at a time.
const AT_A_TIME_BYTES: usize = 4 << 20;

/// The fresh rows of an hour and shard, in order of their numbers.
struct Fresh {
    contents: Vec<Vec<u8>>,
    last_seq: i64,
    bytes: usize,
    broken: Vec<Broken>,
}

/// What one transaction writes.
struct Sealed {
    hour: u32,
    shard: u32,
    last_seq: i64,
    times: Vec<NewColumn>,
    chunks: Vec<ChunkWrite>,
    latest: Vec<(SeriesId, Sample)>,
    broken: Vec<Broken>,
}

/// Seals what is fresh of an hour and shard; returns the bytes of rows sealed,
/// 0 if there were none.
pub(super) fn seal(
    common: &Shared,
    writer: &Writer,
    connection: &mut Connection,
    hour: u32,
    shard: u32,
) -> Result<usize, StoreError> {
    // What is counted is in the snapshot, or was deleted before it with its day.
    let counted = common.backlog.bytes(hour, shard);
    let snapshot = connection.transaction()?;
    let fresh = fresh(&snapshot, hour, shard)?;
    if fresh.bytes == 0 {
        common.backlog.sealed(hour, shard, counted);
        return Ok(0);
    }
    let bytes = fresh.bytes;
    let sealed = merge_with_chunks(&snapshot, hour, shard, fresh)?;
    drop(snapshot);
    for broken in &sealed.broken {
        common.figures.damaged(broken);
    }
    let samples = writer.run(move |transaction| write(transaction, &sealed))?;
    common.figures.sealed(samples);
    common.backlog.sealed(hour, shard, bytes);
    Ok(bytes)
}

fn fresh(snapshot: &Connection, hour: u32, shard: u32) -> Result<Fresh, StoreError> {
    let mut fresh = Fresh { contents: Vec::new(), last_seq: -1, bytes: 0, broken: Vec::new() };
    let mut statement = snapshot
        .prepare_cached("SELECT seq, blob FROM recent WHERE hour = ? AND shard = ? ORDER BY seq")?;
    let mut rows = statement.query([hour, shard])?;
    while fresh.bytes < AT_A_TIME_BYTES {
        let Some(row) = rows.next()? else { break };
        let seq = row.get(0)?;
        let blob = row.get_ref(1)?.as_blob().unwrap_or_default();
        fresh.last_seq = seq;
        fresh.bytes += blob.len().max(CRC_BYTES);
        let content = blob::open(Kind::Recent, [hour.into(), shard.into()], blob);
        match content.and_then(|content| Row::parse(content).map(|_| content)) {
            Ok(content) => fresh.contents.push(content.to_vec()),
            Err(Damage(reason)) => fresh.broken.push(Broken {
                table: "recent",
                series: shard * SHARD_SERIES,
                window_start_ms: u64::from(hour) * HOUR_MS,
                reason,
                key: [times::times_key(hour, shard), seq],
            }),
        }
    }
    Ok(fresh)
}

/// The series of a shard that the catalogue still knows, with their data types.
pub(super) fn living(
    snapshot: &Connection,
    shard: u32,
) -> Result<HashMap<SeriesId, DataType>, StoreError> {
    let mut statement = snapshot.prepare_cached(
        "SELECT idx_datapoint, data_type FROM datapoint WHERE idx_datapoint BETWEEN ? AND ?",
    )?;
    let first = i64::from(shard) * i64::from(SHARD_SERIES);
    let mut rows = statement.query([first, first + i64::from(SHARD_SERIES) - 1])?;
    let mut living = HashMap::new();
    while let Some(row) = rows.next()? {
        // A type that nobody knows is damage of the catalogue: as of a gauge, the
        // samples are kept.
        let data_type = DataType::from_code(row.get(1)?).unwrap_or(DataType::Gauge);
        living.insert(row.get(0)?, data_type);
    }
    Ok(living)
}

fn merge_with_chunks(
    snapshot: &Connection,
    hour: u32,
    shard: u32,
    fresh: Fresh,
) -> Result<Sealed, StoreError> {
    let living = living(snapshot, shard)?;
    let mut sealed = Sealed {
        hour,
        shard,
        last_seq: fresh.last_seq,
        times: Vec::new(),
        chunks: Vec::new(),
        latest: Vec::new(),
        broken: fresh.broken,
    };
    let rows: Vec<Row<'_>> =
        fresh.contents.iter().filter_map(|content| Row::parse(content).ok()).collect();
    let mut held = vec![false; SHARD_SERIES as usize];
    for place in rows.iter().flat_map(|row| row.places()) {
        if let Some(held) = held.get_mut(place as usize) {
            *held = true;
        }
    }
    let cache = TimesCache::default();
    let mut columns = Columns::new(snapshot, Tier::Hour, hour, shard)?;
    for (place, held) in (0..SHARD_SERIES).zip(held) {
        let series = shard * SHARD_SERIES + place;
        // Rows of a deleted series end here.
        let Some(data_type) = living.get(&series).copied().filter(|_| held) else { continue };
        let old = match tables::chunk_samples(snapshot, &cache, Tier::Hour, hour, series)? {
            Ok(samples) => samples,
            Err(broken) => {
                sealed.broken.push(broken);
                Vec::new()
            }
        };
        let known = old.len();
        let new: Vec<Sample> =
            rows.iter().flat_map(|row| row.samples(series)).filter_map(Result::ok).collect();
        let merged = merge([old, new]);
        let Some(last) = merged.last().copied() else { continue };
        if merged.len() > known {
            sealed.latest.push((series, last));
            let chunk =
                ChunkWrite::pack(Tier::Hour, hour, (series, data_type), &merged, &mut columns);
            sealed.chunks.push(chunk);
        }
    }
    sealed.times = columns.take_fresh();
    Ok(sealed)
}

fn write(transaction: &Connection, sealed: &Sealed) -> Result<u64, StoreError> {
    let Sealed { hour, shard, last_seq, times, chunks, latest, broken } = sealed;
    for broken in broken {
        tables::set_aside(transaction, broken)?;
    }
    times::write_times(transaction, Tier::Hour, *hour, *shard, times)?;
    for chunk in chunks {
        chunk.write(transaction, Tier::Hour, *hour)?;
    }
    times::sweep_times(transaction, Tier::Hour, *hour, *shard)?;
    let mut put = transaction.prepare_cached(
        "INSERT INTO latest (series, timestamp_ms, value) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET timestamp_ms = excluded.timestamp_ms, value = excluded.value
         WHERE excluded.timestamp_ms > timestamp_ms",
    )?;
    for (series, sample) in latest {
        put.execute(params![series, sample.timestamp_ms, cell(sample.value)])?;
    }
    transaction
        .prepare_cached("DELETE FROM recent WHERE hour = ? AND shard = ? AND seq <= ?")?
        .execute(params![hour, shard, last_seq])?;
    Ok(chunks.iter().map(|chunk| chunk.count as u64).sum())
}

/// A number as a cell of `latest`.
fn cell(value: Number) -> Cell {
    match value {
        Number::Integer(value) => Cell::Integer(value),
        Number::Large(value) => Cell::Blob(value.to_le_bytes().to_vec()),
        Number::Fraction(value) => Cell::Real(value),
    }
}
