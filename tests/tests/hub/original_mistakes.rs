//! What the original got wrong, each with a test that fails where it comes back.
//!
//! | the original | a test here |
//! |---|---|
//! | slept `abs(interval - duration)` after an overrun | [`an_overrun_is_not_caught_up_with`], [`a_device_slower_than_the_interval_delays_no_other`] |
//! | IPv6 targets without brackets | `addresses::devices_and_servers_are_reached_in_every_form` |
//! | no timeout anywhere | `devices::each_that_misbehaves_costs_only_itself`, `shutdown`, `outages` (a server that hangs) |
//! | one post a spoke | `post_mode::our_server_gets_one_merged_batch` |
//! | no cap on its cache | `spool_files::a_full_spool_gives_up_the_oldest_and_counts_it` |
//! | cache not written atomically | `spool_files::an_end_at_any_moment_leaves_no_half_batch` |
//! | replayed in the order of the directory | `spool_files::files_of_the_original_are_taken_up_oldest_first_and_damaged_ones_set_aside` |
//! | corrupt files deleted | the same |
//! | `--status` means "a file exists" | `daemon`: `status_tells_running_stopped_and_dead`, `a_garbage_pid_file_hinders_nothing` |
//! | `--stop` does not check that the process ended | `daemon`: `starts_tells_restarts_and_stops`, `force_kills_what_does_not_end` |
//! | a stale PID file blocks `--start` | `daemon`: `a_stale_pid_file_hinders_nothing`, `a_reused_pid_is_never_signalled` |
//! | umask 0 | `daemon`: `nothing_is_inherited` |
//! | process count, load averages and CPU frequency never sent | `spoke`: `sends_what_the_original_meant_to_send` |
//! | a mount skipped because its path contains "docker" | [`a_mount_whose_path_contains_docker_is_sent`] |
//! | one unreadable mount ends the poll | [`an_unreadable_mount_costs_only_itself`], `hanging_mount` |

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use pattoo_common::document::{Document, Sample};
use pattoo_tests::{
    Folder, Manner, PATIENCE, Receiver, SpokeOptions, StandInSpoke, binary, free_port, run,
    send_signal, wait_until, write_spoke_config,
};

use crate::hub::{Hub, OURS, every_second, wait_for_number};

/// How long a hub is held up: several of its intervals.
const HELD_UP: Duration = Duration::from_secs(4);

#[test]
fn an_overrun_is_not_caught_up_with() {
    let spoke = StandInSpoke::start("web1");
    let server = Receiver::start(OURS);
    let hub = Hub::install("overrun", every_second(&[&spoke], &server));
    let process = hub.daemon.start();
    wait_for_number(&server, &spoke, 1);
    send_signal(process, libc::SIGSTOP);
    let stopped = Instant::now();
    wait_until("its time goes by", PATIENCE, || stopped.elapsed() >= HELD_UP);

    let before = spoke.paths().len();
    let resumed = Instant::now();
    send_signal(process, libc::SIGCONT);
    wait_until("four more polls", PATIENCE, || spoke.paths().len() >= before + 4);
    let polls = (spoke.paths().len() - before) as u64;
    // The one that was due, then one an interval and no more: were the missed
    // ones made up for, four would come at once.
    let most = resumed.elapsed().as_secs() + 2;
    assert!(polls <= most, "{polls} polls, where {most} had their time");
    hub.daemon.stop();
    let log = hub.log();
    assert!(log.contains("left out"), "{log}");
}

#[test]
fn a_device_slower_than_the_interval_delays_no_other() {
    let good = StandInSpoke::start("web1");
    let slow = StandInSpoke::start("web2");
    slow.set_manner(Manner::Dribbles);
    let server = Receiver::start(OURS);
    let hub = Hub::install("slow", every_second(&[&slow, &good], &server));
    let begun = Instant::now();
    hub.daemon.start();
    wait_for_number(&server, &good, 4);
    hub.daemon.stop();
    // Both have their turn in every interval, and neither more than one; the last may be
    // under way, and a busy machine may have had no time for one.
    let (good, slow) = (good.paths().len(), slow.paths().len());
    assert!(good.abs_diff(slow) <= 2, "{good} and {slow} polls");
    assert!(good as u64 <= begun.elapsed().as_secs() + 1, "{good} polls");
}

/// A machine with these mounts of ext4, each there to be asked for its size.
fn machine(test: &str, mounts: &[&str]) -> Folder {
    let tree = Folder::new(test);
    let line = |(number, mount): (usize, &&str)| format!("/dev/sd{number} {mount} ext4 rw 0 0\n");
    let lines: String = mounts.iter().enumerate().map(line).collect();
    tree.write("proc/self/mounts", &lines);
    tree.write("proc/filesystems", "nodev\tproc\n\text4\n");
    tree.write("proc/uptime", "100.00 200.00\n");
    for mount in mounts {
        fs::create_dir_all(tree.join("root").join(mount.trim_start_matches('/'))).unwrap();
    }
    tree
}

/// The mount points whose size a spoke on this machine sends.
fn mounts_sent(tree: &Folder) -> Vec<String> {
    let folder = Folder::new("mounts");
    let root = tree.path().display();
    let more = format!(
        "proc_directory: {root}/proc\nsys_directory: {root}/sys\nroot_directory: {root}/root\n"
    );
    let options = SpokeOptions { port: free_port(), fixture: None, more };
    let configuration = write_spoke_config(&folder, &options);
    let once = run(&binary("pattoo_agent_linux_spoked"), &configuration, &["--once"]);
    assert_eq!(once.code, 0, "{once:?}");
    let document = Document::parse(once.stdout.as_bytes()).unwrap();
    let samples: Vec<_> = document.samples().map(Result::unwrap).collect();
    assert!(samples.iter().any(|sample| sample.key == "uptime"), "the rest of the poll");
    samples
        .iter()
        .filter(|sample| sample.key == "disk_partition_disk_usage_total")
        .flat_map(Sample::metadata)
        .filter(|(key, _)| key == "disk_partition_mountpoint")
        .map(|(_, mount)| mount.to_string())
        .collect()
}

#[test]
fn a_mount_whose_path_contains_docker_is_sent() {
    let mounts = ["/", "/srv/docker/volumes", "/var/lib/docker"];
    assert_eq!(mounts_sent(&machine("docker", &mounts)), mounts);
}

#[test]
fn an_unreadable_mount_costs_only_itself() {
    let tree = machine("unreadable", &["/", "/broken", "/gone", "/home"]);
    // Not even root finds its end.
    let broken = tree.join("root/broken");
    fs::remove_dir(&broken).unwrap();
    symlink("broken", &broken).unwrap();
    fs::remove_dir(tree.join("root/gone")).unwrap();
    assert_eq!(mounts_sent(&tree), ["/", "/home"]);
}
