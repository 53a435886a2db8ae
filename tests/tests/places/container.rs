//! A spoke in a container that watches its host.
//!
//! The test makes the host too: namespaces of mounts, processes and network, in
//! which the container's are made in turn.

use std::collections::BTreeSet;
use std::fs;

use crate::spoke::{Figures, Spoke, can_unshare};

const HOST: [&str; 5] = ["--mount", "--pid", "--net", "--fork", "--mount-proc"];

/// A network and a bind mount that only the host has, and the container below it.
const ON_HOST: &str = r#"
mount -t sysfs sysfs /sys
ip link set lo up
ip link add host0 type veth peer name host1
mkdir -p "$FOLDER/data" "$FOLDER/again" "$FOLDER/host/proc" "$FOLDER/host/sys" "$FOLDER/host/root"
mount --bind "$FOLDER/data" "$FOLDER/again"
cat /proc/mounts > "$FOLDER/mounts"
unshare --mount --pid --net --uts --fork --propagation private sh -euc "$CONTAINER"
true # process 1 stays outside of the container
"#;

const IN_CONTAINER: &str = r#"
mount --rbind / "$FOLDER/host/root"
mount --bind /sys "$FOLDER/host/sys"
mount --bind /proc "$FOLDER/host/proc"
mount -t proc proc /proc
"$SPOKE" --once > "$FOLDER/watching.json"
PATTOO_CONFIGDIR="$FOLDER/own" "$SPOKE" --once > "$FOLDER/own.json"
"#;

/// What is to be sent of a table: the first mount of each file system on a device.
fn first_of_each(mounts: &str) -> Vec<(String, String)> {
    let filesystems = fs::read_to_string("/proc/filesystems").unwrap();
    let with_device: BTreeSet<&str> =
        filesystems.lines().filter_map(|line| line.strip_prefix('\t')).map(str::trim).collect();
    let mut seen = BTreeSet::new();
    let mut first = Vec::new();
    for line in mounts.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let overlay_root = fields[2] == "overlay" && fields[1] == "/";
        if (overlay_root || with_device.contains(fields[2])) && seen.insert((fields[0], fields[2]))
        {
            first.push((fields[0].to_owned(), fields[1].to_owned()));
        }
    }
    first
}

#[test]
fn sees_the_hosts_interfaces_processes_and_each_file_system_once() {
    if !can_unshare("a spoke that watches its host", &HOST) {
        return;
    }
    let spoke = Spoke::new("container", "hostname: watched.example.net\n");
    let folder = spoke.folder.path().display().to_string();
    // The same without the three keys: what the container has of its own.
    for file in ["pattoo.yaml", "pattoo_agent_linux_spoked.yaml"] {
        let text = fs::read_to_string(spoke.folder.join("etc").join(file)).unwrap();
        spoke.folder.write(format!("own/{file}"), &text);
        if file.contains("spoked") {
            let keys = format!(
                "{text}proc_directory: {folder}/host/proc\nsys_directory: {folder}/host/sys\n\
                 root_directory: {folder}/host/root\n"
            );
            spoke.folder.write(format!("etc/{file}"), &keys);
        }
    }
    spoke.run(&HOST, &format!("CONTAINER='{IN_CONTAINER}'; export CONTAINER\n{ON_HOST}"));
    let figures = |file: &str| Figures::of(&fs::read(spoke.folder.join(file)).unwrap());
    let (watching, own) = (figures("watching.json"), figures("own.json"));

    assert_eq!(own.interfaces().into_iter().collect::<Vec<_>>(), ["lo"]);
    assert_eq!(watching.interfaces().into_iter().collect::<Vec<_>>(), ["host0", "host1", "lo"]);
    // Shell, unshare, shell and spoke; the container has the last two.
    assert!(watching.one("process_count") >= own.one("process_count") + 2.0);

    let mounts = fs::read_to_string(spoke.folder.join("mounts")).unwrap();
    assert!(mounts.contains("/again "), "the host has the bind mount: {mounts}");
    let of_mounts = watching.0.iter().filter(|f| f.key == "disk_partition_disk_usage_total");
    let sent: Vec<_> = of_mounts
        .map(|figure| {
            assert!(figure.value > 0.0, "{figure:?}");
            let about = |key| figure.about(key).unwrap().to_owned();
            (about("disk_partition_device"), about("disk_partition_mountpoint"))
        })
        .collect();
    let wanted = first_of_each(&mounts);
    assert!(!wanted.is_empty(), "{mounts}");
    assert_eq!(sent, wanted);
}

/// A host that hides its first process: nothing else may stand for its network.
#[test]
fn a_host_that_cannot_be_seen_has_no_interfaces_rather_than_the_containers() {
    const PLACES: [&str; 2] = ["--mount", "--net"];
    if !can_unshare("a host that hides its processes", &PLACES) {
        return;
    }
    let spoke = Spoke::new("hidden-host", "");
    let more = format!("proc_directory: {}/host\n", spoke.folder.path().display());
    let file = "etc/pattoo_agent_linux_spoked.yaml";
    let text = fs::read_to_string(spoke.folder.join(file)).unwrap();
    spoke.folder.write(file, &(text + &more));
    let said = spoke.run(
        &PLACES,
        r#"mkdir "$FOLDER/host"; mkdir -p "$FOLDER/state"; chmod -R a+rwX "$FOLDER"
        mount -t proc -o hidepid=2 proc "$FOLDER/host"
        cp "$SPOKE" "$FOLDER/spoke"
        exec setpriv --reuid=65534 --regid=65534 --clear-groups "$FOLDER/spoke" --explain"#,
    );
    let (_, network) = said.split_once("network_io reads").unwrap();
    assert!(network.contains("0 datapoints"), "{said}");
    assert!(network.contains("host/1/net/dev: there is no such file"), "{said}");
    assert!(said.contains("memory_total"), "{said}");
}
