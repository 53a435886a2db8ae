//! Programs that have few descriptors, or suddenly fewer than they need.

use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use pattoo_tests::attack::Target;
use pattoo_tests::fresh_client::FreshClient;
use pattoo_tests::loopback::{connect_from, limit_descriptors_of};
use pattoo_tests::{Process, Server};

use crate::door::{Figures, Growth, Spoke, agents, assert_back_at_rest, at_rest, web};

const PATIENCE: Duration = Duration::from_secs(1);
/// Descriptors that the program may have beside those that it has at rest.
const SPARE: usize = 4;

/// accept(2) fails with EMFILE while crowds come, which must not close the door.
fn fewer_than_before(process: Process, target: &Target) {
    let before = at_rest(process, std::slice::from_ref(target));
    let limit = Figures::of(process).descriptors + SPARE;
    let was = limit_descriptors_of(process, limit as u64);
    let client = FreshClient::start(target.port, &target.fresh);
    for _ in 0..3 {
        let idle: Vec<std::io::Result<TcpStream>> = (0..200)
            .map(|_| connect_from(Ipv4Addr::new(127, 0, 0, 2), target.port, PATIENCE))
            .collect();
        assert!(idle.iter().any(Result::is_ok));
        assert!(Figures::of(process).descriptors <= limit);
    }
    let answers = client.finish();
    // Who comes while the last descriptor is in use waits for it.
    assert!(answers.good > 0 && answers.bad.is_empty(), "{answers:?}");
    limit_descriptors_of(process, was);
    assert_back_at_rest(process, before, Growth::SERVER);
    FreshClient::start(target.port, &target.fresh)
        .finish()
        .assert_answered("with descriptors again");
}

#[test]
fn a_spoke_that_runs_out_of_descriptors() {
    let spoke = Spoke::new("");
    let process = spoke.daemon.start();
    fewer_than_before(process, &spoke.target());
    assert!(spoke.log().contains("out of descriptors"), "{}", spoke.log());
    spoke.daemon.stop();
}

#[test]
fn a_server_that_runs_out_of_descriptors() {
    let server = Server::start("front-door");
    fewer_than_before(server.daemon.pid(), &agents(&server));
    fewer_than_before(server.daemon.pid(), &web(&server));
    assert!(server.log().contains("out of descriptors"), "{}", server.log());
    server.daemon.stop();
}
