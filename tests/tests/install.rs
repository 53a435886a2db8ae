//! `scripts/install`, run for images in a folder: whom it changes, and what it leaves.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and starts what it tries"
)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use pattoo_tests::Folder;

const SPOKE: &str = "pattoo_agent_linux_spoked";
const HUB: &str = "pattoo_agent_linux_hubd";
const SERVER: &str = "pattood";

/// An image that has users and groups as a small system has them, and binaries beside it
/// that nobody starts.
fn image() -> Folder {
    let folder = Folder::new("install");
    folder.write("image/etc/passwd", "root:x:0:0:root:/root:/bin/sh");
    folder.write("image/etc/group", "root:x:0:");
    folder.write("image/etc/shadow", "root:*::0:99999:7:::");
    for program in [SPOKE, HUB, SERVER, "pattoo_cli"] {
        let path = folder.write(format!("bin/{program}"), "#!/bin/sh\n");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    folder
}

/// Runs it under the umask of a careful administrator.
fn install(folder: &Folder, arguments: &str) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/install");
    let command = format!(
        "umask 077; exec {} --root {} {arguments}",
        script.display(),
        folder.join("image").display()
    );
    Command::new("sh").args(["-c", &command]).output().expect("a shell")
}

fn installed(folder: &Folder, arguments: &str) {
    let from = folder.join("bin");
    let output = install(folder, &format!("--from {} {arguments}", from.display()));
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

fn text(folder: &Folder, name: &str) -> String {
    fs::read_to_string(folder.join("image").join(name)).unwrap_or_default()
}

fn mode(folder: &Folder, name: &str) -> u32 {
    let path = folder.join("image").join(name);
    fs::metadata(&path).unwrap_or_else(|error| panic!("{name}: {error}")).permissions().mode()
        & 0o777
}

/// Only root may give folders away.
fn is_root() -> bool {
    let is_root =
        fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if !is_root {
        eprintln!("SKIPPED: scripts/install: only root may install");
    }
    is_root
}

#[test]
fn a_line_without_an_end_stays_a_line_of_its_own() {
    if !is_root() {
        return;
    }
    let folder = image();
    folder.write("image/etc/inittab", "::sysinit:/etc/init.d/rcS");
    fs::set_permissions(folder.join("image/etc/shadow"), fs::Permissions::from_mode(0o640))
        .expect("a mode");
    installed(&folder, "--init busybox");
    let lines = |name: &str| text(&folder, name).lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines("etc/passwd")[0], "root:x:0:0:root:/root:/bin/sh");
    assert!(lines("etc/passwd")[1].starts_with("pattoo:x:"), "{:?}", lines("etc/passwd"));
    assert_eq!(lines("etc/group")[0], "root:x:0:");
    assert_eq!(lines("etc/shadow")[0], "root:*::0:99999:7:::");
    assert_eq!(mode(&folder, "etc/shadow"), 0o640);
    assert_eq!(lines("etc/inittab").len(), 2);
    assert_eq!(lines("etc/inittab")[0], "::sysinit:/etc/init.d/rcS");

    let output = install(&folder, "--undo --purge");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for file in ["etc/passwd", "etc/group", "etc/shadow", "etc/inittab"] {
        assert_eq!(lines(file).len(), 1, "{file}");
    }
}

#[test]
fn the_daemons_can_read_what_a_careful_administrator_installs() {
    if !is_root() {
        return;
    }
    let folder = image();
    installed(&folder, "--init none --spoke --server");
    for place in ["etc/pattoo", "usr/local/bin", "usr/local/bin/pattood"] {
        assert_eq!(mode(&folder, place), 0o755, "{place}");
    }
    for file in ["etc/pattoo/pattoo.yaml", "etc/pattoo/pattoo_server.yaml", "etc/default/pattoo"] {
        assert_eq!(mode(&folder, file), 0o644, "{file}");
    }
}

#[test]
fn the_configuration_names_the_user_unless_it_was_there() {
    if !is_root() {
        return;
    }
    let folder = image();
    installed(&folder, "--init none");
    assert!(text(&folder, "etc/pattoo/pattoo.yaml").contains("\n  user: pattoo\n"));

    let folder = image();
    installed(&folder, "--init none --user watcher");
    assert!(text(&folder, "etc/pattoo/pattoo.yaml").contains("\n  user: watcher\n"));

    let folder = image();
    folder.write("image/etc/pattoo/pattoo.yaml", "pattoo:\n  log_level: debug\n");
    installed(&folder, "--init none");
    assert_eq!(text(&folder, "etc/pattoo/pattoo.yaml"), "pattoo:\n  log_level: debug\n");
}

#[test]
fn busybox_without_inittab_keeps_what_it_does_by_itself() {
    if !is_root() {
        return;
    }
    let folder = image();
    fs::create_dir_all(folder.join("image/sbin")).expect("a folder");
    symlink("../bin/busybox", folder.join("image/sbin/init")).expect("a link");
    installed(&folder, "--spoke");
    let inittab = text(&folder, "etc/inittab");
    assert!(inittab.starts_with("::sysinit:/etc/init.d/rcS\n::askfirst:"), "{inittab}");
    assert!(inittab.ends_with(&format!("::respawn:/etc/pattoo/{SPOKE}.run\n")), "{inittab}");
}

#[test]
fn an_inittab_alone_is_no_busybox() {
    if !is_root() {
        return;
    }
    let folder = image();
    folder.write("image/etc/inittab", "id:2:initdefault:\n");
    folder.write("image/sbin/init", "");
    installed(&folder, "--spoke");
    assert_eq!(text(&folder, "etc/inittab"), "id:2:initdefault:\n");
}

#[test]
fn an_undo_takes_what_it_names_and_finds_where_that_was_put() {
    if !is_root() {
        return;
    }
    let folder = image();
    installed(&folder, "--spoke --server --init systemd --bindir /opt/bin");
    let is_there = |name: &str| folder.join("image").join(name).exists();
    let unit = |program: &str| format!("etc/systemd/system/{program}.service");

    let refused = install(&folder, "--undo --purge --spoke");
    assert_eq!(refused.status.code(), Some(2));
    assert!(is_there(&format!("opt/bin/{SPOKE}")) && is_there("etc/pattoo/pattoo.yaml"));

    let output = install(&folder, "--undo --server");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!is_there("opt/bin/pattood") && !is_there("opt/bin/pattoo_cli"));
    assert!(!is_there(&unit(SERVER)));
    assert!(is_there(&format!("opt/bin/{SPOKE}")) && is_there(&unit(SPOKE)));

    let output = install(&folder, "--undo --purge");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!is_there(&format!("opt/bin/{SPOKE}")) && !is_there(&unit(SPOKE)));
    for left in ["usr/local/share/pattoo", "etc/pattoo", "var/lib/pattoo", "etc/default/pattoo"] {
        assert!(!is_there(left), "{left}");
    }
    assert!(!text(&folder, "etc/passwd").contains("pattoo"));
}

#[test]
fn a_user_that_somebody_else_has_made_stays() {
    if !is_root() {
        return;
    }
    let folder = image();
    let user = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:33:web:/var/www:/bin/sh\n";
    folder.write("image/etc/passwd", user);
    installed(&folder, "--init none --user web");
    assert!(install(&folder, "--undo --purge --user web").status.success());
    assert_eq!(text(&folder, "etc/passwd"), user);
}

#[test]
fn an_image_gets_no_binaries_but_those_that_are_named() {
    let folder = image();
    assert_eq!(install(&folder, "--dry-run --spoke").status.code(), Some(2));
}

#[test]
fn the_spokes_unit_has_no_mounts_of_its_own_and_none_gives_up() {
    let folder = image();
    installed(&folder, "--files-only --init systemd --spoke --server");
    let unit = |program: &str| text(&folder, &format!("etc/systemd/system/{program}.service"));
    for program in [SPOKE, SERVER] {
        assert!(unit(program).contains("\nStartLimitIntervalSec=0\n"), "{program}");
        // The one that is left is of a group of system calls.
        assert_eq!(unit(program).matches('@').count(), 1, "{program}");
    }
    assert!(unit(SERVER).contains("\nProtectSystem=strict\n"));
    let own_mounts = [
        "ProtectSystem",
        "ProtectHome",
        "ProtectKernel",
        "ProtectControlGroups",
        "ReadWritePaths",
        "PrivateTmp",
    ];
    for setting in own_mounts {
        assert!(!unit(SPOKE).contains(setting), "{setting}");
    }
}

fn undone(folder: &Folder, arguments: &str) {
    let output = install(folder, arguments);
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Whether there is something, also a link that leads nowhere.
fn is_there(folder: &Folder, name: &str) -> bool {
    folder.join("image").join(name).symlink_metadata().is_ok()
}

#[test]
fn an_upgrade_enables_nothing_that_somebody_has_disabled() {
    if !is_root() {
        return;
    }
    let enabled = [
        ("systemd", format!("etc/systemd/system/multi-user.target.wants/{SPOKE}.service")),
        ("openrc", format!("etc/runlevels/default/{SPOKE}")),
        ("sysv", format!("etc/rc2.d/S50{SPOKE}")),
        ("runit", format!("etc/service/{SPOKE}")),
        ("cron", format!("etc/cron.d/{SPOKE}")),
    ];
    for (init, by) in &enabled {
        let folder = image();
        fs::create_dir_all(folder.join("image/etc/rc2.d")).expect("a folder");
        installed(&folder, &format!("--init {init}"));
        assert!(is_there(&folder, by), "{init}");
        installed(&folder, &format!("--init {init}"));
        assert!(is_there(&folder, by), "{init}");
        fs::remove_file(folder.join("image").join(by)).expect("it is there");
        installed(&folder, &format!("--init {init}"));
        assert!(!is_there(&folder, by), "{init}");
        undone(&folder, "--undo");
        installed(&folder, &format!("--init {init}"));
        assert!(is_there(&folder, by), "{init}: installed anew");
    }

    let folder = image();
    installed(&folder, "--init busybox");
    folder.write("image/etc/inittab", "::sysinit:/etc/init.d/rcS\n");
    installed(&folder, "--init busybox");
    assert_eq!(text(&folder, "etc/inittab"), "::sysinit:/etc/init.d/rcS\n");

    // What masks a unit lies in its place.
    let folder = image();
    installed(&folder, "--init systemd");
    let unit = folder.join(format!("image/etc/systemd/system/{SPOKE}.service"));
    fs::remove_file(&unit).expect("it is there");
    symlink("/dev/null", &unit).expect("a link");
    installed(&folder, "--init systemd");
    assert_eq!(fs::read_link(&unit).expect("a link"), Path::new("/dev/null"));
}

#[test]
fn what_is_kept_can_be_purged_later_and_the_user_is_the_one_that_was_made() {
    if !is_root() {
        return;
    }
    let others = "root:x:0:0:root:/root:/bin/sh\nwatchers:x:1:1::/nonexistent:/bin/sh\n\
                  mypattoo:x:2:2::/nonexistent:/bin/sh\n";
    for when in ["--undo --purge", "--undo"] {
        let folder = image();
        folder.write("image/etc/passwd", others);
        installed(&folder, "--init openrc --user watcher --bindir /opt/bin");
        // What comes later has the same user, in the same folder.
        installed(&folder, "--init openrc --spoke --hub");
        let service = text(&folder, &format!("etc/init.d/{HUB}"));
        assert!(service.contains("command_user=watcher:watcher\n"), "{service}");
        assert!(is_there(&folder, &format!("opt/bin/{HUB}")));
        undone(&folder, when);
        if when == "--undo" {
            assert!(is_there(&folder, "etc/pattoo/pattoo.yaml"));
            assert_eq!(install(&folder, when).status.code(), Some(1), "nothing is left to undo");
            undone(&folder, "--undo --purge");
        }
        assert_eq!(text(&folder, "etc/passwd"), others);
        assert!(!is_there(&folder, "etc/pattoo") && !is_there(&folder, "usr/local/share/pattoo"));
        let again = install(&folder, "--undo --purge");
        assert_eq!(again.status.code(), Some(1), "what others have installed is not its own");
    }
}

#[test]
fn another_init_is_refused_while_the_first_would_start_it_too() {
    if !is_root() {
        return;
    }
    let folder = image();
    installed(&folder, "--init cron");
    let from = folder.join("bin");
    let output = install(&folder, &format!("--from {} --init openrc", from.display()));
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("was installed for cron"));
    assert!(!is_there(&folder, "etc/init.d"));
}

#[test]
fn what_cannot_be_written_ends_it() {
    if !is_root() {
        return;
    }
    let folder = image();
    // In the way of a link.
    folder.write(format!("image/etc/service/{SPOKE}/run"), "somebody's\n");
    let from = folder.join("bin");
    let output = install(&folder, &format!("--from {} --init runit", from.display()));
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains(SPOKE));
}

#[test]
fn folders_that_have_a_programs_name_are_none_of_its_files() {
    if !is_root() {
        return;
    }
    let folder = image();
    installed(&folder, "--init runit --spoke --server --bindir /opt/pattood");
    undone(&folder, "--undo --server");
    for gone in ["opt/pattood/pattood", "etc/sv/pattood", "etc/service/pattood"] {
        assert!(!is_there(&folder, gone), "{gone}");
    }
    for left in ["opt/pattood", "etc/sv", "etc/service"] {
        assert!(is_there(&folder, &format!("{left}/{SPOKE}")), "{left}");
    }
}

#[test]
fn a_binary_that_is_missing_is_told_before_anything_is_done() {
    if !is_root() {
        return;
    }
    let folder = image();
    fs::remove_file(folder.join("bin/pattoo_cli")).expect("it is there");
    let from = folder.join("bin");
    let output = install(&folder, &format!("--from {} --spoke --server", from.display()));
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("pattoo_cli is missing"));
    assert!(!is_there(&folder, "usr") && !text(&folder, "etc/passwd").contains("pattoo"));
}

#[test]
fn what_cannot_be_enabled_is_told() {
    if !is_root() {
        return;
    }
    let folder = image();
    let from = folder.join("bin");
    let output = install(&folder, &format!("--from {} --init sysv", from.display()));
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not be started at boot"));
    // Once it can be, it is.
    fs::create_dir_all(folder.join("image/etc/rc2.d")).expect("a folder");
    installed(&folder, "--init sysv");
    assert!(is_there(&folder, &format!("etc/rc2.d/S50{SPOKE}")));

    // Where the runlevels are on systems of another descent.
    let folder = image();
    fs::create_dir_all(folder.join("image/etc/rc.d/rc2.d")).expect("a folder");
    installed(&folder, "");
    assert!(is_there(&folder, &format!("etc/rc.d/rc2.d/S50{SPOKE}")));

    // What s6-linux-init copies to /run at each boot.
    let folder = image();
    let kept = "etc/s6-linux-init/current/run-image/service";
    for name in [kept, "run/service"] {
        fs::create_dir_all(folder.join("image").join(name)).expect("a folder");
    }
    installed(&folder, "--init s6");
    assert!(is_there(&folder, &format!("{kept}/{SPOKE}")));
    assert!(!is_there(&folder, &format!("run/service/{SPOKE}")));
}

#[test]
fn logs_that_nobody_else_bounds_are_rotated_as_the_user() {
    if !is_root() {
        return;
    }
    let folder = image();
    installed(&folder, "--init openrc");
    assert!(!is_there(&folder, "etc/logrotate.d"), "nobody would read it");

    let folder = image();
    fs::create_dir_all(folder.join("image/etc/logrotate.d")).expect("a folder");
    installed(&folder, "--init openrc --user watcher");
    assert!(text(&folder, "etc/logrotate.d/pattoo").contains("    su watcher watcher\n"));
    folder.write("image/etc/logrotate.d/pattoo", "# mine\n");
    installed(&folder, "--init openrc --user watcher");
    assert_eq!(text(&folder, "etc/logrotate.d/pattoo"), "# mine\n");
    undone(&folder, "--undo");
    assert!(!is_there(&folder, "etc/logrotate.d/pattoo"));
}
