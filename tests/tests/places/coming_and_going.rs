//! Interfaces and disks that come and go between two polls: what the spoke keeps
//! open must not keep it from seeing them.

use std::fs;
use std::thread;

use pattoo_tests::{Folder, binary_of_system, command, finish};

use crate::spoke::{Figures, Spoke, can_unshare, plain_tree};

/// The interfaces of the real kernel, in a network of the test's own.
#[test]
fn interfaces_of_the_kernel() {
    if !can_unshare("interfaces that come and go", &["--mount", "--net"]) {
        return;
    }
    // A network goes with the thread, which then may not be another test's.
    let tested = thread::spawn(|| {
        own_network();
        let spoke = Spoke::new("come-and-go", "");
        let ip = |arguments: &str| {
            let mut command = command(&binary_of_system("ip"), spoke.daemon.configuration());
            let done = finish(command.args(arguments.split(' ')));
            assert_eq!(done.code, 0, "{done:?}");
        };
        let interfaces = |figures: &Figures| {
            figures.interfaces().into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        ip("link set lo up");
        spoke.daemon.start();
        assert_eq!(interfaces(&spoke.poll()), ["lo"]);
        for _ in 0..3 {
            ip("link add come0 type veth peer name come1");
            assert_eq!(interfaces(&spoke.poll()), ["come0", "come1", "lo"]);
            ip("link set come1 name other1");
            assert_eq!(interfaces(&spoke.poll()), ["come0", "lo", "other1"]);
            ip("link del come0");
            assert_eq!(interfaces(&spoke.poll()), ["lo"]);
        }
        spoke.daemon.stop();
    });
    tested.join().unwrap();
}

#[allow(unsafe_code)]
fn own_network() {
    // SAFETY: unshare takes no memory.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0);
}

fn disks(figures: &Figures) -> Vec<(&str, f64)> {
    figures.each("disk_io_read_count", "disk_partition")
}

const FIGURES: &str = "0 0 0 0 0 0 0 0 0 0";

#[test]
fn disks_of_diskstats() {
    let folder = Folder::new("disks-come");
    plain_tree(&folder);
    let spoke = Spoke::of_tree(folder);
    let sda = format!("8 0 sda 7 {FIGURES}\n");
    spoke.tree("proc/diskstats", &sda);
    spoke.daemon.start();
    assert_eq!(disks(&spoke.poll()), [("sda", 7.0)]);
    spoke.tree("proc/diskstats", &format!("{sda}8 16 sdb 9 {FIGURES}\n8 17 sdb1 8 {FIGURES}\n"));
    assert_eq!(disks(&spoke.poll()), [("sda", 7.0), ("sdb", 9.0), ("sdb1", 8.0)]);
    spoke.tree("proc/diskstats", &format!("8 16 sdb 1 {FIGURES}\n"));
    assert_eq!(disks(&spoke.poll()), [("sdb", 1.0)], "another one, whose counters begin anew");
    spoke.tree("proc/diskstats", "");
    assert_eq!(disks(&spoke.poll()), []);
    spoke.daemon.stop();
}

/// Where there is no `/proc/diskstats` each disk has a file of its own.
#[test]
fn disks_of_sys() {
    let folder = Folder::new("sys-disks-come");
    plain_tree(&folder);
    fs::remove_file(folder.join("proc/diskstats")).unwrap();
    let spoke = Spoke::of_tree(folder);
    let stat = |disk: &str, reads: u32| {
        spoke.tree(&format!("sys/block/{disk}/stat"), &format!("{reads} {FIGURES}\n"));
    };
    stat("sda", 7);
    spoke.daemon.start();
    assert_eq!(disks(&spoke.poll()), [("sda", 7.0)]);
    stat("sdb", 9);
    stat("sdb/sdb1", 8);
    assert_eq!(disks(&spoke.poll()), [("sda", 7.0), ("sdb", 9.0), ("sdb1", 8.0)]);
    fs::remove_dir_all(spoke.folder.join("sys/block/sda")).unwrap();
    assert_eq!(disks(&spoke.poll()), [("sdb", 9.0), ("sdb1", 8.0)]);
    stat("sda", 1);
    assert_eq!(disks(&spoke.poll()), [("sda", 1.0), ("sdb", 9.0), ("sdb1", 8.0)]);
    spoke.daemon.stop();
}
