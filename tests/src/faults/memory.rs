//! A limit of memory, by a control group of version 1. Needs root.
#![allow(unsafe_code)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const CONTROLLER: &str = "/sys/fs/cgroup/memory";

/// A group with a limit; gone when this value goes, if its processes have ended.
#[derive(Debug)]
pub struct MemoryLimit {
    group: PathBuf,
    /// Where this thread was.
    before: PathBuf,
}

impl MemoryLimit {
    /// A group of this name for so many bytes. An error tells what this machine
    /// lacks for it.
    pub fn new(name: &str, bytes: u64) -> Result<Self, String> {
        let of = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
        let own = fs::read_to_string("/proc/thread-self/cgroup").unwrap_or_default();
        let own = own.lines().find_map(|line| line.split_once(":memory:"));
        let own = own.map(|(_, path)| path.trim_start_matches('/').to_owned());
        let own = own.ok_or("no cgroup of version 1 that controls memory")?;
        let before = Path::new(CONTROLLER).join(own);
        // Where the namespace hides the way, the root serves.
        let before = if before.is_dir() { before } else { CONTROLLER.into() };
        let group = Path::new(CONTROLLER).join(format!("pattoo-{name}-{}", std::process::id()));
        fs::create_dir_all(&group).map_err(|error| of(&group, error))?;
        let limit = group.join("memory.limit_in_bytes");
        fs::write(&limit, bytes.to_string()).map_err(|error| of(&limit, error))?;
        Ok(Self { group, before })
    }

    /// Runs `start` with this thread in the group: what it starts stays there.
    pub fn within<T>(&self, start: impl FnOnce() -> T) -> T {
        // SAFETY: gettid takes nothing.
        let thread = unsafe { libc::gettid() }.to_string();
        fs::write(self.group.join("tasks"), &thread).expect("into the group");
        let outcome = start();
        fs::write(self.before.join("tasks"), &thread).expect("out of the group");
        outcome
    }

    /// The most that the group has held, in bytes.
    pub fn most_bytes(&self) -> u64 {
        self.figure("memory.max_usage_in_bytes")
    }

    /// How often a process was killed for want of memory.
    pub fn kills(&self) -> u64 {
        let text = fs::read_to_string(self.group.join("memory.oom_control")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        line.and_then(|number| number.trim().parse().ok()).expect("oom_kill is counted")
    }

    fn figure(&self, name: &str) -> u64 {
        let text = fs::read_to_string(self.group.join(name)).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.group);
    }
}
