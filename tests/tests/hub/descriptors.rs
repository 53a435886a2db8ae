//! Many devices, and few files that may be open.

use std::process::Stdio;

use pattoo_tests::{
    HubOptions, PATIENCE, Receiver, StandInSpoke, binary_of_system, command, wait_until,
};

use crate::hub::{Hub, OURS, every_second, of_hub};

const DEVICES: usize = 200;

#[test]
fn few_descriptors_are_enough_for_many_devices() {
    let spokes: Vec<StandInSpoke> = (0..DEVICES).map(|_| StandInSpoke::start("many")).collect();
    let server = Receiver::start(OURS);
    let options = every_second(&spokes.iter().collect::<Vec<_>>(), &server);
    // Time enough for so many.
    let options = HubOptions { interval_seconds: 10, ..options };
    let hub = Hub::install("many", options);
    let limited = format!("ulimit -n 80 && exec {} --foreground", hub.daemon.binary().display());
    let mut process = command(&binary_of_system("sh"), hub.daemon.configuration())
        .args(["-c", &limited])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("all devices are up", 3 * PATIENCE, || {
        let posts = server.posts();
        process.try_wait().unwrap().is_none()
            && posts.iter().any(|post| of_hub(post, "hub_devices_up") == [DEVICES.to_string()])
    });
    process.kill().unwrap();
    process.wait().unwrap();
}
