//! Devices that misbehave in every way: each costs only itself.

use std::net::{Ipv4Addr, TcpListener};

use pattoo_tests::{
    HubOptions, Manner, PATIENCE, Receiver, StandInSpoke, free_port, wait_until, without_lateness,
};

use crate::hub::{Hub, OURS, every_second, expect_all, numbers, of_hub, wait_for_prompt_posts};

/// How a device misbehaves, and what the hub has to say to it.
const MANNERS: [(Manner, &str); 7] = [
    (Manner::Hangs, "no answer before the deadline"),
    (Manner::Dribbles, "no answer before the deadline"),
    (Manner::Garbage, "no HTTP"),
    (Manner::TooLong, "larger than 4194304 bytes"),
    (Manner::Redirects, "302"),
    (Manner::Half, "the answer ends after"),
    (Manner::NoDocument, "no poll document"),
];

const INTERVAL_S: u32 = 5;

/// The port of a device that misbehaves, and what the hub is to say of it.
struct Bad {
    port: u16,
    error: &'static str,
}

#[test]
fn each_that_misbehaves_costs_only_itself() {
    let good = StandInSpoke::start("good");
    let spokes = MANNERS.map(|(manner, _)| {
        let spoke = StandInSpoke::start("bad");
        spoke.set_manner(manner);
        spoke
    });
    let nobody = free_port();
    let mut bad: Vec<Bad> = spokes
        .iter()
        .zip(MANNERS)
        .map(|(spoke, (_, error))| Bad { port: spoke.port(), error })
        .collect();
    bad.push(Bad { port: nobody, error: "cannot connect" });

    let server = Receiver::start(OURS);
    let device = |port| ("127.0.0.1".to_owned(), port);
    let hub = Hub::install(
        "devices",
        HubOptions {
            devices: bad.iter().map(|bad| bad.port).chain([good.port()]).map(device).collect(),
            // Long, so that no other fault is taken for a deadline on a busy machine.
            interval_seconds: INTERVAL_S,
            ..every_second(&[], &server)
        },
    );
    hub.daemon.start();
    let posts = wait_for_prompt_posts(&server, ("127.0.0.1", good.port()), 3);
    for post in &posts {
        let of = |port, key| post.of_device(("127.0.0.1", port), key);
        assert_eq!(of(good.port(), "hub_poll_up"), ["1"]);
        assert_eq!(
            (of_hub(post, "hub_devices"), of_hub(post, "hub_devices_up")),
            (vec!["9"], vec!["1"])
        );
        for Bad { port, error } in &bad {
            assert_eq!(of(*port, "hub_poll_up"), ["0"], "{error}");
            let told = of(*port, "hub_poll_error");
            assert!(told.len() == 1 && told[0].contains(error), "{told:?}, wanted {error}");
            assert!(of(*port, "hub_poll_agent_id").is_empty());
        }
    }
    // In every batch, and nothing of the others.
    expect_all(&numbers(&server, &good));
    assert!(numbers(&server, &good).len() >= posts.len());
    assert_eq!(server.values("bad", "sequence").len(), 0);
    // Not followed, and not asked for twice.
    let polls = good.paths().len();
    for (spoke, (manner, _)) in spokes.iter().zip(MANNERS) {
        let paths = spoke.paths();
        assert!(paths.len() <= polls + 1, "{manner:?}: {} of {polls}", paths.len());
        let wanted = format!("/pattoo-agent-linux/{INTERVAL_S}");
        assert!(paths.iter().all(|path| *path == wanted), "{manner:?}: {paths:?}");
    }
    let lines = |hub: &Hub, port: u16, state: &str| {
        hub.log().matches(&format!("127.0.0.1:{port}: {state}")).count()
    };
    for Bad { port, error } in &bad {
        assert_eq!(lines(&hub, *port, "down: "), 1, "one line a change, {error}: {}", hub.log());
        assert_eq!(lines(&hub, *port, "up"), 0, "{error}");
    }

    for spoke in &spokes {
        spoke.set_manner(Manner::Well);
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, nobody)).unwrap();
    let _late = StandInSpoke::on(listener, "late");
    wait_until("all are up", PATIENCE, || {
        server.posts().iter().any(|post| of_hub(post, "hub_devices_up") == ["9"])
    });
    hub.daemon.stop();
    for Bad { port, error } in &bad {
        assert_eq!(lines(&hub, *port, "up"), 1, "{error}: {}", hub.log());
    }
    let of_good = format!("127.0.0.1:{}: down: ", good.port());
    let log = hub.log();
    assert!(!without_lateness(&log).0.iter().any(|line| line.contains(&of_good)), "{log}");
    expect_all(&numbers(&server, &good));
}
