//! The memory that a crowd takes is given back when it has gone.

use std::io::Write as _;
use std::net::Ipv4Addr;

use pattoo_tests::loopback::{connect_from, raise_descriptor_limit};
use pattoo_tests::{PATIENCE, Server, wait_until};

use crate::door::{Figures, agents, at_rest};

const CROWD: usize = 1_000;
/// What each of them has sent of a body that never ends: 10 MB in all.
const SENT_BYTES: usize = 10_000;
/// What is taken of it for sure, at some moment: on a busy machine the first are sent
/// away before the last have come.
const TAKEN_KIB: usize = 4 << 10;
/// What the allocator may keep.
const KEPT_KIB: usize = 2 << 10;

#[test]
fn what_a_crowd_took_is_given_back() {
    raise_descriptor_limit();
    let server = Server::start("crowd");
    let process = server.daemon.pid();
    let target = agents(&server);
    at_rest(process, std::slice::from_ref(&target));
    let memory_kib = || Figures::of(process).memory_kib;
    let before = memory_kib();
    let mut begun =
        format!("POST {} HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n", target.post).into_bytes();
    begun.resize(begun.len() + SENT_BYTES, b'x');
    for round in 0..2 {
        let mut with_crowd = 0;
        let crowd: Vec<_> = (0..CROWD)
            .map(|number| {
                if number % 50 == 0 {
                    with_crowd = memory_kib().max(with_crowd);
                }
                let source = Ipv4Addr::new(127, 0, 0, 2);
                let mut client = connect_from(source, target.port, PATIENCE).unwrap();
                client.write_all(&begun).unwrap();
                client
            })
            .collect();
        wait_until("the crowd takes memory", PATIENCE, || {
            with_crowd = memory_kib().max(with_crowd);
            with_crowd >= before + TAKEN_KIB
        });
        drop(crowd);
        wait_until("it is given back", PATIENCE, || memory_kib() <= before + KEPT_KIB);
        println!("round {round}: {before} KiB, {with_crowd} with the crowd, then {}", memory_kib());
    }
    server.daemon.stop();
}
