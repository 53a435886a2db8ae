//! A file of `/proc` or `/sys` that is kept open and read again and again.
//!
//! The kernel makes the text of such a file anew for every read at its start, so
//! one `open` serves for the life of the program, and a reading costs a quarter
//! to a third less than with `open` and `close` around it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::journal;
use crate::source::SourceError;

/// What is larger is not read: no file of the kernel that we know comes near it.
const LIMIT_BYTES: usize = 8 * 1024 * 1024;

/// The first size of a buffer. It doubles as long as the text does not fit, and
/// most files of `/sys` need no more.
const FIRST_BYTES: usize = 256;

/// A buffer that is more than this many times larger than its text needs is made
/// smaller.
const SLACK: usize = 4;

/// One file of the kernel, opened at its first reading.
pub(crate) struct KernelFile {
    path: PathBuf,
    file: Option<File>,
    buffer: Vec<u8>,
    filled: usize,
}

impl KernelFile {
    /// The file at this path. It is not opened yet.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, file: None, buffer: Vec::new(), filled: 0 }
    }

    /// Where it is, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The whole text as it is now.
    ///
    /// [`SourceError::Absent`] if there is no such file; [`SourceError::Failed`]
    /// with the path and the reason for all else, such as more than 8 MiB.
    pub(crate) fn read(&mut self) -> Result<&[u8], SourceError> {
        self.read_until(|_| false)
    }

    /// The text from its start until `enough` is content with it, or all of it.
    /// What is not asked for the kernel need not write: this is for long files
    /// of which a few lines near the start are wanted.
    pub(crate) fn read_until(
        &mut self,
        enough: impl Fn(&[u8]) -> bool,
    ) -> Result<&[u8], SourceError> {
        let needed = self.filled.next_power_of_two().max(FIRST_BYTES);
        if self.buffer.len() > needed.saturating_mul(SLACK) {
            self.buffer.truncate(needed);
            self.buffer.shrink_to_fit();
        }
        let kept_open = self.file.is_some();
        let mut outcome = self.fill(&enough);
        // What lay behind an open descriptor may be gone and come back (a device
        // plugged in again, a file system mounted anew), so open once more.
        if kept_open && outcome.is_err() {
            self.file = None;
            outcome = self.fill(&enough);
        }
        match outcome {
            Ok(()) => {
                journal::read(&self.path, Some(self.filled));
                Ok(&self.buffer[..self.filled])
            }
            Err(error) => {
                self.close();
                Err(unreadable(&self.path, &error))
            }
        }
    }

    /// Gives descriptor and buffer back; the next reading opens the file again.
    pub(crate) fn close(&mut self) {
        self.file = None;
        self.filled = 0;
        self.buffer = Vec::new();
    }

    fn fill(&mut self, enough: impl Fn(&[u8]) -> bool) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(open(&self.path)?),
        };
        self.filled = 0;
        loop {
            if self.filled == self.buffer.len() {
                if self.filled > LIMIT_BYTES {
                    let reason = format!("larger than {LIMIT_BYTES} bytes, which no such file is");
                    return Err(io::Error::other(reason));
                }
                let size = (self.filled * 2).clamp(FIRST_BYTES, LIMIT_BYTES + 1);
                self.buffer.resize(size, 0);
            }
            match file.read_at(&mut self.buffer[self.filled..], self.filled as u64) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    self.filled += count;
                    if enough(&self.buffer[..self.filled]) {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// How an error of the kernel at this path is told.
pub(crate) fn unreadable(path: &Path, error: &io::Error) -> SourceError {
    journal::unread(path, error);
    let path = path.display();
    if error.kind() == io::ErrorKind::NotFound {
        SourceError::Absent(format!("{path}: there is no such file"))
    } else {
        SourceError::Failed(format!("{path}: {error}"))
    }
}

/// `O_NONBLOCK` keeps a FIFO in the file's place from holding us up: opening it
/// returns at once and `pread` refuses it.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC).open(path)
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;

    use super::*;
    use crate::sources::fixture::Folder;

    #[test]
    fn reads_what_the_file_says_now() {
        let folder = Folder::new("kernel_file_now");
        let path = folder.file("loadavg", "0.10");
        let mut file = KernelFile::new(path.clone());
        assert_eq!(file.read().unwrap(), b"0.10");
        let descriptor = format!("{:?}", file.file);
        fs::write(&path, "0.2").unwrap();
        assert_eq!(file.read().unwrap(), b"0.2");
        assert_eq!(format!("{:?}", file.file), descriptor, "it was opened once");
    }

    #[test]
    fn a_file_of_the_real_kernel_is_read_twice_through_one_descriptor() {
        let mut file = KernelFile::new("/proc/self/status".into());
        assert!(file.read().unwrap().starts_with(b"Name:"));
        assert!(file.read().unwrap().starts_with(b"Name:"));
    }

    #[test]
    fn a_descriptor_that_went_bad_is_opened_again() {
        let folder = Folder::new("kernel_file_bad_descriptor");
        let mut file = KernelFile::new(folder.file("stat", "cpu 1"));
        // Reading a folder fails with EISDIR, as a dead device does with ENODEV.
        file.file = Some(File::open(&folder.path).unwrap());
        assert_eq!(file.read().unwrap(), b"cpu 1");
    }

    #[test]
    fn what_is_not_there_is_absent_and_found_when_it_comes() {
        let folder = Folder::new("kernel_file_absent");
        let mut file = KernelFile::new(folder.path.join("diskstats"));
        let Err(SourceError::Absent(reason)) = file.read() else { panic!("it is not there") };
        assert!(reason.contains("diskstats"), "{reason}");
        folder.file("diskstats", "8 0 sda");
        assert_eq!(file.read().unwrap(), b"8 0 sda");
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_reason() {
        let folder = Folder::new("kernel_file_folder");
        let mut file = KernelFile::new(folder.path.clone());
        let Err(SourceError::Failed(reason)) = file.read() else { panic!("a folder is no file") };
        assert!(reason.contains("kernel_file_folder"), "{reason}");
        assert!(reason.contains("directory"), "{reason}");
    }

    #[test]
    #[allow(unsafe_code)]
    fn a_fifo_in_its_place_does_not_block() {
        let folder = Folder::new("kernel_file_fifo");
        let path = folder.path.join("stat");
        let name = CString::new(path.as_os_str().as_bytes()).unwrap();
        // SAFETY: `name` is a string that ends in NUL and outlives the call.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        assert!(matches!(KernelFile::new(path).read(), Err(SourceError::Failed(_))));
    }

    #[test]
    fn what_has_no_end_is_refused_at_the_limit_and_its_memory_given_back() {
        let mut file = KernelFile::new("/dev/zero".into());
        let Err(SourceError::Failed(reason)) = file.read() else { panic!("it has no end") };
        assert!(reason.contains("8388608 bytes"), "{reason}");
        assert_eq!(file.buffer.capacity(), 0);
    }

    #[test]
    fn a_file_of_just_the_limit_is_read() {
        let folder = Folder::new("kernel_file_limit");
        let path = folder.file("large", &"x".repeat(LIMIT_BYTES));
        assert_eq!(KernelFile::new(path.clone()).read().unwrap().len(), LIMIT_BYTES);
        fs::write(&path, "x".repeat(LIMIT_BYTES + 1)).unwrap();
        assert!(matches!(KernelFile::new(path).read(), Err(SourceError::Failed(_))));
    }

    #[test]
    fn a_buffer_that_grew_once_does_not_stay_large() {
        let folder = Folder::new("kernel_file_shrinks");
        let path = folder.file("diskstats", &"x".repeat(100_000));
        let mut file = KernelFile::new(path.clone());
        file.read().unwrap();
        fs::write(&path, "x".repeat(1000)).unwrap();
        file.read().unwrap();
        assert_eq!(file.read().unwrap().len(), 1000);
        assert_eq!(file.buffer.capacity(), 1024);
    }

    #[test]
    fn reading_stops_when_enough_was_read() {
        let folder = Folder::new("kernel_file_enough");
        let mut file = KernelFile::new(folder.file("vmstat", &"x".repeat(4096)));
        let length = file.read_until(|text| text.len() >= FIRST_BYTES).unwrap().len();
        assert_eq!(length, FIRST_BYTES);
    }
}
