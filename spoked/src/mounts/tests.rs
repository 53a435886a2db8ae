use std::fmt::Write as _;

use super::*;

const FILESYSTEMS: &str =
    "nodev\tsysfs\nnodev\ttmpfs\nnodev\tnfs4\nnodev\toverlay\nnodev\tzfs\n\text4\n\txfs\n";

/// Found by the fuzz target `mounts`.
#[test]
fn a_type_without_a_name_is_none() {
    assert_eq!(types_with_device("\t\n\text4\n\t \n"), ["ext4"]);
    let mut selector = Selector::new(types_with_device("\t\n"));
    selector.line(b"/dev/sda1 /mnt  rw 0 0");
    assert_eq!(selector.finish().mounts, []);
}

fn select(table: &str) -> Selection {
    let mut selector = Selector::new(types_with_device(FILESYSTEMS));
    for line in table.lines() {
        selector.line(line.as_bytes());
    }
    selector.finish()
}

fn mountpoints(table: &str) -> Vec<String> {
    let name = |mount: &Mount| mount.mountpoint.to_string_lossy().into_owned();
    select(table).mounts.iter().map(name).collect()
}

#[test]
fn takes_what_has_a_device() {
    let types = types_with_device(FILESYSTEMS);
    assert_eq!(types, ["zfs", "ext4", "xfs"]);
    let table = "sysfs /sys sysfs rw 0 0\n\
                 /dev/vda / ext4 rw,relatime 0 0\n\
                 tank/home /home zfs rw,xattr 0 0\n\
                 none /lost ext4 rw 0 0\n\
                 tmpfs /run tmpfs rw 0 0\n\
                 /dev/vdb /var/lib/docker xfs rw 0 0\n";
    assert_eq!(mountpoints(table), ["/", "/home", "/var/lib/docker"]);
    let first = Mount {
        device: "/dev/vda".into(),
        mountpoint: "/".into(),
        fstype: "ext4".into(),
        options: "rw,relatime".into(),
        remote: false,
        at_hand: true,
    };
    assert_eq!(select(table).mounts.first(), Some(&first));
}

#[test]
fn adds_network_fuse_and_an_overlay_root() {
    let table = "overlay / overlay rw,lowerdir=/a:/b 0 0\n\
                 overlay /var/lib/docker/overlay2/x/merged overlay rw 0 0\n\
                 nas:/export /mnt/nfs nfs4 rw 0 0\n\
                 //nas/share /mnt/smb cifs rw 0 0\n\
                 //nas/share /mnt/smb3 smb3 rw 0 0\n\
                 me@host: /mnt/ssh fuse.sshfs rw 0 0\n\
                 /dev/sdc1 /mnt/ntfs fuseblk rw 0 0\n\
                 portal /run/user/0/doc fuse.portal rw 0 0\n\
                 gvfsd-fuse /run/user/0/gvfs fuse.gvfsd-fuse rw 0 0\n\
                 fusectl /sys/fs/fuse/connections fusectl rw 0 0\n";
    let expected = ["/", "/mnt/nfs", "/mnt/smb", "/mnt/smb3", "/mnt/ssh", "/mnt/ntfs"];
    assert_eq!(mountpoints(table), expected);
    let remote: Vec<bool> = select(table).mounts.iter().map(|mount| mount.remote).collect();
    assert_eq!(remote, [false, true, true, true, true, true]);
}

#[test]
fn only_what_is_behind_nothing_slow_is_at_hand() {
    let at_hand = |table: &str| -> Vec<bool> {
        select(table).mounts.iter().map(|mount| mount.at_hand).collect()
    };
    let table = "/dev/a / ext4 rw 0 0\n\
                 nas:/x /net nfs4 rw 0 0\n\
                 auto /auto autofs rw 0 0\n\
                 /dev/b /net/b xfs rw 0 0\n\
                 /dev/c /auto/c ext4 rw 0 0\n\
                 /dev/d /network ext4 rw 0 0\n\
                 tank/e /e zfs rw 0 0\n";
    assert_eq!(at_hand(table), [true, false, false, false, true, false]);
    assert_eq!(at_hand("nas:/x / nfs4 rw 0 0\n/dev/b /b xfs rw 0 0\n"), [false, false]);
}

#[test]
fn undoes_the_escapes_of_getmntent_and_no_others() {
    let table = r"/dev/sd\040a /a\040b\011c\012d\134e ext4 rw,x=1\0542,\04,\ 0 0";
    let mount = select(table).mounts.remove(0);
    assert_eq!(mount.device, "/dev/sd a");
    assert_eq!(mount.mountpoint, OsString::from("/a b\tc\nd\\e"));
    assert_eq!(mount.options, r"rw,x=1\0542,\04,\");
}

#[test]
fn keeps_a_mount_point_that_is_no_utf8() {
    let mut selector = Selector::new(types_with_device(FILESYSTEMS));
    selector.line(b"/dev/sda /mnt/\xff ext4 rw 0 0");
    let mount = selector.finish().mounts.remove(0);
    assert_eq!(mount.mountpoint.as_encoded_bytes(), b"/mnt/\xff");
}

#[test]
fn the_last_mount_on_a_place_counts() {
    let covered_by_another = "/dev/a /mnt ext4 rw 0 0\n/dev/b /mnt xfs rw 0 0\n";
    let devices: Vec<String> =
        select(covered_by_another).mounts.into_iter().map(|mount| mount.device).collect();
    assert_eq!(devices, ["/dev/b"]);
    // The covering one is not sent; the covered one must not stand for it.
    assert!(mountpoints("/dev/a /mnt ext4 rw 0 0\ntmpfs /mnt tmpfs rw 0 0\n").is_empty());
    // A device mounted in two places is in both.
    assert_eq!(mountpoints("/dev/a /x ext4 rw 0 0\n/dev/a /y ext4 rw 0 0\n"), ["/x", "/y"]);
}

#[test]
fn where_each_is_sent_once_it_is_at_its_first_place() {
    let table = "overlay / overlay rw 0 0\n\
                 /dev/a /data ext4 rw 0 0\n\
                 /dev/a /var/lib/kubelet/pods/x/volume ext4 ro 0 0\n\
                 /dev/b /b xfs rw 0 0\n\
                 tmpfs /b tmpfs rw 0 0\n\
                 /dev/b /again xfs rw 0 0\n\
                 nas:/x /x nfs4 rw 0 0\n\
                 nas:/x /y nfs4 rw 0 0\n\
                 /dev/fuse /pve fuse rw 0 0\n\
                 /dev/fuse /other fuse rw 0 0\n\
                 overlay /merged overlay rw 0 0\n";
    let mut selector = Selector::new(types_with_device(FILESYSTEMS)).once_each();
    table.lines().for_each(|line| selector.line(line.as_bytes()));
    let mounts = selector.finish().mounts;
    let places: Vec<_> = mounts.iter().map(|mount| mount.mountpoint.to_str().unwrap()).collect();
    assert_eq!(places, ["/", "/data", "/again", "/x", "/pve", "/other"]);
}

#[test]
fn names_a_bad_line_and_keeps_the_good_ones() {
    let selection = select("/dev/a / ext4 rw 0 0\n\n/dev/b /mnt\n/dev/c /c xfs rw 0 0\n");
    assert_eq!(selection.mounts.len(), 2);
    let said: Vec<String> = selection.bad_lines.iter().map(ToString::to_string).collect();
    let wanted = "line 3: wanted device, mount point, type and options, found '/dev/b /mnt'";
    assert_eq!(said, [wanted]);
}

#[test]
fn is_bounded_and_prefers_local_mounts() {
    let mut table = String::new();
    for number in 0..5000 {
        writeln!(table, "nas:/{number} /nfs/{number} nfs4 rw 0 0").unwrap();
    }
    table += "/dev/a / ext4 rw 0 0\n";
    let selection = select(&table);
    assert_eq!(selection.mounts.len(), MAX_MOUNTS);
    assert_eq!(selection.left_out, 5001 - MAX_MOUNTS);
    assert_eq!(selection.mounts.last().map(|mount| mount.device.as_str()), Some("/dev/a"));
}
