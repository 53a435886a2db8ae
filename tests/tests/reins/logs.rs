//! Logs that do not fill a disk, and a disk that is full all the same.

use std::fs;
use std::io::Write;

use pattoo_tests::{Folder, PATIENCE, SmallDisk, http_get, http_post, send_signal, wait_until};

use crate::installed::{Installed, KINDS, Kind};

#[test]
fn a_log_is_bounded_without_anybodys_help() {
    let installed = Installed::new(Kind::Spoke, "bounded", &["log_max_bytes: 64 KiB"]);
    let pid = installed.daemon.start();
    let old = installed.folder.join("log/pattoo_agent_linux_spoked.log.old");
    let bytes = |path: &std::path::Path| fs::metadata(path).map_or(0, |found| found.len());
    for _ in 0..2 {
        // Fill what is there up to its bound; the next lines are the daemon's.
        let mut text = fs::read(installed.log_file()).unwrap();
        text.resize(64 << 10, b'.');
        fs::write(installed.log_file(), text).unwrap();
        let _ = fs::remove_file(&old);
        wait_until("the log gives way", PATIENCE, || {
            assert!(send_signal(pid, libc::SIGHUP));
            old.exists()
        });
        assert!(bytes(&old) <= (64 << 10) + 4096 && bytes(&installed.log_file()) < 64 << 10);
    }
    installed.expect_work();
    installed.daemon.stop();
    assert!(installed.log().contains("ends: SIGTERM"));
}

#[test]
fn a_flood_is_folded_into_a_count() {
    let server = Installed::new(Kind::Hub, "flood", &[]);
    // Three hundred devices that are all down: one cause, and not three hundred lines.
    let mut text = fs::read_to_string(server.folder.join(Kind::Hub.own_file())).unwrap();
    let device = |number| format!("  - ip_address: 127.0.1.1\n    ip_bind_port: {}", 1 + number);
    let devices = (0..300).map(device).collect::<Vec<_>>().join("\n") + "\n";
    text = text.replacen("ip_devices:\n", &format!("ip_devices:\n{devices}"), 1);
    server.folder.write(Kind::Hub.own_file(), &text);
    server.daemon.start();
    let told = || server.log().matches(": down: ").count();
    wait_until("all were polled", PATIENCE, || {
        // A busy machine may not come to all of them in the first cycle.
        server.log().contains("polled 0 of 301 devices") && told() >= 100
    });
    assert!(told() <= 200, "{} lines", told());
}

#[test]
fn lines_have_a_time_in_milliseconds() {
    let installed = Installed::new(Kind::Spoke, "times", &[]);
    installed.daemon.start();
    for line in installed.log().lines() {
        let time = line.split(' ').next().unwrap();
        assert_eq!(
            (time.len(), time.as_bytes()[19], time.as_bytes()[23]),
            (24, b'.', b'Z'),
            "{line}"
        );
    }
}

#[test]
fn a_full_disk_under_the_log_stops_nothing() {
    for kind in KINDS {
        // First, so that it goes last.
        let place = Folder::new("full-log");
        let disk = match SmallDisk::mount(&place.join("disk"), 64 << 10) {
            Ok(disk) => disk,
            Err(error) => {
                eprintln!("SKIPPED: a full log disk: cannot mount a tmpfs: {error}; run as root");
                return;
            }
        };
        let installed = Installed::new(kind, "full-log", &[]);
        let file = installed.folder.join("etc/pattoo.yaml");
        let (ours, small) = (installed.folder.join("log"), disk.path().join("log"));
        let text = fs::read_to_string(&file).unwrap();
        let (ours, theirs) = (ours.display().to_string(), small.display().to_string());
        fs::write(&file, text.replace(&ours, &theirs)).unwrap();
        let pid = installed.daemon.start();
        let filling = disk.fill();
        let path = || small.join(format!("{}.log", kind.name()));
        let log = || fs::read_to_string(path()).unwrap();
        // What is left of the last page of the file, too.
        let mut file = fs::OpenOptions::new().append(true).open(path()).unwrap();
        while file.write_all(b"\n").is_ok() {}
        // Each of these logs.
        let before = log();
        for _ in 0..20 {
            assert!(send_signal(pid, libc::SIGHUP));
            if kind != Kind::Hub {
                let path = "/pattoo/api/v1/agent/receive/x";
                assert!(http_post(installed.port, path, &[], b"{}").unwrap().status >= 400);
            }
            installed.expect_work();
        }
        assert_eq!(log().len(), before.len(), "the disk was not full");
        assert_eq!(installed.daemon.status().code, 0);
        fs::remove_file(filling).unwrap();
        wait_until("it logs again, and says what was lost", PATIENCE, || {
            assert!(send_signal(pid, libc::SIGHUP));
            log().contains("lines were lost here")
        });
        if kind == Kind::Spoke {
            assert!(http_get(installed.port, "/").is_ok());
        }
        installed.daemon.stop();
    }
}
