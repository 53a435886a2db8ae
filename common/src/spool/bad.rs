//! The folder `bad/` of a spool: what could not be read, or what the server
//! refused, kept for a person to look at, within bounds of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::folder;
use super::name::Name;
use crate::durable_file::{make_folder, sync_folder};

/// Files kept in `bad/`; past that the oldest goes.
pub const MAX_BAD_FILES: usize = 64;

/// Bytes kept in `bad/`; past that the oldest goes.
pub const MAX_BAD_BYTES: u64 = 64 << 20;

/// Moves `file_name` from `spool` to its `bad/` and returns where it is now.
pub(super) fn set_aside(spool: &Path, file_name: &str, hub_id: &str) -> io::Result<PathBuf> {
    let bad = spool.join("bad");
    make_folder(&bad)?;
    let path = bad.join(file_name);
    match fs::rename(spool.join(file_name), &path) {
        // The first version of Landlock lets nothing move from folder to folder.
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            fs::copy(spool.join(file_name), &path)?;
            fs::remove_file(spool.join(file_name))?;
        }
        result => result?,
    }
    // The new name first: between the two it stands in both and not in none.
    sync_folder(&bad)?;
    sync_folder(spool)?;
    trim(&bad, hub_id)?;
    Ok(path)
}

/// Removes the oldest until the bounds hold. The newest is kept in any case.
fn trim(bad: &Path, hub_id: &str) -> io::Result<()> {
    let mut files = folder::list(bad, hub_id)?.batches;
    files.sort_unstable();
    let mut bytes: u64 = files.iter().map(|(_, size)| size).sum();
    let mut count = files.len();
    for (name, size) in files {
        if count <= 1 || (count <= MAX_BAD_FILES && bytes <= MAX_BAD_BYTES) {
            break;
        }
        fs::remove_file(bad.join(Name::file_name(&name, hub_id)))?;
        bytes -= size;
        count -= 1;
    }
    Ok(())
}
