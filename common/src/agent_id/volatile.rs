//! Whether what is written to a folder is gone after a reboot.

#![allow(unsafe_code)]

use std::ffi::{CString, OsString};
use std::fs::{self, File};
use std::io::Read;
use std::mem::MaybeUninit;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// File systems in memory, from `linux/magic.h`.
const IN_MEMORY: [u32; 2] = [0x0102_1994, 0x8584_58f6];

/// Likewise.
const OVERLAY: u32 = 0x794c_7630;

/// Of a longer table of mounts only the beginning is read.
const MAX_TABLE_BYTES: u64 = 8 << 20;

/// Whether the folder is on a tmpfs or ramfs, or on an overlay that writes to one.
/// Where it does not exist yet, the folder above it tells. What cannot be asked
/// counts as a disk: so does the overlay of a container, whose upper folder is not
/// to be seen from inside.
pub(super) fn is_volatile(folder: &Path) -> bool {
    let mut places = folder.ancestors().filter_map(|place| Some((place, file_system_type(place)?)));
    match places.next() {
        Some((place, OVERLAY)) => is_overlay_in_memory(place),
        Some((_, kind)) => IN_MEMORY.contains(&kind),
        None => false,
    }
}

fn is_overlay_in_memory(place: &Path) -> bool {
    let Ok(place) = fs::canonicalize(place) else { return false };
    let Ok(table) = File::open("/proc/self/mountinfo") else { return false };
    let mut text = Vec::new();
    if table.take(MAX_TABLE_BYTES).read_to_end(&mut text).is_err() {
        return false;
    }
    upper_folder(&text, &place)
        .and_then(|upper| file_system_type(&upper))
        .is_some_and(|kind| IN_MEMORY.contains(&kind))
}

/// Where the overlay that `place` is on keeps what is written, by the text of
/// `/proc/self/mountinfo`, see `proc_pid_mountinfo(5)`.
fn upper_folder(table: &[u8], place: &Path) -> Option<PathBuf> {
    let mut nearest: Option<(usize, &[u8])> = None;
    for line in table.split(|byte| *byte == b'\n') {
        let Some(mountpoint) = line.split(|byte| *byte == b' ').nth(4) else { continue };
        let mountpoint = unescape(mountpoint);
        // Of two mounts at one place the later covers the earlier.
        let depth = mountpoint.components().count();
        if place.starts_with(&mountpoint) && nearest.is_none_or(|(least, _)| depth >= least) {
            nearest = Some((depth, line));
        }
    }
    let (_, line) = nearest?;
    let mut fields = line.split(|byte| *byte == b' ').skip_while(|field| *field != b"-").skip(1);
    if fields.next()? != b"overlay" {
        return None;
    }
    let mut options = fields.nth(1)?.split(|byte| *byte == b',');
    options.find_map(|option| option.strip_prefix(b"upperdir=")).map(unescape)
}

/// Blanks and their like stand as `\040` there, and in the value of an option `,` and
/// `=` likewise: more than getmntent(3) undoes.
fn unescape(text: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let code = after
            .get(..3)
            .filter(|_| *first == b'\\')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[3..] } else { after };
    }
    PathBuf::from(OsString::from_vec(bytes))
}

/// `f_type` of statfs(2).
fn file_system_type(path: &Path) -> Option<u32> {
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    let mut result = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: `path` ends with a NUL and lives through the call, and `result` has
    // room for what the kernel writes.
    let status = unsafe { libc::statfs(path.as_ptr(), result.as_mut_ptr()) };
    if status != 0 {
        return None;
    }
    // SAFETY: statfs has returned 0, so it has filled the whole structure.
    let result = unsafe { result.assume_init() };
    // The type is a signed long here and an unsigned one there; the magic numbers
    // have 32 bits.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let kind = result.f_type as u32;
    Some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = b"\
        21 1 0:20 / / rw,relatime - overlay root rw,lowerdir=/ro,upperdir=/rw/up\\040per,workdir=/w\n\
        22 21 0:21 / /rw rw - tmpfs tmpfs rw\n\
        23 21 8:1 / /var rw,relatime shared:1 master:2 - ext4 /dev/sda1 rw\n\
        24 21 0:22 / /var/lib rw - overlay overlay rw,lowerdir=/a,upperdir=/b\n\
        25 21 0:22 / /ro rw - overlay overlay ro,lowerdir=/a:/b\n\
        26 21 8:1 / /twice rw - overlay overlay rw,upperdir=/b\n\
        27 21 8:1 / /twice rw - ext4 /dev/sda2 rw\n\
        no line\n";

    #[test]
    fn the_table_tells_where_an_overlay_writes() {
        let upper = |place: &str| upper_folder(TABLE, Path::new(place));
        assert_eq!(upper("/etc"), Some(PathBuf::from("/rw/up per")));
        assert_eq!(upper("/"), Some(PathBuf::from("/rw/up per")));
        assert_eq!(upper("/var/lib/pattoo"), Some(PathBuf::from("/b")));
        assert_eq!(upper("/variable"), Some(PathBuf::from("/rw/up per")));
        // A disk, an overlay that nobody writes to, and one that a disk covers.
        for place in ["/var/log", "/ro", "/twice/x"] {
            assert_eq!(upper(place), None, "{place}");
        }
        assert_eq!(upper_folder(b"", Path::new("/")), None);
        assert_eq!(upper_folder(b"1 2 3 4 / - overlay", Path::new("/")), None);
        assert_eq!(unescape(b"a\\0"), PathBuf::from("a\\0"));
        assert_eq!(unescape(b"\\999\\134"), PathBuf::from("\\999\\"));
    }

    #[test]
    fn file_systems_in_memory_are_recognised() {
        assert!(!is_volatile(Path::new("/proc/self")));
        assert_eq!(file_system_type(Path::new("/nowhere/at/all")), None);
        // The kernel's own list tells where one is, whatever machine runs this.
        let mounts = std::fs::read_to_string("/proc/self/mounts").expect("mounts");
        let tmpfs = mounts.lines().filter_map(|line| line.strip_prefix("tmpfs "));
        for folder in tmpfs.filter_map(|line| line.split(' ').next()) {
            let path = Path::new(folder);
            // Another mount may cover it.
            if path.is_dir() && mounts.matches(&format!(" {folder} ")).count() == 1 {
                assert!(is_volatile(&path.join("not/there/yet")), "{folder}");
            }
        }
    }
}
