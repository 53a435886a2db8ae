//! With a real mount that hangs in the kernel.

#![allow(unsafe_code)]

use std::env;
use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pattoo_tests::again_after_stalls;
use pattoo_tests::hanging_mount::HangingMount;

use super::*;

const SOON: Duration = Duration::from_secs(30);

/// Tells the child of a test that it is one: the mount, and the file to lock.
const CHILD_MOUNT: &str = "PATTOO_TEST_HANGING_MOUNT";
const CHILD_LOCK: &str = "PATTOO_TEST_LOCK";

fn folder(name: &str) -> PathBuf {
    env::temp_dir().join(format!("pattoo-{name}-{}", std::process::id()))
}

/// The mount, or a line that says what the machine lacks for the test.
fn hanging_mount(test: &str) -> Option<HangingMount> {
    match HangingMount::new(&folder(test)) {
        Ok(mount) => Some(mount),
        Err(lacks) => {
            eprintln!("skipped: {test}: {lacks}");
            None
        }
    }
}

fn question(path: &Path) -> Question {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    Question { path: Arc::from(path), device: Arc::from("hanging"), remote: true, at_hand: false }
}

#[test]
fn a_mount_that_hangs_costs_no_other_and_comes_back() {
    again_after_stalls(|| {
        let Some(mount) = hanging_mount("comes-back") else { return };
        let threads = StatvfsThreads::new();
        let questions = [question(mount.path()), question(Path::new("/"))];
        for _ in 0..3 {
            let outcomes = threads.ask(&questions);
            assert_eq!(outcomes.first(), Some(&Outcome::Hangs));
            assert!(matches!(outcomes.get(1), Some(Outcome::Size(_))), "{outcomes:?}");
        }
        assert!(mount.wait_until_asked(1, SOON));
        assert!(!mount.wait_until_asked(2, Duration::ZERO), "asked again while it hung");

        mount.answer().unwrap();
        while !threads.shared.lock().under_way.is_empty() {
            thread::yield_now();
        }
        let size =
            Size { block_bytes: 4096, blocks: 1000, free: 600, available: 500, read_only: false };
        assert_eq!(threads.ask(&questions).first(), Some(&Outcome::Size(size)));
        assert!(mount.wait_until_asked(2, Duration::ZERO));
    });
}

/// A write lock on the whole file, as the daemon takes it; false if another
/// process has it.
fn lock(file: &File) -> bool {
    // SAFETY: a lock is plain numbers, for which zero is valid.
    let mut wanted: libc::flock = unsafe { std::mem::zeroed() };
    wanted.l_type = libc::c_short::try_from(libc::F_WRLCK).unwrap();
    // SAFETY: `wanted` is valid for the call, the descriptor is open.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLK, &raw const wanted) == 0 }
}

fn open(path: &Path) -> File {
    OpenOptions::new().write(true).create(true).truncate(false).open(path).unwrap()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the process that is to be killed")]
fn port_and_lock_are_free_when_the_process_is_killed() {
    let Some(mount) = hanging_mount("killed") else { return };
    let lock_path = folder("killed-lock");
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("statvfs::hanging_mount_tests::child_of_the_test_that_kills_it")
        .env(CHILD_MOUNT, mount.path())
        .env(CHILD_LOCK, &lock_path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let ready = lines.filter_map(|line| line.split_once("ready ").map(|(_, port)| port.to_owned()));
    let port: u16 = ready.take(1).next().unwrap().parse().unwrap();
    let address = ("127.0.0.1", port);
    let file = open(&lock_path);
    assert!(!lock(&file) && TcpListener::bind(address).is_err(), "the child has both");

    child.kill().unwrap();
    let deadline = Instant::now() + SOON;
    while !lock(&file) || TcpListener::bind(address).is_err() {
        assert!(Instant::now() < deadline, "port or lock are still held");
        thread::yield_now();
    }
    assert_eq!(child.try_wait().unwrap(), None, "its thread was not stuck at all");
    drop(mount);
    child.wait().unwrap();
    fs::remove_file(lock_path).unwrap();
}

/// Takes a port and a lock, gets a thread stuck, says so, and waits for its end.
#[test]
fn child_of_the_test_that_kills_it() {
    let (Some(mount), Some(lock_path)) = (env::var_os(CHILD_MOUNT), env::var_os(CHILD_LOCK)) else {
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let file = open(Path::new(&lock_path));
    assert!(lock(&file));
    let threads = StatvfsThreads::new();
    assert_eq!(threads.ask(&[question(Path::new(&mount))]), [Outcome::Hangs]);
    println!("ready {}", listener.local_addr().unwrap().port());
    std::io::stdout().flush().unwrap();
    // Long enough for the test, and an end where the test has died.
    thread::park_timeout(SOON * 2);
}
