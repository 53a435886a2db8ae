//! The calls that make and end processes.
#![allow(unsafe_code)]

use std::fs;
use std::io;

/// The number of a process, as the kernel gives it.
pub(super) type Pid = libc::pid_t;

/// What files and folders are made without: nothing for others, no writing for
/// the group.
const UMASK: libc::mode_t = 0o027;

/// Forks. `None` in the child.
///
/// Only this thread lives on in the child, so no other may exist: one that
/// holds a lock (the allocator's, say) would leave it held for ever.
pub(super) fn fork() -> io::Result<Option<Pid>> {
    // SAFETY: no other thread exists: the daemon forks before `serve`, and
    // `configure` promises to start none.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(None),
        child => Ok(Some(child)),
    }
}

/// Leaves the session of the terminal and leads a new one.
pub(super) fn lead_new_session() -> io::Result<()> {
    // SAFETY: the call takes nothing and touches no memory.
    match unsafe { libc::setsid() } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Sets the mode that new files get.
pub(super) fn set_umask() {
    // SAFETY: the call takes an integer and cannot fail.
    unsafe { libc::umask(UMASK) };
}

/// Unblocks every signal: a blocked SIGTERM would be inherited from whoever
/// started us, and then `--stop` had no effect.
pub(super) fn unblock_signals() {
    // SAFETY: `none` is initialised by sigemptyset before it is read, and the
    // old mask is not asked for.
    unsafe {
        let mut none = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}

/// Waits for the end of a child of ours that ends at once.
pub(super) fn reap(child: Pid) {
    // SAFETY: the status is not asked for, so no memory is written.
    while unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) } < 0 {
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return;
        }
    }
}

/// Sends a signal to one process, never to a group.
pub(super) fn send_signal(pid: Pid, signal: libc::c_int) -> io::Result<()> {
    if pid <= 0 {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    // SAFETY: the call takes two integers.
    match unsafe { libc::kill(pid, signal) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Kills what is left of the process group that `leader`, a child of ours, led.
pub(super) fn kill_group(leader: Pid) {
    if leader > 1 {
        // SAFETY: the call takes two integers. As long as the group has a
        // member the kernel gives its number to nobody else.
        unsafe { libc::kill(-leader, libc::SIGKILL) };
    }
}

/// Whether all threads of a process have ended: it is gone, or a zombie that
/// nobody reaped. The first thread may be a zombie while others still hold
/// what is open.
pub(super) fn has_ended(pid: Pid) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return true };
    !threads.flatten().any(|thread| {
        fs::read(thread.path().join("stat")).is_ok_and(|stat| {
            // proc_pid_stat(5): the state stands behind the name, whose last
            // parenthesis is the last of the line.
            let name_end = stat.iter().rposition(|&byte| byte == b')');
            let state = name_end.and_then(|at| stat.get(at + 2));
            !matches!(state, Some(b'Z' | b'X') | None)
        })
    })
}

/// Ends the process at once: no destructors, no exit handlers. Those may wait
/// for a lock that a hanging thread holds (getaddrinfo holds the loader's).
pub(super) fn exit_now(code: u8) -> ! {
    // SAFETY: the call does not return and touches no memory.
    unsafe { libc::_exit(code.into()) }
}
