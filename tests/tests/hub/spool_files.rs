//! What lies in the folder of the spool: files of the original hub, damaged ones,
//! more than there is room for, and what a kill leaves.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pattoo_common::datapoint::{DataPoint, DataType};
use pattoo_common::document::{DocumentWriter, Series, Target};
use pattoo_common::spool::crc32;
use pattoo_tests::{Mood, PATIENCE, Receiver, StandInSpoke, is_alive, send_signal, wait_until};

use crate::hub::{
    Hub, ID, OURS, every_second, expect_all, files, numbers, of_hub, wait_for_number,
    wait_for_posts,
};

const MINUTE_MS: u64 = 60_000;

/// A document that the host `old` made once.
fn document(number: u64, timestamp_ms: u64) -> Vec<u8> {
    let mut series = Series::new(Target {
        agent_id: "0".repeat(64),
        program: "pattoo_agent_linux_spoked",
        agent_hostname: "old".to_owned(),
        polled_target: "old".to_owned(),
        metadata: vec![("hostname", "old".to_owned())],
    });
    let mut writer = DocumentWriter::new(&mut series, 1000);
    writer.push(&DataPoint::new("sequence", DataType::Counter64, number), timestamp_ms);
    writer.finish(timestamp_ms)
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

fn put(hub: &Hub, name: &str, body: &[u8]) {
    fs::create_dir_all(hub.spool_folder()).unwrap();
    fs::write(hub.spool_folder().join(name), body).unwrap();
}

#[test]
fn files_of_the_original_are_taken_up_oldest_first_and_damaged_ones_set_aside() {
    let spoke = StandInSpoke::start("web1");
    let server = Receiver::start(OURS);
    let hub = Hub::install("taken-up", every_second(&[&spoke], &server));
    let at = |minutes: u64| now_ms() - minutes * MINUTE_MS;

    // Written in an order that is not theirs, so that the folder has another too.
    let capture = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/wire/hub-post-body.json");
    let capture = fs::read(capture).unwrap();
    put(&hub, &format!("{}_{ID}.json", at(10)), &capture);
    put(&hub, &format!("{}_{ID}_2.json", at(5)), &document(4, at(5)));
    let ours = document(2, at(20));
    put(&hub, &format!("{}_{ID}_7_{:08x}.json", at(20), crc32(&ours)), &ours);
    put(&hub, &format!("{}_{ID}.json", at(30)), &document(1, at(30)));
    put(&hub, &format!("{}_{ID}.json", at(8)), &document(3, at(8)));
    // Half a file of the original's, one of ours with a bit turned, one of
    // nothing, and one that a kill has left half-written.
    let half = format!("{}_{ID}.json", at(25));
    put(&hub, &half, &ours[..ours.len() / 2]);
    let turned = format!("{}_{ID}_8_{:08x}.json", at(15), crc32(&ours) ^ 1);
    put(&hub, &turned, &ours);
    let empty = format!("{}_{ID}.json", at(3));
    put(&hub, &empty, b"");
    let unfinished = format!("{}_{ID}_9_{:08x}.json.tmp", at(2), crc32(&ours));
    put(&hub, &unfinished, &ours);
    // None of ours.
    put(&hub, "notes.txt", b"of a person");
    put(&hub, "1_other.json", &ours);

    hub.daemon.start();
    wait_for_number(&server, &spoke, 1);
    hub.daemon.stop();
    assert_eq!(server.values("old", "sequence"), ["1", "2", "3", "4"]);
    let posts = server.posts();
    let place = |has: &dyn Fn(&[u8]) -> bool| posts.iter().position(|post| has(&post.body));
    assert_eq!(place(&|body| body == capture), Some(2), "between 2 and 3, byte for byte");
    assert!(posts.iter().all(|post| post.path.ends_with(&format!("/receive/{ID}"))));
    // What was there went before what is new.
    assert_eq!(posts.iter().position(|post| !of_hub(post, "hub_devices").is_empty()), Some(5));

    let names = |paths: Vec<PathBuf>| -> HashSet<String> {
        paths.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(hub.bad()), HashSet::from([half, turned, empty]));
    let log = hub.log();
    for path in hub.bad() {
        let name = path.display().to_string();
        assert_eq!(log.matches(&name).count(), 1, "{name}: {log}");
    }
    let left = names(files(&hub.spool_folder()));
    assert!(left.contains("notes.txt") && left.contains("1_other.json"), "{left:?}");
    assert!(!left.contains(&unfinished), "{left:?}");
}

#[test]
fn a_full_spool_gives_up_the_oldest_and_counts_it() {
    const LARGE_BYTES: usize = 400 << 10;
    let spoke = StandInSpoke::start("web1");
    let server = Receiver::start(OURS);
    server.set_mood(Mood::Answers(503));
    let mut options = every_second(&[&spoke], &server);
    options.more += "spool_max_bytes: 1 MiB\n";
    let hub = Hub::install("full", options);
    // Two fit in, three do not.
    for number in 1..=3 {
        let timestamp_ms = now_ms() - (10 - number) * MINUTE_MS;
        let mut body = document(number, timestamp_ms);
        body.resize(LARGE_BYTES, b' ');
        put(&hub, &format!("{timestamp_ms}_{ID}.json"), &body);
    }
    hub.daemon.start();
    wait_until("two cycles are on disk", PATIENCE, || {
        hub.spooled_numbers().contains(&2) && hub.spool().len() >= 4
    });
    // A file that is given up meanwhile counts no more.
    let size = |path: &PathBuf| fs::metadata(path).map_or(0, |of| of.len());
    let bytes: u64 = hub.spool().iter().map(size).sum();
    assert!(bytes <= 1 << 20, "{bytes} bytes");
    server.set_mood(Mood::Well);
    wait_until("the loss is told", PATIENCE, || {
        server.posts().iter().any(|post| of_hub(post, "hub_spool_dropped") == ["1"])
    });
    let posts = server.posts();
    let told = |post| of_hub(post, "hub_spool_dropped_datapoints") == ["1"];
    assert!(posts.iter().any(told), "the dropped batch held one datapoint");
    hub.daemon.stop();
    assert_eq!(server.values("old", "sequence"), ["2", "3"]);
    expect_all(&numbers(&server, &spoke));
    let log = hub.log();
    assert_eq!(log.matches("the oldest are dropped").count(), 1, "{log}");
}

#[test]
fn an_end_at_any_moment_leaves_no_half_batch() {
    const ROUNDS: usize = 6;
    // A write that takes longer than this is not waited for at a stop.
    const WRITE_PATIENCE: Duration = Duration::from_millis(500);
    let spoke = StandInSpoke::start("web1");
    // It takes a while to write.
    spoke.set_ballast_bytes(1 << 20);
    let server = Receiver::start(OURS);
    server.set_mood(Mood::Answers(503));
    let hub = Hub::install("half", every_second(&[&spoke], &server));
    let now_in_folder = || -> HashSet<OsString> {
        let Ok(entries) = fs::read_dir(hub.spool_folder()) else { return HashSet::new() };
        entries.map(|entry| entry.unwrap().file_name()).collect()
    };
    let (mut round, mut swift_stops) = (0, 0);
    // On a machine where every write takes long nothing is learnt: it fails.
    while round < ROUNDS || swift_stops == 0 {
        assert!(round < 5 * ROUNDS, "no stop was swift");
        let before = now_in_folder();
        let process = hub.daemon.start();
        // The moment at which it begins to write.
        let deadline = Instant::now() + PATIENCE;
        while now_in_folder() == before {
            assert!(Instant::now() < deadline, "no batch was written: {}", hub.log());
            thread::yield_now();
        }
        let signal = if round % 2 == 0 { libc::SIGKILL } else { libc::SIGTERM };
        let told = Instant::now();
        send_signal(process, signal);
        wait_until("it has ended", PATIENCE, || !is_alive(process));
        let took = told.elapsed();
        hub.expect_whole_batches();
        if signal == libc::SIGTERM && took < WRITE_PATIENCE {
            swift_stops += 1;
            let left = now_in_folder();
            let is_half =
                |name: &OsString| Path::new(name).extension().is_some_and(|end| end == "tmp");
            assert!(!left.iter().any(is_half), "{left:?}");
        }
        round += 1;
    }
    let taken = hub.spool().len();
    let numbers_taken = hub.spooled_numbers();
    server.set_mood(Mood::Well);
    hub.daemon.start();
    // The receiver fails if what comes is no document.
    wait_for_posts(&server, taken + 1);
    hub.daemon.stop();
    assert_eq!(numbers(&server, &spoke)[..numbers_taken.len()], numbers_taken);
    assert_eq!(hub.bad().len(), 0);
}
