//! What comes out, in which order, and what the bounds drop.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use super::*;

#[test]
fn batches_come_out_as_they_went_in_across_a_restart() {
    let folder = Folder::new();
    let wanted: Vec<String> = (0..25).map(|i| format!("batch {i}")).collect();
    {
        let spool = folder.spool(roomy());
        // Two of a millisecond, and numbers that text would sort otherwise.
        for (i, body) in wanted.iter().enumerate() {
            spool.push(&[body.as_bytes()], NOW_MS + i as u64 / 13).unwrap();
        }
    }
    let spool = folder.spool(roomy());
    spool.open().unwrap();
    assert_eq!(counts(&spool), (25, wanted.iter().map(|b| b.len() as u64).sum(), 0));
    assert_eq!(replay(&spool), wanted);
    assert_eq!(counts(&spool), (0, 0, 0));
    assert!(folder.files().is_empty());
}

#[test]
fn sequence_numbers_go_on_after_a_restart() {
    let folder = Folder::new();
    let wanted: Vec<String> = (0..12).map(|i| format!("batch {i}")).collect();
    for body in &wanted {
        folder.spool(roomy()).push(&[body], NOW_MS).unwrap();
    }
    assert_eq!(replay(&folder.spool(roomy())), wanted);
}

#[test]
fn a_clock_that_is_set_back_loses_nothing() {
    let folder = Folder::new();
    let spool = folder.spool(roomy());
    spool.push(&[b"before"], NOW_MS).unwrap();
    spool.push(&[b"after"], NOW_MS - 3_600_000).unwrap();
    spool.push(&[b"not set"], 12_345).unwrap();
    spool.push(&[b"set"], NOW_MS + 1).unwrap();
    assert_eq!(replay(&spool), ["not set", "after", "before", "set"]);
    assert_eq!(spool.stats().dropped_batches, 0);
}

#[test]
fn files_of_the_original_hub_are_taken_up() {
    let folder = Folder::new();
    let spool = folder.spool(roomy());
    spool.open().unwrap();
    let place = |name: String, body: &str| fs::write(spool.folder().join(name), body).unwrap();
    place(format!("{}_{HUB}.json", NOW_MS + 2), &document("second"));
    place(format!("{NOW_MS}_{HUB}_012001.json"), &document("first"));
    place(format!("{}_{HUB}.json", NOW_MS + 1), "{\"torn");
    place("17_other.json".to_owned(), "of somebody else");

    let spool = folder.spool(roomy());
    assert_eq!(replay(&spool), [document("first"), document("second")]);
    assert_eq!(folder.bad(), [format!("{}_{HUB}.json", NOW_MS + 1)]);
    assert_eq!(folder.files(), ["17_other.json"]);
}

#[test]
fn the_oldest_go_when_bytes_or_batches_are_too_many() {
    let folder = Folder::new();
    let spool = folder.spool(SpoolLimits { max_bytes: 30, ..roomy() });
    for body in ["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc", "dddddddddd"] {
        spool.push(&[body.as_bytes()], NOW_MS).unwrap();
    }
    assert_eq!(counts(&spool), (3, 30, 1));
    spool.push(&[[b'e'; 25]], NOW_MS).unwrap();
    assert_eq!((counts(&spool), spool.stats().dropped_bytes), ((1, 25, 4), 40));
    assert!(spool.push(&[[b'f'; 31]], NOW_MS).is_err(), "larger than the spool may be");
    assert_eq!(replay(&spool), ["e".repeat(25)]);

    let spool = folder.spool(SpoolLimits { max_batches: 2, ..roomy() });
    for body in ["1", "2", "3"] {
        spool.push(&[body.as_bytes()], NOW_MS).unwrap();
    }
    assert_eq!(replay(&spool), ["2", "3"]);
}

#[test]
fn what_is_too_old_goes_unless_its_clock_was_not_set() {
    let folder = Folder::new();
    let limits = SpoolLimits { max_age: Duration::from_mins(1), ..roomy() };
    let spool = folder.spool(limits);
    spool.push(&[b"of 1970"], 1_000).unwrap();
    spool.push(&[b"old"], NOW_MS - 60_001).unwrap();
    spool.push(&[b"in time"], NOW_MS - 60_000).unwrap();
    spool.push(&[b"new"], NOW_MS).unwrap();
    assert_eq!(replay(&spool), ["of 1970", "in time", "new"]);
    assert_eq!(spool.stats().dropped_batches, 1);
}

#[test]
fn only_owner_and_group_read_it() {
    let folder = Folder::new();
    let spool = folder.spool(roomy());
    spool.push(&[b"secret"], NOW_MS).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(spool.folder()) & 0o027, 0);
    assert_eq!(mode(&spool.folder().join(&folder.files()[0])) & 0o137, 0);
}

#[test]
fn links_and_folders_are_none_of_ours() {
    let folder = Folder::new();
    let spool = folder.spool(roomy());
    spool.open().unwrap();
    fs::write(folder.0.join("target"), document("elsewhere")).unwrap();
    symlink(folder.0.join("target"), spool.folder().join(format!("1_{HUB}.json"))).unwrap();
    fs::create_dir(spool.folder().join(format!("2_{HUB}.json"))).unwrap();
    let spool = folder.spool(roomy());
    assert!(replay(&spool).is_empty());
    assert!(folder.0.join("target").exists());
}

#[test]
fn a_batch_is_lost_only_if_it_does_not_arrive_although_its_file_is_gone() {
    let folder = Folder::new();
    let spool = folder.spool(SpoolLimits { max_batches: 1, ..roomy() });
    let lost = |spool: &Spool| spool.stats().dropped_batches;
    spool.push(&[b"first"], NOW_MS).unwrap();
    let (first, _) = spool.oldest().unwrap().unwrap();
    spool.push(&[b"second"], NOW_MS + 1).unwrap();
    assert_eq!((folder.files().len(), lost(&spool)), (1, 0), "it is on its way");
    spool.remove(&first);
    assert_eq!(lost(&spool), 0);

    spool.oldest().unwrap().unwrap();
    spool.push(&[document("a")], NOW_MS + 2).unwrap();
    spool.oldest().unwrap().unwrap();
    assert_eq!(lost(&spool), 1, "it did not arrive");

    let (third, _) = spool.oldest().unwrap().unwrap();
    spool.push(&[b"fourth"], NOW_MS + 3).unwrap();
    spool.set_aside(&third, "refused");
    assert_eq!(lost(&spool), 2, "there was no file to be set aside");
}
