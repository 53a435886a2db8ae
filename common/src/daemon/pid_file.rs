//! The PID file: who runs is told by the locks on it, never by the number in
//! it, which others may have written or a reused PID made wrong.

use std::cell::Cell;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::process::Pid;
use super::record_lock::{Hold, exclusive_holder, first_held, try_lock, unlock};

/// Held exclusively for as long as the daemon lives.
const ALIVE: u32 = 0;
/// Held exclusively as soon as the daemon serves.
const SERVING: u32 = 1;
/// Held exclusively while a stale file is removed, by whoever removes it.
const REMOVING: u32 = 2;
/// From here on one byte is held exclusively, and each sign of life moves it on by
/// one. So any number of those who ask see it, and nothing is written.
const BEATS: u32 = 16;

/// How often locking is tried when the file is replaced each time in between.
const REPLACED_TRIES: u32 = 100;

/// Mode of the folder of PID files.
const FOLDER_MODE: u32 = 0o750;
/// Mode of a PID file.
const FILE_MODE: u32 = 0o640;

/// Where a program's PID file is.
#[derive(Debug)]
pub(super) struct PidFile {
    path: PathBuf,
}

/// What the locks tell of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It does not run.
    Stopped,
    /// It does not run, but left its PID file.
    Stale,
    /// This process (0: one that cannot be seen from here) is about to serve.
    Starting(Pid),
    /// This process (0: one that cannot be seen from here) serves.
    Serving(Pid),
}

impl State {
    /// The process that is alive, starting or serving.
    pub(super) fn holder(self) -> Option<Pid> {
        match self {
            Self::Stopped | Self::Stale => None,
            Self::Starting(pid) | Self::Serving(pid) => Some(pid),
        }
    }
}

/// The lock of a daemon that lives: this process, until it ends.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    file: File,
    /// How many signs of life were given.
    beats: Cell<u32>,
}

impl PidFile {
    /// The PID file of `program`; nothing is made yet.
    pub(super) fn new(system_daemon_directory: &Path, program: &str) -> Self {
        Self { path: system_daemon_directory.join("pid").join(format!("{program}.pid")) }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What the locks tell. Never to be called by the process that holds them:
    /// closing the file here would release them.
    pub(super) fn state(&self) -> Result<State, String> {
        let file = match OpenOptions::new().read(true).custom_flags(OPEN_FLAGS).open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(State::Stopped),
            Err(error) => return Err(self.failed("open", &error)),
        };
        self.demand_regular(&file)?;
        let holder = |byte| {
            exclusive_holder(&file, byte).map_err(|error| self.failed("ask who locks", &error))
        };
        Ok(match (holder(ALIVE)?, holder(SERVING)?) {
            (None, _) => State::Stale,
            (Some(pid), None) => State::Starting(pid),
            (Some(pid), Some(_)) => State::Serving(pid),
        })
    }

    /// Makes this process the one that is alive. `None`: another one is, or a
    /// stale file is being removed just now.
    pub(super) fn lock(&self) -> Result<Option<Lock>, String> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        for _ in 0..REPLACED_TRIES {
            DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder).map_err(
                |error| {
                    format!(
                        "cannot make the folder {}: {error}; \
                     make it for this user or change system_daemon_directory",
                        folder.display()
                    )
                },
            )?;
            let opened = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(FILE_MODE)
                .custom_flags(OPEN_FLAGS)
                .open(&self.path);
            let file = match opened {
                Ok(file) => file,
                // The folder was removed just now.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(self.failed("open", &error)),
            };
            self.demand_regular(&file)?;
            if !try_lock(&file, ALIVE, Hold::Exclusive)
                .map_err(|error| self.failed("lock", &error))?
            {
                return Ok(None);
            }
            let lock = Lock::new(&self.path, file);
            // What was locked may no longer be what others find at this path.
            if lock.is_at_its_path() {
                return Ok(Some(lock));
            }
        }
        Err(format!("{} is replaced again and again by another program", self.path.display()))
    }

    /// Removes the file if the daemon that made it has ended.
    pub(super) fn remove_stale(&self) -> Result<(), String> {
        let file = match OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OPEN_FLAGS)
            .open(&self.path)
        {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.failed("open", &error)),
        };
        // Shared, so that `state` never takes the remover for a daemon; a
        // daemon that starts meanwhile is hindered by it all the same.
        let locked = try_lock(&file, REMOVING, Hold::Exclusive)
            .and_then(|only| Ok(only && try_lock(&file, ALIVE, Hold::Shared)?))
            .map_err(|error| self.failed("lock", &error))?;
        if locked { Lock::new(&self.path, file).remove() } else { Ok(()) }
    }

    /// What the last sign of life of the daemon was: any other later is a new one.
    pub(super) fn last_beat(&self) -> Result<Option<u32>, String> {
        let options = OpenOptions::new().read(true).custom_flags(OPEN_FLAGS).open(&self.path);
        options
            .and_then(|file| first_held(&file, BEATS))
            .map_err(|error| self.failed("look for a sign of life at", &error))
    }

    fn demand_regular(&self, file: &File) -> Result<(), String> {
        match file.metadata() {
            Ok(metadata) if metadata.is_file() => Ok(()),
            Ok(_) => Err(format!("{} is not a regular file; remove it", self.path.display())),
            Err(error) => Err(self.failed("read the metadata of", &error)),
        }
    }

    fn failed(&self, what: &str, error: &io::Error) -> String {
        format!("cannot {what} the PID file {}: {error}", self.path.display())
    }
}

/// A symbolic link is not followed, and a FIFO does not block.
const OPEN_FLAGS: libc::c_int = libc::O_NOFOLLOW | libc::O_NONBLOCK;

impl Lock {
    fn new(path: &Path, file: File) -> Self {
        Self { path: path.to_owned(), file, beats: Cell::new(0) }
    }

    /// Gives a sign of life.
    pub(super) fn beat(&self) -> Result<(), String> {
        let (before, now) = (self.beats.get(), self.beats.get() % (u32::MAX / 2) + 1);
        self.beats.set(now);
        try_lock(&self.file, BEATS + now, Hold::Exclusive)
            .and_then(|_| unlock(&self.file, BEATS + before))
            .map_err(|error| format!("cannot lock {}: {error}", self.path.display()))
    }

    /// Writes this process's number, for persons and init scripts.
    pub(super) fn write_pid(&self) -> Result<(), String> {
        let line = format!("{}\n", std::process::id());
        self.file
            .set_len(0)
            .and_then(|()| self.file.write_all_at(line.as_bytes(), 0))
            .map_err(|error| format!("cannot write {}: {error}", self.path.display()))
    }

    /// Tells others that this process serves.
    pub(super) fn mark_serving(&self) -> Result<(), String> {
        match try_lock(&self.file, SERVING, Hold::Exclusive) {
            Ok(true) => Ok(()),
            Ok(false) => Err(format!("{} is locked by another program", self.path.display())),
            Err(error) => Err(format!("cannot lock {}: {error}", self.path.display())),
        }
    }

    /// Removes the file, unless another one stands at its path by now. The
    /// lock stays until this value goes.
    pub(super) fn remove(&self) -> Result<(), String> {
        if !self.is_at_its_path() {
            return Ok(());
        }
        fs::remove_file(&self.path)
            .map_err(|error| format!("cannot remove {}: {error}", self.path.display()))
    }

    fn is_at_its_path(&self) -> bool {
        let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        match (self.file.metadata(), fs::symlink_metadata(&self.path)) {
            (Ok(ours), Ok(there)) => identity(ours) == identity(there),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pid_file(test: &str) -> PidFile {
        let folder = std::env::temp_dir().join(format!("pattoo-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        PidFile::new(&folder, "program")
    }

    fn clean(pid_file: &PidFile) {
        fs::remove_dir_all(pid_file.path().ancestors().nth(2).unwrap()).unwrap();
    }

    #[test]
    fn a_lock_on_a_file_that_was_replaced_is_recognised_and_removes_nothing() {
        let pid_file = pid_file("replaced");
        let lock = pid_file.lock().unwrap().unwrap();
        assert!(lock.is_at_its_path());
        fs::write(pid_file.path().with_extension("new"), "1\n").unwrap();
        fs::rename(pid_file.path().with_extension("new"), pid_file.path()).unwrap();
        assert!(!lock.is_at_its_path());
        lock.remove().unwrap();
        assert_eq!(fs::read_to_string(pid_file.path()).unwrap(), "1\n");
        clean(&pid_file);
    }

    #[test]
    fn a_longer_number_of_before_leaves_no_digits() {
        let pid_file = pid_file("digits");
        let lock = pid_file.lock().unwrap().unwrap();
        fs::write(pid_file.path(), "99999999999\n").unwrap();
        lock.write_pid().unwrap();
        let text = fs::read_to_string(pid_file.path()).unwrap();
        assert_eq!(text, format!("{}\n", std::process::id()));
        clean(&pid_file);
    }

    #[test]
    fn a_folder_or_a_link_in_place_of_the_file_is_an_error_that_names_it() {
        let pid_file = pid_file("folder");
        assert_eq!(pid_file.state(), Ok(State::Stopped));
        fs::create_dir_all(pid_file.path()).unwrap();
        assert!(pid_file.state().unwrap_err().contains("program.pid"));
        assert!(pid_file.lock().unwrap_err().contains("program.pid"));
        fs::remove_dir(pid_file.path()).unwrap();
        std::os::unix::fs::symlink("/dev/null", pid_file.path()).unwrap();
        assert!(pid_file.state().unwrap_err().contains("program.pid"));
        assert!(pid_file.lock().unwrap_err().contains("program.pid"));
        clean(&pid_file);
    }
}
