//! A daemon under test, ended whatever becomes of the test.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{Finished, Process, command, find_by_environment, finish, is_alive, send_signal};

/// A program and its configuration folder. What still runs with that folder is
/// ended when this value goes.
#[derive(Debug)]
pub struct Daemon {
    binary: PathBuf,
    configuration: PathBuf,
    pid_file: PathBuf,
    environment: Vec<(&'static str, OsString)>,
}

impl Daemon {
    /// A daemon that does not run yet.
    pub fn new(binary: PathBuf, configuration: &Path, pid_file: PathBuf) -> Self {
        let configuration = configuration.to_owned();
        Self { binary, configuration, pid_file, environment: Vec::new() }
    }

    /// From now on it is run with this variable.
    pub fn set_variable(&mut self, name: &'static str, value: impl Into<OsString>) {
        self.environment.push((name, value.into()));
    }

    /// Runs the binary with these flags.
    pub fn run(&self, flags: &[&str]) -> Finished {
        let mut command = command(&self.binary, &self.configuration);
        finish(command.envs(self.environment.iter().map(|(name, value)| (name, value))).args(flags))
    }

    /// `--status`. One that only stood still for a moment may be called hung, so where
    /// it is, it is asked once more.
    pub fn status(&self) -> Finished {
        let status = self.run(&["--status"]);
        if status.stdout.starts_with("Daemon is hung") { self.run(&["--status"]) } else { status }
    }

    /// Starts it, which must succeed, and gives its process.
    pub fn start(&self) -> Process {
        let started = self.run(&["--start"]);
        assert_eq!(started.code, 0, "--start: {started:?}");
        self.pid()
    }

    /// Stops it, which must succeed.
    pub fn stop(&self) {
        let stopped = self.run(&["--stop"]);
        assert_eq!(stopped.code, 0, "--stop: {stopped:?}");
    }

    /// The process that its PID file names.
    pub fn pid(&self) -> Process {
        let text = fs::read_to_string(&self.pid_file).expect("a PID file");
        text.trim().parse().unwrap_or_else(|_| panic!("no PID in the PID file: {text:?}"))
    }

    /// Where its PID file is.
    pub fn pid_file(&self) -> &Path {
        &self.pid_file
    }

    /// The binary.
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// The folder of its configuration.
    pub fn configuration(&self) -> &Path {
        &self.configuration
    }

    /// Every living process of this configuration folder.
    pub fn processes(&self) -> Vec<Process> {
        find_by_environment(&format!("PATTOO_CONFIGDIR={}\0", self.configuration.display()))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        for process in self.processes() {
            send_signal(process, libc::SIGKILL);
            // Not reaped by us, so it may stay a zombie; but it is to be dead
            // before the next test looks for a free port.
            let deadline = std::time::Instant::now() + crate::PATIENCE;
            while is_alive(process) && std::time::Instant::now() < deadline {
                std::thread::yield_now();
            }
        }
    }
}
