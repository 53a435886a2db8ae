//! The device behind `/dev/root`.
//!
//! A kernel that mounts its root without an initramfs names it `/dev/root`, which
//! does not exist. The true name is found by the number of the device, as psutil
//! finds it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::kernel_file::KernelFile;
use crate::source::Roots;

/// Whether a device of the table of mounts stands for another.
pub(crate) fn is_placeholder(device: &str) -> bool {
    matches!(device, "/dev/root" | "rootfs")
}

/// The device that holds the root, such as `/dev/mmcblk0p2`, if it can be found.
pub(crate) fn find(roots: &Roots) -> Option<String> {
    let number = fs::metadata(&roots.root).ok()?.dev();
    let (major, minor) = (libc::major(number), libc::minor(number));
    let uevent = || roots.sys(format!("dev/block/{major}:{minor}/uevent"));
    let name = read(roots.proc("partitions"))
        .and_then(|text| in_partitions(&text, major, minor).map(str::to_owned))
        .or_else(|| in_uevent(&read(uevent())?).map(str::to_owned))?;
    roots.root.join("dev").join(&name).exists().then(|| format!("/dev/{name}"))
}

/// Looks in the text of `/proc/partitions`: major, minor, blocks, name.
fn in_partitions(text: &str, major: u32, minor: u32) -> Option<&str> {
    text.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let number = (fields.next()?.parse(), fields.next()?.parse());
        (number == (Ok(major), Ok(minor))).then(|| fields.nth(1)).flatten()
    })
}

/// Looks in the text of a `uevent` file below `/sys/dev/block`.
fn in_uevent(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("DEVNAME=")).filter(|name| !name.is_empty())
}

fn read(path: PathBuf) -> Option<String> {
    Some(String::from_utf8_lossy(KernelFile::new(path).read().ok()?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_device_by_its_number() {
        let partitions = "major minor  #blocks  name\n\n   179  0  15558144 mmcblk0\n   179  2  15267840 mmcblk0p2\n";
        assert_eq!(in_partitions(partitions, 179, 2), Some("mmcblk0p2"));
        assert_eq!(in_partitions(partitions, 179, 3), None);
        assert_eq!(in_uevent("MAJOR=179\nMINOR=2\nDEVNAME=mmcblk0p2\n"), Some("mmcblk0p2"));
        assert_eq!(in_uevent("DEVNAME=\n"), None);
        assert!(is_placeholder("/dev/root") && !is_placeholder("/dev/sda1"));
    }
}
