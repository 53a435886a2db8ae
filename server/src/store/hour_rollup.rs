//! The roll-ups of five minutes that stand beside the samples of an hour's chunk:
//! at most twelve, written anew with every sealing and read by the hundred for a
//! chart of days that are not compacted yet. So their form is small and quick
//! rather than tight: numbers of one to ten bytes, seven bits in each. What a
//! column means is told in [`rollup`](super::rollup); the times of its samples stand
//! here in each bucket, as milliseconds since its start.

use super::blob::Damage;
use super::chunk::{DECIMALS_MAX, from_bits, to_bits};
use super::course::Course;
use super::keys::{FIVE_MINUTES_MS, HOUR_MS};
use super::number::Number;
use super::rollup::{Bucket, in_units, put_listed};

const FORM_DECIMAL: u8 = 3;
const FORM_GENERAL: u8 = 4;
/// As schema version 2 had them, without the times of the samples.
const FORMS_OF_2: [u8; 2] = [1, 2];
/// In the place of a bucket: behind it are the courses that are not steady.
const LISTED: u8 = 255;
/// Roll-ups of an hour.
const BUCKETS: u64 = HOUR_MS / FIVE_MINUTES_MS;
const SHORT: Damage = Damage("a roll-up is cut short");

/// The buckets of one series and hour, ready for [`super::blob::seal`].
pub(super) fn encode(buckets: &[Bucket], hour_start_ms: u64) -> Vec<u8> {
    let mut content = Vec::with_capacity(2 + buckets.len() * 16);
    let units = in_units(buckets);
    match &units {
        Some((decimals, _)) => content.extend([FORM_DECIMAL, *decimals]),
        None => content.push(FORM_GENERAL),
    }
    let mut before = 0;
    let mut listed = vec![LISTED];
    for (number, bucket) in buckets.iter().enumerate() {
        let place = bucket.start_ms.saturating_sub(hour_start_ms) / FIVE_MINUTES_MS;
        content.push(u8::try_from(place).unwrap_or(LISTED));
        put(&mut content, bucket.count.into());
        let Course { first_ms, last_ms, .. } = bucket.course;
        put(&mut content, first_ms.saturating_sub(bucket.start_ms));
        put(&mut content, last_ms.saturating_sub(first_ms));
        bucket.course.list(number, (bucket.min, bucket.last), &mut listed);
        let row = units.as_ref().map(|(_, columns)| {
            columns.each_ref().map(|column| column.get(number).copied().unwrap_or(0))
        });
        if let Some([last, above, below, sum]) = row {
            put(&mut content, zigzag(last.wrapping_sub(before)));
            before = last;
            for value in [above, below, sum] {
                put(&mut content, zigzag(value));
            }
        } else {
            for value in [bucket.last, bucket.max, bucket.min] {
                let (tag, bits) = to_bits(value);
                content.push(tag);
                content.extend_from_slice(&bits.to_le_bytes());
            }
            content.extend_from_slice(&bucket.mean.to_le_bytes());
        }
    }
    if listed.len() > 1 {
        content.extend(listed);
    }
    content
}

/// What [`encode`] was given; none of what an earlier version wrote, which tells too
/// little.
pub(super) fn decode(content: &[u8], hour_start_ms: u64) -> Result<Option<Vec<Bucket>>, Damage> {
    let (decimals, mut rest) = match content {
        [FORM_DECIMAL, decimals, rest @ ..] if *decimals <= DECIMALS_MAX => (Some(*decimals), rest),
        [FORM_GENERAL, rest @ ..] => (None, rest),
        [form, ..] if FORMS_OF_2.contains(form) => return Ok(None),
        _ => return Err(Damage("a roll-up of an unknown form")),
    };
    let rest = &mut rest;
    let mut before = 0_i64;
    let mut buckets = Vec::new();
    while let Some((place, behind)) = rest.split_first() {
        *rest = behind;
        if *place == LISTED {
            put_listed(rest, &mut buckets)?;
            break;
        }
        let place = u64::from(*place);
        let count = u32::try_from(take(rest)?).unwrap_or(0);
        if place >= BUCKETS || count == 0 {
            return Err(Damage("a roll-up out of its hour, or of nothing"));
        }
        let start_ms = hour_start_ms + place * FIVE_MINUTES_MS;
        let first_ms = start_ms.saturating_add(take(rest)?);
        let times = (first_ms, first_ms.saturating_add(take(rest)?));
        buckets.push(if let Some(decimals) = decimals {
            let last = before.wrapping_add(unzigzag(take(rest)?));
            before = last;
            let mut next = || Ok(unzigzag(take(rest)?));
            let row = [last, next()?, next()?, next()?];
            Bucket::of_units(start_ms, decimals, row, count, times)
        } else {
            let (last, max, min) = (take_number(rest)?, take_number(rest)?, take_number(rest)?);
            let mean = f64::from_le_bytes(*take_bytes(rest)?);
            let course = Course::steady(times, min, last);
            Bucket { start_ms, count, min, max, last, mean, course }
        });
    }
    Ok(Some(buckets))
}

/// Small numbers of either sign as small numbers.
fn zigzag(value: i64) -> u64 {
    (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn put(content: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        content.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    content.push(value.to_le_bytes()[0]);
}

fn take(rest: &mut &[u8]) -> Result<u64, Damage> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, behind) = rest.split_first().ok_or(SHORT)?;
        *rest = behind;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Damage("a number of more than 64 bits"))
}

fn take_bytes<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N], Damage> {
    let (bytes, behind) = rest.split_first_chunk().ok_or(SHORT)?;
    *rest = behind;
    Ok(bytes)
}

fn take_number(rest: &mut &[u8]) -> Result<Number, Damage> {
    let [tag] = *take_bytes(rest)?;
    from_bits(tag.into(), u64::from_le_bytes(*take_bytes(rest)?))
}

#[cfg(test)]
mod tests {
    use pattoo_common::datapoint::DataType;

    use super::super::number::Sample;
    use super::super::rollup::{assert_same, reckon};
    use super::*;

    const START_MS: u64 = 480_000 * HOUR_MS;

    fn hour(value: impl Fn(u64) -> Number) -> Vec<Bucket> {
        // Nothing came in the second five minutes.
        let polls = (0..360).filter(|n| n / 30 != 1);
        let samples: Vec<Sample> = polls
            .map(|n| Sample { timestamp_ms: START_MS + n * 10_000, value: value(n) })
            .collect();
        reckon(&samples, FIVE_MINUTES_MS, DataType::Counter64)
    }

    fn there_and_back(value: impl Fn(u64) -> Number) -> Vec<u8> {
        let buckets = hour(value);
        assert_eq!(buckets.len(), 11);
        let content = encode(&buckets, START_MS);
        assert_same(&decode(&content, START_MS).unwrap().unwrap(), &buckets);
        content
    }

    #[test]
    fn an_hour_of_each_kind_comes_back() {
        let counter = there_and_back(|n| Number::from(40_000_000 + n * 1_000));
        assert!(counter.len() < 220, "{}", counter.len());
        let constant = there_and_back(|_| Number::Integer(7));
        assert!(constant.len() < 140, "{}", constant.len());
        there_and_back(|n| Number::from_float((n % 1000) as f64 / 10.0).unwrap());
        there_and_back(|n| Number::from_float((n as f64).sqrt()).unwrap());
        there_and_back(|n| Number::from(u64::MAX - n));
        there_and_back(|n| Number::Integer(if n % 2 == 0 { i64::MIN } else { i64::MAX }));
        there_and_back(|n| Number::Integer(i64::try_from(n).unwrap() - 180));
        // A counter that fell once: one course is listed.
        let fell = there_and_back(|n| Number::from(40_000_000 + n * 1_000 - n / 100 * 90_000));
        assert!(fell.len() > counter.len() && fell.len() < counter.len() + 120, "{}", fell.len());
    }

    #[test]
    fn what_tells_too_little_is_told_apart_from_garbage() {
        for form in FORMS_OF_2 {
            assert_eq!(decode(&[form, 0, 1, 30], START_MS), Ok(None));
        }
    }

    #[test]
    fn numbers_of_every_length_come_back() {
        for shift in 0..64 {
            let bit = 1_i64 << shift;
            for value in [bit, bit.wrapping_neg(), bit.wrapping_sub(1)] {
                let mut content = Vec::new();
                put(&mut content, zigzag(value));
                assert_eq!(take(&mut content.as_slice()).map(unzigzag), Ok(value));
            }
        }
    }

    #[test]
    fn garbage_is_damage_not_a_panic() {
        assert!(decode(&[], 0).is_err());
        assert!(decode(&[FORM_DECIMAL, 200, 0, 1, 0, 0, 0, 0, 0, 0], 0).is_err());
        assert!(
            decode(&[FORM_DECIMAL, 0, 12, 1, 0, 0, 0, 0, 0, 0], 0).is_err(),
            "the 13th of an hour"
        );
        assert!(decode(&[FORM_DECIMAL, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0).is_err(), "of no sample");
        assert!(
            decode(&[FORM_DECIMAL, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255], 0)
                .is_err()
        );
        for form in [FORM_DECIMAL, FORM_GENERAL] {
            for byte in 0..=255 {
                for length in 0..40 {
                    let mut content = vec![form];
                    content.resize(1 + length, byte);
                    let _ = decode(&content, START_MS);
                }
            }
        }
    }
}
