//! What machine this is: the metadata that every datapoint carries.
//!
//! Processor, type, number of CPUs and name are part of a series' checksum: where
//! one of them differs from what the original sent, every history begins anew. So
//! they are what Python's `platform` and psutil give.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::source::Roots;
use crate::sources;

mod kernel_name;

/// The number of CPUs is read anew after so long, by the first poll then: they
/// can be switched on and off, but nobody does it every minute.
const RECOUNT_AFTER: Duration = Duration::from_mins(1);

/// No file that is read here is longer.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Families of distributions whose `uname -p` names the machine. Upstream's says
/// `unknown`, which Python takes for an empty text.
const UNAME_NAMES_PROCESSOR: [&str; 5] = ["ubuntu", "fedora", "rhel", "suse", "centos"];

/// The identity of a machine.
#[derive(Debug)]
pub(crate) struct Host {
    roots: Roots,
    release: String,
    version: String,
    processor: String,
    hostname: String,
    cpus: Mutex<Cpus>,
}

#[derive(Debug)]
struct Cpus {
    count: String,
    counted_at: Instant,
}

impl Host {
    /// Reads what cannot change while the machine runs. `processor` is the value
    /// of the configuration's key of that name, if it has one.
    pub(crate) fn new(roots: &Roots, hostname: String, processor: Option<String>) -> Self {
        let line = |file: &str| first_line(&roots.proc(file));
        let name = kernel_name::read();
        let machine = || line("sys/kernel/arch").unwrap_or_else(|| name.machine.clone());
        let count = count_cpus(roots).unwrap_or(1).to_string();
        Self {
            roots: roots.clone(),
            release: line("sys/kernel/osrelease").unwrap_or_else(|| name.release.clone()),
            version: line("sys/kernel/version").unwrap_or_else(|| name.version.clone()),
            processor: processor.unwrap_or_else(|| {
                let os_release = ["etc/os-release", "usr/lib/os-release"];
                let mut texts = os_release.iter().map(|file| read(&roots.root.join(file)));
                let text = texts.find_map(Result::ok).unwrap_or_default();
                if uname_names_processor(&text) { machine() } else { String::new() }
            }),
            hostname,
            cpus: Mutex::new(Cpus { count, counted_at: Instant::now() }),
        }
    }

    /// The name under which its figures are known.
    pub(crate) fn name(&self) -> &str {
        &self.hostname
    }

    /// The pairs of metadata in the order of the wire, which the checksum keeps.
    pub(crate) fn pairs(&self) -> [(&'static str, String); 6] {
        [
            ("release", self.release.clone()),
            ("version", self.version.clone()),
            ("processor", self.processor.clone()),
            ("type", "Linux".to_owned()),
            ("cpus", self.cpus()),
            ("hostname", self.hostname.clone()),
        ]
    }

    /// The number of logical CPUs that are online, as psutil's `cpu_count()`.
    fn cpus(&self) -> String {
        let mut cpus = self.cpus.lock().unwrap_or_else(PoisonError::into_inner);
        if cpus.counted_at.elapsed() >= RECOUNT_AFTER {
            cpus.counted_at = Instant::now();
            if let Some(count) = count_cpus(&self.roots) {
                cpus.count = count.to_string();
            }
        }
        cpus.count.clone()
    }
}

/// The name that the kernel has for this machine; it knows no network.
pub(crate) fn node_name(roots: &Roots) -> String {
    let name = first_line(&roots.proc("sys/kernel/hostname"));
    name.unwrap_or_else(|| kernel_name::read().node)
}

/// Counts as sysconf(3) does for `_SC_NPROCESSORS_ONLN`: by
/// `/sys/devices/system/cpu/online`, or else by the lines of `/proc/stat`.
fn count_cpus(roots: &Roots) -> Option<u32> {
    let online = first_line(&roots.sys("devices/system/cpu/online"));
    let online = online.and_then(|list| length_of_list(&list));
    online.or_else(|| sources::cpu_count(roots)?.try_into().ok())
}

/// How many numbers a list such as `0-3,5` holds.
fn length_of_list(text: &str) -> Option<u32> {
    text.trim().split(',').try_fold(0_u32, |sum, range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        sum.checked_add(last.checked_sub(first)?.checked_add(1)?)
    })
}

/// Whether `uname -p`, which Python asks, names the machine on this distribution,
/// by the text of os-release(5). Only the family counts, so that an upgrade of
/// the distribution never renames a series.
fn uname_names_processor(os_release: &str) -> bool {
    let value = |line: &str| {
        let (key, value) = line.split_once('=')?;
        matches!(key, "ID" | "ID_LIKE").then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    };
    os_release.lines().filter_map(value).any(|families| {
        families
            .split_ascii_whitespace()
            .any(|family| UNAME_NAMES_PROCESSOR.contains(&family) || family.starts_with("opensuse"))
    })
}

fn first_line(path: &Path) -> Option<String> {
    let text = read(path).ok()?;
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_FILE_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests;
