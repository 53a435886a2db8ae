//! Disk I/O: `/proc/diskstats`, or `/sys/block` where that is absent (the
//! kernel's Documentation/admin-guide/iostats.rst and block/stat.rst).

mod block_stat;
mod diskstats;

use pattoo_common::datapoint::{DataPoint, DataType, Metadata};

use crate::kernel_file::KernelFile;
use crate::kernel_text::lines;
use crate::left_out::{choose, disk_has_hardware};
use crate::source::{Poll, Roots, Source, SourceError};

/// A sector in these files, whatever the disk's own sectors are.
const SECTOR_BYTES: u64 = 512;

/// The datapoints of a disk.
const DATAPOINTS: usize = 9;

/// Counters of every disk and partition since the start of the machine.
pub(crate) struct DiskIo {
    roots: Roots,
    diskstats: KernelFile,
    left_out: usize,
}

impl DiskIo {
    pub(crate) fn new(roots: &Roots) -> Self {
        let diskstats = KernelFile::new(roots.proc("diskstats"));
        Self { roots: roots.clone(), diskstats, left_out: 0 }
    }
}

impl Source for DiskIo {
    fn name(&self) -> &'static str {
        "disk_io"
    }

    fn reads(&self) -> &'static str {
        "proc/diskstats, sys/block/*/stat"
    }

    /// A line that cannot be understood costs that disk; the first such line is
    /// told.
    fn read(&mut self, _: &Poll, out: &mut Vec<DataPoint>) -> Result<(), SourceError> {
        self.left_out = 0;
        let text = match self.diskstats.read() {
            Ok(text) => text,
            Err(SourceError::Absent(absent)) => {
                return block_stat::read(&self.roots.sys("block"), out, &absent);
            }
            Err(failed) => return Err(failed),
        };
        let disks = diskstats::parse(text).flatten().filter(Disk::is_sent);
        let hardware =
            disks.map(|disk| disk_has_hardware(&self.roots, &String::from_utf8_lossy(disk.name)));
        let mut chosen = choose(lines(text).count(), hardware);
        let mut first_error = None;
        for disk in diskstats::parse(text) {
            match disk {
                Ok(disk) if !disk.is_sent() => {}
                Ok(disk) if chosen.next().unwrap_or(true) => disk.push(out),
                Ok(_) => self.left_out += DATAPOINTS,
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        first_error.map_or(Ok(()), |error| Err(error.at(self.diskstats.path())))
    }

    fn left_out(&self) -> usize {
        self.left_out
    }
}

/// What one disk or partition did. Times are milliseconds; that of reads and
/// writes is summed over all that were under way at once, `busy_ms` is not.
#[derive(Debug, Default, PartialEq, Eq)]
struct Disk<'a> {
    name: &'a [u8],
    reads: u64,
    reads_merged: u64,
    read_bytes: u64,
    read_ms: u64,
    writes: u64,
    writes_merged: u64,
    written_bytes: u64,
    write_ms: u64,
    busy_ms: u64,
}

impl Disk<'_> {
    /// Whether it is a disk of its own, and not a file or memory that looks like
    /// one: `loop0`, `ram0` (but `zram0` is one).
    fn is_sent(&self) -> bool {
        !self.name.starts_with(b"loop") && !is_ram_disk(self.name)
    }

    /// Appends the figures, if it is sent.
    fn push(&self, out: &mut Vec<DataPoint>) {
        if !self.is_sent() {
            return;
        }
        let name = String::from_utf8_lossy(self.name).into_owned();
        let metadata = Metadata::after_host(vec![("disk_partition", name)]);
        let figures: [_; DATAPOINTS] = [
            ("disk_io_read_count", self.reads),
            ("disk_io_write_count", self.writes),
            ("disk_io_read_bytes", self.read_bytes),
            ("disk_io_write_bytes", self.written_bytes),
            ("disk_io_read_time", self.read_ms),
            ("disk_io_write_time", self.write_ms),
            ("disk_io_read_merged_count", self.reads_merged),
            ("disk_io_write_merged_count", self.writes_merged),
            ("disk_io_busy_time", self.busy_ms),
        ];
        out.extend(
            figures.map(|(key, value)| DataPoint::of(&metadata, key, DataType::Counter64, value)),
        );
    }
}

fn is_ram_disk(name: &[u8]) -> bool {
    let number = name.strip_prefix(b"ram").unwrap_or_default();
    !number.is_empty() && number.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use pattoo_common::datapoint::Place;

    use super::*;
    use crate::sources::fixture;

    /// The disks of a source, in order.
    fn disks(points: &[DataPoint]) -> Vec<&str> {
        let mut names: Vec<_> = points
            .iter()
            .map(|point| point.metadata.as_ref().unwrap().pairs[0].1.as_str())
            .collect();
        names.dedup();
        names
    }

    #[test]
    fn keys_and_metadata_are_those_of_the_wire() {
        let points = fixture::read(&mut DiskIo::new(&fixture::roots("arm-board")));
        let keys: Vec<_> = points[..9].iter().map(|point| point.key).collect();
        let names = ["read_count", "write_count", "read_bytes", "write_bytes", "read_time"];
        let names = names.into_iter().chain(["write_time", "read_merged_count"]);
        let names = names.chain(["write_merged_count", "busy_time"]);
        assert_eq!(keys, names.map(|name| format!("disk_io_{name}")).collect::<Vec<_>>());
        let metadata = points[0].metadata.as_ref().unwrap();
        assert_eq!(metadata.place, Place::AfterHost);
        assert_eq!(metadata.pairs, [("disk_partition", "mmcblk0".to_string())]);
    }

    #[test]
    fn disks_and_partitions_come_as_the_kernel_lists_them() {
        let points = fixture::read(&mut DiskIo::new(&fixture::roots("arm-board")));
        let expected = ["mmcblk0", "mmcblk0p1", "mmcblk0p2", "mmcblk0boot1", "mmcblk0boot0"];
        assert_eq!(disks(&points)[..5], expected);
        assert_eq!(disks(&points).last(), Some(&"zram0"), "which counts nothing, and is there");
    }

    #[test]
    fn loop_and_ram_disks_are_left_out_and_no_others() {
        for name in ["loop0", "loop", "loop7p1", "ram0", "ram15"] {
            let mut out = Vec::new();
            Disk { name: name.as_bytes(), ..Disk::default() }.push(&mut out);
            assert!(out.is_empty(), "{name}");
        }
        for name in ["zram0", "ram", "rama", "sda", "dm-0", "md127", "cciss/c0d0"] {
            let mut out = Vec::new();
            Disk { name: name.as_bytes(), ..Disk::default() }.push(&mut out);
            assert_eq!(out.len(), 9, "{name}");
        }
    }

    #[test]
    fn a_bad_line_costs_its_disk_and_is_told() {
        let folder = fixture::Folder::new("disk_io_bad_line");
        folder.file("diskstats", "8 0 sda 1 1 1 1\n8 1 sda1 x 1 1 1\n8 2 sda2 1 1 1 1\n");
        let mut out = Vec::new();
        let outcome = DiskIo::new(&folder.as_roots()).read(&fixture::POLL, &mut out);
        assert_eq!(disks(&out), ["sda", "sda2"]);
        let Err(SourceError::Failed(reason)) = outcome else { panic!("a line is malformed") };
        assert!(reason.contains("diskstats line 2: wanted reads"), "{reason}");
    }

    #[test]
    fn a_machine_without_disks_is_no_error() {
        let folder = fixture::Folder::new("disk_io_none");
        folder.file("diskstats", "");
        assert_eq!(fixture::read(&mut DiskIo::new(&folder.as_roots())), []);
    }

    #[test]
    fn without_diskstats_the_same_is_read_from_sysfs() {
        let mut roots = fixture::roots("x86_64-server");
        let mut from_proc = fixture::values(&mut DiskIo::new(&roots));
        roots.proc.push("nowhere");
        let mut from_sys = fixture::values(&mut DiskIo::new(&roots));
        let by_disk = |a: &(String, _), b: &(String, _)| a.0.cmp(&b.0);
        from_proc.sort_by(by_disk);
        from_sys.sort_by(by_disk);
        assert!(from_proc.len() > 100);
        assert_eq!(from_sys, from_proc);
    }

    #[test]
    fn a_container_without_either_has_none() {
        let mut source = DiskIo::new(&fixture::roots("container"));
        let Err(SourceError::Absent(reason)) = source.read(&fixture::POLL, &mut Vec::new()) else {
            panic!("there is nothing to read")
        };
        assert!(reason.contains("proc/diskstats"), "{reason}");
        assert!(reason.contains("sys/block"), "{reason}");
    }
}
