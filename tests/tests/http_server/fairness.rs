//! Many requests of one address, and one of another.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpStream};

use crate::victim::{Reply, Victim, wait_until};

const MANY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const SOME: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

fn ask(victim: &Victim, source: Ipv4Addr, path: &str) -> TcpStream {
    let mut client = victim.connect_as(source);
    client.write_all(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
    client
}

/// Waits until so many connections are open, whose requests have come with them.
fn wait_for_open(victim: &Victim, wanted: usize) {
    wait_until("the connections", || {
        let open = victim.open_connections();
        (open != wanted).then(|| format!("{open} are open"))
    });
}

#[test]
fn one_request_does_not_wait_for_a_hundred_of_another_address() {
    let victim = Victim::start(&["spoke", "workers=1", "answer_ms=60000"]);
    // Holds the only worker until the others are there.
    let first = ask(&victim, MANY, "/wait?5000");
    let many: Vec<TcpStream> = (0..100).map(|_| ask(&victim, MANY, "/wait?100")).collect();
    wait_until("all to have come in", || (victim.open_connections() < 90).then(String::new));
    victim.assert_serves();
    let open = victim.open_connections();
    assert!(open > 50, "it came after a hundred and was answered after {}", 100 - open);
    drop((first, many));
    victim.assert_back_at_rest();
}

#[test]
fn one_address_may_not_have_more_than_half_of_the_places_waiting() {
    let victim = Victim::start(&["spoke", "workers=1", "answer_ms=60000", "connections=20"]);
    // Holds the only worker until the others are there.
    let at_work = ask(&victim, MANY, "/wait?5000");
    wait_for_open(&victim, 1);
    let waiting: Vec<TcpStream> = (0..10).map(|_| ask(&victim, MANY, "/")).collect();
    wait_for_open(&victim, 11);
    let reply = Reply::read(ask(&victim, MANY, "/"));
    assert_eq!(reply.status, 503);
    assert_eq!(reply.error(), "too many requests of this address wait already");
    assert_eq!(Reply::read(at_work).body, b"waited");
    for client in waiting {
        assert_eq!(Reply::read(client).status, 200);
    }
    victim.assert_back_at_rest();
}

/// Its request is on its way for as long as a network takes, while others come and go.
#[test]
fn a_storm_pushes_out_itself_and_not_one_that_is_slow_to_ask() {
    let victim = Victim::start(&["spoke", "connections=20"]);
    let mut slow = victim.connect_as(SOME);
    let idle: Vec<TcpStream> = (0..200).map(|_| victim.connect_as(MANY)).collect();
    wait_for_open(&victim, 20);
    slow.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(Reply::read(slow).status, 200);
    drop(idle);
    victim.assert_back_at_rest();
}

#[test]
fn a_full_house_takes_in_one_more_address() {
    let victim = Victim::start(&["spoke", "workers=1", "answer_ms=60000", "connections=4"]);
    // Holds the only worker until the others are there.
    let at_work = ask(&victim, MANY, "/wait?5000");
    wait_for_open(&victim, 1);
    let first = ask(&victim, MANY, "/");
    wait_for_open(&victim, 2);
    let second = ask(&victim, MANY, "/");
    wait_for_open(&victim, 3);
    let other = ask(&victim, SOME, "/");
    wait_for_open(&victim, 4);
    victim.assert_serves();
    assert_eq!(Reply::read(second).status, 0, "the last of the address with most had to go");
    for client in [at_work, first, other] {
        assert_eq!(Reply::read(client).status, 200);
    }
    victim.assert_back_at_rest();
}
