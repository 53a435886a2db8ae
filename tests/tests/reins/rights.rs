//! Whose rights the daemons have.

use std::fs::{self, Metadata, Permissions};
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use pattoo_tests::{PATIENCE, finish, http_get, wait_until};

use crate::installed::{Installed, KINDS, Kind, files_below, is_root};

/// A user and a group that no machine has: numbers do.
const USER: u32 = 61_234;
const GROUP: u32 = 61_235;
const LINES: [&str; 2] = ["user: 61234", "group: 61235"];

fn owner_and_mode(path: &Path) -> (u32, u32, u32) {
    owner_and_mode_of(&fs::symlink_metadata(path).unwrap())
}

fn owner_and_mode_of(found: &Metadata) -> (u32, u32, u32) {
    (found.uid(), found.gid(), found.mode() & 0o7777)
}

/// All that a daemon has made is its user's, and nothing is for others.
fn expect_ownership(installed: &Installed) {
    let mut seen = 0;
    for name in ["log", "run", "state", "cache"] {
        for path in files_below(&installed.folder.join(name)) {
            let found = match fs::symlink_metadata(&path) {
                Ok(found) => found,
                // A batch, say, that was there a moment ago.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => panic!("{}: {error}", path.display()),
            };
            let (user, group, mode) = owner_and_mode_of(&found);
            assert_eq!((user, group), (USER, GROUP), "{}", path.display());
            assert_eq!(mode & 0o007, 0, "{}: {mode:o}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 3, "{seen} files and folders");
    assert_eq!(owner_and_mode(&installed.log_file()), (USER, GROUP, 0o640));
    assert_eq!(owner_and_mode(&installed.folder.join("log")), (USER, GROUP, 0o750));
    assert_eq!(owner_and_mode(installed.daemon.pid_file()), (USER, GROUP, 0o640));
    let pid_folder = installed.daemon.pid_file().parent().unwrap();
    assert_eq!(owner_and_mode(pid_folder), (USER, GROUP, 0o750));
}

#[test]
fn root_becomes_the_user_and_everything_works_on() {
    if !is_root("the user of the configuration") {
        return;
    }
    for kind in KINDS {
        let installed = Installed::new(kind, "becomes", &LINES);
        for _ in 0..2 {
            let pid = installed.daemon.start();
            let status = |name| Installed::status_line(pid, name);
            assert_eq!(status("Uid:"), format!("{USER} {USER} {USER} {USER}"), "{kind:?}");
            assert_eq!(status("Gid:"), format!("{GROUP} {GROUP} {GROUP} {GROUP}"), "{kind:?}");
            assert_eq!(status("Groups:"), GROUP.to_string(), "{kind:?}");
            for bound in ["CapEff:", "CapPrm:"] {
                assert_eq!(status(bound), "0".repeat(16), "{kind:?}");
            }
            assert_eq!(status("NoNewPrivs:"), "1", "{kind:?}");
            // Every thread, too.
            for thread in fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten() {
                let text = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
                assert!(text.is_empty() || text.contains(&format!("Uid:\t{USER}\t")), "{text}");
            }
            installed.expect_work();
            expect_ownership(&installed);
            // logrotate's way.
            fs::rename(installed.log_file(), installed.folder.join("log/old")).unwrap();
            assert!(pattoo_tests::send_signal(pid, libc::SIGHUP));
            wait_until("the log is made anew", PATIENCE, || installed.log().contains("SIGHUP"));
            assert_eq!(owner_and_mode(&installed.log_file()), (USER, GROUP, 0o640));
            assert!(!installed.log().contains("not taken over"), "{}", installed.log());
            assert_eq!(installed.daemon.status().code, 0);
            installed.daemon.stop();
            assert!(!installed.daemon.pid_file().exists(), "{kind:?}");
            assert!(installed.log().contains("ends: SIGTERM"));
        }
    }
}

#[test]
fn a_privileged_port_is_bound_before() {
    if !is_root("a privileged port") {
        return;
    }
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let Some(port) = (600..1_024).find(free) else { panic!("no port below 1024 is free") };
    let spoke = Installed::at(Kind::Spoke, "privileged", &LINES, port);
    let pid = spoke.daemon.start();
    assert_eq!(Installed::status_line(pid, "CapEff:"), "0".repeat(16));
    spoke.expect_work();
    assert_eq!(spoke.daemon.run(&["--restart"]).code, 0);
    assert!(http_get(port, "/").is_ok());
}

#[test]
fn an_unknown_user_is_named() {
    if !is_root("an unknown user") {
        return;
    }
    let spoke = Installed::new(Kind::Spoke, "unknown", &["user: no-such-user-here"]);
    let started = spoke.daemon.run(&["--start"]);
    assert_eq!(started.code, 1, "{started:?}");
    assert!(started.stderr.contains("\"no-such-user-here\""), "{started:?}");
    let checked = spoke.daemon.run(&["--check"]);
    assert_eq!(checked.code, 2, "{checked:?}");
    assert!(checked.stderr.contains("\"no-such-user-here\""), "{checked:?}");
    assert!(!spoke.folder.join("log").exists() && spoke.daemon.processes().is_empty());
}

#[test]
fn a_folder_of_root_is_named_with_what_to_do() {
    if !is_root("a folder of root") {
        return;
    }
    for name in ["log", "run/pid", "state/data"] {
        let server = Installed::new(Kind::Server, "of-root", &LINES);
        let folder = server.folder.join(name);
        fs::create_dir_all(&folder).unwrap();
        let advice = format!("chown -R {USER}:{GROUP} {}", folder.display());
        let checked = server.daemon.run(&["--check"]);
        assert_eq!(checked.code, 2, "{checked:?}");
        assert!(checked.stderr.contains(&advice), "{checked:?}");
        let started = server.daemon.run(&["--start"]);
        assert_eq!(started.code, 1, "{started:?}");
        assert!(started.stderr.contains(&advice), "{started:?}");
        // What it says is all there is to do.
        chown(&folder, Some(USER), Some(GROUP)).unwrap();
        server.daemon.start();
    }
    // What is in it may be the user's already, or be missing yet.
    for name in ["run/pid", "run"] {
        let server = Installed::new(Kind::Server, "of-root-above", &LINES);
        let folder = server.folder.join(name);
        fs::create_dir_all(&folder).unwrap();
        chown(&folder, Some(USER), Some(GROUP)).unwrap();
        let above = server.folder.join("run");
        chown(&above, Some(0), Some(0)).unwrap();
        fs::set_permissions(&above, Permissions::from_mode(0o750)).unwrap();
        let advice = format!("chown -R {USER}:{GROUP} {}` gives", above.display());
        for (flag, code) in [("--check", 2), ("--start", 1)] {
            let said = server.daemon.run(&[flag]);
            assert_eq!(said.code, code, "{said:?}");
            assert!(said.stderr.contains(&advice), "{said:?}");
        }
        chown(&above, Some(USER), Some(GROUP)).unwrap();
        server.daemon.start();
    }
}

#[test]
fn a_link_that_the_user_laid_leads_root_nowhere() {
    if !is_root("links") {
        return;
    }
    for (place, link) in [("log", "log/pattood.log"), ("run/pid", "run/pid/pattood.pid")] {
        let server = Installed::new(Kind::Server, "link", &LINES);
        let precious = server.folder.write("precious", "root's\n");
        fs::set_permissions(&precious, Permissions::from_mode(0o600)).unwrap();
        let folder = server.folder.join(place);
        fs::create_dir_all(&folder).unwrap();
        chown(&folder, Some(USER), Some(GROUP)).unwrap();
        symlink(&precious, server.folder.join(link)).unwrap();
        let started = server.daemon.run(&["--start"]);
        assert_eq!(started.code, 1, "{started:?}");
        assert_eq!(fs::read_to_string(&precious).unwrap(), "root's\n");
        assert_eq!(owner_and_mode(&precious), (0, 0, 0o600));
    }
    // A folder that is missing is not made where the user's link leads.
    let server = Installed::new(Kind::Server, "link-folder", &LINES);
    let precious = server.folder.join("precious");
    fs::create_dir(&precious).unwrap();
    let users = server.folder.join("state");
    fs::create_dir(&users).unwrap();
    chown(&users, Some(USER), Some(GROUP)).unwrap();
    symlink(&precious, users.join("data")).unwrap();
    assert_eq!(server.daemon.run(&["--start"]).code, 1);
    assert_eq!(fs::read_dir(&precious).unwrap().count(), 0);
}

#[test]
fn what_the_user_cannot_read_again_is_found_by_check() {
    if !is_root("what the user cannot read") {
        return;
    }
    for kind in KINDS {
        let installed = Installed::new(kind, "unreadable", &LINES);
        let checked = installed.daemon.run(&["--check"]);
        assert_eq!(checked.code, 0, "{checked:?}");
        assert!(checked.stdout.contains("runs as: "), "{checked:?}");
        let file = installed.folder.join(installed.kind.own_file());
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        let checked = installed.daemon.run(&["--check"]);
        assert_eq!(checked.code, 2, "{checked:?}");
        assert!(checked.stderr.contains(&*file.to_string_lossy()), "{checked:?}");
        // It starts all the same, says so, and SIGHUP costs nothing.
        installed.daemon.start();
        assert!(installed.log().contains("cannot read it"), "{}", installed.log());
        installed.hang_up("the old one goes on");
        installed.expect_work();
        // Its group may read it, and that is enough.
        chown(&file, None, Some(GROUP)).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        assert_eq!(installed.daemon.run(&["--check"]).code, 0);
        assert_eq!(installed.daemon.run(&["--restart"]).code, 0);
    }
}

#[test]
fn jobs_leave_nothing_that_the_daemon_cannot_use() {
    if !is_root("jobs") {
        return;
    }
    // A first `--once` of root makes the agent id.
    let spoke = Installed::new(Kind::Spoke, "job-spoke", &LINES);
    assert_eq!(spoke.daemon.run(&["--once"]).code, 0);
    spoke.daemon.start();
    spoke.expect_work();
    expect_ownership(&spoke);
    // The store, looked at and copied by root while the daemon runs and after it.
    let server = Installed::new(Kind::Server, "job-server", &LINES);
    server.daemon.start();
    let copy = server.folder.join("copy.db");
    let copy = copy.to_str().unwrap();
    assert_eq!(server.daemon.run(&["--backup", copy]).code, 0);
    assert_eq!(server.daemon.run(&["--check"]).code, 0);
    server.daemon.stop();
    let compacted = server.daemon.run(&["--compact"]);
    assert_eq!(compacted.code, 0, "{compacted:?}");
    assert_eq!(server.daemon.run(&["--check"]).code, 0);
    server.daemon.start();
    server.expect_work();
    expect_ownership(&server);
}

#[test]
fn root_that_stays_root_and_a_user_that_is_not_root_are_told() {
    if !is_root("who stays who he is") {
        return;
    }
    let spoke = Installed::new(Kind::Spoke, "stays", &[]);
    let pid = spoke.daemon.start();
    assert_eq!(Installed::status_line(pid, "Uid:"), "0 0 0 0");
    assert!(spoke.log().contains("it runs as root; `user`"), "{}", spoke.log());

    // Started by another user than the one that is named.
    let spoke = Installed::new(Kind::Spoke, "not-root", &LINES);
    let binary = spoke.folder.join("binary");
    fs::copy(spoke.daemon.binary(), &binary).unwrap();
    chown(spoke.folder.path(), Some(USER + 1), Some(GROUP)).unwrap();
    let mut command = pattoo_tests::command(&binary, spoke.daemon.configuration());
    std::os::unix::process::CommandExt::uid(&mut command, USER + 1);
    std::os::unix::process::CommandExt::gid(&mut command, GROUP);
    let started = finish(command.arg("--start"));
    assert_eq!(started.code, 0, "{started:?}");
    assert!(spoke.log().contains("only root can become another user"), "{}", spoke.log());
    spoke.expect_work();
}

#[test]
fn a_secret_that_the_user_cannot_read_again_is_found_by_check() {
    if !is_root("a secret that the user cannot read") {
        return;
    }
    let spoke = Installed::new(Kind::Spoke, "secret-rights", &LINES);
    let secret = spoke.folder.write("secret", "one 00112233445566778899\n");
    fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
    let own_file = spoke.folder.join(Kind::Spoke.own_file());
    let text = fs::read_to_string(&own_file).unwrap();
    fs::write(&own_file, format!("{text}secret_file: {}\n", secret.display())).unwrap();
    let checked = spoke.daemon.run(&["--check"]);
    assert_eq!(checked.code, 2, "{checked:?}");
    assert!(checked.stderr.contains(&*secret.to_string_lossy()), "{checked:?}");
    chown(&secret, None, Some(GROUP)).unwrap();
    fs::set_permissions(&secret, Permissions::from_mode(0o640)).unwrap();
    assert_eq!(spoke.daemon.run(&["--check"]).code, 0);
}
