//! From the wire into the store: the samples of a posted document, each told as
//! the catalogue names it. What is bad about one datapoint does not spoil the
//! others.
//!
//! The checksum of a datapoint is taken as the name that its agent chose for the
//! series: 64 hexadecimal digits, and no more is asked of it. To reckon it anew
//! would cost about twenty SHA-256 a datapoint, some ten times all else that is
//! done with it, and prove nothing: there is no secret in it, and an agent whose
//! rule differs (of an older release, say) would lose its figures.

use std::borrow::Cow;

use pattoo_common::document::{Document, Sample, SampleValue};
use pattoo_common::quoted::quoted;

use crate::store::{DAY_MS, NewSeries, Number, Origin, Reading, Receipt, Store, StoreError};

/// A datapoint further ahead of the server's clock than this is refused.
pub const MAX_AHEAD_MS: u64 = DAY_MS;
/// Refusals that are listed; all are counted.
pub const REFUSALS_LISTED: usize = 100;
/// Bytes of an agent's id, its target and its program.
const MAX_NAME_BYTES: usize = 512;
/// Digits of a checksum.
const CHECKSUM_DIGITS: usize = 64;

/// What became of a document.
#[derive(Debug, Default)]
pub struct Intake {
    /// What the store says of the datapoints that were understood.
    pub receipt: Receipt,
    /// How many could not be understood.
    pub bad: usize,
    /// How many are too far ahead of the clock.
    pub ahead: usize,
    /// Which datapoints were not taken, and why: the first hundred.
    pub reasons: Vec<String>,
}

impl Intake {
    /// How many datapoints were not taken.
    pub fn refused(&self) -> usize {
        self.bad + self.ahead + self.receipt.refused
    }

    fn list(&mut self, reason: impl FnOnce() -> String) {
        if self.reasons.len() < REFUSALS_LISTED {
            self.reasons.push(reason());
        }
    }
}

/// Stores the good datapoints of a document; returns when they are durable.
/// `now_ms` is the time of the server's clock.
pub fn take(store: &Store, document: &Document<'_>, now_ms: u64) -> Result<Intake, StoreError> {
    take_watched(store, document, now_ms, |_| {})
}

/// Likewise, and shows every good datapoint to `watch`.
pub fn take_watched<'d>(
    store: &Store,
    document: &'d Document<'_>,
    now_ms: u64,
    mut watch: impl FnMut(&Sample<'d>),
) -> Result<Intake, StoreError> {
    let mut intake = Intake::default();
    let mut batch = store.batch();
    // The numbers of the datapoints that the batch does not get.
    let mut kept_back = Vec::new();
    for (number, sample) in document.samples().enumerate() {
        let checked = sample.and_then(|sample| match check(&sample) {
            Ok(interval_ms) => Ok((sample, interval_ms)),
            Err(reason) => Err(format!("{}: {reason}", name(number, &sample))),
        });
        let (sample, polling_interval_ms) = match checked {
            Ok(checked) => checked,
            Err(reason) => {
                intake.bad += 1;
                intake.list(|| reason);
                kept_back.push(number);
                continue;
            }
        };
        if sample.timestamp_ms > now_ms.saturating_add(MAX_AHEAD_MS) {
            intake.ahead += 1;
            intake.list(|| ahead(number, &sample, now_ms));
            kept_back.push(number);
            continue;
        }
        watch(&sample);
        let [_, _, agent_id, polled_target, program] = &sample.agent;
        let origin = Origin { agent_id, polled_target, program, polling_interval_ms };
        let Sample { checksum, data_type, timestamp_ms, .. } = &sample;
        let describe = || described(&sample, program);
        batch.add(&origin, checksum, *data_type, *timestamp_ms, reading(&sample), describe);
    }
    intake.receipt = batch.commit()?;
    if intake.receipt.refused > 0 {
        name_refusals(document, &kept_back, &mut intake);
    }
    Ok(intake)
}

/// Looks at what the store does not look at; gives the polling interval.
fn check(sample: &Sample<'_>) -> Result<u64, String> {
    let [interval, _, agent_id, polled_target, program] = &sample.agent;
    for (key, name) in [
        ("pattoo_agent_id", agent_id),
        ("pattoo_agent_polled_target", polled_target),
        ("pattoo_agent_program", program),
    ] {
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            let found = name.len();
            return Err(format!("{key} has {found} bytes, 1 to {MAX_NAME_BYTES} are wanted"));
        }
    }
    let checksum = sample.checksum.as_bytes();
    if checksum.len() != CHECKSUM_DIGITS || !checksum.iter().all(u8::is_ascii_hexdigit) {
        let shown = quoted(&sample.checksum);
        return Err(format!("pattoo_checksum {shown} is not {CHECKSUM_DIGITS} hex digits"));
    }
    match interval.parse() {
        Ok(interval_ms) if interval_ms > 0 => Ok(interval_ms),
        _ => Err(format!(
            "pattoo_agent_polling_interval {} is no number of milliseconds",
            quoted(interval)
        )),
    }
}

fn ahead(number: usize, sample: &Sample<'_>, now_ms: u64) -> String {
    let hours = (sample.timestamp_ms - now_ms) / 3_600_000;
    format!(
        "{}: its timestamp {} is {hours} hours ahead of the server's clock; set the clock of its host",
        name(number, sample),
        sample.timestamp_ms
    )
}

/// Lists what the store refused, by the datapoints' numbers and names.
fn name_refusals(document: &Document<'_>, kept_back: &[usize], intake: &mut Intake) {
    let mut refusals = std::mem::take(&mut intake.receipt.refusals);
    refusals.sort_unstable_by_key(|(place, _)| *place);
    let mut refused = refusals.iter().peekable();
    let mut kept_back = kept_back.iter().peekable();
    let mut place = 0;
    for (number, sample) in document.samples().enumerate() {
        if kept_back.next_if_eq(&&number).is_some() {
            continue;
        }
        while let Some((_, why)) = refused.next_if(|(refused, _)| *refused == place) {
            if let Ok(sample) = &sample {
                intake.list(|| format!("{}: {why}", name(number, sample)));
            }
        }
        if refused.peek().is_none() {
            break;
        }
        place += 1;
    }
    intake.receipt.refusals = refusals;
}

/// `datapoint 7, "uptime" of "web1"`
fn name(number: usize, sample: &Sample<'_>) -> String {
    format!("datapoint {number}, {} of {}", quoted(&sample.key), quoted(sample.polled_target()))
}

fn reading<'s>(sample: &'s Sample<'_>) -> Reading<'s> {
    match &sample.value {
        SampleValue::Integer(value) => Reading::Number(Number::from(*value)),
        SampleValue::Signed(value) => Reading::Number(Number::from(*value)),
        // The reader of documents lets no float pass that is not finite.
        SampleValue::Float(value) => {
            Reading::Number(Number::from_float(*value).unwrap_or(Number::Integer(0)))
        }
        SampleValue::Text(text) => Reading::Text(text),
    }
}

/// Keys carry the name of their program before them, as translations want it.
fn described(sample: &Sample<'_>, program: &str) -> NewSeries {
    let named = |key: &Cow<'_, str>| format!("{program}_{key}");
    let pairs = sample.metadata().into_iter();
    NewSeries {
        key: named(&sample.key),
        pairs: pairs.map(|(key, value)| (named(&key), value.into_owned())).collect(),
    }
}
