//! Rates of counters, reckoned on reading. A counter only grows, so a fall is
//! a restart: the time over which it fell counts for nothing, neither below
//! zero nor as a spike. A 32-bit counter that falls from near its top to near
//! its bottom has wrapped.

use pattoo_common::datapoint::DataType;

use super::course::Course;
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
    /// So much from one time to another.
    pub(super) fn between(from_ms: u64, to_ms: u64, by: f64) -> Self {
        Self { by, seconds: to_ms.saturating_sub(from_ms) as f64 / 1000.0 }
    }

    /// Per second; none over no time.
    pub(super) fn rate(self) -> Option<f64> {
        (self.seconds > 0.0).then(|| self.by / self.seconds)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.by += other.by;
        self.seconds += other.seconds;
    }
}

pub(super) fn is_counter(data_type: DataType) -> bool {
    matches!(data_type, DataType::Counter32 | DataType::Counter64)
}

/// By how much a series grew from one value to the next; none where a counter fell,
/// unless it wrapped.
pub fn grown(data_type: DataType, last: Number, value: Number) -> Option<f64> {
    let by = value.minus(last);
    if by >= 0.0 || !is_counter(data_type) {
        return Some(by);
    }
    let wraps = data_type == DataType::Counter32
        && last.as_f64() < WRAP
        && last.as_f64() >= WRAP - NEAR
        && value.as_f64() < NEAR;
    wraps.then_some(by + WRAP)
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

    /// The growth up to this sample; none for the first and after a restart.
    pub(super) fn sample(&mut self, sample: Sample) -> Option<Growth> {
        self.step(sample.timestamp_ms, sample.value)
    }

    fn step(&mut self, timestamp_ms: u64, value: Number) -> Option<Growth> {
        let (last_ms, last) = self.last.replace((timestamp_ms, value))?;
        let by = grown(self.data_type, last, value)?;
        Some(Growth::between(last_ms, timestamp_ms, by))
    }

    /// The growth up to the end of this bucket, from the last sample of the one
    /// before: what its samples would give one after the other. Of a gauge, from the
    /// second bucket on.
    pub(super) fn bucket(&mut self, bucket: &Bucket) -> Option<Growth> {
        let Course { first_ms, last_ms, first, within } = bucket.course;
        if !is_counter(self.data_type) {
            return self.step(last_ms, bucket.last);
        }
        let mut growth = self.step(first_ms, first).unwrap_or_default();
        growth.add(within);
        self.last = Some((last_ms, bucket.last));
        (growth.seconds > 0.0).then_some(growth)
    }
}

#[cfg(test)]
mod tests {
    use super::super::rollup::reckon;
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

    /// Rates by steps of 300 s, from the samples and from their roll-ups.
    fn both(data_type: DataType, samples: &[(u64, u64)]) -> [Vec<(u64, f64)>; 2] {
        const STEP_MS: u64 = 300_000;
        let samples: Vec<Sample> = samples
            .iter()
            .map(|(at_s, value)| Sample { timestamp_ms: at_s * 1000, value: (*value).into() })
            .collect();
        let step = |at_ms: u64| at_ms / STEP_MS * 300;
        let mut follower = Follower::new(data_type);
        let mut steps: Vec<(u64, Growth)> = Vec::new();
        for sample in &samples {
            let Some(growth) = follower.sample(*sample) else { continue };
            match steps.last_mut() {
                Some((at, open)) if *at == step(sample.timestamp_ms) => open.add(growth),
                _ => steps.push((step(sample.timestamp_ms), growth)),
            }
        }
        let raw = steps.iter().filter_map(|(at, growth)| Some((*at, growth.rate()?))).collect();
        let mut follower = Follower::new(data_type);
        let buckets = reckon(&samples, STEP_MS, data_type);
        let rate =
            |bucket: &Bucket| Some((step(bucket.start_ms), follower.bucket(bucket)?.rate()?));
        [raw, buckets.iter().filter_map(rate).collect()]
    }

    #[test]
    fn a_step_that_samples_cover_in_part_is_divided_by_what_they_cover() {
        // 1 a second; nothing between 100 and 700 s, and the last step just begun.
        let times = (0..=100).step_by(10).chain((700..=930).step_by(10));
        let samples: Vec<(u64, u64)> = times.map(|at| (at, 5_000 + at)).collect();
        let [raw, rolled] = both(DataType::Counter64, &samples);
        assert_eq!(rolled, [(0, 1.0), (600, 1.0), (900, 1.0)]);
        assert_eq!(raw, rolled);
    }

    #[test]
    fn a_restart_costs_the_time_between_two_samples_and_no_more() {
        // 2 a second; it restarts between 150 and 160 s, between 590 and 600, where a
        // step ends, and after the gap from 1,190 to 1,500 s.
        let value = |at: u64| match at {
            0..=150 => 1_000 + 2 * at,
            160..=590 => 2 * (at - 155),
            600..=1_190 => 2 * (at - 595),
            _ => 2 * (at - 1_490),
        };
        let times = (0..=1_190).step_by(10).chain((1_500..1_800).step_by(10));
        let samples: Vec<(u64, u64)> = times.map(|at| (at, value(at))).collect();
        for data_type in [DataType::Counter64, DataType::Counter32] {
            let [raw, rolled] = both(data_type, &samples);
            assert_eq!(rolled, [(0, 2.0), (300, 2.0), (600, 2.0), (900, 2.0), (1_500, 2.0)]);
            assert_eq!(raw, rolled);
        }
    }

    #[test]
    fn wraps_within_a_step_and_between_two_are_growth() {
        let top = u64::from(u32::MAX) + 1;
        // Seven million a second: it wraps every ten minutes or so.
        let value = |at: u64| (top - 7_000_000 * 145 + 7_000_000 * at) % top;
        let samples: Vec<(u64, u64)> = (0..3_000).step_by(10).map(|at| (at, value(at))).collect();
        let [raw, rolled] = both(DataType::Counter32, &samples);
        assert_eq!(rolled.len(), 10);
        assert!(rolled.iter().all(|(_, rate)| (rate - 7e6).abs() < 1e-6), "{rolled:?}");
        assert_eq!(raw, rolled);
    }

    #[test]
    fn a_gauge_is_followed_from_bucket_to_bucket() {
        let samples: Vec<(u64, u64)> = (0..90).map(|n| (n * 10, 9_000 - n * n)).collect();
        let [raw, rolled] = both(DataType::Gauge, &samples);
        // From roll-ups there is none before the second.
        assert_eq!(raw[1..], rolled);
    }
}
