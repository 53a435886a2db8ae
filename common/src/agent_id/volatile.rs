//! Whether what is written to a folder is gone after a reboot.

#![allow(unsafe_code)]

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// File systems in memory, from `linux/magic.h`.
const IN_MEMORY: [u32; 2] = [0x0102_1994, 0x8584_58f6];

/// Whether the folder is on a tmpfs or ramfs. Where it does not exist yet, the
/// folder above it tells. What cannot be asked counts as a disk.
pub(super) fn is_volatile(folder: &Path) -> bool {
    folder.ancestors().find_map(file_system_type).is_some_and(|kind| IN_MEMORY.contains(&kind))
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
