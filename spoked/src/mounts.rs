//! The table of mounts, and which of them are sent.
//!
//! Parses lines of `/proc/self/mounts`, see `proc_pid_mounts(5)` and
//! `getmntent(3)`, and chooses as psutil's `disk_partitions(all=False)` does: what
//! has a device and a file system that needs one. The network file systems,
//! FUSE and an overlay root are added to these: they fill up too.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
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
pub(crate) fn types_with_device(filesystems: &str) -> BTreeSet<String> {
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
    types_with_device: BTreeSet<String>,
    /// Whether a file system that is mounted in several places is sent once.
    once_each: bool,
    /// By the number of the line, which gives the order back.
    chosen: BTreeMap<usize, Mount>,
    line_of: BTreeMap<OsString, usize>,
    remote: usize,
    lines: usize,
    left_out: usize,
    bad_lines: Vec<BadLine>,
    /// Where something is mounted that a look-up of a path may wait for.
    slow_places: Vec<OsString>,
}

impl Selector {
    /// Begins with the outcome of [`types_with_device`].
    pub(crate) fn new(types_with_device: BTreeSet<String>) -> Self {
        Self {
            types_with_device,
            once_each: false,
            chosen: BTreeMap::new(),
            line_of: BTreeMap::new(),
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
        if let Some(covered) = self.line_of.remove(&mountpoint) {
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
        self.line_of.insert(mountpoint.clone(), self.lines);
        self.remote += usize::from(remote);
        let mount = Mount {
            device: text(device),
            mountpoint,
            fstype: text(fstype),
            options: text(options),
            remote,
            at_hand,
        };
        self.chosen.insert(self.lines, mount);
    }

    /// The selection, once every line was taken.
    pub(crate) fn finish(self) -> Selection {
        let slow_places = self.slow_places;
        let is_behind_slow = |mount: &Mount| {
            slow_places.len() > MAX_SLOW_PLACES
                || slow_places.iter().any(|place| Path::new(&mount.mountpoint).starts_with(place))
        };
        let mut mounts: Vec<Mount> = self.chosen.into_values().collect();
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
        (overlay_root || self.types_with_device.contains(fstype)).then_some(false)
    }

    /// Whether a mount of this file system was chosen. Those of programs are told
    /// apart by their place alone: many have the same name for their device.
    fn is_chosen(&self, device: &str, fstype: &str) -> bool {
        let has_device = fstype == "fuseblk" || !fstype.starts_with("fuse");
        let is_it = |mount: &Mount| mount.device == device && mount.fstype == fstype;
        has_device && self.chosen.values().any(is_it)
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
        let Some(last) = self.chosen.iter().rev().find(|(_, mount)| mount.remote) else {
            return false;
        };
        let line = *last.0;
        if let Some(mount) = self.take_back(line) {
            self.line_of.remove(&mount.mountpoint);
        }
        self.left_out += 1;
        true
    }

    fn take_back(&mut self, line: usize) -> Option<Mount> {
        let mount = self.chosen.remove(&line)?;
        self.remote -= usize::from(mount.remote);
        Some(mount)
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
mod tests {
    use std::fmt::Write as _;

    use super::*;

    const FILESYSTEMS: &str =
        "nodev\tsysfs\nnodev\ttmpfs\nnodev\tnfs4\nnodev\toverlay\nnodev\tzfs\n\text4\n\txfs\n";

    /// Found by the fuzz target `mounts`.
    #[test]
    fn a_type_without_a_name_is_none() {
        assert_eq!(types_with_device("\t\n\text4\n\t \n"), BTreeSet::from(["ext4".to_owned()]));
        let mut selector = Selector::new(types_with_device("\t\n"));
        selector.line(b"/dev/sda1 /mnt  rw 0 0");
        assert_eq!(selector.finish().mounts, []);
    }

    fn select(table: &str) -> Selection {
        let mut selector = Selector::new(types_with_device(FILESYSTEMS));
        for line in table.lines() {
            selector.line(line.as_bytes());
        }
        selector.finish()
    }

    fn mountpoints(table: &str) -> Vec<String> {
        let name = |mount: &Mount| mount.mountpoint.to_string_lossy().into_owned();
        select(table).mounts.iter().map(name).collect()
    }

    #[test]
    fn takes_what_has_a_device() {
        let types = types_with_device(FILESYSTEMS);
        assert_eq!(types.into_iter().collect::<Vec<_>>(), ["ext4", "xfs", "zfs"]);
        let table = "sysfs /sys sysfs rw 0 0\n\
                     /dev/vda / ext4 rw,relatime 0 0\n\
                     tank/home /home zfs rw,xattr 0 0\n\
                     none /lost ext4 rw 0 0\n\
                     tmpfs /run tmpfs rw 0 0\n\
                     /dev/vdb /var/lib/docker xfs rw 0 0\n";
        assert_eq!(mountpoints(table), ["/", "/home", "/var/lib/docker"]);
        let first = Mount {
            device: "/dev/vda".into(),
            mountpoint: "/".into(),
            fstype: "ext4".into(),
            options: "rw,relatime".into(),
            remote: false,
            at_hand: true,
        };
        assert_eq!(select(table).mounts.first(), Some(&first));
    }

    #[test]
    fn adds_network_fuse_and_an_overlay_root() {
        let table = "overlay / overlay rw,lowerdir=/a:/b 0 0\n\
                     overlay /var/lib/docker/overlay2/x/merged overlay rw 0 0\n\
                     nas:/export /mnt/nfs nfs4 rw 0 0\n\
                     //nas/share /mnt/smb cifs rw 0 0\n\
                     //nas/share /mnt/smb3 smb3 rw 0 0\n\
                     me@host: /mnt/ssh fuse.sshfs rw 0 0\n\
                     /dev/sdc1 /mnt/ntfs fuseblk rw 0 0\n\
                     portal /run/user/0/doc fuse.portal rw 0 0\n\
                     gvfsd-fuse /run/user/0/gvfs fuse.gvfsd-fuse rw 0 0\n\
                     fusectl /sys/fs/fuse/connections fusectl rw 0 0\n";
        let expected = ["/", "/mnt/nfs", "/mnt/smb", "/mnt/smb3", "/mnt/ssh", "/mnt/ntfs"];
        assert_eq!(mountpoints(table), expected);
        let remote: Vec<bool> = select(table).mounts.iter().map(|mount| mount.remote).collect();
        assert_eq!(remote, [false, true, true, true, true, true]);
    }

    #[test]
    fn only_what_is_behind_nothing_slow_is_at_hand() {
        let at_hand = |table: &str| -> Vec<bool> {
            select(table).mounts.iter().map(|mount| mount.at_hand).collect()
        };
        let table = "/dev/a / ext4 rw 0 0\n\
                     nas:/x /net nfs4 rw 0 0\n\
                     auto /auto autofs rw 0 0\n\
                     /dev/b /net/b xfs rw 0 0\n\
                     /dev/c /auto/c ext4 rw 0 0\n\
                     /dev/d /network ext4 rw 0 0\n\
                     tank/e /e zfs rw 0 0\n";
        assert_eq!(at_hand(table), [true, false, false, false, true, false]);
        assert_eq!(at_hand("nas:/x / nfs4 rw 0 0\n/dev/b /b xfs rw 0 0\n"), [false, false]);
    }

    #[test]
    fn undoes_the_escapes_of_getmntent_and_no_others() {
        let table = r"/dev/sd\040a /a\040b\011c\012d\134e ext4 rw,x=1\0542,\04,\ 0 0";
        let mount = select(table).mounts.remove(0);
        assert_eq!(mount.device, "/dev/sd a");
        assert_eq!(mount.mountpoint, OsString::from("/a b\tc\nd\\e"));
        assert_eq!(mount.options, r"rw,x=1\0542,\04,\");
    }

    #[test]
    fn keeps_a_mount_point_that_is_no_utf8() {
        let mut selector = Selector::new(types_with_device(FILESYSTEMS));
        selector.line(b"/dev/sda /mnt/\xff ext4 rw 0 0");
        let mount = selector.finish().mounts.remove(0);
        assert_eq!(mount.mountpoint.as_encoded_bytes(), b"/mnt/\xff");
    }

    #[test]
    fn the_last_mount_on_a_place_counts() {
        let covered_by_another = "/dev/a /mnt ext4 rw 0 0\n/dev/b /mnt xfs rw 0 0\n";
        let devices: Vec<String> =
            select(covered_by_another).mounts.into_iter().map(|mount| mount.device).collect();
        assert_eq!(devices, ["/dev/b"]);
        // The covering one is not sent; the covered one must not stand for it.
        assert!(mountpoints("/dev/a /mnt ext4 rw 0 0\ntmpfs /mnt tmpfs rw 0 0\n").is_empty());
        // A device mounted in two places is in both.
        assert_eq!(mountpoints("/dev/a /x ext4 rw 0 0\n/dev/a /y ext4 rw 0 0\n"), ["/x", "/y"]);
    }

    #[test]
    fn where_each_is_sent_once_it_is_at_its_first_place() {
        let table = "overlay / overlay rw 0 0\n\
                     /dev/a /data ext4 rw 0 0\n\
                     /dev/a /var/lib/kubelet/pods/x/volume ext4 ro 0 0\n\
                     /dev/b /b xfs rw 0 0\n\
                     tmpfs /b tmpfs rw 0 0\n\
                     /dev/b /again xfs rw 0 0\n\
                     nas:/x /x nfs4 rw 0 0\n\
                     nas:/x /y nfs4 rw 0 0\n\
                     /dev/fuse /pve fuse rw 0 0\n\
                     /dev/fuse /other fuse rw 0 0\n\
                     overlay /merged overlay rw 0 0\n";
        let mut selector = Selector::new(types_with_device(FILESYSTEMS)).once_each();
        table.lines().for_each(|line| selector.line(line.as_bytes()));
        let mounts = selector.finish().mounts;
        let places: Vec<_> =
            mounts.iter().map(|mount| mount.mountpoint.to_str().unwrap()).collect();
        assert_eq!(places, ["/", "/data", "/again", "/x", "/pve", "/other"]);
    }

    #[test]
    fn names_a_bad_line_and_keeps_the_good_ones() {
        let selection = select("/dev/a / ext4 rw 0 0\n\n/dev/b /mnt\n/dev/c /c xfs rw 0 0\n");
        assert_eq!(selection.mounts.len(), 2);
        let said: Vec<String> = selection.bad_lines.iter().map(ToString::to_string).collect();
        let wanted = "line 3: wanted device, mount point, type and options, found '/dev/b /mnt'";
        assert_eq!(said, [wanted]);
    }

    #[test]
    fn is_bounded_and_prefers_local_mounts() {
        let mut table = String::new();
        for number in 0..5000 {
            writeln!(table, "nas:/{number} /nfs/{number} nfs4 rw 0 0").unwrap();
        }
        table += "/dev/a / ext4 rw 0 0\n";
        let selection = select(&table);
        assert_eq!(selection.mounts.len(), MAX_MOUNTS);
        assert_eq!(selection.left_out, 5001 - MAX_MOUNTS);
        assert_eq!(selection.mounts.last().map(|mount| mount.device.as_str()), Some("/dev/a"));
    }
}
