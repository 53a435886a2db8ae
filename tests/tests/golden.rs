//! The real spoke on trees of real kernel files: the whole document, datapoint by
//! datapoint. `PATTOO_REFRESH_GOLDEN=1 cargo test -p pattoo-tests --test golden`
//! writes the expected files anew; look at the difference before you commit it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use pattoo_common::document::{Document, Sample, SampleValue};
use pattoo_tests::{
    Daemon, Folder, SpokeOptions, again_after_stalls, binary, free_port, http_get,
    write_spoke_config,
};

const SPOKE: &str = "pattoo_agent_linux_spoked";
const AGENT_ID: &str = "66cf2b1c66cf2b1c66cf2b1c66cf2b1c66cf2b1c66cf2b1c66cf2b1c66cf2b1c";

#[test]
fn x86_64_server() {
    compare("x86_64-server");
}

#[test]
fn arm_board() {
    compare("arm-board");
}

#[test]
fn kernel_3_10() {
    compare("kernel-3.10");
}

#[test]
fn kernel_2_6_32() {
    compare("kernel-2.6.32");
}

/// Big-endian, and with counters of 32 bits.
#[test]
fn mips_router() {
    compare("mips-router");
}

#[test]
fn container() {
    compare("container");
}

/// A spoke that stands still for seconds leaves out of its answer what was not read.
fn compare(name: &str) {
    again_after_stalls(|| compare_once(name));
}

fn compare_once(name: &str) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tree = tests.join("fixtures").join(name);
    let folder = Folder::new(name);
    let root = folder.join("root");
    for mount_point in mount_points(&tree) {
        fs::create_dir_all(root.join(mount_point.trim_start_matches('/'))).unwrap();
    }
    folder.write(format!("state/agent_id/{name}.{SPOKE}.agent_id"), AGENT_ID);
    let port = free_port();
    let configuration = write_spoke_config(
        &folder,
        &SpokeOptions {
            port,
            fixture: None,
            more: format!(
                "hostname: {name}\nproc_directory: {0}/proc\nsys_directory: {0}/sys\nroot_directory: {1}\n",
                tree.display(),
                root.display()
            ),
        },
    );
    let spoke =
        Daemon::new(binary(SPOKE), &configuration, folder.join(format!("run/pid/{SPOKE}.pid")));
    spoke.start();
    let answer = http_get(port, "/pattoo-agent-linux/300").unwrap();
    assert_eq!(answer.status, 200);
    let is = text(&answer.body);
    spoke.stop();

    let golden = tests.join("golden").join(format!("{name}.txt"));
    if std::env::var_os("PATTOO_REFRESH_GOLDEN").is_some() {
        fs::create_dir_all(golden.parent().unwrap()).unwrap();
        fs::write(&golden, &is).unwrap();
    }
    let was = fs::read_to_string(&golden)
        .unwrap_or_else(|error| panic!("{}: {error}; see the head of this file", golden.display()));
    for (number, (was, is)) in was.lines().zip(is.lines()).enumerate() {
        assert_eq!(is, was, "{}:{}", golden.display(), number + 1);
    }
    assert_eq!(is.lines().count(), was.lines().count(), "{}", golden.display());
}

/// One line a datapoint; times, and the sizes of this machine's file systems,
/// which no tree can hold, are left out.
fn text(body: &[u8]) -> String {
    let document = Document::parse(body).unwrap();
    let mut text = format!("agent {} every {} ms\n", document.agent_id(), document.interval_ms());
    for sample in document.samples() {
        let sample: Sample<'_> = sample.unwrap();
        assert_eq!(sample.expected_checksum().as_str(), sample.checksum, "{sample:?}");
        let value = match &sample.value {
            _ if sample.key.starts_with("disk_partition_disk_usage_") => "*".to_owned(),
            SampleValue::Integer(value) => value.to_string(),
            SampleValue::Signed(value) => value.to_string(),
            SampleValue::Float(value) => format!("{value:?}"),
            SampleValue::Text(value) => format!("{value:?}"),
        };
        write!(text, "{} {} {value}", sample.key, sample.data_type.code()).unwrap();
        for (key, value) in sample.metadata() {
            write!(text, " {key}={value:?}").unwrap();
        }
        writeln!(text, " {}", &sample.checksum[..16]).unwrap();
    }
    text
}

fn mount_points(tree: &Path) -> Vec<String> {
    let mounts: PathBuf = tree.join("proc/self/mounts");
    let text = fs::read_to_string(&mounts).unwrap();
    text.lines().map(|line| line.split(' ').nth(1).unwrap().replace("\\040", " ")).collect()
}
