//! Loads a store with figures like those of a hundred spokes and tells what it
//! costs: `store_load FOLDER HOURS [POSTERS [SPOKES [RATE]]]`, RATE in datapoints a
//! second, 0 for as many as it takes. Charts are drawn meanwhile. Run in a
//! release build; HTTP is left out.

#![expect(clippy::expect_used, reason = "a bench ends at the first thing that goes wrong")]
#![expect(clippy::cast_possible_truncation, reason = "small numbers")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use pattoo_common::datapoint::DataType;
use pattoo_server::store::{
    Aggregate, DAY_MS, HOUR_MS, NewSeries, Number, Options, Origin, PointsQuery, Reading, Store,
};

const SERIES: u64 = 95;
const STEP_MS: u64 = 10_000;
const START_MS: u64 = 20_500 * DAY_MS;
const QUERIES: usize = 200;

/// Numbers without a library: a xorshift.
struct Noise(u64);

impl Noise {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// A series as a kernel would have it: a third of them never move.
fn value(series: u64, state: &mut u64, noise: &mut Noise) -> (DataType, Number) {
    match series {
        0..20 => (DataType::Counter64, (series * 17).into()),
        20..30 => (DataType::Gauge, (series << 30).into()),
        30..50 => {
            *state += noise.next(3000 * (series - 29));
            (DataType::Counter64, (*state).into())
        }
        50..60 => {
            *state += noise.next(900);
            (DataType::Counter64, Number::from_float(*state as f64 / 100.0).expect("finite"))
        }
        60..75 => {
            let percent = noise.next(40) + series;
            (DataType::GaugeFloat, Number::from_float(percent as f64 / 10.0).expect("finite"))
        }
        _ => {
            *state = (*state).max(1 << 20) + noise.next(4000) - noise.next(4000).min(*state);
            (DataType::Gauge, (*state * 4096).into())
        }
    }
}

/// Posts the spokes of one hub, an interval a batch.
fn post(store: &Store, hub: u64, hubs: u64, hours: u64, count: u64, rate: u64) -> u64 {
    let begun = Instant::now();
    let mut noise = Noise(hub + 88_172_645_463_325_252);
    let spokes: Vec<u64> = (0..count).filter(|spoke| spoke % hubs == hub).collect();
    let names: Vec<(String, String)> =
        spokes.iter().map(|spoke| (format!("{spoke:064x}"), format!("host{spoke}"))).collect();
    let checksums: Vec<Vec<String>> = spokes
        .iter()
        .map(|spoke| (0..SERIES).map(|series| format!("{:064x}", spoke << 32 | series)).collect())
        .collect();
    let mut states = vec![[0; SERIES as usize]; spokes.len()];
    let mut stored = 0;
    for step in 0..hours * HOUR_MS / STEP_MS {
        if rate > 0 {
            let due = Duration::from_secs_f64((step * count * SERIES) as f64 / rate as f64);
            std::thread::park_timeout(due.saturating_sub(begun.elapsed()));
        }
        let mut batch = store.batch();
        for ((names, checksums), states) in names.iter().zip(&checksums).zip(&mut states) {
            let at_ms = START_MS + step * STEP_MS + noise.next(30);
            let origin = Origin {
                agent_id: &names.0,
                polled_target: &names.1,
                program: "pattoo_agent_linux_spoked",
                polling_interval_ms: STEP_MS,
            };
            for ((series, checksum), state) in (0..).zip(checksums).zip(states) {
                let (data_type, number) = value(series, state, &mut noise);
                batch.add(&origin, checksum, data_type, at_ms, Reading::Number(number), || {
                    NewSeries { key: format!("key{series}"), pairs: Vec::new() }
                });
            }
        }
        stored += batch.commit().expect("the batch is stored").stored as u64;
    }
    stored
}

fn resident_kib() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines =
        status.lines().filter(|line| line.starts_with("VmHWM") || line.starts_with("VmRSS"));
    lines.collect::<Vec<_>>().join(", ")
}

fn charts(store: &Store, days: u64, until_ms: u64) {
    let series = store.find_series(None, None, &[], 10_000).expect("series");
    if series.is_empty() {
        return;
    }
    let mut noise = Noise(7);
    let mut times: Vec<Duration> = Vec::new();
    let mut answered = None;
    for _ in 0..QUERIES {
        let one = series[noise.next(series.len() as u64) as usize];
        let begun = Instant::now();
        let query = PointsQuery::new(one, until_ms.saturating_sub(days * DAY_MS), until_ms);
        let query = PointsQuery { points_max: 1000, aggregate: Aggregate::Mean, ..query };
        let points = store.points(&query).expect("points").expect("a series");
        times.push(begun.elapsed());
        answered = Some((points.points.len(), points.step_ms, points.resolution));
    }
    times.sort_unstable();
    println!(
        "chart of {days} days: p50 {:?}, p99 {:?}, {answered:?}",
        times[QUERIES / 2],
        times[QUERIES * 99 / 100]
    );
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().expect("a folder"));
    let hours: u64 = arguments.next().and_then(|hours| hours.parse().ok()).expect("hours");
    let hubs: u64 = arguments.next().and_then(|hubs| hubs.parse().ok()).unwrap_or(8);
    let spokes: u64 = arguments.next().and_then(|spokes| spokes.parse().ok()).unwrap_or(100);
    let rate: u64 = arguments.next().and_then(|rate| rate.parse().ok()).unwrap_or(0);
    let begun = Instant::now();
    let store = Store::open(&Options::new(&folder)).expect("the store opens");
    println!("open: {:?}, {}", begun.elapsed(), resident_kib());

    let begun = Instant::now();
    let stored: u64 = std::thread::scope(|scope| {
        let posters: Vec<_> = (0..hubs)
            .map(|hub| {
                let store = &store;
                scope.spawn(move || post(store, hub, hubs, hours, spokes, rate))
            })
            .collect();
        while !posters.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            let newest_ms = store.newest_ms().max(START_MS) + 1;
            std::thread::park_timeout(Duration::from_secs(5));
            charts(&store, 30, newest_ms);
        }
        posters.into_iter().map(|poster| poster.join().expect("a poster")).sum()
    });
    let rate = stored as f64 / begun.elapsed().as_secs_f64();
    println!("stored {stored} in {:?}: {rate:.0}/s, {}", begun.elapsed(), resident_kib());
    println!("{:?}", store.status().expect("status"));
    let until_ms = START_MS + hours * HOUR_MS;
    charts(&store, 30, until_ms);
    charts(&store, 1, until_ms);

    let total = (hours * HOUR_MS / STEP_MS * spokes * SERIES) as f64;
    let begun = Instant::now();
    store.settle(0).expect("sealed");
    let status = store.status().expect("status");
    println!(
        "sealed in {:?}: {:.3} bytes a datapoint",
        begun.elapsed(),
        status.used_bytes as f64 / total
    );
    let begun = Instant::now();
    store.settle(until_ms + DAY_MS).expect("compacted");
    let status = store.status().expect("status");
    println!(
        "compacted in {:?}: {:.3} bytes a datapoint",
        begun.elapsed(),
        status.used_bytes as f64 / total
    );
    println!("{}", resident_kib());
    charts(&store, 30, until_ms);
    charts(&store, 1, until_ms);
}
