//! What one GET of 30 kB costs the server, in CPU time of its process: through the
//! front gate, and by a bare loop of blocking accept, read, write, close.
//!
//! `gate_cost [requests]` starts each server as a process of its own (`gate_cost
//! serve-gate`, `gate_cost serve-bare`), asks it one request after the other over
//! loopback, and prints a table.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pattoo_common::http_server::{Answer, Handler, Limits, Request, Server};

const ANSWER_BYTES: usize = 30_000;
const REQUESTS: usize = 10_000;
const WARM_UP: usize = 200;
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n";
/// As much of a head as the gate writes.
const BARE_HEAD: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\
     Server: bare/1\r\nContent-Length: 30000\r\n\r\n";

struct Fixed(Vec<u8>);

impl Handler for Fixed {
    fn answer(&self, _: &Request) -> Answer {
        Answer::from_data(self.0.clone())
    }
}

fn main() -> io::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("serve-gate") => serve_gate(),
        Some("serve-bare") => serve_bare(),
        requests => {
            let requests = requests.and_then(|text| text.parse().ok()).unwrap_or(REQUESTS);
            println!("{requests} GETs of {ANSWER_BYTES} bytes, one after the other");
            println!(
                "{:<12} {:>16} {:>12} {:>10}",
                "server", "CPU us/request", "p50 us", "RSS KiB"
            );
            measure("gate", "serve-gate", requests)?;
            measure("bare loop", "serve-bare", requests)
        }
    }
}

fn serve_gate() -> io::Result<()> {
    let handler = Arc::new(Fixed(vec![b'.'; ANSWER_BYTES]));
    let server = Server::start(Server::bind("127.0.0.1", 0)?, Limits::spoke(), handler)?;
    println!("{}", server.address().port());
    io::stdin().read_line(&mut String::new())?;
    server.stop();
    Ok(())
}

fn serve_bare() -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?.port());
    let body = vec![b'.'; ANSWER_BYTES];
    let mut request = [0; 8192];
    loop {
        let (mut client, _) = listener.accept()?;
        if client.read(&mut request)? > 0 {
            let mut answer = BARE_HEAD.as_bytes().to_vec();
            answer.extend_from_slice(&body);
            client.write_all(&answer)?;
        }
    }
}

fn measure(name: &str, mode: &str, requests: usize) -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "a bench starts what it measures")]
    let mut server = Command::new(std::env::current_exe()?)
        .arg(mode)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let outcome = measure_running(name, &mut server, requests);
    server.kill()?;
    server.wait()?;
    outcome
}

fn measure_running(name: &str, server: &mut Child, requests: usize) -> io::Result<()> {
    let mut line = String::new();
    if let Some(stdout) = server.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    let port: u16 = line.trim().parse().map_err(io::Error::other)?;
    for _ in 0..WARM_UP {
        get(port)?;
    }
    let before = cpu_time(server.id())?;
    let mut times: Vec<Duration> = (0..requests).map(|_| get(port)).collect::<Result<_, _>>()?;
    let cpu = cpu_time(server.id())?.saturating_sub(before);
    times.sort_unstable();
    let per_request = cpu.as_secs_f64() * 1e6 / requests as f64;
    let p50 = times.get(requests / 2).map_or(0.0, |time| time.as_secs_f64() * 1e6);
    println!("{name:<12} {per_request:>16.1} {p50:>12.1} {:>10}", rss_kib(server.id())?);
    Ok(())
}

fn get(port: u16) -> io::Result<Duration> {
    let start = Instant::now();
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    client.write_all(REQUEST)?;
    let mut answer = Vec::with_capacity(2 * ANSWER_BYTES);
    client.read_to_end(&mut answer)?;
    if answer.len() < ANSWER_BYTES {
        return Err(io::Error::other(format!("an answer of {} bytes", answer.len())));
    }
    Ok(start.elapsed())
}

/// CPU time of all threads: the first figure of `/proc/PID/task/TID/schedstat`, in
/// nanoseconds (`Documentation/scheduler/sched-stats.rst`).
fn cpu_time(process: u32) -> io::Result<Duration> {
    let mut total = 0;
    for task in fs::read_dir(format!("/proc/{process}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        let first = text.split_whitespace().next().unwrap_or_default();
        total += first.parse::<u64>().map_err(io::Error::other)?;
    }
    Ok(Duration::from_nanos(total))
}

fn rss_kib(process: u32) -> io::Result<String> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").to_owned())
}
