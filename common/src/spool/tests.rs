//! The spool on a real disk: order, bounds, and what is left after a stop at
//! every step, a torn file, or a full disk.

mod damage;
mod full_disk;
mod order;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Spool, SpoolLimits, SpoolStats};

const HUB: &str = "490335606c967ea8779a1826bdde145b12ac82a8827f90aae0c9ff97c88c3afd";
/// Some time in 2026.
const NOW_MS: u64 = 1_795_394_957_648;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pattoo-spool-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn spool(&self, limits: SpoolLimits) -> Spool {
        Spool::new(&self.0, HUB, limits)
    }

    /// The files of the spool, sorted as text.
    fn files(&self) -> Vec<String> {
        names(&self.0.join(HUB))
    }

    fn bad(&self) -> Vec<String> {
        names(&self.0.join(HUB).join("bad"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn names(path: &Path) -> Vec<String> {
    let Ok(items) = fs::read_dir(path) else { return Vec::new() };
    let mut names: Vec<String> = items
        .map(|item| item.unwrap())
        .filter(|item| item.file_type().unwrap().is_file())
        .map(|item| item.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Limits that no disk of a test machine can fall short of.
fn roomy() -> SpoolLimits {
    SpoolLimits { min_free_bytes: Some(0), ..SpoolLimits::default() }
}

/// Takes out everything, oldest first.
fn replay(spool: &Spool) -> Vec<String> {
    let mut bodies = Vec::new();
    while let Some((entry, body)) = spool.oldest().unwrap() {
        bodies.push(String::from_utf8(body).unwrap());
        spool.remove(&entry);
    }
    bodies
}

fn document(agent: &str) -> String {
    format!(
        "{{\"pattoo_agent_id\": \"{agent}\", \"pattoo_agent_polling_interval\": 10000, \
         \"pattoo_agent_timestamp\": 5, \"pattoo_datapoints\": \
         {{\"datapoint_pairs\": [], \"key_value_pairs\": {{}}}}}}"
    )
}

fn counts(spool: &Spool) -> (u64, u64, u64) {
    let SpoolStats { batches, bytes, dropped_batches, .. } = spool.stats();
    (batches, bytes, dropped_batches)
}
