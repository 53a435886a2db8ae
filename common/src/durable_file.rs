//! A small file that is whole or not there, also after a power cut.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// For the owner to write, for the group to read.
const FILE_MODE: u32 = 0o640;
/// Likewise for folders.
const FOLDER_MODE: u32 = 0o750;

/// Writes `contents` to a temporary file beside `path`, syncs it, and renames it
/// to `path`. Makes the folder, if need be. `writer` tells the temporary files of
/// several programs apart.
pub(crate) fn replace(path: &Path, writer: &str, contents: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
    let temporary = folder.join(format!(".{writer}.{}.tmp", std::process::id()));
    let result = write_synced(&temporary, contents).and_then(|()| fs::rename(&temporary, path));
    if result.is_err() {
        // What could not become the file shall not stay; the first error tells more.
        let _ = fs::remove_file(&temporary);
    }
    result?;
    // The rename itself lasts only with its folder.
    File::open(folder)?.sync_all()
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
    fn what_cannot_be_written_leaves_nothing() {
        let folder = TestFolder::new();
        let path = folder.path().join("taken");
        fs::create_dir_all(path.join("by a folder")).expect("a folder");
        assert!(replace(&path, "test", b"x").is_err());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        assert!(read_text(&path, 100).is_err());
    }
}
