//! Writing a file so that it is either there whole or not there at all.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::name::TEMPORARY;
use crate::durable_file::sync_folder;

/// What group and others may do with a batch: read, and nothing.
const FILE_MODE: u32 = 0o640;

/// The steps of a write, in their order. A test can fail, or die, before each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Create,
    Write,
    SyncFile,
    Rename,
    SyncFolder,
    Done,
}

/// Asked before each step; an error there counts as one of the step itself.
pub(super) type Before = fn(Step) -> io::Result<()>;

/// Writes the pieces of `body` as `file_name` in `folder`: temporary name, sync, rename, sync
/// of the folder. After an error nothing of it is left, as far as the disk still
/// takes orders.
pub(super) fn write(
    folder: &Path,
    file_name: &str,
    body: &[impl AsRef<[u8]>],
    before: Before,
) -> io::Result<()> {
    let temporary = folder.join(format!("{file_name}{TEMPORARY}"));
    let path = folder.join(file_name);
    let result = steps(folder, &temporary, &path, body, before);
    if result.is_err() {
        // Whether these succeed changes nothing: what is left of a temporary
        // file goes at the next start, and a whole file is a batch again.
        let _ = fs::remove_file(&temporary);
        let _ = fs::remove_file(&path);
    }
    result
}

fn steps(
    folder: &Path,
    temporary: &Path,
    path: &Path,
    body: &[impl AsRef<[u8]>],
    before: Before,
) -> io::Result<()> {
    before(Step::Create)?;
    let mut options = OpenOptions::new();
    let mut file =
        options.write(true).create(true).truncate(true).mode(FILE_MODE).open(temporary)?;
    before(Step::Write)?;
    for piece in body {
        file.write_all(piece.as_ref())?;
    }
    before(Step::SyncFile)?;
    file.sync_all()?;
    drop(file);
    before(Step::Rename)?;
    fs::rename(temporary, path)?;
    before(Step::SyncFolder)?;
    sync_folder(folder)?;
    before(Step::Done)
}
