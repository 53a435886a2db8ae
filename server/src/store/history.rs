//! What a series holds over time, put together from all the places where its
//! samples may stand, inside one snapshot.

use std::collections::BTreeSet;
use std::ops::Range;

use pattoo_common::datapoint::DataType;
use rusqlite::{Connection, params};

use super::blob::{self, Damage, Kind};
use super::compact_day::hours;
use super::error::StoreError;
use super::keys::{DAY_MS, HOUR_MS, SHARD_SERIES, SeriesId, shard_of};
use super::merge::merge;
use super::number::Sample;
use super::recent::Row;
use super::register::fresh_hours;
use super::rollup::{self, Bucket};
use super::tables::{self, Broken, HourRollUps, Resolution, Tier};
use super::times::{self, TimesCache};

/// A look at the samples as they stand at one moment.
pub(super) struct History<'c> {
    snapshot: &'c Connection,
    cache: TimesCache,
    /// Hours with fresh rows.
    fresh: Vec<u32>,
    /// Hours with chunks.
    sealed: BTreeSet<u32>,
    /// Days with chunks or roll-ups.
    days: BTreeSet<u32>,
    /// What could not be read so far.
    pub(super) broken: Vec<Broken>,
}

impl<'c> History<'c> {
    /// Looks at the time from `from_ms` up to `to_ms`.
    pub(super) fn new(
        snapshot: &'c Connection,
        from_ms: u64,
        to_ms: u64,
    ) -> Result<Self, StoreError> {
        let (first, last) = (from_ms / DAY_MS, to_ms.saturating_sub(1) / DAY_MS);
        let mut history = Self {
            snapshot,
            cache: TimesCache::default(),
            fresh: fresh_hours(snapshot)?,
            sealed: BTreeSet::new(),
            days: BTreeSet::new(),
            broken: Vec::new(),
        };
        let mut statement = snapshot.prepare_cached(
            "SELECT tier, span FROM held WHERE rows > 0
             AND (tier = 1 AND span BETWEEN ?1 * 24 AND ?2 * 24 + 23
                  OR tier > 1 AND span BETWEEN ?1 AND ?2)",
        )?;
        let mut held = statement.query(params![first, last])?;
        while let Some(row) = held.next()? {
            let (tier, window): (u8, u32) = (row.get(0)?, row.get(1)?);
            if tier == Tier::Hour.number() {
                history.sealed.insert(window);
            } else {
                history.days.insert(window);
            }
        }
        Ok(history)
    }

    /// The days within the time looked at that hold anything, oldest first.
    pub(super) fn days(&self, from_ms: u64, to_ms: u64) -> Vec<u32> {
        let mut days = self.days.clone();
        days.extend(self.sealed.iter().chain(&self.fresh).map(|hour| hour / 24));
        days.retain(|day| {
            let start_ms = u64::from(*day) * DAY_MS;
            start_ms < to_ms && start_ms + DAY_MS > from_ms
        });
        days.into_iter().collect()
    }

    /// The samples of a series in a day, from `from_ms` up to `to_ms`.
    pub(super) fn samples(
        &mut self,
        series: SeriesId,
        day: u32,
        from_ms: u64,
        to_ms: u64,
    ) -> Result<Vec<Sample>, StoreError> {
        let mut sources = Vec::with_capacity(4);
        if self.days.contains(&day) {
            let chunk = self.chunk(Tier::Day, day, series)?;
            sources.push(chunk);
        }
        for hour in hours(day) {
            let start_ms = u64::from(hour) * HOUR_MS;
            if start_ms >= to_ms || start_ms + HOUR_MS <= from_ms {
                continue;
            }
            if self.sealed.contains(&hour) {
                let chunk = self.chunk(Tier::Hour, hour, series)?;
                sources.push(chunk);
            }
            if self.fresh.binary_search(&hour).is_ok() {
                let fresh = self.fresh_samples(hour, series)?;
                sources.push(fresh);
            }
        }
        // A day's chunk is more settled than an hour's and that than a row, so
        // within an hour the order is right; hours do not overlap.
        let mut samples = merge(sources);
        if samples.first().is_some_and(|sample| sample.timestamp_ms < from_ms)
            || samples.last().is_some_and(|sample| sample.timestamp_ms >= to_ms)
        {
            samples.retain(|sample| (from_ms..to_ms).contains(&sample.timestamp_ms));
        }
        Ok(samples)
    }

    fn chunk(
        &mut self,
        tier: Tier,
        window: u32,
        series: SeriesId,
    ) -> Result<Vec<Sample>, StoreError> {
        match tables::chunk_samples(self.snapshot, &self.cache, tier, window, series)? {
            Ok(samples) => Ok(samples),
            Err(broken) => {
                self.broken.push(broken);
                Ok(Vec::new())
            }
        }
    }

    fn fresh_samples(&mut self, hour: u32, series: SeriesId) -> Result<Vec<Sample>, StoreError> {
        let shard = shard_of(series);
        let mut samples = Vec::new();
        let mut statement = self.snapshot.prepare_cached(
            "SELECT blob, seq FROM recent WHERE hour = ? AND shard = ? ORDER BY seq",
        )?;
        let mut rows = statement.query([hour, shard])?;
        while let Some(row) = rows.next()? {
            let blob = row.get_ref(0)?.as_blob().unwrap_or_default();
            let content = blob::open(Kind::Recent, [hour.into(), shard.into()], blob);
            match content.and_then(Row::parse) {
                Ok(row) => samples.extend(row.samples(series).filter_map(Result::ok)),
                Err(Damage(reason)) => self.broken.push(Broken {
                    table: "recent",
                    series: shard * SHARD_SERIES,
                    window_start_ms: u64::from(hour) * HOUR_MS,
                    reason,
                    key: [times::times_key(hour, shard), row.get(1)?],
                }),
            }
        }
        Ok(samples)
    }

    /// The roll-ups of a series and day: those that are stored where they tell
    /// the whole, else reckoned from the samples, else, where the samples have
    /// expired, what is stored at the next coarser resolution. Of hours that end
    /// before `from_ms` or begin at `to_ms` or after, some may be left out. A step may
    /// come in several, one after the other.
    pub(super) fn rollups(
        &mut self,
        (series, data_type): (SeriesId, DataType),
        day: u32,
        resolution: Resolution,
        (from_ms, to_ms): (u64, u64),
        raw_start_ms: u64,
    ) -> Result<(Resolution, Vec<Bucket>), StoreError> {
        let stored = self.stored(resolution, day, series)?;
        if u64::from(day + 1) * DAY_MS <= raw_start_ms {
            if let Some(buckets) = stored {
                return Ok((resolution, buckets));
            }
            for coarser in [Resolution::FiveMinutes, Resolution::OneHour] {
                if coarser > resolution
                    && let Some(buckets) = self.stored(coarser, day, series)?
                {
                    return Ok((coarser, buckets));
                }
            }
            return Ok((resolution, Vec::new()));
        }
        let has_more = hours(day)
            .any(|hour| self.sealed.contains(&hour) || self.fresh.binary_search(&hour).is_ok());
        let stored = match stored {
            Some(buckets) if !has_more => return Ok((resolution, buckets)),
            stored => stored,
        };
        let wanted = |hour: &u32| {
            let start_ms = u64::from(*hour) * HOUR_MS;
            start_ms < to_ms && start_ms + HOUR_MS > from_ms
        };
        let mut of_day = OfDay { stored, samples: None };
        let mut buckets = Vec::new();
        for hour in hours(day).filter(wanted) {
            self.add_hour((series, data_type), hour, resolution, &mut of_day, &mut buckets)?;
        }
        Ok((resolution, buckets))
    }

    /// Adds the roll-ups of an hour. Those of the day know nothing of samples that
    /// came after its compaction and are in a chunk of the hour, or fresh.
    fn add_hour(
        &mut self,
        (series, data_type): (SeriesId, DataType),
        hour: u32,
        resolution: Resolution,
        of_day: &mut OfDay,
        buckets: &mut Vec<Bucket>,
    ) -> Result<(), StoreError> {
        let fresh = if self.fresh.binary_search(&hour).is_ok() {
            self.fresh_samples(hour, series)?
        } else {
            Vec::new()
        };
        let sealed = if self.sealed.contains(&hour) {
            match tables::hour_rollups(self.snapshot, hour, series)? {
                Ok(found) => found,
                Err(broken) => {
                    self.broken.push(broken);
                    HourRollUps::Samples
                }
            }
        } else {
            HourRollUps::NoChunk
        };
        let start_ms = u64::from(hour) * HOUR_MS;
        let within = start_ms..start_ms + HOUR_MS;
        if let (Some(stored), HourRollUps::NoChunk, []) = (&of_day.stored, &sealed, &*fresh) {
            buckets.extend_from_slice(slice(stored, |bucket| bucket.start_ms, &within));
            return Ok(());
        }
        let of_day = self.samples_of_day(series, hour / 24, of_day)?;
        let of_day = slice(of_day, |sample| sample.timestamp_ms, &within);
        if let ([], HourRollUps::Stored(stored), []) = (of_day, &sealed, &*fresh) {
            // Several of one step: whoever draws the chart joins them.
            let fits = resolution.step_ms();
            let of_step =
                |bucket: &Bucket| Bucket { start_ms: bucket.start_ms / fits * fits, ..*bucket };
            buckets.extend(stored.iter().map(of_step));
            return Ok(());
        }
        let mut sources = vec![of_day.to_vec()];
        if !matches!(sealed, HourRollUps::NoChunk) {
            let chunk = self.chunk(Tier::Hour, hour, series)?;
            sources.push(chunk);
        }
        sources.push(fresh);
        buckets.extend(rollup::reckon(&merge(sources), resolution.step_ms(), data_type));
        Ok(())
    }

    /// The samples in the chunk of a day, read when they are first wanted.
    fn samples_of_day<'d>(
        &mut self,
        series: SeriesId,
        day: u32,
        of_day: &'d mut OfDay,
    ) -> Result<&'d [Sample], StoreError> {
        if of_day.samples.is_none() {
            of_day.samples = Some(if self.days.contains(&day) {
                self.chunk(Tier::Day, day, series)?
            } else {
                Vec::new()
            });
        }
        Ok(of_day.samples.as_deref().unwrap_or_default())
    }

    fn stored(
        &mut self,
        resolution: Resolution,
        day: u32,
        series: SeriesId,
    ) -> Result<Option<Vec<Bucket>>, StoreError> {
        if !self.days.contains(&day) {
            return Ok(None);
        }
        match tables::stored_rollup(self.snapshot, &self.cache, resolution, day, series)? {
            Ok(buckets) => Ok(buckets),
            Err(broken) => {
                self.broken.push(broken);
                Ok(None)
            }
        }
    }
}

/// What of a row in order of time is within a stretch of it.
fn slice<'a, T>(row: &'a [T], time_ms: fn(&T) -> u64, within: &Range<u64>) -> &'a [T] {
    let start = row.partition_point(|item| time_ms(item) < within.start);
    let end = row.partition_point(|item| time_ms(item) < within.end);
    row.get(start..end).unwrap_or_default()
}

/// What a day's compaction left of a series.
struct OfDay {
    stored: Option<Vec<Bucket>>,
    /// None until they are wanted.
    samples: Option<Vec<Sample>>,
}
