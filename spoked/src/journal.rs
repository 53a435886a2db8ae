//! Which files of the kernel a source has asked for, and what came of each: for
//! `--explain`.
//!
//! A source is read by one thread from its start to its end, so what that thread
//! notes meanwhile is the source's own. A daemon never begins a journal; there a
//! note costs one look at a flag.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Notes of one source; more are not kept. Without `/proc/diskstats` it is a file
/// a disk and partition.
const MAX_NOTES: usize = 4096;

static BEGUN: AtomicBool = AtomicBool::new(false);

thread_local! {
    static NOTES: RefCell<Vec<Note>> = const { RefCell::new(Vec::new()) };
}

/// A file or folder that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) path: PathBuf,
    pub(crate) found: Found,
}

/// What came of asking for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Found {
    /// There is a right to it that this process lacks: which.
    Denied(String),
    /// It could not be read for another reason.
    Failed(String),
    /// It was read: so many bytes of it.
    Bytes(usize),
    /// It was read otherwise than for its bytes.
    Read,
    /// There is no such file.
    Absent,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(lacks) => write!(f, "no permission: {lacks}"),
            Self::Failed(reason) => f.write_str(reason),
            Self::Bytes(count) => write!(f, "{count} bytes read"),
            Self::Read => f.write_str("read"),
            Self::Absent => f.write_str("there is no such file"),
        }
    }
}

/// From now on notes are kept, by all threads of this process.
pub(crate) fn begin() {
    BEGUN.store(true, Ordering::Relaxed);
}

/// Notes that `path` was read, so many bytes of it where they are counted.
pub(crate) fn read(path: &Path, bytes: Option<usize>) {
    note(path, || bytes.map_or(Found::Read, Found::Bytes));
}

/// Notes that `path` could not be read.
pub(crate) fn unread(path: &Path, error: &io::Error) {
    note(path, || match error.kind() {
        io::ErrorKind::NotFound => Found::Absent,
        io::ErrorKind::PermissionDenied => Found::Denied(lacks(path)),
        _ => Found::Failed(error.to_string()),
    });
}

/// What this thread has noted since this was last called.
pub(crate) fn take() -> Vec<Note> {
    NOTES.with_borrow_mut(std::mem::take)
}

fn note(path: &Path, found: impl FnOnce() -> Found) {
    if !BEGUN.load(Ordering::Relaxed) {
        return;
    }
    NOTES.with_borrow_mut(|notes| {
        if let Some(note) = notes.iter_mut().find(|note| note.path == path) {
            note.found = found();
        } else if notes.len() < MAX_NOTES {
            notes.push(Note { path: path.to_owned(), found: found() });
        }
    });
}

/// Which right to `path` is missing, as far as can be seen from here: that of the
/// first folder on the way that lets nobody of ours through, else its own.
fn lacks(path: &Path) -> String {
    let mut closed = None;
    for part in path.ancestors() {
        match part.metadata() {
            Ok(metadata) => {
                let (mode, user, group) =
                    (metadata.mode() & 0o7777, metadata.uid(), metadata.gid());
                let wanted = if closed.is_some() { "to pass through" } else { "to read" };
                return format!(
                    "the right {wanted} {} is missing (mode {mode:04o}, user {user}, group \
                     {group}); root has it, unless a security module or a container forbids it",
                    part.display()
                );
            }
            Err(_) => closed = Some(part),
        }
    }
    "nothing on the way to it can be seen".to_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::sources::fixture::Folder;

    #[test]
    fn a_file_is_noted_once_with_what_came_last() {
        begin();
        take();
        let path = Path::new("/proc/a");
        unread(path, &io::Error::from(io::ErrorKind::NotFound));
        read(path, Some(7));
        assert_eq!(take(), [Note { path: path.to_owned(), found: Found::Bytes(7) }]);
        assert_eq!(take(), []);
    }

    #[test]
    fn what_is_missing_is_named_with_mode_and_owner() {
        let folder = Folder::new("journal_lacks");
        let file = folder.file("closed/stat", "");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
        let said = lacks(&file);
        assert!(said.contains("to read") && said.contains("closed/stat"), "{said}");
        assert!(said.contains("mode 0400"), "{said}");
        // As it is for who may not enter the folder: nothing can be seen in it.
        let said = lacks(&folder.path.join("closed/unseen"));
        assert!(said.contains("to pass through") && said.contains("/closed is"), "{said}");
    }
}
