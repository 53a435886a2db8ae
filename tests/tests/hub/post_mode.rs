//! `post_mode: auto`: what our own server gets, and what one of the original
//! survives.

use std::net::{Ipv4Addr, TcpListener};

use pattoo_tests::{PATIENCE, Receiver, StandInSpoke, wait_until};

use crate::hub::{
    HOST, Hub, ID, OURS, every_second, expect_all, numbers, numbers_of, wait_for_number,
};

/// The `Server` header of the original.
const ORIGINAL: &str = "gunicorn/20.0.4";

#[test]
fn an_original_server_gets_each_document_unchanged_and_oldest_first() {
    let spokes = [StandInSpoke::start("web1"), StandInSpoke::start("web2")];
    let mut server = Receiver::start(ORIGINAL);
    let hub = Hub::install("gunicorn", every_second(&[&spokes[0], &spokes[1]], &server));
    hub.daemon.start();
    wait_for_number(&server, &spokes[1], 1);
    server.stop_listening();
    let held_up = spokes[0].answered().len() as u64 + 2;
    wait_until("some are on disk", PATIENCE, || hub.spooled_numbers().contains(&held_up));
    server.listen_again();
    for spoke in &spokes {
        wait_for_number(&server, spoke, held_up + 1);
    }
    hub.daemon.stop();

    for spoke in &spokes {
        expect_all(&numbers(&server, spoke));
    }
    for post in server.posts() {
        assert_eq!(post.path, format!("/pattoo/api/v1/agent/receive/{ID}"));
        let mut targets: Vec<&str> = post.samples.iter().map(|s| s.target.as_str()).collect();
        targets.dedup();
        assert_eq!(targets.len(), 1, "one document a post: {targets:?}");
        if let Some(spoke) = spokes.iter().find(|spoke| spoke.name() == targets[0]) {
            let number = usize::try_from(numbers_of(&post.body)[0]).unwrap();
            assert_eq!(post.body, spoke.documents()[number - 1]);
        } else {
            assert_eq!((targets[0], post.agent_id.as_str()), (HOST, ID));
        }
    }
}

#[test]
fn our_server_gets_one_merged_batch() {
    let spokes = [StandInSpoke::start("web1"), StandInSpoke::start("web2")];
    let server = Receiver::start(OURS);
    let hub = Hub::install("pattood", every_second(&[&spokes[0], &spokes[1]], &server));
    hub.daemon.start();
    wait_for_number(&server, &spokes[0], 3);
    hub.daemon.stop();
    for (post, number) in server.posts().iter().zip(1..) {
        assert_eq!(post.agent_id, ID);
        assert_eq!(numbers_of(&post.body), [number, number], "both, once each");
        assert_eq!(post.samples.iter().filter(|s| s.key == "hub_cycle_duration").count(), 1);
    }
}

#[test]
fn an_original_server_in_the_place_of_ours_gets_no_merged_batch() {
    let spokes = [StandInSpoke::start("web1"), StandInSpoke::start("web2")];
    let mut server = Receiver::start(OURS);
    let hub = Hub::install("swapped", every_second(&[&spokes[0], &spokes[1]], &server));
    hub.daemon.start();
    wait_for_number(&server, &spokes[0], 1);
    server.stop_listening();
    wait_until("merged batches are on disk", PATIENCE, || hub.spool().len() >= 2);
    let last = *hub.spooled_numbers().last().unwrap();
    let first_held_up = hub.spooled_numbers()[0];

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, server.port())).unwrap();
    let original = Receiver::on(listener, ORIGINAL);
    for spoke in &spokes {
        wait_for_number(&original, spoke, last + 1);
    }
    hub.daemon.stop();
    for post in original.posts() {
        let target = &post.samples[0].target;
        assert!(post.samples.iter().all(|sample| sample.target == *target), "{post:?}");
    }
    for spoke in &spokes {
        let mut posted = numbers(&server, spoke);
        assert_eq!(posted.len() as u64 + 1, first_held_up);
        posted.extend(numbers(&original, spoke));
        expect_all(&posted);
    }
}
