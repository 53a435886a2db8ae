//! Roll-ups: count, lowest, greatest, mean and last of each five minutes and
//! each hour, reckoned from the samples of a whole day and never added to.
//!
//! A stored row holds the buckets of one series and day as columns. Where the
//! values are decimals, the columns are whole units: last, how far the greatest
//! lies above it and the least below it, and the sum of what the samples lie
//! above the lowest, which gives the mean back exactly.

use super::blob::Damage;
use super::chunk::{
    Effort, as_decimals, decode_values, encode_values, from_units, pack, power, unpack,
};
use super::number::{Number, Sample};

const FORM_DECIMAL: u8 = 1;
const FORM_GENERAL: u8 = 2;

/// What the samples of one stretch of time come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// Where the stretch begins, milliseconds since 1970.
    pub start_ms: u64,
    /// How many samples; never 0.
    pub count: u32,
    /// The least value.
    pub min: Number,
    /// The greatest value.
    pub max: Number,
    /// The latest value.
    pub last: Number,
    /// The mean of the values.
    pub mean: f64,
}

impl Bucket {
    /// The bucket of a single sample.
    pub fn of(start_ms: u64, value: Number) -> Self {
        Self { start_ms, count: 1, min: value, max: value, last: value, mean: value.as_f64() }
    }

    /// Takes in what follows in time.
    pub fn add(&mut self, next: &Self) {
        let count = self.count.saturating_add(next.count);
        // Weighted, so that neither large sums nor many steps lose much.
        self.mean += (next.mean - self.mean) * (f64::from(next.count) / f64::from(count));
        self.count = count;
        self.min = self.min.min(next.min);
        self.max = self.max.max(next.max);
        self.last = next.last;
    }
}

/// The buckets of samples in order of time.
pub(super) fn reckon(samples: &[Sample], step_ms: u64) -> Vec<Bucket> {
    samples
        .chunk_by(|a, b| a.timestamp_ms / step_ms == b.timestamp_ms / step_ms)
        .filter_map(|samples| {
            let (first, last) = (samples.first()?, samples.last()?);
            let mut bucket = Bucket::of(first.timestamp_ms / step_ms * step_ms, first.value);
            bucket.count = u32::try_from(samples.len()).unwrap_or(u32::MAX);
            bucket.last = last.value;
            let mut above = 0.0;
            for sample in samples {
                bucket.min = bucket.min.min(sample.value);
                bucket.max = bucket.max.max(sample.value);
            }
            for sample in samples {
                above += sample.value.minus(bucket.min);
            }
            bucket.mean = bucket.min.as_f64() + above / samples.len() as f64;
            Some(bucket)
        })
        .collect()
}

fn columns(head: &[u8], columns: &[Vec<u8>]) -> Vec<u8> {
    let mut content = head.to_vec();
    for column in columns {
        content.extend_from_slice(&u32::try_from(column.len()).unwrap_or(u32::MAX).to_le_bytes());
        content.extend_from_slice(column);
    }
    content
}

fn next_column<'a>(content: &mut &'a [u8]) -> Result<&'a [u8], Damage> {
    let short = Damage("a roll-up is cut short");
    let (length, rest) = content.split_first_chunk::<4>().ok_or(short)?;
    let (column, rest) =
        rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or(short)?;
    *content = rest;
    Ok(column)
}

/// The buckets of one series and day, ready for [`super::blob::seal`].
pub(super) fn encode(buckets: &[Bucket], day_start_ms: u64, step_ms: u64) -> Vec<u8> {
    let effort = Effort::Thorough;
    let places: Vec<u16> = buckets
        .iter()
        .map(|bucket| {
            let place = bucket.start_ms.saturating_sub(day_start_ms) / step_ms;
            u16::try_from(place).unwrap_or(u16::MAX)
        })
        .collect();
    let counts: Vec<u32> = buckets.iter().map(|bucket| bucket.count).collect();
    let (places, counts) = (pack(&places, effort), pack(&counts, effort));
    if let Some((decimals, [last, above, below, sums])) = in_units(buckets) {
        let packed = [
            places,
            counts,
            pack(&last, effort),
            pack(&above, effort),
            pack(&below, effort),
            pack(&sums, effort),
        ];
        return columns(&[FORM_DECIMAL, decimals], &packed);
    }
    let values = |pick: fn(&Bucket) -> Number| {
        encode_values(&buckets.iter().map(pick).collect::<Vec<_>>(), effort)
    };
    let means: Vec<f64> = buckets.iter().map(|bucket| bucket.mean).collect();
    let packed = [
        places,
        counts,
        values(|bucket| bucket.last),
        values(|bucket| bucket.max),
        values(|bucket| bucket.min),
        pack(&means, effort),
    ];
    columns(&[FORM_GENERAL], &packed)
}

/// Last, greatest above last, least below last, and the sum above the lowest, in
/// units; none if a value is no decimal or a difference leaves 63 bits.
pub(super) fn in_units(buckets: &[Bucket]) -> Option<(u8, [Vec<i64>; 4])> {
    let three: Vec<Number> =
        buckets.iter().flat_map(|bucket| [bucket.last, bucket.max, bucket.min]).collect();
    let (decimals, units) = as_decimals(&three)?;
    let mut columns = [const { Vec::new() }; 4];
    for (bucket, [last, max, min]) in buckets.iter().zip(units.as_chunks().0) {
        let above_min = (bucket.mean - bucket.min.as_f64()) * f64::from(bucket.count);
        let sum = (above_min * power(decimals) as f64).round();
        if sum.abs() > (1_i64 << 62) as f64 {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "its size was just looked at")]
        let row = [*last, max.checked_sub(*last)?, last.checked_sub(*min)?, sum as i64];
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    Some((decimals, columns))
}

/// What [`encode`] was given.
pub(super) fn decode(
    content: &[u8],
    day_start_ms: u64,
    step_ms: u64,
) -> Result<Vec<Bucket>, Damage> {
    let (decimals, mut rest) = match content {
        [FORM_DECIMAL, decimals, rest @ ..] => (Some(*decimals), rest),
        [FORM_GENERAL, rest @ ..] => (None, rest),
        _ => return Err(Damage("a roll-up of an unknown form")),
    };
    let places = unpack::<u16>(next_column(&mut rest)?)?;
    let counts = unpack::<u32>(next_column(&mut rest)?)?;
    let mut buckets = Vec::with_capacity(places.len());
    let start = |place: u16| day_start_ms + u64::from(place) * step_ms;
    if let Some(decimals) = decimals {
        let mut column = || unpack::<i64>(next_column(&mut rest)?);
        let (last, above, below, sums) = (column()?, column()?, column()?, column()?);
        let values = last.into_iter().zip(above).zip(below).zip(sums);
        for ((place, count), (((last, above), below), sum)) in
            places.into_iter().zip(counts).zip(values)
        {
            let lowest = from_units(last.wrapping_sub(below), decimals);
            let above_min = sum as f64 / power(decimals) as f64;
            buckets.push(Bucket {
                start_ms: start(place),
                count: count.max(1),
                min: lowest,
                max: from_units(last.wrapping_add(above), decimals),
                last: from_units(last, decimals),
                mean: lowest.as_f64() + above_min / f64::from(count.max(1)),
            });
        }
    } else {
        let mut column = || decode_values(next_column(&mut rest)?);
        let (last, max, min) = (column()?, column()?, column()?);
        let means = unpack::<f64>(next_column(&mut rest)?)?;
        let values = last.into_iter().zip(max).zip(min).zip(means);
        for ((place, count), (((last, max), min), mean)) in
            places.into_iter().zip(counts).zip(values)
        {
            let start_ms = start(place);
            buckets.push(Bucket { start_ms, count: count.max(1), min, max, last, mean });
        }
    }
    Ok(buckets)
}

#[cfg(test)]
mod tests {
    use super::super::keys::{DAY_MS, FIVE_MINUTES_MS, HOUR_MS};
    use super::*;

    fn day(value: impl Fn(u64) -> Number) -> Vec<Sample> {
        (0..8640)
            .map(|n| Sample { timestamp_ms: 20_000 * DAY_MS + n * 10_000, value: value(n) })
            .collect()
    }

    fn there_and_back(samples: &[Sample]) -> Vec<Bucket> {
        let buckets = reckon(samples, FIVE_MINUTES_MS);
        let content = encode(&buckets, 20_000 * DAY_MS, FIVE_MINUTES_MS);
        let back = decode(&content, 20_000 * DAY_MS, FIVE_MINUTES_MS).unwrap();
        assert_eq!(back.len(), buckets.len());
        for (a, b) in back.iter().zip(&buckets) {
            assert_eq!(
                (a.start_ms, a.count, a.min, a.max, a.last),
                (b.start_ms, b.count, b.min, b.max, b.last)
            );
            assert!((a.mean - b.mean).abs() <= b.mean.abs() * 1e-14, "{} {}", a.mean, b.mean);
        }
        buckets
    }

    #[test]
    fn a_day_of_each_kind_comes_back() {
        let buckets = there_and_back(&day(|n| Number::Integer(i64::try_from(n * 7).unwrap())));
        assert_eq!(buckets.len(), 288);
        assert_eq!(buckets[1].min, Number::Integer(210));
        assert_eq!(buckets[1].last, Number::Integer(413));
        assert!((buckets[1].mean - 311.5).abs() < 1e-9);
        there_and_back(&day(|n| Number::from_float((n % 1000) as f64 / 10.0).unwrap()));
        there_and_back(&day(|n| Number::from_float((n as f64).sqrt()).unwrap()));
        there_and_back(&day(|n| Number::from(u64::MAX - n)));
        there_and_back(&day(|n| Number::Integer(i64::MIN + i64::try_from(n % 2).unwrap())));
    }

    #[test]
    fn buckets_that_are_joined_are_those_of_all_samples() {
        let samples = day(|n| Number::Integer(i64::try_from(n % 97).unwrap()));
        let fine = reckon(&samples, FIVE_MINUTES_MS);
        for (hour, fine) in reckon(&samples, HOUR_MS).iter().zip(fine.chunks(12)) {
            let mut joined = fine[0];
            fine[1..].iter().for_each(|next| joined.add(next));
            assert_eq!((joined.count, joined.min, joined.max), (hour.count, hour.min, hour.max));
            assert_eq!(joined.last, hour.last);
            assert!((joined.mean - hour.mean).abs() < 1e-9);
        }
    }

    #[test]
    fn garbage_is_damage() {
        assert!(decode(&[], 0, 1).is_err());
        assert!(decode(&[FORM_DECIMAL, 0, 9, 0, 0, 0, 1], 0, 1).is_err());
        let content = encode(&reckon(&day(Number::from), HOUR_MS), 20_000 * DAY_MS, HOUR_MS);
        for length in 0..content.len() {
            assert!(decode(&content[..length], 0, 1).is_err());
        }
    }
}
