//! How much room a disk has.

#![allow(unsafe_code)]

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Bytes of a file system, as `statvfs(3)` has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// All of it.
    pub total: u64,
    /// What one without privileges may still take.
    pub free: u64,
}

impl DiskSpace {
    /// That of the file system that holds `path`.
    ///
    /// # Errors
    /// There is no such path, or it may not be looked at.
    #[allow(clippy::useless_conversion, reason = "u64 here, u32 on 32-bit machines")]
    pub fn of(path: &Path) -> io::Result<Self> {
        let path = CString::new(path.as_os_str().as_bytes())?;
        let mut answer = MaybeUninit::<libc::statvfs>::zeroed();
        // SAFETY: `path` ends in NUL and outlives the call; `answer` is ours and
        // has the size that statvfs writes.
        if unsafe { libc::statvfs(path.as_ptr(), answer.as_mut_ptr()) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: all-zero bytes are a valid statvfs, and the call has filled it.
        let answer = unsafe { answer.assume_init() };
        let block = u64::from(answer.f_frsize);
        let bytes = |blocks: u64| blocks.saturating_mul(block);
        Ok(Self { total: bytes(answer.f_blocks.into()), free: bytes(answer.f_bavail.into()) })
    }
}

#[cfg(test)]
mod tests {
    use super::DiskSpace;
    use std::path::Path;

    #[test]
    fn a_real_disk_has_a_size() {
        let space = DiskSpace::of(&std::env::temp_dir()).unwrap();
        assert!(space.total > 0 && space.free <= space.total, "{space:?}");
    }

    #[test]
    fn a_missing_path_is_an_error() {
        assert!(DiskSpace::of(Path::new("/no/such/path")).is_err());
    }
}
