//! What is said of a fault of ours that ends the process at once.
//!
//! The small binaries carry no texts of panics: in their place stands an instruction
//! that no processor takes, which the kernel tells with SIGILL or, on some machines,
//! SIGTRAP. What is said then is where that was, counted from the start of the
//! program. As the same commit gives the same bytes, `scripts/fault-place` finds the
//! line of the source from it.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Write};
use std::mem;
use std::os::fd::AsRawFd;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::version;

/// What the kernel sends for an instruction that it cannot take.
const SIGNALS: [i32; 2] = [libc::SIGILL, libc::SIGTRAP];
/// Bytes of the line; the rest is dropped.
const LINE_BYTES: usize = 256;
const NO_LOG: i32 = -1;

/// What the program is, as `--version` says it.
static PROGRAM: OnceLock<String> = OnceLock::new();
/// The log file, where stderr is not the log.
static LOG: AtomicI32 = AtomicI32::new(NO_LOG);

unsafe extern "C" {
    /// The first byte of the program in memory, from the linker.
    static __ehdr_start: u8;
}

/// From now on a fault is told on stderr.
///
/// # Errors
/// The kernel takes no handler.
pub(crate) fn prepare(program: &str) -> io::Result<()> {
    PROGRAM.get_or_init(|| version::line(program));
    for signal in SIGNALS {
        let handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) = speak;
        // SAFETY: zeros are a valid sigaction, and all that matters is filled in. The
        // handler has the shape that SA_SIGINFO asks for, and is safe wherever a
        // thread may be: see there.
        let refused = unsafe {
            let mut action: libc::sigaction = mem::zeroed();
            action.sa_sigaction = handler as *const () as usize;
            // Once only, and the same signal may come within it: that ends it.
            action.sa_flags = libc::SA_SIGINFO | libc::SA_RESETHAND | libc::SA_NODEFER;
            libc::sigaction(signal, &raw const action, ptr::null_mut()) != 0
        };
        if refused {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// From now on a fault is told in this file, too. It stays open until the next one is
/// told of.
pub(crate) fn log_is(file: &File) {
    LOG.store(file.as_raw_fd(), Ordering::Relaxed);
}

/// Says it, and ends the process by the same signal. Wherever the thread was, in the
/// allocator or with a lock: this takes no memory and no lock, and calls `write(2)`,
/// `clock_gettime(2)` and `raise(3)` only, see `signal-safety(7)`.
extern "C" fn speak(signal: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel gives a siginfo_t that is whole (sigaction(2)). Of its union
    // the address is there if the kernel sent the signal, the sender's PID otherwise.
    let (by_kernel, address, sender) =
        unsafe { ((*info).si_code > 0, (*info).si_addr() as usize, (*info).si_pid()) };
    let start = &raw const __ehdr_start as usize;
    let mut line = [0; LINE_BYTES];
    let mut rest = &mut line[..];
    let program = PROGRAM.get().map_or("", String::as_str);
    let now = std::time::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs());
    // What has no room is dropped.
    let _ = if by_kernel {
        let place = address.wrapping_sub(start);
        writeln!(
            rest,
            "[ERROR] fault at {place:#x} of {program}, Unix time {now}: please report it"
        )
    } else {
        writeln!(rest, "[ERROR] {program} was ended by signal {signal} of process {sender}")
    };
    let length = LINE_BYTES - rest.len();
    for descriptor in [LOG.load(Ordering::Relaxed), libc::STDERR_FILENO] {
        if descriptor != NO_LOG {
            // SAFETY: the buffer has that many bytes. A descriptor that is closed by
            // now is an error, of which nobody can be told.
            let _ = unsafe { libc::write(descriptor, line.as_ptr().cast(), length) };
        }
    }
    // SAFETY: takes an integer. SA_RESETHAND has made it deadly by now.
    unsafe { libc::raise(signal) };
}
