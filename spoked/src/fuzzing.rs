//! What the fuzzer of `fuzz/` asks of the spoke. Only built for it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a panic is how the fuzzer learns of a fault"
)]

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use pattoo_common::datapoint::{DataPoint, Value};

use crate::host::{Host, node_name};
use crate::mounts::{MAX_MOUNTS, Selector, types_with_device};
use crate::root_device;
use crate::source::{Poll, Roots};
use crate::sources;

const POLL: Poll = Poll { client: IpAddr::V4(Ipv4Addr::LOCALHOST), interval_s: 300 };

/// Who reads a file.
#[derive(Debug, Clone, Copy)]
enum Reader {
    /// The source of this name.
    Source(&'static str),
    Host,
    RootDevice,
}

/// Each file that is read, in the order of the first byte of an input, and by whom.
const FILES: [(&str, Reader); 16] = [
    ("loadavg", Reader::Source("load_average")),
    ("cpuinfo", Reader::Source("cpu_frequency")),
    ("uptime", Reader::Source("uptime")),
    ("stat", Reader::Source("cpu")),
    ("meminfo", Reader::Source("memory")),
    ("zoneinfo", Reader::Source("memory")),
    ("vmstat", Reader::Source("swap_io")),
    ("diskstats", Reader::Source("disk_io")),
    ("net/dev", Reader::Source("network_io")),
    ("block/sda/stat", Reader::Source("disk_io")),
    ("devices/system/cpu/cpufreq/policy0/scaling_cur_freq", Reader::Source("cpu_frequency")),
    ("devices/system/cpu/online", Reader::Host),
    ("etc/os-release", Reader::Host),
    ("sys/kernel/arch", Reader::Host),
    ("sys/kernel/hostname", Reader::Host),
    ("partitions", Reader::RootDevice),
];

/// An old kernel's, which does not tell how much is available without `zoneinfo`.
const MEMINFO: &str = "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 10 kB\nCached: 50 kB\n\
     Active(file): 20 kB\nInactive(file): 20 kB\nSReclaimable: 5 kB\nSwapTotal: 10 kB\nSwapFree: 5 kB\n";
const ZONEINFO: &str = "Node 0, zone DMA\n        low      5\n";

/// A folder that is `/proc`, `/sys` and `/` at once and holds the files that go
/// together with the one in hand.
#[derive(Debug)]
pub struct Tree {
    roots: Roots,
}

impl Tree {
    /// Makes one at this path.
    pub fn new(path: &Path) -> Self {
        let roots = Roots { proc: path.into(), sys: path.into(), root: path.into() };
        for (file, _) in FILES {
            fs::create_dir_all(path.join(file).parent().unwrap()).unwrap();
        }
        Self { roots }
    }

    /// Gives one of the files this text and has it read twice, as polls do.
    pub fn read(&self, choice: u8, text: &[u8]) {
        let (file, reader) = FILES[usize::from(choice) % FILES.len()];
        let companion = match file {
            "meminfo" => Some(("zoneinfo", ZONEINFO)),
            "zoneinfo" => Some(("meminfo", MEMINFO)),
            _ => None,
        };
        if let Some((file, text)) = companion {
            fs::write(self.roots.proc(file), text).unwrap();
        }
        fs::write(self.roots.proc(file), text).unwrap();
        match reader {
            Reader::Source(name) => self.read_source(name),
            Reader::Host => {
                let host = Host::new(&self.roots, node_name(&self.roots), None);
                assert!(host.pairs().iter().all(|(key, _)| !key.is_empty()));
            }
            Reader::RootDevice => drop(root_device::find(&self.roots)),
        }
        for file in [Some(file), companion.map(|(file, _)| file)].into_iter().flatten() {
            fs::remove_file(self.roots.proc(file)).unwrap();
        }
    }

    fn read_source(&self, name: &str) {
        let mut all = sources::all(&self.roots);
        let source = all.iter_mut().find(|source| source.name() == name).expect("a known source");
        for _ in 0..2 {
            let mut out = Vec::new();
            let _ = source.read(&POLL, &mut out);
            out.iter().for_each(check);
        }
    }
}

/// Whatever the kernel says, a figure is a number, and a share is one of a whole.
fn check(point: &DataPoint) {
    let Value::Float(value) = point.value else { return };
    assert!(value.is_finite() && value >= 0.0, "{point:?}");
    let is_share = point.key.contains("percent");
    assert!(!is_share || value <= 100.0, "{point:?}");
}

/// A table of mounts behind a list of types; a NUL stands between them.
pub fn mounts(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (types, table) = bytes.split_at(end);
    let mut selector = Selector::new(types_with_device(&String::from_utf8_lossy(types)));
    let lines = table.split(|byte| *byte == b'\n');
    lines.for_each(|line| selector.line(line));
    let selection = selector.finish();
    assert!(selection.mounts.len() <= MAX_MOUNTS);
    let mut places: Vec<_> = selection.mounts.iter().map(|mount| &mount.mountpoint).collect();
    places.sort();
    places.dedup();
    assert_eq!(places.len(), selection.mounts.len(), "what is covered is not sent");
    for mount in &selection.mounts {
        assert!(!mount.device.is_empty() && !mount.fstype.is_empty());
    }
    for line in &selection.bad_lines {
        assert!(line.to_string().len() < 1_000);
    }
}
