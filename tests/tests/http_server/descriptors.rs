//! A server that has no descriptors left.

use std::net::TcpStream;

use crate::victim::{Victim, wait_until};

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
    // Workers have the only descriptors: the next waits until one is free.
    let ask = |path| {
        let mut client = victim.connect();
        std::io::Write::write_all(&mut client, format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes())
            .unwrap();
        client
    };
    let (first, second) = (ask("/wait?300"), ask("/peer"));
    assert_eq!(crate::victim::Reply::read(second).body, b"127.0.0.1");
    assert_eq!(crate::victim::Reply::read(first).body, b"waited");
    let before = victim.context_switches();
    wait_until("rest", || (victim.open_connections() > 0).then(String::new));
    assert!(victim.context_switches() - before < 50, "a door that cannot open does not spin");
    victim.assert_back_at_rest();
}
