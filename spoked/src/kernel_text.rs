//! The text of the kernel's files: lines, fields between white space, numbers.
//!
//! It works on bytes and allocates only to tell of an error.

use std::io::BufRead;
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
        let from = rest;
        // This is the search of the C library, which the line of interrupts in
        // /proc/stat, tens of thousands of bytes on a large machine, is worth.
        let length = rest.skip_until(b'\n').unwrap_or(0);
        number += 1;
        let text = &from[..length];
        (length > 0).then(|| Line { number, text: text.strip_suffix(b"\n").unwrap_or(text) })
    })
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
        let start = self.0.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let from = &self.0[start..];
        let length = from.iter().position(u8::is_ascii_whitespace).unwrap_or(from.len());
        self.0 = &from[length..];
        Some(&from[..length])
    }
}

/// Digits and nothing else, as a number that fits.
pub(crate) fn whole(field: &[u8]) -> Option<u64> {
    if field.is_empty() {
        return None;
    }
    field.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| number.checked_mul(10)?.checked_add(digit.into())).flatten()
    })
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
