//! A daemon that hangs is told from one that lives: by `--status`, and to a service
//! manager.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use pattoo_tests::{
    Daemon, Folder, PATIENCE, command, free_port, is_alive, send_signal, wait_until,
};

use crate::installed::{Installed, KINDS};

fn expect_status(daemon: &Daemon, word: &str, code: i32) -> String {
    let status = if word == "hung" { daemon.run(&["--status"]) } else { daemon.status() };
    assert!(status.stdout.starts_with(&format!("Daemon is {word} - ")), "{status:?}");
    assert_eq!(status.code, code, "{status:?}");
    status.stderr
}

#[test]
fn status_tells_a_stopped_process_from_one_that_lives() {
    for kind in KINDS {
        let installed = Installed::new(kind, "stopped", &[]);
        let daemon = &installed.daemon;
        let pid = daemon.start();
        // Each time it is asked, and by several at once.
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..3).for_each(|_| drop(expect_status(daemon, "running", 0))));
            }
        });
        assert!(send_signal(pid, libc::SIGSTOP));
        let note = expect_status(daemon, "hung", 4);
        assert!(note.contains(&pid.to_string()) && note.contains("--restart --force"), "{note}");
        assert!(is_alive(pid));
        assert!(send_signal(pid, libc::SIGCONT));
        expect_status(daemon, "running", 0);
        // What the note says helps.
        assert!(send_signal(pid, libc::SIGSTOP));
        let restarted = daemon.run(&["--restart", "--force"]);
        assert_eq!(restarted.code, 0, "{restarted:?}");
        expect_status(daemon, "running", 0);
        assert!(!installed.log().contains("asked for its status"), "{}", installed.log());
    }
}

fn sleeper(purpose: &str, more: &str) -> (Folder, Daemon) {
    let (folder, port) = (Folder::new(purpose), free_port());
    let root = folder.path().display();
    folder.write("etc/settings.conf", &format!("{root}/run\n{root}/log\ndebug\n"));
    folder.write("etc/sleeper.conf", &format!("port {port}\n{more}"));
    let pid_file = folder.join("run/pid/sleeper.pid");
    let daemon = Daemon::new(env!("CARGO_BIN_EXE_sleeper").into(), &folder.join("etc"), pid_file);
    (folder, daemon)
}

#[test]
fn a_program_that_lives_and_does_not_work_is_hung_too() {
    let (folder, daemon) = sleeper("unwell", "hang health\n");
    daemon.start();
    expect_status(&daemon, "hung", 4);
    let log = std::fs::read_to_string(folder.join("log/sleeper.log")).unwrap();
    assert!(log.contains("asked to be unwell"), "{log}");
}

/// A service manager's socket, which says what it hears.
struct Manager(UnixDatagram);

impl Manager {
    fn hear(&self) -> String {
        let mut heard = [0; 512];
        let length = loop {
            match self.0.recv(&mut heard) {
                // As of a process that stood still for a moment.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                received => break received.unwrap(),
            }
        };
        String::from_utf8_lossy(&heard[..length]).into_owned()
    }

    /// Waits until this is heard; what comes before is thrown away.
    fn hear_out(&self, wanted: &str) -> String {
        loop {
            let heard = self.hear();
            if heard.starts_with(wanted) {
                return heard;
            }
        }
    }

    fn hears_nothing_more(&self) -> bool {
        self.0.set_nonblocking(true).unwrap();
        self.0.recv(&mut [0; 512]).is_err()
    }
}

fn manager(address: &SocketAddr) -> Manager {
    let socket = UnixDatagram::bind_addr(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    Manager(socket)
}

struct Foreground(Child);

impl Foreground {
    /// `--foreground`, with these in its environment.
    fn start(daemon: &Daemon, environment: &[(&str, &str)]) -> Self {
        let mut command = command(daemon.binary(), daemon.configuration());
        command.arg("--foreground").envs(environment.iter().copied());
        Self(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn pid(&self) -> i32 {
        self.0.id().cast_signed()
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn at_path(path: &Path) -> io::Result<SocketAddr> {
    SocketAddr::from_pathname(path)
}

#[test]
fn a_service_manager_is_told_what_happens() {
    for kind in KINDS {
        let installed = Installed::new(kind, "notify", &[]);
        let path = installed.folder.join("notify");
        let manager = manager(&at_path(&path).unwrap());
        let socket = path.to_str().unwrap().to_owned();
        let half_second = [("NOTIFY_SOCKET", &*socket), ("WATCHDOG_USEC", "500000")];
        let served = Foreground::start(&installed.daemon, &half_second);
        manager.hear_out("READY=1");
        for _ in 0..3 {
            manager.hear_out("WATCHDOG=1");
        }
        assert!(send_signal(served.pid(), libc::SIGHUP));
        let reloading = manager.hear_out("RELOADING=1");
        let time = reloading.split_once("MONOTONIC_USEC=").unwrap().1;
        assert!(time.parse::<u64>().unwrap() > 0, "{reloading}");
        manager.hear_out("READY=1");
        assert!(send_signal(served.pid(), libc::SIGTERM));
        manager.hear_out("STOPPING=1");
    }
}

#[test]
fn an_abstract_socket_is_as_good_and_no_watchdog_is_no_thread() {
    let installed = Installed::new(crate::installed::Kind::Spoke, "abstract", &[]);
    let name = format!("pattoo-test-{}", std::process::id());
    let manager = manager(&SocketAddr::from_abstract_name(&name).unwrap());
    let socket = format!("@{name}");
    let served = Foreground::start(&installed.daemon, &[("NOTIFY_SOCKET", &socket)]);
    manager.hear_out("READY=1");
    let threads = std::fs::read_dir(format!("/proc/{}/task", served.pid())).unwrap();
    for thread in threads.flatten() {
        // One that ended meanwhile has no name.
        let name = std::fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
        assert_ne!(name.trim(), "watchdog");
    }
    assert!(manager.hears_nothing_more());
}

#[test]
fn a_program_that_does_not_work_gives_no_sign_of_life() {
    let (folder, daemon) = sleeper("unwell-notify", "hang health\n");
    let path = folder.join("notify");
    let manager = manager(&at_path(&path).unwrap());
    let environment = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "20000")];
    let served = Foreground::start(&daemon, &environment);
    manager.hear_out("READY=1");
    // A well one would have given dozens by the time it has obeyed this.
    for _ in 0..20 {
        assert!(send_signal(served.pid(), libc::SIGHUP));
        loop {
            let heard = manager.hear();
            assert!(!heard.contains("WATCHDOG"), "{heard}");
            if heard == "READY=1" {
                break;
            }
        }
    }
    manager.0.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(manager.0.recv(&mut [0; 512]).is_err(), "a sign of life of what is unwell");
}

#[test]
fn a_socket_that_is_not_there_stops_nothing() {
    let installed = Installed::new(crate::installed::Kind::Spoke, "no-manager", &[]);
    let served = Foreground::start(
        &installed.daemon,
        &[("NOTIFY_SOCKET", "/nowhere/notify"), ("WATCHDOG_USEC", "500000")],
    );
    wait_until("it serves", PATIENCE, || {
        pattoo_tests::http_get(installed.port, "/").is_ok_and(|answer| answer.status == 200)
    });
    assert!(is_alive(served.pid()));
}
