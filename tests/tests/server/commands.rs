//! `--check`, `--backup` and `--compact`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use pattoo_tests::Server;

use crate::documents::{gauge, merged, now_ms};

/// A server with a hundred samples of the last minutes.
fn filled(purpose: &str) -> (Server, u64) {
    let server = Server::start(purpose);
    let now = now_ms();
    let polls: Vec<_> = (0..100).map(|age| gauge("web1", "load", now - age * 1_000, age)).collect();
    assert_eq!(server.post(&merged(&polls)).text(), "OK");
    (server, now)
}

#[test]
fn a_backup_is_made_beside_a_running_server_and_can_take_its_place() {
    let (server, now) = filled("backup");
    let copy = server.join("copy.db");
    let copy_text = copy.to_str().unwrap();
    let made = server.daemon.run(&["--backup", copy_text]);
    assert_eq!(made.code, 0, "{made:?}");
    assert!(made.stdout.contains(copy_text), "{made:?}");
    // There are hashes of passwords in it.
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o037, 0);
    // Nothing is written over.
    let again = server.daemon.run(&["--backup", copy_text]);
    assert!(again.code == 1 && again.stderr.contains(copy_text), "{again:?}");
    let nowhere = server.daemon.run(&["--backup", "/nowhere/copy.db"]);
    assert_eq!(nowhere.code, 1, "{nowhere:?}");

    // What came after it is not in it.
    assert_eq!(server.post(&gauge("web1", "load", now + 1_000, 7)).status, 200);
    server.daemon.stop();
    fs::remove_dir_all(server.data()).unwrap();
    fs::create_dir(server.data()).unwrap();
    fs::rename(&copy, server.data().join("store.db")).unwrap();
    server.daemon.start();
    assert_eq!(server.samples("load", "web1", now - 200_000, now + 2_000).len(), 100);
    assert_eq!(server.post(&gauge("web1", "load", now + 1_000, 7)).text(), "OK");
    assert_eq!(server.samples("load", "web1", now - 200_000, now + 2_000).len(), 101);
}

#[test]
fn compacting_wants_a_stopped_server_and_loses_nothing() {
    let (server, now) = filled("compact");
    let refused = server.daemon.run(&["--compact"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("another process uses this store; stop it"), "{refused:?}");
    server.daemon.stop();
    let compacted = server.daemon.run(&["--compact"]);
    assert_eq!(compacted.code, 0, "{compacted:?}");
    assert!(compacted.stdout.contains("store.db"), "{compacted:?}");
    server.daemon.start();
    let samples = server.samples("load", "web1", now - 200_000, now + 1);
    assert_eq!(samples.len(), 100);
}

#[test]
fn check_looks_at_the_database_too() {
    let server = Server::new("check", "");
    let none = server.daemon.run(&["--check"]);
    assert!(none.code == 0 && none.stdout.contains("is not there yet"), "{none:?}");
    for command in [&["--compact"][..], &["--backup", "/tmp/never"]] {
        let finished = server.daemon.run(command);
        assert!(finished.code == 1 && finished.stderr.contains("no database yet"), "{finished:?}");
    }
    server.daemon.start();
    assert_eq!(server.post(&gauge("web1", "load", now_ms(), 1)).text(), "OK");
    let running = server.daemon.run(&["--check"]);
    assert!(running.code == 0 && running.stdout.contains("no fault"), "{running:?}");
    server.daemon.stop();

    let database = server.data().join("store.db");
    let mut bytes = fs::read(&database).unwrap();
    // Past the header and the schema, so that it still opens.
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0xa5);
    fs::write(&database, bytes).unwrap();
    let broken = server.daemon.run(&["--check"]);
    assert_eq!(broken.code, 1, "{broken:?}");
    assert!(broken.stderr.contains("store.db"), "{broken:?}");
}

#[test]
fn a_second_server_on_the_same_data_says_so() {
    let first = Server::start("first");
    let more = format!("store:\n  directory: {}\n", first.data().display());
    let second = Server::new("second", &more);
    let started = second.daemon.run(&["--start"]);
    assert_eq!(started.code, 1, "{started:?}");
    assert!(started.stderr.contains("another process uses this store"), "{started:?}");
}
