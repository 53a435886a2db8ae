//! A disk with a cache that a power cut empties.
//!
//! QEMU keeps what the guest wrote, flushed or not, so that ending it alone would
//! not show a flush that is missing. Its driver `blklogwrites` therefore logs every
//! write and flush (in the format of dm-log-writes, see the kernel's documentation
//! of it) while the machine works on a copy; after the cut the disk itself gets
//! what was flushed, and of the writes behind the last flush some, by chance.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use pattoo_tests::{Dice, binary_of_system, finish};

/// Bytes of the disk; mkfs takes a moment for each of them.
const DISK_BYTES: u64 = 192 << 20;
/// Bytes that the log may grow to; it is a file with holes.
const LOG_BYTES: u64 = 8 << 30;
const SECTOR: u64 = 512;
/// The first eight bytes of a log.
const MAGIC: u64 = 0x006a_7366_7773_6872;
/// Flags of an entry of the log.
const FLUSH: u64 = 1;
const DISCARD: u64 = 4;

/// A disk image, and what the machine that runs on it uses in its place.
pub(crate) struct Disk {
    image: PathBuf,
    /// The copy that the machine writes to.
    pub(crate) copy: PathBuf,
    /// The log of its writes.
    pub(crate) log: PathBuf,
}

/// What became of the writes since the machine was started.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cut {
    /// Writes before the last flush.
    pub(crate) durable: usize,
    /// Writes behind it.
    pub(crate) in_flight: usize,
    /// Those of them that reached the disk all the same.
    pub(crate) kept: usize,
}

struct Entry {
    sector: u64,
    sectors: u64,
    flags: u64,
    /// Where its data is in the log.
    data: u64,
}

impl Disk {
    /// A new disk with the files of `tree`.
    pub(crate) fn new(folder: &Path, tree: &Path) -> Self {
        let image = folder.join("disk.img");
        File::create(&image).and_then(|file| file.set_len(DISK_BYTES)).expect("a disk image");
        let made = finish(
            std::process::Command::new(binary_of_system("mkfs.ext4"))
                .arg("-q")
                .arg("-F")
                .arg("-d")
                .arg(tree)
                .arg(&image),
        );
        assert_eq!(made.code, 0, "{made:?}");
        Self { image, copy: folder.join("copy.img"), log: folder.join("writes.log") }
    }

    /// Gets ready for a machine.
    pub(crate) fn prepare(&self) {
        fs::copy(&self.image, &self.copy).expect("a copy of the disk");
        // Anew: what an earlier log left behind would be read as entries.
        let _ = fs::remove_file(&self.log);
        File::create(&self.log).and_then(|file| file.set_len(LOG_BYTES)).expect("a log");
    }

    /// The power is gone: brings onto the disk what was flushed, and some of the
    /// rest.
    pub(crate) fn cut(&self, dice: &mut Dice) -> Cut {
        let log = File::open(&self.log).expect("the log");
        let entries = entries(&log);
        let flushed = entries.iter().rposition(|entry| entry.flags & FLUSH != 0).unwrap_or(0);
        let mut disk = File::options().write(true).open(&self.image).expect("the disk image");
        let mut cut = Cut::default();
        for (number, entry) in entries.iter().enumerate() {
            if entry.sectors == 0 || entry.flags & DISCARD != 0 {
                continue;
            }
            if number <= flushed {
                cut.durable += 1;
            } else {
                cut.in_flight += 1;
                if dice.one_in(2) {
                    continue;
                }
                cut.kept += 1;
            }
            let mut data = vec![0; usize::try_from(entry.sectors * SECTOR).expect("small")];
            log.read_exact_at(&mut data, entry.data).expect("the data of a write");
            disk.seek(SeekFrom::Start(entry.sector * SECTOR)).expect("a place on the disk");
            disk.write_all(&data).expect("the disk image can be written");
        }
        disk.sync_all().expect("the disk image can be synced");
        cut
    }
}

/// The entries of a log, up to the first that is not there in whole.
fn entries(mut log: &File) -> Vec<Entry> {
    let mut head = [0; 28];
    log.read_exact(&mut head).expect("the head of the log");
    let number = |bytes: &[u8], at: usize| {
        let eight = bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok());
        u64::from_le_bytes(eight.expect("eight bytes"))
    };
    // A guest that never flushed has none.
    if number(&head, 0) != MAGIC {
        return Vec::new();
    }
    let counted = number(&head, 16);
    let mut at = SECTOR;
    let mut entries = Vec::new();
    loop {
        let mut bytes = [0; 32];
        log.read_exact_at(&mut bytes, at).expect("an entry of the log");
        let (sector, sectors) = (number(&bytes, 0), number(&bytes, 8));
        let flags = number(&bytes, 16);
        if sectors == 0 && flags == 0 {
            break;
        }
        entries.push(Entry { sector, sectors, flags, data: at + SECTOR });
        let has_data = flags & DISCARD == 0;
        at += SECTOR + if has_data { sectors * SECTOR } else { 0 };
    }
    // The head is written with each flush. Fewer entries than it counts: one was
    // under way when the machine was ended, and what lies behind it, acknowledged
    // flushes included, cannot be told from data.
    assert!(entries.len() as u64 >= counted, "the log of writes has a hole; run it again");
    entries
}
