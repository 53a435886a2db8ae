//! What holds for every daemon of ours.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;
use std::thread;

use pattoo_tests::{
    PATIENCE, binary_of_system, block_sigterm, command, finish, http_get, is_alive, send_signal,
    stat_field, wait_until,
};

use crate::cases::{Installation, read};

/// The user `nobody` of most systems; any but root and ours would do.
const NOBODY: u32 = 65534;

fn answers(installation: &Installation) -> bool {
    http_get(installation.port, "/").is_ok()
}

fn make_file(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

pub(crate) fn starts_tells_restarts_and_stops(installation: &Installation) {
    let daemon = &installation.daemon;
    let name = installation.name;
    installation.expect_status("stopped", 3);
    let started = daemon.run(&["--start"]);
    // The port is bound when --start returns: no waiting here.
    assert!(answers(installation), "{started:?}");
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
    assert!(answers(installation));
    assert_ne!(first, second);
    assert_eq!(daemon.processes(), [second]);

    let stopped = daemon.run(&["--stop"]);
    assert_eq!((stopped.code, stopped.stdout), (0, format!("Daemon is stopped - {name}\n")));
    assert!(daemon.processes().is_empty());
    assert!(!daemon.pid_file().exists());
    assert!(!answers(installation));
    installation.expect_status("stopped", 3);

    let again = daemon.run(&["--stop"]);
    assert_eq!((again.code, again.stdout), (0, format!("Daemon is already stopped - {name}\n")));
    assert_eq!(daemon.run(&["--restart"]).code, 0);
    assert!(answers(installation));
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
    assert!(is_alive(pid) && answers(installation));
    installation.expect_status("running", 0);
    daemon.stop();
    fs::write(&installation.own_file, good).unwrap();
    let checked = daemon.run(&["--check"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    let pid_file = daemon.pid_file().display().to_string();
    assert!(checked.stdout.contains(&pid_file), "{checked:?}");
    assert!(checked.stdout.contains(&installation.port.to_string()), "{checked:?}");
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
        assert!(answers(installation));
        daemon.stop();
    }
}

pub(crate) fn an_unwritable_folder_is_named(installation: &Installation) {
    let daemon = &installation.daemon;
    // Root may write anywhere but below a file.
    for name in ["run", "log"] {
        let folder = installation.folder.write(name, "a file in the way");
        for flag in ["--start", "--foreground"] {
            if (name, flag) == ("log", "--foreground") {
                continue;
            }
            let started = daemon.run(&[flag]);
            assert_eq!(started.code, 1, "{started:?}");
            assert!(started.stderr.contains(&*folder.to_string_lossy()), "{started:?}");
            let reasons = ["Not a directory", "File exists"];
            assert!(reasons.iter().any(|why| started.stderr.contains(why)), "{started:?}");
        }
        assert!(daemon.processes().is_empty());
        fs::remove_file(folder).unwrap();
    }
    daemon.start();
}

pub(crate) fn nothing_is_inherited(installation: &Installation) {
    let daemon = &installation.daemon;
    let ours = installation.folder.write("inherited", "");
    let script = r#"umask 0; cd "$2"; exec 3<"$1" 7>>"$1" 200<"$1"; exec "$0" --start"#;
    let started = finish(
        command(&binary_of_system("bash"), daemon.configuration()).args(["-c", script]).args([
            daemon.binary(),
            &ours,
            installation.folder.path(),
        ]),
    );
    assert_eq!(started.code, 0, "{started:?}");
    let pid = daemon.pid();
    let proc = |name: &str| Path::new("/proc").join(pid.to_string()).join(name);
    for entry in fs::read_dir(proc("fd")).unwrap() {
        let path = entry.unwrap().path();
        let target = fs::read_link(&path).unwrap();
        let number: u32 = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
        assert_eq!(
            number <= 2,
            target == Path::new("/dev/null"),
            "{number} is {}",
            target.display()
        );
        assert_ne!(target, ours, "descriptor {number}");
    }
    assert_eq!(fs::read_link(proc("cwd")).unwrap(), Path::new("/"));
    let status = read(&proc("status"));
    assert!(status.contains("\nUmask:\t0027\n"), "{status}");
    assert_eq!(mode(daemon.pid_file()), 0o640);
    assert_eq!(mode(daemon.pid_file().parent().unwrap()), 0o750);
    assert_eq!(mode(&installation.log_file()), 0o640);
    assert_eq!(mode(installation.log_file().parent().unwrap()), 0o750);

    // proc_pid_stat(5): 6 is the session, 7 the terminal.
    let session = stat_field(pid, 6).unwrap();
    let own = stat_field(std::process::id().cast_signed(), 6).unwrap();
    assert_ne!(session, own, "it is in the session of the test");
    assert_ne!(session, pid.to_string(), "a leader of a session may take a terminal");
    assert_eq!(stat_field(pid, 7).unwrap(), "0", "it has a terminal");
}

pub(crate) fn a_blocked_sigterm_is_unblocked(installation: &Installation) {
    let daemon = &installation.daemon;
    let mut command = command(daemon.binary(), daemon.configuration());
    let started = finish(block_sigterm(command.arg("--start")));
    assert_eq!(started.code, 0, "{started:?}");
    daemon.stop();
}

pub(crate) fn a_pipe_behind_start_ends(installation: &Installation) {
    let daemon = &installation.daemon;
    let piped = finish(
        command(&binary_of_system("bash"), daemon.configuration())
            .args(["-c", r#"set -o pipefail; "$0" --start 2>&1 | cat"#])
            .arg(daemon.binary()),
    );
    assert_eq!(piped.code, 0, "{piped:?}");
    assert!(piped.stdout.contains("Daemon is started"), "{piped:?}");
    // Without stdin, stdout and stderr it works as well.
    daemon.stop();
    let closed = finish(
        command(&binary_of_system("bash"), daemon.configuration())
            .args(["-c", r#""$0" --start 0<&- 1>&- 2>&-"#])
            .arg(daemon.binary()),
    );
    assert_eq!(closed.code, 0, "{closed:?}");
    assert!(answers(installation));
}

pub(crate) fn the_log_file_is_reopened_on_sighup(installation: &Installation) {
    let daemon = &installation.daemon;
    let pid = daemon.start();
    let rotated = installation.folder.join("log/rotated");
    fs::rename(installation.log_file(), &rotated).unwrap();
    send_signal(pid, libc::SIGHUP);
    wait_until("the log file is made anew", PATIENCE, || installation.log().contains("SIGHUP"));
    let kept = read(&rotated);
    assert!(kept.contains("serves") && !kept.contains("SIGHUP"), "{kept}");
    // Also when the whole folder is gone; the daemon serves all the while.
    fs::remove_dir_all(installation.folder.join("log")).unwrap();
    send_signal(pid, libc::SIGHUP);
    wait_until("the folder is made anew", PATIENCE, || installation.log().contains("SIGHUP"));
    assert!(answers(installation));
    daemon.stop();
    let log = installation.log();
    assert!(log.contains("ends: SIGTERM"), "{log}");
    for line in log.lines() {
        let time = line.split(' ').next().unwrap();
        assert!(time.ends_with('Z') && time.as_bytes()[10] == b'T', "no time in UTC: {line}");
    }
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

pub(crate) fn sigint_ends_it_too(installation: &Installation) {
    let pid = installation.daemon.start();
    send_signal(pid, libc::SIGINT);
    wait_until("it has ended", PATIENCE, || !is_alive(pid));
    assert!(!installation.daemon.pid_file().exists());
    assert!(installation.log().contains("ends: SIGINT"));
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
    wait_until("it serves", PATIENCE, || answers(installation));
    wait_until("its PID file is written", PATIENCE, || daemon.pid_file().exists());
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

pub(crate) fn another_user_may_not_stop_it(installation: &Installation) {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        eprintln!("only root can become another user: nothing to test here");
        return;
    }
    let daemon = &installation.daemon;
    let root = installation.folder.path();
    let binary = root.join("binary");
    fs::copy(daemon.binary(), &binary).unwrap();
    let pid = daemon.start();
    let as_nobody = |flag: &str| {
        finish(command(&binary, daemon.configuration()).arg(flag).uid(NOBODY).gid(NOBODY))
    };
    let open = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    for folder in [root, daemon.configuration()] {
        open(folder, 0o755);
    }
    for file in fs::read_dir(daemon.configuration()).unwrap() {
        open(&file.unwrap().path(), 0o644);
    }
    // Who may not look into the folder cannot tell.
    assert_eq!(as_nobody("--status").code, 4);
    let stopped = as_nobody("--stop");
    assert_eq!(stopped.code, 1, "{stopped:?}");
    assert!(stopped.stderr.contains("Permission denied"), "{stopped:?}");
    // Who may, can tell, but not stop.
    for folder in daemon.pid_file().ancestors().skip(1).take(2) {
        open(folder, 0o755);
    }
    open(daemon.pid_file(), 0o644);
    assert_eq!(as_nobody("--status").code, 0);
    for flag in ["--stop", "--force"] {
        let stopped = as_nobody(flag);
        assert_eq!(stopped.code, 1, "{stopped:?}");
        assert!(stopped.stderr.contains("another user"), "{stopped:?}");
    }
    assert!(is_alive(pid));
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
    assert!(version.stdout.starts_with(&format!("{} ", installation.name)), "{version:?}");
}
