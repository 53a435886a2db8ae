//! A server that has no descriptors left.

use std::io::Write as _;
use std::net::TcpStream;

use crate::victim::{Reply, Victim};

#[test]
fn slots_fit_the_descriptors_of_the_process() {
    let victim = Victim::start(&["spoke", "descriptors=80"]);
    let idle: Vec<TcpStream> = (0..200).map(|_| victim.connect()).collect();
    victim.assert_serves();
    assert!(victim.open_connections() <= 80 - 32);
    drop(idle);
    victim.assert_back_at_rest();
}

/// 64 descriptors allow 32 connections, but others in the process took so many that
/// accept(2) fails before that.
#[test]
fn the_oldest_go_when_accept_finds_no_descriptor() {
    let victim = Victim::start(&["spoke", "descriptors=64", "waste=40"]);
    for _ in 0..3 {
        let idle: Vec<TcpStream> = (0..200).map(|_| victim.connect()).collect();
        victim.assert_serves();
        drop(idle);
    }
    victim.assert_back_at_rest();
}

#[test]
fn the_spare_descriptor_lets_one_client_in_where_nothing_is_left() {
    let victim = Victim::start(&["spoke", "descriptors=64", "waste=64"]);
    for _ in 0..5 {
        victim.assert_serves();
    }
    // A worker has the only descriptor: the next client waits until it is free.
    let ask = |path| {
        let mut client = victim.connect();
        client.write_all(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
        client
    };
    let before = victim.cpu_ticks();
    let (first, second) = (ask("/wait?1000"), ask("/peer"));
    assert_eq!(Reply::read(second).body, b"127.0.0.1");
    assert_eq!(Reply::read(first).body, b"waited");
    let ticks = victim.cpu_ticks() - before;
    assert!(ticks < 50, "{ticks} hundredths of a second: a door that cannot open must not spin");
    victim.assert_back_at_rest();
}
