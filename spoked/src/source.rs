//! What a source of figures is: the reader of one kernel file or call.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use pattoo_common::datapoint::DataPoint;

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
}
