//! Columns of timestamps, which neighbouring series share.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use rusqlite::{Connection, OptionalExtension, params};

use super::blob::{self, Damage, Kind};
use super::chunk;
use super::error::StoreError;
use super::keys::{SHARD_SERIES, shard_keys};
use super::tables::{Broken, Read, Tier, window_start};

/// Columns of timestamps that a writer compares a new one with.
const COLUMNS_COMPARED: usize = 32;
/// Timestamps that are kept unpacked while many chunks are read.
const TIMES_KEPT: usize = 1 << 18;

type TimesKey = (Tier, u32, u32, i64);
/// A column of timestamps that is to be written: its number and its blob.
pub(super) type NewColumn = (i64, Vec<u8>);

/// Unpacked columns of timestamps, as neighbours share them.
#[derive(Default)]
pub(super) struct TimesCache {
    columns: RefCell<HashMap<TimesKey, Rc<Vec<u64>>>>,
    held: Cell<usize>,
}

impl TimesCache {
    /// A column of timestamps.
    pub(super) fn get(
        &self,
        connection: &Connection,
        tier: Tier,
        window: u32,
        shard: u32,
        number: i64,
    ) -> Read<Rc<Vec<u64>>> {
        let key = (tier, window, shard, number);
        if let Some(times) = self.columns.borrow().get(&key) {
            return Ok(Ok(Rc::clone(times)));
        }
        let sql = format!(
            "SELECT blob FROM {} WHERE span = ? AND shard = ? AND number = ?",
            tier.times()
        );
        let blob: Option<Vec<u8>> = connection
            .prepare_cached(&sql)?
            .query_row(params![window, shard, number], |row| row.get(0))
            .optional()?;
        let unpacked = blob
            .ok_or(Damage("its timestamps are missing"))
            .and_then(|blob| decode_times(&blob, window, shard));
        match unpacked {
            Ok(times) => {
                if self.held.get() + times.len() > TIMES_KEPT {
                    self.columns.borrow_mut().clear();
                    self.held.set(0);
                }
                let times = Rc::new(times);
                self.held.set(self.held.get() + times.len());
                self.columns.borrow_mut().insert(key, Rc::clone(&times));
                Ok(Ok(times))
            }
            Err(Damage(reason)) => Ok(Err(Broken {
                table: tier.times(),
                series: shard * SHARD_SERIES,
                window_start_ms: window_start(tier, window),
                reason,
                key: [times_key(window, shard), number],
            })),
        }
    }
}

/// The key that goes into the checksum of a column of timestamps. Its number is
/// not part of it, so that a column can be written before its number is known.
pub(super) fn times_key(window: u32, shard: u32) -> i64 {
    (i64::from(window) << 32) | i64::from(shard)
}

/// The timestamps of a blob.
pub(super) fn decode_times(blob: &[u8], window: u32, shard: u32) -> Result<Vec<u64>, Damage> {
    chunk::unpack(blob::open(Kind::Times, [times_key(window, shard), 0], blob)?)
}

/// Gives out columns of timestamps for one shard and window: the number of one
/// that is there, or that of a new one.
pub(super) struct Columns {
    tier: Tier,
    window: u32,
    shard: u32,
    next: i64,
    known: VecDeque<(i64, Rc<Vec<u64>>)>,
    fresh: Vec<NewColumn>,
}

impl Columns {
    pub(super) fn new(
        connection: &Connection,
        tier: Tier,
        window: u32,
        shard: u32,
    ) -> Result<Self, StoreError> {
        let sql = format!(
            "SELECT ifnull(max(number) + 1, 0) FROM {} WHERE span = ? AND shard = ?",
            tier.times()
        );
        let next =
            connection.prepare_cached(&sql)?.query_row(params![window, shard], |row| row.get(0))?;
        Ok(Self { tier, window, shard, next, known: VecDeque::new(), fresh: Vec::new() })
    }

    pub(super) fn number_of(&mut self, times: Vec<u64>) -> i64 {
        if let Some(place) = self.known.iter().position(|(_, known)| **known == times) {
            return self.known.get(place).map_or(0, |(number, _)| *number);
        }
        let number = self.next;
        self.next += 1;
        let content = chunk::pack(&times, self.tier.effort());
        let key = [times_key(self.window, self.shard), 0];
        self.fresh.push((number, blob::seal(Kind::Times, key, content)));
        if self.known.len() == COLUMNS_COMPARED {
            self.known.pop_back();
        }
        self.known.push_front((number, Rc::new(times)));
        number
    }

    /// Hands over the columns that are new since the last call.
    pub(super) fn take_fresh(&mut self) -> Vec<NewColumn> {
        std::mem::take(&mut self.fresh)
    }
}

/// Writes new columns of timestamps.
pub(super) fn write_times(
    connection: &Connection,
    tier: Tier,
    window: u32,
    shard: u32,
    columns: &[NewColumn],
) -> Result<(), StoreError> {
    let sql = format!("INSERT INTO {} VALUES (?, ?, ?, ?)", tier.times());
    let mut put = connection.prepare_cached(&sql)?;
    for (number, blob) in columns {
        put.execute(params![window, shard, number, blob])?;
    }
    Ok(())
}

/// Deletes the columns of timestamps that no chunk names any more.
pub(super) fn sweep_times(
    connection: &Connection,
    tier: Tier,
    window: u32,
    shard: u32,
) -> Result<(), StoreError> {
    let (first, last) = shard_keys(window, shard);
    let sql = format!(
        "DELETE FROM {} WHERE span = ? AND shard = ?
         AND number NOT IN (SELECT times FROM {} WHERE id BETWEEN ? AND ?)",
        tier.times(),
        tier.rows()
    );
    connection.prepare_cached(&sql)?.execute(params![window, shard, first, last])?;
    Ok(())
}
