//! What SIGHUP changes, and what it leaves alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use pattoo_tests::{
    HubOptions, PATIENCE, Receiver, StandInSpoke, http_get, is_alive, tells_of_lateness,
    wait_until, write_hub_config,
};

use crate::installed::{Installed, KINDS, Kind};

#[test]
fn a_bad_configuration_is_told_with_its_line_and_changes_nothing() {
    for kind in KINDS {
        let installed = Installed::new(kind, "bad", &[]);
        let pid = installed.daemon.start();
        let file = installed.folder.join(kind.own_file());
        let good = fs::read_to_string(&file).unwrap();
        let lines = good.lines().count();
        fs::write(&file, format!("{good}workers: many\nmax_threads: many\nstore: many\n")).unwrap();
        installed.hang_up("the old one goes on");
        let log = installed.log();
        let line = |more: usize| format!("{}:{}: ", file.display(), lines + more);
        assert!((1..=3).any(|more| log.contains(&line(more))), "{log}");
        // No YAML at all.
        fs::write(&file, "[ this is: no configuration\n").unwrap();
        installed.hang_up("the old one goes on");
        fs::remove_file(installed.folder.join("etc/pattoo.yaml")).unwrap();
        installed.hang_up("the old one goes on");
        assert!(installed.log().contains("pattoo.yaml: this file is missing"));
        installed.expect_work();
        assert!(is_alive(pid));
        assert_eq!(installed.daemon.pid(), pid);
    }
}

#[test]
fn the_log_level_changes_at_once_and_a_port_with_the_restart() {
    for kind in KINDS {
        let installed = Installed::new(kind, "level", &[]);
        installed.daemon.start();
        let file = installed.folder.join("etc/pattoo.yaml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("log_level: debug", "log_level: info")).unwrap();
        installed.hang_up("SIGHUP: pattoo.log_level: info (it was debug)");
        let moved = fs::read_to_string(&file).unwrap().replace("/cache", "/cache2");
        fs::write(&file, &moved).unwrap();
        for _ in 0..2 {
            // It is told again as long as it is so.
            installed.hang_up("cache is used until the restart, then");
        }
        fs::write(&file, moved.replace("/cache2", "/cache")).unwrap();
        let told = installed.log().matches("until the restart").count();
        installed.hang_up("the log file is reopened");
        installed.expect_work();
        installed.daemon.stop();
        assert_eq!(installed.log().matches("until the restart").count(), told);
    }
    let spoke = Installed::new(Kind::Spoke, "port", &[]);
    spoke.daemon.start();
    let file = spoke.folder.join(Kind::Spoke.own_file());
    let other = pattoo_tests::free_port();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace(&spoke.port.to_string(), &other.to_string())).unwrap();
    spoke.hang_up(&format!("{} is used until the restart, then {other}", spoke.port));
    assert!(http_get(spoke.port, "/").is_ok() && http_get(other, "/").is_err());
    assert_eq!(spoke.daemon.run(&["--restart"]).code, 0);
    assert!(http_get(spoke.port, "/").is_err() && http_get(other, "/").is_ok());
}

/// Rewrites the hub's files.
fn configure(hub: &Installed, devices: &[&StandInSpoke], interval_seconds: u32, server: &Receiver) {
    write_hub_config(
        &hub.folder,
        &HubOptions {
            devices: devices.iter().map(|spoke| spoke.device()).collect(),
            interval_seconds,
            server_port: server.port(),
            more: "spool_min_free_bytes: 0\npost_mode: batch\n".to_owned(),
        },
    );
}

fn numbers(server: &Receiver, spoke: &StandInSpoke) -> Vec<u64> {
    let values = server.values(spoke.name(), "sequence");
    values.iter().map(|value| value.parse().unwrap()).collect()
}

fn wait_for(server: &Receiver, spoke: &StandInSpoke, least: u64) {
    wait_until(&format!("number {least} of {} is posted", spoke.name()), PATIENCE, || {
        numbers(server, spoke).last().is_some_and(|number| *number >= least)
    });
}

/// The times at which a spoke's numbers were made, in milliseconds.
fn times(server: &Receiver, spoke: &StandInSpoke) -> Vec<u64> {
    let posts = server.posts();
    let samples = posts.iter().flat_map(|post| &post.samples);
    let of_spoke =
        samples.filter(|sample| sample.target == spoke.name() && sample.key == "sequence");
    of_spoke.map(|sample| sample.timestamp_ms).collect()
}

#[test]
fn devices_come_and_go_without_a_missed_interval() {
    let [stays, goes, comes] = ["stays", "goes", "comes"].map(StandInSpoke::start);
    let server = Receiver::start("pattood/1");
    let hub = Installed::new(Kind::Hub, "devices", &[]);
    configure(&hub, &[&goes, &stays], 1, &server);
    hub.daemon.start();
    wait_for(&server, &stays, 2);
    wait_for(&server, &goes, 2);

    configure(&hub, &[&comes, &stays], 1, &server);
    hub.hang_up("the log file is reopened");
    let at = |spoke: &StandInSpoke| format!("127.0.0.1:{}", spoke.port());
    wait_until("the change is told", PATIENCE, || {
        let log = hub.log();
        log.contains(&format!("SIGHUP: 1 new devices: {}", at(&comes)))
            && log.contains(&format!("SIGHUP: 1 devices that are polled no more: {}", at(&goes)))
    });
    wait_for(&server, &comes, 2);
    let last = goes.answered().len();
    let so_far = stays.answered().len() as u64;
    wait_for(&server, &stays, so_far + 2);
    assert_eq!(goes.answered().len(), last, "it is polled no more");
    // Once told of what stays: it was never new again, nor down but for being late.
    let log = hub.log();
    let late = log.lines().filter(|line| tells_of_lateness(line) && line.contains(&at(&stays)));
    let most = 1 + late.count();
    let up = log.matches(&format!("{}: up", at(&stays))).count();
    assert!((1..=most).contains(&up), "{log}");

    // Nothing of what stays is missing: it was polled once in every cycle.
    let numbers = numbers(&server, &stays);
    assert_eq!(numbers, (1..).take(numbers.len()).collect::<Vec<u64>>());
    let posts = server.posts();
    let late = posts.iter().filter(|post| post.was_late(("127.0.0.1", stays.port()))).count();
    let told: Vec<&str> = posts
        .iter()
        .flat_map(|post| &post.samples)
        .filter(|sample| sample.key == "hub_devices")
        .map(|sample| sample.value.as_str())
        .collect();
    assert!(told.iter().all(|devices| *devices == "2"), "{told:?}");
    let polled = numbers.len() + late;
    assert!(told.len().abs_diff(polled) <= 1, "{told:?} {numbers:?}, {late} late");
    hub.daemon.stop();
}

#[test]
fn another_interval_is_kept_from_the_next_poll_on() {
    let spoke = StandInSpoke::start("web1");
    let server = Receiver::start("pattood/1");
    let hub = Installed::new(Kind::Hub, "interval", &[]);
    // A day: nothing more would come by itself.
    configure(&hub, &[&spoke], 86_400, &server);
    hub.daemon.start();
    wait_for(&server, &spoke, 1);
    configure(&hub, &[&spoke], 1, &server);
    hub.hang_up("polling_interval: 1 s (it was 86400 s)");
    wait_for(&server, &spoke, 4);
    assert!(spoke.paths().iter().skip(1).all(|path| path == "/pattoo-agent-linux/1"));
    // And back: the poll that was due in a second is not made.
    configure(&hub, &[&spoke], 86_400, &server);
    hub.hang_up("polling_interval: 86400 s (it was 1 s)");
    wait_until("all that was answered is posted", PATIENCE, || {
        numbers(&server, &spoke).len() == spoke.answered().len()
    });
    let polls = spoke.answered().len();
    for _ in 0..3 {
        hub.hang_up("the log file is reopened");
    }
    // One may have been under way when the signal came.
    assert!(spoke.answered().len() <= polls + 1);
    let times = times(&server, &spoke);
    assert!(times.is_sorted(), "{times:?}");
    hub.daemon.stop();
}

#[test]
fn the_server_keeps_what_it_is_told_to_keep() {
    let server = Installed::new(Kind::Server, "retention", &[]);
    server.daemon.start();
    let file = server.folder.join(Kind::Server.own_file());
    let text = fs::read_to_string(&file).unwrap();
    let store = "store:\n  max_series_per_agent: 1\n  raw:\n    max_age: 10 d\n";
    fs::write(&file, format!("{text}{store}")).unwrap();
    // The last that is told of both.
    server.hang_up("store.max_series_per_agent: 1 (it was 20000)");
    assert!(server.log().contains("store.raw.max_age: 864000 s (it was 7776000 s)"));
    // The limit holds at once: an agent's second series is refused.
    let post = |keys: &[&'static str]| {
        use pattoo_common::datapoint::{DataPoint, DataType};
        use pattoo_common::document::{DocumentWriter, Series, Target};
        let now_ms = pattoo_common::wall_clock::now_ms();
        let mut series = Series::new(Target {
            agent_id: "a".repeat(64),
            program: "pattoo_agent_linux_spoked",
            agent_hostname: "web1".to_owned(),
            polled_target: "web1".to_owned(),
            metadata: Vec::new(),
        });
        let mut writer = DocumentWriter::new(&mut series, 1_000);
        for key in keys {
            writer.push(&DataPoint::new(key, DataType::Gauge, 1_u64), now_ms);
        }
        let body = writer.finish(now_ms);
        let path = "/pattoo/api/v1/agent/receive/hub";
        let json = ("Content-Type", "application/json");
        pattoo_tests::http_post(server.port, path, &[json], &body).unwrap().text()
    };
    assert_eq!(post(&["one"]), "OK");
    assert!(post(&["one", "two"]).contains("\"refused\":1"));
    // Back again: what was refused is taken.
    fs::write(&file, &text).unwrap();
    server.hang_up("store.max_series_per_agent: 20000 (it was 1)");
    assert_eq!(post(&["one", "two"]), "OK");
}

#[test]
fn a_secret_holds_from_the_signal_on_and_a_bad_one_changes_nothing() {
    let spoke = Installed::new(Kind::Spoke, "secret", &[]);
    let status = || http_get(spoke.port, "/pattoo-agent-linux/300").unwrap().status;
    let own_file = spoke.folder.join(Kind::Spoke.own_file());
    let without = fs::read_to_string(&own_file).unwrap();
    let secret = spoke.folder.write("secret", "one 00112233445566778899\n");
    spoke.daemon.start();
    assert_eq!(status(), 200);

    // Everybody may read it: refused, and what was good goes on.
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&own_file, format!("{without}secret_file: {}\n", secret.display())).unwrap();
    spoke.hang_up("the old one goes on");
    assert_eq!(status(), 200);
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o640)).unwrap();
    spoke.hang_up("SIGHUP: secret_file: ");
    assert_eq!(status(), 401);
    // Rotated: its ids are told, what they stand for is not.
    fs::write(&secret, "two 99887766554433221100\none 00112233445566778899\n").unwrap();
    spoke.hang_up("signs with \"two\"");
    assert!(!spoke.log().contains("99887766554433221100"));
    fs::write(&own_file, without).unwrap();
    spoke.hang_up("SIGHUP: secret_file: none");
    assert_eq!(status(), 200);
}

fn secret_file(spoke: &Installed) -> PathBuf {
    let secret = spoke.folder.write("secret", "one 00112233445566778899\n");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o640)).unwrap();
    secret
}

/// What a file that was lost leaves behind, as an editor or a full disk may.
const NOTHING: [Option<&str>; 4] =
    [None, Some(""), Some("# workers: 2\n"), Some("pattoo_agent_linux_spoked:\n")];

/// Without its file every key has its default, and the default is an open door.
#[test]
fn a_file_that_was_lost_opens_no_door() {
    let spoke = Installed::new(Kind::Spoke, "lost", &[]);
    let status = || http_get(spoke.port, "/pattoo-agent-linux/300").unwrap().status;
    let own_file = spoke.folder.join(Kind::Spoke.own_file());
    let without = fs::read_to_string(&own_file).unwrap();
    let secret = secret_file(&spoke);
    let with = format!("{without}allow_from: 127.0.0.1\nsecret_file: {}\n", secret.display());
    // The second time it is known only since a SIGHUP.
    for is_read_at_start in [true, false] {
        fs::write(&own_file, if is_read_at_start { &with } else { &without }).unwrap();
        spoke.daemon.start();
        if !is_read_at_start {
            fs::write(&own_file, &with).unwrap();
            spoke.hang_up("SIGHUP: secret_file: ");
        }
        for nothing in NOTHING {
            assert_eq!(status(), 401);
            fs::remove_file(&own_file).unwrap();
            if let Some(nothing) = nothing {
                fs::write(&own_file, nothing).unwrap();
            }
            spoke.hang_up("the old one goes on");
            let told = if nothing.is_some() { "holds no key any more" } else { "is gone" };
            let line = format!("SIGHUP: {}: {told}", own_file.display());
            assert!(spoke.log().contains(&line), "{}", spoke.log());
            assert_eq!(status(), 401, "{nothing:?}");
            fs::write(&own_file, &with).unwrap();
        }
        fs::write(&own_file, &without).unwrap();
        spoke.hang_up("SIGHUP: secret_file: none");
        assert_eq!(status(), 200, "what was taken out by hand is out");
        spoke.daemon.stop();
    }
}

#[test]
fn a_server_whose_file_was_lost_keeps_what_it_kept() {
    let server = Installed::new(Kind::Server, "lost", &[]);
    let file = server.folder.join(Kind::Server.own_file());
    let text = fs::read_to_string(&file).unwrap();
    let with = format!("{text}store:\n  raw:\n    max_age: 3650 d\n");
    fs::write(&file, &with).unwrap();
    server.daemon.start();
    for nothing in NOTHING {
        fs::remove_file(&file).unwrap();
        if let Some(nothing) = nothing {
            fs::write(&file, nothing).unwrap();
        }
        server.hang_up("the old one goes on");
        fs::write(&file, &with).unwrap();
    }
    assert!(!server.log().contains("store.raw.max_age"), "{}", server.log());
    fs::write(&file, with.replace("3650 d", "3649 d")).unwrap();
    server.hang_up("store.raw.max_age: 315273600 s (it was 315360000 s)");
    server.expect_work();
}

#[test]
fn a_door_without_a_key_or_a_list_is_a_mistake_and_changes_nothing() {
    let spoke = Installed::new(Kind::Spoke, "emptied", &[]);
    let own_file = spoke.folder.join(Kind::Spoke.own_file());
    let without = fs::read_to_string(&own_file).unwrap();
    let secret = secret_file(&spoke);
    let secret = format!("secret_file: {}\n", secret.display());
    fs::write(&own_file, format!("{without}{secret}allow_from: 192.0.2.0/24\n")).unwrap();
    spoke.daemon.start();
    let status = || http_get(spoke.port, "/pattoo-agent-linux/300").unwrap().status;
    assert_eq!(status(), 403);
    for lines in ["allow_from: []\n", "allow_from:\n", "allow_from: \"\"\n"] {
        fs::write(&own_file, format!("{without}{secret}{lines}")).unwrap();
        spoke.hang_up("the old one goes on");
        assert_eq!(status(), 403, "{lines:?}");
    }
    fs::write(&own_file, format!("{without}{secret}allow_from: 127.0.0.1\n")).unwrap();
    spoke.hang_up("SIGHUP: allow_from: 127.0.0.1/32");
    assert_eq!(status(), 401);
    fs::write(&own_file, format!("{without}secret_file:\nallow_from: 127.0.0.1\n")).unwrap();
    spoke.hang_up("the old one goes on");
    assert!(spoke.log().contains("secret_file: nothing stands here"), "{}", spoke.log());
    assert_eq!(status(), 401);
}
