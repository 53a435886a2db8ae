//! A sealed chunk: the values of one series in one window as one compressed
//! column, and the timestamps, stored once for all series that share them, as
//! another. pco does the compression.
//!
//! Three forms of a column of values, told by its first byte: whole numbers
//! after a shift of up to six decimal places (what sensors and kernels send),
//! floats, and everything else, with a tag for each value.

use pco::ChunkConfig;
use pco::standalone::{simple_compress, simple_decompress};

use super::blob::Damage;
use super::number::{EXACT_FLOAT, Number};

/// Decimal places that are tried before a column is stored as floats.
pub(super) const DECIMALS_MAX: u8 = 6;

const FORM_DECIMAL: u8 = 1;
const FORM_FLOAT: u8 = 2;
const FORM_TAGGED: u8 = 3;

/// How hard pco tries: quickly for an hour that will be read again by the
/// compaction, harder for a day that stays.
#[derive(Debug, Clone, Copy)]
pub(super) enum Effort {
    Quick,
    Thorough,
}

impl Effort {
    fn config(self) -> ChunkConfig {
        ChunkConfig::default().with_compression_level(match self {
            Self::Quick => 4,
            Self::Thorough => 8,
        })
    }
}

/// Ten to the power of `decimals`.
pub(super) fn power(decimals: u8) -> i64 {
    10_i64.pow(u32::from(decimals.min(18)))
}

/// The number as so many units of the last decimal place, if it is exactly
/// that.
fn scaled(value: Number, decimals: u8) -> Option<i64> {
    match value {
        Number::Integer(value) => value.checked_mul(power(decimals)),
        Number::Large(_) => None,
        Number::Fraction(value) => {
            let power = power(decimals) as f64;
            let units = (value * power).round();
            // The quotient of two exact floats is the float nearest to the
            // decimal number, so equality means that nothing is lost.
            #[expect(
                clippy::float_cmp,
                clippy::cast_possible_truncation,
                reason = "exact on purpose"
            )]
            (units.abs() < EXACT_FLOAT as f64 && units / power == value).then_some(units as i64)
        }
    }
}

/// The column in whole units of the fewest decimal places that hold it.
pub(super) fn as_decimals(values: &[Number]) -> Option<(u8, Vec<i64>)> {
    let mut decimals = 0;
    for value in values {
        while scaled(*value, decimals).is_none() {
            decimals += 1;
            if decimals > DECIMALS_MAX {
                return None;
            }
        }
    }
    let units = values.iter().map(|value| scaled(*value, decimals)).collect::<Option<Vec<_>>>()?;
    Some((decimals, units))
}

/// The number of so many units.
pub(super) fn from_units(units: i64, decimals: u8) -> Number {
    let power = power(decimals);
    if units % power == 0 {
        Number::Integer(units / power)
    } else {
        Number::Fraction(units as f64 / power as f64)
    }
}

/// Compresses a column.
pub(super) fn pack<T: pco::data_types::Number>(column: &[T], effort: Effort) -> Vec<u8> {
    // Only a wrong configuration is an error, and ours is a constant.
    simple_compress(column, &effort.config()).unwrap_or_default()
}

/// A column as it was before [`pack`].
pub(super) fn unpack<T: pco::data_types::Number>(bytes: &[u8]) -> Result<Vec<T>, Damage> {
    simple_decompress(bytes).map_err(|_| Damage("does not unpack"))
}

/// The values of one series, ready for [`super::blob::seal`].
pub(super) fn encode_values(values: &[Number], effort: Effort) -> Vec<u8> {
    if let Some((decimals, units)) = as_decimals(values) {
        let mut content = vec![FORM_DECIMAL, decimals];
        content.extend(pack(&units, effort));
        return content;
    }
    let fits_float = |value: &Number| match *value {
        Number::Integer(value) => value.abs() <= EXACT_FLOAT,
        Number::Large(_) => false,
        Number::Fraction(_) => true,
    };
    if values.iter().all(fits_float) {
        let floats: Vec<f64> = values.iter().map(|value| value.as_f64()).collect();
        let mut content = vec![FORM_FLOAT];
        content.extend(pack(&floats, effort));
        return content;
    }
    let mut tags = Vec::with_capacity(values.len());
    let mut bits = Vec::with_capacity(values.len());
    for value in values {
        let (tag, bit) = to_bits(*value);
        tags.push(u16::from(tag));
        bits.push(bit);
    }
    let tags = pack(&tags, effort);
    let mut content = vec![FORM_TAGGED];
    content.extend_from_slice(&u32::try_from(tags.len()).unwrap_or(u32::MAX).to_le_bytes());
    content.extend(tags);
    content.extend(pack(&bits, effort));
    content
}

/// What [`encode_values`] was given.
pub(super) fn decode_values(content: &[u8]) -> Result<Vec<Number>, Damage> {
    match content {
        [FORM_DECIMAL, decimals, rest @ ..] if *decimals <= DECIMALS_MAX => {
            let units = unpack::<i64>(rest)?;
            Ok(units.into_iter().map(|units| from_units(units, *decimals)).collect())
        }
        [FORM_FLOAT, rest @ ..] => unpack::<f64>(rest)?
            .into_iter()
            .map(|value| Number::from_float(value).ok_or(Damage("holds what is no number")))
            .collect(),
        [FORM_TAGGED, a, b, c, d, rest @ ..] => {
            let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
            let (tags, bits) =
                rest.split_at_checked(length).ok_or(Damage("its tags are cut short"))?;
            let (tags, bits) = (unpack::<u16>(tags)?, unpack::<u64>(bits)?);
            if tags.len() != bits.len() {
                return Err(Damage("has more tags than values or fewer"));
            }
            tags.into_iter().zip(bits).map(|(tag, bits)| from_bits(tag, bits)).collect()
        }
        _ => Err(Damage("of an unknown form")),
    }
}

/// A value as a tag and 64 bits.
pub(super) fn to_bits(value: Number) -> (u8, u64) {
    match value {
        Number::Integer(value) => (0, value.cast_unsigned()),
        Number::Large(value) => (1, value),
        Number::Fraction(value) => (2, value.to_bits()),
    }
}

/// What [`to_bits`] was given.
pub(super) fn from_bits(tag: u16, bits: u64) -> Result<Number, Damage> {
    match tag {
        0 => Ok(Number::Integer(bits.cast_signed())),
        1 => Ok(Number::Large(bits)),
        2 => Ok(Number::Fraction(f64::from_bits(bits))),
        _ => Err(Damage("has an unknown tag")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(values: &[Number]) -> u8 {
        let content = encode_values(values, Effort::Quick);
        assert_eq!(decode_values(&content).unwrap(), values);
        content[0]
    }

    #[test]
    fn whole_numbers_come_back_exactly() {
        let edge = [i64::MIN, -1, 0, 1, EXACT_FLOAT + 1, i64::MAX];
        assert_eq!(there_and_back(&edge.map(Number::Integer)), FORM_DECIMAL);
        let large = [0, u64::MAX, u64::MAX - 1].map(Number::from);
        assert_eq!(there_and_back(&large), FORM_TAGGED);
    }

    #[test]
    fn decimals_are_whole_numbers_of_their_last_place() {
        let percent: Vec<_> =
            [37.8, 39.2, 0.1, 46.0, -0.3].into_iter().filter_map(Number::from_float).collect();
        assert_eq!(there_and_back(&percent), FORM_DECIMAL);
        assert_eq!(encode_values(&percent, Effort::Quick)[1], 1);
        // Too large to be shifted by a decimal place.
        let mixed = [Number::Integer(i64::MAX), Number::Fraction(0.5)];
        assert_eq!(there_and_back(&mixed), FORM_TAGGED);
    }

    #[test]
    fn floats_come_back_to_the_bit() {
        let thirds = [1.0 / 3.0, f64::MIN_POSITIVE, 1e300, -2.0 / 3.0, 5.0, 9.1e15];
        let values: Vec<_> = thirds.into_iter().filter_map(Number::from_float).collect();
        assert_eq!(there_and_back(&values), FORM_FLOAT);
    }

    #[test]
    fn garbage_is_damage_not_a_panic() {
        assert!(decode_values(&[]).is_err());
        assert!(decode_values(&[9, 9, 9]).is_err());
        assert!(decode_values(&[FORM_TAGGED, 255, 255, 255, 255, 1]).is_err());
        assert!(decode_values(&[FORM_DECIMAL, 0, 1, 2, 3]).is_err());
    }
}
