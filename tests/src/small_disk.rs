//! A disk that is soon full.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::mount_namespace::mount;

/// The file that takes what is free.
pub(crate) const FILLING: &str = "filling";
/// And another that takes what became free since.
const MORE_FILLING: &str = "more-filling";

/// A tmpfs of some size, unmounted when this value goes. Needs root.
#[derive(Debug)]
pub struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// Mounts it at a folder, which is made.
    pub fn mount(path: &Path, bytes: usize) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        let target = CString::new(path.as_os_str().as_bytes())?;
        let options = CString::new(format!("size={bytes}"))?;
        // SAFETY: all five are pointers to strings that live until it returns.
        let mounted = unsafe {
            libc::mount(
                c"none".as_ptr(),
                target.as_ptr(),
                c"tmpfs".as_ptr(),
                0,
                options.as_ptr().cast(),
            )
        };
        if mounted != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { path: path.to_owned() })
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Fills what is free with a file, and gives its path.
    pub fn fill(&self) -> PathBuf {
        fill_up(&self.path)
    }

    /// Fills what is free with one more file.
    pub fn refill(&self) {
        fill_with(&self.path.join(MORE_FILLING));
    }

    /// Takes the filling away.
    pub fn empty(&self) {
        let _ = fs::remove_file(self.path.join(FILLING));
    }

    /// Lets it be read only, or written again. An error while somebody has a file
    /// open to write it.
    pub fn set_read_only(&self, read_only: bool) -> io::Result<()> {
        let flags = libc::MS_REMOUNT | if read_only { libc::MS_RDONLY } else { 0 };
        mount(Path::new("none"), &self.path, c"tmpfs", flags, "")
    }
}

/// Fills the disk of a folder with a file in it, and gives its path.
pub(crate) fn fill_up(folder: &Path) -> PathBuf {
    let path = folder.join(FILLING);
    fill_with(&path);
    path
}

fn fill_with(path: &Path) {
    if let Ok(mut file) = fs::File::create(path) {
        let block = [0; 4096];
        while io::Write::write_all(&mut file, &block).is_ok() {}
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if let Ok(target) = CString::new(self.path.as_os_str().as_bytes()) {
            // SAFETY: a pointer to a string that lives until it returns.
            unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) };
        }
    }
}
