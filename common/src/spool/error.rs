//! Why the spool could not take, or give, a batch.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why the spool could not take, or give, a batch.
#[derive(Debug)]
pub enum SpoolError {
    /// The disk said no: what was done to which path.
    Disk {
        /// What was to be done, such as `write`.
        action: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the kernel answered.
        source: io::Error,
    },
    /// The disk has less room than the spool must leave to others, and the spool
    /// holds too little to make room with.
    NoRoom {
        /// The folder of the spool.
        path: PathBuf,
        /// Bytes that are free.
        free_bytes: u64,
        /// Bytes that the spool must leave free.
        min_free_bytes: u64,
    },
    /// The batch alone is larger than the spool may be.
    TooLarge {
        /// Bytes of the batch.
        bytes: u64,
        /// Bytes that a batch may have.
        limit_bytes: u64,
    },
}

/// What kind of trouble an error tells of, without the names and figures that change
/// with every batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// There is no room.
    Full,
    /// The disk said no for another reason.
    Disk(io::ErrorKind),
    /// The batch alone is too large.
    TooLarge,
}

impl SpoolError {
    /// What kind of trouble it tells of.
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::NoRoom { .. } => Trouble::Full,
            Self::Disk { .. } if self.is_full() => Trouble::Full,
            Self::Disk { source, .. } => Trouble::Disk(source.kind()),
            Self::TooLarge { .. } => Trouble::TooLarge,
        }
    }

    pub(super) fn disk(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Disk { action, path, source }
    }

    /// Whether there is no room for what was to be written.
    pub(super) fn is_full(&self) -> bool {
        matches!(self, Self::Disk { source, .. } if matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        ))
    }

    /// Whether the disk takes no orders at all any more.
    pub(super) fn is_read_only(&self) -> bool {
        matches!(self, Self::Disk { source, .. } if source.kind() == io::ErrorKind::ReadOnlyFilesystem)
    }
}

impl fmt::Display for SpoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk { action, path, source } => {
                write!(f, "spool: cannot {action} {}: {source}", path.display())
            }
            Self::NoRoom { path, free_bytes, min_free_bytes } => write!(
                f,
                "spool: the disk of {} has {free_bytes} bytes free, and {min_free_bytes} are to be left: make room there, or lower spool_min_free_bytes",
                path.display()
            ),
            Self::TooLarge { bytes, limit_bytes } => write!(
                f,
                "spool: a batch of {bytes} bytes is larger than the {limit_bytes} bytes that are allowed"
            ),
        }
    }
}

impl std::error::Error for SpoolError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Disk { source, .. } => Some(source),
            Self::NoRoom { .. } | Self::TooLarge { .. } => None,
        }
    }
}
