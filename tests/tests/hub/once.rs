//! `--once` and `--check`: for a person, beside a hub that runs.

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use pattoo_tests::{
    Folder, HubOptions, Manner, Mood, PATIENCE, Receiver, StandInSpoke, binary, run, wait_until,
    write_hub_config,
};

use crate::hub::{HOST, Hub, OURS, PROGRAM, every_second, files, numbers, of_hub};

/// The spool: names, and when each was last changed.
fn spool(hub: &Hub) -> Vec<(PathBuf, SystemTime)> {
    let changed = |path: &PathBuf| fs::metadata(path).unwrap().modified().unwrap();
    files(&hub.spool_folder()).into_iter().map(|path| (path.clone(), changed(&path))).collect()
}

#[test]
fn once_posts_a_cycle_and_leaves_the_spool_of_a_running_hub_alone() {
    let good = StandInSpoke::start("web1");
    let bad = StandInSpoke::start("web2");
    bad.set_manner(Manner::Redirects);
    let server = Receiver::start(OURS);
    server.set_mood(Mood::Answers(503));
    // The hub beside it makes one batch, and no other while the test lasts.
    let options = HubOptions { interval_seconds: 600, ..every_second(&[&good, &bad], &server) };
    let hub = Hub::install("once", options);
    let process = hub.daemon.start();
    wait_until("its batch is on disk", PATIENCE, || hub.spool().len() == 1);
    let before = spool(&hub);

    let once = hub.daemon.run(&["--once"]);
    assert_eq!(once.code, 1, "{once:?}");
    let said = format!("{}{}", once.stdout, once.stderr);
    assert!(said.contains("did not take everything") && said.contains("503"), "{once:?}");
    assert_eq!(spool(&hub), before);
    assert_eq!(hub.daemon.processes(), [process], "the hub runs on");
    hub.daemon.stop();

    server.set_mood(Mood::Well);
    let once = hub.daemon.run(&["--once"]);
    assert_eq!(once.code, 0, "{once:?}");
    let row = |port: u16| {
        let start = format!("127.0.0.1:{port} ");
        let rows: Vec<&str> = once.stdout.lines().filter(|l| l.starts_with(&start)).collect();
        assert_eq!(rows.len(), 1, "{once:?}");
        rows[0].to_owned()
    };
    let up: Vec<String> = row(good.port()).split_whitespace().map(str::to_owned).collect();
    assert_eq!((up[1].as_str(), up[3].as_str()), ("yes", "3"), "{up:?}");
    assert!(row(bad.port()).contains(" no ") && row(bad.port()).contains("302"), "{once:?}");
    assert!(once.stdout.contains("1 of 2 devices are up"), "{once:?}");

    // One post, of this cycle, under the same name; the one on disk stays there.
    let posts = server.posts();
    assert_eq!(posts.len(), 1);
    assert_eq!(numbers(&server, &good), [3]);
    assert_eq!(of_hub(&posts[0], "hub_devices_up"), ["1"]);
    assert_eq!(spool(&hub), before);
}

#[test]
fn check_tells_what_will_be_used_and_leaves_no_trace() {
    let folder = Folder::new("check");
    let options = HubOptions {
        devices: vec![("::1".to_owned(), 5001), ("web1.example.net".to_owned(), 5002)],
        interval_seconds: 60,
        server_port: 20201,
        more: format!("hostname: {HOST}\npost_mod: batch\n"),
    };
    let configuration = write_hub_config(&folder, &options);
    let check = run(&binary(PROGRAM), &configuration, &["--check"]);
    assert_eq!(check.code, 0, "{check:?}");
    for told in ["60 s", "127.0.0.1", "20201", "auto", HOST] {
        assert!(check.stdout.contains(told), "{told}: {check:?}");
    }
    let said = format!("{}{}", check.stdout, check.stderr);
    assert!(said.contains("was `post_mode` meant?"), "{check:?}");
    let left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["etc"], "--check only looks");
}
