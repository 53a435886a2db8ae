//! Points out of samples and buckets.

use pattoo_common::datapoint::DataType;

use super::super::number::{Number, Sample};
use super::super::rate::{Follower, Growth};
use super::super::rollup::Bucket;
use super::{Aggregate, Point, PointsQuery};

/// Puts points together from samples and buckets in order of time.
pub(super) struct Builder {
    step_ms: Option<u64>,
    start_ms: u64,
    aggregate: Aggregate,
    points_max: usize,
    follower: Option<Follower>,
    open: Option<Bucket>,
    growth: Option<(u64, Growth)>,
    points: Vec<Point>,
    /// Of each point, where they are wanted.
    ranges: Option<Vec<(Number, Number)>>,
}

impl Builder {
    pub(super) fn new(
        query: &PointsQuery,
        step_ms: Option<u64>,
        start_ms: u64,
        data_type: DataType,
    ) -> Self {
        Self {
            step_ms,
            start_ms,
            aggregate: query.aggregate,
            points_max: query.points_max,
            follower: query.as_rate.then(|| Follower::new(data_type)),
            open: None,
            growth: None,
            points: Vec::new(),
            ranges: query.ranges.then(Vec::new),
        }
    }

    /// Whether another point may come; one more than allowed tells that there
    /// are too many.
    pub(super) fn room(&self) -> bool {
        self.points.len() <= self.points_max
    }

    fn step_of(&self, timestamp_ms: u64) -> u64 {
        self.step_ms.map_or(timestamp_ms, |step| timestamp_ms / step * step)
    }

    pub(super) fn sample(&mut self, sample: Sample) {
        let at_ms = self.step_of(sample.timestamp_ms);
        if let Some(follower) = &mut self.follower {
            let growth = follower.sample(sample);
            self.grow(at_ms, growth);
        } else if self.step_ms.is_none() {
            if at_ms >= self.start_ms && self.room() {
                self.points.push(Point { timestamp_ms: at_ms, value: sample.value });
            }
        } else {
            self.join(Bucket::of(at_ms, sample));
        }
    }

    pub(super) fn bucket(&mut self, bucket: &Bucket) {
        let at_ms = self.step_of(bucket.start_ms);
        if let Some(follower) = &mut self.follower {
            let growth = follower.bucket(bucket);
            self.grow(at_ms, growth);
        } else {
            self.join(Bucket { start_ms: at_ms, ..*bucket });
        }
    }

    fn join(&mut self, next: Bucket) {
        match &mut self.open {
            Some(open) if open.start_ms == next.start_ms => open.add(&next),
            _ => {
                self.close_bucket();
                self.open = Some(next);
            }
        }
    }

    fn close_bucket(&mut self) {
        let Some(bucket) = self.open.take() else { return };
        let value = match self.aggregate {
            Aggregate::Min => Some(bucket.min),
            Aggregate::Max => Some(bucket.max),
            Aggregate::Last => Some(bucket.last),
            Aggregate::Count => Some(u64::from(bucket.count).into()),
            // The mean of one value is that value, exactly.
            Aggregate::Mean if bucket.count == 1 => Some(bucket.last),
            Aggregate::Mean => Number::from_float(bucket.mean),
        };
        if self.push(bucket.start_ms, value)
            && let Some(ranges) = &mut self.ranges
        {
            ranges.push((bucket.min, bucket.max));
        }
    }

    fn grow(&mut self, at_ms: u64, growth: Option<Growth>) {
        let Some(growth) = growth else { return };
        match &mut self.growth {
            Some((open_ms, open)) if *open_ms == at_ms => open.add(growth),
            _ => {
                self.close_growth();
                self.growth = Some((at_ms, growth));
            }
        }
    }

    fn close_growth(&mut self) {
        if let Some((at_ms, growth)) = self.growth.take() {
            self.push(at_ms, growth.rate().and_then(Number::from_float));
        }
    }

    /// Whether it became a point.
    fn push(&mut self, timestamp_ms: u64, value: Option<Number>) -> bool {
        let Some(value) = value else { return false };
        if timestamp_ms < self.start_ms || !self.room() {
            return false;
        }
        self.points.push(Point { timestamp_ms, value });
        true
    }

    pub(super) fn finish(mut self) -> (Vec<Point>, Vec<(Number, Number)>) {
        self.close_bucket();
        self.close_growth();
        if self.step_ms.is_some() {
            self.points.truncate(self.points_max);
        }
        let mut ranges = self.ranges.unwrap_or_default();
        ranges.truncate(self.points.len());
        (self.points, ranges)
    }
}
