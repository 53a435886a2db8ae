//! Enters series that a batch brings for the first time, or the first time
//! since the store opened.

use std::collections::HashMap;

use pattoo_common::datapoint::DataType;
use pattoo_common::wall_clock;
use rusqlite::{OptionalExtension, Transaction, params};
use sha2::{Digest, Sha512};

use super::error::StoreError;
use super::keys::{SeriesId, shard_of};
use super::receipt::Refusal;

/// Metadata keys and values are cut to this many characters.
const PAIR_CHARACTERS: usize = 512;
/// Pairs of one series; what is past them is left out.
const PAIRS_MAX: usize = 64;

/// What is told of a series when it is first seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewSeries {
    /// The key, as it is to be shown: the value of the pair `pattoo_key`.
    pub key: String,
    /// The other metadata, as it is to be shown.
    pub pairs: Vec<(String, String)>,
}

/// A series that a batch does not know.
#[derive(Debug, Clone)]
pub(super) struct Unknown {
    pub(super) agent_id: String,
    pub(super) polled_target: String,
    pub(super) program: String,
    pub(super) polling_interval_ms: u64,
    pub(super) checksum: String,
    pub(super) data_type: DataType,
    pub(super) new: NewSeries,
}

/// What the database says of it.
#[derive(Debug)]
pub(super) struct Entered {
    pub(super) id: SeriesId,
    pub(super) data_type: DataType,
    /// No sample of it is newer.
    pub(super) last_ms: u64,
}

/// Caps on what may be entered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caps {
    pub(super) series_of_agent: u64,
    pub(super) agents: u64,
}

/// `sha512(agent id + polled target + checksum)` in hex: how the original names
/// a series.
pub(super) fn series_checksum(agent_id: &str, polled_target: &str, checksum: &str) -> String {
    let mut digest = Sha512::new();
    digest.update(agent_id);
    digest.update(polled_target);
    digest.update(checksum);
    digest.finalize().iter().fold(String::with_capacity(128), |mut hex, byte| {
        for digit in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
        }
        hex
    })
}

/// Finds or enters each of the series.
pub(super) fn enter(
    transaction: &Transaction<'_>,
    unknown: &[Unknown],
    caps: Caps,
) -> Result<Vec<Result<Entered, Refusal>>, StoreError> {
    let mut room = HashMap::new();
    let mut fresh_until = HashMap::new();
    unknown
        .iter()
        .map(|series| {
            let checksum =
                series_checksum(&series.agent_id, &series.polled_target, &series.checksum);
            if let Some((id, data_type)) = find(transaction, &checksum, series.polling_interval_ms)?
            {
                let last_ms = last_of(transaction, id, &mut fresh_until)?;
                return Ok(Ok(Entered { id, data_type, last_ms }));
            }
            let room = match room.get_mut(&series.agent_id) {
                Some(room) => room,
                None => room.entry(series.agent_id.clone()).or_insert(room_of(
                    transaction,
                    &series.agent_id,
                    caps,
                )?),
            };
            if *room == 0 {
                return Ok(Err(Refusal::SeriesCap));
            }
            let Some(agent) = agent(transaction, series, caps)? else {
                return Ok(Err(Refusal::AgentCap));
            };
            *room -= 1;
            let id = insert(transaction, agent, &checksum, series)?;
            Ok(Ok(Entered { id, data_type: series.data_type, last_ms: 0 }))
        })
        .collect()
}

fn find(
    transaction: &Transaction<'_>,
    checksum: &str,
    polling_interval_ms: u64,
) -> Result<Option<(SeriesId, DataType)>, StoreError> {
    let found: Option<(SeriesId, u64, u64)> = transaction
        .prepare_cached(
            "SELECT idx_datapoint, data_type, polling_interval FROM datapoint WHERE checksum = ?",
        )?
        .query_row([checksum], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((id, data_type, interval)) = found else { return Ok(None) };
    if interval != polling_interval_ms {
        transaction
            .prepare_cached(
                "UPDATE datapoint SET polling_interval = ?, ts_modified = ? WHERE idx_datapoint = ?",
            )?
            .execute(params![polling_interval_ms, wall_clock::now_ms(), id])?;
    }
    let data_type = DataType::from_code(data_type)
        .ok_or_else(|| StoreError::Damaged(format!("series {id} has data type {data_type}")))?;
    Ok(Some((id, data_type)))
}

/// The newest that the series may have: its latest sealed sample, or what is
/// fresh in its shard.
fn last_of(
    transaction: &Transaction<'_>,
    id: SeriesId,
    fresh_until: &mut HashMap<u32, u64>,
) -> Result<u64, StoreError> {
    let sealed: Option<u64> = transaction
        .prepare_cached("SELECT timestamp_ms FROM latest WHERE series = ?")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let shard = shard_of(id);
    if let Some(fresh) = fresh_until.get(&shard) {
        return Ok(sealed.unwrap_or(0).max(*fresh));
    }
    let mut fresh = 0;
    let mut max = transaction
        .prepare_cached("SELECT ifnull(max(max_ms), 0) FROM recent WHERE hour = ? AND shard = ?")?;
    for hour in fresh_hours(transaction)? {
        fresh = fresh.max(max.query_row([hour, shard], |row| row.get(0))?);
    }
    fresh_until.insert(shard, fresh);
    Ok(sealed.unwrap_or(0).max(fresh))
}

/// The hours that have fresh rows, oldest first: a seek for each.
pub(super) fn fresh_hours(connection: &rusqlite::Connection) -> Result<Vec<u32>, StoreError> {
    let mut next = connection.prepare_cached("SELECT min(hour) FROM recent WHERE hour > ?")?;
    let mut hours = Vec::new();
    let mut last = -1;
    while let Some(hour) = next.query_row([last], |row| row.get::<_, Option<u32>>(0))? {
        hours.push(hour);
        last = i64::from(hour);
    }
    Ok(hours)
}

fn room_of(transaction: &Transaction<'_>, agent_id: &str, caps: Caps) -> Result<u64, StoreError> {
    let held: u64 = transaction
        .prepare_cached(
            "SELECT count(*) FROM agent JOIN datapoint USING (idx_agent) WHERE agent_id = ?",
        )?
        .query_row([agent_id], |row| row.get(0))?;
    Ok(caps.series_of_agent.saturating_sub(held))
}

fn agent(
    transaction: &Transaction<'_>,
    series: &Unknown,
    caps: Caps,
) -> Result<Option<i64>, StoreError> {
    let Unknown { agent_id, polled_target, program, .. } = series;
    let found = transaction
        .prepare_cached(
            "SELECT idx_agent FROM agent
             WHERE agent_id = ? AND agent_polled_target = ? AND agent_program = ?",
        )?
        .query_row([agent_id, polled_target, program], |row| row.get(0))
        .optional()?;
    if found.is_some() {
        return Ok(found);
    }
    let held: u64 = transaction
        .prepare_cached("SELECT count(*) FROM agent")?
        .query_row([], |row| row.get(0))?;
    if held >= caps.agents {
        return Ok(None);
    }
    let now = wall_clock::now_ms();
    transaction
        .prepare_cached(
            "INSERT INTO agent (agent_id, agent_polled_target, agent_program, ts_created,
             ts_modified) VALUES (?, ?, ?, ?, ?)",
        )?
        .execute(params![agent_id, polled_target, program, now, now])?;
    Ok(Some(transaction.last_insert_rowid()))
}

fn insert(
    transaction: &Transaction<'_>,
    agent: i64,
    checksum: &str,
    series: &Unknown,
) -> Result<SeriesId, StoreError> {
    let now = wall_clock::now_ms();
    transaction
        .prepare_cached(
            "INSERT INTO datapoint (idx_agent, checksum, data_type, polling_interval, ts_created,
             ts_modified) VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            agent,
            checksum,
            series.data_type.code(),
            series.polling_interval_ms,
            now,
            now
        ])?;
    let id = transaction.last_insert_rowid();
    let key = ("pattoo_key", series.new.key.as_str());
    let rest = series.new.pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    for (key, value) in std::iter::once(key).chain(rest).take(PAIRS_MAX) {
        let (key, value) = (cut(key), cut(value));
        transaction
            .prepare_cached(
                "INSERT INTO pair (key, value, ts_created, ts_modified) VALUES (?, ?, ?, ?)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![key, value, now, now])?;
        transaction
            .prepare_cached(
                "INSERT INTO glue (idx_pair, idx_datapoint, ts_created, ts_modified)
                 SELECT idx_pair, ?, ?, ? FROM pair WHERE key = ? AND value = ?
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![id, now, now, key, value])?;
    }
    SeriesId::try_from(id).map_err(|_| StoreError::Engine("no number is left for a series".into()))
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(PAIR_CHARACTERS).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_named_as_the_original_names_it() {
        assert_eq!(
            series_checksum(
                "82bfc39b01114e73355445cc7d368f387f10791ea3f671c2e98b60b71ff8795a",
                "localhost",
                "6ce34a8781c3ee3977f70c4ee8407e8b5d137f4f9e667b0f869b8f596267ff8e",
            ),
            "4227f6560d3c2eed9369279f1cacbddb21b3df97e38296c168baa5c4a6530f98\
             93406e3b6ba4fb42343eaa4af1f6f675936f614143b2391add8d88328bbe71c5"
        );
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let long = "é".repeat(600);
        assert_eq!(cut(&long).chars().count(), PAIR_CHARACTERS);
        assert_eq!(cut("short"), "short");
    }
}
