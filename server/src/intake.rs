//! From the wire into the store: the samples of a posted document, each told as
//! the catalogue names it.

use std::borrow::Cow;

use pattoo_common::document::{Document, Sample, SampleValue};

use crate::store::{NewSeries, Number, Origin, Reading, Receipt, Store, StoreError};

/// The datapoints that could not be understood are listed up to this number;
/// all are counted.
const BAD_LISTED: usize = 100;

/// What became of a document.
#[derive(Debug, Default)]
pub struct Intake {
    /// What the store says of the datapoints that were understood.
    pub receipt: Receipt,
    /// How many could not be understood.
    pub bad: usize,
    /// Which of them and why: the first hundred.
    pub reasons: Vec<String>,
}

/// Stores the good datapoints of a document; returns when they are durable. One
/// that is bad does not spoil the others.
pub fn take(store: &Store, document: &Document<'_>) -> Result<Intake, StoreError> {
    let mut intake = Intake::default();
    let mut batch = store.batch();
    for sample in document.samples() {
        match sample {
            Ok(sample) => {
                let [interval, _, agent_id, polled_target, program] = &sample.agent;
                let origin = Origin {
                    agent_id,
                    polled_target,
                    program,
                    polling_interval_ms: interval.parse().unwrap_or(document.interval_ms()),
                };
                let Sample { checksum, data_type, timestamp_ms, .. } = &sample;
                let describe = || described(&sample, program);
                batch.add(&origin, checksum, *data_type, *timestamp_ms, reading(&sample), describe);
            }
            Err(reason) => {
                intake.bad += 1;
                if intake.reasons.len() < BAD_LISTED {
                    intake.reasons.push(reason);
                }
            }
        }
    }
    intake.receipt = batch.commit()?;
    Ok(intake)
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
    NewSeries {
        key: named(&sample.key),
        pairs: sample.metadata.iter().map(|(key, value)| (named(key), value.to_string())).collect(),
    }
}
