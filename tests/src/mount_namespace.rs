//! Mounts that nobody else on the machine sees, see `mount_namespaces(7)`. Needs
//! root.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Gives the calling thread, and what it starts from now on, its own table of
/// mounts, out of which nothing spreads.
pub(crate) fn own_namespace() -> io::Result<()> {
    // SAFETY: unshare takes no memory.
    if unsafe { libc::unshare(libc::CLONE_NEWNS) } != 0 {
        return Err(io::Error::last_os_error());
    }
    mount(Path::new("none"), Path::new("/"), c"none", libc::MS_REC | libc::MS_PRIVATE, "")
}

/// Mounts `source`, see `mount(2)`.
pub(crate) fn mount(
    source: &Path,
    target: &Path,
    fstype: &CStr,
    flags: libc::c_ulong,
    options: &str,
) -> io::Result<()> {
    let source = CString::new(source.as_os_str().as_bytes())?;
    let target = CString::new(target.as_os_str().as_bytes())?;
    let options = CString::new(options)?;
    // SAFETY: all texts end with a NUL and outlive the call.
    let outcome = unsafe {
        libc::mount(
            source.as_ptr(),
            target.as_ptr(),
            fstype.as_ptr(),
            flags,
            options.as_ptr().cast(),
        )
    };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Takes the mount on `target` away, as soon as nobody uses it any more.
pub(crate) fn unmount(target: &Path) {
    if let Ok(target) = CString::new(target.as_os_str().as_bytes()) {
        // SAFETY: `target` ends with a NUL.
        unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) };
    }
}
