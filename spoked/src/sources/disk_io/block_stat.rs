//! The same figures from `/sys/block/DISK/stat` and, of partitions, from
//! `/sys/block/DISK/PARTITION/stat` (the kernel's Documentation/block/stat.rst).
//! It costs an open for each, so it is the way only where `/proc/diskstats` is
//! absent, as in some containers.

use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use pattoo_common::datapoint::DataPoint;

use crate::kernel_file::{KernelFile, unreadable};
use crate::kernel_text::{Malformed, lines};
use crate::source::SourceError;

use super::{Disk, diskstats};

/// The figures of a line that are wanted; more may follow.
const FIGURES: usize = 10;

/// Appends what all disks and partitions did, in the order of their names.
/// `diskstats_absent` tells why this is asked.
pub(super) fn read(
    block: &Path,
    out: &mut Vec<DataPoint>,
    diskstats_absent: &str,
) -> Result<(), SourceError> {
    let disks = match folders(block) {
        Ok(disks) if !disks.is_empty() => disks,
        Ok(_) => {
            let reason = format!("{diskstats_absent}; {} lists no disks", block.display());
            return Err(SourceError::Absent(reason));
        }
        Err(SourceError::Absent(absent)) => {
            return Err(SourceError::Absent(format!("{diskstats_absent}; {absent}")));
        }
        Err(failed) => return Err(failed),
    };
    let mut outcome = Ok(());
    for disk in disks {
        outcome = outcome.and(read_one(&disk, out));
        match folders(&disk) {
            Ok(partitions) => {
                for partition in partitions {
                    outcome = outcome.and(read_one(&partition, out));
                }
            }
            // It was unplugged meanwhile.
            Err(SourceError::Absent(_)) => {}
            Err(failed) => outcome = outcome.and(Err(failed)),
        }
    }
    outcome
}

/// Most folders below a disk are no partitions and hold no `stat`.
fn read_one(folder: &Path, out: &mut Vec<DataPoint>) -> Result<(), SourceError> {
    let mut file = KernelFile::new(folder.join("stat"));
    let text = match file.read() {
        Ok(text) => text,
        Err(SourceError::Absent(_)) => return Ok(()),
        Err(failed) => return Err(failed),
    };
    // In names of files the kernel writes the slash of `cciss/c0d0` as `!`.
    let mut name = folder.file_name().unwrap_or_default().to_os_string().into_vec();
    for byte in &mut name {
        if *byte == b'!' {
            *byte = b'/';
        }
    }
    let parsed = parse(&name, text).map(|disk| disk.push(out));
    parsed.map_err(|error| error.at(file.path()))
}

/// One line of 10 figures or more, as in `/proc/diskstats` behind the name.
fn parse<'a>(name: &'a [u8], text: &'a [u8]) -> Result<Disk<'a>, Malformed> {
    let line = lines(text).next().ok_or_else(|| Malformed::missing("figures of a disk"))?;
    let mut figures: [&[u8]; FIGURES] = [b""; FIGURES];
    for (place, figure) in figures.iter_mut().zip(line.fields()) {
        *place = figure;
    }
    diskstats::disk(line, name, &figures)
}

/// The folders in a folder, in the order of their names: first by length, so
/// that `sda10` comes after `sda9`.
fn folders(path: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let entries = fs::read_dir(path).map_err(|error| unreadable(path, &error))?;
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(path, &error))?.path();
        if entry.is_dir() {
            folders.push(entry);
        }
    }
    folders.sort_by(|a, b| {
        let (a, b) = (a.as_os_str().as_bytes(), b.as_os_str().as_bytes());
        a.len().cmp(&b.len()).then_with(|| a.cmp(b))
    });
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::fixture::Folder;

    #[test]
    fn the_kernels_columns_are_those_of_diskstats() {
        let disk =
            parse(b"sda", b"       1        2        3        4   5 6 7 8 9 10 11\n").unwrap();
        assert_eq!((disk.reads, disk.read_bytes, disk.busy_ms), (1, 3 * 512, 10));
        for bad in ["", "\n", "1 2 3 4 5 6 7 8 9\n", "1 2 3 4 5 6 7 8 9 x\n"] {
            assert!(parse(b"sda", bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_those_of_diskstats() {
        let folder = Folder::new("block_stat_names");
        for name in ["sda", "sda/sda10", "sda/sda9", "cciss!c0d0"] {
            folder.file(&format!("{name}/stat"), "1 2 3 4 5 6 7 8 9 10 11\n");
        }
        folder.file("sda/queue/nr_requests", "64\n");
        let mut out = Vec::new();
        read(&folder.path, &mut out, "").unwrap();
        let names = out.iter().map(|point| point.metadata.as_ref().unwrap().pairs[0].1.as_str());
        let mut names: Vec<_> = names.collect();
        names.dedup();
        assert_eq!(names, ["sda", "sda9", "sda10", "cciss/c0d0"]);
    }

    #[test]
    fn an_error_names_the_file_and_leaves_the_others() {
        let folder = Folder::new("block_stat_bad");
        folder.file("sda/stat", "what?\n");
        folder.file("sdb/stat", "1 2 3 4 5 6 7 8 9 10 11\n");
        let mut out = Vec::new();
        let Err(SourceError::Failed(reason)) = read(&folder.path, &mut out, "") else {
            panic!("one is malformed")
        };
        assert!(reason.contains("sda/stat line 1: wanted reads"), "{reason}");
        assert_eq!(out.len(), 9);
    }
}
