//! The whole way from spoke to server, with the right secret and with others.

use std::fs;
use std::path::Path;

use pattoo_tests::{Daemon, PATIENCE, Server, http_get, send_signal, wait_until, without_lateness};

use crate::site::{NEXT, OTHERS, OURS, POLL, hub, secrets, send, server, set_secrets, spoke};

/// Where the server says what it is.
const STATUS: &str = "/pattoo/api/v1/agent/status";

fn is_stored(server: &Server, name: &str) -> bool {
    !server.series("uptime", name).is_empty()
}

#[test]
fn with_one_secret_everything_flows() {
    let (spoke, server) = (spoke("web1", Some(OURS)), server(Some(OURS), ""));
    let hub = hub(&[spoke.port], server.agent_port, Some(OURS));
    wait_until("a poll is stored", PATIENCE, || is_stored(&server, "web1"));
    wait_until("the spool is empty", PATIENCE, || hub.spool() == (0, 0));
    for log in [spoke.log(), hub.log(), server.log()] {
        assert!(!log.contains("wrong") && !log.contains("not signed"), "{log}");
    }
}

#[test]
fn while_secrets_are_exchanged_everything_flows() {
    let both = [format!("{OURS}\n{NEXT}\n"), format!("{NEXT}\n{OURS}\n")];
    let (spoke, server) = (spoke("web1", Some(&both[0])), server(Some(&both[0]), ""));
    let old = hub(&[spoke.port], server.agent_port, Some(OURS));
    wait_until("the old one is taken", PATIENCE, || is_stored(&server, "web1"));
    old.daemon.stop();
    server.daemon.stop();
    spoke.daemon.stop();

    let spoke = crate::site::spoke("web2", Some(&both[1]));
    let server = crate::site::server(Some(&both[1]), "");
    let hub = hub(&[spoke.port], server.agent_port, Some(&both[0]));
    wait_until("the first of each need not be the same", PATIENCE, || is_stored(&server, "web2"));
    hub.daemon.stop();
    let new = crate::site::hub(&[spoke.port], server.agent_port, Some(NEXT));
    wait_until("the new one is taken", PATIENCE, || new.log().contains(": up"));
}

/// The three rounds of docs/secrecy.md, while everything runs.
#[test]
fn a_secret_is_exchanged_without_a_missed_poll() {
    let (spoke, server) = (spoke("web1", Some(OURS)), server(Some(OURS), ""));
    let hub = hub(&[spoke.port], server.agent_port, Some(OURS));
    let polled = || hub.log().matches("polled 1 of 1 devices").count();
    wait_until("the hub polls", PATIENCE, || polled() >= 1);
    let change = |daemon: &Daemon, folder: &Path, text: &str| {
        fs::write(folder.join("secret"), text).unwrap();
        assert!(send_signal(daemon.pid(), libc::SIGHUP));
    };
    let change_both = |text: &str| {
        change(&spoke.daemon, spoke.folder.path(), text);
        change(&server.daemon, server.daemon.configuration(), text);
    };
    let are_taken = |text: &str| {
        let by = secrets(text);
        [(spoke.port, POLL), (server.agent_port, STATUS)].map(|(port, target)| {
            let signed = by.sign_request("GET", target, b"");
            send(port, ("GET", target), &signed, &[], None).status == 200
        })
    };
    change_both(&format!("{OURS}\n{NEXT}\n"));
    wait_until("both take the new one", PATIENCE, || are_taken(NEXT) == [true; 2]);
    assert_eq!(are_taken(OURS), [true; 2]);
    change(&hub.daemon, hub.folder.path(), &format!("{NEXT}\n{OURS}\n"));
    wait_until("the hub has it", PATIENCE, || hub.log().contains("SIGHUP: secret_file: "));
    let before = polled();
    wait_until("polls go on with the new one", PATIENCE, || polled() >= before + 2);
    change_both(NEXT);
    wait_until("neither takes the old one", PATIENCE, || are_taken(OURS) == [false; 2]);
    let before = polled();
    wait_until("polls go on without the old one", PATIENCE, || polled() >= before + 2);
    wait_until("the spool is empty", PATIENCE, || hub.spool() == (0, 0));
    let log = hub.log();
    let (lines, _) = without_lateness(&log);
    assert!(!lines.iter().any(|line| line.contains("down: ")), "{log}");
    assert!(!log.contains("does not take"), "{log}");
}

/// A file that cannot be used changes nothing for those who run.
#[test]
fn a_bad_file_leaves_the_old_secret_in_force() {
    let spoke = spoke("web1", Some(OURS));
    fs::write(spoke.folder.join("secret"), "site1 short").unwrap();
    send_signal(spoke.daemon.pid(), libc::SIGHUP);
    wait_until("it is told", PATIENCE, || spoke.log().contains("the old one goes on"));
    assert!(spoke.log().contains("line 1: the secret has 5 characters"), "{}", spoke.log());
    let ours = secrets(OURS);
    let signed = ours.sign_request("GET", POLL, b"");
    assert_eq!(send(spoke.port, ("GET", POLL), &signed, &[], None).status, 200);
    assert_eq!(http_get(spoke.port, POLL).unwrap().status, 401);
}

#[test]
fn a_hub_without_the_secret_gets_nothing_and_keeps_its_batches() {
    let (spoke, server) = (spoke("web1", Some(OURS)), server(Some(OURS), ""));
    let hub = hub(&[spoke.port], server.agent_port, None);
    wait_until("batches wait", PATIENCE, || hub.spool().0 >= 2);
    hub.wait_for_log("down: answered 401, 200 wanted");
    hub.wait_for_log("does not take batches: the server answered 401");
    spoke.wait_for_log("not signed in the form of pattoo");
    assert!(!is_stored(&server, "web1"));
}

#[test]
fn a_hub_with_another_secret_gets_nothing_and_the_logs_say_why() {
    for (wrong, reason) in [
        (OTHERS, "wrong secret: not signed with the \"site1\" of our secret_file"),
        (NEXT, "wrong secret: signed with \"site2\", which is not in our secret_file"),
    ] {
        let (spoke, server) = (spoke("web1", Some(OURS)), server(Some(OURS), ""));
        let hub = hub(&[spoke.port], server.agent_port, Some(wrong));
        wait_until("batches wait", PATIENCE, || hub.spool().0 >= 2);
        assert_eq!(hub.spool().1, 0, "none is given up");
        let told =
            "the answer is not taken: it is 401 and not signed, so either the secrets differ";
        hub.wait_for_log(&format!("down: {told}"));
        hub.wait_for_log(&format!("does not take batches: {told}"));
        spoke.wait_for_log(reason);
        wait_until("the server says why", PATIENCE, || server.log().contains(reason));
        assert!(!is_stored(&server, "web1"));
    }
}

#[test]
fn a_hub_with_a_secret_believes_neither_spoke_nor_server_without_one() {
    let (spoke, server) = (spoke("web1", None), server(None, ""));
    let hub = hub(&[spoke.port], server.agent_port, Some(OURS));
    wait_until("batches wait", PATIENCE, || hub.spool().0 >= 2);
    let told = "the answer is not taken: it is 200 and not signed";
    hub.wait_for_log(&format!("down: {told}"));
    hub.wait_for_log(&format!("does not take batches: {told}"));
    assert!(!is_stored(&server, "web1"), "what an unsigned answer said went no further");

    // Once the server has the secret, it gets all that was kept.
    server.daemon.stop();
    set_secrets(&server, Some(OURS), "");
    server.daemon.start();
    wait_until("the spool is empty", PATIENCE, || hub.spool() == (0, 0));
}

#[test]
fn posts_may_have_a_secret_of_their_own() {
    let (spoke, server) = (spoke("web1", Some(OURS)), server(Some(NEXT), ""));
    let hub = hub(&[spoke.port], server.agent_port, Some(OURS));
    wait_until("batches wait", PATIENCE, || hub.spool().0 >= 1);
    hub.daemon.stop();
    let folder = hub.folder.join("posts");
    fs::create_dir(&folder).unwrap();
    let file = crate::site::secret_file(&folder, NEXT);
    let configuration = hub.folder.join("etc/pattoo_agent_linux_hubd.yaml");
    let text = fs::read_to_string(&configuration).unwrap();
    fs::write(&configuration, format!("{text}post_secret_file: {}\n", file.display())).unwrap();
    hub.daemon.start();
    wait_until("a poll is stored", PATIENCE, || is_stored(&server, "web1"));
    wait_until("the spool is empty", PATIENCE, || hub.spool() == (0, 0));
}
