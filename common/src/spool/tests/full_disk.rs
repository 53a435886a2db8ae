//! A disk that really is full: a small tmpfs, in a mount namespace of this test's
//! thread. Needs root; without it the test says that it was left out.

#![allow(unsafe_code)]

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;

use super::*;
use crate::spool::SpoolError;

/// Mounts a tmpfs over `path`, seen by this thread only.
fn mount_tmpfs(path: &Path, options: &str) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let options = CString::new(options)?;
    let check = |code| if code == 0 { Ok(()) } else { Err(io::Error::last_os_error()) };
    // SAFETY: takes this thread, and no other, into a mount namespace of its own.
    check(unsafe { libc::unshare(libc::CLONE_NEWNS) })?;
    let private = libc::MS_REC | libc::MS_PRIVATE;
    let (null, no_data) = (std::ptr::null(), std::ptr::null());
    // SAFETY: all strings end in NUL and outlive the calls; null stands for what
    // mount(2) ignores here.
    check(unsafe { libc::mount(null, c"/".as_ptr(), null, private, no_data) })?;
    let data = options.as_ptr().cast();
    // SAFETY: as above.
    check(unsafe { libc::mount(c"tmpfs".as_ptr(), path.as_ptr(), c"tmpfs".as_ptr(), 0, data) })
}

/// Makes the disk at `path` read-only, as the kernel does after an error, or not.
fn set_read_only(path: &Path, is_read_only: bool) {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    let flags = libc::MS_REMOUNT | if is_read_only { libc::MS_RDONLY } else { 0 };
    let null = std::ptr::null();
    // SAFETY: the path ends in NUL and outlives the call; null stands for what
    // mount(2) ignores here.
    let code = unsafe { libc::mount(null, path.as_ptr(), null, flags, null.cast()) };
    assert_eq!(code, 0, "{}", io::Error::last_os_error());
}

/// Runs `test` on a thread with a small disk of its own.
fn with_disk(options: &'static str, test: fn(&Folder)) {
    let thread = std::thread::spawn(move || {
        let folder = Folder::new();
        match mount_tmpfs(&folder.0, options) {
            Ok(()) => test(&folder),
            Err(error) => eprintln!("NOT TESTED: a full disk needs root and mount(2): {error}"),
        }
    });
    thread.join().unwrap();
}

fn large(byte: u8) -> Vec<u8> {
    vec![byte; 100_000]
}

#[test]
fn the_oldest_make_room_where_the_disk_is_full() {
    with_disk("size=1m", |folder| {
        let spool = folder.spool(roomy());
        for i in 0..40_u64 {
            spool.push(&[large(b'a' + u8::try_from(i % 26).unwrap())], NOW_MS + i).unwrap();
        }
        let stats = spool.stats();
        assert_eq!(stats.batches + stats.dropped_batches, 40);
        assert!((1..=10).contains(&stats.batches), "{stats:?}");
        assert_eq!(folder.files().len() as u64, stats.batches);
        assert_eq!(replay(&spool).last().unwrap().as_bytes()[0], b'a' + 39 % 26);
    });
}

#[test]
fn the_oldest_make_room_where_the_inodes_are_used_up() {
    with_disk("nr_inodes=12", |folder| {
        let spool = folder.spool(roomy());
        for i in 0..40 {
            spool.push(&[b"small"], NOW_MS + i).unwrap();
        }
        let stats = spool.stats();
        assert!((1..=10).contains(&stats.batches), "{stats:?}");
        assert_eq!(stats.batches + stats.dropped_batches, 40);
    });
}

#[test]
fn a_part_of_the_disk_is_left_to_others() {
    with_disk("size=4m", |folder| {
        let spool =
            folder.spool(SpoolLimits { min_free_bytes: Some(2 << 20), ..SpoolLimits::default() });
        for i in 0..40 {
            spool.push(&[large(b'x')], NOW_MS + i).unwrap();
        }
        let stats = spool.stats();
        assert!(stats.bytes <= 2 << 20 && stats.batches >= 15, "{stats:?}");
        // Others fill the disk: the spool does not grow, and does not vanish.
        fs::write(folder.0.join("others"), vec![0; 1_500_000]).unwrap();
        for i in 40..45 {
            spool.push(&[large(b'y')], NOW_MS + i).unwrap();
        }
        assert_eq!(spool.stats().batches, stats.batches);
    });
}

#[test]
fn a_disk_that_others_have_filled_refuses_the_first_batch() {
    with_disk("size=1m", |folder| {
        fs::write(folder.0.join("others"), vec![0; 1_000_000]).unwrap();
        let spool = folder.spool(SpoolLimits::default());
        let error = spool.push(&[large(b'x')], NOW_MS).unwrap_err();
        assert!(matches!(error, SpoolError::NoRoom { .. }), "{error}");
        let error = folder.spool(roomy()).push(&[large(b'x')], NOW_MS).unwrap_err();
        assert!(matches!(error, SpoolError::NoRoom { min_free_bytes: 0, .. }), "{error}");
        assert!(folder.files().is_empty());
        fs::remove_file(folder.0.join("others")).unwrap();
        spool.push(&[large(b'x')], NOW_MS).unwrap();
        assert_eq!(replay(&spool).len(), 1);
    });
}

#[test]
fn a_disk_that_turns_read_only_costs_nothing_that_is_on_it() {
    with_disk("size=1m", |folder| {
        let bounds = [
            SpoolLimits { max_batches: 3, ..roomy() },
            SpoolLimits { max_age: std::time::Duration::from_mins(1), ..roomy() },
            SpoolLimits { min_free_bytes: Some(1 << 20), ..roomy() },
        ];
        for (limits, later_ms) in bounds.into_iter().zip([3, 1_000_000, 3]) {
            let spool = folder.spool(roomy());
            for i in 0..3 {
                spool.push(&[format!("{i}")], NOW_MS + i).unwrap();
            }
            let spool = folder.spool(limits);
            spool.open().unwrap();
            set_read_only(&folder.0, true);
            for _ in 0..3 {
                let error = spool.push(&["x"], NOW_MS + later_ms).unwrap_err();
                assert!(error.is_read_only(), "{error}");
            }
            let (batches, _, dropped) = counts(&spool);
            assert_eq!((batches, dropped), (3, 0), "{limits:?}");
            let (_, body) = spool.oldest().unwrap().unwrap();
            assert_eq!(body, b"0", "it can still be posted");
            set_read_only(&folder.0, false);
            assert_eq!(replay(&spool), ["0", "1", "2"]);
        }
    });
}

#[test]
fn what_was_acknowledged_while_the_disk_was_read_only_is_removed_later() {
    with_disk("size=1m", |folder| {
        let spool = folder.spool(roomy());
        let mut entries: Vec<_> =
            (0..3).map(|i| spool.push(&[format!("{i}")], NOW_MS + i).unwrap()).collect();
        let last = entries.pop().unwrap();
        set_read_only(&folder.0, true);
        for entry in &entries {
            spool.remove(entry);
        }
        assert_eq!(folder.files().len(), 3, "the disk removes nothing");
        let (oldest, _) = spool.oldest().unwrap().unwrap();
        assert_eq!(oldest, last, "and yet none is posted again");
        set_read_only(&folder.0, false);
        spool.remove(&last);
        assert!(folder.files().is_empty(), "{:?}", folder.files());
        assert!(folder.spool(roomy()).oldest().unwrap().is_none());
    });
}
