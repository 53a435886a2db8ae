//! Memory and swap: `/proc/meminfo` (`proc_meminfo(5)`).

mod meminfo;
mod zoneinfo;

use pattoo_common::datapoint::{DataPoint, DataType, Value};

use crate::kernel_file::KernelFile;
use crate::percent::percent;
use crate::source::{Poll, Roots, Source, SourceError};
use crate::system_constants::page_size_bytes;

use meminfo::Meminfo;

/// How memory and swap are used, in bytes.
pub(crate) struct Memory {
    meminfo: KernelFile,
    /// Read only where the kernel does not say itself what is available.
    zoneinfo: KernelFile,
}

impl Memory {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self {
            meminfo: KernelFile::new(roots.proc("meminfo")),
            zoneinfo: KernelFile::new(roots.proc("zoneinfo")),
        }
    }

    /// What can be given to processes without swapping. A kernel before 3.14
    /// does not say it, and some say 0: then it is estimated as free(1) does.
    fn available_bytes(&mut self, meminfo: &Meminfo) -> Result<u64, SourceError> {
        let available = match meminfo.available {
            Some(available) if available > 0 => available,
            _ => {
                // Where it is hidden there is an estimate without it.
                let low_pages = self.zoneinfo.read().ok().map(zoneinfo::low_watermark_pages);
                let low_pages = low_pages.transpose();
                let low_pages = low_pages.map_err(|error| error.at(self.zoneinfo.path()))?;
                meminfo.estimated_available(low_pages, page_size_bytes())
            }
        };
        // More than there is: seen in containers, where one of the two is the
        // host's.
        Ok(if available > meminfo.total { meminfo.free } else { available })
    }
}

impl Source for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn reads(&self) -> &'static str {
        "proc/meminfo, proc/zoneinfo"
    }

    fn read(&mut self, _: &Poll, out: &mut Vec<DataPoint>) -> Result<(), SourceError> {
        let parsed = meminfo::parse(self.meminfo.read()?);
        let meminfo = parsed.map_err(|error| error.at(self.meminfo.path()))?;
        let available = self.available_bytes(&meminfo)?;
        let used = meminfo.total.saturating_sub(available);
        let swap = meminfo.swap_total.zip(meminfo.swap_free);
        let swap_used = swap.map(|(total, free)| total.saturating_sub(free));
        let swap_percent =
            swap.zip(swap_used).map(|((total, _), used)| percent(used as f64, total as f64));

        let figures: [(&'static str, Option<Value>); 15] = [
            ("memory_total", Some(meminfo.total.into())),
            ("memory_available", Some(available.into())),
            ("memory_percent", Some(percent(used as f64, meminfo.total as f64).into())),
            ("memory_used", Some(used.into())),
            ("memory_free", Some(meminfo.free.into())),
            ("memory_active", meminfo.active.map(Value::from)),
            ("memory_inactive", meminfo.inactive().map(Value::from)),
            ("memory_buffers", meminfo.buffers.map(Value::from)),
            ("memory_cached", meminfo.cached_and_reclaimable().map(Value::from)),
            ("memory_shared", meminfo.shared.map(Value::from)),
            ("memory_slab", meminfo.slab.map(Value::from)),
            ("swap_memory_total", meminfo.swap_total.map(Value::from)),
            ("swap_memory_used", swap_used.map(Value::from)),
            ("swap_memory_free", meminfo.swap_free.map(Value::from)),
            ("swap_memory_percent", swap_percent.map(Value::from)),
        ];
        out.extend(figures.into_iter().filter_map(|(key, value)| {
            value.map(|value| DataPoint::new(key, DataType::Gauge, value))
        }));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::fixture;

    fn value(found: &[(String, Value)], key: &str) -> Option<Value> {
        found.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone())
    }

    #[test]
    fn keys_come_in_the_order_of_the_wire() {
        let memory = ["total", "available", "percent", "used", "free", "active", "inactive"];
        let memory = memory.into_iter().chain(["buffers", "cached", "shared", "slab"]);
        let memory = memory.map(|name| format!("memory_{name}"));
        let swap = ["total", "used", "free", "percent"].map(|name| format!("swap_memory_{name}"));
        let expected: Vec<_> = memory.chain(swap).collect();
        for tree in fixture::TREES {
            let found = fixture::values(&mut Memory::new(&fixture::roots(tree)));
            let keys: Vec<_> = found.into_iter().map(|(key, _)| key).collect();
            assert_eq!(keys, expected, "{tree}");
        }
    }

    #[test]
    fn what_is_not_said_is_left_out_and_not_zero() {
        let folder = fixture::Folder::new("memory_least");
        folder.file("meminfo", "MemTotal: 1000 kB\nMemFree: 250 kB\nCached: 250 kB\n");
        let found = fixture::values(&mut Memory::new(&folder.as_roots()));
        let bytes = |kib: u64| Value::from(kib * 1024);
        assert_eq!(
            found,
            [
                ("memory_total".to_string(), bytes(1000)),
                ("memory_available".to_string(), bytes(500)),
                ("memory_percent".to_string(), 50.0.into()),
                ("memory_used".to_string(), bytes(500)),
                ("memory_free".to_string(), bytes(250)),
                ("memory_cached".to_string(), bytes(250)),
            ]
        );
    }

    #[test]
    fn no_swap_is_zero_percent_used() {
        let found = fixture::values(&mut Memory::new(&fixture::roots("container")));
        assert_eq!(value(&found, "swap_memory_total"), Some(0_u64.into()));
        assert_eq!(value(&found, "swap_memory_percent"), Some(0.0.into()));
    }

    #[test]
    fn more_available_than_there_is_falls_back_to_what_is_free() {
        let folder = fixture::Folder::new("memory_container");
        folder.file("meminfo", "MemTotal: 1000 kB\nMemFree: 300 kB\nMemAvailable: 9000 kB\n");
        let found = fixture::values(&mut Memory::new(&folder.as_roots()));
        assert_eq!(value(&found, "memory_available"), Some((300_u64 * 1024).into()));
    }

    #[test]
    fn an_error_in_zoneinfo_names_that_file() {
        let folder = fixture::Folder::new("memory_zoneinfo");
        let files = "Active(file): 1 kB\nInactive(file): 1 kB\nSReclaimable: 1 kB\n";
        folder.file("meminfo", &format!("MemTotal: 9 kB\nMemFree: 3 kB\n{files}"));
        folder.file("zoneinfo", "Node 0, zone DMA\n  low few\n");
        let mut memory = Memory::new(&folder.as_roots());
        let Err(SourceError::Failed(reason)) = memory.read(&fixture::POLL, &mut Vec::new()) else {
            panic!("it is malformed")
        };
        assert!(reason.contains("zoneinfo line 2: wanted pages"), "{reason}");
    }
}
