//! Roll-ups: count, lowest, greatest, mean and last of each five minutes and
//! each hour, and how the series went through them, reckoned from the samples of a
//! whole day and never added to.
//!
//! A stored row holds the buckets of one series and day as columns. Where the
//! values are decimals, the columns are whole units: last, how far the greatest
//! lies above it and the least below it, and the sum of what the samples lie
//! above the lowest, which gives the mean back exactly. When the samples were
//! taken, and how many there are, stands once for all series that share it.

use pattoo_common::datapoint::DataType;

use super::blob::Damage;
use super::chunk::{
    Effort, as_decimals, decode_values, encode_values, from_units, pack, power, unpack,
};
use super::course::Course;
use super::number::{Number, Sample};

const FORM_DECIMAL: u8 = 3;
const FORM_GENERAL: u8 = 4;
/// As schema version 2 had them: with places and counts of their own, and without
/// the times of their samples.
const FORM_DECIMAL_OF_2: u8 = 1;
const FORM_GENERAL_OF_2: u8 = 2;
const COLUMNS_DIFFER: Damage = Damage("a roll-up whose columns differ in length");

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
    pub(super) course: Course,
}

impl Bucket {
    /// The bucket of a single sample.
    pub(super) fn of(start_ms: u64, Sample { timestamp_ms, value }: Sample) -> Self {
        let course = Course::steady((timestamp_ms, timestamp_ms), value, value);
        Self {
            start_ms,
            count: 1,
            min: value,
            max: value,
            last: value,
            mean: value.as_f64(),
            course,
        }
    }

    /// The bucket of values in units, as [`in_units`] gives them.
    pub(super) fn of_units(
        start_ms: u64,
        decimals: u8,
        [last, above, below, sum]: [i64; 4],
        count: u32,
        (first_ms, last_ms): (u64, u64),
    ) -> Self {
        let min = from_units(last.wrapping_sub(below), decimals);
        let max = from_units(last.wrapping_add(above), decimals);
        let last = from_units(last, decimals);
        let mean = min.as_f64() + sum as f64 / power(decimals) as f64 / f64::from(count);
        let course = Course::steady((first_ms, last_ms), min, last);
        Self { start_ms, count, min, max, last, mean, course }
    }

    /// Takes in the values of what follows in time. Its course stays: who follows a
    /// counter takes one bucket after the other.
    pub(super) fn add(&mut self, next: &Self) {
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
pub(super) fn reckon(samples: &[Sample], step_ms: u64, data_type: DataType) -> Vec<Bucket> {
    samples
        .chunk_by(|a, b| a.timestamp_ms / step_ms == b.timestamp_ms / step_ms)
        .filter_map(|samples| {
            let (first, last) = (samples.first()?, samples.last()?);
            let mut bucket = Bucket::of(first.timestamp_ms / step_ms * step_ms, *first);
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
            bucket.course = Course::of(samples, bucket.min, data_type)?;
            Some(bucket)
        })
        .collect()
}

/// Of each bucket the time of its first sample, then of each that of its last, then
/// of each how many there are: what neighbouring series have in common.
pub(super) fn spans(buckets: &[Bucket]) -> Vec<u64> {
    let columns: [fn(&Bucket) -> u64; 3] = [
        |bucket| bucket.course.first_ms,
        |bucket| bucket.course.last_ms,
        |bucket| bucket.count.into(),
    ];
    columns.iter().flat_map(|column| buckets.iter().map(column)).collect()
}

/// When the samples of a bucket were taken, and how many they are.
struct Span {
    start_ms: u64,
    first_ms: u64,
    last_ms: u64,
    count: u32,
}

/// What [`spans`] was given.
fn read_spans(spans: &[u64], step_ms: u64) -> Result<Vec<Span>, Damage> {
    let length = spans.len() / 3;
    let (firsts, rest) = spans.split_at_checked(length).ok_or(COLUMNS_DIFFER)?;
    let (lasts, counts) = rest.split_at_checked(length).ok_or(COLUMNS_DIFFER)?;
    if counts.len() != length {
        return Err(COLUMNS_DIFFER);
    }
    let rows = firsts.iter().zip(lasts).zip(counts);
    let span = |((first_ms, last_ms), count): ((&u64, &u64), &u64)| Span {
        start_ms: first_ms / step_ms * step_ms,
        first_ms: *first_ms,
        last_ms: *last_ms,
        count: u32::try_from(*count).unwrap_or(u32::MAX).max(1),
    };
    Ok(rows.map(span).collect())
}

fn same_length(spans: &[Span], lengths: [usize; 4]) -> Result<(), Damage> {
    if lengths.iter().all(|length| *length == spans.len()) { Ok(()) } else { Err(COLUMNS_DIFFER) }
}

/// The places and counts of schema version 2. When the samples were taken is not
/// known: each counts as one at the start.
fn spans_of_2(content: &mut &[u8], day_start_ms: u64, step_ms: u64) -> Result<Vec<Span>, Damage> {
    let places = unpack::<u16>(next_column(content)?)?;
    let counts = unpack::<u32>(next_column(content)?)?;
    if places.len() != counts.len() {
        return Err(COLUMNS_DIFFER);
    }
    let span = |(place, count): (u16, u32)| {
        let start_ms = day_start_ms + u64::from(place) * step_ms;
        Span { start_ms, first_ms: start_ms, last_ms: start_ms, count: count.max(1) }
    };
    Ok(places.into_iter().zip(counts).map(span).collect())
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

/// The buckets of one series and day, ready for [`super::blob::seal`]; their
/// [`spans`] are stored apart.
pub(super) fn encode(buckets: &[Bucket]) -> Vec<u8> {
    let effort = Effort::Thorough;
    let mut listed = Vec::new();
    for (place, bucket) in buckets.iter().enumerate() {
        bucket.course.list(place, (bucket.min, bucket.last), &mut listed);
    }
    if let Some((decimals, units)) = in_units(buckets) {
        let [last, above, below, sums] = units.map(|column| pack(&column, effort));
        return columns(&[FORM_DECIMAL, decimals], &[last, above, below, sums, listed]);
    }
    let values = |pick: fn(&Bucket) -> Number| {
        encode_values(&buckets.iter().map(pick).collect::<Vec<_>>(), effort)
    };
    let means: Vec<f64> = buckets.iter().map(|bucket| bucket.mean).collect();
    let packed = [
        values(|bucket| bucket.last),
        values(|bucket| bucket.max),
        values(|bucket| bucket.min),
        pack(&means, effort),
        listed,
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

/// What [`encode`] was given, with what [`spans`] gave; a roll-up of schema version
/// 2 has none.
pub(super) fn decode(
    content: &[u8],
    spans: Option<&[u64]>,
    day_start_ms: u64,
    step_ms: u64,
) -> Result<Vec<Bucket>, Damage> {
    let (decimals, mut rest) = match content {
        [FORM_DECIMAL | FORM_DECIMAL_OF_2, decimals, rest @ ..] => (Some(*decimals), rest),
        [FORM_GENERAL | FORM_GENERAL_OF_2, rest @ ..] => (None, rest),
        _ => return Err(Damage("a roll-up of an unknown form")),
    };
    let spans = match spans {
        Some(spans) => read_spans(spans, step_ms)?,
        None => spans_of_2(&mut rest, day_start_ms, step_ms)?,
    };
    let mut buckets = Vec::with_capacity(spans.len());
    if let Some(decimals) = decimals {
        let mut column = || unpack::<i64>(next_column(&mut rest)?);
        let (last, above, below, sums) = (column()?, column()?, column()?, column()?);
        same_length(&spans, [last.len(), above.len(), below.len(), sums.len()])?;
        let values = last.into_iter().zip(above).zip(below).zip(sums);
        for (span, (((last, above), below), sum)) in spans.iter().zip(values) {
            let (row, times) = ([last, above, below, sum], (span.first_ms, span.last_ms));
            buckets.push(Bucket::of_units(span.start_ms, decimals, row, span.count, times));
        }
    } else {
        let mut column = || decode_values(next_column(&mut rest)?);
        let (last, max, min) = (column()?, column()?, column()?);
        let means = unpack::<f64>(next_column(&mut rest)?)?;
        same_length(&spans, [last.len(), max.len(), min.len(), means.len()])?;
        let values = last.into_iter().zip(max).zip(min).zip(means);
        for (span, (((last, max), min), mean)) in spans.iter().zip(values) {
            let Span { start_ms, first_ms, last_ms, count } = *span;
            let course = Course::steady((first_ms, last_ms), min, last);
            buckets.push(Bucket { start_ms, count, min, max, last, mean, course });
        }
    }
    match content {
        [FORM_DECIMAL | FORM_GENERAL, ..] => put_listed(next_column(&mut rest)?, &mut buckets)?,
        _ => buckets.iter_mut().for_each(|bucket| {
            let only = Sample { timestamp_ms: bucket.start_ms, value: bucket.last };
            bucket.course = Bucket::of(bucket.start_ms, only).course;
        }),
    }
    Ok(buckets)
}

/// Gives listed courses to their buckets.
pub(super) fn put_listed(mut list: &[u8], buckets: &mut [Bucket]) -> Result<(), Damage> {
    while let Some((place, first, within)) = Course::next_listed(&mut list)? {
        let bucket = buckets.get_mut(place).ok_or(Damage("a course of no roll-up"))?;
        bucket.course = Course { first, within, ..bucket.course };
    }
    Ok(())
}

/// What comes back must be what was stored; of the mean, all but its last digits.
#[cfg(test)]
pub(super) fn assert_same(back: &[Bucket], stored: &[Bucket]) {
    assert_eq!(back.len(), stored.len());
    for (a, b) in back.iter().zip(stored) {
        assert!((a.mean - b.mean).abs() <= b.mean.abs() * 1e-14, "{} {}", a.mean, b.mean);
        assert_eq!(Bucket { mean: b.mean, ..*a }, *b);
    }
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
        for data_type in [DataType::Gauge, DataType::Counter32, DataType::Counter64] {
            let buckets = reckon(samples, FIVE_MINUTES_MS, data_type);
            let spans = spans(&buckets);
            let content = encode(&buckets);
            let back = decode(&content, Some(&spans), 20_000 * DAY_MS, FIVE_MINUTES_MS).unwrap();
            assert_same(&back, &buckets);
        }
        reckon(samples, FIVE_MINUTES_MS, DataType::Counter64)
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
        // A counter that falls, twice of eight times where a bucket ends: the other
        // courses are listed.
        let fallen = there_and_back(&day(|n| Number::from(40 + n % 1000)));
        let steady = |bucket: &&Bucket| bucket.course.first == bucket.min;
        assert_eq!(fallen.iter().filter(steady).count(), 288 - 6);
    }

    #[test]
    fn what_is_steady_costs_nothing_beside_the_shared_times() {
        let length = |value: fn(u64) -> u64| {
            encode(&reckon(&day(|n| value(n).into()), FIVE_MINUTES_MS, DataType::Counter64)).len()
        };
        assert!(length(|n| n * 7) < 200, "{}", length(|n| n * 7));
        assert!(length(|n| n * 7 % 56_000) - length(|n| n * 7) < 100);
    }

    #[test]
    fn what_schema_version_2_wrote_is_read() {
        let buckets = reckon(&day(|n| (n * 7).into()), FIVE_MINUTES_MS, DataType::Counter64);
        let effort = Effort::Thorough;
        let places = pack(&(0..288).collect::<Vec<u16>>(), effort);
        let counts = pack(&[30_u32; 288], effort);
        let (decimals, [last, above, below, sums]) = in_units(&buckets).unwrap();
        let [last, above, below, sums] =
            [last, above, below, sums].map(|column| pack(&column, effort));
        let packed = [places, counts, last, above, below, sums];
        let content = columns(&[FORM_DECIMAL_OF_2, decimals], &packed);
        let back = decode(&content, None, 20_000 * DAY_MS, FIVE_MINUTES_MS).unwrap();
        let like_before: Vec<Bucket> = buckets
            .iter()
            .map(|bucket| {
                let only = Sample { timestamp_ms: bucket.start_ms, value: bucket.last };
                Bucket { course: Bucket::of(bucket.start_ms, only).course, ..*bucket }
            })
            .collect();
        assert_same(&back, &like_before);
    }

    #[test]
    fn buckets_that_are_joined_are_those_of_all_samples() {
        let samples = day(|n| Number::Integer(i64::try_from(n % 97).unwrap()));
        let fine = reckon(&samples, FIVE_MINUTES_MS, DataType::Gauge);
        for (hour, fine) in reckon(&samples, HOUR_MS, DataType::Gauge).iter().zip(fine.chunks(12)) {
            let mut joined = fine[0];
            fine[1..].iter().for_each(|next| joined.add(next));
            assert_eq!((joined.count, joined.min, joined.max), (hour.count, hour.min, hour.max));
            assert_eq!(joined.last, hour.last);
            assert!((joined.mean - hour.mean).abs() < 1e-9);
        }
    }

    #[test]
    fn garbage_is_damage() {
        let buckets = reckon(&day(|n| (n % 1000).into()), HOUR_MS, DataType::Counter64);
        let (content, spans) = (encode(&buckets), spans(&buckets));
        let decode = |content: &[u8], spans: &[u64]| decode(content, Some(spans), 0, HOUR_MS);
        assert!(decode(&content, &spans).is_ok());
        assert!(decode(&[], &spans).is_err());
        assert!(decode(&[FORM_DECIMAL, 0, 9, 0, 0, 0, 1], &spans).is_err());
        for length in 0..content.len() {
            assert!(decode(&content[..length], &spans).is_err());
        }
        for length in 0..spans.len() {
            assert!(decode(&content, &spans[..length]).is_err());
        }
        let longer = [spans.as_slice(), &[0; 3]].concat();
        assert!(decode(&content, &longer).is_err());
        let mut listed = Vec::new();
        assert!(buckets[2].course.list(24, (0_u64.into(), 0_u64.into()), &mut listed));
        assert!(put_listed(&listed, &mut buckets.clone()).is_err(), "the 25th of 24");
    }
}
