//! Machines whose disk cannot be written.

use crate::spoke::{Spoke, can_unshare};

const PLACES: [&str; 1] = ["--mount"];

/// With its folders in memory, as on a router, a spoke needs no disk.
#[test]
fn a_read_only_root_is_enough() {
    if !can_unshare("a read-only root", &PLACES) {
        return;
    }
    let spoke = Spoke::new("read-only", "");
    let log = spoke.run(
        &PLACES,
        r#"for place in state log run cache; do
            mkdir -p "$FOLDER/$place"; mount -t tmpfs none "$FOLDER/$place"
        done
        mount --bind "$FOLDER/etc" "$FOLDER/etc"
        mount -o remount,bind,ro "$FOLDER/etc"
        mount --bind / / ; mount -o remount,bind,ro /
        ! touch /written 2>/dev/null
        "$SPOKE" --start >&2; "$SPOKE" --status >&2
        "$SPOKE" --stop >&2
        cat "$FOLDER"/log/*"#,
    );
    // Where nothing survives a reboot the id comes from what does.
    assert!(log.contains("agent id: ") && log.contains("ends: SIGTERM"), "{log}");
}

/// Where the agent id cannot be kept it would be another after each start, and
/// every history would begin anew: the spoke says so and does not start.
#[test]
fn a_folder_for_the_agent_id_that_cannot_be_written_is_named() {
    if !can_unshare("a read-only folder of the agent id", &PLACES) {
        return;
    }
    let spoke = Spoke::new("read-only-id", "");
    let finished = spoke.script(
        &PLACES,
        r#"mkdir "$FOLDER/state"; mount --bind "$FOLDER/state" "$FOLDER/state"
        mount -o remount,bind,ro "$FOLDER/state"
        "$SPOKE" --start"#,
    );
    assert_ne!(finished.code, 0, "{finished:?}");
    let folder = spoke.folder.join("state/agent_id");
    let said = format!("{}{}", finished.stderr, spoke.log());
    assert!(said.contains(&folder.display().to_string()), "{finished:?}");
    assert!(said.contains("Read-only file system"), "{finished:?}");
    assert!(spoke.daemon.processes().is_empty());
}
