//! A server to be attacked by `tests/http_server`, in a process of its own, so that
//! its threads, descriptors and memory can be counted.
//!
//! Arguments: `spoke` or `server`, then `name=number` for what differs from that
//! preset. It prints the port, and stops the server at the word `stop`.

use std::fs::File;
use std::io::{self, BufRead as _};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use pattoo_common::allow_from::AllowFrom;
use pattoo_common::http_server::{self, Answer, Handler, Limits, Request, Server};

/// The largest answer of a spoke.
const BIG_BYTES: usize = 3 << 20;
/// An answer as a spoke usually gives it.
const USUAL_BYTES: usize = 30_000;

struct Routes;

impl Handler for Routes {
    fn answer(&self, request: &Request) -> Answer {
        match request.path.as_str() {
            "/" => Answer::from_data(vec![b'.'; USUAL_BYTES]),
            "/big" => Answer::from_data(vec![b'.'; BIG_BYTES]),
            "/peer" => Answer::from_data(request.peer.ip().to_string()),
            "/length" => Answer::from_data(request.body.len().to_string()),
            "/wait" => {
                let wanted = request.query.as_deref().unwrap_or_default().parse();
                let end = Instant::now() + Duration::from_millis(wanted.unwrap_or(0));
                while let Some(left) = end.checked_duration_since(Instant::now()) {
                    thread::park_timeout(left);
                }
                Answer::from_data("waited")
            }
            _ => http_server::error(404, "no such path"),
        }
    }
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut limits = match arguments.next().as_deref() {
        Some("server") => Limits::server(),
        _ => Limits::spoke(),
    };
    limits.product = "under-attack/1";
    let (mut address, mut wasted) = ("127.0.0.1", Vec::new());
    let mut descriptors_to_waste = 0;
    for argument in arguments {
        let (name, number) = argument.split_once('=').unwrap_or((argument.as_str(), "1"));
        let number: usize = number.parse().map_err(io::Error::other)?;
        let time = Duration::from_millis(number as u64);
        match name {
            "connections" => limits.connections = number,
            "workers" => limits.workers = number,
            "head_ms" => limits.head_time = time,
            "body_ms" => limits.body_time = time,
            "answer_ms" => limits.answer_time = time,
            "write_ms" => limits.write_time = time,
            "both_families" => address = "::",
            "no_ipv6" => {
                let networks = vec!["127.0.0.0/8".parse().map_err(io::Error::other)?];
                limits.allow_from = AllowFrom::new(networks);
            }
            "descriptors" => limit_descriptors(number as u64)?,
            "waste" => descriptors_to_waste = number,
            _ => return Err(io::Error::other(format!("{argument}: unknown"))),
        }
    }
    let server = Server::start(Server::bind(address, 0)?, limits, Arc::new(Routes))?;
    for _ in 0..descriptors_to_waste {
        wasted.extend(File::open("/dev/null").ok());
    }
    println!("{}", server.address().port());
    let mut lines = io::stdin().lock().lines();
    if let Some(Ok(_stop)) = lines.next() {
        server.stop();
        println!("stopped");
        lines.next();
    }
    Ok(())
}

#[allow(unsafe_code)]
fn limit_descriptors(number: u64) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: number, rlim_max: number };
    // SAFETY: the pointer is to a live rlimit, which the call only reads.
    match unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
