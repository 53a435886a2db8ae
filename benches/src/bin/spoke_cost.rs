//! What a poll of the spoke costs, beside Debian's node_exporter in the same run.
//!
//! `cargo build --release && target/release/spoke_cost [IDLE_SECONDS]`; with
//! `PATTOO_BENCH_BINARIES` naming the folder of a static build, that one is
//! measured.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot go on ends")]
#![allow(clippy::disallowed_methods, reason = "a bench starts the programs that it measures")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use pattoo_benches::process::{
    Folder, Server, megabytes, milliseconds, pause, program, wait_until,
};

/// Rounds of polls, spoke and peer in turn.
const ROUNDS: u32 = 5;
/// Polls of a round.
const POLLS: u32 = 400;
/// Polls after which growth is looked at.
const MANY_POLLS: u32 = 10_000;
const SPOKE: &str = "pattoo_agent_linux_spoked";
const PEER: &str = "prometheus-node-exporter";
const PEER_COLLECTORS: [&str; 7] =
    ["loadavg", "stat", "meminfo", "vmstat", "filesystem", "diskstats", "netdev"];

fn main() {
    let idle_s = std::env::args().nth(1).map_or(0, |seconds| seconds.parse().expect("seconds"));
    let folder = Folder::new("spoke");
    let (port, peer_port) = (free_port(), free_port());
    folder.write_pattoo_yaml(1);
    folder.write(
        &format!("{SPOKE}.yaml"),
        &format!("ip_listen_address: 127.0.0.1\nip_bind_port: {port}\n"),
    );
    let binary = program(SPOKE);
    println!("{:<46} {}", "spoke, size of the binary", megabytes(binary.metadata().unwrap().len()));

    let mut first_answers = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        let _spoke = start_spoke(&binary, &folder);
        wait_until("first answer", Duration::from_secs(5), || {
            try_get(port, "/pattoo-agent-linux/300").is_some()
        });
        first_answers.push(start.elapsed());
    }
    first_answers.sort();
    println!(
        "{:<46} {}",
        "spoke, start to first answer, median of 5",
        milliseconds(first_answers[2])
    );

    let spoke = start_spoke(&binary, &folder);
    wait_until("the spoke", Duration::from_secs(5), || {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
    });
    pause(Duration::from_millis(200));
    println!("{:<46} {}", "spoke, idle RSS before any poll", megabytes(spoke.memory("VmRSS:")));
    let document = try_get(port, "/pattoo-agent-linux/300").expect("an answer");
    println!("{:<46} {}", "spoke, datapoints", document.matches("pattoo_checksum").count());
    let idle_rss = spoke.memory("VmRSS:");
    println!("{:<46} {}", "spoke, idle RSS after the first poll", megabytes(idle_rss));

    let mut arguments = vec![
        format!("--web.listen-address=127.0.0.1:{peer_port}"),
        "--collector.disable-defaults".to_owned(),
    ];
    arguments.extend(PEER_COLLECTORS.map(|collector| format!("--collector.{collector}")));
    let peer = Server::start(Command::new(PEER).args(&arguments));
    wait_until("node_exporter", Duration::from_secs(10), || {
        try_get(peer_port, "/metrics").is_some()
    });

    let (mut own, mut other) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..ROUNDS {
        own += cost(&spoke, || try_get(port, "/pattoo-agent-linux/300"));
        other += cost(&peer, || try_get(peer_port, "/metrics"));
    }
    let (own, other) = (own / (ROUNDS * POLLS), other / (ROUNDS * POLLS));
    println!("{:<46} {}", "spoke, CPU a poll", milliseconds(own));
    println!("{:<46} {}", "node_exporter, CPU a scrape", milliseconds(other));
    println!("{:<46} 1/{:.1}", "spoke / node_exporter", other.as_secs_f64() / own.as_secs_f64());
    drop(peer);

    for _ in 0..MANY_POLLS {
        try_get(port, "/pattoo-agent-linux/300").expect("an answer");
    }
    let grown = spoke.memory("VmRSS:").saturating_sub(idle_rss);
    println!(
        "{:<46} {}",
        format!("spoke, growth of RSS after {MANY_POLLS} polls"),
        megabytes(grown)
    );

    if idle_s > 0 {
        let before = wakeups(&spoke);
        pause(Duration::from_secs(idle_s));
        println!(
            "{:<46} {}",
            format!("spoke, wake-ups in {idle_s} idle seconds"),
            wakeups(&spoke) - before
        );
    }
}

fn start_spoke(binary: &std::path::Path, folder: &Folder) -> Server {
    Server::start(Command::new(binary).arg("--foreground").env("PATTOO_CONFIGDIR", &folder.0))
}

/// CPU that the server took for a round of polls.
fn cost(server: &Server, poll: impl Fn() -> Option<String>) -> Duration {
    let before = server.cpu();
    for _ in 0..POLLS {
        poll().expect("an answer");
    }
    server.cpu().saturating_sub(before)
}

fn try_get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.starts_with("HTTP/1.1 200").then_some(answer)
}

/// How often the threads of a process gave up the processor of their own accord.
fn wakeups(server: &Server) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", server.id())).expect("it lives");
    tasks
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("status")).ok())
        .filter_map(|status| {
            let line = status.lines().find(|line| line.starts_with("voluntary_ctxt"))?.to_owned();
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        })
        .sum()
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
