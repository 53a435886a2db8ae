//! What is said of a fault of ours that ends the process at once.
//!
//! The small binaries carry no texts of panics: in their place stands an instruction
//! that ends them, which the kernel tells with SIGILL or, on aarch64, SIGTRAP. What is
//! said then is where that was, counted from [`speak`]. As the same commit gives the
//! same code, `scripts/fault-place` finds the function from it.
//!
//! A stack that ran out ends in SIGABRT (in the small binaries in SIGSEGV, without a
//! word), and so does a panic elsewhere, which has been logged by then.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Write};
use std::mem;
use std::os::fd::AsRawFd;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use crate::version;

const SIGNALS: [i32; 3] = [libc::SIGILL, libc::SIGTRAP, libc::SIGABRT];
/// Bytes of the line; the rest is dropped.
const LINE_BYTES: usize = 256;
/// How long a pipe or terminal is waited for whose reader is slow.
const PATIENCE_MS: i32 = 100;
const NO_LOG: i32 = -1;

/// What the program is, as `--version` says it.
static PROGRAM: OnceLock<String> = OnceLock::new();
/// The log file, where stderr is not the log.
static LOG: AtomicI32 = AtomicI32::new(NO_LOG);
/// The log has the reason already.
static ARE_SAID: AtomicBool = AtomicBool::new(false);

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

/// A panic was logged: what it ends in needs no words.
pub(crate) fn are_said() {
    ARE_SAID.store(true, Ordering::Relaxed);
}

/// Says it, and ends the process by the same signal. Wherever the thread was, in the
/// allocator or with a lock: this takes no memory and no lock, and calls `poll(2)`,
/// `write(2)`, `clock_gettime(2)` and `raise(3)` only, see `signal-safety(7)`.
extern "C" fn speak(signal: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel gives a siginfo_t that is whole (sigaction(2)). Of its union
    // the address is there if the kernel sent the signal, the sender's PID otherwise.
    let (by_kernel, address, sender) =
        unsafe { ((*info).si_code > 0, (*info).si_addr() as usize, (*info).si_pid()) };
    // Of a function in Thumb code the lowest bit is set, and of an instruction not.
    let handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) = speak;
    let own = handler as *const () as usize & !1;
    let mut line = [0; LINE_BYTES];
    let mut rest = &mut line[..];
    let program = PROGRAM.get().map_or("", String::as_str);
    let now = std::time::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs());
    // What has no room is dropped.
    let _ = if by_kernel {
        let (sign, distance) =
            if address < own { ('-', own - address) } else { ('+', address - own) };
        writeln!(
            rest,
            "[ERROR] fault at {sign}{distance:#x} of {program}, Unix time {now}: please report it"
        )
    } else if std::process::id().cast_signed() == sender {
        writeln!(rest, "[ERROR] {program} aborts, Unix time {now}: a stack may have run out")
    } else {
        writeln!(rest, "[ERROR] {program} is ended by signal {signal} of process {sender}")
    };
    let length = LINE_BYTES - rest.len();
    if !(signal == libc::SIGABRT && ARE_SAID.load(Ordering::Relaxed)) {
        for descriptor in [LOG.load(Ordering::Relaxed), libc::STDERR_FILENO] {
            say(descriptor, &line[..length]);
        }
    }
    // SAFETY: takes an integer. SA_RESETHAND has made it deadly by now, but for the
    // first process of a container, which nobody inside can end by it.
    unsafe { libc::raise(signal) };
}

fn say(descriptor: i32, line: &[u8]) {
    let mut place = libc::pollfd { fd: descriptor, events: libc::POLLOUT, revents: 0 };
    // SAFETY: `place` is one valid entry, and the buffer has that many bytes. Of a
    // descriptor that is closed, or none, nobody can be told.
    unsafe {
        if libc::poll(&raw mut place, 1, PATIENCE_MS) == 1 && place.revents & libc::POLLOUT != 0 {
            let _ = libc::write(descriptor, line.as_ptr().cast(), line.len());
        }
    }
}
