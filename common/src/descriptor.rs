//! What std does not do with file descriptors: waiting for one of them with a
//! deadline, replacing one, closing those that were inherited.
#![allow(unsafe_code)]

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::{Duration, Instant};

/// Descriptors past this are not looked for where neither `close_range` nor
/// /proc is there.
const HIGHEST_GUESS: RawFd = 65_536;

/// Whether `descriptor` has something to read, or its end, by `deadline`.
pub(crate) fn readable_by(descriptor: &impl AsFd, deadline: Instant) -> io::Result<bool> {
    poll_one(descriptor, libc::POLLIN, deadline)
}

/// Whether `descriptor` takes a few kilobytes without blocking by `deadline`;
/// also true when a write would fail at once.
pub(crate) fn writable_by(descriptor: &impl AsFd, deadline: Instant) -> io::Result<bool> {
    poll_one(descriptor, libc::POLLOUT, deadline)
}

fn poll_one(descriptor: &impl AsFd, events: libc::c_short, deadline: Instant) -> io::Result<bool> {
    let mut waiting = libc::pollfd { fd: descriptor.as_fd().as_raw_fd(), events, revents: 0 };
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // Rounded up, so that the last part of a millisecond is not spun away.
        let left = left + Duration::from_micros(999);
        let milliseconds = libc::c_int::try_from(left.as_millis()).unwrap_or(libc::c_int::MAX);
        // SAFETY: `waiting` is one initialised pollfd that outlives the call.
        match unsafe { libc::poll(&raw mut waiting, 1, milliseconds) } {
            0 => return Ok(false),
            1 => return Ok(true),
            _ => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    }
}

/// Makes `target` another name of what `source` is open on, as dup2(2) does.
///
/// Only for the standard descriptors: std owns none of them.
pub(crate) fn replace_standard(target: RawFd, source: &impl AsFd) -> io::Result<()> {
    assert!((0..=2).contains(&target), "only a standard descriptor has no owner in std");
    // SAFETY: descriptors 0 to 2 are not closed by any owner in this program,
    // so replacing what is open behind them breaks no ownership.
    if unsafe { libc::dup2(source.as_fd().as_raw_fd(), target) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Closes every descriptor above the standard three.
///
/// The caller must own none of them: they were inherited over fork(2).
pub(crate) fn close_inherited() {
    const FIRST: RawFd = libc::STDERR_FILENO + 1;
    // close_range(2), Linux 5.9, has the same number everywhere; some libc
    // crates know only the number.
    // SAFETY: the call takes three integers. Nothing in this process uses a
    // descriptor above 2 here: see the caller's duty.
    if unsafe { libc::syscall(libc::SYS_close_range, FIRST, u32::MAX, 0) } == 0 {
        return;
    }
    let open: Vec<RawFd> = match fs::read_dir("/proc/self/fd") {
        Ok(entries) => entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|&descriptor| descriptor >= FIRST)
            .collect(),
        Err(_) => (FIRST..HIGHEST_GUESS).collect(),
    };
    for descriptor in open {
        // SAFETY: as above. The one that read_dir had open is closed by now,
        // and closing it again is EBADF.
        unsafe { libc::close(descriptor) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_pipe_is_readable_once_something_is_in_it() {
        let (reader, mut writer) = io::pipe().unwrap();
        assert!(!readable_by(&reader, Instant::now()).unwrap());
        writer.write_all(b"x").unwrap();
        assert!(readable_by(&reader, Instant::now() + Duration::from_secs(5)).unwrap());
    }

    #[test]
    fn a_full_pipe_is_not_writable_and_a_broken_one_is() {
        let (reader, mut writer) = io::pipe().unwrap();
        while writable_by(&writer, Instant::now()).unwrap() {
            writer.write_all(&[0; 4096]).unwrap();
        }
        drop(reader);
        assert!(writable_by(&writer, Instant::now()).unwrap());
        assert!(writer.write_all(b"x").is_err());
    }
}
