//! Processes and what they cost, by the kernel's own accounting.
#![allow(unsafe_code, reason = "wait4 and prctl are not in std")]
#![allow(clippy::disallowed_methods, reason = "a bench starts the programs that it measures")]

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What a process took from its start to its end.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// User and system time.
    pub cpu: Duration,
    /// The largest resident set, in bytes.
    pub peak_bytes: u64,
    /// From start to end.
    pub wall: Duration,
}

/// Runs a command to its end and gives its cost. Its output is thrown away.
#[allow(clippy::zombie_processes, reason = "wait4 reaps it, and tells its cost")]
pub fn run(command: &mut Command) -> Cost {
    let start = Instant::now();
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut status = 0;
    // SAFETY: rusage is plain old data, for which all zeros is valid.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    let pid = libc::pid_t::try_from(child.id()).expect("a PID fits");
    // SAFETY: both pointers are to locals that outlive the call.
    let ended = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) };
    assert_eq!((ended, status), (pid, 0), "{command:?} failed");
    let time = |t: libc::timeval| {
        Duration::new(t.tv_sec.unsigned_abs(), 0) + Duration::from_micros(t.tv_usec.unsigned_abs())
    };
    Cost {
        cpu: time(usage.ru_utime) + time(usage.ru_stime),
        peak_bytes: usage.ru_maxrss.unsigned_abs() * 1024,
        wall: start.elapsed(),
    }
}

/// A process that serves; it is killed when this is dropped, and when the bench
/// ends in any other way: a panic aborts it, and then nothing is dropped.
pub struct Server(Child);

impl Server {
    /// Starts it; its output is thrown away. To be called by the first thread: the
    /// process ends with the thread that started it.
    pub fn start(command: &mut Command) -> Self {
        // SAFETY: prctl takes integers, and is a plain system call between fork and
        // exec: it allocates nothing and takes no lock.
        unsafe {
            command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            });
        }
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self(child.unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// CPU time of all its threads so far, in the kernel's ticks of 10 ms.
    pub fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).expect("it lives");
        let after_name = &stat[stat.rfind(')').expect("a name") + 2..];
        let ticks = after_name.split(' ').skip(11).take(2).map(|t| t.parse::<u64>().unwrap());
        Duration::from_millis(ticks.sum::<u64>() * 10)
    }

    /// A figure of `/proc/PID/status` in bytes: `VmRSS`, `VmHWM`.
    pub fn memory(&self, key: &str) -> u64 {
        let path = format!("/proc/{}/status", self.0.id());
        let status = fs::read_to_string(path).expect("it lives");
        let line = status.lines().find(|line| line.starts_with(key)).expect("the key is there");
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder that is removed when this is dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    /// Makes a new one below the system's folder for temporary files.
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pattoo-bench-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder for temporary files");
        Self(path)
    }

    /// Writes a file into it.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).expect("the folder takes files");
        path
    }

    /// Writes `pattoo.yaml`, which sends to a server at `port`.
    pub fn write_pattoo_yaml(&self, port: u16) {
        let at = self.0.display();
        self.write(
            "pattoo.yaml",
            &format!(
                "pattoo:\n  log_directory: {at}/log\n  log_level: info\n  cache_directory: {at}/cache\n  daemon_directory: {at}/daemon\npattoo_agent_api:\n  ip_address: 127.0.0.1\n  ip_bind_port: {port}\n"
            ),
        );
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The path of a program of ours: beside the bench, or in the folder that
/// `PATTOO_BENCH_BINARIES` names (a static build, say).
pub fn program(name: &str) -> PathBuf {
    let folder = std::env::var_os("PATTOO_BENCH_BINARIES").map(PathBuf::from);
    let beside = || std::env::current_exe().ok()?.parent().map(Path::to_owned);
    let path = folder.or_else(beside).expect("the folder of the bench").join(name);
    assert!(path.exists(), "{} is missing: cargo build --release first", path.display());
    path
}

/// Waits until `condition` holds, looking every few milliseconds.
pub fn wait_until(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < limit, "{what}: not within {limit:?}");
        pause(Duration::from_millis(2));
    }
}

/// Lets time pass while something else is measured.
#[allow(clippy::disallowed_methods, reason = "what is waited for is time itself")]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// `12.3 ms`
pub fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

/// `12.3 MB`, of 10^6 bytes.
pub fn megabytes(bytes: u64) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}
