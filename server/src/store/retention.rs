//! Deletes what is older, or more, than is to be kept, whole windows at a time
//! and the oldest first; then the series that have no sample left.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::compact_day::{self, hours};
use super::error::StoreError;
use super::keys::{DAY_MS, SHARD_SERIES, SeriesId, row_key};
use super::register::fresh_hours;
use super::tables::{Resolution, Tier};
use super::times::sweep_times;
use super::writer::Writer;
use super::{DATABASE_FILE, Shared, Store, schema, seal};

/// Rows deleted in one transaction, so that no batch waits for long.
const ROWS_AT_A_TIME: i64 = 512;
/// The same on a full disk, where the log has little room.
const ROWS_AT_A_TIME_WHEN_FULL: i64 = 32;
/// Series forgotten in one transaction.
const SERIES_AT_A_TIME: i64 = 512;

/// How long, and how much, of one resolution is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// At least so many whole days.
    pub days: u32,
    /// At most so many bytes, if that is bounded; the oldest days go first, but
    /// never the last two.
    pub bytes: Option<u64>,
}

/// What is kept of each resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Every sample.
    pub raw: Keep,
    /// Roll-ups of five minutes.
    pub five_minutes: Keep,
    /// Roll-ups of an hour.
    pub one_hour: Keep,
}

impl Default for Retention {
    /// Every sample for 90 days, five minutes for two years, hours for ten.
    fn default() -> Self {
        let keep = |days| Keep { days, bytes: None };
        Self { raw: keep(90), five_minutes: keep(731), one_hour: keep(3653) }
    }
}

impl Retention {
    fn of(&self, resolution: Resolution) -> Keep {
        match resolution {
            Resolution::Raw => self.raw,
            Resolution::FiveMinutes => self.five_minutes,
            Resolution::OneHour => self.one_hour,
        }
    }
}

/// What can go without anything being written for it goes first; roll-ups that were
/// made of samples which went may have expired as well.
const ORDER: [Resolution; 5] = [
    Resolution::FiveMinutes,
    Resolution::OneHour,
    Resolution::Raw,
    Resolution::FiveMinutes,
    Resolution::OneHour,
];
/// Days that a bound on bytes leaves alone: the running one and the one that
/// may not be compacted yet.
const DAYS_LEFT_ALONE: u32 = 2;

/// Deletes what has expired at the time given, on a full disk too.
pub(super) fn expire(
    common: &Shared,
    writer: &Writer,
    connection: &mut Connection,
    now_ms: u64,
) -> Result<(), StoreError> {
    common.with_room(writer, || expire_all(common, writer, connection, now_ms))
}

/// Goes on past what fails, as the next may make the room that it lacked.
fn expire_all(
    common: &Shared,
    writer: &Writer,
    connection: &mut Connection,
    now_ms: u64,
) -> Result<(), StoreError> {
    let mut oldest_kept = u32::MAX;
    let mut oldest_rolled_up = u32::MAX;
    let mut outcome = Ok(());
    let retention = common.retention();
    for resolution in ORDER {
        let first_day = first_day_kept(connection, resolution, retention.of(resolution), now_ms)?;
        oldest_kept = oldest_kept.min(first_day);
        if resolution != Resolution::Raw {
            oldest_rolled_up = oldest_rolled_up.min(first_day);
        }
        for day in days_before(connection, resolution, first_day)? {
            let rolled_up = if resolution == Resolution::Raw && day >= oldest_rolled_up {
                roll_up(common, writer, connection, day)
            } else {
                Ok(())
            };
            match rolled_up.and_then(|()| delete_day(common, writer, resolution, day)) {
                Err(StoreError::Closed) => return Err(StoreError::Closed),
                gone => outcome = outcome.and(gone),
            }
        }
    }
    outcome?;
    let oldest_kept = u64::from(oldest_kept) * DAY_MS;
    forget_expired(writer, oldest_kept)?;
    sweep_doomed(common, writer)?;
    writer.run(|transaction| Ok(transaction.execute("DELETE FROM held WHERE rows <= 0", [])?))?;
    Ok(())
}

impl Store {
    /// Deletes what has expired at the time given. The sealer does so by itself
    /// every ten minutes.
    pub fn expire(&self, now_ms: u64) -> Result<(), StoreError> {
        let _chunks = self.shared.chunks();
        let mut connection = schema::open_reader(&self.folder.join(DATABASE_FILE))?;
        expire(&self.shared, &self.writer, &mut connection, now_ms)
    }

    /// Sweeps up what is left of deleted series. The sealer does so by itself
    /// every minute.
    pub fn sweep(&self) -> Result<(), StoreError> {
        let _chunks = self.shared.chunks();
        sweep_doomed(&self.shared, &self.writer)
    }
}

/// Sees to it that the day has its roll-ups before its samples go.
fn roll_up(
    common: &Shared,
    writer: &Writer,
    connection: &mut Connection,
    day: u32,
) -> Result<(), StoreError> {
    for (hour, shard) in fresh_of(connection, day)? {
        while seal::seal(common, writer, connection, hour, shard)? > 0 {}
    }
    let end_ms = u64::from(day + 1) * DAY_MS;
    for (of_day, shard) in compact_day::days_to_compact(connection, end_ms)? {
        if of_day == day {
            compact_day::compact(common, writer, connection, day, shard, &mut |_| Ok(()))?;
        }
    }
    Ok(())
}

/// The hours and shards of a day that have fresh rows.
fn fresh_of(connection: &Connection, day: u32) -> Result<Vec<(u32, u32)>, StoreError> {
    let hours = hours(day);
    let mut statement = connection
        .prepare_cached("SELECT DISTINCT hour, shard FROM recent WHERE hour >= ? AND hour < ?")?;
    let rows =
        statement.query_map([hours.start, hours.end], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The days of a resolution that hold anything, with their bytes.
fn days_held(
    connection: &Connection,
    resolution: Resolution,
) -> Result<Vec<(u32, u64)>, StoreError> {
    let sql = match resolution {
        Resolution::Raw => {
            "SELECT CASE tier WHEN 1 THEN span / 24 ELSE span END AS day, sum(bytes)
             FROM held WHERE tier IN (1, 2) AND rows > 0 GROUP BY day ORDER BY day"
        }
        Resolution::FiveMinutes => {
            "SELECT span, bytes FROM held WHERE tier = 3 AND rows > 0 ORDER BY span"
        }
        Resolution::OneHour => {
            "SELECT span, bytes FROM held WHERE tier = 4 AND rows > 0 ORDER BY span"
        }
    };
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn first_day_kept(
    connection: &Connection,
    resolution: Resolution,
    keep: Keep,
    now_ms: u64,
) -> Result<u32, StoreError> {
    let today = u32::try_from(now_ms / DAY_MS).unwrap_or(u32::MAX);
    let mut first = today.saturating_sub(keep.days.max(DAYS_LEFT_ALONE));
    if let Some(bound) = keep.bytes {
        let mut held = 0;
        for (day, bytes) in days_held(connection, resolution)?.into_iter().rev() {
            held += bytes;
            if held > bound {
                first =
                    first.max(day.saturating_add(1).min(today.saturating_sub(DAYS_LEFT_ALONE - 1)));
                break;
            }
        }
    }
    Ok(first)
}

fn days_before(
    connection: &Connection,
    resolution: Resolution,
    first_day: u32,
) -> Result<Vec<u32>, StoreError> {
    let mut days: BTreeSet<u32> =
        days_held(connection, resolution)?.into_iter().map(|(day, _)| day).collect();
    if resolution == Resolution::Raw {
        days.extend(fresh_hours(connection)?.into_iter().map(|hour| hour / 24));
    }
    Ok(days.into_iter().filter(|day| *day < first_day).collect())
}

fn delete_day(
    common: &Shared,
    writer: &Writer,
    resolution: Resolution,
    day: u32,
) -> Result<(), StoreError> {
    if let Some((tier, _)) = resolution.tier() {
        delete_rows(common, writer, tier.rows(), day)?;
        writer.run(move |transaction| {
            let sql = format!("DELETE FROM {} WHERE span = ?", tier.times());
            Ok(transaction.prepare_cached(&sql)?.execute([day])?)
        })?;
        return Ok(());
    }
    // From here on late samples of this day are refused: beside them the
    // roll-ups of the day could not be reckoned anew.
    let start_ms = u64::from(day + 1) * DAY_MS;
    common.set_raw_start_ms(start_ms);
    writer.run(move |transaction| {
        Ok(transaction.execute(
            "INSERT INTO setting VALUES ('raw_start_ms', ?1)
             ON CONFLICT DO UPDATE SET value = max(value, ?1)",
            [start_ms],
        )?)
    })?;
    for hour in hours(day) {
        delete_rows(common, writer, "hour_chunk", hour)?;
    }
    delete_rows(common, writer, "day_chunk", day)?;
    writer.run(move |transaction| {
        let hours = hours(day);
        transaction.execute("DELETE FROM day_times WHERE span = ?", [day])?;
        Ok(transaction.execute(
            "DELETE FROM hour_times WHERE span >= ? AND span < ?",
            [hours.start, hours.end],
        )?)
    })?;
    delete_fresh(common, writer, day)
}

fn delete_rows(
    common: &Shared,
    writer: &Writer,
    table: &'static str,
    window: u32,
) -> Result<(), StoreError> {
    let (first, last) = (row_key(window, 0), row_key(window, u32::MAX));
    let at_a_time = rows_at_a_time(common);
    loop {
        if common.backlog.is_stopped() {
            return Err(StoreError::Closed);
        }
        let gone = writer.run(move |transaction| {
            let sql = format!(
                "DELETE FROM {table} WHERE id IN
                 (SELECT id FROM {table} WHERE id BETWEEN ? AND ? LIMIT ?)"
            );
            Ok(transaction.prepare_cached(&sql)?.execute(params![first, last, at_a_time])?)
        })?;
        if gone == 0 {
            return Ok(());
        }
    }
}

fn delete_fresh(common: &Shared, writer: &Writer, day: u32) -> Result<(), StoreError> {
    let at_a_time = rows_at_a_time(common);
    loop {
        if common.backlog.is_stopped() {
            return Err(StoreError::Closed);
        }
        let gone = writer.run(move |transaction| {
            let hours = hours(day);
            let sql = "DELETE FROM recent WHERE (hour, shard, seq) IN
                       (SELECT hour, shard, seq FROM recent WHERE hour >= ? AND hour < ? LIMIT ?)";
            let mut delete = transaction.prepare_cached(sql)?;
            Ok(delete.execute(params![hours.start, hours.end, at_a_time])?)
        })?;
        if gone == 0 {
            return Ok(());
        }
    }
}

fn rows_at_a_time(common: &Shared) -> i64 {
    if common.room.is_given_up() { ROWS_AT_A_TIME_WHEN_FULL } else { ROWS_AT_A_TIME }
}

/// Forgets the series whose last sample has expired in every resolution, and
/// the agents and pairs that nothing points at any more. A series without any
/// sample counts from its creation.
fn forget_expired(writer: &Writer, oldest_kept_ms: u64) -> Result<(), StoreError> {
    loop {
        let new_epoch = writer.epoch_changer();
        let gone = writer.run(move |transaction| {
            let expired: Vec<SeriesId> = {
                let mut statement = transaction.prepare_cached(
                    "SELECT idx_datapoint FROM datapoint LEFT JOIN latest ON series = idx_datapoint
                     WHERE ifnull(timestamp_ms, ts_created) < ?1 AND ts_created < ?1 LIMIT ?2",
                )?;
                let rows = statement
                    .query_map(params![oldest_kept_ms, SERIES_AT_A_TIME], |row| row.get(0))?;
                rows.collect::<Result<_, _>>()?
            };
            if !expired.is_empty() {
                new_epoch();
            }
            forget(transaction, &expired)?;
            Ok(expired.len())
        })?;
        if gone == 0 {
            return Ok(());
        }
    }
}

/// Takes series out of the catalogue, and marks them so that their chunks are
/// swept up. The caller begins a new epoch in the same job.
pub(super) fn forget(transaction: &Transaction<'_>, series: &[SeriesId]) -> Result<(), StoreError> {
    for series in series {
        for sql in [
            "INSERT OR IGNORE INTO doomed VALUES (?)",
            "DELETE FROM latest WHERE series = ?",
            "DELETE FROM datapoint WHERE idx_datapoint = ?",
        ] {
            transaction.prepare_cached(sql)?.execute([series])?;
        }
    }
    if !series.is_empty() {
        transaction.execute_batch(
            "DELETE FROM agent WHERE idx_agent NOT IN (SELECT idx_agent FROM datapoint);
             DELETE FROM pair WHERE idx_pair NOT IN (SELECT idx_pair FROM glue);",
        )?;
    }
    Ok(())
}

/// Deletes the chunks and roll-ups of series that were forgotten.
pub(super) fn sweep_doomed(common: &Shared, writer: &Writer) -> Result<(), StoreError> {
    loop {
        let doomed = writer.run(|transaction| {
            Ok(transaction
                .query_row("SELECT series FROM doomed LIMIT 1", [], |row| row.get::<_, SeriesId>(0))
                .optional()?)
        })?;
        let Some(series) = doomed else { return Ok(()) };
        for tier in Tier::ALL {
            if common.backlog.is_stopped() {
                return Err(StoreError::Closed);
            }
            writer.run(move |transaction| {
                let sql = format!(
                    "DELETE FROM {} WHERE id IN
                     (SELECT (span << 32) | ? FROM held WHERE tier = ? AND rows > 0)",
                    tier.rows()
                );
                Ok(transaction.prepare_cached(&sql)?.execute(params![series, tier.number()])?)
            })?;
        }
        writer.run(move |transaction| {
            let shard = series / SHARD_SERIES;
            let (first, last) = (shard * SHARD_SERIES, (shard + 1) * SHARD_SERIES - 1);
            transaction.execute("DELETE FROM doomed WHERE series = ?", [series])?;
            let others: bool = transaction.query_row(
                "SELECT EXISTS (SELECT 1 FROM doomed WHERE series BETWEEN ? AND ?)",
                [first, last],
                |row| row.get(0),
            )?;
            if !others {
                sweep_all_times(transaction, shard)?;
            }
            Ok(())
        })?;
    }
}

/// Deletes the columns of timestamps of a shard that no chunk names any more.
fn sweep_all_times(transaction: &Transaction<'_>, shard: u32) -> Result<(), StoreError> {
    for tier in Tier::ALL {
        let windows: Vec<u32> = {
            let mut statement =
                transaction.prepare_cached("SELECT span FROM held WHERE tier = ? AND rows > 0")?;
            let rows = statement.query_map([tier.number()], |row| row.get(0))?;
            rows.collect::<Result<_, _>>()?
        };
        for window in windows {
            sweep_times(transaction, tier, window, shard)?;
        }
    }
    Ok(())
}
