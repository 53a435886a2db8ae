//! The text of `/proc/stat` (`proc_stat(5)`).

use crate::kernel_text::{Malformed, lines};

/// The columns of a `cpu` line of current kernels.
pub(super) const COLUMNS: usize = 10;

/// The columns that every kernel has: user, nice, system, idle.
const LEAST_COLUMNS: usize = 4;

/// What was taken from the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) cpu: CpuTimes,
    /// When the machine was started, in seconds since 1970.
    pub(super) boot_time_s: Option<u64>,
    pub(super) context_switches: Option<u64>,
    pub(super) interrupts: Option<u64>,
    /// Since kernel 2.6.31.
    pub(super) soft_interrupts: Option<u64>,
}

/// Times of all processors together since the start, in ticks: user, nice,
/// system, idle; since 2.6 iowait, irq, softirq, steal; guest since 2.6.24 and
/// `guest_nice` since 2.6.33. The guest columns are also part of user and nice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CpuTimes {
    ticks: [u64; COLUMNS],
    known: usize,
}

impl CpuTimes {
    /// Before anything ran.
    pub(super) const NONE: Self = Self { ticks: [0; COLUMNS], known: COLUMNS };

    /// The columns that this kernel has.
    pub(super) fn columns(&self) -> &[u64] {
        &self.ticks[..self.known]
    }

    /// All columns, zero where this kernel lacks one.
    pub(super) fn ticks(&self) -> &[u64; COLUMNS] {
        &self.ticks
    }
}

/// Takes what is wanted; other lines are passed over.
pub(super) fn parse(text: &[u8]) -> Result<Stat, Malformed> {
    let mut cpu = None;
    let mut boot_time_s = None;
    let mut context_switches = None;
    let mut interrupts = None;
    let mut soft_interrupts = None;
    for line in lines(text) {
        if is_of_one_processor(line.text) {
            continue;
        }
        let mut fields = line.fields();
        let (wanted, what) = match fields.next() {
            Some(b"cpu") => {
                let mut times = CpuTimes { ticks: [0; COLUMNS], known: 0 };
                for (ticks, field) in times.ticks.iter_mut().zip(fields) {
                    *ticks = line.whole(Some(field), "ticks")?;
                    times.known += 1;
                }
                if times.known < LEAST_COLUMNS {
                    return Err(line.wanted("ticks of user, nice, system and idle"));
                }
                cpu = Some(times);
                continue;
            }
            Some(b"btime") => (&mut boot_time_s, "seconds since 1970"),
            Some(b"ctxt") => (&mut context_switches, "context switches"),
            Some(b"intr") => (&mut interrupts, "interrupts"),
            Some(b"softirq") => (&mut soft_interrupts, "soft interrupts"),
            _ => continue,
        };
        *wanted = Some(line.whole(fields.next(), what)?);
    }
    let cpu = cpu.ok_or_else(|| Malformed::missing("cpu"))?;
    Ok(Stat { cpu, boot_time_s, context_switches, interrupts, soft_interrupts })
}

/// Whether this is the line of one logical processor, such as `cpu0`.
pub(super) fn is_of_one_processor(line: &[u8]) -> bool {
    matches!(line, [b'c', b'p', b'u', b'0'..=b'9', ..])
}

#[cfg(test)]
pub(super) fn times<const N: usize>(columns: [u64; N]) -> CpuTimes {
    let mut times = CpuTimes { ticks: [0; COLUMNS], known: N };
    times.ticks[..N].copy_from_slice(&columns);
    times
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::fixture;

    #[test]
    fn every_tree_has_its_figures() {
        for tree in fixture::TREES {
            let text = fixture::text(tree, "proc/stat");
            let stat = parse(&text).unwrap_or_else(|error| panic!("{tree}: {error:?}"));
            let columns = if tree == "kernel-2.6.32" { 9 } else { COLUMNS };
            assert_eq!(stat.cpu.columns().len(), columns, "{tree}");
            let each = lines(&text).filter(|line| is_of_one_processor(line.text));
            let idle = each.map(|line| line.whole(line.fields().nth(4), "idle").unwrap());
            let idle: u64 = idle.sum();
            assert!(stat.cpu.columns()[3].abs_diff(idle) < 64, "{tree}: rounding at most");
            assert!(stat.boot_time_s > Some(1_000_000_000), "{tree}");
            assert!(stat.context_switches > Some(0), "{tree}");
            assert!(stat.interrupts > Some(0), "{tree}");
            assert!(stat.soft_interrupts > Some(0), "{tree}");
        }
    }

    #[test]
    fn columns_that_are_yet_to_come_are_passed_over() {
        let stat = parse(b"cpu  1 2 3 4 5 6 7 8 9 10 11 12\n").unwrap();
        assert_eq!(stat.cpu, times([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
    }

    #[test]
    fn the_largest_counters_are_kept_exact() {
        let stat = parse(b"cpu 1 2 3 4\nctxt 18446744073709551615\n").unwrap();
        assert_eq!(stat.context_switches, Some(u64::MAX));
    }

    #[test]
    fn a_line_that_cannot_be_right_is_named() {
        for (text, line) in [
            ("cpu  1 2 3\n", "line 1: wanted ticks of user"),
            ("cpu  1 2 -3 4\n", "line 1: wanted ticks"),
            ("cpu  1 2 3 4\nctxt many\n", "line 2: wanted context switches"),
            ("cpu  1 2 3 4\n\nintr\n", "line 3: wanted interrupts"),
            ("cpu  1 2 3 4\nbtime 18446744073709551616\n", "line 2: wanted seconds"),
            ("cpu0 1 2 3 4\n", "has no line \"cpu\""),
            ("", "has no line \"cpu\""),
        ] {
            let error = format!("{:?}", parse(text.as_bytes()).unwrap_err());
            assert!(error.contains(&line.replace('"', "\\\"")), "{text:?}: {error}");
        }
    }
}
