//! An end while everything hangs that can.

use pattoo_tests::{
    HubOptions, Manner, Mood, PATIENCE, Receiver, SilentNameServer, StandInSpoke, is_alive,
    is_late, wait_until,
};

use crate::hub::{Hub, OURS, every_second, files, wait_for_prompt_posts};

/// More than the threads that look names up at once.
const NAMES: u16 = 6;

/// The name of a host that cannot be: RFC 2606.
fn name(number: u16) -> String {
    format!("host{number}.invalid")
}

/// Without one the system's name server is asked, which may answer at once.
fn silent_name_server() -> Option<SilentNameServer> {
    SilentNameServer::start()
        .inspect_err(|lacks| eprintln!("skipped: a name server that hangs: {lacks}"))
        .ok()
}

#[test]
fn names_that_cannot_be_resolved_cost_only_themselves() {
    let name_server = silent_name_server();
    let good = StandInSpoke::start("good");
    let server = Receiver::start(OURS);
    let mut options = every_second(&[], &server);
    options.devices = (1..=NAMES).map(|number| (name(number), 5000)).collect();
    options.devices.push(good.device());
    let hub = Hub::install("names", options);
    hub.daemon.start();
    if let Some(name_server) = &name_server {
        name_server.wait_until_asked();
    }
    let of_good = ("127.0.0.1", good.port());
    for post in wait_for_prompt_posts(&server, of_good, 3) {
        assert_eq!(post.of_device(of_good, "hub_poll_up"), ["1"]);
        for number in 1..=NAMES {
            let of = |key| post.of_device((&name(number), 5000), key);
            assert_eq!(of("hub_poll_up"), ["0"]);
            let error = of("hub_poll_error")[0];
            assert!(error.contains("not resolved") || is_late(error), "{error}");
        }
    }
    hub.daemon.stop();
}

/// Stops of which one must be swift: on a machine that stands still for a moment, what
/// is told to end is given up although it was about to.
const STOPS: usize = 3;

#[test]
fn a_stop_does_not_wait_for_polls_posts_and_look_ups() {
    let mut slow = Vec::new();
    while let Some(log) = given_up_at_a_stop() {
        slow.push(log);
        assert!(slow.len() < STOPS, "{slow:?}");
    }
}

/// Stops a hub of which all hangs that can. Gives its log if something was waited for
/// until it was given up.
fn given_up_at_a_stop() -> Option<String> {
    let name_server = silent_name_server();
    let [hangs, dribbles] = [Manner::Hangs, Manner::Dribbles].map(|manner| {
        let spoke = StandInSpoke::start("bad");
        spoke.set_manner(manner);
        spoke
    });
    let server = Receiver::start(OURS);
    let mut options = every_second(&[&hangs, &dribbles], &server);
    options.devices.extend((1..=NAMES).map(|number| (name(number), 5000)));
    // Far longer than `--stop` is ready to wait.
    let more = format!("{}poll_timeout: 300\n", options.more);
    let options = HubOptions { interval_seconds: 600, more, ..options };
    let hub = Hub::install("stop", options);
    hub.post_to("server.invalid", server.port());
    let process = hub.daemon.start();
    wait_until("polls hang", PATIENCE, || {
        !hangs.paths().is_empty() && !dribbles.paths().is_empty()
    });
    if let Some(name_server) = &name_server {
        name_server.wait_until_asked();
    }
    hub.daemon.stop();
    assert!(!is_alive(process));
    assert!(!hub.daemon.pid_file().exists());
    let log = hub.log();
    assert!(log.contains("ends: SIGTERM"), "{log}");
    assert!(files(&hub.spool_folder()).is_empty());
    log.contains("not waited for").then_some(log)
}

#[test]
fn a_stop_does_not_wait_for_a_post_that_hangs() {
    let spoke = StandInSpoke::start("web1");
    let server = Receiver::start(OURS);
    server.set_mood(Mood::Hangs);
    let options = HubOptions { interval_seconds: 600, ..every_second(&[&spoke], &server) };
    let hub = Hub::install("hanging-post", options);
    let process = hub.daemon.start();
    wait_until("a post hangs", PATIENCE, || server.requests() >= 1);
    hub.daemon.stop();
    assert!(!is_alive(process));
    hub.expect_whole_batches();
    assert_eq!(hub.spooled_numbers(), [1], "what was not acknowledged is on disk");
    assert_eq!(files(&hub.spool_folder()).len(), 1);
}
