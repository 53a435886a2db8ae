//! Descriptors, folders, users, pipes, the log: what is around a daemon.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;

use pattoo_tests::{
    PATIENCE, binary_of_system, block_sigterm, command, finish, is_alive, send_signal, stat_field,
    wait_until,
};

use crate::cases::{Installation, read};

/// The user `nobody` of most systems; any but root and ours would do.
const NOBODY: u32 = 65534;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
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
        let number: u32 = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
        let target = match fs::read_link(&path) {
            // One that it opened and closed meanwhile: what is inherited stays.
            Err(error) if error.kind() == ErrorKind::NotFound && number > 2 => continue,
            other => other.unwrap(),
        };
        // The gate keeps one more open as its spare.
        if number <= 2 {
            assert_eq!(target, Path::new("/dev/null"), "{number}");
        }
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
    assert!(installation.serves());
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
    // Also when the whole folder is gone; the daemon serves all the while. Where
    // Landlock holds it may not make the folder: the next start does.
    let is_bound = kept.contains("Landlock (");
    fs::remove_dir_all(installation.folder.join("log")).unwrap();
    send_signal(pid, libc::SIGHUP);
    if is_bound {
        assert!(installation.serves());
        daemon.stop();
        daemon.start();
    } else {
        wait_until("the folder is made anew", PATIENCE, || installation.log().contains("SIGHUP"));
    }
    assert!(installation.serves());
    daemon.stop();
    let log = installation.log();
    assert!(log.contains("ends: SIGTERM"), "{log}");
    for line in log.lines() {
        let time = line.split(' ').next().unwrap();
        assert!(time.ends_with('Z') && time.as_bytes()[10] == b'T', "no time in UTC: {line}");
    }
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
