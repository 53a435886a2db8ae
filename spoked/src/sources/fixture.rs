//! What the tests of the sources share: the trees of `tests/fixtures`, and
//! folders of their own.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use pattoo_common::datapoint::{DataPoint, Value};

use crate::source::{Poll, Roots, Source};

/// A poll as the hub's.
pub(crate) const POLL: Poll = Poll { client: IpAddr::V4(Ipv4Addr::LOCALHOST), interval_s: 300 };

/// The trees, each true to the files of one kind of machine.
pub(crate) const TREES: [&str; 5] =
    ["arm-board", "container", "kernel-2.6.32", "kernel-3.10", "x86_64-server"];

/// The roots of one of the trees.
pub(crate) fn roots(tree: &str) -> Roots {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(tree);
    Roots { proc: tree.join("proc"), sys: tree.join("sys"), root: tree }
}

/// The text of a file in a tree.
pub(crate) fn text(tree: &str, file: &str) -> Vec<u8> {
    let root = roots(tree).root;
    fs::read(root.join(file)).unwrap_or_else(|error| panic!("{tree}/{file}: {error}"))
}

/// All datapoints of a source at its first reading.
pub(crate) fn read(source: &mut dyn Source) -> Vec<DataPoint> {
    let mut out = Vec::new();
    source.read(&POLL, &mut out).unwrap_or_else(|error| panic!("{}: {error:?}", source.name()));
    out
}

/// Keys and values of a source at its first reading; the metadata, if any,
/// stands behind the key, as in `disk_io_read_count sda`.
pub(crate) fn values(source: &mut dyn Source) -> Vec<(String, Value)> {
    let named = |point: DataPoint| {
        let of = point.metadata.iter().flat_map(|metadata| &metadata.pairs);
        let key = of.fold(point.key.to_string(), |key, (_, value)| key + " " + value);
        (key, point.value)
    };
    read(source).into_iter().map(named).collect()
}

/// A folder of one test, gone when the test is.
pub(crate) struct Folder {
    /// Where it is.
    pub(crate) path: PathBuf,
}

impl Folder {
    /// An empty folder; the name is the test's own.
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pattoo-{name}-{}", std::process::id()));
        // One of a run that was killed may still be there.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self { path }
    }

    /// Writes a file, with the folders that it needs.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// The folder as `/proc`, `/sys` and `/` at once.
    pub(crate) fn as_roots(&self) -> Roots {
        Roots { proc: self.path.clone(), sys: self.path.clone(), root: self.path.clone() }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed stays in the system's folder for such files.
        let _ = fs::remove_dir_all(&self.path);
    }
}
