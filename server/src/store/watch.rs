//! The two latest samples of each series that somebody watches, kept in memory as
//! batches are stored: what the overview of all hosts is made of, without a look
//! at the database.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use pattoo_common::datapoint::DataType;
use rusqlite::{Connection, OptionalExtension};
use rustc_hash::FxHashMap;

use super::Store;
use super::blob::{self, Kind};
use super::cache::Known;
use super::error::StoreError;
use super::keys::{SeriesId, shard_of};
use super::latest::{Kept, sealed};
use super::number::{Number, Sample};
use super::rate::{Follower, Growth};
use super::recent::Row;
use super::register::fresh_hours;
use super::writer::TextRow;

/// Series that are watched at most; some 150 bytes each.
pub const WATCHED_MAX: usize = 100_000;
/// Series whose samples are looked up in one transaction.
const SERIES_A_SNAPSHOT: usize = 2_000;

/// A series as it was last heard of.
#[derive(Debug, Clone)]
pub struct Heard {
    data_type: DataType,
    polling_interval_ms: u64,
    last: Option<Sample>,
    before: Option<Sample>,
    text: Option<(u64, Box<str>)>,
}

impl Heard {
    /// Milliseconds between its samples, as its agent says.
    pub fn polling_interval_ms(&self) -> u64 {
        self.polling_interval_ms
    }

    /// When its latest sample was taken, milliseconds since 1970.
    pub fn timestamp_ms(&self) -> Option<u64> {
        let text = self.text.as_ref().map(|(at_ms, _)| *at_ms);
        text.or(self.last.map(|sample| sample.timestamp_ms))
    }

    /// The latest value of a series of numbers.
    pub fn number(&self) -> Option<Number> {
        self.last.map(|sample| sample.value)
    }

    /// The latest value of a series of texts.
    pub fn text(&self) -> Option<&str> {
        self.text.as_ref().map(|(_, text)| &**text)
    }

    /// By how much it grew per second between its two latest samples; none where
    /// there are not two, and of a counter that fell.
    pub fn growth_per_second(&self) -> Option<f64> {
        let mut follower = Follower::new(self.data_type);
        follower.sample(self.before?);
        follower.sample(self.last?).and_then(Growth::rate)
    }

    /// Keeps the two latest, in whatever order they come; of two with one time the
    /// first.
    fn offer(&mut self, sample: Sample) {
        let newer =
            |than: Option<Sample>| than.is_none_or(|than| than.timestamp_ms < sample.timestamp_ms);
        if newer(self.last) {
            self.before = self.last.replace(sample);
        } else if newer(self.before)
            && self.last.is_some_and(|last| last.timestamp_ms != sample.timestamp_ms)
        {
            self.before = Some(sample);
        }
    }

    fn offer_text(&mut self, timestamp_ms: u64, text: &str) {
        if self.text.as_ref().is_none_or(|(at_ms, _)| *at_ms < timestamp_ms) {
            self.text = Some((timestamp_ms, text.into()));
        }
    }
}

/// All watched series.
#[derive(Debug, Default)]
pub struct Watched {
    series: FxHashMap<SeriesId, Heard>,
}

impl Watched {
    /// What was last heard of a series, if it is watched.
    pub fn get(&self, series: SeriesId) -> Option<&Heard> {
        self.series.get(&series)
    }
}

/// The watched series, and whether there are any.
#[derive(Debug, Default)]
pub(super) struct Watch {
    watched: RwLock<Watched>,
    count: AtomicUsize,
}

impl Watch {
    fn is_idle(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    /// Those of the texts that are watched: the others go to the writer and are
    /// not seen again.
    pub(super) fn texts_wanted(&self, texts: &[TextRow]) -> Vec<(SeriesId, u64, String)> {
        if texts.is_empty() || self.is_idle() {
            return Vec::new();
        }
        let watched = self.watched.read().unwrap_or_else(PoisonError::into_inner);
        let wanted = texts.iter().filter(|row| watched.series.contains_key(&row.series));
        wanted.map(|row| (row.series, row.timestamp_ms, row.text.clone())).collect()
    }

    /// Tells what was stored.
    pub(super) fn stored(
        &self,
        samples: &[(Arc<Known>, Sample)],
        texts: &[(SeriesId, u64, String)],
    ) {
        if self.is_idle() {
            return;
        }
        let mut watched = self.watched.write().unwrap_or_else(PoisonError::into_inner);
        for (known, sample) in samples {
            if let Some(heard) = watched.series.get_mut(&known.id) {
                heard.polling_interval_ms = known.polling_interval_ms;
                heard.offer(*sample);
            }
        }
        for (series, timestamp_ms, text) in texts {
            if let Some(heard) = watched.series.get_mut(series) {
                heard.offer_text(*timestamp_ms, text);
            }
        }
    }
}

impl Store {
    /// Watches these series too, from what is stored of them on. Past
    /// [`WATCHED_MAX`] no more are taken; false if there were more.
    pub fn watch(&self, series: &[SeriesId]) -> Result<bool, StoreError> {
        let mut all = true;
        for series in series.chunks(SERIES_A_SNAPSHOT) {
            all &= self.watch_some(series)?;
        }
        Ok(all)
    }

    fn watch_some(&self, series: &[SeriesId]) -> Result<bool, StoreError> {
        let known = self.readers.read(|connection| kinds(connection, series))?;
        let mut fits = true;
        {
            // Before the look at the database, so that no sample falls between.
            let mut watched = self.watch.watched.write().unwrap_or_else(PoisonError::into_inner);
            for (series, data_type, polling_interval_ms) in known {
                if watched.series.len() >= WATCHED_MAX {
                    fits = false;
                    break;
                }
                watched.series.entry(series).or_insert(Heard {
                    data_type,
                    polling_interval_ms,
                    last: None,
                    before: None,
                    text: None,
                });
            }
            self.watch.count.store(watched.series.len(), Ordering::Release);
        }
        let mut samples = Vec::new();
        let mut texts = Vec::new();
        self.readers.read(|connection| {
            let snapshot = connection.transaction()?;
            for series in series {
                let Some(latest) = sealed(&snapshot, *series)? else { continue };
                let timestamp_ms = latest.timestamp_ms;
                match latest.value {
                    Kept::Number(value) => samples.push((*series, Sample { timestamp_ms, value })),
                    Kept::Text(text) => texts.push((*series, timestamp_ms, text)),
                }
            }
            fresh(&snapshot, series, &mut samples)
        })?;
        let mut watched = self.watch.watched.write().unwrap_or_else(PoisonError::into_inner);
        for (series, sample) in samples {
            if let Some(heard) = watched.series.get_mut(&series) {
                heard.offer(sample);
            }
        }
        for (series, timestamp_ms, text) in texts {
            if let Some(heard) = watched.series.get_mut(&series) {
                heard.offer_text(timestamp_ms, &text);
            }
        }
        Ok(fits)
    }

    /// Watches nothing any more.
    pub fn unwatch_all(&self) {
        let mut watched = self.watch.watched.write().unwrap_or_else(PoisonError::into_inner);
        watched.series.clear();
        self.watch.count.store(0, Ordering::Release);
    }

    /// Looks at the watched series. Batches wait meanwhile.
    pub fn watched<T>(&self, look: impl FnOnce(&Watched) -> T) -> T {
        look(&self.watch.watched.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A number that changes whenever series are forgotten or deleted.
    pub fn epoch(&self) -> u64 {
        self.writer.epoch()
    }
}

/// Data type and polling interval of the series that there are.
fn kinds(
    connection: &Connection,
    series: &[SeriesId],
) -> Result<Vec<(SeriesId, DataType, u64)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT data_type, polling_interval FROM datapoint WHERE idx_datapoint = ?",
    )?;
    let mut known = Vec::with_capacity(series.len());
    for series in series {
        let found: Option<(u64, u64)> =
            statement.query_row([series], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        if let Some((code, interval_ms)) = found
            && let Some(data_type) = DataType::from_code(code)
        {
            known.push((*series, data_type, interval_ms));
        }
    }
    Ok(known)
}

/// What fresh rows hold of the series.
fn fresh(
    snapshot: &Connection,
    series: &[SeriesId],
    samples: &mut Vec<(SeriesId, Sample)>,
) -> Result<(), StoreError> {
    let mut of_shard: FxHashMap<u32, Vec<SeriesId>> = FxHashMap::default();
    for series in series {
        of_shard.entry(shard_of(*series)).or_default().push(*series);
    }
    let mut latest: FxHashMap<SeriesId, Heard> = FxHashMap::default();
    let mut rows =
        snapshot.prepare_cached("SELECT blob FROM recent WHERE hour = ? AND shard = ?")?;
    for hour in fresh_hours(snapshot)? {
        for (shard, series) in &of_shard {
            let mut rows = rows.query([hour, *shard])?;
            while let Some(row) = rows.next()? {
                let blob = row.get_ref(0)?.as_blob().unwrap_or_default();
                // What is damaged is told by whoever reads the history.
                let content = blob::open(Kind::Recent, [hour.into(), (*shard).into()], blob);
                let Ok(row) = content.and_then(Row::parse) else { continue };
                for series in series {
                    for sample in row.samples(*series).filter_map(Result::ok) {
                        let heard = latest.entry(*series).or_insert(Heard {
                            data_type: DataType::Gauge,
                            polling_interval_ms: 0,
                            last: None,
                            before: None,
                            text: None,
                        });
                        heard.offer(sample);
                    }
                }
            }
        }
    }
    for (series, heard) in latest {
        samples.extend(heard.before.into_iter().chain(heard.last).map(|sample| (series, sample)));
    }
    Ok(())
}
