//! What the processors did: `/proc/stat` (`proc_stat(5)`). It also holds the time
//! of the start of the machine, so that comes from here too.

mod since_last_poll;
mod stat;

use pattoo_common::datapoint::{DataPoint, DataType};

use crate::kernel_file::KernelFile;
use crate::kernel_text::lines;
use crate::source::{Poll, Roots, Source, SourceError};
use crate::system_constants::ticks_per_second;

use since_last_poll::SinceLastPoll;

const TIMES_KEYS: [&str; stat::COLUMNS] = [
    "cpu_times_user",
    "cpu_times_nice",
    "cpu_times_system",
    "cpu_times_idle",
    "cpu_times_iowait",
    "cpu_times_irq",
    "cpu_times_softirq",
    "cpu_times_steal",
    "cpu_times_guest",
    "cpu_times_guest_nice",
];

const PERCENT_KEYS: [&str; stat::COLUMNS] = [
    "cpu_times_percent_user",
    "cpu_times_percent_nice",
    "cpu_times_percent_system",
    "cpu_times_percent_idle",
    "cpu_times_percent_iowait",
    "cpu_times_percent_irq",
    "cpu_times_percent_softirq",
    "cpu_times_percent_steal",
    "cpu_times_percent_guest",
    "cpu_times_percent_guest_nice",
];

/// Times of all processors together, in percent since the client's last poll
/// and in seconds since the start; switches and interrupts.
pub(crate) struct Cpu {
    stat: KernelFile,
    since_last_poll: SinceLastPoll,
    ticks_per_second: f64,
}

impl Cpu {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self {
            stat: KernelFile::new(roots.proc("stat")),
            since_last_poll: SinceLastPoll::default(),
            ticks_per_second: ticks_per_second() as f64,
        }
    }
}

impl Source for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn reads(&self) -> &'static str {
        "proc/stat"
    }

    fn read(&mut self, poll: &Poll, out: &mut Vec<DataPoint>) -> Result<(), SourceError> {
        let parsed = stat::parse(self.stat.read()?);
        let stat = parsed.map_err(|error| error.at(self.stat.path()))?;

        let boot_time = stat.boot_time_s.map(|s| DataPoint::new("boot_time", DataType::Gauge, s));
        out.extend(boot_time);

        if let Some(shares) = self.since_last_poll.percent(*poll, stat.cpu) {
            let shares = PERCENT_KEYS.iter().zip(shares).take(stat.cpu.columns().len());
            out.extend(shares.map(|(key, share)| DataPoint::new(key, DataType::GaugeFloat, share)));
        }

        let times = TIMES_KEYS.iter().zip(stat.cpu.columns());
        out.extend(times.map(|(key, ticks)| {
            DataPoint::new(key, DataType::Counter64, *ticks as f64 / self.ticks_per_second)
        }));

        let counters = [
            ("cpu_stats_ctx_switches", stat.context_switches),
            ("cpu_stats_interrupts", stat.interrupts),
            ("cpu_stats_soft_interrupts", stat.soft_interrupts),
            // Linux counts no system calls. The original sent the zero of psutil.
            ("cpu_stats_syscalls", Some(0)),
        ];
        out.extend(counters.into_iter().filter_map(|(key, count)| {
            count.map(|count| DataPoint::new(key, DataType::Counter64, count))
        }));
        Ok(())
    }
}

/// How many logical processors are in use: the `cpus` of every datapoint. From
/// the lines of `/proc/stat`, or of `/proc/cpuinfo` where that has none.
pub(crate) fn cpu_count(roots: &Roots) -> Option<usize> {
    let count = |file, counts: fn(&[u8]) -> bool| {
        let mut file = KernelFile::new(roots.proc(file));
        let text = file.read().ok()?;
        Some(lines(text).filter(|line| counts(line.text)).count()).filter(|count| *count > 0)
    };
    count("stat", stat::is_of_one_processor).or_else(|| {
        count("cpuinfo", |line| {
            line.split_at_checked(9).is_some_and(|(key, _)| key.eq_ignore_ascii_case(b"processor"))
        })
    })
}

#[cfg(test)]
mod tests {
    use pattoo_common::datapoint::Value;

    use super::*;
    use crate::sources::fixture;

    fn value(found: &[(String, Value)], key: &str) -> Option<Value> {
        found.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone())
    }

    #[test]
    fn keys_come_in_the_order_of_the_wire() {
        let found = fixture::values(&mut Cpu::new(&fixture::roots("x86_64-server")));
        let keys: Vec<_> = found.iter().map(|(key, _)| key.as_str()).collect();
        let counters = ["ctx_switches", "interrupts", "soft_interrupts", "syscalls"];
        let expected = std::iter::once("boot_time".to_string())
            .chain(PERCENT_KEYS.map(str::to_string))
            .chain(TIMES_KEYS.map(str::to_string))
            .chain(counters.map(|name| format!("cpu_stats_{name}")));
        assert_eq!(keys, expected.collect::<Vec<_>>());
    }

    #[test]
    fn what_an_old_kernel_lacks_is_left_out() {
        let found = fixture::values(&mut Cpu::new(&fixture::roots("kernel-2.6.32")));
        assert!(value(&found, "cpu_times_guest").is_some());
        assert_eq!(value(&found, "cpu_times_guest_nice"), None);
        assert_eq!(value(&found, "cpu_times_percent_guest_nice"), None);
    }

    #[test]
    fn ticks_become_seconds() {
        let folder = fixture::Folder::new("cpu_ticks");
        folder.file("stat", "cpu  250 0 50 700\n");
        let mut source = Cpu::new(&folder.as_roots());
        source.ticks_per_second = 100.0;
        let found = fixture::values(&mut source);
        assert_eq!(value(&found, "cpu_times_user"), Some(2.5.into()));
        assert_eq!(value(&found, "cpu_times_percent_user"), Some(25.0.into()));
        assert_eq!(value(&found, "cpu_times_iowait"), None);
        assert_eq!(value(&found, "cpu_stats_interrupts"), None);
        assert_eq!(value(&found, "cpu_stats_syscalls"), Some(0_u64.into()));
        assert_eq!(value(&found, "boot_time"), None);
    }

    #[test]
    fn processors_are_counted_as_the_kernel_lists_them() {
        for (tree, count) in [
            ("x86_64-server", 64),
            ("arm-board", 4),
            ("kernel-3.10", 2),
            ("kernel-2.6.32", 1),
            ("container", 4),
        ] {
            assert_eq!(cpu_count(&fixture::roots(tree)), Some(count), "{tree}");
        }
    }

    #[test]
    fn without_lines_in_stat_the_processors_of_cpuinfo_are_counted() {
        let folder = fixture::Folder::new("cpu_count_cpuinfo");
        assert_eq!(cpu_count(&folder.as_roots()), None);
        folder.file("stat", "cpu  1 2 3 4\n");
        folder.file("cpuinfo", "Processor\t: ARM\nprocessor\t: 0\nBogoMIPS\t: 1.0\n");
        assert_eq!(cpu_count(&folder.as_roots()), Some(2));
    }
}
