//! What a program does that hangs, panics or is slow: the sleeper does it when
//! its configuration asks for it.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use pattoo_tests::{
    PATIENCE, command, finish, http_get, is_alive, run, send_signal, stat_field, wait_until,
};

use crate::cases::{Installation, SLEEPER};

fn install(test: &str, more: &str) -> Installation {
    let installation = SLEEPER.install(test);
    let port = installation.port;
    fs::write(&installation.own_file, format!("port {port}\n{more}\n")).unwrap();
    installation
}

/// One that serves no sooner than [`open`] is called, however slow the test is.
fn install_with_gate(test: &str) -> Installation {
    install(test, "gate opened")
}

fn open(installation: &Installation) {
    installation.folder.write("etc/opened", "");
}

fn is_starting(installation: &Installation) -> bool {
    installation.daemon.run(&["--status"]).stderr.contains("about to serve")
}

#[test]
fn a_thread_that_hangs_does_not_hold_up_the_end() {
    let installation = install("hanging-thread", "hang thread");
    let pid = installation.daemon.start();
    installation.daemon.stop();
    assert!(!is_alive(pid));
    assert!(installation.log().contains("shutdown"));
}

#[test]
fn a_thread_that_leaves_the_descriptor_table_leaves_the_lock() {
    // As threads do that may hang in the kernel: see statvfs. What they close
    // in their own table is not closed in the daemon's.
    let installation = install("left-table", "hang table");
    let daemon = &installation.daemon;
    let pid = daemon.start();
    assert!(http_get(installation.port, "/").is_ok());
    installation.expect_status("running", 0);
    assert!(daemon.run(&["--start"]).stdout.contains("already running"));
    assert_eq!(daemon.processes(), [pid]);
    daemon.stop();
    assert!(!is_alive(pid));
}

#[test]
fn a_shutdown_that_hangs_is_not_waited_for() {
    let installation = install("hanging-shutdown", "hang shutdown");
    let pid = installation.daemon.start();
    // --stop waits for longer than the shutdown may take, and kills nothing.
    installation.daemon.stop();
    assert!(!is_alive(pid));
    assert!(installation.log().contains("not waited for"), "{}", installation.log());
    assert!(!installation.daemon.pid_file().exists());
}

#[test]
fn a_second_sigterm_ends_a_shutdown_at_once() {
    let installation = install("second-sigterm", "hang shutdown");
    for _ in 0..10 {
        let pid = installation.daemon.start();
        let begun = Instant::now();
        send_signal(pid, libc::SIGTERM);
        wait_until("it shuts down", PATIENCE, || installation.log().contains("shutdown"));
        send_signal(pid, libc::SIGTERM);
        let apart = begun.elapsed();
        wait_until("it has ended", PATIENCE, || !is_alive(pid));
        // It waits 0.7 s for a shutdown: a second signal must come before that.
        if apart < Duration::from_millis(500) {
            let log = installation.log();
            assert!(!log.contains("not waited for"), "the second signal did nothing: {log}");
            return;
        }
        fs::remove_file(installation.log_file()).unwrap();
    }
    panic!("the machine is too slow to send two signals in half a second");
}

#[test]
fn a_start_while_another_starts_waits_until_that_one_serves() {
    let installation = install_with_gate("slow-start");
    let daemon = &installation.daemon;
    std::thread::scope(|scope| {
        let first = scope.spawn(|| daemon.run(&["--start"]));
        wait_until("the first holds the lock", PATIENCE, || is_starting(&installation));
        assert!(http_get(installation.port, "/").is_err(), "it serves already");
        let second = scope.spawn(|| daemon.run(&["--start"]));
        // The one that starts, its starter, and the second.
        wait_until("the second runs", PATIENCE, || daemon.processes().len() >= 3);
        // Nothing tells that it waits; on a slow machine less is seen of it.
        std::thread::park_timeout(Duration::from_millis(500));
        assert!(!second.is_finished(), "it did not wait");
        open(&installation);
        let second = second.join().unwrap();
        assert!(http_get(installation.port, "/").is_ok(), "{second:?}");
        assert_eq!(second.code, 0, "{second:?}");
        assert!(second.stdout.contains("already running"), "{second:?}");
        let first = first.join().unwrap();
        assert!(first.stdout.contains("is started"), "{first:?}");
    });
    assert_eq!(daemon.processes(), [daemon.pid()]);
}

#[test]
fn a_daemon_that_is_starting_can_be_stopped_and_the_starter_is_told() {
    let installation = install("stop-while-starting", "start_delay 600000");
    let daemon = &installation.daemon;
    std::thread::scope(|scope| {
        let start = scope.spawn(|| daemon.run(&["--start"]));
        wait_until("it holds the lock", PATIENCE, || is_starting(&installation));
        daemon.stop();
        let start = start.join().unwrap();
        assert_eq!(start.code, 1, "{start:?}");
        assert!(start.stderr.contains("ended before it served"), "{start:?}");
    });
    assert!(daemon.processes().is_empty());
    installation.expect_status("stopped", 3);
}

#[test]
fn a_start_that_takes_too_long_is_given_up_and_leaves_nothing() {
    let installation = install("endless-start", "start_delay 600000");
    let started = installation.daemon.run(&["--start"]);
    assert_eq!(started.code, 1, "{started:?}");
    assert!(started.stderr.contains("did not serve within"), "{started:?}");
    wait_until("it is dead", PATIENCE, || installation.daemon.processes().is_empty());
}

#[test]
fn a_daemon_whose_starter_went_away_does_not_serve() {
    let installation = install_with_gate("starter-gone");
    let daemon = &installation.daemon;
    let mut starter = command(daemon.binary(), daemon.configuration())
        .arg("--start")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("it holds the lock", PATIENCE, || is_starting(&installation));
    starter.kill().unwrap();
    starter.wait().unwrap();
    open(&installation);
    wait_until("it has ended", PATIENCE, || daemon.processes().is_empty());
    assert!(installation.log().contains("nobody waits"), "{}", installation.log());
    installation.expect_status("stopped", 3);
}

#[test]
fn sighup_while_it_starts_is_kept_for_later() {
    let installation = install_with_gate("early-sighup");
    let daemon = &installation.daemon;
    std::thread::scope(|scope| {
        let start = scope.spawn(|| daemon.run(&["--start"]));
        // The log file is opened after signals are collected.
        wait_until("the log is open", PATIENCE, || installation.log_file().exists());
        // Of the two, the daemon is the one whose folder is /.
        let is_daemon = |process: &i32| {
            fs::read_link(format!("/proc/{process}/cwd")).is_ok_and(|folder| folder == *"/")
        };
        let starting = daemon.processes().into_iter().find(is_daemon).unwrap();
        send_signal(starting, libc::SIGHUP);
        open(&installation);
        assert_eq!(start.join().unwrap().code, 0);
    });
    wait_until("it is obeyed", PATIENCE, || installation.log().contains("reload"));
}

#[test]
fn a_panic_at_the_start_reaches_the_person_and_the_log() {
    let installation = install("panic-at-start", "hang panic");
    let started = installation.daemon.run(&["--start"]);
    assert_eq!(started.code, 1, "{started:?}");
    assert!(started.stderr.contains("asked to panic at the start"), "{started:?}");
    let log = installation.log();
    assert!(log.contains("panic at") && log.contains("asked to panic at the start"), "{log}");
    assert!(installation.daemon.processes().is_empty());
}

#[test]
fn a_panic_while_it_serves_is_one_line_of_the_log() {
    let installation = install("panic-later", "");
    installation.daemon.start();
    let _ = http_get(installation.port, "/panic");
    wait_until("it is logged", PATIENCE, || {
        installation.log().contains(r"asked to\npanic by a peer")
    });
}

/// Whether a text tells of a fault in the sleeper and where it was: in its function
/// `fault`, counted from the one that tells it.
fn tells_of_a_fault(text: &str) -> bool {
    let Some(line) = text.lines().find(|line| line.starts_with("[ERROR] fault at ")) else {
        return false;
    };
    assert!(line.contains(" of sleeper ") && line.ends_with("please report it"), "{line}");
    let distance = line.split(' ').nth(3).unwrap().replace("0x", "");
    let distance = i64::from_str_radix(&distance, 16).unwrap();
    let mut nm = command(Path::new("nm"), Path::new("/"));
    let read = finish(nm.args(["--demangle", "--print-size", env!("CARGO_BIN_EXE_sleeper")]));
    let symbols = read.stdout;
    let place_and_size = |function: &str| {
        let line = symbols.lines().find(|line| line.ends_with(function)).unwrap();
        let number = |field: &str| i64::from_str_radix(field, 16).unwrap();
        let mut fields = line.split(' ').map(number);
        (fields.next().unwrap(), fields.next().unwrap())
    };
    let (speaks, _) = place_and_size(" pattoo_common::last_words::speak");
    let (begin, size) = place_and_size(" sleeper::fault");
    (begin..begin + size).contains(&(speaks + distance))
}

#[test]
fn a_fault_at_the_start_reaches_the_person_and_the_log() {
    let installation = install("fault-at-start", "hang fault");
    let started = installation.daemon.run(&["--start"]);
    assert_eq!(started.code, 1, "{started:?}");
    assert!(tells_of_a_fault(&started.stderr), "{started:?}");
    assert!(tells_of_a_fault(&installation.log()), "{}", installation.log());
    assert!(installation.daemon.processes().is_empty());
}

#[test]
fn a_fault_while_it_serves_is_one_line_of_the_log_also_of_a_new_one() {
    let installation = install("fault-later", "");
    let pid = installation.daemon.start();
    let before = installation.log_file().with_extension("1");
    fs::rename(installation.log_file(), &before).unwrap();
    send_signal(pid, libc::SIGHUP);
    // The file is there a moment before it is in use.
    wait_until("the log is new", PATIENCE, || {
        installation.log().contains("the log file is reopened")
    });
    let _ = http_get(installation.port, "/fault");
    wait_until("it is logged", PATIENCE, || tells_of_a_fault(&installation.log()));
    assert!(!tells_of_a_fault(&fs::read_to_string(before).unwrap()));
    wait_until("it has ended", PATIENCE, || installation.daemon.processes().is_empty());
}

#[test]
fn an_abort_is_told_as_one() {
    let installation = install("abort", "hang abort");
    let started = installation.daemon.run(&["--start"]);
    assert_eq!(started.code, 1, "{started:?}");
    for told in [&started.stderr, &installation.log()] {
        assert!(told.contains(") aborts, Unix time "), "{told}");
    }
}

#[test]
fn the_signal_of_a_fault_from_elsewhere_is_told_as_that() {
    let installation = install("fault-sent", "");
    let pid = installation.daemon.start();
    send_signal(pid, libc::SIGILL);
    let line = format!("is ended by signal 4 of process {}", std::process::id());
    wait_until("it is logged", PATIENCE, || installation.log().contains(&line));
    wait_until("it has ended", PATIENCE, || installation.daemon.processes().is_empty());
}

#[test]
fn warnings_of_the_configuration_are_printed_and_logged() {
    let installation = install("warnings", "warning sleeper.conf:2: colour is unknown");
    let daemon = &installation.daemon;
    for flag in ["--check", "--start"] {
        let ran = daemon.run(&[flag]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.stderr.contains("warning: sleeper.conf:2: colour is unknown"), "{ran:?}");
    }
    let log = installation.log();
    assert!(log.contains("[WARN] sleeper.conf:2: colour is unknown"), "{log}");
}

#[test]
fn an_idle_daemon_sleeps() {
    let installation = install("idle", "");
    let pid = installation.daemon.start();
    let switches = || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let count = |line: &str| {
            line.split_once("ctxt_switches:")
                .and_then(|(_, number)| number.trim().parse::<u64>().ok())
        };
        status.lines().filter_map(count).sum::<u64>()
    };
    wait_until("its main thread waits for signals", PATIENCE, || {
        stat_field(pid, 3).as_deref() == Some("S")
    });
    let before = switches();
    let until = Instant::now() + Duration::from_secs(2);
    wait_until("two seconds have gone by", PATIENCE, || Instant::now() > until);
    assert!(switches() <= before + 1, "its main thread woke up");
}

#[test]
fn a_full_disk_under_the_log_does_not_hinder_it() {
    let installation = install("full-disk", "");
    fs::create_dir_all(installation.folder.join("log")).unwrap();
    std::os::unix::fs::symlink("/dev/full", installation.log_file()).unwrap();
    installation.daemon.start();
    assert!(http_get(installation.port, "/").is_ok());
    installation.daemon.stop();
}

#[test]
fn jobs_run_beside_a_daemon_and_print_their_result() {
    let installation = install("jobs", "");
    let daemon = &installation.daemon;
    let pid = daemon.start();
    let once = daemon.run(&["--once"]);
    assert_eq!(once.code, 0, "{once:?}");
    assert_eq!(once.stdout, format!("would listen on {}\n", installation.port));
    let explained = daemon.run(&["--explain"]);
    assert_eq!((explained.code, explained.stderr.as_str()), (1, "cannot Explain\n"));
    assert_eq!(daemon.pid(), pid);
    assert!(is_alive(pid));
    let missing = run(daemon.binary(), &installation.folder.join("nowhere"), &["--status"]);
    assert_eq!(missing.code, 2, "{missing:?}");
}
