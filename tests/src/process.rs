//! What /proc tells of a process, and signals.
#![allow(unsafe_code)]

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The number of a process.
pub type Process = i32;

/// Sends a signal to one process. False: there is none, or it may not.
pub fn send_signal(process: Process, signal: i32) -> bool {
    assert!(process > 1, "never signal a group or init");
    // SAFETY: the call takes two integers.
    unsafe { libc::kill(process, signal) == 0 }
}

/// Has the command start with SIGTERM blocked, as a careless parent would.
pub fn block_sigterm(command: &mut Command) -> &mut Command {
    let block = || {
        // SAFETY: `set` is initialised by sigemptyset; all three calls are
        // async-signal-safe, as they must be between fork and exec.
        let blocked = unsafe {
            let mut set = std::mem::zeroed::<libc::sigset_t>();
            libc::sigemptyset(&raw mut set);
            libc::sigaddset(&raw mut set, libc::SIGTERM);
            libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut())
        };
        if blocked == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    // SAFETY: the closure allocates nothing and takes no lock.
    unsafe { command.pre_exec(block) }
}

/// Whether one of its threads lives; a zombie does not. The first thread may be
/// a zombie while others still hold what is open.
pub fn is_alive(process: Process) -> bool {
    states(process).iter().any(|state| state != "Z" && state != "X")
}

/// Whether all of its threads have stopped, after SIGSTOP: none is in a call of the
/// kernel any more.
pub fn is_stopped(process: Process) -> bool {
    let states = states(process);
    !states.is_empty() && states.iter().all(|state| state == "T")
}

/// The state of each of its threads.
fn states(process: Process) -> Vec<String> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    threads
        .filter_map(|thread| {
            let stat = fs::read_to_string(thread.path().join("stat")).ok()?;
            field(&stat, 3).map(str::to_owned)
        })
        .collect()
}

/// A field of /proc/PID/stat, counted as in `proc_pid_stat(5)`; from 3 (state).
/// `None`: no such process.
pub fn stat_field(process: Process, number: usize) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    field(&stat, number).map(str::to_owned)
}

fn field(stat: &str, number: usize) -> Option<&str> {
    let behind_name = &stat[stat.rfind(')')? + 2..];
    behind_name.split_whitespace().nth(number.checked_sub(3)?)
}

/// The living processes whose environment holds this text: a test's folder, say.
pub fn find_by_environment(text: &str) -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("/proc");
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers
        .filter(|process| {
            fs::read(format!("/proc/{process}/environ")).is_ok_and(|environment| {
                environment.windows(text.len()).any(|bytes| bytes == text.as_bytes())
            }) && is_alive(*process)
        })
        .collect()
}
