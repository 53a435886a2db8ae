//! The text of the kernel's files: lines, fields between white space, numbers.
//!
//! It works on bytes and allocates only to tell of an error.

use std::path::Path;

use crate::source::SourceError;

/// So much of what was found instead is told in an error.
const EXCERPT_BYTES: usize = 40;

/// What a parser could not take: where it stood, what was wanted, what it found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed(String);

impl Malformed {
    /// The text has no such line.
    pub(crate) fn missing(what: &str) -> Self {
        Self(format!("has no line \"{what}\""))
    }

    /// As the error of the source that read the text from `path`.
    pub(crate) fn at(self, path: &Path) -> SourceError {
        SourceError::Failed(format!("{} {}", path.display(), self.0))
    }
}

/// One line, without its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// Counted from 1.
    pub(crate) number: usize,
    /// What it says.
    pub(crate) text: &'a [u8],
}

impl<'a> Line<'a> {
    /// What stands between white space.
    pub(crate) fn fields(self) -> Fields<'a> {
        Fields(self.text)
    }

    /// The error that this line is not what it should be.
    pub(crate) fn wanted(self, what: &str) -> Malformed {
        let shown = &self.text[..self.text.len().min(EXCERPT_BYTES)];
        let dots = if shown.len() < self.text.len() { "..." } else { "" };
        let shown = shown.escape_ascii();
        Malformed(format!("line {}: wanted {what}, found \"{shown}\"{dots}", self.number))
    }

    /// A field as a whole number; `what` names it if it is none.
    pub(crate) fn whole(self, field: Option<&[u8]>, what: &str) -> Result<u64, Malformed> {
        field.and_then(whole).ok_or_else(|| self.wanted(&format!("{what} as a 64-bit number")))
    }

    /// A field in units of `unit`, in single ones.
    pub(crate) fn scaled(
        self,
        field: Option<&[u8]>,
        unit: u64,
        what: &str,
    ) -> Result<u64, Malformed> {
        self.whole(field, what)?
            .checked_mul(unit)
            .ok_or_else(|| self.wanted(&format!("{what} that fits 64 bits in bytes")))
    }

    /// A field as a number with an optional fraction.
    pub(crate) fn decimal(self, field: Option<&[u8]>, what: &str) -> Result<f64, Malformed> {
        field.and_then(decimal).ok_or_else(|| self.wanted(&format!("{what} as a decimal number")))
    }
}

/// The lines of a text. A last one without an end is one too.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut rest = text;
    let mut number = 0;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let length = line_length(rest);
        let text = &rest[..length];
        rest = rest.get(length + 1..).unwrap_or_default();
        number += 1;
        Some(Line { number, text })
    })
}

/// How many bytes stand before the end of the first line, or of the text. Looks at
/// eight at a time: the line of interrupts in /proc/stat has tens of thousands on a
/// large machine.
fn line_length(text: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const ENDS: u64 = u64::from_ne_bytes([b'\n'; 8]);
    let (words, rest) = text.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word) ^ ENDS;
        // The lowest bit that is set is the highest of the first byte that is 0.
        let ends = word.wrapping_sub(ONES) & !word & (ONES << 7);
        if ends != 0 {
            return number * 8 + ends.trailing_zeros() as usize / 8;
        }
    }
    let end = rest.iter().position(|byte| *byte == b'\n');
    words.len() * 8 + end.unwrap_or(rest.len())
}

/// The fields of a line.
#[derive(Clone)]
pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The fields of this text.
    pub(crate) fn of(text: &'a [u8]) -> Self {
        Self(text)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.0.iter().position(|byte| !is_space(*byte))?;
        let from = &self.0[start..];
        let length = from.iter().position(|byte| is_space(*byte)).unwrap_or(from.len());
        self.0 = &from[length..];
        Some(&from[..length])
    }
}

/// White space as the kernel has it: nothing that it names has any in its name.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Digits and nothing else, as a number that fits.
pub(crate) fn whole(field: &[u8]) -> Option<u64> {
    /// So many always fit.
    const SAFE_DIGITS: usize = 19;
    let (first, rest) = field.split_at(field.len().min(SAFE_DIGITS));
    if first.is_empty() {
        return None;
    }
    let mut number = 0_u64;
    for byte in first {
        number = number * 10 + digit(*byte)?;
    }
    for byte in rest {
        number = number.checked_mul(10)?.checked_add(digit(*byte)?)?;
    }
    Some(number)
}

fn digit(byte: u8) -> Option<u64> {
    byte.is_ascii_digit().then(|| u64::from(byte - b'0'))
}

/// Digits, and a point and more digits if there is a fraction.
pub(crate) fn decimal(field: &[u8]) -> Option<f64> {
    let plain = field.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    plain.then(|| std::str::from_utf8(field).ok()?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_and_the_last_needs_no_end() {
        let found: Vec<_> = lines(b"a\n\nb").map(|line| (line.number, line.text)).collect();
        assert_eq!(found, [(1, &b"a"[..]), (2, b""), (3, b"b")]);
        assert_eq!(lines(b"").count(), 0);
    }

    #[test]
    fn the_end_of_a_line_is_found_wherever_it_stands() {
        for filling in [0, 1, b'\t', b'\n' + 1, b'\n' | 0x80, 0xff] {
            for length in 0..40 {
                let line = vec![filling; length];
                assert_eq!(line_length(&line), length);
                for behind in [&b"\n"[..], b"\n\n", b"\n\x0b\n", b"\nxxxxxxxxxxxxxxxx\n"] {
                    assert_eq!(line_length(&[&line, behind].concat()), length, "{filling}");
                }
            }
        }
    }

    #[test]
    fn fields_stand_between_any_white_space() {
        let line = Line { number: 1, text: b"  8\t0 sda  1 " };
        assert_eq!(line.fields().collect::<Vec<_>>(), [&b"8"[..], b"0", b"sda", b"1"]);
    }

    #[test]
    fn whole_numbers_are_digits_that_fit() {
        assert_eq!(whole(b"18446744073709551615"), Some(u64::MAX));
        for bad in ["18446744073709551616", "99999999999999999999999", "", "-1", "+1", "1.0", "1k"]
        {
            assert_eq!(whole(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn decimals_are_digits_and_a_point() {
        assert_eq!(decimal(b"971.61"), Some(971.61));
        assert_eq!(decimal(b"5"), Some(5.0));
        for bad in ["", ".", "1.2.3", "inf", "NaN", "1e3", "-1.0", "\u{e9}"] {
            assert_eq!(decimal(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn an_error_names_path_line_and_what_was_wanted_and_stays_short() {
        let text = [b'x'; 5000];
        let error = Line { number: 7, text: &text }.whole(Some(&text), "reads").unwrap_err();
        let SourceError::Failed(message) = error.at(Path::new("/proc/diskstats")) else {
            panic!("what is malformed has failed")
        };
        assert!(
            message.starts_with(
                "/proc/diskstats line 7: wanted reads as a 64-bit number, found \"xxx"
            ),
            "{message}"
        );
        assert!(message.len() < 200, "{message}");
    }
}
