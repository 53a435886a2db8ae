//! A stop is a stop, whatever hangs.

use pattoo_tests::{Manner, Mood};

use super::*;

#[test]
fn a_stop_does_not_wait_for_polls_posts_or_look_ups() {
    let (hanging, spoke) = (StandInSpoke::start("hangs"), StandInSpoke::start("web1"));
    hanging.set_manner(Manner::Hangs);
    let server = Receiver::start("pattood/1");
    // The first cycle would go on for four minutes, far longer than a stop waits.
    let more = "poll_timeout: 240\nspool: on_failure\n";
    let hub = install("stop-hanging", vec![hanging.device(), spoke.device()], &server, more);
    let config = hub.daemon.configuration().join("pattoo_agent_linux_hubd.yaml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("polling_interval: 1\n", "polling_interval: 300\n")).unwrap();
    hub.daemon.start();
    wait_until("the device is asked", PATIENCE, || !hanging.paths().is_empty());
    assert_eq!(hanging.paths(), ["/pattoo-agent-linux/300"]);
    hub.daemon.stop();

    server.set_mood(Mood::Hangs);
    hanging.set_manner(Manner::Well);
    let asked = server.requests();
    hub.daemon.start();
    wait_until("the server is asked", PATIENCE, || server.requests() > asked);
    hub.daemon.stop();
}
