//! What a shared secret costs, in CPU time of one thread: the hub's part of a
//! signed poll of 30 kB, the spoke's, and the server's part of a post of 8 MiB.
//!
//! `sign_cost [rounds]` needs no network. `RUSTFLAGS='--cfg sha2_backend="soft"'`
//! builds it as for a processor without instructions for SHA-256.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use pattoo_common::http_server::{Answer, Handler, Method, Request};
use pattoo_common::signature::{Guard, LiveSecrets, NONCES_OF_SERVER, Secrets};

const ROUNDS: usize = 3_000;
/// Polls between two looks at the clock, which itself costs some microseconds.
const AT_ONCE: usize = 100;
const ANSWER_BYTES: usize = 30_000;
const BATCH_BYTES: usize = 8 << 20;
const POLL: &str = "/pattoo-agent-linux/300";
const RECEIVE: &str = "/pattoo/api/v1/agent/receive/hub";

struct Fixed(usize);

impl Handler for Fixed {
    fn answer(&self, _: &Request) -> Answer {
        Answer::from_data(vec![b'.'; self.0])
    }
}

fn main() -> io::Result<()> {
    let rounds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(ROUNDS);
    let secrets = secrets()?;
    println!("CPU of one thread, {rounds} rounds");
    poll(&secrets, rounds)?;
    post(&secrets, (rounds / 100).max(1))
}

/// A file with a secret, as everybody has one.
fn secrets() -> io::Result<Secrets> {
    let path = std::env::temp_dir().join(format!("pattoo-sign-cost-{}", std::process::id()));
    fs::write(&path, format!("site1 {}\n", "5a".repeat(32)))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    let secrets = Secrets::read(&path).map_err(io::Error::other);
    fs::remove_file(path)?;
    secrets
}

fn guard(secrets: Option<&Secrets>, answer_bytes: usize) -> Guard<Fixed> {
    let live = Arc::new(LiveSecrets::new(secrets.cloned()));
    Guard::new(Fixed(answer_bytes), live, NONCES_OF_SERVER)
}

fn request(method: Method, path: &str, lines: &str, body: Vec<u8>) -> Request {
    let lines = lines.lines().filter_map(|line| line.split_once(": "));
    let headers = lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let peer = ([127, 0, 0, 1], 1).into();
    Request { method, path: path.to_owned(), query: None, headers, body, peer }
}

fn poll(secrets: &Secrets, rounds: usize) -> io::Result<()> {
    let (signing, plain) = (guard(Some(secrets), ANSWER_BYTES), guard(None, ANSWER_BYTES));
    let (mut hub_ns, mut spoke_ns, mut plain_ns) = (0, 0, 0);
    for _ in 0..rounds / AT_ONCE {
        let mut watch = Watch::start()?;
        let signed: Vec<_> = (0..AT_ONCE).map(|_| secrets.sign_request("GET", POLL, b"")).collect();
        hub_ns += watch.lap()?;
        let requests: Vec<_> = signed
            .iter()
            .map(|signed| request(Method::Get, POLL, signed.header_lines(), Vec::new()))
            .collect();
        watch.lap()?;
        let unsigned: Vec<_> = requests.iter().map(|request| plain.answer(request)).collect();
        plain_ns += watch.lap()?;
        let answers: Vec<_> = requests.iter().map(|request| signing.answer(request)).collect();
        spoke_ns += watch.lap()?;
        let replies: Vec<_> = answers.into_iter().map(reply).collect();
        drop(unsigned);
        watch.lap()?;
        for (signed, (status, headers, body)) in signed.iter().zip(&replies) {
            signed.check_answer(*status, headers, body).map_err(io::Error::other)?;
        }
        hub_ns += watch.lap()?;
    }
    let each_us = |ns: u64| ns as f64 / (rounds / AT_ONCE * AT_ONCE) as f64 / 1_000.0;
    println!("hub, a poll: signs it, checks {ANSWER_BYTES} bytes: {:.1} us", each_us(hub_ns));
    println!(
        "spoke, a poll: checks it, signs {ANSWER_BYTES} bytes: {:.1} us",
        each_us(spoke_ns.saturating_sub(plain_ns))
    );
    Ok(())
}

/// An answer as a hub has read it.
fn reply(answer: Answer) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let headers = answer.headers().iter();
    let headers =
        headers.map(|header| (header.field.to_string(), header.value.to_string())).collect();
    (answer.status_code().0, headers, answer.into_reader().into_inner())
}

fn post(secrets: &Secrets, rounds: usize) -> io::Result<()> {
    let guard = guard(Some(secrets), 2);
    let mut body = vec![b'.'; BATCH_BYTES];
    let (mut hub_ns, mut server_ns) = (0, 0);
    for _ in 0..rounds {
        let mut watch = Watch::start()?;
        let signed = secrets.sign_request("POST", RECEIVE, &body);
        hub_ns += watch.lap()?;
        let request = request(Method::Post, RECEIVE, signed.header_lines(), body);
        watch.lap()?;
        let status = guard.answer(&request).status_code().0;
        server_ns += watch.lap()?;
        if status != 200 {
            return Err(io::Error::other(format!("a signed post is answered {status}")));
        }
        body = request.body;
    }
    let each_ms = |ns: u64| ns as f64 / rounds as f64 / 1e6;
    println!("hub, a post of {BATCH_BYTES} bytes: {:.2} ms", each_ms(hub_ns));
    println!("server, a post of {BATCH_BYTES} bytes: {:.2} ms", each_ms(server_ns));
    Ok(())
}

/// Tells the CPU time between two laps.
struct Watch(u64);

impl Watch {
    fn start() -> io::Result<Self> {
        cpu_ns().map(Self)
    }

    fn lap(&mut self) -> io::Result<u64> {
        let now = cpu_ns()?;
        Ok(now - std::mem::replace(&mut self.0, now))
    }
}

/// What this thread has used of the processor: proc(5), `schedstat`.
fn cpu_ns() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split(' ').next().and_then(|number| number.parse().ok());
    first.ok_or_else(|| io::Error::other("schedstat holds no number"))
}
