//! A value that loses nothing: whole numbers exact over 64 bits, with sign or
//! without, fractions as they came.

use std::cmp::Ordering;
use std::fmt;

/// Whole numbers up to this pass through a float without loss.
pub(super) const EXACT_FLOAT: i64 = 1 << 53;

/// A finite number. Equal numbers up to 2^53 have one form: `0.0` is the
/// integer 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number that fits 63 bits and a sign.
    Integer(i64),
    /// A whole number above `i64::MAX`.
    Large(u64),
    /// A number with a fraction, or too large for the others.
    Fraction(f64),
}

impl Number {
    /// The number of a float; none of what is not finite.
    pub fn from_float(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "below 2^53 and without a fraction")]
        if value.fract() == 0.0 && value.abs() <= EXACT_FLOAT as f64 {
            return Some(Self::Integer(value as i64));
        }
        Some(Self::Fraction(value))
    }

    /// As a float: what a chart draws. Rounds whole numbers above 2^53.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Large(value) => value as f64,
            Self::Fraction(value) => value,
        }
    }

    /// `self - other`, exact while both are whole.
    pub(super) fn minus(self, other: Self) -> f64 {
        match (self.whole(), other.whole()) {
            (Some(a), Some(b)) => (a - b) as f64,
            _ => self.as_f64() - other.as_f64(),
        }
    }

    fn whole(self) -> Option<i128> {
        match self {
            Self::Integer(value) => Some(value.into()),
            Self::Large(value) => Some(value.into()),
            Self::Fraction(_) => None,
        }
    }

    /// Which is smaller; every number is finite, so there is always an answer.
    pub(super) fn order(self, other: Self) -> Ordering {
        match (self.whole(), other.whole()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => self.as_f64().total_cmp(&other.as_f64()),
        }
    }

    pub(super) fn min(self, other: Self) -> Self {
        if other.order(self) == Ordering::Less { other } else { self }
    }

    pub(super) fn max(self, other: Self) -> Self {
        if other.order(self) == Ordering::Greater { other } else { self }
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Self::Large(value), Self::Integer)
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Large(value) => value.fmt(f),
            Self::Fraction(value) => value.fmt(f),
        }
    }
}

/// One value at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Milliseconds since 1970.
    pub timestamp_ms: u64,
    /// What was measured.
    pub value: Number,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_is_no_number() {
        assert_eq!(Number::from_float(f64::NAN), None);
        assert_eq!(Number::from_float(f64::INFINITY), None);
    }

    #[test]
    fn equal_numbers_have_one_form() {
        assert_eq!(Number::from_float(-0.0), Some(Number::Integer(0)));
        assert_eq!(Number::from_float(3.0), Some(Number::from(3_u64)));
        assert_eq!(Number::from(u64::MAX), Number::Large(u64::MAX));
        assert_eq!(Number::from_float(1e300), Some(Number::Fraction(1e300)));
    }

    #[test]
    fn neighbours_above_two_to_the_53_differ() {
        let (low, high) = (Number::from(u64::MAX - 1), Number::from(u64::MAX));
        assert_eq!(low.max(high), high);
        assert!((high.minus(low) - 1.0).abs() < f64::EPSILON);
    }
}
