//! Devices that misbehave, and many of them.

use std::net::{Ipv4Addr, TcpListener};

use pattoo_tests::{Manner, Taken, command};

use super::*;

/// The last value of a key about a device.
fn last(server: &Receiver, port: u16, key: &str) -> Option<String> {
    let about = |sample: &&Taken| {
        let of_device = ("hub_device_port".to_owned(), port.to_string());
        sample.key == key && sample.metadata.contains(&of_device)
    };
    let posts = server.posts();
    posts.last()?.samples.iter().find(about).map(|sample| sample.value.clone())
}

#[test]
fn each_kind_of_misbehaviour_is_named_once_and_keeps_no_one_waiting() {
    let manners = [
        (Manner::Hangs, "no answer before the deadline"),
        (Manner::Dribbles, "before the deadline"),
        (Manner::Garbage, "no HTTP"),
        (Manner::TooLong, "larger than"),
        (Manner::Redirects, "answered 302"),
        (Manner::Half, "the answer ends after"),
        (Manner::NoDocument, "no poll document"),
    ];
    let good = StandInSpoke::start("good");
    let bad = manners.map(|(manner, _)| {
        let spoke = StandInSpoke::start("bad");
        spoke.set_manner(manner);
        spoke
    });
    let server = Receiver::start("pattood/1");
    let devices = [&good].into_iter().chain(&bad).map(StandInSpoke::device).collect();
    let hub = install("devices-bad", devices, &server, "");
    hub.daemon.start();
    polls(&good, 4);
    expect_everything(&server, &good);

    for (spoke, (manner, wanted)) in bad.iter().zip(manners) {
        let port = spoke.port();
        assert_eq!(last(&server, port, "hub_poll_up").as_deref(), Some("0"), "{manner:?}");
        let error = last(&server, port, "hub_poll_error").unwrap();
        assert!(error.contains(wanted), "{manner:?}: {error}");
        assert_eq!(last(&server, port, "hub_poll_agent_id"), None);
        let lines = hub.log_lines(&[&format!("127.0.0.1:{port}: down:")]);
        assert_eq!(lines, 1, "{manner:?}: once in\n{}", hub.log());
        spoke.set_manner(Manner::Well);
    }
    assert_eq!(last(&server, good.port(), "hub_poll_up").as_deref(), Some("1"));

    for spoke in &bad {
        let up = || last(&server, spoke.port(), "hub_poll_up").as_deref() == Some("1");
        wait_until("the device is up again", PATIENCE, up);
        assert_eq!(hub.log_lines(&[&format!("127.0.0.1:{}: up", spoke.port())]), 1);
    }
}

#[test]
fn few_descriptors_are_enough_for_many_devices() {
    let spoke = StandInSpoke::on(TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap(), "many");
    let server = Receiver::start("pattood/1");
    let devices = (1..=200).map(|host| (format!("127.0.0.{host}"), spoke.port())).collect();
    let hub = install("devices-many", devices, &server, "");
    let shell = pattoo_tests::binary_of_system("sh");
    let limited = format!("ulimit -n 80 && exec {} --foreground", hub.daemon.binary().display());
    let mut process = command(&shell, hub.daemon.configuration())
        .args(["-c", &limited])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_until("all devices are up", PATIENCE, || {
        process.try_wait().unwrap().is_none()
            && server.values(&host_name(&server), "hub_devices_up").contains(&"200".to_owned())
    });
    process.kill().unwrap();
    process.wait().unwrap();
}

/// The hub's own host name, as it tells it.
fn host_name(server: &Receiver) -> String {
    let posts = server.posts();
    let own = posts.iter().flat_map(|post| &post.samples).find(|sample| sample.program == HUB);
    own.map(|sample| sample.target.clone()).unwrap_or_default()
}
