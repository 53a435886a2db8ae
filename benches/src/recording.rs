//! Figures of a real spoke, recorded every second, and played again with noise.

use std::collections::HashMap;

use pattoo_common::datapoint::DataType;
use pattoo_common::document::{Document, SampleValue};

/// Noise of a counter: its growth is up to this share more or less.
const GROWTH_NOISE: f64 = 0.1;
/// Noise of a gauge: this share of its range in the recording, to both sides.
const RANGE_NOISE: f64 = 0.1;

/// The series of a recording, in the order of its first document.
pub struct Recording {
    series: Vec<Series>,
    polls: usize,
}

/// One series: whole numbers, of a gauge with a fraction in units of its last
/// decimal place.
struct Series {
    data_type: DataType,
    decimals: usize,
    values: Vec<i64>,
    /// Everything grows, or differs, by a multiple of this; 0 if nothing does.
    unit: i64,
}

/// Where the figures of one spoke stand.
pub struct Player {
    noise: u64,
    counts: Vec<i64>,
}

impl Recording {
    /// Of the answers of a spoke to polls, one a second.
    pub fn new(answers: &[Vec<u8>]) -> Self {
        let mut found: HashMap<String, Vec<f64>> = HashMap::new();
        for answer in answers {
            for sample in Document::parse(answer).expect("a document").samples().flatten() {
                let value = match sample.value {
                    SampleValue::Integer(value) => value as f64,
                    SampleValue::Signed(value) => value as f64,
                    SampleValue::Float(value) => value,
                    SampleValue::Text(_) => 0.0,
                };
                found.entry(sample.checksum.into_owned()).or_default().push(value);
            }
        }
        let first = Document::parse(&answers[0]).expect("a document");
        let series = first.samples().flatten();
        let series = series.map(|sample| Series::new(sample.data_type, &found[&*sample.checksum]));
        Self { series: series.collect(), polls: answers.len() }
    }

    /// How many series there are, and how many of them changed.
    pub fn count(&self) -> (usize, usize) {
        (self.series.len(), self.series.iter().filter(|series| series.unit > 0).count())
    }

    /// The figures of a spoke, which begin somewhere in the recording.
    pub fn player(&self, spoke: usize) -> Player {
        let counts = self.series.iter().map(|series| series.values[0]).collect();
        Player { noise: (spoke as u64 + 1) * 0x9E37_79B9_7F4A_7C15, counts }
    }

    /// The value of a series at the poll that `place` stands for, `span` seconds
    /// after the one before, as JSON.
    pub fn value(&self, series: usize, place: usize, span: usize, player: &mut Player) -> String {
        let (of, count) = (&self.series[series], &mut player.counts[series]);
        let at = |place: usize| of.values[place.min(of.values.len() - 1)];
        let place = place % (self.polls - span);
        let noise = noise(&mut player.noise);
        let units = |size: f64| whole(size / of.unit.max(1) as f64) * of.unit;
        if matches!(of.data_type, DataType::Counter32 | DataType::Counter64) {
            let growth = (at(place + span) - at(place)).max(0);
            *count += growth + units(growth as f64 * GROWTH_NOISE * noise);
            return count.to_string();
        }
        let value = (at(place) + units(of.range() * RANGE_NOISE * noise)).max(0);
        match of.decimals {
            0 => value.to_string(),
            decimals => (value as f64 / scale(decimals)).to_string(),
        }
    }
}

impl Series {
    fn new(data_type: DataType, values: &[f64]) -> Self {
        let decimals = values.iter().map(|value| {
            let text = value.to_string();
            text.split_once('.').map_or(0, |(_, fraction)| fraction.len())
        });
        let decimals = decimals.max().unwrap_or(0);
        let values: Vec<i64> = values.iter().map(|value| whole(value * scale(decimals))).collect();
        let unit = values.windows(2).fold(0, |unit, two| divisor(unit, (two[1] - two[0]).abs()));
        Self { data_type, decimals, values, unit }
    }

    fn range(&self) -> f64 {
        let greatest = self.values.iter().max().expect("it was recorded");
        (greatest - self.values.iter().min().expect("it was recorded")) as f64
    }
}

impl Player {
    /// A number below `end`.
    pub fn any(&mut self, end: u64) -> u64 {
        noise(&mut self.noise);
        self.noise % end
    }
}

fn scale(decimals: usize) -> f64 {
    10_f64.powi(i32::try_from(decimals).expect("few"))
}

#[allow(clippy::cast_possible_truncation, reason = "figures of a machine are far below 2^53")]
fn whole(value: f64) -> i64 {
    value.round() as i64
}

/// The greatest common divisor.
fn divisor(one: i64, other: i64) -> i64 {
    if other == 0 { one } else { divisor(other, one % other) }
}

/// From -1 to 1: xorshift, after Marsaglia.
fn noise(state: &mut u64) -> f64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}
