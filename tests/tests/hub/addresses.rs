//! Host names, IPv4 and IPv6, with and without brackets, for devices and for the
//! server.

use std::net::{Ipv6Addr, TcpListener};

use pattoo_tests::{HubOptions, Receiver, StandInSpoke};

use crate::hub::{Hub, OURS, every_second, of_hub};

/// A listener at `::1`; `None`, and a line that says so, where there is none.
fn at_ipv6() -> Option<TcpListener> {
    TcpListener::bind((Ipv6Addr::LOCALHOST, 0))
        .inspect_err(|error| eprintln!("skipped: no IPv6 on loopback: {error}"))
        .ok()
}

#[test]
fn devices_and_servers_are_reached_in_every_form() {
    let ipv4 = [("localhost", "localhost"), ("127.0.0.1", "127.0.0.1")];
    // As written, and as the hub's figures tell it: without brackets.
    let ipv6 = [("::1", "::1"), ("[::1]", "::1"), ("0:0::0:1", "0:0::0:1")];
    let mut spokes = Vec::new();
    for (written, told) in ipv4 {
        spokes.push((StandInSpoke::start("v4"), written, told));
    }
    for (written, told) in ipv6 {
        if let Some(listener) = at_ipv6() {
            spokes.push((StandInSpoke::on(listener, "v6"), written, told));
        }
    }
    let servers = ["localhost", "127.0.0.1"].map(|host| (host, Receiver::start(OURS)));
    let more_servers = ["::1", "[::1]"]
        .into_iter()
        .filter_map(|host| Some((host, Receiver::on(at_ipv6()?, OURS))));

    for (host, server) in servers.into_iter().chain(more_servers) {
        let devices: Vec<_> =
            spokes.iter().map(|(spoke, host, _)| ((*host).to_owned(), spoke.port())).collect();
        let count = devices.len().to_string();
        // Time enough for every device; `--once` does not wait for its end.
        let options = HubOptions { devices, interval_seconds: 60, ..every_second(&[], &server) };
        let hub = Hub::install("addresses", options);
        hub.post_to(host, server.port());
        let once = hub.daemon.run(&["--once"]);
        assert_eq!(once.code, 0, "{host}: {once:?}");
        let posts = server.posts();
        assert_eq!(posts.len(), 1, "{host}");
        assert_eq!(of_hub(&posts[0], "hub_devices_up"), [count], "{host}: {once:?}");
        for (spoke, _, told) in &spokes {
            assert_eq!(posts[0].of_device((told, spoke.port()), "hub_poll_up"), ["1"], "{told}");
        }
    }
}
