//! What was answered with 200 is on the disk.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pattoo_common::datapoint::{DataType, Value};
use pattoo_tests::{PATIENCE, Server, http_post, is_alive, send_signal, wait_until};

use crate::documents::{INTERVAL_MS, now_ms, poll};

const HOSTS: [&str; 4] = ["web1", "web2", "web3", "web4"];
const KEYS: [&str; 5] = ["a", "b", "c", "d", "e"];
const ROUNDS: u64 = 4;
/// Polls of each host that are to be acknowledged before it is killed.
const POLLS: u64 = 15;
/// So many seconds before now the samples begin.
const BEFORE_S: u64 = 9_000;

fn value(host: usize, key: usize, poll: u64) -> u64 {
    host as u64 * 1_000_000 + key as u64 * 100_000 + poll
}

fn document(start_ms: u64, host: usize, number: u64) -> Vec<u8> {
    let points: Vec<(&'static str, DataType, Value)> = KEYS
        .iter()
        .enumerate()
        .map(|(key, name)| (*name, DataType::Gauge, value(host, key, number).into()))
        .collect();
    poll(HOSTS[host], start_ms + number * INTERVAL_MS, &points)
}

/// Ends the posters where the test has failed: their server is not killed then, and they
/// would go on for ever.
struct StopIfItFails<'a>(&'a AtomicBool);

impl Drop for StopIfItFails<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

/// Posts the polls of a host from `next` on until it fails, and raises `next` with
/// each that was acknowledged.
fn post_until_it_fails(port: u16, start_ms: u64, host: usize, next: &AtomicU64, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let number = next.load(Ordering::Acquire);
        let body = document(start_ms, host, number);
        let headers = [("Content-Type", "application/json")];
        match http_post(port, "/pattoo/api/v1/agent/receive/hub", &headers, &body) {
            Ok(answer) if answer.status == 200 && answer.text() == "OK" => {
                next.store(number + 1, Ordering::Release);
            }
            _ => return,
        }
    }
}

/// Loads the server, ends it with `signal`, and does so again and again; then
/// looks for every acknowledged sample, exactly once.
fn nothing_acknowledged_is_lost(purpose: &str, signal: i32) {
    let server = Server::start(purpose);
    let start_ms = now_ms() - BEFORE_S * 1_000;
    let next = HOSTS.map(|_| AtomicU64::new(0));
    for round in 1..=ROUNDS {
        let pid = server.daemon.pid();
        let stop = &AtomicBool::new(false);
        std::thread::scope(|scope| {
            for (host, next) in next.iter().enumerate() {
                let port = server.agent_port;
                scope.spawn(move || post_until_it_fails(port, start_ms, host, next, stop));
            }
            let _stop = StopIfItFails(stop);
            // Each waits for the disk.
            wait_until("enough is acknowledged", 4 * PATIENCE, || {
                next.iter().all(|next| next.load(Ordering::Acquire) >= round * POLLS)
            });
            send_signal(pid, signal);
        });
        wait_until("it has ended", PATIENCE, || !is_alive(pid));
        let started = server.daemon.run(&["--start"]);
        assert_eq!(started.code, 0, "{started:?}");
    }
    for (host, next) in next.iter().enumerate() {
        let acknowledged = next.load(Ordering::Acquire);
        assert!(acknowledged < BEFORE_S, "or else one query does not show them all");
        for (key, name) in KEYS.iter().enumerate() {
            let end_ms = start_ms + (acknowledged + 1) * INTERVAL_MS;
            let mut samples = server.samples(name, HOSTS[host], start_ms, end_ms);
            // One more may have been stored whose answer never came.
            assert!(samples.len() as u64 - acknowledged <= 1, "{} samples", samples.len());
            samples.truncate(usize::try_from(acknowledged).unwrap());
            let number = |number| {
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let value = value(host, key, number) as f64;
                (start_ms + number * INTERVAL_MS, value)
            };
            let wanted: Vec<_> = (0..acknowledged).map(number).collect();
            assert_eq!(samples, wanted, "{name} of {}", HOSTS[host]);
        }
    }
    let checked = server.daemon.run(&["--check"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(checked.stdout.contains("no fault"), "{checked:?}");
}

#[test]
fn a_kill_under_load_loses_and_doubles_nothing() {
    nothing_acknowledged_is_lost("killed", libc::SIGKILL);
}

#[test]
fn a_stop_under_load_loses_and_doubles_nothing() {
    nothing_acknowledged_is_lost("stopped", libc::SIGTERM);
}
