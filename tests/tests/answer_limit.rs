//! A machine with ten thousand interfaces: the real spoke's answer stays within
//! its limit, the most important comes first, and a real hub takes it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::HashSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use pattoo_common::document::{Document, Sample};
use pattoo_tests::{
    Daemon, Folder, HubOptions, PATIENCE, Receiver, SpokeOptions, binary, free_port, http_get, run,
    wait_until, write_hub_config, write_spoke_config,
};

const SPOKE: &str = "pattoo_agent_linux_spoked";
const HUB: &str = "pattoo_agent_linux_hubd";

/// docs/limits.md has both.
const MAX_ANSWER_BYTES: usize = 3 << 20;
const INTERFACES: usize = 10_000;

/// Datapoints of one interface.
const OF_INTERFACE: usize = 8;

/// A current server, with so many interfaces of containers before the one that
/// there is hardware for.
fn machine(tree: &Folder, virtual_interfaces: usize) {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/x86_64-server/proc");
    for file in
        ["stat", "uptime", "loadavg", "vmstat", "meminfo", "diskstats", "cpuinfo", "filesystems"]
    {
        tree.write(format!("proc/{file}"), &fs::read_to_string(fixture.join(file)).unwrap());
    }
    let mut interfaces = "Inter-|   Receive  |  Transmit\n face |bytes\n".to_owned();
    let names = (0..virtual_interfaces).map(|number| format!("veth{number}"));
    for (name, number) in names.chain(["eno1".to_owned()]).zip(1_000_000_u64..) {
        let _ = writeln!(
            interfaces,
            "{name}: {number} {number} 0 0 0 0 0 0 {number} {number} 0 0 0 0 0 0"
        );
    }
    tree.write("proc/net/dev", &interfaces);
    fs::create_dir_all(tree.join("sys/class/net/eno1/device")).unwrap();
    tree.write("proc/self/mounts", "/dev/sda1 / ext4 rw 0 0\n");
}

struct Spoke {
    port: u16,
    daemon: Daemon,
    folder: Folder,
}

fn spoke(virtual_interfaces: usize) -> Spoke {
    let folder = Folder::new("answer-limit");
    machine(&folder, virtual_interfaces);
    let port = free_port();
    let root = folder.path().display();
    let more = format!(
        "hostname: crowded.example.net\nproc_directory: {root}/proc\nsys_directory: {root}/sys\nroot_directory: {root}\n"
    );
    let configuration = write_spoke_config(&folder, &SpokeOptions { port, fixture: None, more });
    let pid_file = folder.join(format!("run/pid/{SPOKE}.pid"));
    let daemon = Daemon::new(binary(SPOKE), &configuration, pid_file);
    daemon.start();
    Spoke { port, daemon, folder }
}

fn left_out(head: &str) -> Option<usize> {
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    let header = headers.find(|(name, _)| name.eq_ignore_ascii_case("pattoo-left-out"));
    header.map(|(_, count)| count.parse().unwrap())
}

/// The interfaces or disks that the datapoints are about, one a datapoint.
fn about(samples: &[Sample<'_>], key: &str) -> Vec<String> {
    let pairs = samples.iter().flat_map(Sample::metadata);
    pairs.filter(|(name, _)| name == key).map(|(_, value)| value.into_owned()).collect()
}

#[test]
fn ten_thousand_interfaces_leave_room_for_the_machine_and_its_hardware() {
    let spoke = spoke(INTERFACES);
    // The first answer reckons every checksum, for which a debug build on a busy
    // machine may need longer than an answer may take.
    wait_until("the checksums are reckoned", PATIENCE, || {
        http_get(spoke.port, "/pattoo-agent-linux/300").unwrap().status == 200
    });
    let answer = http_get(spoke.port, "/pattoo-agent-linux/300").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.head);
    assert!(answer.body.len() <= MAX_ANSWER_BYTES, "{} bytes", answer.body.len());
    assert!(answer.body.len() > MAX_ANSWER_BYTES * 9 / 10, "{} bytes", answer.body.len());

    let document = Document::parse(&answer.body).unwrap();
    let samples: Vec<Sample<'_>> = document.samples().collect::<Result<_, _>>().unwrap();
    // All that is told of the machine, once each, and of its hardware.
    for key in [
        "cpu_times_user",
        "cpu_times_percent_idle",
        "memory_total",
        "load_average_01min",
        "uptime",
        "swap_memory_sin",
        "disk_partition_disk_usage_total",
    ] {
        assert_eq!(samples.iter().filter(|sample| sample.key == key).count(), 1, "{key}");
    }
    let interfaces = about(&samples, "network_io_interface");
    assert_eq!(interfaces.iter().filter(|name| **name == "eno1").count(), OF_INTERFACE);
    let diskstats = fs::read_to_string(spoke.folder.join("proc/diskstats")).unwrap();
    let disks: HashSet<String> = about(&samples, "disk_partition").into_iter().collect();
    for line in diskstats.lines() {
        let name = line.split_whitespace().nth(2).unwrap();
        assert_eq!(disks.contains(name), !name.starts_with("loop"), "{name}");
    }

    // What is left out is counted to the datapoint, said in the log once, and
    // shown to a person.
    let count = left_out(&answer.head).unwrap();
    assert_eq!(interfaces.len() + count, (INTERFACES + 1) * OF_INTERFACE);
    let next = http_get(spoke.port, "/pattoo-agent-linux/300").unwrap();
    let count = left_out(&next.head).unwrap();
    let log = fs::read_to_string(spoke.folder.join(format!("log/{SPOKE}.log"))).unwrap();
    assert_eq!(log.matches("are left out").count(), 1, "{log}");
    let page = http_get(spoke.port, "/").unwrap();
    assert!(page.body.len() <= MAX_ANSWER_BYTES, "{} bytes", page.body.len());
    let page = String::from_utf8(page.body).unwrap();
    assert!(page.contains(&format!("no room for {count} datapoints")), "the page tells");

    // A hub takes what is left.
    let server = Receiver::start("pattood/1");
    let folder = Folder::new("answer-limit-hub");
    let options = HubOptions {
        devices: vec![("127.0.0.1".to_owned(), spoke.port)],
        interval_seconds: 60,
        server_port: server.port(),
        more: "hostname: hub.example.net\n".to_owned(),
    };
    let once = run(&binary(HUB), &write_hub_config(&folder, &options), &["--once"]);
    assert_eq!(once.code, 0, "{once:?}");
    assert!(once.stdout.contains("1 of 1 devices are up"), "{once:?}");
    let posts = server.posts();
    let of_spoke = posts.iter().flat_map(|post| &post.samples);
    let of_spoke = of_spoke.filter(|sample| sample.target == "crowded.example.net");
    // Ids of one digit more or less make room for some hundred less or more.
    let taken = of_spoke.count();
    assert!(taken.abs_diff(samples.len()) < samples.len() / 20, "{taken}, {}", samples.len());
    spoke.daemon.stop();
}

#[test]
fn a_machine_with_fewer_tells_everything() {
    let spoke = spoke(100);
    let answer = http_get(spoke.port, "/pattoo-agent-linux/300").unwrap();
    assert_eq!(left_out(&answer.head), None, "{}", answer.head);
    let document = Document::parse(&answer.body).unwrap();
    let samples: Vec<Sample<'_>> = document.samples().collect::<Result<_, _>>().unwrap();
    assert_eq!(about(&samples, "network_io_interface").len(), 101 * OF_INTERFACE);
    spoke.daemon.stop();
}
