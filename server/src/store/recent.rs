//! A row of `recent`: what one batch holds of one hour and one shard, in fixed
//! widths, so that it is written without thought and one series is found in it
//! by bisection.
//!
//! Layout, little-endian: count (u32), first timestamp (u64), 1 if timestamps
//! differ (u8), then per sample the series within the shard (u16), the offset
//! to the first timestamp (u32, only if they differ), the value's 64 bits, and
//! its tag (2 bits).

use super::blob::Damage;
use super::chunk::{from_bits, to_bits};
use super::keys::{SHARD_SERIES, SeriesId};
use super::number::Sample;

const HEAD_BYTES: usize = 4 + 8 + 1;

/// The content of a row for samples of one hour and one shard, sorted by series
/// and timestamp.
pub(super) fn encode(samples: &[(SeriesId, Sample)]) -> Vec<u8> {
    let first = samples.iter().map(|(_, sample)| sample.timestamp_ms).min().unwrap_or(0);
    let differ = samples.iter().any(|(_, sample)| sample.timestamp_ms != first);
    let mut content = Vec::with_capacity(HEAD_BYTES + samples.len() * 15);
    content.extend_from_slice(&u32::try_from(samples.len()).unwrap_or(u32::MAX).to_le_bytes());
    content.extend_from_slice(&first.to_le_bytes());
    content.push(u8::from(differ));
    for (series, _) in samples {
        let place = u16::try_from(series % SHARD_SERIES).unwrap_or(0);
        content.extend_from_slice(&place.to_le_bytes());
    }
    if differ {
        for (_, sample) in samples {
            let offset = u32::try_from(sample.timestamp_ms - first).unwrap_or(u32::MAX);
            content.extend_from_slice(&offset.to_le_bytes());
        }
    }
    let mut tags = vec![0_u8; samples.len().div_ceil(4)];
    for (number, (_, sample)) in samples.iter().enumerate() {
        let (tag, bits) = to_bits(sample.value);
        content.extend_from_slice(&bits.to_le_bytes());
        tags[number / 4] |= tag << (number % 4 * 2);
    }
    content.extend_from_slice(&tags);
    content
}

/// A row as it lies in memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    first_ms: u64,
    places: &'a [[u8; 2]],
    offsets: &'a [[u8; 4]],
    values: &'a [[u8; 8]],
    tags: &'a [u8],
}

impl<'a> Row<'a> {
    /// A row over the content of a blob.
    pub(super) fn parse(content: &'a [u8]) -> Result<Self, Damage> {
        let short = Damage("a recent row is cut short");
        let (count, rest) = content.split_first_chunk::<4>().ok_or(short)?;
        let (first, rest) = rest.split_first_chunk::<8>().ok_or(short)?;
        let ([differ], rest) = rest.split_first_chunk::<1>().ok_or(short)?;
        let count = u32::from_le_bytes(*count) as usize;
        let (places, rest) = rest.split_at_checked(count * 2).ok_or(short)?;
        let offsets = if *differ == 1 { count * 4 } else { 0 };
        let (offsets, rest) = rest.split_at_checked(offsets).ok_or(short)?;
        let (values, tags) = rest.split_at_checked(count * 8).ok_or(short)?;
        if tags.len() != count.div_ceil(4) {
            return Err(short);
        }
        Ok(Self {
            first_ms: u64::from_le_bytes(*first),
            places: places.as_chunks().0,
            offsets: offsets.as_chunks().0,
            values: values.as_chunks().0,
            tags,
        })
    }

    fn place(&self, number: usize) -> u16 {
        self.places.get(number).map_or(u16::MAX, |place| u16::from_le_bytes(*place))
    }

    fn timestamp_ms(&self, number: usize) -> u64 {
        let offset = self.offsets.get(number).map_or(0, |offset| u32::from_le_bytes(*offset));
        self.first_ms + u64::from(offset)
    }

    fn sample(&self, number: usize) -> Result<Sample, Damage> {
        let short = Damage("a recent row is cut short");
        let bits = u64::from_le_bytes(*self.values.get(number).ok_or(short)?);
        let tags = *self.tags.get(number / 4).ok_or(short)?;
        let tag = tags >> (number % 4 * 2) & 3;
        let value = from_bits(tag.into(), bits)?;
        Ok(Sample { timestamp_ms: self.timestamp_ms(number), value })
    }

    /// The samples of one series, oldest first.
    pub(super) fn samples(
        self,
        series: SeriesId,
    ) -> impl Iterator<Item = Result<Sample, Damage>> + use<'a> {
        let wanted = u16::try_from(series % SHARD_SERIES).unwrap_or(0);
        let start = self.places.partition_point(|place| u16::from_le_bytes(*place) < wanted);
        (start..self.places.len())
            .take_while(move |number| self.place(*number) == wanted)
            .map(move |number| self.sample(number))
    }

    /// Whether the series has a sample at this time.
    pub(super) fn holds(&self, series: SeriesId, timestamp_ms: u64) -> bool {
        let wanted = u16::try_from(series % SHARD_SERIES).unwrap_or(0);
        let start = self.places.partition_point(|place| u16::from_le_bytes(*place) < wanted);
        (start..self.places.len())
            .take_while(|number| self.place(*number) == wanted)
            .any(|number| self.timestamp_ms(number) == timestamp_ms)
    }

    /// The places within the shard of all series that the row holds, in order,
    /// repeated for each sample.
    pub(super) fn places(self) -> impl Iterator<Item = u32> + use<'a> {
        self.places.iter().map(|place| u32::from(u16::from_le_bytes(*place)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::number::Number;
    use super::*;

    fn sample(timestamp_ms: u64, value: Number) -> Sample {
        Sample { timestamp_ms, value }
    }

    #[test]
    fn a_row_gives_back_what_it_was_given() {
        let samples = [
            (2048, sample(5_000, Number::Integer(-3))),
            (2049, sample(5_000, Number::Large(u64::MAX))),
            (2049, sample(5_010, Number::Fraction(0.1))),
            (3071, sample(4_999, Number::Integer(7))),
        ];
        let content = encode(&samples);
        let row = Row::parse(&content).unwrap();
        let mut all = Vec::new();
        for series in 2048..3072 {
            all.extend(row.samples(series).map(|sample| (series, sample.unwrap())));
        }
        assert_eq!(all, samples);
        assert!(row.holds(2049, 5_010) && !row.holds(2049, 5_011) && !row.holds(2050, 5_000));
    }

    #[test]
    fn a_cut_row_is_damage_at_every_length() {
        let content = encode(&[(1, sample(9, Number::Integer(1))), (2, sample(8, 5_u64.into()))]);
        for length in 0..content.len() {
            assert!(Row::parse(&content[..length]).is_err(), "{length}");
        }
    }
}
