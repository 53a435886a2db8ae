//! Files of secrets that cannot be used, and what is told of those that can.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use pattoo_tests::{Daemon, Server};

use crate::site::{NEXT, OURS, hub, server, spoke};

/// Tries a program whose secrets are in this file.
fn try_files(daemon: &Daemon, file: &Path) {
    daemon.stop();
    let secret = OURS.rsplit(' ').next().unwrap();
    let set = |text: &str, mode: u32| {
        fs::write(file, text).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
    };
    set(&format!("# two\n{OURS}\n{NEXT}\n"), 0o640);
    let checked = daemon.run(&["--check"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    let shown =
        format!("secret_file: {} (signs with \"site1\"; takes \"site2\" too)", file.display());
    assert!(checked.stdout.contains(&shown), "{}", checked.stdout);
    assert!(!checked.stdout.contains(secret), "{}", checked.stdout);

    let long = format!("{OURS}\n#{}", "x".repeat(16 << 10));
    for (text, mode, reason) in [
        (OURS, 0o644, "its mode is 0644: everybody on this machine has a way to it"),
        (OURS, 0o604, "its mode is 0604"),
        ("site1 tooshort", 0o600, "line 1: the secret has 8 characters, 16 to 256 are wanted"),
        ("# none\n", 0o600, "no secret is in it"),
        (&long, 0o600, "is larger than 16384 bytes"),
    ] {
        set(text, mode);
        for flag in ["--check", "--start", "--foreground"] {
            let finished = daemon.run(&[flag]);
            assert_eq!(finished.code, 2, "{flag}: {finished:?}");
            assert!(finished.stderr.contains(reason), "{reason}: {}", finished.stderr);
            assert!(finished.stderr.contains("secret_file: "), "{}", finished.stderr);
            assert!(!finished.stderr.contains(secret), "{}", finished.stderr);
        }
    }
    fs::remove_file(file).unwrap();
    let finished = daemon.run(&["--check"]);
    assert!(finished.code == 2 && finished.stderr.contains("cannot be read"), "{finished:?}");
}

#[test]
fn of_a_spoke() {
    let spoke = spoke("web1", Some(OURS));
    try_files(&spoke.daemon, &spoke.folder.join("secret"));
}

#[test]
fn of_a_hub() {
    let hub = hub(&[1], 2, Some(OURS));
    try_files(&hub.daemon, &hub.folder.join("secret"));
}

#[test]
fn of_a_server() {
    let server: Server = server(Some(OURS), "");
    try_files(&server.daemon, &server.daemon.configuration().join("secret"));
}
