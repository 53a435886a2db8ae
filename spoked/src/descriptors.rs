//! Threads that keep no port, lock or signal from the process.
//!
//! A thread that is stuck in the kernel outlives even SIGKILL, and with it the
//! table of open descriptors that it belongs to: the port stays taken and the
//! lock held. So a thread that may get stuck first leaves the table. The port
//! and the lock are then free as soon as the process is killed.

#![allow(unsafe_code)]

use std::io;

/// The first descriptor that is closed. Standard input, output and error stay: a
/// last message still gets out, and no file that is opened later takes their
/// numbers.
const FIRST_CLOSED: libc::c_uint = 3;

/// Old kernels have no `close_range(2)`; there each descriptor is closed by
/// itself, up to this number or the limit of the process.
const LAST_CLOSED_SINGLY: libc::rlim_t = 1 << 20;

/// Gives the calling thread a table of descriptors of its own, closes all in it
/// but the standard ones, and blocks the signals that are sent to the process.
/// Threads that it starts share its table.
///
/// Such a thread must not use a descriptor from outside, the log file included.
/// Signals are blocked for that reason: a handler would write to a pipe that is
/// not there, and the signal would be lost.
///
/// Fails where unshare(2) is forbidden, by seccomp for instance; signals are
/// blocked all the same.
pub(crate) fn leave() -> io::Result<()> {
    block_signals();
    // SAFETY: unshare takes no memory. Only this thread's table changes.
    if unsafe { libc::unshare(libc::CLONE_FILES) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: closes descriptors of the table that is this thread's alone since
    // the call above; nothing on a thread that begins here owns one of them.
    let closed =
        unsafe { libc::syscall(libc::SYS_close_range, FIRST_CLOSED, libc::c_uint::MAX, 0u32) };
    if closed != 0 {
        close_singly();
    }
    Ok(())
}

fn close_singly() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid place for the answer.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } == 0;
    let end = if known { limit.rlim_cur.min(LAST_CLOSED_SINGLY) } else { LAST_CLOSED_SINGLY };
    for descriptor in FIRST_CLOSED.. {
        if libc::rlim_t::from(descriptor) >= end {
            break;
        }
        // SAFETY: as in `leave`; a number that is not open is refused.
        unsafe { libc::close(descriptor.cast_signed()) };
    }
}

/// Blocks what can be sent from outside; faults of the thread itself still end
/// the process with their message.
fn block_signals() {
    // SAFETY: a signal set is plain numbers, for which zero is valid; sigfillset
    // and sigdelset write only to it, pthread_sigmask only reads it.
    unsafe {
        let mut signals: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut signals);
        let faults = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP];
        for fault in faults {
            libc::sigdelset(&raw mut signals, fault);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const signals, std::ptr::null_mut());
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Read as _;
    use std::os::fd::AsRawFd;
    use std::thread;

    use super::*;

    /// Whether a descriptor is open, as the calling thread sees it.
    fn is_open(descriptor: i32) -> bool {
        // SAFETY: F_GETFD reads a flag of a descriptor, whatever its number.
        unsafe { libc::fcntl(descriptor, libc::F_GETFD) != -1 }
    }

    fn outside(inside: impl FnOnce() + Send + 'static) {
        assert!(thread::spawn(inside).join().is_ok());
    }

    #[test]
    fn closes_in_the_thread_and_nowhere_else() {
        let mut file = File::open("/proc/self/stat").unwrap();
        let descriptor = file.as_raw_fd();
        outside(move || {
            assert!(is_open(descriptor));
            leave().unwrap();
            assert!(!is_open(descriptor));
            assert!(is_open(2));
            // A thread that is started here has the same table.
            let own = File::open("/proc/self/stat").unwrap();
            let number = own.as_raw_fd();
            outside(move || assert!(is_open(number)));
        });
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert!(!text.is_empty());
    }

    #[test]
    fn closes_singly_where_the_kernel_is_old() {
        let file = File::open("/proc/self/stat").unwrap();
        let descriptor = file.as_raw_fd();
        outside(move || {
            // SAFETY: as in `leave`.
            assert_eq!(unsafe { libc::unshare(libc::CLONE_FILES) }, 0);
            close_singly();
            assert!(!is_open(descriptor));
            assert!(is_open(2));
        });
        assert!(is_open(descriptor));
    }

    #[test]
    fn takes_no_signal_of_the_process() {
        outside(|| {
            leave().unwrap();
            let status = fs::read_to_string("/proc/thread-self/status").unwrap();
            let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
            let blocked = u64::from_str_radix(blocked.trim(), 16).unwrap();
            for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
                assert_ne!(blocked & (1 << (signal - 1)), 0, "signal {signal}");
            }
        });
    }
}
