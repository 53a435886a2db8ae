//! How a series went through the stretch of time of a roll-up: what rates need to
//! know of its samples, so that they are the same when those are gone.
//!
//! Nearly every course is steady: it grew from the least value to the last, and
//! then only the times of its first and last sample are kept, which neighbouring
//! series share. The others, of counters that fell, are listed.

use pattoo_common::datapoint::DataType;

use super::blob::Damage;
use super::chunk::{from_bits, to_bits};
use super::number::{Number, Sample};
use super::rate::{Follower, Growth, is_counter};

/// Bytes of a listed course.
const LISTED_BYTES: usize = 2 + 1 + 8 + 8 + 8;

/// How a series went. Its last value stands in the roll-up itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Course {
    /// When its first sample was taken, milliseconds since 1970.
    pub(super) first_ms: u64,
    /// When its last was.
    pub(super) last_ms: u64,
    /// Its first value; of a gauge the least.
    pub(super) first: Number,
    /// From its first sample to its last; over nothing but the time in which it
    /// did not fall.
    pub(super) within: Growth,
}

impl Course {
    /// Of a counter that did not fall. Of a gauge only the times are of use.
    pub(super) fn steady((first_ms, last_ms): (u64, u64), min: Number, last: Number) -> Self {
        let within = Growth::between(first_ms, last_ms, last.minus(min));
        Self { first_ms, last_ms, first: min, within }
    }

    /// Of the samples of a roll-up, in order of time.
    pub(super) fn of(samples: &[Sample], min: Number, data_type: DataType) -> Option<Self> {
        let (first, last) = (samples.first()?, samples.last()?);
        let (first_ms, last_ms) = (first.timestamp_ms, last.timestamp_ms);
        let rose = |pair: &[Sample]| !matches!(pair, [a, b] if b.value.minus(a.value) < 0.0);
        if !is_counter(data_type) || samples.windows(2).all(rose) {
            return Some(Self::steady((first_ms, last_ms), min, last.value));
        }
        let mut follower = Follower::new(data_type);
        let mut within = Growth::default();
        for growth in samples.iter().filter_map(|sample| follower.sample(*sample)) {
            within.add(growth);
        }
        Some(Self { first_ms, last_ms, first: first.value, within })
    }

    fn is_steady(&self, min: Number, last: Number) -> bool {
        *self == Self::steady((self.first_ms, self.last_ms), min, last)
    }

    /// Writes it, with its place among the others of its list, if it is not steady;
    /// says whether it did.
    pub(super) fn list(
        &self,
        place: usize,
        (min, last): (Number, Number),
        listed: &mut Vec<u8>,
    ) -> bool {
        if self.is_steady(min, last) {
            return false;
        }
        let (tag, bits) = to_bits(self.first);
        listed.extend_from_slice(&u16::try_from(place).unwrap_or(u16::MAX).to_le_bytes());
        listed.push(tag);
        listed.extend_from_slice(&bits.to_le_bytes());
        listed.extend_from_slice(&self.within.by.to_le_bytes());
        listed.extend_from_slice(&self.within.seconds.to_le_bytes());
        true
    }

    /// The next of a list, with its place; its times come from elsewhere.
    pub(super) fn next_listed(list: &mut &[u8]) -> Result<Option<(usize, Number, Growth)>, Damage> {
        if list.is_empty() {
            return Ok(None);
        }
        let short = Damage("a list of courses is cut short");
        let (listed, rest) = list.split_first_chunk::<LISTED_BYTES>().ok_or(short)?;
        *list = rest;
        let [p0, p1, tag, numbers @ ..] = *listed;
        let [bits, by, seconds] = *numbers.as_chunks::<8>().0 else { return Err(short) };
        let place = usize::from(u16::from_le_bytes([p0, p1]));
        let first = from_bits(tag.into(), u64::from_le_bytes(bits))?;
        let within = Growth { by: f64::from_le_bytes(by), seconds: f64::from_le_bytes(seconds) };
        Ok(Some((place, first, within)))
    }
}
