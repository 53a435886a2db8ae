//! A server that goes away in every way a server can, for five intervals, and
//! comes back.

use std::thread;

use pattoo_tests::{Mood, PATIENCE, Receiver, StandInSpoke, wait_until};

use crate::hub::{Hub, OURS, every_second, expect_all, numbers, of_hub, wait_for_number};

/// Intervals that each outage lasts.
const INTERVALS: usize = 5;

#[derive(Debug, Clone, Copy)]
enum Outage {
    /// Connections are refused.
    Stopped,
    /// Posts are read and never answered.
    Hangs,
    /// Posts are answered with each of these in turn.
    Answers(&'static [u16]),
}

#[test]
fn nothing_is_missing_doubled_or_out_of_order() {
    // At once, for they wait most of the time.
    thread::scope(|scope| {
        for (name, outage) in [
            ("stopped", Outage::Stopped),
            ("hangs", Outage::Hangs),
            ("fails", Outage::Answers(&[500])),
            // A key or a route that somebody is about to mend.
            ("locked", Outage::Answers(&[401, 403, 404])),
        ] {
            scope.spawn(move || survive(name, outage));
        }
    });
}

fn survive(name: &'static str, outage: Outage) {
    let spoke = StandInSpoke::start(name);
    let mut server = Receiver::start(OURS);
    let hub = Hub::install(name, every_second(&[&spoke], &server));
    hub.daemon.start();
    wait_for_number(&server, &spoke, 1);

    let requests = server.requests();
    match outage {
        Outage::Stopped => server.stop_listening(),
        Outage::Hangs => {
            server.set_mood(Mood::Hangs);
            wait_until("a post hangs", PATIENCE, || server.requests() > requests);
        }
        Outage::Answers(statuses) => {
            for (done, status) in statuses.iter().enumerate() {
                server.set_mood(Mood::Answers(*status));
                wait_until(&format!("a post is answered {status}"), PATIENCE, || {
                    server.requests() > requests + done
                });
            }
        }
    }
    let before = spoke.answered().len();
    wait_until("the hub polls on", PATIENCE, || spoke.answered().len() >= before + INTERVALS);
    let held_up = spoke.answered().len() as u64;
    wait_until("all but the last is on disk", PATIENCE, || hub.spool().len() + 1 >= INTERVALS);
    // What was under way when the outage began may have come through.
    assert!(numbers(&server, &spoke).len() <= before + 1, "{outage:?}");

    match outage {
        Outage::Stopped => server.listen_again(),
        Outage::Hangs | Outage::Answers(_) => server.set_mood(Mood::Well),
    }
    wait_for_number(&server, &spoke, held_up + 1);
    hub.daemon.stop();
    expect_all(&numbers(&server, &spoke));
    assert_eq!(hub.bad().len(), 0, "{outage:?}: nothing was wrong with the batches");

    let posts = server.posts();
    let most = posts.iter().flat_map(|post| of_hub(post, "hub_spool_batches"));
    let most = most.map(|batches| batches.parse::<usize>().unwrap()).max().unwrap();
    assert!(most + 2 >= INTERVALS, "{outage:?}: the hub told of at most {most} batches");
    assert!(posts.iter().all(|post| of_hub(post, "hub_spool_dropped") == ["0"]));
    let log = hub.log();
    assert_eq!(log.matches("takes batches again").count(), 1, "{outage:?}: {log}");
}
