//! Configuration files: the first byte of the input chooses the program and the
//! file, the rest is its text.
#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pattoo_common::config::{ConfigError, HubConfig, Problem, Report, ServerConfig, SpokeConfig};

/// The files, in the order of the first byte.
const FILES: [&str; 5] = [
    "pattoo.yaml",
    "pattoo_agent.yaml",
    "pattoo_agent_linux_spoked.yaml",
    "pattoo_agent_linux_hubd.yaml",
    "pattoo_server.yaml",
];

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = PathBuf::from(format!("/dev/shm/pattoo-fuzz-config-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder in memory");
    folder
});

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, text)) = bytes.split_first() else { return };
    let name = FILES[usize::from(*choice) % FILES.len()];
    let file = FOLDER.join(name);
    fs::write(&file, text).expect("a file in memory");
    match name {
        "pattoo_agent_linux_spoked.yaml" => check(text, SpokeConfig::load),
        "pattoo_agent_linux_hubd.yaml" => check(text, HubConfig::load),
        "pattoo_server.yaml" => check(text, ServerConfig::load),
        _ => {
            check(text, SpokeConfig::load);
            check(text, HubConfig::load);
            check(text, ServerConfig::load);
        }
    }
    fs::remove_file(&file).expect("the file that was written");
});

/// It is a configuration with a report, or faults with lines that the file has.
fn check<C: PartialEq + std::fmt::Debug>(
    text: &[u8],
    load: impl Fn(&Path) -> Result<(C, Report), ConfigError>,
) {
    // YAML ends lines with more than editors do: found by this target.
    let breaks = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
    let lines = String::from_utf8_lossy(text).matches(breaks).count() + 1;
    match load(&FOLDER) {
        Ok((_, report)) => {
            assert!(!report.entries.is_empty());
            assert!(report.warnings.iter().all(|warning| warning.line <= Some(lines)));
        }
        Err(error) => {
            assert!(!error.problems.is_empty() && !error.to_string().is_empty());
            for problem in &error.problems {
                if let Problem::Syntax { line, .. } | Problem::Value { line, .. } = problem {
                    // The parser calls the end of a file the line behind its last one.
                    assert!(*line <= Some(lines + 1), "{problem}");
                }
            }
        }
    }
}
