//! POSIX record locks on single bytes of a file, fcntl(2).
//!
//! Such a lock belongs to the process, is not inherited over fork, goes with
//! the process however it ends, and tells who holds it. It also goes when the
//! process closes *any* descriptor of the file: nothing else may open it there.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use super::process::Pid;

/// How a byte is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// Others may hold it for reading too. Needs a file open for reading.
    Shared,
    /// No one else may hold it. Needs a file open for writing.
    Exclusive,
}

fn request(byte: u32, hold: Hold) -> libc::flock {
    // SAFETY: flock is a struct of integers (and padding, on some machines),
    // for which zero is a value.
    let mut lock = unsafe { std::mem::zeroed::<libc::flock>() };
    let (kind, from) = (
        match hold {
            Hold::Shared => libc::F_RDLCK,
            Hold::Exclusive => libc::F_WRLCK,
        },
        libc::SEEK_SET,
    );
    #[expect(clippy::cast_possible_truncation, reason = "0, 1 and 2, which the field is made for")]
    {
        lock.l_type = kind as libc::c_short;
        lock.l_whence = from as libc::c_short;
    }
    lock.l_start = libc::off_t::from(byte);
    lock.l_len = 1;
    lock
}

/// Takes the lock on a byte if it is free. False: another process holds it.
pub(super) fn try_lock(file: &File, byte: u32, hold: Hold) -> io::Result<bool> {
    let lock = request(byte, hold);
    // SAFETY: the descriptor is open, and `lock` outlives the call.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLK, &raw const lock) } == 0 {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EAGAIN | libc::EACCES) => Ok(false),
        _ => Err(error),
    }
}

/// Lets a byte go that this process holds.
pub(super) fn unlock(file: &File, byte: u32) -> io::Result<()> {
    let mut lock = request(byte, Hold::Shared);
    #[expect(clippy::cast_possible_truncation, reason = "2, which the field is made for")]
    {
        lock.l_type = libc::F_UNLCK as libc::c_short;
    }
    // SAFETY: the descriptor is open, and `lock` outlives the call.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLK, &raw const lock) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The first byte from `from` on that another process holds exclusively.
pub(super) fn first_held(file: &File, from: u32) -> io::Result<Option<u32>> {
    let mut lock = request(from, Hold::Shared);
    lock.l_len = 0; // to the end, wherever that is
    // SAFETY: the descriptor is open; the kernel writes one flock into `lock`.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETLK, &raw mut lock) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let is_held = libc::c_int::from(lock.l_type) != libc::F_UNLCK;
    // A lock that begins before it still holds it.
    Ok(is_held.then(|| u32::try_from(lock.l_start).unwrap_or(0).max(from)))
}

/// The other process that holds a byte exclusively; 0 for one that cannot be
/// seen from here (in another PID namespace, or on another machine).
pub(super) fn exclusive_holder(file: &File, byte: u32) -> io::Result<Option<Pid>> {
    // Asked as a reader, who is hindered by an exclusive holder only.
    let mut lock = request(byte, Hold::Shared);
    // SAFETY: the descriptor is open; the kernel writes one flock into `lock`.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETLK, &raw mut lock) } != 0 {
        return Err(io::Error::last_os_error());
    }
    if libc::c_int::from(lock.l_type) == libc::F_UNLCK {
        return Ok(None);
    }
    Ok(Some(lock.l_pid.max(0)))
}
