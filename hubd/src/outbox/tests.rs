//! What the outbox promises, on a real disk.

use super::*;
use crate::test_folder::TestFolder;
use pattoo_common::spool::SpoolLimits;

const HUB: &str = "4903";
const NOW_MS: u64 = 1_795_394_957_648;

fn outbox(folder: &TestFolder, mode: SpoolMode) -> Outbox {
    let limits = SpoolLimits { min_free_bytes: Some(0), ..SpoolLimits::default() };
    Outbox::new(Spool::new(folder.path(), HUB, limits), mode)
}

fn files(folder: &TestFolder) -> usize {
    let Ok(items) = std::fs::read_dir(folder.path().join(HUB)) else { return 0 };
    items.filter(|item| item.as_ref().unwrap().path().is_file()).count()
}

fn text(batch: &Outgoing) -> &str {
    std::str::from_utf8(batch.body()).unwrap()
}

#[test]
fn always_writes_first() {
    let folder = TestFolder::new();
    let outbox = outbox(&folder, SpoolMode::Always);
    outbox.deliver(&[b"first"], NOW_MS);
    outbox.deliver(&[b"second"], NOW_MS);
    assert_eq!(files(&folder), 2);
    let first = outbox.next().unwrap();
    assert_eq!(text(&first), "first");
    outbox.keep(first);
    let first = outbox.next().unwrap();
    assert_eq!((text(&first), files(&folder)), ("first", 2));
    outbox.done(first);
    assert_eq!((text(&outbox.next().unwrap()), files(&folder)), ("second", 1));
}

#[test]
fn on_failure_writes_what_was_not_posted_at_once() {
    let folder = TestFolder::new();
    let outbox = outbox(&folder, SpoolMode::OnFailure);
    outbox.deliver(&[b"first"], NOW_MS);
    outbox.deliver(&[b"second"], NOW_MS + 1);
    let first = outbox.next().unwrap();
    assert_eq!((text(&first), files(&folder)), ("first", 0));
    outbox.keep(first);
    assert_eq!(files(&folder), 1);
    // While the server is away everything is written, in its order.
    outbox.deliver(&[b"third"], NOW_MS + 2);
    assert_eq!(files(&folder), 3);
    for wanted in ["first", "second", "third"] {
        let batch = outbox.next().unwrap();
        assert_eq!(text(&batch), wanted);
        outbox.done(batch);
    }
    outbox.deliver(&[b"fourth"], NOW_MS + 3);
    assert_eq!((files(&folder), outbox.stats().dropped_batches), (0, 0));
}

#[test]
fn a_broken_disk_stops_nothing_and_is_used_again_when_it_is_well() {
    let folder = TestFolder::new();
    std::fs::write(folder.path().join(HUB), b"a file in the way").unwrap();
    let outbox = outbox(&folder, SpoolMode::Always);
    outbox.deliver(&[b"first"], NOW_MS);
    outbox.deliver(&[b"second"], NOW_MS + 1);
    let first = outbox.next().unwrap();
    assert_eq!(text(&first), "first");
    outbox.keep(first);
    let first = outbox.next().unwrap();
    assert_eq!(text(&first), "first");
    outbox.done(first);
    std::fs::remove_file(folder.path().join(HUB)).unwrap();
    outbox.deliver(&[b"third"], NOW_MS + 2);
    assert_eq!(files(&folder), 2, "what was in memory is on disk now");
    for wanted in ["second", "third"] {
        let batch = outbox.next().unwrap();
        assert_eq!(text(&batch), wanted);
        outbox.done(batch);
    }
}

#[test]
fn memory_is_bounded_and_the_loss_is_counted() {
    let folder = TestFolder::new();
    std::fs::write(folder.path().join(HUB), b"a file in the way").unwrap();
    let outbox = outbox(&folder, SpoolMode::Always);
    for batch in 0..5_u8 {
        outbox.deliver(&[vec![batch; MAX_MEMORY_BYTES / 3]], NOW_MS);
    }
    assert_eq!(outbox.stats().dropped_batches, 2);
    assert_eq!(outbox.next().unwrap().body()[0], 2);
}

#[test]
fn what_is_refused_is_set_aside_from_disk_and_from_memory() {
    for mode in [SpoolMode::Always, SpoolMode::OnFailure] {
        let folder = TestFolder::new();
        let outbox = outbox(&folder, mode);
        outbox.deliver(&[b"bad"], NOW_MS);
        outbox.refuse(outbox.next().unwrap(), "the server answered 400");
        assert_eq!(outbox.stats().batches, 0);
        let bad = folder.path().join(HUB).join("bad");
        assert_eq!(std::fs::read_dir(bad).unwrap().count(), 1);
    }
}

#[test]
fn who_waits_is_woken_by_a_batch_and_by_the_end() {
    let folder = TestFolder::new();
    let outbox = outbox(&folder, SpoolMode::Always);
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let first = outbox.next().map(|batch| text(&batch).to_owned());
            outbox.done(outbox.next().unwrap());
            (first, outbox.next().is_none())
        });
        outbox.deliver(&[b"first"], NOW_MS);
        while files(&folder) > 0 {
            std::thread::yield_now();
        }
        outbox.close(Duration::from_secs(1));
        assert_eq!(waiter.join().unwrap(), (Some("first".to_owned()), true));
    });
}
