//! A hub with a secret, between a spoke and a server that have none and would
//! like to be believed.

use pattoo_tests::{PATIENCE, Receiver, StandInSpoke, wait_until};

use crate::site::{OURS, hub};

#[test]
fn an_unsigned_200_of_a_server_acknowledges_nothing() {
    let (spoke, server) = (StandInSpoke::start("web1"), Receiver::start("pattood/1"));
    let hub = hub(&[spoke.port()], server.port(), Some(OURS));
    wait_until("it was posted and is kept", PATIENCE, || {
        !server.posts().is_empty() && hub.spool().0 >= 2
    });
    assert_eq!(hub.spool().1, 0);
    assert!(server.values("web1", "sequence").is_empty(), "an unsigned poll goes no further");
    hub.wait_for_log("not signed; the other side wants a secret_file");
    hub.daemon.stop();
    // The batches are there still: a hub that trusts again delivers them.
    let configuration = hub.folder.join("etc/pattoo_agent_linux_hubd.yaml");
    let text = std::fs::read_to_string(&configuration).unwrap();
    let kept: Vec<_> = text.lines().filter(|line| !line.starts_with("secret_file")).collect();
    std::fs::write(&configuration, kept.join("\n")).unwrap();
    hub.daemon.start();
    wait_until("the spool is empty", PATIENCE, || hub.spool() == (0, 0));
    wait_until("polls are believed", PATIENCE, || !server.values("web1", "sequence").is_empty());
}

#[test]
fn an_unsigned_refusal_of_a_server_gives_no_batch_up() {
    let (spoke, server) = (StandInSpoke::start("web1"), Receiver::start("pattood/1"));
    server.set_mood(pattoo_tests::Mood::Answers(400));
    let hub = hub(&[spoke.port()], server.port(), Some(OURS));
    wait_until("it was refused and is kept", PATIENCE, || {
        server.requests() >= 2 && hub.spool().0 >= 2
    });
    assert_eq!(hub.spool().1, 0, "nothing is set aside");
    hub.wait_for_log("it is 400 and not signed");
}

/// As the gate of a server answers under load: it signs nothing.
#[test]
fn an_unsigned_503_is_told_as_what_it_is_and_the_batch_waits() {
    let (spoke, server) = (StandInSpoke::start("web1"), Receiver::start("pattood/1"));
    server.set_mood(pattoo_tests::Mood::Answers(503));
    let hub = hub(&[spoke.port()], server.port(), Some(OURS));
    wait_until("it was refused and is kept", PATIENCE, || {
        server.requests() >= 2 && hub.spool().0 >= 2
    });
    assert_eq!(hub.spool().1, 0, "nothing is set aside");
    let told = "does not take batches: the answer is not taken: it is 503 and not signed: the gate";
    hub.wait_for_log(told);
}
