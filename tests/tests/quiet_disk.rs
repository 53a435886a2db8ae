//! What spoke and hub write to the disk while all is well: nothing, so that they may
//! run on flash cards that wear out.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use pattoo_tests::{
    Daemon, Folder, HubOptions, PATIENCE, Process, Receiver, SpokeOptions, binary, free_port,
    http_get, wait_until, write_hub_config, write_spoke_config,
};

const SPOKE: &str = "pattoo_agent_linux_spoked";
const HUB: &str = "pattoo_agent_linux_hubd";

/// Polls, or posts of a hub, over which is counted.
const ROUNDS: usize = 5;

/// Looks at a hub of which one must find nothing: that a busy machine was late for a
/// poll is told in the log, which is written.
const LOOKS: usize = 5;

/// Bytes that a process has written to files, so that a disk has to store them:
/// `write_bytes` of `/proc/PID/io`, see `proc_pid_io(5)`. What goes to sockets and to
/// file systems in memory does not count.
fn bytes_to_disk(process: &str) -> Option<u64> {
    let io = fs::read_to_string(format!("/proc/{process}/io")).ok()?;
    io.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse().ok())
}

/// Whether the kernel counts what is written to this folder.
fn is_counted(folder: &Folder) -> bool {
    let Some(before) = bytes_to_disk("self") else { return false };
    let mut file = fs::File::create(folder.join("probe")).unwrap();
    file.write_all(&vec![1; 64 * 1024]).unwrap();
    file.sync_all().unwrap();
    bytes_to_disk("self").is_some_and(|after| after > before)
}

/// Size and times of every file and folder below `folder`, in nanoseconds.
fn state(folder: &Path) -> BTreeMap<PathBuf, (u64, i64, i64)> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        let of = match fs::symlink_metadata(&path) {
            Ok(of) => of,
            // Gone since its folder was read: the folder's own time tells that.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => panic!("{}: {error}", path.display()),
        };
        if of.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let ns = |s: i64, ns: i64| s * 1_000_000_000 + ns;
        let (modified, changed) =
            (ns(of.mtime(), of.mtime_nsec()), ns(of.ctime(), of.ctime_nsec()));
        found.insert(path, (of.len(), modified, changed));
    }
    found
}

/// What was written in `folder`, and by `process`, while `work` went on.
struct Written {
    bytes: Option<u64>,
    files: Vec<PathBuf>,
}

fn written(folder: &Folder, process: Process, work: impl FnOnce()) -> Written {
    let counted = is_counted(folder);
    if !counted {
        eprintln!("SKIPPED IN PART: quiet_disk: this kernel or file system counts no write_bytes");
    }
    let count = || bytes_to_disk(&process.to_string()).filter(|_| counted);
    let (bytes, files) = (count(), state(folder.path()));
    work();
    let after = state(folder.path());
    let files = files
        .keys()
        .chain(after.keys())
        .filter(|path| files.get(*path) != after.get(*path))
        .cloned()
        .collect();
    Written { bytes: bytes.zip(count()).map(|(before, after)| after - before), files }
}

impl Written {
    fn is_nothing(&self) -> bool {
        self.files.is_empty() && self.bytes.unwrap_or(0) == 0
    }

    fn assert_nothing(&self, who: &str) {
        assert!(self.files.is_empty(), "{who} has written to {:?}", self.files);
        if let Some(bytes) = self.bytes {
            assert_eq!(bytes, 0, "{who} has written {bytes} bytes to some file");
        }
    }
}

/// With the log level that is used when nothing is looked for.
fn at_level_info(folder: &Folder) {
    let text = fs::read_to_string(folder.join("etc/pattoo.yaml")).unwrap();
    folder.write("etc/pattoo.yaml", &text.replace("log_level: debug", "log_level: info"));
}

fn daemon(folder: &Folder, program: &str) -> Daemon {
    at_level_info(folder);
    Daemon::new(binary(program), &folder.join("etc"), folder.join(format!("run/pid/{program}.pid")))
}

#[test]
fn a_spoke_that_is_polled_writes_nothing() {
    let folder = Folder::new("quiet_spoke");
    let port = free_port();
    write_spoke_config(&folder, &SpokeOptions { port, fixture: None, more: String::new() });
    let spoke = daemon(&folder, SPOKE);
    let process = spoke.start();
    let poll = || assert_eq!(http_get(port, "/pattoo-agent-linux/300").unwrap().status, 200);
    // The first one tells in the log what this machine lacks.
    poll();
    written(&folder, process, || (0..ROUNDS).for_each(|_| poll())).assert_nothing("the spoke");
    spoke.stop();
}

/// What a hub has written over some posts, with this way of the spool: nothing if one of
/// so many looks finds nothing, else what the last one has found.
fn written_by_hub(spool: &str, looks: usize) -> Written {
    let folder = Folder::new("quiet_hub");
    let port = free_port();
    write_spoke_config(&folder, &SpokeOptions { port, fixture: None, more: String::new() });
    let spoke = daemon(&folder, SPOKE);
    spoke.start();
    let receiver = Receiver::start("pattood/1");
    let options = HubOptions {
        devices: vec![("127.0.0.1".to_owned(), port)],
        interval_seconds: 1,
        server_port: receiver.port(),
        more: format!("spool: {spool}\n"),
    };
    write_hub_config(&folder, &options);
    let hub = daemon(&folder, HUB);
    let process = hub.start();
    let posts = |count: usize| {
        let before = receiver.posts().len();
        wait_until("the hub has posted", PATIENCE, || receiver.posts().len() >= before + count);
    };
    // After the first ones its log has told which devices are up.
    posts(2);
    let mut written = self::written(&folder, process, || posts(ROUNDS));
    for _ in 1..looks {
        if !written.is_nothing() {
            written = self::written(&folder, process, || posts(ROUNDS));
        }
    }
    hub.stop();
    spoke.stop();
    written
}

#[test]
fn a_hub_with_spool_on_failure_writes_nothing_while_the_server_takes_its_posts() {
    written_by_hub("on_failure", LOOKS).assert_nothing("the hub");
}

/// The same look at a hub that does write: it is seen.
#[test]
fn a_hub_that_spools_always_is_seen_to_write() {
    let written = written_by_hub("always", 1);
    assert!(written.files.iter().any(|path| path.to_string_lossy().contains("/cache")));
    assert!(written.bytes.is_none_or(|bytes| bytes > 0), "{:?}", written.bytes);
}
