//! What becomes of the batches when the server misbehaves.

use std::collections::HashSet;
use std::net::TcpListener;

use pattoo_tests::Mood;

use super::*;

#[test]
fn nothing_is_lost_while_the_server_is_away_fails_or_hangs() {
    let spoke = StandInSpoke::start("web1");
    let mut server = Receiver::start("pattood/1");
    let hub = install("server-away", vec![spoke.device()], &server, "");
    hub.daemon.start();
    polls(&spoke, 2);

    server.stop_listening();
    polls(&spoke, 5);
    server.listen_again();
    expect_everything(&server, &spoke);

    for mood in [Mood::Answers(500), Mood::Hangs, Mood::Answers(401)] {
        server.set_mood(mood);
        polls(&spoke, 5);
        server.set_mood(Mood::Well);
        expect_everything(&server, &spoke);
    }
    hub.daemon.stop();
    // One batch an interval, and the hub's own datapoints in each.
    for post in server.posts() {
        assert!(post.path.ends_with(&format!("/pattoo/api/v1/agent/receive/{}", post.agent_id)));
        let of = |key: &str| post.samples.iter().filter(|sample| sample.key == key).count();
        assert_eq!((of("hub_devices_up"), of("sequence")), (1, 1));
    }
}

#[test]
fn an_original_server_gets_one_document_a_post() {
    let spokes = [StandInSpoke::start("web1"), StandInSpoke::start("web2")];
    let server = Receiver::start("gunicorn/20.0.4");
    let devices = spokes.iter().map(StandInSpoke::device).collect();
    let hub = install("server-original", devices, &server, "");
    hub.daemon.start();
    for spoke in &spokes {
        polls(spoke, 3);
        expect_everything(&server, spoke);
    }
    for post in server.posts() {
        let targets: HashSet<_> = post.samples.iter().map(|sample| &sample.target).collect();
        assert_eq!(targets.len(), 1, "{post:?}");
    }
}

#[test]
fn a_refused_document_is_set_aside_and_blocks_nothing() {
    let spoke = StandInSpoke::start("web1");
    let server = Receiver::start("gunicorn/20.0.4");
    server.set_mood(Mood::RefusesKey("hub_poll_error"));
    let nobody = ("127.0.0.1".to_owned(), pattoo_tests::free_port());
    let hub = install("server-refuses", vec![nobody, spoke.device()], &server, "");
    hub.daemon.start();
    polls(&spoke, 4);
    expect_everything(&server, &spoke);
    let bad = hub.spool().join("bad");
    wait_until("what was refused is set aside", PATIENCE, || Installation::batches(&bad) >= 2);
    assert!(hub.log_lines(&["set aside", "the server answered 400"]) >= 2, "{}", hub.log());
}

#[test]
fn ipv6_literals_are_reached() {
    // A machine without IPv6 has nothing to test here.
    let Ok(listener) = TcpListener::bind(("::1", 0)) else { return };
    let spoke = StandInSpoke::on(TcpListener::bind(("::1", 0)).unwrap(), "web6");
    let server = Receiver::on(listener, "pattood/1");
    let hub = install("server-ipv6", vec![("::1".to_owned(), spoke.port())], &server, "");
    hub.folder.write(
        "etc/pattoo_agent.yaml",
        &format!("pattoo_agent_api:\n  ip_address: \"::1\"\n  ip_bind_port: {}\n", server.port()),
    );
    hub.daemon.start();
    polls(&spoke, 1);
    expect_everything(&server, &spoke);
}

#[test]
fn once_prints_a_table_and_leaves_the_spool_of_a_running_hub_alone() {
    let spoke = StandInSpoke::start("web1");
    let mut server = Receiver::start("pattood/1");
    let hub = install("server-once", vec![spoke.device()], &server, "");
    let once = hub.daemon.run(&["--once"]);
    assert_eq!(once.code, 0, "{once:?}");
    assert!(once.stdout.contains("1 of 1 devices are up."), "{once:?}");
    assert_eq!(server.values("web1", "sequence"), ["1"]);
    assert!(!hub.folder.join("cache").exists());

    server.stop_listening();
    hub.daemon.start();
    polls(&spoke, 2);
    let once = hub.daemon.run(&["--once"]);
    assert_eq!(once.code, 1, "{once:?}");
    assert!(once.stderr.contains("did not take everything"), "{once:?}");
    // Whatever it polled has gone nowhere; the daemon's own are all there.
    assert!(Installation::batches(&hub.spool()) >= 2);
}
