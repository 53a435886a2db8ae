//! A disk that is full, and then is not.

use pattoo_common::datapoint::{DataType, Value};
use pattoo_tests::{PATIENCE, Server, SmallDisk, send_signal, wait_until};

use crate::documents::{merged, now_ms, poll};

const KEYS: [&str; 4] = ["a", "b", "c", "d"];
const DISK_BYTES: usize = 6 << 20;

fn document(host: &str, timestamp_ms: u64) -> Vec<u8> {
    let points = KEYS.map(|key| (key, DataType::Gauge, Value::from(timestamp_ms)));
    poll(host, timestamp_ms, &points)
}

#[test]
fn a_full_disk_takes_nothing_by_halves_and_goes_on_once_there_is_room() {
    let server = Server::new("full", "");
    let disk = match SmallDisk::mount(&server.data(), DISK_BYTES) {
        Ok(disk) => disk,
        Err(error) => {
            eprintln!("SKIPPED: a full disk: cannot mount a tmpfs: {error}; run as root");
            return;
        }
    };
    server.daemon.start();
    let start_ms = now_ms() - 9_000_000;
    let at = |number: u64| start_ms + number * 1_000;
    assert_eq!(server.post(&document("web1", at(0))).status, 200);

    let filling = disk.fill();
    let mut number = 1;
    let refused = loop {
        assert!(number < 5_000, "the disk is never full");
        let answer = server.post(&document("web1", at(number)));
        if answer.status != 200 {
            break answer;
        }
        number += 1;
    };
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(refused.header("retry-after"), Some("10"));
    assert!(refused.text().contains("full"), "{}", refused.text());
    // It answers questions all the same.
    assert_eq!(server.samples("a", "web1", at(0), at(number)).len() as u64, number);

    std::fs::remove_file(filling).unwrap();
    wait_until("there is room", PATIENCE, || {
        server.post(&document("web1", at(number))).status == 200
    });
    assert_eq!(server.post(&document("web2", at(number))).status, 200);
    for key in KEYS {
        let samples = server.samples(key, "web1", at(0), at(number + 1));
        let times: Vec<u64> = samples.iter().map(|(timestamp_ms, _)| *timestamp_ms).collect();
        let wanted: Vec<u64> = (0..=number).map(at).collect();
        assert_eq!(times, wanted, "{key}");
    }
    server.daemon.stop();
    let checked = server.daemon.run(&["--check"]);
    assert_eq!(checked.code, 0, "{checked:?}");
}

const DAY_MS: u64 = 86_400_000;
const HOSTS: [&str; 8] = ["h0", "h1", "h2", "h3", "h4", "h5", "h6", "h7"];
const LESS: &str = "store:\n  raw:\n    max_age: 1 d\n  five_minutes:\n    max_age: 1 d\n  \
                    one_hour:\n    max_age: 1 d\n";
const LESS_RAW: &str = "store:\n  raw:\n    max_age: 1 d\n";

/// A value that does not compress.
fn noise(seed: u64) -> f64 {
    let mixed = (seed ^ (seed >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    f64::from(u32::try_from((mixed ^ (mixed >> 29)) & 0xffff_ffff).unwrap())
}

/// A server with eight days of samples on a disk of 10 MiB that was then filled to
/// the last byte; what it has acknowledged of the key `a` of the last hour.
struct Filled {
    // Unmounted before the folder of the server goes.
    disk: SmallDisk,
    server: Server,
    start_ms: u64,
    acknowledged: Vec<u64>,
}

impl Filled {
    /// None where no disk can be mounted. `settled`: everything is sealed and
    /// compacted before the disk is full.
    fn new(purpose: &str, settled: bool) -> Option<Self> {
        let server = Server::new(purpose, "");
        let disk = match SmallDisk::mount(&server.data(), 10 << 20) {
            Ok(disk) => disk,
            Err(error) => {
                eprintln!("SKIPPED: {purpose}: cannot mount a tmpfs: {error}; run as root");
                return None;
            }
        };
        server.daemon.start();
        let start_ms = now_ms() - 7_200_000;
        for day in (1..=8).rev() {
            for host in HOSTS {
                let polls: Vec<_> = (0..144)
                    .map(|part| {
                        let at_ms = start_ms - day * DAY_MS + part * 600_000;
                        let points = KEYS.map(|key| {
                            let seed = at_ms ^ u64::from(key.as_bytes()[0]) ^ (day << 40);
                            (key, DataType::Gauge, Value::from(noise(seed)))
                        });
                        poll(host, at_ms, &points)
                    })
                    .collect();
                assert_eq!(server.post(&merged(&polls)).status, 200);
            }
        }
        if settled {
            server.daemon.stop();
            let compacted = server.daemon.run(&["--compact"]);
            assert_eq!(compacted.code, 0, "{compacted:?}");
            server.daemon.start();
        }
        disk.fill();
        let mut filled = Self { disk, server, start_ms, acknowledged: Vec::new() };
        for _ in 0..20_000 {
            if !filled.post() {
                return Some(filled);
            }
        }
        panic!("the disk is never full");
    }

    /// Posts the next sample; whether it was taken.
    fn post(&mut self) -> bool {
        let at_ms = self.start_ms + 200 * self.acknowledged.len() as u64;
        let answer = self.server.post(&document("web1", at_ms));
        if answer.status == 200 {
            self.acknowledged.push(at_ms);
            return true;
        }
        assert_eq!(answer.status, 503, "{}", answer.text());
        false
    }

    /// Some are put off while the server deletes.
    fn expect_posts_taken(&mut self) {
        let enough = self.acknowledged.len() + 200;
        wait_until("posts are taken again", PATIENCE, || {
            self.post();
            self.acknowledged.len() >= enough
        });
    }

    fn keep(&self, less: &str) {
        let file = self.server.daemon.configuration().join("pattoo_server.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{text}{less}")).unwrap();
    }

    /// Whether the old days have samples still, and how many points a chart of them has.
    fn old_days(&self) -> (bool, usize) {
        let from_ms = self.start_ms - 8 * DAY_MS;
        let to_ms = from_ms + 4 * DAY_MS;
        let series = &self.server.series("a", "h0")[0];
        let data = self.server.query(&format!(
            "{{ points(idxDatapoint: [\"{series}\"], from: {from_ms}.0, to: {to_ms}.0) \
             {{ resolution points {{ value }} }} }}"
        ));
        let drawn = &data["points"][0];
        let of_samples = drawn["resolution"] == "raw";
        let points = drawn["points"].as_array().unwrap().len();
        (of_samples && points > 0, points)
    }

    /// Nothing acknowledged is lost, nothing else is there, and the store is whole.
    fn expect_whole(self) {
        let Self { server, start_ms, acknowledged, disk: _disk } = self;
        let samples = server.samples("a", "web1", start_ms, start_ms + 7_200_000);
        let times: Vec<u64> = samples.iter().map(|(at_ms, _)| *at_ms).collect();
        assert_eq!(times, acknowledged);
        server.daemon.stop();
        let checked = server.daemon.run(&["--check"]);
        assert_eq!(checked.code, 0, "{checked:?}");
    }
}

#[test]
fn less_is_kept_on_a_full_disk_and_posts_are_taken_without_room_from_outside() {
    for (purpose, settled, less, rolled_up) in [
        ("full-fresh", false, LESS, false),
        ("full-settled", true, LESS, false),
        ("full-raw", false, LESS_RAW, true),
    ] {
        let Some(mut filled) = Filled::new(purpose, settled) else { return };
        assert!(filled.old_days().0, "{purpose}");
        filled.keep(less);
        assert!(send_signal(filled.server.daemon.pid(), libc::SIGHUP));
        filled.expect_posts_taken();
        wait_until("the old days are gone", PATIENCE, || !filled.old_days().0);
        assert_eq!(filled.old_days().1 > 0, rolled_up, "{purpose}");
        let log = filled.server.log();
        assert!(log.matches("sealing failed").count() <= 1, "{log}");
        filled.expect_whole();
    }
}

#[test]
fn a_kill_on_a_full_disk_keeps_what_was_taken_and_the_next_start_deletes() {
    let Some(mut filled) = Filled::new("full-killed", false) else { return };
    assert!(send_signal(filled.server.daemon.pid(), libc::SIGKILL));
    wait_until("it is gone", PATIENCE, || filled.server.daemon.processes().is_empty());
    filled.disk.refill();
    filled.keep(LESS);
    filled.server.daemon.start();
    filled.expect_posts_taken();
    filled.expect_whole();
}

#[test]
fn compacting_on_a_full_disk_deletes_what_has_expired_first() {
    let Some(mut filled) = Filled::new("full-compact", false) else { return };
    filled.server.daemon.stop();
    filled.disk.refill();
    filled.keep(LESS);
    let compacted = filled.server.daemon.run(&["--compact"]);
    filled.server.daemon.start();
    assert_eq!(filled.old_days(), (false, 0), "{compacted:?}");
    // For a smaller file there has to be room for a copy: what was deleted may have left it.
    let told = compacted.code == 1 && compacted.stderr.contains("is deleted");
    assert!(told || compacted.code == 0, "{compacted:?}");
    filled.expect_posts_taken();
    filled.expect_whole();
}
