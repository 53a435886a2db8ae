//! The table of mounts, and which of them are sent.
//!
//! Parses lines of `/proc/self/mounts`, see `proc_pid_mounts(5)` and
//! `getmntent(3)`, and chooses as psutil's `disk_partitions(all=False)` does: what
//! has a device and a file system that needs one. The network file systems,
//! FUSE and an overlay root are added to these: they fill up too.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

mod watch;

pub(crate) use watch::MountWatch;

/// At most so many mounts are sent, the local ones first; a document must not
/// become a list of bind mounts.
pub(crate) const MAX_MOUNTS: usize = 512;

/// Past so many slow places every mount is thought to be behind one.
const MAX_SLOW_PLACES: usize = 256;

/// At most so many bad lines are kept to be named.
const MAX_BAD_LINES: usize = 4;

/// So much of a bad line is shown.
const SHOWN_CHARACTERS: usize = 80;

/// A mount that is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    /// The device, or what stands for it: `/dev/sda1`, `server:/export`.
    pub(crate) device: String,
    /// Where it is mounted, byte for byte as the kernel has it.
    pub(crate) mountpoint: OsString,
    /// The type of its file system.
    pub(crate) fstype: String,
    /// The options, with commas between them.
    pub(crate) options: String,
    /// Whether a call may wait for another machine or another program.
    pub(crate) remote: bool,
    /// Whether a call never waits: the kernel has the figures in memory, and so does
    /// every mount on the way there.
    pub(crate) at_hand: bool,
}

/// Why a line of the table could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadLine {
    /// Counted from 1.
    number: usize,
    line: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, line } = self;
        write!(f, "line {number}: wanted device, mount point, type and options, found '{line}'")
    }
}

/// What a table of mounts came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// What is sent, in the order of the table.
    pub(crate) mounts: Vec<Mount>,
    /// How many more there were than [`MAX_MOUNTS`].
    pub(crate) left_out: usize,
    /// The first of the lines that were not understood.
    pub(crate) bad_lines: Vec<BadLine>,
}

/// The types of file system that need a block device, from the text of
/// `/proc/filesystems`. ZFS keeps its own devices and is counted among them.
pub(crate) fn types_with_device(filesystems: &str) -> Vec<String> {
    let with_device = |line: &str| match line.split_once('\t') {
        Some(("", fstype)) => Some(fstype.trim().to_owned()),
        Some(("nodev", "zfs")) => Some("zfs".to_owned()),
        _ => None,
    };
    filesystems.lines().filter_map(with_device).filter(|fstype| !fstype.is_empty()).collect()
}

/// Chooses from a table of mounts, line by line, so that a table of any length
/// needs no more memory than what is sent of it.
#[derive(Debug)]
pub(crate) struct Selector {
    types_with_device: Vec<String>,
    /// Whether a file system that is mounted in several places is sent once.
    once_each: bool,
    /// In the order of the table.
    chosen: Vec<Mount>,
    remote: usize,
    lines: usize,
    left_out: usize,
    bad_lines: Vec<BadLine>,
    /// Where something is mounted that a look-up of a path may wait for.
    slow_places: Vec<OsString>,
}

impl Selector {
    /// Begins with the outcome of [`types_with_device`].
    pub(crate) fn new(types_with_device: Vec<String>) -> Self {
        Self {
            types_with_device,
            once_each: false,
            chosen: Vec::new(),
            remote: 0,
            lines: 0,
            left_out: 0,
            bad_lines: Vec::new(),
            slow_places: Vec::new(),
        }
    }

    /// Has a file system sent once, where it was mounted first: bind mounts come
    /// later in the table than what they show. One that stands in for another which
    /// is covered later in the table is not found again.
    pub(crate) fn once_each(self) -> Self {
        Self { once_each: true, ..self }
    }

    /// Takes the next line of the table.
    pub(crate) fn line(&mut self, line: &[u8]) {
        self.lines += 1;
        let mut fields = line.trim_ascii().split(|byte| *byte == b' ');
        let (Some(device), Some(mountpoint), Some(fstype), Some(options)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            self.bad_line(line);
            return;
        };
        let mountpoint = OsString::from_vec(unescape(mountpoint).into_owned());
        // What is mounted over can no longer be reached by its path: the figures
        // that a call would give belong to what covers it.
        let is_covered = |mount: &Mount| mount.mountpoint == mountpoint;
        if let Some(covered) = self.chosen.iter().position(is_covered) {
            self.take_back(covered);
        }
        let at_hand = is_at_hand(fstype);
        if !at_hand && self.slow_places.len() <= MAX_SLOW_PLACES {
            self.slow_places.push(mountpoint.clone());
        }
        let Some(remote) = self.is_sent(device, mountpoint.as_encoded_bytes(), fstype) else {
            return;
        };
        if self.once_each && self.is_chosen(&text(device), &text(fstype)) {
            return;
        }
        if !self.make_room(remote) {
            self.left_out += 1;
            return;
        }
        self.remote += usize::from(remote);
        self.chosen.push(Mount {
            device: text(device),
            mountpoint,
            fstype: text(fstype),
            options: text(options),
            remote,
            at_hand,
        });
    }

    /// The selection, once every line was taken.
    pub(crate) fn finish(self) -> Selection {
        let slow_places = self.slow_places;
        let is_behind_slow = |mount: &Mount| {
            slow_places.len() > MAX_SLOW_PLACES
                || slow_places.iter().any(|place| Path::new(&mount.mountpoint).starts_with(place))
        };
        let mut mounts = self.chosen;
        for mount in &mut mounts {
            mount.at_hand = mount.at_hand && !is_behind_slow(mount);
        }
        Selection { mounts, left_out: self.left_out, bad_lines: self.bad_lines }
    }

    /// Whether a mount is sent, and if so, whether it is remote.
    fn is_sent(&self, device: &[u8], mountpoint: &[u8], fstype: &[u8]) -> Option<bool> {
        if device.is_empty() || device == b"none" {
            return None;
        }
        let fstype = std::str::from_utf8(fstype).ok()?;
        if is_remote(fstype) {
            return Some(true);
        }
        let overlay_root = fstype == "overlay" && mountpoint == b"/";
        (overlay_root || self.types_with_device.iter().any(|known| known == fstype))
            .then_some(false)
    }

    /// Whether a mount of this file system was chosen. Those of programs are told
    /// apart by their place alone: many have the same name for their device.
    fn is_chosen(&self, device: &str, fstype: &str) -> bool {
        let has_device = fstype == "fuseblk" || !fstype.starts_with("fuse");
        let is_it = |mount: &Mount| mount.device == device && mount.fstype == fstype;
        has_device && self.chosen.iter().any(is_it)
    }

    /// Whether one more may be chosen. A local one takes the place of the last
    /// remote one if it must.
    fn make_room(&mut self, remote: bool) -> bool {
        if self.chosen.len() < MAX_MOUNTS {
            return true;
        }
        if remote || self.remote == 0 {
            return false;
        }
        let Some(last) = self.chosen.iter().rposition(|mount| mount.remote) else {
            return false;
        };
        self.take_back(last);
        self.left_out += 1;
        true
    }

    fn take_back(&mut self, place: usize) {
        self.remote -= usize::from(self.chosen.remove(place).remote);
    }

    fn bad_line(&mut self, line: &[u8]) {
        if !line.trim_ascii().is_empty() && self.bad_lines.len() < MAX_BAD_LINES {
            let line = text(line).trim().chars().take(SHOWN_CHARACTERS).collect();
            self.bad_lines.push(BadLine { number: self.lines, line });
        }
    }
}

/// Whether a file system is answered for by another machine or by a program,
/// either of which may never answer.
fn is_remote(fstype: &str) -> bool {
    match fstype {
        "nfs" | "nfs4" | "cifs" | "smb3" | "fuse" | "fuseblk" => true,
        // Views of what is mounted elsewhere, and of no size of their own.
        "fuse.gvfsd-fuse" | "fuse.portal" => false,
        _ => fstype.starts_with("fuse."),
    }
}

/// Whether statfs(2) of such a file system reads counters in the kernel's memory
/// and nothing else, and a look-up on it waits for its own disk at most. What is
/// not known here is thought to be slow.
fn is_at_hand(fstype: &[u8]) -> bool {
    const AT_HAND: [&[u8]; 28] = [
        b"ext2",
        b"ext3",
        b"ext4",
        b"xfs",
        b"f2fs",
        b"squashfs",
        b"tmpfs",
        b"ramfs",
        b"rootfs",
        b"devtmpfs",
        b"devpts",
        b"proc",
        b"sysfs",
        b"cgroup",
        b"cgroup2",
        b"debugfs",
        b"tracefs",
        b"configfs",
        b"securityfs",
        b"pstore",
        b"bpf",
        b"mqueue",
        b"hugetlbfs",
        b"fusectl",
        b"efivarfs",
        b"binfmt_misc",
        b"rpc_pipefs",
        b"selinuxfs",
    ];
    AT_HAND.contains(&fstype)
}

fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(&unescape(field)).into_owned()
}

/// Undoes what getmntent(3) names: space, tab, newline and backslash are written
/// as `\040`, `\011`, `\012` and `\134`. Anything else stays as it is, as it does
/// there, for options are part of a series' identity.
fn unescape(field: &[u8]) -> Cow<'_, [u8]> {
    if !field.contains(&b'\\') {
        return Cow::Borrowed(field);
    }
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, tail)) = rest.split_first() {
        let (byte, length) = match rest.get(..4) {
            Some(b"\\040") => (b' ', 4),
            Some(b"\\011") => (b'\t', 4),
            Some(b"\\012") => (b'\n', 4),
            Some(b"\\134") => (b'\\', 4),
            _ => (first, 1),
        };
        out.push(byte);
        rest = tail.get(length - 1..).unwrap_or_default();
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
