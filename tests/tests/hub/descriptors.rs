//! Many devices, and few files that may be open.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;

use pattoo_tests::{
    HubOptions, PATIENCE, Receiver, StandInSpoke, binary_of_system, command, wait_until,
};

use crate::hub::{Hub, OURS, every_second, of_hub};

const DEVICES: u8 = 200;

#[test]
fn few_descriptors_are_enough_for_many_devices() {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let spoke = StandInSpoke::on(listener, "many");
    let server = Receiver::start(OURS);
    let devices = (1..=DEVICES).map(|host| (format!("127.0.0.{host}"), spoke.port())).collect();
    let options = HubOptions { devices, interval_seconds: 2, ..every_second(&[], &server) };
    let hub = Hub::install("many", options);
    let limited = format!("ulimit -n 80 && exec {} --foreground", hub.daemon.binary().display());
    let mut process = command(&binary_of_system("sh"), hub.daemon.configuration())
        .args(["-c", &limited])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("all devices are up", PATIENCE, || {
        let posts = server.posts();
        process.try_wait().unwrap().is_none()
            && posts.iter().any(|post| of_hub(post, "hub_devices_up") == [DEVICES.to_string()])
    });
    process.kill().unwrap();
    process.wait().unwrap();
}
