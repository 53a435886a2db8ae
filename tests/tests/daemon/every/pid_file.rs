//! Who runs is told by the lock on the PID file, whatever is written in it.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;

use pattoo_tests::{PATIENCE, binary_of_system, command, is_alive, send_signal, wait_until};

use crate::cases::{Installation, read};

fn make_file(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub(crate) fn a_stale_pid_file_hinders_nothing(installation: &Installation) {
    let daemon = &installation.daemon;
    let first = daemon.start();
    send_signal(first, libc::SIGKILL);
    wait_until("it is dead", PATIENCE, || !is_alive(first));
    assert_eq!(daemon.pid(), first);
    let second = daemon.start();
    assert_ne!(first, second);
    send_signal(second, libc::SIGKILL);
    wait_until("the second is dead", PATIENCE, || !is_alive(second));
    let stopped = daemon.run(&["--stop"]);
    assert_eq!(stopped.code, 0, "{stopped:?}");
    assert!(stopped.stdout.contains("already stopped"), "{stopped:?}");
    assert!(!daemon.pid_file().exists());
}

pub(crate) fn a_garbage_pid_file_hinders_nothing(installation: &Installation) {
    let daemon = &installation.daemon;
    for garbage in ["", "-1\n", "0", "1\n", "99999999999999999999", "\0\u{fffd}x y\nz", "12 34"] {
        make_file(daemon.pid_file(), garbage);
        installation.expect_status("stopped", 1);
        let stopped = daemon.run(&["--stop"]);
        assert_eq!(stopped.code, 0, "{garbage:?} {stopped:?}");
        make_file(daemon.pid_file(), garbage);
        let pid = daemon.start();
        assert_eq!(daemon.processes(), [pid]);
        // What others write while it runs is not believed either.
        make_file(daemon.pid_file(), garbage);
        installation.expect_status("running", 0);
        daemon.stop();
        assert!(!is_alive(pid));
    }
}

pub(crate) fn a_reused_pid_is_never_signalled(installation: &Installation) {
    let daemon = &installation.daemon;
    let mut foreign = command(&binary_of_system("sleep"), Path::new("/"))
        .arg("600")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    make_file(daemon.pid_file(), &format!("{}\n", foreign.id()));
    installation.expect_status("stopped", 1);
    assert_eq!(daemon.run(&["--stop"]).code, 0);
    make_file(daemon.pid_file(), &format!("{}\n", foreign.id()));
    assert_eq!(daemon.run(&["--stop", "--force"]).code, 0);
    make_file(daemon.pid_file(), &format!("{}\n", foreign.id()));
    let pid = daemon.start();
    make_file(daemon.pid_file(), &format!("{}\n", foreign.id()));
    assert_eq!(daemon.run(&["--force"]).code, 0);
    assert!(!is_alive(pid));
    let foreign_lives = foreign.try_wait().unwrap().is_none();
    let _ = foreign.kill();
    let _ = foreign.wait();
    assert!(foreign_lives, "a process that is not ours was signalled");
}

pub(crate) fn starts_at_once_make_one_daemon(installation: &Installation) {
    const STARTS: usize = 6;
    let daemon = &installation.daemon;
    for _ in 0..3 {
        let started: Vec<_> = thread::scope(|scope| {
            let starts: Vec<_> =
                (0..STARTS).map(|_| scope.spawn(|| daemon.run(&["--start"]))).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(started.iter().all(|start| start.code == 0), "{started:?}");
        let served = started.iter().filter(|start| start.stdout.contains("is started")).count();
        assert_eq!(served, 1, "{started:?}");
        assert_eq!(daemon.processes(), [daemon.pid()]);
        assert!(installation.serves());
        daemon.stop();
    }
}

pub(crate) fn a_replaced_pid_file_is_left_alone(installation: &Installation) {
    let daemon = &installation.daemon;
    let pid = daemon.start();
    let other = daemon.pid_file().with_extension("new");
    fs::write(&other, "4711\n").unwrap();
    fs::rename(&other, daemon.pid_file()).unwrap();
    // Nobody holds a lock on this one.
    installation.expect_status("stopped", 1);
    send_signal(pid, libc::SIGTERM);
    wait_until("it has ended", PATIENCE, || !is_alive(pid));
    assert_eq!(read(daemon.pid_file()), "4711\n");
    let second = daemon.start();
    assert_eq!(daemon.processes(), [second]);
    // A removed one is not made again by ending, and hinders no start.
    fs::remove_file(daemon.pid_file()).unwrap();
    send_signal(second, libc::SIGTERM);
    wait_until("the second has ended", PATIENCE, || !is_alive(second));
    assert!(!daemon.pid_file().exists());
    daemon.start();
}

pub(crate) fn the_foreground_holds_the_same_lock(installation: &Installation) {
    let daemon = &installation.daemon;
    let mut foreground = command(daemon.binary(), daemon.configuration())
        .arg("--foreground")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = foreground.id().cast_signed();
    wait_until("it serves", PATIENCE, || installation.serves());
    wait_until("its PID file is written", PATIENCE, || !read(daemon.pid_file()).is_empty());
    installation.expect_status("running", 0);
    assert_eq!(daemon.pid(), pid);
    let second = daemon.run(&["--foreground"]);
    assert_eq!(second.code, 1, "{second:?}");
    assert!(second.stderr.contains("already running"), "{second:?}");
    assert!(daemon.run(&["--start"]).stdout.contains("already running"));
    send_signal(pid, libc::SIGHUP);
    assert_eq!(daemon.run(&["--stop"]).code, 0);
    let status = foreground.wait().unwrap();
    assert_eq!(status.code(), Some(0), "{status}");
    let mut said = String::new();
    std::io::Read::read_to_string(&mut foreground.stderr.take().unwrap(), &mut said).unwrap();
    assert!(said.contains("serves") && said.contains("ends: SIGTERM"), "{said}");
    assert!(!installation.log_file().exists());
}
