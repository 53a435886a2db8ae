//! The folder of a spool, listed once.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::name::{Name, TEMPORARY};

/// What lies in a folder, apart from what is none of ours.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Batches with their sizes in bytes, in no order.
    pub(super) batches: Vec<(Name, u64)>,
    /// Files that a stop left half-written.
    pub(super) temporary: Vec<PathBuf>,
}

/// Lists the batches of `hub_id` in `path`.
pub(super) fn list(path: &Path, hub_id: &str) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for item in fs::read_dir(path)? {
        let item = item?;
        let file_name = item.file_name();
        let Some(file_name) = file_name.to_str() else { continue };
        let whole = file_name.strip_suffix(TEMPORARY);
        let Some(name) = Name::parse(whole.unwrap_or(file_name), hub_id) else { continue };
        // A link is not followed: `metadata` of a directory entry is that of the
        // link itself. One that has gone meanwhile is not missed.
        let Ok(metadata) = item.metadata() else { continue };
        if !metadata.is_file() {
            continue;
        }
        if whole.is_some() {
            listing.temporary.push(item.path());
        } else {
            listing.batches.push((name, metadata.len()));
        }
    }
    Ok(listing)
}
