//! What strangers do to an open port. Each attack goes on until it is told to stop,
//! and never waits long for the attacked.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::loopback::{connect_from, read_little, reset};

/// An attacker waits at most so long for one thing.
const PATIENCE: Duration = Duration::from_secs(1);
/// Pause between two bytes, or two looks at what became of the connections.
const PAUSE: Duration = Duration::from_millis(100);
/// Connections that one attacker holds at once; all attacks together stay within the
/// descriptors of a usual process.
const HELD: usize = 1_000;
/// Where attackers come from.
const ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// The port that is attacked.
#[derive(Debug, Clone)]
pub struct Target {
    /// The port on 127.0.0.1.
    pub port: u16,
    /// The path that a fresh client asks for.
    pub fresh: String,
    /// A path with an answer, as large as there is one.
    pub get: String,
    /// A path to post to.
    pub post: String,
}

/// One way to be a nuisance.
#[derive(Debug, Clone, Copy)]
pub struct Attack {
    /// Its name in reports.
    pub name: &'static str,
    run: fn(&Target, &AtomicBool),
}

impl Attack {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self { name: "idle connections, up to 5,000", run: idle },
        Self { name: "a byte each 100 ms, 1,000 times", run: dribble },
        Self { name: "a byte a second, 1,000 times", run: dribble_slowly },
        Self { name: "reconnect storm", run: reconnect },
        Self { name: "requests followed by RST", run: requests_and_resets },
        Self { name: "bodies announced and never sent", run: bodies_never_sent },
        Self { name: "lengths of 10^12 and 10^19", run: endless_lengths },
        Self { name: "heads of 100 MB", run: endless_heads },
        Self { name: "odd heads, HTTP/2.0 and 0.9", run: odd_heads },
        Self { name: "pipelining without reading", run: pipeline },
        Self { name: "chunked bodies", run: chunks },
        Self { name: "answers that nobody reads", run: unread_answers },
        Self { name: "answers read a byte at a time", run: slow_readers },
        Self { name: "requests that end half way", run: half_requests },
    ];

    /// Goes on until `stop` is set.
    pub fn run(&self, target: &Target, stop: &AtomicBool) {
        (self.run)(target, stop);
    }
}

fn connect(target: &Target) -> Option<TcpStream> {
    connect_from(ATTACKER, target.port, PATIENCE).ok()
}

fn is_over(stop: &AtomicBool) -> bool {
    stop.load(Ordering::Relaxed)
}

fn pause() {
    thread::park_timeout(PAUSE);
}

/// Sends what the other side takes; it may have had enough at any byte.
fn send(client: &mut TcpStream, bytes: &[u8]) -> bool {
    client.write_all(bytes).is_ok()
}

fn idle(target: &Target, stop: &AtomicBool) {
    while !is_over(stop) {
        // Each thousand takes the places of those before it.
        let _held: Vec<_> =
            (0..HELD).map_while(|_| (!is_over(stop)).then(|| connect(target))).collect();
        pause();
    }
}

fn dribble(target: &Target, stop: &AtomicBool) {
    dribble_in_turns(target, stop, 1);
}

/// In each pause another tenth of them sends its byte: a thousand bytes a second.
fn dribble_slowly(target: &Target, stop: &AtomicBool) {
    dribble_in_turns(target, stop, 10);
}

/// Holds connections that each send a byte of a head, once in so many pauses. Those that
/// are closed are replaced.
fn dribble_in_turns(target: &Target, stop: &AtomicBool, turns: usize) {
    let head = b"GET / HTTP/1.1\r\nHost: h\r\nA: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    let mut clients: Vec<(TcpStream, usize)> = Vec::new();
    for round in 0.. {
        let mut place = 0;
        clients.retain_mut(|(client, sent)| {
            place += 1;
            if place % turns != round % turns {
                return true;
            }
            *sent += 1;
            send(client, &head[(*sent - 1) % head.len()..][..1])
        });
        for _ in clients.len()..HELD {
            match connect(target) {
                Some(client) if !is_over(stop) => clients.push((client, 0)),
                _ => break,
            }
        }
        pause();
        if is_over(stop) {
            return;
        }
    }
}

fn reconnect(target: &Target, stop: &AtomicBool) {
    while !is_over(stop) {
        drop(connect(target));
    }
}

fn requests_and_resets(target: &Target, stop: &AtomicBool) {
    let request = format!("GET {} HTTP/1.1\r\n\r\n", target.get);
    while !is_over(stop) {
        if let Some(mut client) = connect(target) {
            send(&mut client, request.as_bytes());
            reset(client);
        }
    }
}

/// Holds connections that each sent these bytes.
fn hold(target: &Target, stop: &AtomicBool, bytes: &[u8]) {
    while !is_over(stop) {
        let mut clients = Vec::new();
        while clients.len() < HELD && !is_over(stop) {
            let Some(mut client) = connect(target) else { break };
            send(&mut client, bytes);
            clients.push(client);
        }
        pause();
    }
}

fn bodies_never_sent(target: &Target, stop: &AtomicBool) {
    let head = format!("POST {} HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n", target.post);
    let mut begun = head.into_bytes();
    begun.resize(begun.len() + 10_000, b'x');
    hold(target, stop, &begun);
}

fn endless_lengths(target: &Target, stop: &AtomicBool) {
    while !is_over(stop) {
        for zeros in [12, 19] {
            let length = "0".repeat(zeros);
            let head =
                format!("POST {} HTTP/1.1\r\nContent-Length: 1{length}\r\n\r\n", target.post);
            ask(target, head.as_bytes());
        }
    }
}

/// Sends, and takes at most a little of the answer.
fn ask(target: &Target, bytes: &[u8]) {
    if let Some(mut client) = connect(target) {
        send(&mut client, bytes);
        let _ = client.read(&mut [0; 512]);
    }
}

fn endless_heads(target: &Target, stop: &AtomicBool) {
    let part = vec![b'a'; 1 << 20];
    while !is_over(stop) {
        let Some(mut client) = connect(target) else { continue };
        let mut goes_on = send(&mut client, b"GET / HTTP/1.1\r\nA: ");
        for _ in 0..100 {
            goes_on = goes_on && !is_over(stop) && send(&mut client, &part);
        }
    }
}

fn odd_heads(target: &Target, stop: &AtomicBool) {
    let heads: [&[u8]; 14] = [
        b"GET / HTTP/2.0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/0.9\r\n\r\n",
        b"GET /\r\n",
        b"GET / HTTP/1.1\nHost: h\n\n",
        b"GET / HTTP/1.1\r\nA: \0\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nA: \xff\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"CONNECT h:80 HTTP/1.1\r\n\r\n",
    ];
    while !is_over(stop) {
        heads.iter().take_while(|_| !is_over(stop)).for_each(|head| ask(target, head));
    }
}

fn pipeline(target: &Target, stop: &AtomicBool) {
    let many = format!("GET {} HTTP/1.1\r\n\r\n", target.get).repeat(10_000);
    hold(target, stop, many.as_bytes());
}

fn chunks(target: &Target, stop: &AtomicBool) {
    let head = format!("POST {} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", target.post);
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let request = head + &chunk.repeat(8);
    while !is_over(stop) {
        ask(target, request.as_bytes());
    }
}

fn unread_answers(target: &Target, stop: &AtomicBool) {
    hold(target, stop, format!("GET {} HTTP/1.1\r\n\r\n", target.get).as_bytes());
}

fn slow_readers(target: &Target, stop: &AtomicBool) {
    let request = format!("GET {} HTTP/1.1\r\n\r\n", target.get);
    let mut clients: Vec<TcpStream> = Vec::new();
    while !is_over(stop) {
        clients.retain_mut(|client| matches!(client.read(&mut [0]), Ok(1)));
        let until = Instant::now() + PAUSE;
        while clients.len() < HELD && Instant::now() < until {
            let Some(mut client) = connect(target) else { break };
            read_little(&client);
            send(&mut client, request.as_bytes());
            clients.push(client);
        }
    }
}

fn half_requests(target: &Target, stop: &AtomicBool) {
    while !is_over(stop) {
        for half in ["GET / HT", "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf"] {
            let Some(mut client) = connect(target) else { continue };
            send(&mut client, half.as_bytes());
            let _ = client.shutdown(std::net::Shutdown::Write);
            let _ = client.read(&mut [0; 512]);
        }
    }
}
