//! Stops at every step, torn files, and disks that fail.

use std::cell::Cell;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::spool::write::Step;
use crate::spool::{Entry, MAX_BAD_FILES, SpoolError};

thread_local! {
    static DIE_BEFORE: Cell<Option<Step>> = const { Cell::new(None) };
    static FAIL_AT: Cell<Option<Step>> = const { Cell::new(None) };
}

const STEPS: [Step; 6] =
    [Step::Create, Step::Write, Step::SyncFile, Step::Rename, Step::SyncFolder, Step::Done];

type Damage = fn(&mut Vec<u8>);

/// A stop leaves everything as it is: an unwinding panic without a guard does the
/// same.
fn hook(step: Step) -> io::Result<()> {
    assert_ne!(DIE_BEFORE.get(), Some(step), "killed on purpose");
    if FAIL_AT.get() == Some(step) {
        return Err(io::Error::from_raw_os_error(libc::EIO));
    }
    Ok(())
}

#[test]
fn a_stop_at_any_step_leaves_a_whole_batch_or_none() {
    for step in STEPS {
        let folder = Folder::new();
        let mut spool = folder.spool(roomy());
        spool.before = hook;
        spool.push(&[b"taken"], NOW_MS).unwrap();
        DIE_BEFORE.set(Some(step));
        let death = catch_unwind(AssertUnwindSafe(|| spool.push(&[b"in hand"], NOW_MS)));
        DIE_BEFORE.set(None);
        assert!(death.is_err(), "{step:?}");

        let spool = folder.spool(roomy());
        let bodies = replay(&spool);
        let renamed = matches!(step, Step::SyncFolder | Step::Done);
        assert_eq!(bodies, if renamed { vec!["taken", "in hand"] } else { vec!["taken"] });
        assert!(folder.files().is_empty() && folder.bad().is_empty(), "{step:?}");
    }
}

#[test]
fn a_failing_disk_takes_nothing_and_leaves_nothing() {
    for step in STEPS {
        let folder = Folder::new();
        let mut spool = folder.spool(roomy());
        spool.before = hook;
        spool.push(&[b"taken"], NOW_MS).unwrap();
        let before = folder.files();
        FAIL_AT.set(Some(step));
        let error = spool.push(&[b"in hand"], NOW_MS).unwrap_err();
        FAIL_AT.set(None);
        assert!(matches!(error, SpoolError::Disk { .. }), "{error}");
        assert!(error.to_string().contains(HUB), "{error}");
        assert_eq!((folder.files(), counts(&spool)), (before, (1, 5, 0)), "{step:?}");
        spool.push(&[b"well again"], NOW_MS).unwrap();
        assert_eq!(replay(&spool), ["taken", "well again"]);
    }
}

#[test]
fn a_torn_batch_is_set_aside_and_never_blocks_those_behind() {
    let damages: [(&str, Damage); 4] = [
        ("truncated", |body| body.truncate(3)),
        ("emptied", Vec::clear),
        ("flipped", |body| body[2] ^= 4),
        ("grown", |body| body.push(b'x')),
    ];
    for (what, damage) in damages {
        let folder = Folder::new();
        let spool = folder.spool(roomy());
        let Entry(name) = spool.push(&[b"first of all"], NOW_MS).unwrap();
        spool.push(&[b"behind"], NOW_MS + 1).unwrap();
        let path = spool.folder().join(name.file_name(HUB));
        let mut body = fs::read(&path).unwrap();
        damage(&mut body);
        fs::write(&path, &body).unwrap();

        assert_eq!(replay(&spool), ["behind"], "{what}");
        assert_eq!(folder.bad(), [name.file_name(HUB)], "{what}");
        assert_eq!((spool.stats().set_aside, spool.stats().bytes), (1, 0), "{what}");
        assert!(replay(&folder.spool(roomy())).is_empty(), "{what}: gone for good");
    }
}

#[test]
fn an_oversized_file_is_not_read_into_memory() {
    let folder = Folder::new();
    let spool = folder.spool(roomy());
    spool.open().unwrap();
    let file = fs::File::create(spool.folder().join(format!("{NOW_MS}_{HUB}.json"))).unwrap();
    file.set_len(1 << 40).unwrap();
    let spool = folder.spool(SpoolLimits { max_bytes: u64::MAX, ..roomy() });
    assert!(spool.oldest().unwrap().is_none());
    assert_eq!(folder.bad().len(), 1);
}

#[test]
fn a_file_that_somebody_removed_is_not_missed() {
    let folder = Folder::new();
    let spool = folder.spool(roomy());
    let Entry(name) = spool.push(&[b"gone"], NOW_MS).unwrap();
    spool.push(&[b"there"], NOW_MS).unwrap();
    fs::remove_file(spool.folder().join(name.file_name(HUB))).unwrap();
    assert_eq!(replay(&spool), ["there"]);
    fs::remove_dir_all(spool.folder()).unwrap();
    spool.push(&[b"folder made again"], NOW_MS).unwrap();
    assert_eq!(replay(&spool), ["folder made again"]);
}

#[test]
fn bad_is_bounded_and_keeps_the_newest() {
    let folder = Folder::new();
    let spool = folder.spool(roomy());
    for i in 0..MAX_BAD_FILES as u64 + 5 {
        let entry = spool.push(&[b"refused"], NOW_MS + i).unwrap();
        spool.set_aside(&entry, "the server answered 400");
    }
    let bad = folder.bad();
    assert_eq!(bad.len(), MAX_BAD_FILES);
    assert!(bad[0].starts_with(&(NOW_MS + 5).to_string()), "{}", bad[0]);
    assert_eq!(counts(&spool), (0, 0, 0));
}

#[test]
fn a_folder_that_cannot_be_made_is_tried_again() {
    let folder = Folder::new();
    // A file where the folder should be: true for root as well.
    fs::write(folder.0.join(HUB), b"").unwrap();
    let spool = folder.spool(roomy());
    assert!(spool.open().is_err());
    assert!(spool.push(&[b"x"], NOW_MS).is_err());
    assert!(spool.oldest().is_err());
    assert_eq!(counts(&spool), (0, 0, 0));
    fs::remove_file(folder.0.join(HUB)).unwrap();
    spool.push(&[b"x"], NOW_MS).unwrap();
    assert_eq!(replay(&spool), ["x"]);
}

#[test]
fn nothing_is_waited_for_when_nothing_is_written() {
    let folder = Folder::new();
    let spool = folder.spool(roomy());
    spool.wait_written(std::time::Duration::MAX);
    spool.push(&[b"x"], NOW_MS).unwrap();
    spool.wait_written(std::time::Duration::MAX);
}
