//! Where log lines go: a file that can be reopened, or stderr.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::mem;
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::descriptor::writable_by;
use crate::last_words;

/// Mode of a log file.
const FILE_MODE: u32 = 0o640;
/// Mode of the folder of log files, where we make it.
const FOLDER_MODE: u32 = 0o750;
/// Behind the name of the file that gave way.
const OLD: &str = ".old";
/// How long a line waits for a pipe or terminal whose reader is slow. Once one
/// line was lost the next do not wait.
const PATIENCE: Duration = Duration::from_millis(100);
/// Bytes of one line; the rest is dropped. Messages are cut well before it.
const LINE_LIMIT: usize = 4096;

/// Where log lines go. Clones write to the same place.
#[derive(Debug, Clone)]
pub struct LogOutput {
    /// `None`: stderr, which cannot be reopened.
    path: Option<PathBuf>,
    sink: Arc<Mutex<Sink>>,
}

#[derive(Debug)]
struct Sink {
    file: File,
    /// The line that is being put together.
    line: Vec<u8>,
    /// Lines that could not be written since the last one that was.
    lost: u64,
    /// The last write left part of a line behind.
    torn: bool,
    /// Bytes of the file, as far as we know.
    bytes: u64,
    /// Past so many bytes the file gives way to a new one.
    max_bytes: u64,
}

impl LogOutput {
    /// Appends to this file. Its folder is made if it is not there.
    pub(super) fn file(path: &Path) -> Result<Self, String> {
        let file = open(path)?;
        last_words::log_is(&file);
        Ok(Self { path: Some(path.to_owned()), sink: Sink::on(file) })
    }

    /// Writes to stderr, on a descriptor of its own.
    pub(super) fn stderr() -> io::Result<Self> {
        let stderr = io::stderr().as_fd().try_clone_to_owned()?;
        Ok(Self { path: None, sink: Sink::on(File::from(stderr)) })
    }

    /// From now on a file of more bytes gives way to a new one and stays as `.old`,
    /// in the place of the one before. (`.1` is logrotate's: last week's, perhaps.)
    /// Stderr has no bound.
    pub fn set_max_bytes(&self, max_bytes: u64) {
        self.sink().max_bytes = max_bytes;
    }

    /// Opens the file anew, made again if it was renamed or removed. If that
    /// fails, lines go on to the old one.
    pub fn reopen(&self) -> Result<(), String> {
        if let Some(path) = &self.path {
            self.sink().replace(open(path)?);
        }
        Ok(())
    }

    fn sink(&self) -> MutexGuard<'_, Sink> {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(path: &Path) -> Result<File, String> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder).map_err(|error| {
            format!(
                "cannot make the folder {}: {error}; \
                 make it for this user or change log_directory",
                folder.display()
            )
        })?;
    }
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(FILE_MODE)
        // A FIFO without a reader is an error and does not block.
        .custom_flags(libc::O_NONBLOCK)
        .open(path)
        .map_err(|error| format!("cannot open the log file {}: {error}", path.display()))
}

/// Whether this file still has this name; not whether nobody can tell.
fn is_at(file: &File, path: &Path) -> bool {
    let ours = file.metadata().map(|found| (found.dev(), found.ino()));
    let named = fs::metadata(path).map(|found| (found.dev(), found.ino()));
    matches!((ours, named), (Ok(ours), Ok(named)) if ours == named)
}

/// Bytes of a file; none of what is no file, such as a pipe.
fn length(file: &File) -> u64 {
    file.metadata().ok().filter(fs::Metadata::is_file).map_or(0, |metadata| metadata.len())
}

/// Never fails: see `Sink::write_line`.
impl Write for LogOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut sink = self.sink();
        let room = LINE_LIMIT.saturating_sub(sink.line.len() + 1);
        match bytes.strip_suffix(b"\n") {
            Some(rest) => {
                sink.line.extend_from_slice(&rest[..rest.len().min(room)]);
                sink.line.push(b'\n');
                sink.write_line();
                if sink.bytes > sink.max_bytes
                    && let Some(path) = &self.path
                {
                    sink.rotate(path);
                }
            }
            None => sink.line.extend_from_slice(&bytes[..bytes.len().min(room)]),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn on(file: File) -> Arc<Mutex<Self>> {
        let bytes = length(&file);
        let (line, max_bytes) = (Vec::new(), u64::MAX);
        Arc::new(Mutex::new(Self { file, line, lost: 0, torn: false, bytes, max_bytes }))
    }

    fn replace(&mut self, file: File) {
        self.bytes = length(&file);
        last_words::log_is(&file);
        self.file = file;
    }

    /// Begins a new file. Where none can be had, the old one begins anew: what is
    /// bounded is the disk, and not what others may do in its folder.
    fn rotate(&mut self, path: &Path) {
        // Somebody else, such as logrotate, may have cut it.
        self.bytes = length(&self.file);
        if self.bytes <= self.max_bytes {
            return;
        }
        let mut old = path.as_os_str().to_owned();
        old.push(OLD);
        // Somebody else may have renamed it and not said so yet: that file is theirs,
        // and what has its name now, if anything, is to be gone on with.
        let gave_way = !is_at(&self.file, path) || fs::rename(path, &old).is_ok();
        if gave_way && let Ok(file) = open(path) {
            self.replace(file);
            return;
        }
        if self.file.set_len(0).is_ok() {
            let _ = writeln!(self.file, "(the log was cut here: it had no other place)");
        }
        self.bytes = length(&self.file);
    }

    /// Writes the line at once, as a whole, or counts it as lost.
    fn write_line(&mut self) {
        let line = mem::take(&mut self.line);
        let mut whole = Vec::new();
        if self.torn {
            whole.push(b'\n');
        }
        if self.lost > 0 {
            whole.extend_from_slice(format!("({} lines were lost here)\n", self.lost).as_bytes());
        }
        whole.extend_from_slice(&line);
        let patience = if self.lost > 0 { Duration::ZERO } else { PATIENCE };
        let written = match writable_by(&self.file, Instant::now() + patience) {
            Ok(true) => self.file.write(&whole),
            Ok(false) => Err(io::ErrorKind::WouldBlock.into()),
            Err(error) => Err(error),
        };
        match written {
            Ok(length) if length == whole.len() => {
                (self.lost, self.torn) = (0, false);
                self.bytes += length as u64;
            }
            Ok(length) => (self.lost, self.torn) = (self.lost + 1, self.torn || length > 0),
            Err(_) => self.lost += 1,
        }
        self.line = line;
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Read;

    fn path(test: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("pattoo-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder.join("deep/program.log")
    }

    fn clean(path: &Path) {
        fs::remove_dir_all(path.ancestors().nth(2).unwrap()).unwrap();
    }

    #[test]
    fn a_renamed_file_is_made_anew_and_an_appended_one_kept() {
        let path = path("reopened");
        let mut output = LogOutput::file(&path).unwrap();
        write!(output, "on").unwrap();
        writeln!(output, "e").unwrap();
        fs::rename(&path, path.with_extension("1")).unwrap();
        writeln!(output, "two").unwrap();
        output.reopen().unwrap();
        writeln!(output, "three").unwrap();
        output.reopen().unwrap();
        writeln!(output, "four").unwrap();
        assert_eq!(fs::read_to_string(path.with_extension("1")).unwrap(), "one\ntwo\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "three\nfour\n");
        clean(&path);
    }

    #[test]
    fn a_file_that_cannot_be_reopened_leaves_the_old_one() {
        let path = path("kept");
        let mut output = LogOutput::file(&path).unwrap();
        fs::rename(&path, path.with_extension("1")).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(output.reopen().unwrap_err().contains("program.log"));
        writeln!(output, "still").unwrap();
        assert_eq!(fs::read_to_string(path.with_extension("1")).unwrap(), "still\n");
        clean(&path);
    }

    #[test]
    fn lines_that_a_full_disk_refused_are_counted() {
        let path = path("full");
        let mut output = LogOutput::file(&path).unwrap();
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let real = mem::replace(&mut output.sink().file, full);
        writeln!(output, "one").unwrap();
        writeln!(output, "two").unwrap();
        output.sink().file = real;
        writeln!(output, "three").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "(2 lines were lost here)\nthree\n");
        clean(&path);
    }

    #[test]
    fn a_pipe_that_nobody_reads_does_not_block_and_goes_on_later() {
        let (mut reader, writer) = io::pipe().unwrap();
        let file = File::from(std::os::fd::OwnedFd::from(writer));
        let mut output = LogOutput { path: None, sink: Sink::on(file) };
        while output.sink().lost < 3 {
            writeln!(output, "{}", "x".repeat(1000)).unwrap();
        }
        let mut taken = vec![0; 65536];
        let length = reader.read(&mut taken).unwrap();
        assert!(taken[..length].ends_with(b"x\n"));
        writeln!(output, "again").unwrap();
        let length = reader.read(&mut taken).unwrap();
        let rest = String::from_utf8_lossy(&taken[..length]);
        assert!(rest.ends_with("(3 lines were lost here)\nagain\n"), "{rest}");
    }

    #[test]
    fn a_file_that_is_full_gives_way_to_a_new_one() {
        let path = path("rotated");
        let old = path.with_extension("log.old");
        let mut output = LogOutput::file(&path).unwrap();
        output.set_max_bytes(1000);
        for number in 0..100 {
            writeln!(output, "{number:0>50}").unwrap();
            let bytes = |path| fs::metadata(path).map_or(0, |found| found.len());
            assert!(bytes(&path) <= 1000 + 51 && bytes(&old) <= 1000 + 51);
        }
        let both = fs::read_to_string(&old).unwrap() + &fs::read_to_string(&path).unwrap();
        assert!(both.ends_with(&format!("{:0>50}\n", 99)) && both.lines().count() >= 20);
        clean(&path);
    }

    #[test]
    fn a_file_that_somebody_has_cut_does_not_give_way() {
        let path = path("cut");
        let mut output = LogOutput::file(&path).unwrap();
        output.set_max_bytes(1000);
        writeln!(output, "{}", "x".repeat(900)).unwrap();
        // As logrotate's copytruncate does.
        fs::write(&path, "").unwrap();
        writeln!(output, "{}", "y".repeat(200)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "y".repeat(200) + "\n");
        assert!(!path.with_extension("log.old").exists());
        clean(&path);
    }

    #[test]
    fn a_file_that_somebody_has_renamed_is_left_to_them() {
        for is_made_anew in [false, true] {
            let path = path("renamed");
            let (theirs, old) = (path.with_extension("log.1"), path.with_extension("log.old"));
            let mut output = LogOutput::file(&path).unwrap();
            output.set_max_bytes(1000);
            writeln!(output, "{}", "x".repeat(900)).unwrap();
            fs::write(&old, "before\n").unwrap();
            // As logrotate does; SIGHUP comes later.
            fs::rename(&path, &theirs).unwrap();
            if is_made_anew {
                fs::write(&path, "").unwrap();
            }
            writeln!(output, "{}", "y".repeat(200)).unwrap();
            writeln!(output, "next").unwrap();
            let last_week = "x".repeat(900) + "\n" + &"y".repeat(200) + "\n";
            assert_eq!(fs::read_to_string(&theirs).unwrap(), last_week);
            assert_eq!(fs::read_to_string(&path).unwrap(), "next\n");
            assert_eq!(fs::read_to_string(&old).unwrap(), "before\n");
            clean(&path);
        }
    }

    #[test]
    fn a_log_without_another_place_is_cut() {
        let path = path("no-other-place");
        let mut output = LogOutput::file(&path).unwrap();
        output.set_max_bytes(1000);
        // A folder in the place of the old one, with something in it.
        fs::create_dir_all(path.with_extension("log.old").join("x")).unwrap();
        for number in 0..100 {
            writeln!(output, "{number:0>50}").unwrap();
            assert!(fs::metadata(&path).unwrap().len() <= 1000 + 51);
        }
        assert!(fs::read_to_string(&path).unwrap().contains("was cut here"));
        clean(&path);
    }

    #[test]
    fn a_line_has_a_limit() {
        let path = path("limit");
        let mut output = LogOutput::file(&path).unwrap();
        write!(output, "{}", "x".repeat(LINE_LIMIT)).unwrap();
        writeln!(output, "{}", "y".repeat(LINE_LIMIT)).unwrap();
        assert_eq!(fs::read(&path).unwrap().len(), LINE_LIMIT);
        clean(&path);
    }
}
