//! The file with the table of mounts, kept open.

#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use crate::journal;

/// A longer table is refused. The kernel's own limit is 100,000 mounts; a line
/// has 100 bytes, or some thousand for an overlay of many layers.
const MAX_TABLE_BYTES: u64 = 32 << 20;

const BUFFER_BYTES: usize = 16 * 1024;

/// The open table. The kernel tells when it has changed, so that a machine of
/// many mounts need not read it each time.
#[derive(Debug)]
pub(crate) struct MountWatch {
    path: PathBuf,
    file: File,
}

impl MountWatch {
    /// Opens a table such as `/proc/self/mounts`.
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        match File::open(&path) {
            Ok(file) => {
                journal::read(&path, None);
                Ok(Self { path, file })
            }
            Err(error) => {
                journal::unread(&path, &error);
                Err(error)
            }
        }
    }

    /// The file, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether something was mounted, remounted or unmounted since the last call
    /// of this function. Says nothing of options that a file system changed by
    /// itself, and never anything of a file outside of `/proc`.
    ///
    /// See proc(5), `/proc/pid/mounts`: "pollable since kernel 2.6.15".
    pub(crate) fn has_changed(&self) -> bool {
        let events = libc::POLLPRI | libc::POLLERR;
        let mut asked = libc::pollfd { fd: self.file.as_raw_fd(), events, revents: 0 };
        // SAFETY: one valid pollfd, whose descriptor is open; does not wait.
        let answered = unsafe { libc::poll(&raw mut asked, 1, 0) };
        answered < 0 || asked.revents & events != 0
    }

    /// Reads the table and gives each line to `line`, without its end.
    pub(crate) fn read(&self, mut line: impl FnMut(&[u8])) -> io::Result<()> {
        (&self.file).seek(SeekFrom::Start(0))?;
        let mut reader = BufReader::with_capacity(BUFFER_BYTES, (&self.file).take(MAX_TABLE_BYTES));
        let mut text = Vec::new();
        while reader.read_until(b'\n', &mut text)? > 0 {
            line(text.strip_suffix(b"\n").unwrap_or(&text));
            text.clear();
        }
        if reader.get_ref().limit() == 0 {
            let wanted = format!("wanted at most {MAX_TABLE_BYTES} bytes, found more");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, wanted));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_same_twice_and_sees_no_change() {
        let watch = MountWatch::open(PathBuf::from("/proc/self/mounts")).unwrap();
        let read = || {
            let mut lines = Vec::new();
            watch.read(|line| lines.push(line.to_vec())).unwrap();
            lines
        };
        let first = read();
        assert!(!first.is_empty());
        assert!(first.iter().all(|line| !line.contains(&b'\n')));
        if !watch.has_changed() {
            assert_eq!(read(), first);
        }
    }
}
