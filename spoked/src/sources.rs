//! The list of sources, in the order of the wire.
//!
//! A source is the reader of one kernel file. `docs/sources.md` has a row for
//! each: what it reads, what it sends, in which units, and what the kernel may
//! lack.

mod cpu;
mod cpu_frequency;
mod disk_io;
mod filesystem;
#[cfg(test)]
pub(crate) mod fixture;
mod load_average;
mod memory;
mod network_io;
mod process_count;
mod swap_io;
mod uptime;

use crate::source::{Roots, Source};

pub(crate) use cpu::cpu_count;

/// Every source of this machine. The order of the captured keys is part of the
/// wire format; what the original collected but never sent comes first, where
/// its code had it, and what is ours follows that.
pub(crate) fn all(roots: &Roots) -> Vec<Box<dyn Source>> {
    vec![
        Box::new(process_count::ProcessCount::new(roots)),
        Box::new(load_average::LoadAverage::new(roots)),
        Box::new(cpu_frequency::CpuFrequency::new(roots)),
        Box::new(uptime::Uptime::new(roots)),
        Box::new(cpu::Cpu::new(roots)),
        Box::new(memory::Memory::new(roots)),
        Box::new(swap_io::SwapIo::new(roots)),
        Box::new(filesystem::Filesystem::new(roots.clone())),
        Box::new(disk_io::DiskIo::new(roots)),
        Box::new(network_io::NetworkIo::new(roots)),
    ]
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Every file that the sources read as a whole.
    const FILES: [&str; 9] = [
        "loadavg",
        "cpuinfo",
        "uptime",
        "stat",
        "meminfo",
        "zoneinfo",
        "vmstat",
        "diskstats",
        "self/net/dev",
    ];

    #[test]
    fn groups_of_keys_come_in_the_order_of_the_wire() {
        let mut out = Vec::new();
        for source in &mut all(&fixture::roots("x86_64-server")) {
            // What the filesystem source says is another test's; see below.
            let _ = source.read(&fixture::POLL, &mut out);
        }
        let groups = [
            "process_count",
            "load_average_",
            "cpu_frequency",
            "uptime",
            "boot_time",
            "cpu_times_percent_",
            "cpu_times_",
            "cpu_stats_",
            "memory_",
            "swap_memory_",
            "disk_partition_disk_usage_",
            "disk_io_",
            "network_io_",
        ];
        let group = |key: &str| groups.iter().position(|group| key.starts_with(group)).unwrap();
        let mut found: Vec<_> = out.iter().map(|point| group(point.key)).collect();
        found.dedup();
        assert_eq!(found, (0..groups.len()).collect::<Vec<_>>());
    }

    #[test]
    fn all_trees_are_read_without_a_failure() {
        for tree in fixture::TREES {
            for source in &mut all(&fixture::roots(tree)) {
                let outcome = source.read(&fixture::POLL, &mut Vec::new());
                // The trees hold no mount points; the golden tests make them.
                if source.name() == "filesystem" {
                    continue;
                }
                let is_absent = tree == "container" && source.name() == "disk_io";
                assert_eq!(outcome.is_err(), is_absent, "{tree} {}: {outcome:?}", source.name());
            }
        }
    }

    /// Files that are cut off, or have one byte changed, give figures or an error.
    #[test]
    fn no_text_of_the_kernel_makes_a_source_panic() {
        let folder = fixture::Folder::new("sources_garbled");
        let mut random: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut below = |limit: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random >> 33).unwrap() % limit
        };
        for tree in ["kernel-2.6.32", "arm-board"] {
            let texts = FILES.map(|file| fixture::text(tree, &format!("proc/{file}")));
            for _ in 0..60 {
                for (file, text) in FILES.iter().zip(&texts) {
                    let mut text = text.clone();
                    let place = below(text.len());
                    match below(3) {
                        0 => text.truncate(place),
                        1 => text[place] = b"\0 \n:-9\xff"[below(7)],
                        _ => text.insert(place, b'9'),
                    }
                    let path = folder.file(&file.replace("self/", ""), "");
                    fs::write(path, text).unwrap();
                }
                for source in &mut all(&folder.as_roots()) {
                    let _ = source.read(&fixture::POLL, &mut Vec::new());
                }
            }
        }
    }
}
