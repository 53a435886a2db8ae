//! A batch that the server never takes.

use std::fs;

use pattoo_common::document::Document;
use pattoo_tests::{Manner, Mood, PATIENCE, Receiver, StandInSpoke, wait_until};

use crate::hub::{Hub, OURS, every_second, expect_all, numbers, wait_for_number};

#[test]
fn a_refused_batch_is_set_aside_and_those_behind_it_arrive() {
    let spoke = StandInSpoke::start("web1");
    let server = Receiver::start(OURS);
    // Only batches of intervals in which the device was down have this key.
    server.set_mood(Mood::RefusesKey("hub_poll_error"));
    let hub = Hub::install("refused", every_second(&[&spoke], &server));
    hub.daemon.start();
    wait_for_number(&server, &spoke, 1);
    spoke.set_manner(Manner::Garbage);
    wait_until("a batch is set aside", PATIENCE, || !hub.bad().is_empty());
    spoke.set_manner(Manner::Well);
    wait_for_number(&server, &spoke, spoke.answered().len() as u64 + 2);
    hub.daemon.stop();

    expect_all(&numbers(&server, &spoke));
    let log = hub.log();
    for path in hub.bad() {
        let body = fs::read(&path).unwrap();
        let document = Document::parse(&body).unwrap();
        let mut samples = document.samples().map(Result::unwrap);
        assert!(samples.any(|sample| sample.key == "hub_poll_error"), "{}", path.display());
        let name = path.display().to_string();
        let told: Vec<&str> = log.lines().filter(|line| line.contains(&name)).collect();
        assert_eq!(told.len(), 1, "{name}: {log}");
        assert!(told[0].contains("set aside") && told[0].contains("400"), "{}", told[0]);
    }
}
