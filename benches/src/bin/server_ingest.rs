//! What the server takes in over HTTP, durably and with sealing: merged batches
//! of 105 spokes of 95 series (9,975 in all), posted by 8 hubs at once as fast as
//! they are answered, each post the next poll of 10 s.
//!
//! `cargo build --release && target/release/server_ingest [SECONDS [SPOKES [HUBS]]]`
//! (10, 105 and 8). The data is written to the folder for temporary files, which
//! should be on a disk: `TMPDIR` names another.
#![allow(clippy::expect_used, reason = "a bench that cannot go on ends")]
#![allow(clippy::disallowed_methods, reason = "a bench starts the programs that it measures")]

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pattoo_benches::load::{self, Load};
use pattoo_benches::process::{Folder, Server, megabytes, milliseconds, program, wait_until};

const SERVER: &str = "pattood";
/// Between polls, as the server is told.
const POLL_MS: u64 = 10_000;
/// The polls begin so long ago, so that a long run does not come to the future.
const BEFORE_MS: u64 = 20 * 86_400_000;

fn main() {
    let argument = |index, default| {
        std::env::args().nth(index).map_or(default, |text| text.parse().expect("a number"))
    };
    let (seconds, spokes, hubs) = (argument(1, 10), argument(2, 105), argument(3, 8));
    let folder = Folder::new("server");
    folder.write_pattoo_yaml(1);
    let port = free_port();
    folder.write(
        "pattoo_server.yaml",
        &format!(
            "pattoo_api_agentd:\n  ip_listen_address: 127.0.0.1\n  ip_bind_port: {port}\n\
             pattoo_apid:\n  ip_listen_address: 127.0.0.1\n  ip_bind_port: {}\n",
            free_port()
        ),
    );
    let mut loads: Vec<Load> =
        (0..hubs).map(|hub| Load::new((0..spokes).filter(|spoke| spoke % hubs == hub))).collect();
    let series: usize = loads.iter().map(Load::datapoints).sum();
    println!("{series} series of {spokes} spokes, posted by {hubs} hubs for {seconds} s");

    let start = Instant::now();
    let mut command = Command::new(program(SERVER));
    let server = Server::start(command.arg("--foreground").env("PATTOO_CONFIGDIR", &folder.0));
    wait_until("the server", Duration::from_secs(10), || {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
    });
    println!("{:<46} {}", "start until it takes connections", milliseconds(start.elapsed()));
    println!("{:<46} {}", "RSS idle", megabytes(server.memory("VmRSS:")));

    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    let first_ms = u64::try_from(now.as_millis()).expect("small") - BEFORE_MS;
    let datapoints = AtomicU64::new(0);
    let refusals = AtomicU64::new(0);
    let start = Instant::now();
    let end = start + Duration::from_secs(seconds as u64);
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let posting: Vec<_> = loads
            .iter_mut()
            .map(|load| {
                let (datapoints, refusals) = (&datapoints, &refusals);
                scope.spawn(move || {
                    let mut times = Vec::new();
                    for poll in 0.. {
                        let body = load.at(first_ms + poll * POLL_MS);
                        let posted = Instant::now();
                        if posted >= end {
                            break;
                        }
                        let status = load::post(port, body).expect("an answer");
                        times.push(posted.elapsed());
                        if status == 200 {
                            datapoints.fetch_add(load.datapoints() as u64, Ordering::Relaxed);
                        } else {
                            refusals.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    times
                })
            })
            .collect();
        posting.into_iter().flat_map(|hub| hub.join().expect("no hub panics")).collect()
    });
    let wall = start.elapsed();
    tell(&server, &folder, wall, datapoints.into_inner(), refusals.into_inner(), &mut times);
}

/// Prints what came of it.
fn tell(
    server: &Server,
    folder: &Folder,
    wall: Duration,
    datapoints: u64,
    refusals: u64,
    times: &mut [Duration],
) {
    times.sort_unstable();
    let cpu = server.cpu();
    println!(
        "{:<46} {:.0}/s ({datapoints} in {:.1} s)",
        "datapoints, durable",
        datapoints as f64 / wall.as_secs_f64(),
        wall.as_secs_f64()
    );
    println!(
        "{:<46} {} of {}, answered in {} (median), {} (99 %)",
        "posts that were not taken",
        refusals,
        times.len(),
        milliseconds(times[times.len() / 2]),
        milliseconds(times[times.len() * 99 / 100])
    );
    println!(
        "{:<46} {:.2} us, {:.0} % of one core",
        "server, CPU a datapoint",
        cpu.as_secs_f64() * 1e6 / datapoints as f64,
        cpu.as_secs_f64() / wall.as_secs_f64() * 100.0
    );
    println!(
        "{:<46} {} (peak {})",
        "server, RSS",
        megabytes(server.memory("VmRSS:")),
        megabytes(server.memory("VmHWM:"))
    );
    let data = folder.0.join("daemon/data");
    let bytes: u64 = std::fs::read_dir(data)
        .expect("the data folder")
        .flatten()
        .filter_map(|file| Some(file.metadata().ok()?.len()))
        .sum();
    println!(
        "{:<46} {} ({:.2} a datapoint, not compacted)",
        "data folder",
        megabytes(bytes),
        bytes as f64 / datapoints as f64
    );
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("bound").port()
}
