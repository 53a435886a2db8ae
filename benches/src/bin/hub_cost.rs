//! What a cycle of the hub costs: polling, merging, spooling and posting, beside
//! `curl --parallel` fetching the same in the same run.
//!
//! `cargo build --release && target/release/hub_cost [DEVICES [HANGING [CYCLES]]]`
//! (1,000, 0 and 5). Every device answers with a document of its own of 95
//! datapoints. With more than 20,000 devices raise `ulimit -n` first.
#![allow(clippy::expect_used, reason = "a bench that cannot go on ends")]
#![allow(clippy::disallowed_methods, reason = "a bench starts the programs that it measures")]

use std::fmt::Write;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use pattoo_benches::fleet::Fleet;
use pattoo_benches::process::{Folder, Server, megabytes, milliseconds, program, run, wait_until};
use pattoo_benches::receiver;

const HUB: &str = "pattoo_agent_linux_hubd";
const INTERVAL_S: u64 = 10;
/// Datapoints of each stand-in spoke.
const DATAPOINTS: usize = 95;

fn main() {
    let argument = |index, default| {
        std::env::args().nth(index).map_or(default, |text| text.parse().expect("a number"))
    };
    let (devices, hanging, cycles) = (argument(1, 1000), argument(2, 0), argument(3, 5));
    println!("{devices} devices, {hanging} of them hang; {cycles} cycles of {INTERVAL_S} s");

    let fleet = Fleet::start(devices, hanging);
    let (port, received) = receiver::start();
    let folder = Folder::new("hub");
    folder.write_pattoo_yaml(port);
    folder.write(
        &format!("{HUB}.yaml"),
        &format!("polling_interval: {INTERVAL_S}\npost_mode: batch\n{}", fleet.ip_devices()),
    );

    let living = devices - hanging;
    let hub = Server::start(
        Command::new(program(HUB)).arg("--foreground").env("PATTOO_CONFIGDIR", &folder.0),
    );
    let limit = Duration::from_secs(INTERVAL_S * 3);
    let mut cpu = hub.cpu();
    for cycle in 1..=cycles {
        let start = Instant::now();
        wait_until("a cycle", limit, || {
            received.datapoints.load(Ordering::Relaxed) >= cycle * living * DATAPOINTS
        });
        // What belongs to the cycle, its spool files included, is done shortly after.
        wait_until("the spool", limit, || spooled(&folder) == 0);
        let now = hub.cpu();
        println!(
            "  cycle {cycle}: {} of CPU, whole batch received {} after the last, peak RSS {}",
            milliseconds(now.saturating_sub(cpu)),
            milliseconds(start.elapsed()),
            megabytes(hub.memory("VmHWM:"))
        );
        cpu = now;
    }
    let posts = received.batches.load(Ordering::Relaxed);
    let bytes = received.bytes.load(Ordering::Relaxed) / cycles;
    println!(
        "{:<46} {}",
        "hub, CPU a cycle (start included)",
        milliseconds(hub.cpu() / u32::try_from(cycles).expect("few"))
    );
    println!("{:<46} {}", "hub, peak RSS", megabytes(hub.memory("VmHWM:")));
    println!("{:<46} {posts}, {} a cycle", "hub, posts", megabytes(bytes as u64));
    println!("{:<46} {}", "hub, datapoints received", received.datapoints.load(Ordering::Relaxed));
    drop(hub);

    if hanging == 0 {
        let mut urls = String::new();
        for address in fleet.addresses() {
            let _ = writeln!(
                urls,
                "url = \"http://{address}:{}/pattoo-agent-linux/10\"\noutput = \"/dev/null\"",
                fleet.port()
            );
        }
        let list = folder.write("urls", &urls);
        let mut peer = Command::new("curl");
        peer.args(["--parallel", "--parallel-max", "64", "--silent", "--config"]).arg(list);
        let mut costs: Vec<_> = (0..cycles).map(|_| run(&mut peer)).collect();
        costs.sort_by_key(|cost| cost.cpu);
        let median = costs[costs.len() / 2];
        println!(
            "{:<46} {} (peak RSS {})",
            "curl --parallel, CPU a cycle, median",
            milliseconds(median.cpu),
            megabytes(median.peak_bytes)
        );
    }
}

/// Batches that wait in the spool.
fn spooled(folder: &Folder) -> usize {
    let Ok(agents) = std::fs::read_dir(folder.0.join("cache")) else { return 0 };
    agents
        .flatten()
        .filter_map(|agent| std::fs::read_dir(agent.path()).ok())
        .flatten()
        .flatten()
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "json"))
        .count()
}
