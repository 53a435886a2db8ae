//! Rates of counters, reckoned on reading. A counter only grows, so a fall is
//! a restart: the time over which it fell counts for nothing, neither below
//! zero nor as a spike. A 32-bit counter that falls from near its top to near
//! its bottom has wrapped.

use pattoo_common::datapoint::DataType;

use super::number::{Number, Sample};
use super::rollup::Bucket;

/// One more than a 32-bit counter holds.
const WRAP: f64 = 4_294_967_296.0;
/// How near the top and the bottom a wrap begins and ends: a quarter.
const NEAR: f64 = WRAP / 4.0;

/// By how much a counter grew, over what time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Growth {
    pub(super) by: f64,
    pub(super) seconds: f64,
}

impl Growth {
    /// Per second; none over no time.
    pub(super) fn rate(self) -> Option<f64> {
        (self.seconds > 0.0).then(|| self.by / self.seconds)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.by += other.by;
        self.seconds += other.seconds;
    }
}

/// Follows a counter through time. A gauge may be followed too: then every
/// change counts, up or down.
#[derive(Debug)]
pub(super) struct Follower {
    data_type: DataType,
    last: Option<(u64, Number)>,
}

impl Follower {
    pub(super) fn new(data_type: DataType) -> Self {
        Self { data_type, last: None }
    }

    fn is_counter(&self) -> bool {
        matches!(self.data_type, DataType::Counter32 | DataType::Counter64)
    }

    /// The growth up to this sample; none for the first and after a restart.
    pub(super) fn sample(&mut self, sample: Sample) -> Option<Growth> {
        self.step(sample.timestamp_ms, sample.value)
    }

    fn step(&mut self, timestamp_ms: u64, value: Number) -> Option<Growth> {
        let (last_ms, last) = self.last.replace((timestamp_ms, value))?;
        let seconds = timestamp_ms.saturating_sub(last_ms) as f64 / 1000.0;
        let by = self.grown(last, value)?;
        Some(Growth { by, seconds })
    }

    fn grown(&self, last: Number, value: Number) -> Option<f64> {
        let by = value.minus(last);
        if by >= 0.0 || !self.is_counter() {
            return Some(by);
        }
        let wraps = self.data_type == DataType::Counter32
            && last.as_f64() < WRAP
            && last.as_f64() >= WRAP - NEAR
            && value.as_f64() < NEAR;
        wraps.then_some(by + WRAP)
    }

    /// The growth up to the end of this bucket, from the last sample of the one
    /// before. A bucket within which the counter fell counts for nothing, unless
    /// it wrapped.
    pub(super) fn bucket(&mut self, bucket: &Bucket) -> Option<Growth> {
        let before = self.last.map(|(_, value)| value);
        let growth = self.step(bucket.start_ms, bucket.last)?;
        if !self.is_counter() {
            return Some(growth);
        }
        let before = before?;
        let fell = bucket.min.minus(before) < 0.0 || bucket.max.minus(bucket.last) > 0.0;
        // After a wrap the least is near the bottom and the last below where it
        // came from, and `step` has seen that already.
        let wrapped = bucket.last.minus(before) < 0.0;
        (!fell || wrapped).then_some(growth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(data_type: DataType, values: &[u64]) -> Vec<Option<f64>> {
        let mut follower = Follower::new(data_type);
        let step = |(n, value): (usize, &u64)| {
            let sample = Sample { timestamp_ms: n as u64 * 10_000, value: (*value).into() };
            follower.sample(sample).and_then(Growth::rate)
        };
        values.iter().enumerate().map(step).collect()
    }

    #[test]
    fn a_fall_is_a_restart() {
        let rates = follow(DataType::Counter64, &[1000, 1100, 50, 150]);
        assert_eq!(rates, [None, Some(10.0), None, Some(10.0)]);
    }

    #[test]
    fn a_32_bit_counter_wraps_near_its_top_only() {
        let top = u64::from(u32::MAX);
        let rates = follow(DataType::Counter32, &[top - 49, 50, 2_000_000_000, 10]);
        assert_eq!(rates, [None, Some(10.0), Some(199_999_995.0), None]);
        assert_eq!(follow(DataType::Counter64, &[top - 49, 50]), [None, None]);
    }

    #[test]
    fn counters_near_the_top_of_64_bits_are_exact() {
        let rates = follow(DataType::Counter64, &[u64::MAX - 30, u64::MAX]);
        assert_eq!(rates, [None, Some(3.0)]);
    }

    #[test]
    fn a_gauge_may_sink() {
        assert_eq!(follow(DataType::Gauge, &[20, 10]), [None, Some(-1.0)]);
    }

    #[test]
    fn a_bucket_with_a_restart_counts_for_nothing() {
        let bucket = |n: u64, min: u64, max: u64, last: u64| Bucket {
            start_ms: n * 300_000,
            count: 30,
            min: min.into(),
            max: max.into(),
            last: last.into(),
            mean: 0.0,
        };
        let mut follower = Follower::new(DataType::Counter64);
        assert_eq!(follower.bucket(&bucket(0, 0, 300, 300)), None);
        assert_eq!(follower.bucket(&bucket(1, 310, 600, 600)).and_then(Growth::rate), Some(1.0));
        // It fell to 5 and rose past where it had been.
        assert_eq!(follower.bucket(&bucket(2, 5, 900, 900)), None);
        // It rose, and fell to 700 before the end.
        assert_eq!(follower.bucket(&bucket(3, 700, 950, 720)), None);
        assert_eq!(follower.bucket(&bucket(4, 730, 1020, 1020)).and_then(Growth::rate), Some(1.0));

        let top = u64::from(u32::MAX);
        let mut follower = Follower::new(DataType::Counter32);
        follower.bucket(&bucket(0, top - 500, top - 149, top - 149));
        let wrapped = follower.bucket(&bucket(1, 5, top - 5, 150));
        assert_eq!(wrapped.and_then(Growth::rate), Some(1.0));
    }
}
