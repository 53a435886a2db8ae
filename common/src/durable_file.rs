//! What is whole or not there, also after a power cut: folders and small files.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// For the owner to write, for the group to read.
const FILE_MODE: u32 = 0o640;
/// Likewise for folders.
const FOLDER_MODE: u32 = 0o750;

/// Makes a folder, and those above it, where they are missing. Each new one is as
/// durable as what is synced in it: a name lasts only once its folder is synced.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        make_folder(parent)?;
    }
    match DirBuilder::new().mode(FOLDER_MODE).create(path) {
        // Another program of ours was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        result => result?,
    }
    match sync_folder(parent.unwrap_or(Path::new("."))) {
        // One may write to a folder that one may not read.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        result => result,
    }
}

/// Makes the names in a folder survive a power cut.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Writes `contents` to a temporary file beside `path`, syncs it, and renames it
/// to `path`. Makes the folder, if need be. `writer` tells the temporary files of
/// several programs apart.
pub(crate) fn replace(path: &Path, writer: &str, contents: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    make_folder(folder)?;
    let temporary = folder.join(format!(".{writer}.{}.tmp", std::process::id()));
    let result = write_synced(&temporary, contents).and_then(|()| fs::rename(&temporary, path));
    if result.is_err() {
        // What could not become the file shall not stay; the first error tells more.
        let _ = fs::remove_file(&temporary);
    }
    result?;
    // The rename itself lasts only with its folder.
    sync_folder(folder)
}

/// Writes `contents` to `path` if nothing is there yet, in the same way; `false` if
/// something is, which then stays as it is. Of two that do so at once one wins.
pub(crate) fn create(path: &Path, writer: &str, contents: &[u8]) -> io::Result<bool> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    make_folder(folder)?;
    let temporary = folder.join(format!(".{writer}.{}.tmp", std::process::id()));
    let result = write_synced(&temporary, contents).and_then(|()| {
        match fs::hard_link(&temporary, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            // A file system without links, of a memory card say: nearly as good.
            Err(_) if !path.exists() => fs::rename(&temporary, path).map(|()| true),
            Err(_) => Ok(false),
            Ok(()) => Ok(true),
        }
    });
    // Gone already if it was renamed; the first error tells more.
    let _ = fs::remove_file(&temporary);
    sync_folder(folder)?;
    result
}

fn write_synced(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(FILE_MODE).open(path)?;
    file.write_all(contents)?;
    file.sync_all()
}

/// Reads at most `limit` bytes of a regular file as text.
pub(crate) fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    // Asked first: opening a pipe could wait for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is no UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::test_folder::TestFolder;

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() {
        let folder = TestFolder::new();
        let path = folder.path().join("a/b/file");
        replace(&path, "test", b"first").expect("written");
        replace(&path, "test", b"2nd").expect("written again");
        assert_eq!(read_text(&path, 100).expect("read"), "2nd");
        assert_eq!(read_text(&path, 2).expect("read"), "2n");
        let mode = fs::metadata(&path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode & !FILE_MODE, 0, "{mode:o}");
        assert_eq!(fs::read_dir(folder.path().join("a/b")).expect("a folder").count(), 1);
    }

    #[test]
    fn what_is_there_is_not_created_again() {
        let folder = TestFolder::new();
        let path = folder.path().join("a/file");
        assert!(create(&path, "test", b"first").expect("written"));
        assert!(!create(&path, "test", b"second").expect("there already"));
        assert_eq!(read_text(&path, 100).expect("read"), "first");
        assert_eq!(fs::read_dir(folder.path().join("a")).expect("a folder").count(), 1);
    }

    #[test]
    fn folders_are_made_down_to_the_last_and_for_no_others() {
        let folder = TestFolder::new();
        let path = folder.path().join("a/b/c");
        make_folder(&path).expect("made");
        make_folder(&path).expect("there already");
        let mode = fs::metadata(&path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode & !FOLDER_MODE, 0, "{mode:o}");
        fs::write(path.join("file"), "").expect("written");
        assert!(make_folder(&path.join("file")).is_err());
        assert!(make_folder(&path.join("file/below")).is_err());
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let folder = TestFolder::new();
        let path = folder.path().join("taken");
        fs::create_dir_all(path.join("by a folder")).expect("a folder");
        assert!(replace(&path, "test", b"x").is_err());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        assert!(read_text(&path, 100).is_err());
    }
}
