//! Very many clients, and clients that come and go.

use std::io::Write as _;
use std::net::TcpStream;

use pattoo_tests::loopback::{raise_descriptor_limit, reset};

use crate::victim::{Victim, wait_until};

/// Descriptors that the tests of this process need at the same time beside a batch.
const OTHERS: usize = 700;
const IDLE: usize = 5_000;
/// The connections of a spoke.
const SPOKE: usize = 256;

#[test]
fn thousands_that_say_nothing() {
    let victim = Victim::start(&["spoke"]);
    let threads = victim.threads();
    let batch = raise_descriptor_limit().saturating_sub(OTHERS).clamp(SPOKE, IDLE / 2);
    for _ in 0..IDLE.div_ceil(batch) {
        let idle: Vec<TcpStream> = (0..batch).map(|_| victim.connect()).collect();
        victim.assert_serves();
        assert!(victim.open_connections() <= SPOKE);
        assert_eq!(victim.threads(), threads);
        drop(idle);
    }
    victim.assert_back_at_rest();
}

#[test]
fn hundreds_that_dribble() {
    let victim = Victim::start(&["spoke", "head_ms=3000"]);
    let mut dribblers: Vec<TcpStream> = (0..SPOKE).map(|_| victim.connect()).collect();
    for byte in b"GET / HTTP/1.1\r\nHost: h\r\nA: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" {
        for client in &mut dribblers {
            let _ = client.write_all(&[*byte]);
        }
        if byte.is_ascii_whitespace() {
            victim.assert_serves();
        }
    }
    // They lose their places by the deadline, though they stay connected.
    victim.assert_back_at_rest();
    victim.assert_serves();
}

/// 256 heads of nearly 8 KiB would take twice the room that heads have.
#[test]
fn hundreds_of_heads_that_are_never_whole() {
    let victim = Victim::start(&["spoke"]);
    let head = format!("GET / HTTP/1.1\r\nA: {}", "b".repeat(8_000));
    let mut clients: Vec<TcpStream> = (0..SPOKE).map(|_| victim.connect()).collect();
    for client in &mut clients {
        let _ = client.write_all(head.as_bytes());
    }
    wait_until("some to be closed for want of room", || {
        let open = victim.open_connections();
        (open > SPOKE * 3 / 4).then(|| format!("{open} are open"))
    });
    victim.assert_serves();
    drop(clients);
    victim.assert_back_at_rest();
}

#[test]
fn requests_followed_by_a_reset() {
    let victim = Victim::start(&["spoke"]);
    for round in 0..2_000 {
        let mut client = victim.connect();
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        reset(client);
        if round % 100 == 0 {
            victim.assert_serves();
        }
    }
    victim.assert_back_at_rest();
}

#[test]
fn bodies_that_are_announced_and_never_sent() {
    let victim = Victim::start(&["server", "body_ms=5000"]);
    let head = "POST /length HTTP/1.1\r\nContent-Length: 30000000\r\n\r\n";
    let mut clients: Vec<TcpStream> = (0..200).map(|_| victim.connect()).collect();
    for client in &mut clients {
        client.write_all(head.as_bytes()).unwrap();
    }
    victim.assert_serves();
    assert!(victim.peak_memory_kib() < 32 << 10, "{} KiB", victim.peak_memory_kib());
    let mut request = head.as_bytes().to_vec();
    request.resize(head.len() + 30_000_000, b'x');
    assert_eq!(victim.exchange(request).body, b"30000000");
    victim.assert_back_at_rest();
}

/// 100 begun bodies of 1 MiB would take all the room of bodies several times.
#[test]
fn bodies_that_are_begun_and_left_alone() {
    let victim = Victim::start(&["server"]);
    let head = "POST /length HTTP/1.1\r\nContent-Length: 30000000\r\n\r\n";
    let mut begun = head.as_bytes().to_vec();
    begun.resize(head.len() + (1 << 20), b'x');
    let mut clients: Vec<TcpStream> = (0..100).map(|_| victim.connect()).collect();
    for client in &mut clients {
        client.set_nonblocking(true).unwrap();
        let _ = client.write(&begun);
    }
    victim.assert_serves();
    let mut batch = b"POST /length HTTP/1.1\r\nContent-Length: 8000000\r\n\r\n".to_vec();
    batch.resize(batch.len() + 8_000_000, b'x');
    // A test that is kept from sending for a second has its own batch put out for want
    // of room, as those that were begun.
    let mut reply = victim.exchange(&batch);
    for _ in 0..10 {
        if reply.status == 503 {
            reply = victim.exchange(&batch);
        }
    }
    assert_eq!(reply.body, b"8000000", "{}", reply.head);
    assert!(victim.peak_memory_kib() < 64 << 10, "{} KiB", victim.peak_memory_kib());
    drop(clients);
    victim.assert_back_at_rest();
}

#[test]
fn requests_in_a_row_that_nobody_reads_the_answers_of() {
    let victim = Victim::start(&["spoke"]);
    let many = "GET / HTTP/1.1\r\n\r\n".repeat(400_000);
    let mut client = victim.connect();
    let _ = client.write_all(many.as_bytes());
    victim.assert_serves();
    assert!(victim.peak_memory_kib() < 16 << 10, "{} KiB", victim.peak_memory_kib());
    victim.assert_back_at_rest();
}
