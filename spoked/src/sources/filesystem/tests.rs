use std::fs;
use std::net::{IpAddr, Ipv4Addr};

use pattoo_common::datapoint::Place;

use super::*;

const POLL: Poll = Poll { client: IpAddr::V4(Ipv4Addr::LOCALHOST), interval_s: 300 };

/// A tree with a table of mounts in a folder that goes with it.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str, table: &str) -> Self {
        let root = std::env::temp_dir().join(format!("pattoo-{}-{name}", std::process::id()));
        fs::create_dir_all(root.join("proc/self")).unwrap();
        fs::write(root.join("proc/filesystems"), "nodev\ttmpfs\n\text4\n").unwrap();
        fs::write(root.join("proc/self/mounts"), table).unwrap();
        Self(root)
    }

    fn source(&self) -> Filesystem {
        let (proc, sys) = (self.0.join("proc"), self.0.join("sys"));
        Filesystem::new(Roots { proc, sys, root: self.0.clone() })
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn read(source: &mut Filesystem) -> (Vec<DataPoint>, Result<(), SourceError>) {
    let mut out = Vec::new();
    let outcome = source.read(&POLL, &mut out);
    (out, outcome)
}

#[test]
fn sends_four_figures_of_each_mount() {
    let table = "/dev/vda / ext4 rw,relatime 0 0\ntmpfs /proc tmpfs rw 0 0\n";
    let tree = Tree::new("four-figures", table);
    let mut source = tree.source();
    for _ in 0..2 {
        let (points, outcome) = read(&mut source);
        assert_eq!(outcome, Ok(()));
        let keys: Vec<_> = points.iter().map(|point| point.key).collect();
        assert_eq!(
            keys,
            [
                "disk_partition_disk_usage_total",
                "disk_partition_disk_usage_used",
                "disk_partition_disk_usage_free",
                "disk_partition_disk_usage_percent",
            ]
        );
        for point in &points {
            assert_eq!(point.data_type, DataType::Gauge);
            let metadata = point.metadata.as_ref().unwrap();
            assert_eq!(metadata.place, Place::BeforeHost);
            let pairs: Vec<_> =
                metadata.pairs.iter().map(|(key, value)| (*key, value.as_str())).collect();
            assert_eq!(
                pairs,
                [
                    ("disk_partition_device", "/dev/vda"),
                    ("disk_partition_mountpoint", "/"),
                    ("disk_partition_fstype", "ext4"),
                    ("disk_partition_opts", "rw,relatime"),
                ]
            );
        }
    }
}

#[test]
fn one_unreadable_mount_does_not_end_the_poll() {
    let table = "/dev/a /lost ext4 rw 0 0\n/dev/b\n/dev/vda / ext4 rw 0 0\n";
    let tree = Tree::new("unreadable", table);
    let (points, outcome) = read(&mut tree.source());
    assert_eq!(points.len(), 4);
    let Err(SourceError::Failed(reason)) = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("self/mounts, line 2: wanted device"), "{reason}");
    assert!(reason.contains("/lost: No such file"), "{reason}");
}

#[test]
fn a_machine_without_devices_is_no_fault() {
    let tree = Tree::new("no-devices", "tmpfs / tmpfs rw 0 0\n");
    let (points, outcome) = read(&mut tree.source());
    assert!(points.is_empty());
    assert!(matches!(outcome, Err(SourceError::Absent(_))), "{outcome:?}");
}

#[test]
fn a_table_that_is_missing_is_named() {
    let tree = Tree::new("no-table", "");
    fs::remove_file(tree.0.join("proc/self/mounts")).unwrap();
    let (_, outcome) = read(&mut tree.source());
    let Err(SourceError::Failed(reason)) = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("proc/self/mounts: No such file"), "{reason}");
}

#[test]
fn where_the_root_is_elsewhere_the_first_process_sees_the_mounts() {
    let tree = Tree::new("first-process", "/dev/a /a ext4 rw 0 0\n");
    fs::create_dir(tree.0.join("proc/1")).unwrap();
    fs::write(tree.0.join("proc/1/mounts"), "/dev/b / ext4 rw 0 0\n").unwrap();
    let (points, outcome) = read(&mut tree.source());
    assert_eq!((points.len(), outcome), (4, Ok(())));
}

#[test]
fn reckons_as_df_does() {
    // Half of the blocks are used, 5 of 50 free ones are kept back for root.
    let size = Size { block_bytes: 1024, blocks: 100, free: 50, available: 45, read_only: false };
    let mut out = Vec::new();
    let metadata = Metadata::before_host(Vec::new());
    push(&size, &metadata, &mut out);
    let values: Vec<_> = out.drain(..).map(|point| point.value).collect();
    let expected = [102_400, 51_200, 46_080].map(Value::Integer);
    assert_eq!(values.get(..3), Some(&expected[..]));
    assert_eq!(values.last(), Some(&Value::Float(52.6)));
    push(&Size { blocks: 0, ..size }, &metadata, &mut out);
    assert!(out.is_empty(), "absent is not zero");
    // Figures that make no sense do not overflow.
    push(&Size { blocks: u64::MAX, free: u64::MAX, ..size }, &metadata, &mut out);
    assert_eq!(out.len(), 4);
}

#[test]
fn names_what_was_not_asked_and_what_is_forbidden() {
    let question = |path: &str| Question {
        path: Arc::from(CString::new(path).unwrap()),
        device: Arc::from("d"),
        remote: true,
        at_hand: false,
    };
    let questions: Vec<_> = ["/a", "/b", "/c"].into_iter().map(question).collect();
    let denied = Outcome::Denied;
    let outcome = judge(&[], &questions, &[denied.clone(), denied.clone(), denied.clone()]);
    assert_eq!(outcome, Err(SourceError::Absent("no permission for /a, /b, /c".to_owned())));
    let outcome = judge(&[], &questions, &[Outcome::Hangs, Outcome::NotAsked, denied]);
    let reason = "statvfs does not return for /a; not asked, for others hang: /b; \
                  no permission for /c";
    assert_eq!(outcome, Err(SourceError::Failed(reason.to_owned())));
    let many = name_some((0..20).map(|number| number.to_string())).unwrap();
    assert!(many.ends_with("14, 15 and 4 more"), "{many}");
}
