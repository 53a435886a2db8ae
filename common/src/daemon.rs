//! A program in the background: start, stop, status, and what happens in
//! between.
//!
//! The order is configuration, fork, setsid, fork, lock, bind, threads, ready.
//! Who runs is told by the lock on the PID file alone (`pid_file`); that it
//! serves, by a second lock and through a pipe (`readiness`).

mod pid_file;
mod process;
mod readiness;
mod record_lock;
mod service_manager;
mod serving;
mod signals;

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::cli::exit;

use pid_file::{PidFile, State};
use process::{Pid, exit_now};
use readiness::{Attached, Outcome, Reporter};
use serving::serve;
pub use serving::{Health, Running, Serving};
use signals::ASKING;

/// How long `--start` waits until the daemon serves.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How long `--stop` waits after SIGTERM until the lock is free.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How long `--stop --force` waits after SIGKILL until the lock is free.
const KILL_WITHIN: Duration = Duration::from_secs(10);
/// How long `--status` waits for a sign of life.
const BEAT_WITHIN: Duration = Duration::from_secs(5);
/// How long a process whose lock is free may take to close its sockets.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);
/// The first and the longest pause between two looks at a lock of another
/// process, whose release nothing announces.
const LOOK_PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// What `--status` found.
#[derive(Debug, PartialEq, Eq)]
pub struct Status {
    /// The exit code of `--status`.
    pub code: u8,
    /// The line for stdout, worded as the original's.
    pub line: String,
    /// What a person should know besides.
    pub note: Option<String>,
}

/// A program that may run in the background.
#[derive(Debug)]
pub struct Daemon {
    name: &'static str,
    pid_file: PidFile,
}

impl Daemon {
    /// The daemon `name`, whose PID file is below `system_daemon_directory`
    /// (an absolute path).
    pub fn new(name: &'static str, system_daemon_directory: &Path) -> Self {
        Self { name, pid_file: PidFile::new(system_daemon_directory, name) }
    }

    /// Where its PID file is.
    pub fn pid_file(&self) -> &Path {
        self.pid_file.path()
    }

    /// Starts the daemon unless it runs, and returns when it serves: a line
    /// for stdout, or the reason why it does not.
    ///
    /// `begin` opens the log, binds and starts threads; it is called in the
    /// daemon, under the lock. No other thread may exist when this is called,
    /// and no descriptor above 2 may be needed by `begin`: all are closed.
    pub fn start(&self, begin: impl FnOnce() -> Result<Running, String>) -> Result<String, String> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            match self.pid_file.state()? {
                State::Serving(pid) => {
                    return Ok(format!("Daemon is already running - {}{}", self.name, named(pid)));
                }
                State::Starting(pid) => {
                    self.wait_for_other(pid, deadline)?;
                    continue;
                }
                State::Stopped | State::Stale => {}
            }
            let (starter, reporter) =
                readiness::channel().map_err(|error| format!("cannot make a pipe: {error}"))?;
            let child = process::fork().map_err(|error| format!("cannot fork: {error}"))?;
            let Some(child) = child else {
                drop(starter);
                self.fork_again(reporter, begin);
            };
            drop(reporter);
            process::reap(child);
            match starter.wait(deadline) {
                Outcome::Ready(text) => {
                    let pid = self.pid_file.state()?.holder().map_or_else(String::new, named);
                    return Ok(format!("{}Daemon is started - {}{pid}", lines(&text), self.name));
                }
                Outcome::Failed(reason) => return Err(reason),
                // The other one is starting, or ends just now: look again.
                Outcome::Taken if Instant::now() < deadline => {
                    thread::park_timeout(LOOK_PAUSES.1);
                }
                Outcome::Taken => {
                    return Err(format!(
                        "{} is locked by another program",
                        self.pid_file.path().display()
                    ));
                }
                Outcome::Ended(text) => {
                    return Err(format!(
                        "{}{} ended before it served; its log file may tell why",
                        lines(&text),
                        self.name
                    ));
                }
                Outcome::TimedOut(text) => {
                    // The first child led the session and the group in which
                    // the daemon still is.
                    process::kill_group(child);
                    return Err(format!(
                        "{}{} did not serve within {} s and was ended; \
                         its log file may tell why",
                        lines(&text),
                        self.name,
                        READY_WITHIN.as_secs()
                    ));
                }
            }
        }
    }

    /// Serves in this process, without a fork. Returns only if it cannot.
    pub fn foreground(&self, begin: impl FnOnce() -> Result<Running, String>) -> String {
        process::set_umask();
        process::unblock_signals();
        match self.pid_file.lock() {
            Ok(Some(lock)) => serve(self.name, &lock, begin, || Ok(())),
            Ok(None) => format!("Daemon is already running - {}", self.name),
            Err(reason) => reason,
        }
    }

    /// Ends the daemon if it runs, and returns when it has ended: a line for
    /// stdout, or the reason why it still runs.
    pub fn stop(&self, force: bool) -> Result<String, String> {
        let state = self.pid_file.state()?;
        let Some(pid) = state.holder() else {
            self.pid_file.remove_stale()?;
            let left = match state {
                State::Stale => "; the PID file that it left is removed",
                _ => "",
            };
            return Ok(format!("Daemon is already stopped - {}{left}", self.name));
        };
        self.signal(pid, libc::SIGTERM)?;
        let mut ended = self.wait_for_release(pid, STOP_WITHIN)?;
        if !ended && force {
            self.signal(pid, libc::SIGKILL)?;
            ended = self.wait_for_release(pid, KILL_WITHIN)?;
        }
        if !ended {
            let advice = if force {
                "a thread of it hangs in the kernel"
            } else {
                "--stop --force kills it"
            };
            return Err(format!(
                "{}{} still runs {} s after it was told to end; {advice}",
                self.name,
                named(pid),
                STOP_WITHIN.as_secs()
            ));
        }
        self.pid_file.remove_stale()?;
        Ok(format!("Daemon is stopped - {}", self.name))
    }

    /// Tells whether the daemon runs.
    pub fn status(&self) -> Status {
        let (code, word, note) = match self.pid_file.state() {
            Ok(State::Starting(_)) => {
                (exit::DONE, "running", Some("it is about to serve".to_owned()))
            }
            Ok(State::Serving(pid)) if self.does_not_answer(pid) => {
                let note = format!(
                    "it lives{} and gave no sign of life within {} s; --restart --force ends it \
                     and starts it again",
                    named(pid),
                    BEAT_WITHIN.as_secs()
                );
                (exit::STATUS_UNKNOWN, "hung", Some(note))
            }
            Ok(State::Serving(_)) => (exit::DONE, "running", None),
            Ok(State::Stopped) => (exit::STATUS_STOPPED, "stopped", None),
            Ok(State::Stale) => {
                let path = self.pid_file.path().display();
                (exit::STATUS_DEAD, "stopped", Some(format!("it ended and left {path}")))
            }
            Err(reason) => (exit::STATUS_UNKNOWN, "unknown", Some(reason)),
        };
        Status { code, line: format!("Daemon is {word} - {}", self.name), note }
    }

    /// Asks the daemon for a sign of life. One that may not be asked, since it is
    /// another user's or in another container, is not suspected.
    fn does_not_answer(&self, pid: Pid) -> bool {
        let Ok(before) = self.pid_file.last_beat() else { return false };
        if process::send_signal(pid, ASKING).is_err() {
            return false;
        }
        let answered = look_until(Instant::now() + BEAT_WITHIN, || {
            self.pid_file.last_beat().is_ok_and(|beat| beat != before)
                || self.pid_file.state() != Ok(State::Serving(pid))
        });
        !answered
    }

    /// The first child: leads a new session, and leaves it to a child of its
    /// own, which so can never take a terminal.
    fn fork_again(&self, reporter: Reporter, begin: impl FnOnce() -> Result<Running, String>) -> ! {
        match process::lead_new_session().and_then(|()| process::fork()) {
            Ok(Some(_)) => exit_now(exit::DONE),
            Ok(None) => self.become_daemon(reporter, begin),
            Err(error) => {
                reporter.failed(&format!("cannot go to the background: {error}"));
                exit_now(exit::FAILED)
            }
        }
    }

    /// The last child.
    fn become_daemon(
        &self,
        reporter: Reporter,
        begin: impl FnOnce() -> Result<Running, String>,
    ) -> ! {
        process::set_umask();
        process::unblock_signals();
        let Some(attached) = reporter.attach() else { exit_now(exit::FAILED) };
        if let Err(error) = std::env::set_current_dir("/") {
            attached.failed(&format!("cannot change to the folder /: {error}"));
            exit_now(exit::FAILED);
        }
        let mut attached = Some(attached);
        let reason = match self.pid_file.lock() {
            Ok(Some(lock)) => serve(self.name, &lock, begin, || {
                attached.take().map_or(Ok(()), Attached::ready).map_err(|error| {
                    format!("ended: nobody waits any more for it to serve ({error})")
                })
            }),
            Ok(None) => {
                if let Some(attached) = attached {
                    attached.taken();
                }
                exit_now(exit::FAILED);
            }
            Err(reason) => reason,
        };
        log::error!("{} does not serve: {reason}", self.name);
        if let Some(attached) = attached {
            attached.failed(&reason);
        }
        exit_now(exit::FAILED)
    }

    /// Waits until a daemon that someone else is starting serves or has ended.
    fn wait_for_other(&self, pid: Pid, deadline: Instant) -> Result<(), String> {
        let mut state = Ok(State::Starting(pid));
        let in_time = look_until(deadline, || {
            state = self.pid_file.state();
            !matches!(state, Ok(State::Starting(_)))
        });
        match state {
            Err(reason) => Err(reason),
            Ok(_) if in_time => Ok(()),
            Ok(_) => Err(format!(
                "{}{} was started by someone else and does not serve; --stop ends it",
                self.name,
                named(pid)
            )),
        }
    }

    fn signal(&self, pid: Pid, signal: libc::c_int) -> Result<(), String> {
        process::send_signal(pid, signal).or_else(|error| match error.raw_os_error() {
            // It ended on its own.
            Some(libc::ESRCH) => Ok(()),
            Some(libc::EPERM) => Err(format!(
                "{}{} belongs to another user; stop it as that user or as root",
                self.name,
                named(pid)
            )),
            None => Err(format!(
                "{} runs where it cannot be seen from here: in another container or on \
                 another machine that shares {}; stop it there",
                self.name,
                self.pid_file.path().display()
            )),
            Some(_) => Err(format!("cannot signal {}{}: {error}", self.name, named(pid))),
        })
    }

    /// Waits until `pid` no longer holds the lock. A killed process whose
    /// parent does not reap it may stay a zombie: the lock counts, and after
    /// it, for a moment, the end of the process, which closes its sockets.
    fn wait_for_release(&self, pid: Pid, within: Duration) -> Result<bool, String> {
        let mut state = Ok(State::Stale);
        let released = look_until(Instant::now() + within, || {
            state = self.pid_file.state();
            !matches!(&state, Ok(state) if state.holder() == Some(pid))
        });
        state?;
        if released {
            look_until(Instant::now() + CLOSE_WITHIN, || process::has_ended(pid));
        }
        Ok(released)
    }
}

/// Looks until `seen`, with growing pauses. False: not by the deadline.
fn look_until(deadline: Instant, mut seen: impl FnMut() -> bool) -> bool {
    let (mut pause, longest) = LOOK_PAUSES;
    loop {
        if seen() {
            return true;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        // Nothing unparks this thread: it is a pause.
        thread::park_timeout(pause.min(left));
        pause = (pause * 2).min(longest);
    }
}

/// A process for a message, if it can be seen from here.
fn named(pid: Pid) -> String {
    if pid > 0 { format!(" (PID {pid})") } else { String::new() }
}

/// Text of the daemon as lines before ours.
fn lines(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{text}\n") }
}
