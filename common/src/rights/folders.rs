//! The folders that a daemon writes to, made by root for the user that it becomes.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::fs::{self, DirBuilder, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, lchown};
use std::path::Path;

use super::account::Account;

/// For the owner to write, for the group to read.
const MODE: u32 = 0o750;
/// Writing by group and others.
const OTHERS_MAY_WRITE: u32 = 0o022;
/// Only owners may rename and remove what is in the folder.
const STICKY: u32 = 0o1000;

/// Makes a folder, and those above it, where they are missing, and gives them to
/// the user. Where somebody else than root could have laid a link, nothing is made
/// here: the user itself makes it later, or cannot.
pub(super) fn make(folder: &Path, account: &Account) {
    if fs::symlink_metadata(folder).is_ok() {
        return;
    }
    let Some(parent) = folder.parent() else { return };
    make(parent, account);
    if !is_roots_alone(parent) {
        return;
    }
    // What fails here is told when the folder is used.
    if DirBuilder::new().mode(MODE).create(folder).is_ok() {
        let _ = lchown(folder, Some(account.user_id), Some(account.group_id));
    }
}

/// Whether nobody but root can change what this path leads to.
fn is_roots_alone(folder: &Path) -> bool {
    let roots = |path: &Path| fs::symlink_metadata(path).is_ok_and(|found| is_roots(&found));
    let Ok(real) = fs::canonicalize(folder) else { return false };
    folder.ancestors().all(roots) && real.ancestors().all(roots)
}

fn is_roots(found: &Metadata) -> bool {
    let may_write = found.mode() & OTHERS_MAY_WRITE != 0 && found.mode() & STICKY == 0;
    // The mode of a link says nothing; it is changed where it lies.
    found.uid() == 0 && (found.is_symlink() || !may_write)
}

/// Fails if a folder is there, or may be, and this process may not write to it, as the
/// user that it leans towards.
pub(super) fn demand(folder: &Path, account: &Account) -> Result<(), String> {
    let Err(error) = may(folder, libc::W_OK | libc::X_OK) else { return Ok(()) };
    if error.kind() == ErrorKind::NotFound {
        return Ok(());
    }
    let path = folder.display();
    let above: Vec<&Path> = folder.ancestors().skip(1).collect();
    let is_closed = |above: &&&Path| may(above, libc::X_OK).is_err();
    if let Some(closed) = above.iter().rev().find(is_closed) {
        let closed = closed.display();
        return Err(format!(
            "{account} may not write to {path}: {closed} does not let it through; `chown -R {} \
             {closed}` gives it to that user, if it is the daemon's own, else name another folder",
            account.for_chown()
        ));
    }
    Err(format!(
        "{account} may not write to {path}: {error}; `chown -R {} {path}` gives it to that user \
         with all that is in it",
        account.for_chown()
    ))
}

fn may(folder: &Path, wanted: libc::c_int) -> io::Result<()> {
    let path = CString::new(folder.as_os_str().as_bytes())?;
    // SAFETY: the pointer is to a string that ends in NUL and outlives the call.
    let result =
        unsafe { libc::faccessat(libc::AT_FDCWD, path.as_ptr(), wanted, libc::AT_EACCESS) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
