//! What the kernel forbids the daemons, and what comes from the network and must
//! never become part of a path.

use std::fs;
use std::path::PathBuf;

use pattoo_common::datapoint::{DataPoint, DataType};
use pattoo_common::document::{DocumentWriter, Series, Target};
use pattoo_tests::{Daemon, Folder, Server, free_port, http_get, http_post};

use crate::installed::{Installed, KINDS, files_below};

fn has_landlock(installed: &Installed) -> bool {
    let has = !installed.log().contains("this kernel has no Landlock");
    if !has {
        eprintln!("SKIPPED: Landlock: this kernel has none, or has it switched off");
    }
    has
}

#[test]
fn landlock_holds_where_the_kernel_has_it_and_can_be_switched_off() {
    for kind in KINDS {
        let installed = Installed::new(kind, "bound", &[]);
        installed.daemon.start();
        if has_landlock(&installed) {
            let log = installed.log();
            assert!(log.contains("Landlock (version "), "{kind:?}: {log}");
            assert!(log.contains(&*installed.folder.join("log").to_string_lossy()), "{log}");
        }
        installed.expect_work();
        installed.daemon.stop();
        let installed = Installed::new(kind, "unbound", &["landlock: off"]);
        let pid = installed.daemon.start();
        assert!(installed.log().contains("landlock is off"), "{}", installed.log());
        assert_eq!(Installed::status_line(pid, "NoNewPrivs:"), "1");
    }
}

/// A program of ours that does what it is told to, as if taken over.
#[test]
fn a_daemon_that_is_taken_over_starts_no_program_and_writes_only_in_its_folders() {
    let folder = Folder::new("taken-over");
    let (root, port) = (folder.path().display(), free_port());
    folder.write("etc/settings.conf", &format!("{root}/run\n{root}/log\ndebug\nlandlock\n"));
    folder.write("etc/sleeper.conf", &format!("port {port}\n"));
    let pid_file = folder.join("run/pid/sleeper.pid");
    let binary: PathBuf = env!("CARGO_BIN_EXE_sleeper").into();
    let daemon = Daemon::new(binary, &folder.join("etc"), pid_file);
    daemon.start();
    let log = fs::read_to_string(folder.join("log/sleeper.log")).unwrap();
    if log.contains("this kernel has no Landlock") {
        eprintln!("SKIPPED: Landlock: this kernel has none, or has it switched off");
        return;
    }
    let told = |path: String| http_get(port, &path).unwrap().text();
    let outside = folder.join("outside");
    assert!(told(format!("/write{}", outside.display())).contains("Permission denied"));
    assert!(!outside.exists());
    assert!(told("/run/bin/true".to_owned()).contains("Permission denied"));
    // In its own folder it may write, and still not start what it wrote.
    let inside = folder.join("log/inside");
    assert_eq!(told(format!("/write{}", inside.display())), "done");
    assert!(inside.exists());
    fs::copy("/bin/true", &inside).unwrap();
    assert!(told(format!("/run{}", inside.display())).contains("Permission denied"));
}

/// Ids, targets and names that would lead out of a folder if they were a path.
const WAYS_OUT: [&str; 5] =
    ["../x", "../../../../../../tmp/pattoo-way-out", "/tmp/pattoo-way-out", "..", "a/../../x"];

fn poll(name: &str, timestamp_ms: u64) -> Vec<u8> {
    let mut series = Series::new(Target {
        agent_id: name.to_owned(),
        program: "pattoo_agent_linux_spoked",
        agent_hostname: name.to_owned(),
        polled_target: name.to_owned(),
        metadata: vec![("hostname", name.to_owned())],
    });
    let mut writer = DocumentWriter::new(&mut series, 1_000);
    writer.push(&DataPoint::new("k", DataType::Gauge, 1_u64), timestamp_ms);
    writer.finish(timestamp_ms)
}

#[test]
fn nothing_from_the_network_becomes_part_of_a_path() {
    let server = Server::start("paths");
    let now_ms = pattoo_common::wall_clock::now_ms();
    let listing = || {
        let mut all = files_below(&server.join("."));
        all.retain(|path| !path.to_string_lossy().contains("store.db"));
        all.sort();
        all
    };
    let before = listing();
    for name in WAYS_OUT {
        assert_eq!(server.post(&poll(name, now_ms)).status, 200, "{name}");
        assert_eq!(server.series("k", name).len(), 1, "{name} is a name like any other");
        for path in [name.to_owned(), name.replace('/', "%2f"), "%2e%2e".to_owned()] {
            let path = format!("/pattoo/api/v1/agent/receive/{path}");
            let answer = http_post(server.agent_port, &path, &[], &poll("web1", now_ms));
            assert!(answer.is_ok(), "{path}");
        }
        for path in [format!("/{name}"), format!("/pattoo/api/v1/web/rest/data/{name}")] {
            assert_ne!(server.get(&path).status, 200, "{path}");
        }
    }
    assert_eq!(listing(), before);
    assert!(!std::path::Path::new("/tmp/pattoo-way-out").exists());
}
