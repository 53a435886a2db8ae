//! The real spoke beside a mount that hangs: polls go on, and so do `--stop`,
//! `--restart` and a start after it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::PathBuf;

use pattoo_common::document::{Document, Sample, SampleValue};
use pattoo_tests::hanging_mount::HangingMount;
use pattoo_tests::{
    Daemon, Folder, PATIENCE, SpokeOptions, again_after_stalls, binary, free_port, http_get,
    send_signal, wait_until, write_spoke_config,
};

const SPOKE: &str = "pattoo_agent_linux_spoked";

struct Spoke {
    port: u16,
    daemon: Daemon,
    mount: HangingMount,
    mountpoint: String,
    // Last, so that it goes when nothing is in it any more.
    _folder: Folder,
}

/// A spoke in a mount namespace with a mount that hangs; not started yet. `None`,
/// and a line that says why, where the machine lacks the means.
fn spoke(purpose: &str) -> Option<Spoke> {
    let folder = Folder::new(purpose);
    let mountpoint: PathBuf = folder.join("hangs");
    let mount = match HangingMount::new(&mountpoint) {
        Ok(mount) => mount,
        Err(lacks) => {
            eprintln!("skipped: {purpose}: {lacks}");
            return None;
        }
    };
    let port = free_port();
    let options = SpokeOptions { port, fixture: None, more: String::new() };
    let configuration = write_spoke_config(&folder, &options);
    let pid_file = folder.join(format!("run/pid/{SPOKE}.pid"));
    let daemon = Daemon::new(binary(SPOKE), &configuration, pid_file);
    let mountpoint = mountpoint.to_str().unwrap().to_owned();
    Some(Spoke { port, daemon, mount, mountpoint, _folder: folder })
}

impl Spoke {
    fn get(&self, path: &str) -> Vec<u8> {
        let answer = http_get(self.port, path).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.head);
        answer.body
    }

    /// Polls once, sees that nothing is missing but the mount that hangs, and
    /// gives its total size if it is there.
    fn poll(&self) -> Option<i128> {
        let body = self.get("/pattoo-agent-linux/300");
        let document = Document::parse(&body).unwrap();
        let samples: Vec<Sample<'_>> = document.samples().collect::<Result<_, _>>().unwrap();
        for key in ["load_average_01min", "memory_total", "network_io_bytes_sent"] {
            assert!(samples.iter().any(|sample| sample.key == key), "{key} is missing");
        }
        let of_mount = |sample: &&Sample<'_>| {
            sample.key == "disk_partition_disk_usage_total"
                && sample.metadata().iter().any(|(_, value)| *value == self.mountpoint)
        };
        samples.iter().find(of_mount).map(|sample| match sample.value {
            SampleValue::Integer(value) => value.into(),
            ref other => panic!("{other:?}"),
        })
    }
}

#[test]
fn polls_go_on_and_the_daemon_obeys() {
    again_after_stalls(|| {
        let Some(spoke) = spoke("polls-go-on") else { return };
        spoke.daemon.start();
        for _ in 0..3 {
            assert_eq!(spoke.poll(), None);
        }
        assert!(spoke.mount.wait_until_asked(1, PATIENCE));
        assert!(!spoke.mount.wait_until_asked(2, std::time::Duration::ZERO), "asked while it hung");
        let page = String::from_utf8(spoke.get("/")).unwrap();
        assert!(
            page.contains(&format!("statvfs does not return for {}", spoke.mountpoint)),
            "{page}"
        );

        let restarted = spoke.daemon.run(&["--restart"]);
        assert_eq!(restarted.code, 0, "--restart: {restarted:?}");
        assert_eq!(spoke.poll(), None);
        spoke.daemon.stop();
        assert_eq!(spoke.daemon.run(&["--status"]).code, 3);
        spoke.daemon.start();
        assert_eq!(spoke.poll(), None);

        // Well again, it is in the answer without a restart.
        spoke.mount.answer().unwrap();
        wait_until("the mount is sent", PATIENCE, || spoke.poll().is_some());
        assert_eq!(spoke.poll(), Some(4_096_000));
        spoke.daemon.stop();
    });
}

#[test]
fn a_killed_spoke_hinders_no_start() {
    again_after_stalls(|| {
        let Some(spoke) = spoke("killed-spoke") else { return };
        let first = spoke.daemon.start();
        assert_eq!(spoke.poll(), None);
        send_signal(first, libc::SIGKILL);
        wait_until("the lock is free", PATIENCE, || spoke.daemon.run(&["--status"]).code == 1);
        let second = spoke.daemon.start();
        assert_ne!(first, second);
        assert_eq!(spoke.poll(), None);
        spoke.daemon.stop();
    });
}
