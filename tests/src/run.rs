//! Running a program to its end.

use std::env;
use std::io::{ErrorKind, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use crate::wait_until;

/// A program that is to end by itself is killed after this.
const RUN_LIMIT: Duration = Duration::from_secs(90);

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Its exit code; 128 and the signal's number if a signal ended it, as a
    /// shell tells it.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

/// A binary of the workspace, built for the same profile as the test.
///
/// # Panics
/// If it was not built: a test of this crate builds only the binaries of this
/// crate.
pub fn binary(name: &str) -> PathBuf {
    let test = env::current_exe().expect("the path of the test");
    let folder = test.parent().expect("the folder of the program");
    // Tests lie in a folder of their own beside the binaries.
    let profile = if folder.ends_with("deps") { folder.parent() } else { Some(folder) };
    let profile = profile.expect("the folder of the profile");
    let path = profile.join(name);
    assert!(
        path.is_file(),
        "{} is not built; run `cargo build --workspace` (with --release if the tests have it)",
        path.display()
    );
    path
}

/// A program of the system that a test needs.
///
/// # Panics
/// If it is not on the path.
pub fn binary_of_system(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| panic!("{name} is not installed, and this test needs it"))
}

/// A command with the configuration folder in its environment.
#[expect(clippy::disallowed_methods, reason = "tests start the programs that they test")]
pub fn command(program: &Path, configuration: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("PATTOO_CONFIGDIR", configuration);
    command
}

/// Runs a program with these flags until it ends *and* nobody holds its stdout
/// and stderr any more, as a pipe behind it would.
pub fn run(program: &Path, configuration: &Path, flags: &[&str]) -> Finished {
    finish(command(program, configuration).args(flags))
}

/// Runs a command likewise.
pub fn finish(command: &mut Command) -> Finished {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut started = command.spawn();
    // A binary that was just copied may be open for writing for a moment yet: in a
    // child that another test has forked meanwhile, until that has started its program.
    wait_until(&format!("{command:?} can be started"), RUN_LIMIT, || {
        let is_busy =
            matches!(&started, Err(error) if error.kind() == ErrorKind::ExecutableFileBusy);
        if is_busy {
            started = command.spawn();
        }
        !is_busy
    });
    let mut child = started.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let stdout = collect(child.stdout.take().expect("piped"));
    let stderr = collect(child.stderr.take().expect("piped"));
    let status = end(&mut child, command);
    wait_until(&format!("{command:?} let go of its stdout and stderr"), RUN_LIMIT, || {
        stdout.is_finished() && stderr.is_finished()
    });
    Finished {
        code: status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
        stdout: stdout.join().expect("a reader"),
        stderr: stderr.join().expect("a reader"),
    }
}

fn end(child: &mut Child, command: &Command) -> ExitStatus {
    let mut status = None;
    let waited = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        wait_until(&format!("{command:?} ended"), RUN_LIMIT, || {
            status = child.try_wait().expect("the state of a child");
            status.is_some()
        });
    }));
    if let Err(panic) = waited {
        let _ = child.kill();
        let _ = child.wait();
        std::panic::resume_unwind(panic);
    }
    status.expect("it has ended")
}

fn collect(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
