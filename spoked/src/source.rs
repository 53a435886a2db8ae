//! What a source of figures is: the reader of one kernel file or call.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use pattoo_common::datapoint::DataPoint;

/// `PROC_ROOT_INO` of the kernel: the top folder of a real `/proc`.
const PROC_ROOT_INODE: u64 = 1;

/// Where the kernel's file systems are. Every path that a source opens is built
/// from here, so that tests and containers can point elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct Roots {
    /// `/proc`
    pub(crate) proc: PathBuf,
    /// `/sys`
    pub(crate) sys: PathBuf,
    /// `/`: mount points are looked for below it.
    pub(crate) root: PathBuf,
}

impl Roots {
    /// The path of a file below `/proc`.
    pub(crate) fn proc(&self, file: impl AsRef<Path>) -> PathBuf {
        self.proc.join(file)
    }

    /// The path of a file below `/sys`.
    pub(crate) fn sys(&self, file: impl AsRef<Path>) -> PathBuf {
        self.sys.join(file)
    }

    /// Whether the machine is seen from a root that is not its own, as by a
    /// container that watches its host.
    pub(crate) fn is_of_another(&self) -> bool {
        self.root != Path::new("/")
    }

    /// The path of a file that the kernel writes for the namespaces of a process,
    /// such as `net/dev`. Below `/proc` it is for the process that reads it. Where
    /// `/proc` is that of a machine around this container, the first process there
    /// has the namespaces of the machine, and no other may stand for it. A tree
    /// that is not the kernel's need not tell of that process.
    pub(crate) fn proc_of_machine(&self, file: &str) -> PathBuf {
        let of_first_process = self.proc("1").join(file);
        let is_own = self.proc == Path::new("/proc");
        if !is_own && (self.proc_is_of_kernel() || of_first_process.exists()) {
            of_first_process
        } else {
            self.proc(file)
        }
    }

    /// Whether `/proc` is the kernel's, and not a tree in its place.
    pub(crate) fn proc_is_of_kernel(&self) -> bool {
        fs::metadata(&self.proc).is_ok_and(|proc| proc.ino() == PROC_ROOT_INODE)
    }
}

/// Who asks, and for which interval: what a source needs to know of a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Poll {
    /// The address of the client.
    pub(crate) client: IpAddr,
    /// The interval of the URL, in seconds; 0 for the status page.
    pub(crate) interval_s: u32,
}

/// Why a source has no figures this time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SourceError {
    /// This machine has no such thing (no swap device, no `/proc/diskstats` in a
    /// container). Quiet: it is named on the status page and is no fault.
    Absent(String),
    /// It should be there and could not be read or understood: which file, which
    /// line, what was wanted.
    Failed(String),
}

/// The reader of one kernel file or call.
pub(crate) trait Source: Send {
    /// The name on the status page and in the log, such as `memory`.
    fn name(&self) -> &'static str;

    /// The kernel's files and calls that it reads, for a person.
    fn reads(&self) -> &'static str;

    /// Reads the kernel's figures and appends them to `out`, in the order of the
    /// wire. What was appended before an error is kept.
    fn read(&mut self, poll: &Poll, out: &mut Vec<DataPoint>) -> Result<(), SourceError>;

    /// How many datapoints the last reading did not give, because no answer would
    /// have had room for them.
    fn left_out(&self) -> usize {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::fixture::Folder;

    #[test]
    fn the_first_process_stands_for_a_machine_that_is_not_ones_own() {
        let roots = |proc: &Path| Roots { proc: proc.into(), sys: "/sys".into(), root: "/".into() };
        let of_machine = |proc: &Path| roots(proc).proc_of_machine("net/dev");
        assert_eq!(of_machine(Path::new("/proc")), Path::new("/proc/net/dev"));
        // The kernel's by another path, whether or not that process can be seen.
        assert_eq!(of_machine(Path::new("/proc/../proc")), Path::new("/proc/../proc/1/net/dev"));
        let folder = Folder::new("proc_of_machine");
        assert_eq!(of_machine(&folder.path), folder.path.join("net/dev"));
        let file = folder.file("1/net/dev", "");
        assert_eq!(of_machine(&folder.path), file);
    }
}
