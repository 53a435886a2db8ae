//! The call itself, see statvfs(3).

#![allow(unsafe_code)]

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;

/// The size of a file system, as statvfs(3) has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// The size of a block, in bytes.
    pub(crate) block_bytes: u64,
    /// All blocks.
    pub(crate) blocks: u64,
    /// The blocks that are free.
    pub(crate) free: u64,
    /// The blocks that are free for those who are not root.
    pub(crate) available: u64,
    /// Whether it is mounted read-only.
    pub(crate) read_only: bool,
}

/// Asks the file system at `path`. This may never return.
#[allow(clippy::unnecessary_cast, reason = "an unsigned long has 32 bits on some machines")]
pub(crate) fn statvfs(path: &CStr) -> io::Result<Size> {
    let mut answer = MaybeUninit::<libc::statvfs64>::zeroed();
    // SAFETY: `path` ends with a NUL, `answer` has room for what is written.
    if unsafe { libc::statvfs64(path.as_ptr(), answer.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zero is valid for every field, and the call has succeeded.
    let answer = unsafe { answer.assume_init() };
    Ok(Size {
        block_bytes: answer.f_frsize as u64,
        blocks: answer.f_blocks,
        free: answer.f_bfree,
        available: answer.f_bavail,
        read_only: answer.f_flag & libc::ST_RDONLY != 0,
    })
}
