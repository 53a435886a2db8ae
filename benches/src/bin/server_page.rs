//! What one viewer of the page costs the server: `server_page [HOSTS [ASKS]]`.
//! So many hosts of 95 series each have posted for ten minutes; then the overview
//! is asked for as a page does that looks every ten seconds, and the sparklines of
//! the rows that a screen shows.
#![allow(clippy::expect_used, reason = "a bench that cannot go on ends")]

use std::time::{Duration, Instant};

use pattoo_benches::load::{Load, ask, post};
use pattoo_benches::process::{Server, megabytes, milliseconds};
use pattoo_benches::server::{Site, now_ms};

/// Hosts of one hub.
const HOSTS_A_HUB: usize = 100;
/// Polls that are there before anybody looks, every ten seconds.
const POLLS: u64 = 60;
const INTERVAL_MS: u64 = 10_000;
/// How often a page looks.
const REFRESH: Duration = Duration::from_secs(10);
/// Rows that a screen shows.
const ROWS: usize = 30;

const OVERVIEW: &str = "{ overview { now hosts { target state lastSeen intervalSeconds cpuPercent \
     memoryPercent diskPercent diskMount receivedBytesPerSecond sentBytesPerSecond loadAverage \
     cpus reachable error labels { key value } } hubs { target idxAgent lastSeen devices reached \
     spoolWaiting unreachable { address port error } } } }";

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse().expect("a number"));
    let hosts = arguments.next().unwrap_or(1_000);
    let asks = arguments.next().map_or(50, |asks| u32::try_from(asks).expect("a number of asks"));
    let site = Site::new("server-page");
    let (server, _) = site.start();
    fill(&site, hosts);
    let before = server.memory("VmRSS");

    let (cost, bytes) = measure(&server, 1, || ask(site.web_port, OVERVIEW).expect("an answer"));
    println!("overview of {hosts} hosts, the first: {}, {bytes} bytes", milliseconds(cost));
    let (cost, _) = measure(&server, asks, || ask(site.web_port, OVERVIEW).expect("an answer"));
    println!("overview, each of the next {asks}: {} of CPU", milliseconds(cost));
    let shown: Vec<String> =
        (0..ROWS.min(hosts)).map(|host| format!("\"device{host}.example.net\"")).collect();
    let lines = format!(
        "{{ sparklines(targets: [{}], figure: [CPU, MEMORY, DISK, RECEIVED, SENT, LOAD]) \
         {{ target figure timestamps values }} }}",
        shown.join(",")
    );
    let (fresh, bytes) = measure(&server, 1, || ask(site.web_port, &lines).expect("an answer"));
    println!("sparklines of {} rows, read: {}, {bytes} bytes", shown.len(), milliseconds(fresh));
    let (kept, _) = measure(&server, asks, || ask(site.web_port, &lines).expect("an answer"));
    println!("sparklines, kept: {} of CPU", milliseconds(kept));
    // Lines are read anew once a minute: one look in six.
    let looks = 6.0;
    let a_look =
        cost.as_secs_f64() + (fresh.as_secs_f64() + kept.as_secs_f64() * (looks - 1.0)) / looks;
    println!(
        "one viewer, a look every {} s: {:.2} % of a core; RSS {} before the first look, {} now",
        REFRESH.as_secs(),
        a_look / REFRESH.as_secs_f64() * 100.0,
        megabytes(before),
        megabytes(server.memory("VmRSS"))
    );
}

/// Posts the polls of all hosts.
fn fill(site: &Site, hosts: usize) {
    let start = Instant::now();
    let now_ms = now_ms();
    for first in (0..hosts).step_by(HOSTS_A_HUB) {
        let mut load = Load::new(first..hosts.min(first + HOSTS_A_HUB));
        for poll in (0..POLLS).rev() {
            let batch = load.at(now_ms - poll * INTERVAL_MS);
            assert_eq!(post(site.port, batch).expect("an answer"), 200);
        }
    }
    println!("{hosts} hosts, {POLLS} polls each, posted in {:.1} s", start.elapsed().as_secs_f64());
}

/// CPU of the server for each of so many asks, and the bytes of the last answer.
fn measure(server: &Server, asks: u32, mut ask: impl FnMut() -> String) -> (Duration, usize) {
    let before = server.cpu();
    let mut bytes = 0;
    for _ in 0..asks {
        bytes = ask().len();
    }
    (server.cpu().saturating_sub(before) / asks, bytes)
}
