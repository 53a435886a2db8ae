//! The frequencies in the text of `/proc/cpuinfo` (`proc_cpuinfo(5)`). The files
//! of ARM machines and others tell none.

use crate::kernel_text::{Line, Malformed, lines};

use super::Sum;

/// The frequencies of all processors.
pub(super) fn sum(text: &[u8]) -> Result<Sum, Malformed> {
    let mut sum = Sum::default();
    for line in lines(text).filter(is_frequency) {
        sum.mhz += mhz(line)?;
        sum.count += 1;
    }
    Ok(sum)
}

/// The frequency of the first processor. A text without any has none.
pub(super) fn first(text: &[u8]) -> Result<Sum, Malformed> {
    let line = lines(text).find(is_frequency);
    line.map_or(Ok(Sum::default()), |line| Ok(Sum { mhz: mhz(line)?, count: 1 }))
}

/// Whether the first frequency is there and not cut off.
pub(super) fn has_first(text: &[u8]) -> bool {
    let mut from_there = lines(text).skip_while(|line| !is_frequency(line));
    from_there.next().is_some() && from_there.next().is_some()
}

/// Whether the kernel tells the frequency that it found at the start for all
/// processors alike: it does on x86 without cpufreq, if the processors do not
/// count their cycles (flag `aperfmperf`; arch/x86/kernel/cpu/proc.c).
pub(super) fn is_constant(text: &[u8]) -> bool {
    let flags = lines(text).find(|line| line.text.starts_with(b"flags"));
    flags.is_some_and(|line| line.fields().all(|flag| flag != b"aperfmperf"))
}

fn is_frequency(line: &Line<'_>) -> bool {
    const KEY: &[u8] = b"cpu MHz";
    line.text.get(..KEY.len()).is_some_and(|key| key.eq_ignore_ascii_case(KEY))
}

fn mhz(line: Line<'_>) -> Result<f64, Malformed> {
    let value = line.text.splitn(2, |byte| *byte == b':').nth(1);
    line.decimal(value.map(<[u8]>::trim_ascii), "MHz")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &[u8] = b"processor\t: 0\ncpu MHz\t\t: 1000.500\nflags\t\t: fpu aperfmperf tsc\n\n\
                         processor\t: 1\ncpu MHz\t\t: 2000.000\nflags\t\t: fpu aperfmperf tsc\n\n";

    #[test]
    fn frequencies_are_added_up() {
        assert_eq!(sum(TWO), Ok(Sum { mhz: 3000.5, count: 2 }));
        assert_eq!(first(TWO), Ok(Sum { mhz: 1000.5, count: 1 }));
        assert_eq!(sum(b"CPU MHz : 5200\n"), Ok(Sum { mhz: 5200.0, count: 1 }));
    }

    #[test]
    fn no_frequency_is_none_and_garbage_is_refused() {
        assert_eq!(sum(b"processor : 0\nBogoMIPS : 38.40\n"), Ok(Sum::default()));
        assert_eq!(first(b""), Ok(Sum::default()));
        for bad in ["cpu MHz\t\t: unknown\n", "cpu MHz\t\t:\n", "cpu MHz\n"] {
            assert!(sum(bad.as_bytes()).is_err(), "{bad}");
            assert!(first(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_first_frequency_is_there_when_its_line_has_ended() {
        let after = TWO.windows(5).position(|text| text == b"flags").unwrap();
        assert!(has_first(&TWO[..=after]));
        assert!(!has_first(&TWO[..after - 2]));
        assert!(!has_first(b"processor\t: 0\n"));
    }

    #[test]
    fn only_flags_tell_that_it_is_constant() {
        assert!(!is_constant(TWO));
        assert!(!is_constant(b"CPU MHz : 5200\n"));
        assert!(is_constant(b"cpu MHz : 5200\nflags : fpu tsc\n"));
    }
}
