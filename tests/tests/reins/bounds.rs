//! What the kernel forbids the daemons, and what comes from the network and must
//! never become part of a path.

use std::fs;
use std::path::PathBuf;

use pattoo_common::datapoint::{DataPoint, DataType};
use pattoo_common::document::{DocumentWriter, Series, Target};
use pattoo_tests::{
    Daemon, Folder, HubOptions, Mood, PATIENCE, Receiver, Server, StandInSpoke, free_port,
    http_get, http_post, wait_until, write_hub_config,
};

use crate::installed::{Installed, KINDS, Kind, files_below};

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
    assert!(told(format!("/folder{}", outside.display())).contains("Permission denied"));
    assert!(!outside.exists());
    let precious = folder.write("precious", "not its own\n");
    for what in ["write", "rename", "remove"] {
        let answer = told(format!("/{what}{}", precious.display()));
        assert!(answer.contains("Permission denied"), "{what}: {answer}");
        assert_eq!(fs::read_to_string(&precious).unwrap(), "not its own\n", "{what}");
    }
    assert!(told("/run/bin/true".to_owned()).contains("Permission denied"));
    // In its own folder it may write, and still not start what it wrote.
    let inside = folder.join("log/inside");
    assert_eq!(told(format!("/write{}", inside.display())), "done");
    assert!(inside.exists());
    fs::copy("/bin/true", &inside).unwrap();
    assert!(told(format!("/run{}", inside.display())).contains("Permission denied"));
    assert_eq!(told(format!("/rename{}", inside.display())), "done");
    assert_eq!(told(format!("/remove{}.renamed", inside.display())), "done");
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

/// What a spoke says of itself goes into the hub's batches, also into those that the
/// server refuses, and into no name.
#[test]
fn nothing_that_a_spoke_says_becomes_part_of_a_path() {
    let hub = Installed::new(Kind::Hub, "spoke-paths", &[]);
    let [first, second, third] =
        ["../x", "../../../../../../tmp/pattoo-way-out", "/tmp/pattoo-way-out"]
            .map(StandInSpoke::start);
    let server = Receiver::start("pattood/1");
    server.set_mood(Mood::Answers(400));
    let options = HubOptions {
        devices: [&first, &second, &third].map(StandInSpoke::device).into(),
        interval_seconds: 1,
        server_port: server.port(),
        more: "post_mode: device\nspool_min_free_bytes: 0\n".to_owned(),
    };
    write_hub_config(&hub.folder, &options);
    hub.daemon.start();
    let cache = hub.folder.join("cache");
    let of_spokes = || -> Vec<PathBuf> {
        let files = files_below(&cache).into_iter().filter(|path| path.is_file());
        let is_of_spoke = |path: &PathBuf| {
            fs::read_to_string(path).is_ok_and(|text| text.contains("\"sequence\""))
        };
        files.filter(is_of_spoke).collect()
    };
    wait_until("the polls of all are set aside", PATIENCE, || of_spokes().len() >= 6);
    hub.daemon.stop();
    for path in of_spokes() {
        // `<hub id>/bad/<ms>_<hub id>_<number>_<checksum>.json`; some wait without `bad`.
        let below: Vec<_> = path.strip_prefix(&cache).unwrap().iter().collect();
        let (id, name) = (below[0], below[below.len() - 1]);
        assert!(below.len() == 2 || (below.len() == 3 && below[1] == "bad"), "{}", path.display());
        let name = name.to_str().unwrap().replacen(id.to_str().unwrap(), "", 1);
        let is_plain = |c: char| c.is_ascii_hexdigit() || "_.json".contains(c);
        assert!(name.chars().all(is_plain), "{name}");
    }
    assert!(!hub.folder.join("x").exists() && !cache.join("x").exists());
    assert!(!std::path::Path::new("/tmp/pattoo-way-out").exists());
}
