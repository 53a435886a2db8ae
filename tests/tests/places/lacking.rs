//! Machines that lack what most have.

use std::fs;

use crate::spoke::{Figures, Spoke, can_unshare};

/// No user, no name server, no time zone, no locale, no table of mounts in `/etc`,
/// no network, and nothing in the environment.
#[test]
fn an_empty_etc_and_environment() {
    const PLACES: [&str; 2] = ["--mount", "--net"];
    if !can_unshare("an empty /etc", &PLACES) {
        return;
    }
    let spoke = Spoke::new("empty-etc", "");
    let usual = spoke.once();
    let body = spoke.run(
        &PLACES,
        r#"for folder in /etc /usr/share/zoneinfo /usr/share/locale /usr/lib/locale; do
            [ ! -d "$folder" ] || mount -t tmpfs none "$folder"
        done
        [ -z "$(ls /etc)" ]
        bare() { env -i PATTOO_CONFIGDIR="$PATTOO_CONFIGDIR" "$SPOKE" "$@"; }
        bare --start >&2
        bare --status >&2
        bare --stop >&2
        bare --once"#,
    );
    let figures = Figures::of(body.as_bytes());
    assert_eq!(figures.keys(), usual.keys());
    let name = |figures: &Figures| figures.0[0].about("hostname").unwrap().to_owned();
    assert!(!name(&figures).is_empty());
    // The log tells the time although no zone is known.
    assert!(spoke.log().contains("Z [INFO] "), "{}", spoke.log());
}

#[test]
fn no_sys() {
    const PLACES: [&str; 1] = ["--mount"];
    if !can_unshare("no /sys", &PLACES) {
        return;
    }
    let spoke = Spoke::new("no-sys", "");
    let mut usual = spoke.once();
    let body = spoke.run(&PLACES, r#"mount -t tmpfs none /sys; "$SPOKE" --once"#);
    let figures = Figures::of(body.as_bytes());
    // A board may tell its frequency there and nowhere else.
    if !figures.keys().contains("cpu_frequency") {
        usual.0.retain(|figure| figure.key != "cpu_frequency");
    }
    assert_eq!(figures.keys(), usual.keys());
    let cpus = |figures: &Figures| figures.0[0].about("cpus").unwrap().to_owned();
    assert_eq!(cpus(&figures), cpus(&usual), "from /proc/stat instead");
}

/// Who may not see the processes of others still has all that the machine tells.
#[test]
fn hidden_processes() {
    const PLACES: [&str; 2] = ["--mount", "--net"];
    if !can_unshare("hidepid", &PLACES) {
        return;
    }
    let spoke = Spoke::new("hidepid", "");
    let usual = spoke.once();
    fs::remove_dir_all(spoke.folder.join("state")).unwrap();
    let body = spoke.run(
        &PLACES,
        r#"mount -t proc -o hidepid=2 proc /proc
        mkdir "$FOLDER/state"; chmod -R a+rwX "$FOLDER"
        cp "$SPOKE" "$FOLDER/spoke"
        exec setpriv --reuid=65534 --regid=65534 --clear-groups "$FOLDER/spoke" --once"#,
    );
    let figures = Figures::of(body.as_bytes());
    // A user may be kept from a mount, never from what the kernel tells of all.
    let told = |figures: &Figures| {
        let mut keys: Vec<_> = figures.keys().into_iter().map(str::to_owned).collect();
        keys.retain(|key| !key.starts_with("disk_partition_"));
        keys
    };
    assert_eq!(told(&figures), told(&usual));
    assert!((figures.one("process_count") - 1.0).abs() < f64::EPSILON, "its own is what it sees");
    assert_eq!(figures.interfaces().into_iter().collect::<Vec<_>>(), ["lo"]);
}
