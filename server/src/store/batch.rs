//! One posted document on its way into the store.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pattoo_common::datapoint::DataType;

use super::Store;
use super::cache::{Key, Known, Origins, key_of};
use super::error::StoreError;
use super::keys::{DAY_MS, SeriesId, TIMESTAMP_END_MS, hour_of, shard_of};
use super::late;
use super::number::{Number, Sample};
use super::receipt::{Origin, Reading, Receipt, Refusal};
use super::recent;
use super::register::{self, NewSeries, Unknown};
use super::writer::{Append, RecentRow, TextRow};

/// Texts are cut to this many characters.
const TEXT_CHARACTERS: usize = 1024;
/// Polling intervals are cut to this: a year.
const INTERVAL_MAX_MS: u64 = 366 * DAY_MS;
/// Fresh bytes past which a batch waits for the sealer.
const FRESH_BYTES: usize = 32 << 20;
/// How long it waits.
const ROOM_WAIT: Duration = Duration::from_secs(10);

#[derive(Debug)]
enum Series {
    Known(Arc<Known>),
    Unknown(usize),
}

#[derive(Debug)]
struct Waiting {
    place: usize,
    series: Series,
    sample: Sample,
}

/// A batch that is being put together. Nothing is stored before
/// [`Batch::commit`], and then all of it is or nothing.
pub struct Batch<'s> {
    store: &'s Store,
    epoch: u64,
    places: usize,
    receipt: Receipt,
    samples: Vec<Waiting>,
    texts: Vec<(usize, Series, u64, String)>,
    unknown: Vec<(Arc<Origins>, Key, Unknown)>,
    unknown_places: HashMap<(usize, Key), usize>,
    origin: Arc<Origins>,
    origin_name: String,
    scratch: String,
}

impl<'s> Batch<'s> {
    pub(super) fn new(store: &'s Store) -> Self {
        Self {
            store,
            epoch: store.writer.epoch(),
            places: 0,
            receipt: Receipt::default(),
            samples: Vec::new(),
            texts: Vec::new(),
            unknown: Vec::new(),
            unknown_places: HashMap::new(),
            origin: Arc::default(),
            origin_name: String::new(),
            scratch: String::new(),
        }
    }

    /// Adds a sample. `describe` is asked only about a series that is not known
    /// yet.
    pub fn add(
        &mut self,
        origin: &Origin<'_>,
        checksum: &str,
        data_type: DataType,
        timestamp_ms: u64,
        reading: Reading<'_>,
        describe: impl FnOnce() -> NewSeries,
    ) {
        let place = self.places;
        self.places += 1;
        let polling_interval_ms = origin.polling_interval_ms.min(INTERVAL_MAX_MS);
        let origin = &Origin { polling_interval_ms, ..*origin };
        if timestamp_ms == 0 || timestamp_ms >= TIMESTAMP_END_MS {
            return self.receipt.refuse(place, Refusal::Timestamp);
        }
        if timestamp_ms < self.store.raw_start_ms() {
            return self.receipt.refuse(place, Refusal::Expired);
        }
        let reading = match reading {
            Reading::Number(Number::Fraction(value)) => match Number::from_float(value) {
                Some(value) => Reading::Number(value),
                None => return self.receipt.refuse(place, Refusal::NotFinite),
            },
            reading => reading,
        };
        self.turn_to(origin);
        let key = key_of(checksum);
        let known = self
            .origin
            .get(&key)
            .filter(|known| known.polling_interval_ms == origin.polling_interval_ms);
        let series = match known {
            Some(known) => Series::Known(known),
            None => Series::Unknown(self.unknown(origin, key, checksum, data_type, describe)),
        };
        let kept_type = match &series {
            Series::Known(known) => known.data_type,
            Series::Unknown(_) => data_type,
        };
        match (reading, kept_type) {
            (Reading::Text(text), DataType::Text) => {
                self.texts.push((place, series, timestamp_ms, cut(text).into()));
            }
            (Reading::Number(value), DataType::Text) => {
                self.texts.push((place, series, timestamp_ms, value.to_string()));
            }
            (Reading::Text(_), _) => self.receipt.refuse(place, Refusal::Text),
            (Reading::Number(value), _) => {
                self.samples.push(Waiting {
                    place,
                    series,
                    sample: Sample { timestamp_ms, value },
                });
            }
        }
    }

    /// Looks up the origin, unless it is the one of the last sample.
    fn turn_to(&mut self, origin: &Origin<'_>) {
        self.scratch.clear();
        for part in [origin.agent_id, origin.polled_target, origin.program] {
            self.scratch.push_str(part);
            // What no JSON text of a name holds keeps "ab" + "c" from "a" + "bc".
            self.scratch.push('\0');
        }
        if self.scratch != self.origin_name {
            self.origin = self.store.cache.origin(&self.scratch);
            std::mem::swap(&mut self.scratch, &mut self.origin_name);
        }
    }

    fn unknown(
        &mut self,
        origin: &Origin<'_>,
        key: Key,
        checksum: &str,
        data_type: DataType,
        describe: impl FnOnce() -> NewSeries,
    ) -> usize {
        let within = Arc::as_ptr(&self.origin) as usize;
        let next = self.unknown.len();
        let place = *self.unknown_places.entry((within, key)).or_insert(next);
        if place == next {
            let series = Unknown {
                agent_id: origin.agent_id.into(),
                polled_target: origin.polled_target.into(),
                program: origin.program.into(),
                polling_interval_ms: origin.polling_interval_ms,
                checksum: checksum.into(),
                data_type,
                new: describe(),
            };
            self.unknown.push((Arc::clone(&self.origin), key, series));
        }
        place
    }

    /// Stores the batch; returns when it is on the disk.
    pub fn commit(mut self) -> Result<Receipt, StoreError> {
        self.store.shared.backlog.wait_for_room(FRESH_BYTES, ROOM_WAIT)?;
        let entered = self.enter()?;
        let samples = self.settle_samples(&entered);
        let samples = self.leave_out_doubles(samples)?;
        let texts = self.settle_texts(&entered);

        let offered = texts.len();
        let watched = self.store.watch.texts_wanted(&texts);
        let append = Append { rows: rows(&samples), texts, epoch: self.epoch };
        if append.rows.is_empty() && append.texts.is_empty() {
            return Ok(self.receipt);
        }
        let newer = self.store.writer.append(append)?;
        for (known, sample) in &samples {
            known.last_ms.fetch_max(sample.timestamp_ms, Ordering::AcqRel);
        }
        self.store.watch.stored(&samples, &watched);
        self.receipt.stored += samples.len() + newer;
        self.receipt.already_there += offered - newer;
        self.store.shared.figures.stored(self.receipt.stored as u64, self.receipt.refused as u64);
        Ok(self.receipt)
    }

    /// Makes the unknown series known.
    fn enter(&mut self) -> Result<Vec<Result<Arc<Known>, Refusal>>, StoreError> {
        if self.unknown.is_empty() {
            return Ok(Vec::new());
        }
        let unknown: Vec<Unknown> =
            self.unknown.iter().map(|(_, _, series)| series.clone()).collect();
        let caps = self.store.caps();
        let entered = self
            .store
            .writer
            .run(move |transaction| register::enter(transaction, &unknown, caps))?;
        let mut known = Vec::with_capacity(entered.len());
        for (entered, (origin, key, series)) in entered.into_iter().zip(&self.unknown) {
            known.push(entered.map(|entered| {
                let fresh = Arc::new(Known {
                    id: entered.id,
                    data_type: entered.data_type,
                    polling_interval_ms: series.polling_interval_ms,
                    last_ms: AtomicU64::new(entered.last_ms),
                });
                self.store.cache.put(origin, *key, &fresh);
                fresh
            }));
        }
        Ok(known)
    }

    /// The samples with their series, sorted by hour, series and time; of equal
    /// ones the first.
    fn settle_samples(
        &mut self,
        entered: &[Result<Arc<Known>, Refusal>],
    ) -> Vec<(Arc<Known>, Sample)> {
        let mut samples = Vec::with_capacity(self.samples.len());
        for Waiting { place, series, sample } in std::mem::take(&mut self.samples) {
            match settle(series, entered) {
                Ok(known) if known.data_type == DataType::Text => {
                    self.receipt.refuse(place, Refusal::Text);
                }
                Ok(known) => samples.push((known, sample)),
                Err(why) => self.receipt.refuse(place, why),
            }
        }
        let order = |(known, sample): &(Arc<Known>, Sample)| {
            (hour_of(sample.timestamp_ms), known.id, sample.timestamp_ms)
        };
        samples.sort_by_key(order);
        let all = samples.len();
        samples.dedup_by_key(|sample| order(sample));
        self.receipt.already_there += all - samples.len();
        samples
    }

    fn settle_texts(&mut self, entered: &[Result<Arc<Known>, Refusal>]) -> Vec<TextRow> {
        let mut texts = Vec::with_capacity(self.texts.len());
        for (place, series, timestamp_ms, text) in std::mem::take(&mut self.texts) {
            match settle(series, entered) {
                Ok(known) if known.data_type == DataType::Text => {
                    texts.push(TextRow { series: known.id, timestamp_ms, text });
                }
                Ok(_) => self.receipt.refuse(place, Refusal::Text),
                Err(why) => self.receipt.refuse(place, why),
            }
        }
        texts
    }

    /// Without the samples that the store has. Two threads with the same batch
    /// at the same moment both pass; then the sealer, and every reader, keeps
    /// the first.
    fn leave_out_doubles(
        &mut self,
        mut samples: Vec<(Arc<Known>, Sample)>,
    ) -> Result<Vec<(Arc<Known>, Sample)>, StoreError> {
        let is_late = |(known, sample): &(Arc<Known>, Sample)| {
            sample.timestamp_ms <= known.last_ms.load(Ordering::Acquire)
        };
        let late: Vec<(usize, (SeriesId, u64))> = samples
            .iter()
            .enumerate()
            .filter(|(_, sample)| is_late(sample))
            .map(|(place, (known, sample))| (place, (known.id, sample.timestamp_ms)))
            .collect();
        if late.is_empty() {
            return Ok(samples);
        }
        let wanted: Vec<(SeriesId, u64)> = late.iter().map(|(_, wanted)| *wanted).collect();
        let there = self.store.readers.read(|connection| late::are_there(connection, &wanted))?;
        let mut keep = vec![true; samples.len()];
        for ((place, _), there) in late.iter().zip(there) {
            if let Some(keep) = keep.get_mut(*place) {
                *keep = !there;
            }
        }
        let all = samples.len();
        let mut keep = keep.into_iter();
        samples.retain(|_| keep.next().unwrap_or(true));
        self.receipt.already_there += all - samples.len();
        Ok(samples)
    }
}

fn settle(series: Series, entered: &[Result<Arc<Known>, Refusal>]) -> Result<Arc<Known>, Refusal> {
    match series {
        Series::Known(known) => Ok(known),
        // Every unknown series was entered or refused.
        Series::Unknown(place) => entered.get(place).cloned().unwrap_or(Err(Refusal::SeriesCap)),
    }
}

/// The rows of samples that are sorted by hour and series.
fn rows(samples: &[(Arc<Known>, Sample)]) -> Vec<RecentRow> {
    let together = |a: &(Arc<Known>, Sample), b: &(Arc<Known>, Sample)| {
        hour_of(a.1.timestamp_ms) == hour_of(b.1.timestamp_ms)
            && shard_of(a.0.id) == shard_of(b.0.id)
    };
    let mut plain = Vec::new();
    samples
        .chunk_by(together)
        .filter_map(|group| {
            let (known, sample) = group.first()?;
            plain.clear();
            plain.extend(group.iter().map(|(known, sample)| (known.id, *sample)));
            let times = plain.iter().map(|(_, sample)| sample.timestamp_ms);
            Some(RecentRow {
                hour: hour_of(sample.timestamp_ms),
                shard: shard_of(known.id),
                min_ms: times.clone().min()?,
                max_ms: times.max()?,
                content: recent::encode(&plain),
            })
        })
        .collect()
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(TEXT_CHARACTERS).map_or(text, |(end, _)| &text[..end])
}
