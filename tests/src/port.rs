//! Ports of loopback.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below those that the kernel gives to clients, which take no heed of a port that
/// was given out and is not listened at yet.
const FIRST: u16 = 10_240;
const COUNT: u16 = 20_480;

/// A TCP port of 127.0.0.1 that was free a moment ago, and that this process does
/// not give out again for a long time. Processes begin at places of their own.
pub fn free_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let place = u32::from(COUNT) * (std::process::id() % 127) / 127;
    let start = u16::try_from(place).unwrap_or(0);
    (0..COUNT)
        .map(|_| FIRST + (start + GIVEN.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("a free port")
}
