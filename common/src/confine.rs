//! What a daemon cannot do any more, whoever takes it over: gain rights by
//! starting a program (`PR_SET_NO_NEW_PRIVS`, prctl(2)), start one at all, or
//! write outside its own folders (landlock(7)). Reading stays as it is.
//!
//! Each thread has its own bonds and hands them to those it starts, so they are
//! laid before the first one is started.
#![allow(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Where the standard descriptors lead.
const NULL_DEVICE: &str = "/dev/null";

/// `LANDLOCK_CREATE_RULESET_VERSION`
const ASK_VERSION: u32 = 1;
/// `LANDLOCK_RULE_PATH_BENEATH`
const PATH_BENEATH: u32 = 1;

// The rights of <linux/landlock.h> by their bits; reading is none of ours.
const EXECUTE: u64 = 1 << 0;
const WRITE_FILE: u64 = 1 << 1;
const REMOVE_DIR: u64 = 1 << 4;
const REMOVE_FILE: u64 = 1 << 5;
const MAKE_CHAR: u64 = 1 << 6;
const MAKE_DIR: u64 = 1 << 7;
const MAKE_REG: u64 = 1 << 8;
const MAKE_SOCK: u64 = 1 << 9;
const MAKE_FIFO: u64 = 1 << 10;
const MAKE_BLOCK: u64 = 1 << 11;
const MAKE_SYM: u64 = 1 << 12;
/// From the second version on; before it, nothing moves from folder to folder.
const REFER: u64 = 1 << 13;
/// From the third version on.
const TRUNCATE: u64 = 1 << 14;
/// From the fifth version on.
const IOCTL_DEV: u64 = 1 << 15;

/// What is done in folders of our own.
const IN_OWN_FOLDERS: u64 =
    WRITE_FILE | TRUNCATE | MAKE_REG | MAKE_DIR | REMOVE_FILE | REMOVE_DIR | REFER;

/// The first field of `struct landlock_ruleset_attr`: later ones bound what we do
/// not bound, and may be left out.
#[repr(C)]
struct Ruleset {
    handled_access_fs: u64,
}

/// `struct landlock_path_beneath_attr`
#[repr(C, packed)]
struct PathBeneath {
    allowed_access: u64,
    parent_fd: i32,
}

/// What became of the bonds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Confined {
    /// Landlock holds, in this version.
    Landlock(u32),
    /// This kernel has no Landlock, or it is switched off there.
    NoLandlock(String),
}

/// Gives up, for this thread and all that it starts, whatever rights a program
/// could bring.
pub(crate) fn no_new_privileges() -> io::Result<()> {
    // SAFETY: the call takes integers.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }.into()).map(drop)
}

/// Takes from this thread, and all that it starts, the right to start programs,
/// and to write anywhere but below `folders`, which must be there.
///
/// # Errors
/// Which folder cannot be opened, or which call failed; nothing is taken then.
pub(crate) fn landlock(folders: &[PathBuf]) -> Result<Confined, String> {
    let version = match version() {
        Ok(version) => version,
        Err(error) => return Ok(Confined::NoLandlock(error.to_string())),
    };
    let handled = handled(version);
    let failed = |what: &str, error: &io::Error| format!("Landlock: cannot {what}: {error}");
    let ruleset = create(handled).map_err(|error| failed("make a ruleset", &error))?;
    for folder in folders {
        allow(&ruleset, folder, IN_OWN_FOLDERS & handled)
            .map_err(|error| failed(&format!("allow {}", folder.display()), &error))?;
    }
    // What has no null device needs no leave to write to it.
    let _ = allow(&ruleset, Path::new(NULL_DEVICE), WRITE_FILE);
    // SAFETY: the call takes a live descriptor and an integer.
    check(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0u32) })
        .map_err(|error| failed("take the rights", &error))?;
    Ok(Confined::Landlock(version))
}

fn handled(version: u32) -> u64 {
    let mut handled = IN_OWN_FOLDERS
        | EXECUTE
        | MAKE_CHAR
        | MAKE_SOCK
        | MAKE_FIFO
        | MAKE_BLOCK
        | MAKE_SYM
        | IOCTL_DEV;
    for (since, right) in [(2, REFER), (3, TRUNCATE), (5, IOCTL_DEV)] {
        if version < since {
            handled &= !right;
        }
    }
    handled
}

fn version() -> io::Result<u32> {
    let nothing = std::ptr::null::<Ruleset>();
    // SAFETY: asked for its version, the call takes no ruleset.
    let version = check(unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0usize, ASK_VERSION)
    })?;
    Ok(u32::try_from(version).unwrap_or(1))
}

fn create(handled_access_fs: u64) -> io::Result<OwnedFd> {
    let ruleset = Ruleset { handled_access_fs };
    // SAFETY: pointer and size are those of one live structure, which is only read.
    let descriptor = check(unsafe {
        let size = size_of::<Ruleset>();
        libc::syscall(libc::SYS_landlock_create_ruleset, &raw const ruleset, size, 0u32)
    })?;
    let descriptor = i32::try_from(descriptor).map_err(io::Error::other)?;
    // SAFETY: the kernel has just made this descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn allow(ruleset: &OwnedFd, path: &Path, allowed_access: u64) -> io::Result<()> {
    let place = open_place(path)?;
    let rule = PathBeneath { allowed_access, parent_fd: place.as_raw_fd() };
    // SAFETY: both descriptors and the structure, which is only read, outlive the
    // call.
    check(unsafe {
        let ruleset = ruleset.as_raw_fd();
        libc::syscall(libc::SYS_landlock_add_rule, ruleset, PATH_BENEATH, &raw const rule, 0u32)
    })
    .map(drop)
}

fn open_place(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_PATH | libc::O_CLOEXEC).open(path)
}

fn check(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_folder::TestFolder;
    use std::fs;
    use std::thread;

    /// On a thread of its own, so that the others of the test stay free.
    fn apart<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
        thread::spawn(act).join().expect("the thread ended well")
    }

    fn is_here() -> bool {
        let here = version().is_ok();
        if !here {
            eprintln!("SKIPPED: this kernel has no Landlock: {:?}", version());
        }
        here
    }

    #[test]
    fn only_own_folders_are_written_to() {
        if !is_here() {
            return;
        }
        let folder = TestFolder::new();
        let (own, other) = (folder.path().join("own"), folder.path().join("other"));
        fs::create_dir_all(own.join("deep")).expect("a folder");
        fs::create_dir_all(&other).expect("a folder");
        fs::write(other.join("there"), "kept").expect("written");
        apart(move || {
            no_new_privileges().expect("never refused");
            let confined = landlock(std::slice::from_ref(&own)).expect("taken");
            assert!(matches!(confined, Confined::Landlock(_)));
            // All that we do in our own folders.
            fs::write(own.join("file"), "one").expect("written");
            fs::write(own.join("file"), "two").expect("truncated and written");
            fs::rename(own.join("file"), own.join("renamed")).expect("renamed");
            fs::hard_link(own.join("renamed"), own.join("linked")).expect("linked");
            if version().expect("it is here") >= 2 {
                fs::rename(own.join("renamed"), own.join("deep/moved")).expect("moved");
            }
            fs::create_dir(own.join("made")).expect("made");
            fs::remove_dir(own.join("made")).expect("removed");
            fs::remove_file(own.join("linked")).expect("removed");
            // Reading is free, writing elsewhere is not.
            assert_eq!(fs::read_to_string(other.join("there")).expect("read"), "kept");
            let denied = |result: io::Result<()>| {
                let error = result.expect_err("denied");
                assert!(
                    matches!(error.raw_os_error(), Some(libc::EACCES | libc::EXDEV)),
                    "{error}"
                );
            };
            denied(fs::write(other.join("new"), ""));
            denied(fs::write(other.join("there"), ""));
            denied(fs::remove_file(other.join("there")));
            denied(fs::create_dir(other.join("made")));
            denied(fs::rename(own.join("deep"), other.join("deep")));
            denied(std::os::unix::fs::symlink("x", own.join("link")));
            OpenOptions::new().write(true).open(NULL_DEVICE).expect("the null device");
        });
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "to see that no program can be started")]
    fn no_program_is_started() {
        if !is_here() {
            return;
        }
        let folder = TestFolder::new();
        let own = folder.path().to_owned();
        let started = apart(move || {
            no_new_privileges().expect("never refused");
            fs::copy("/bin/true", own.join("true")).expect("copied");
            landlock(std::slice::from_ref(&own)).expect("taken");
            let own_program = std::process::Command::new(own.join("true")).status();
            [std::process::Command::new("/bin/true").status(), own_program]
        });
        for started in started {
            let error = started.expect_err("not started");
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{error}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_named_and_nothing_is_taken() {
        if !is_here() {
            return;
        }
        let folder = TestFolder::new();
        let path = folder.path().to_owned();
        apart(move || {
            let missing = path.join("missing");
            let error = landlock(std::slice::from_ref(&missing)).expect_err("it is not there");
            assert!(error.contains("missing"), "{error}");
            fs::create_dir(&missing).expect("nothing was taken");
        });
    }

    #[test]
    fn old_kernels_are_not_asked_for_what_they_do_not_know() {
        assert_eq!(handled(1) & (REFER | TRUNCATE | IOCTL_DEV), 0);
        assert_eq!(handled(2) & (REFER | TRUNCATE | IOCTL_DEV), REFER);
        assert_eq!(handled(4) & (REFER | TRUNCATE | IOCTL_DEV), REFER | TRUNCATE);
        assert_eq!(handled(99), handled(5));
    }
}
