//! The store under `kill -9`: a child process stores batches and tells, after
//! each answer, what it was; the parent kills it in the middle, opens the
//! store, and looks for every sample that was acknowledged, exactly once.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that goes wrong")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use pattoo_common::datapoint::DataType;
use pattoo_server::store::{
    DAY_MS, HOUR_MS, NewSeries, Number, Options, Origin, PointsQuery, Reading, Store, check,
};

/// Tells the child where its store is.
const FOLDER: &str = "PATTOO_STORE_KILL_FOLDER";
/// Where in time the child goes on.
const FIRST_BATCH: &str = "PATTOO_STORE_KILL_FIRST";
const ROUNDS: u64 = 6;
const SERIES: u64 = 50;
const THREADS: usize = 4;
const START_MS: u64 = 20_000 * DAY_MS;

/// Where the sample of a batch stands: eight batches an hour, so that days end
/// while the child lives.
fn at_ms(batch: u64) -> u64 {
    START_MS + batch * HOUR_MS / 8
}

fn value(thread: u64, series: u64, batch: u64) -> Number {
    Number::from(thread * 1_000_000_000 + series * 10_000_000 + batch)
}

fn post(store: &Store, thread: u64, batch: u64) {
    let host = format!("host{thread}");
    let origin =
        Origin { agent_id: "a", polled_target: &host, program: "p", polling_interval_ms: DAY_MS };
    let mut samples = store.batch();
    for series in 0..SERIES {
        let reading = Reading::Number(value(thread, series, batch));
        let name = format!("{series}");
        samples.add(&origin, &name, DataType::Gauge, at_ms(batch), reading, || NewSeries {
            key: format!("key{series}"),
            pairs: Vec::new(),
        });
    }
    samples.commit().unwrap();
}

/// Not a test of its own: what the child runs.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let first: u64 = std::env::var(FIRST_BATCH).unwrap().parse().unwrap();
    let store = Store::open(&Options::new(folder)).unwrap();
    std::thread::scope(|scope| {
        for thread in (0..).take(THREADS) {
            let store = &store;
            scope.spawn(move || {
                for batch in first.. {
                    post(store, thread, batch);
                    // One write a line, past the buffer of the test harness.
                    let line = format!("stored {thread} {batch}\n");
                    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
                }
            });
        }
        scope.spawn(|| {
            // So that the kill also falls into sealing and compaction.
            loop {
                store.settle(START_MS + 1000 * DAY_MS).unwrap();
            }
        });
    });
}

#[expect(clippy::disallowed_methods, reason = "a test that kills needs a process to kill")]
fn start(folder: &Path, first: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(FIRST_BATCH, first.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn what_was_acknowledged_survives_a_kill_exactly_once() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("store-kill-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    // The batches of each thread that were acknowledged.
    let mut told = [const { BTreeSet::new() }; THREADS];
    let mut first = 1;
    for round in 0..ROUNDS {
        let mut child = start(&folder, first);
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut acknowledged = 0;
        // Another place in each round.
        let enough = 60 + round * 37;
        // Of each thread something, also where one did not get to run for long.
        while acknowledged < enough || told.iter().any(BTreeSet::is_empty) {
            let line = lines.next().expect("the child goes on until it is killed").unwrap();
            acknowledged += u64::from(note(&line, &mut told));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before it died counts too.
        for line in lines.map_while(Result::ok) {
            note(&line, &mut told);
        }
        first = told.iter().flatten().max().unwrap() + 2;
        look(&folder, &told);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

fn note(line: &str, told: &mut [BTreeSet<u64>]) -> bool {
    let Some(rest) = line.strip_prefix("stored ") else { return false };
    let Some((thread, batch)) = rest.split_once(' ') else { return false };
    let (Ok(thread), Ok(batch)) = (thread.parse::<usize>(), batch.parse::<u64>()) else {
        return false;
    };
    told[thread].insert(batch)
}

/// All that was acknowledged is there once, and no more beside it than the batch
/// that each life of a thread was about to acknowledge.
fn look(folder: &Path, told: &[BTreeSet<u64>]) {
    let store = Store::open(&Options::new(folder)).unwrap();
    for (thread, told) in (0..).zip(told) {
        let host = format!("host{thread}");
        let found = store.find_series(None, Some(&host), &[], 1000).unwrap();
        assert_eq!(found.len() as u64, SERIES);
        for (series, id) in (0..).zip(found) {
            let query = PointsQuery::new(id, START_MS, START_MS + 300 * DAY_MS);
            let points = store.points(&query).unwrap().unwrap();
            assert_eq!((points.step_ms, points.broken.len()), (None, 0));
            let batches: Vec<u64> = points
                .points
                .iter()
                .map(|point| (point.timestamp_ms - START_MS) * 8 / HOUR_MS)
                .collect();
            for (point, batch) in points.points.iter().zip(&batches) {
                assert_eq!(point.value, value(thread, series, *batch));
            }
            assert!(batches.is_sorted_by(|a, b| a < b), "a sample is there twice");
            let found = BTreeSet::from_iter(batches);
            let lost: Vec<_> = told.difference(&found).collect();
            assert!(lost.is_empty(), "host {thread}, series {series}: {lost:?} are lost");
            let untold = found.difference(told).count() as u64;
            assert!(untold <= ROUNDS, "host {thread}, series {series}: {untold} more than told");
        }
    }
    drop(store);
    let findings = check(folder).unwrap();
    assert_eq!((findings.faults, findings.set_aside), (0, 0), "{:?}", findings.listed);
}
