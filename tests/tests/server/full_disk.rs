//! A disk that is full, and then is not.

use pattoo_common::datapoint::{DataType, Value};
use pattoo_tests::{PATIENCE, Server, SmallDisk, wait_until};

use crate::documents::{now_ms, poll};

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
