//! A week apart: what the bounds of the spool hold arrives once, what they cost is
//! counted and shown, and nobody's log grows with the days.

use std::fs;
use std::time::{Duration, Instant};

use pattoo_common::datapoint::{DataPoint, DataType, Metadata};
use pattoo_common::document::DocumentWriter;
use pattoo_common::spool::{Spool, SpoolLimits};
use pattoo_common::wall_clock::now_ms;
use pattoo_tests::{
    HubOptions, Manner, PATIENCE, Post, Receiver, Server, StandInSpoke, free_port, series_of_host,
    wait_until, without_lateness,
};

use crate::hub::{HOST, Hub, ID, OURS, expect_all};

/// The interval of the batches that wait, in seconds, unless this names another. At 10 s
/// a week is more than the 50,000 batches of the spool, and takes some minutes.
const INTERVAL_VARIABLE: &str = "PATTOO_WEEK_INTERVAL_S";
const INTERVAL_S: u64 = 300;
const DAY_MS: u64 = 86_400_000;
const DAYS: u64 = 8;
const BATCHES_LIMIT: u64 = 50_000;
/// Of each batch.
const DATAPOINTS: usize = 10;
const AWAY: &str = "away.example.net";
/// Cycles of a hub in which nothing that is new happens.
const CYCLES: usize = 3;
/// The log of a hub that tells of changes only.
const LOG_LINES: usize = 20;

/// Lines of changes only, as is usual.
fn log_less(hub: &Hub) {
    let file = hub.folder.join("etc/pattoo.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(file, text.replace("log_level: debug", "log_level: info")).unwrap();
}

/// Waits until some cycles in a row have said nothing. A busy machine may be late in the
/// first of them, and that is told; a hub that has a line for every cycle never gets there.
fn expect_silence(hub: &Hub, cycles: impl Fn() -> usize) {
    let (mut log, mut since) = (hub.log(), cycles());
    wait_until("a cycle like the one before says nothing", 2 * PATIENCE, || {
        let so_far = cycles();
        let told = hub.log();
        if told != log {
            (log, since) = (told, so_far);
        }
        so_far >= since + CYCLES
    });
}

/// Fails if one of these is not in the log, or more often than a late poll in between
/// explains.
fn expect_told_once(hub: &Hub, wanted: &[String]) {
    let log = hub.log();
    let (lines, late) = without_lateness(&log);
    for wanted in wanted {
        let count = lines.iter().filter(|line| line.contains(wanted)).count();
        assert!((1..=1 + late).contains(&count), "{count} times {wanted:?}: {log}");
    }
}

/// Fills the spool with what a hub has written there in eight days, and gives how many
/// batches that are.
fn fill(hub: &Hub, interval_ms: u64, now_ms: u64) -> u64 {
    // Of a hub that was to keep all.
    let limits = SpoolLimits {
        max_bytes: u64::MAX,
        max_batches: usize::MAX,
        max_age: Duration::from_hours(24 * 365),
        min_free_bytes: Some(0),
    };
    let spool = Spool::new(&hub.folder.join("cache"), ID, limits);
    let mut series = series_of_host(AWAY);
    let core = |number: usize| Metadata::after_host(vec![("core", number.to_string())]);
    let cores: Vec<_> = (1..DATAPOINTS).map(core).collect();
    let batches = DAYS * DAY_MS / interval_ms;
    for number in 0..batches {
        // No batch turns too old while this test is under way.
        let at_ms = now_ms - (batches - number) * interval_ms + interval_ms / 2;
        let mut writer = DocumentWriter::new(&mut series, interval_ms);
        writer.push(&DataPoint::new("sequence", DataType::Counter64, number), at_ms);
        for core in &cores {
            writer.push(&DataPoint::of(core, "load", DataType::Gauge, number), at_ms);
        }
        spool.push(&[writer.finish(at_ms)], at_ms).unwrap();
    }
    batches
}

/// A figure of the server's `/metrics`.
fn metric(server: &Server, name: &str) -> u64 {
    let text = server.get("/metrics").text();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name}: {text}")).trim().parse().unwrap()
}

#[test]
fn a_server_that_was_away_for_more_than_a_week_gets_what_the_bounds_hold() {
    let named = std::env::var(INTERVAL_VARIABLE).ok().and_then(|text| text.parse().ok());
    let interval_ms = named.unwrap_or(INTERVAL_S) * 1_000;
    let spoke = StandInSpoke::start("web1");
    let server = Server::new("week", "");
    let options = HubOptions {
        devices: vec![spoke.device()],
        interval_seconds: 1,
        server_port: server.agent_port,
        more: "post_mode: batch\n".to_owned(),
    };
    let hub = Hub::install("week", options);
    log_less(&hub);
    let start_ms = now_ms();
    let began = Instant::now();
    let batches = fill(&hub, interval_ms, start_ms);
    println!("{batches} batches in the spool, after {:?}", began.elapsed());

    hub.daemon.start();
    wait_until("what is too old is dropped", 4 * PATIENCE, || {
        hub.log().contains("its batches are too old, the oldest are dropped")
            && spoke.answered().len() > 1
    });
    // The server stays away, and every further cycle of a week would say as little.
    expect_silence(&hub, || spoke.answered().len());

    println!("the server comes back after {:?}", began.elapsed());
    server.daemon.start();
    wait_until("all is posted", 20 * PATIENCE, || hub.spool().len() <= 1);
    let numbers = |key: &str, target: &str, interval_ms: u64| -> Vec<f64> {
        let (from_ms, to_ms) = (start_ms - (DAYS + 1) * DAY_MS, start_ms + DAY_MS);
        let samples = server.web().all_samples(key, target, from_ms, to_ms, interval_ms);
        samples.into_iter().map(|(_, value)| value).collect()
    };
    // The last cycle before the end tells of all that was dropped.
    let cycles = spoke.answered().len();
    wait_until("it polls on", PATIENCE, || spoke.answered().len() >= cycles + 2);
    wait_until("all is posted again", PATIENCE, || hub.spool().len() <= 1);
    let status = fs::read_to_string(format!("/proc/{}/status", hub.daemon.pid())).unwrap();
    let memory = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    hub.daemon.stop();
    println!("all is posted after {:?}", began.elapsed());

    let stored = numbers("sequence", AWAY, interval_ms);
    let dropped = batches - stored.len() as u64;
    let wanted: Vec<f64> = (dropped..batches).map(|number| number as f64).collect();
    assert_eq!(stored, wanted, "the oldest are dropped, and no other");
    // The eighth day, or what is more than the spool may hold.
    let (most, too_many) =
        ((DAYS - 1) * DAY_MS / interval_ms, batches.saturating_sub(BATCHES_LIMIT));
    assert!(dropped >= batches - most && dropped >= too_many, "{dropped} of {batches}");
    assert!(dropped <= (batches - most).max(too_many) + 100, "{dropped} of {batches}");
    for (key, per_batch) in [("hub_spool_dropped", 1), ("hub_spool_dropped_datapoints", DATAPOINTS)]
    {
        let told = numbers(key, HOST, 1_000);
        assert_eq!(told.last(), Some(&((dropped * per_batch as u64) as f64)), "{key}");
    }
    let last = format!("batches leave it again; {dropped} were dropped");
    assert!(hub.log().contains(&last), "{}", hub.log());
    assert_eq!(metric(&server, "pattood_datapoints_repeated_total"), 0, "each was posted once");
    assert_eq!(metric(&server, "pattood_datapoints_refused_total"), 0);
    // What was polled meanwhile is there, too.
    let polled: Vec<f64> = numbers("sequence", spoke.name(), 1_000);
    assert_eq!(polled, (1..=polled.len()).map(|number| number as f64).collect::<Vec<_>>());
    assert!(polled.len() + 2 >= spoke.answered().len());
    let log = hub.log();
    let (lines, late) = without_lateness(&log);
    assert!(lines.len() <= LOG_LINES + late, "{log}");
    println!("{dropped} of {batches} batches dropped, {} lines of log, {memory}", lines.len());
}

#[test]
fn spokes_that_are_away_for_long_are_told_of_once() {
    let (half, nobody) = (StandInSpoke::start("half"), free_port());
    half.set_manner(Manner::Half);
    let well = StandInSpoke::start("well");
    let server = Receiver::start(OURS);
    let dead = ("127.0.0.1".to_owned(), nobody);
    let options = HubOptions {
        devices: vec![half.device(), dead, well.device()],
        interval_seconds: 1,
        server_port: server.port(),
        more: "post_mode: batch\n".to_owned(),
    };
    let hub = Hub::install("spokes-away", options);
    log_less(&hub);
    hub.daemon.start();
    wait_until("it polls", PATIENCE, || well.answered().len() >= 2);
    expect_silence(&hub, || well.answered().len());
    expect_told_once(
        &hub,
        &[
            format!("127.0.0.1:{}: down: ", half.port()),
            format!("127.0.0.1:{nobody}: down: "),
            format!("127.0.0.1:{}: up", well.port()),
        ],
    );
    // The server knows all the while.
    let is_told = |post: &Post| {
        let is_down = |port| post.of_device(("127.0.0.1", port), "hub_poll_up") == ["0"];
        is_down(half.port()) && is_down(nobody)
    };
    assert!(server.posts().iter().all(is_told));
    half.set_manner(Manner::Well);
    wait_until("it is up", PATIENCE, || half.answered().len() >= 2);
    expect_silence(&hub, || half.answered().len());
    expect_told_once(&hub, &[format!("127.0.0.1:{}: up", half.port())]);
    hub.daemon.stop();
    expect_all(&crate::hub::numbers(&server, &well));
}

#[test]
fn devices_that_there_is_no_time_for_are_told_of_once() {
    let hanging = [StandInSpoke::start("one"), StandInSpoke::start("other")];
    for spoke in &hanging {
        spoke.set_manner(Manner::Hangs);
    }
    let server = Receiver::start(OURS);
    let options = HubOptions {
        devices: hanging.iter().map(StandInSpoke::device).collect(),
        interval_seconds: 1,
        server_port: server.port(),
        // Each takes the time of a cycle, so that they take turns.
        more: "post_mode: batch\nmax_threads: 1\n".to_owned(),
    };
    let hub = Hub::install("no-time", options);
    log_less(&hub);
    hub.daemon.start();
    wait_until("both were polled", PATIENCE, || {
        let log = hub.log();
        hanging.iter().all(|spoke| log.contains(&format!("127.0.0.1:{}: down: ", spoke.port())))
    });
    expect_silence(&hub, || server.posts().len());
    let log = hub.log();
    assert_eq!(log.matches("devices were not polled").count(), 1, "{log}");
    hub.daemon.stop();
}
