//! What holds for every daemon of ours.

mod pid_file;
mod surroundings;

use std::fs;
use std::net::TcpListener;

use pattoo_common::version;
use pattoo_tests::{PATIENCE, is_alive, send_signal, wait_until};

use crate::cases::{Installation, read};

pub(crate) use pid_file::*;
pub(crate) use surroundings::*;

pub(crate) fn starts_tells_restarts_and_stops(installation: &Installation) {
    let daemon = &installation.daemon;
    let name = installation.name;
    installation.expect_status("stopped", 3);
    let started = daemon.run(&["--start"]);
    // The port is bound when --start returns: no waiting here.
    assert!(installation.serves(), "{started:?}");
    let first = daemon.pid();
    assert_eq!(started.code, 0);
    assert_eq!(started.stdout, format!("Daemon is started - {name} (PID {first})\n"));
    assert_eq!(started.stderr, "");
    installation.expect_status("running", 0);

    let again = daemon.run(&["--start"]);
    assert_eq!(again.code, 0);
    assert_eq!(again.stdout, format!("Daemon is already running - {name} (PID {first})\n"));
    assert_eq!(daemon.processes(), [first]);

    let restarted = daemon.run(&["--restart"]);
    let second = daemon.pid();
    assert_eq!(restarted.code, 0, "{restarted:?}");
    assert!(installation.serves());
    assert_ne!(first, second);
    assert_eq!(daemon.processes(), [second]);

    let stopped = daemon.run(&["--stop"]);
    assert_eq!((stopped.code, stopped.stdout), (0, format!("Daemon is stopped - {name}\n")));
    assert!(daemon.processes().is_empty());
    assert!(!daemon.pid_file().exists());
    assert!(!installation.serves());
    installation.expect_status("stopped", 3);

    let again = daemon.run(&["--stop"]);
    assert_eq!((again.code, again.stdout), (0, format!("Daemon is already stopped - {name}\n")));
    assert_eq!(daemon.run(&["--restart"]).code, 0);
    assert!(installation.serves());
}

pub(crate) fn status_tells_running_stopped_and_dead(installation: &Installation) {
    installation.expect_status("stopped", 3);
    let pid = installation.daemon.start();
    installation.expect_status("running", 0);
    send_signal(pid, libc::SIGKILL);
    wait_until("it is dead", PATIENCE, || !is_alive(pid));
    installation.expect_status("stopped", 1);
    installation.daemon.start();
    installation.expect_status("running", 0);
    installation.daemon.stop();
    installation.expect_status("stopped", 3);
}

pub(crate) fn a_port_that_is_taken_fails_the_start(installation: &Installation) {
    if !installation.listens {
        return;
    }
    let taken = TcpListener::bind(("127.0.0.1", installation.port)).unwrap();
    let daemon = &installation.daemon;
    for _ in 0..2 {
        let started = daemon.run(&["--start"]);
        assert_eq!(started.code, 1, "{started:?}");
        assert!(started.stderr.contains(&installation.port.to_string()), "{started:?}");
        assert!(started.stderr.contains("in use"), "{started:?}");
        assert!(daemon.processes().is_empty());
        installation.expect_status("stopped", 3);
    }
    assert!(installation.log().contains("in use"), "{}", installation.log());
    let foreground = daemon.run(&["--foreground"]);
    assert_eq!(foreground.code, 1, "{foreground:?}");
    assert!(foreground.stderr.contains("in use"), "{foreground:?}");
    drop(taken);
    daemon.start();
}

pub(crate) fn a_wrong_configuration_is_code_2_and_ends_nothing(installation: &Installation) {
    let daemon = &installation.daemon;
    let pid = daemon.start();
    let good = read(&installation.own_file);
    fs::write(&installation.own_file, "[ this is: no configuration\n").unwrap();
    for flags in [&["--start"][..], &["--restart"], &["--foreground"], &["--check"]] {
        let refused = daemon.run(flags);
        assert_eq!(refused.code, 2, "{flags:?} {refused:?}");
        let file = installation.own_file.file_name().unwrap().to_str().unwrap();
        assert!(refused.stderr.contains(file), "{flags:?} {refused:?}");
    }
    // Neither did --restart end the one that runs, nor does the mistake keep
    // anyone from ending it.
    assert!(is_alive(pid) && installation.serves());
    installation.expect_status("running", 0);
    daemon.stop();
    fs::write(&installation.own_file, good).unwrap();
    let checked = daemon.run(&["--check"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    let pid_file = daemon.pid_file().display().to_string();
    assert!(checked.stdout.contains(&pid_file), "{checked:?}");
    let port = installation.port.to_string();
    assert!(checked.stdout.contains(&port) || !installation.listens, "{checked:?}");
}

pub(crate) fn force_kills_what_does_not_end(installation: &Installation) {
    let daemon = &installation.daemon;
    let pid = daemon.start();
    // A stopped process obeys SIGKILL only.
    send_signal(pid, libc::SIGSTOP);
    let stopped = daemon.run(&["--stop"]);
    assert_eq!(stopped.code, 1, "{stopped:?}");
    assert!(stopped.stderr.contains(&pid.to_string()), "{stopped:?}");
    assert!(stopped.stderr.contains("--force"), "{stopped:?}");
    assert!(is_alive(pid));
    let killed = daemon.run(&["--stop", "--force"]);
    assert_eq!(killed.code, 0, "{killed:?}");
    assert!(!is_alive(pid));
    assert!(!daemon.pid_file().exists());
    installation.expect_status("stopped", 3);
}

pub(crate) fn sigint_ends_it_too(installation: &Installation) {
    let pid = installation.daemon.start();
    send_signal(pid, libc::SIGINT);
    wait_until("it has ended", PATIENCE, || !is_alive(pid));
    assert!(!installation.daemon.pid_file().exists());
    assert!(installation.log().contains("ends: SIGINT"));
}

pub(crate) fn wrong_usage_is_code_2(installation: &Installation) {
    let daemon = &installation.daemon;
    let nothing = daemon.run(&[]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (2, ""));
    assert!(nothing.stderr.contains("--start"), "{nothing:?}");
    let slip = daemon.run(&["--statu"]);
    assert_eq!(slip.code, 2);
    assert!(slip.stderr.contains("did you mean --status?"), "{slip:?}");
    let help = daemon.run(&["-h"]);
    assert_eq!((help.code, help.stderr.as_str()), (0, ""));
    assert!(help.stdout.contains(&format!("Usage: {}", installation.name)), "{help:?}");
    assert_eq!(daemon.run(&["--help"]), help);
    let version = daemon.run(&["--version"]);
    assert_eq!(version.code, 0);
    assert_eq!(version.stdout, format!("{}\n", version::line(installation.name)));
}
