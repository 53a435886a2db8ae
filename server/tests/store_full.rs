//! The store on a disk that is full: a small tmpfs. Needs root.

#![allow(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that goes wrong")]

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use pattoo_common::datapoint::DataType;
use pattoo_server::store::{
    DAY_MS, NewSeries, Number, Options, Origin, PointsQuery, Reading, Store, StoreError, check,
};

const START_MS: u64 = 20_000 * DAY_MS;
const SERIES: u64 = 500;

/// A tmpfs of a few MiB, unmounted on drop.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount() -> Result<Self, std::io::Error> {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("store-full-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        let target = CString::new(path.as_os_str().as_bytes())?;
        // SAFETY: all five are pointers to strings that live until it returns.
        let result = unsafe {
            libc::mount(
                c"none".as_ptr(),
                target.as_ptr(),
                c"tmpfs".as_ptr(),
                0,
                c"size=3m".as_ptr().cast(),
            )
        };
        if result == 0 { Ok(Self(path)) } else { Err(std::io::Error::last_os_error()) }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if let Ok(target) = CString::new(self.0.as_os_str().as_bytes()) {
            // SAFETY: a pointer to a string that lives until it returns.
            unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) };
        }
        let _ = std::fs::remove_dir(&self.0);
    }
}

fn post(store: &Store, batch: u64) -> Result<usize, StoreError> {
    let origin =
        Origin { agent_id: "a", polled_target: "h", program: "p", polling_interval_ms: DAY_MS };
    let mut samples = store.batch();
    for series in 0..SERIES {
        let reading = Reading::Number(Number::from(batch * 1000 + series));
        let name = format!("{series}");
        let at_ms = START_MS + batch * 1000;
        samples.add(&origin, &name, DataType::Gauge, at_ms, reading, || NewSeries {
            key: format!("key{series}"),
            pairs: Vec::new(),
        });
    }
    Ok(samples.commit()?.stored)
}

fn samples(store: &Store, key: &str) -> Vec<u64> {
    let series = store.find_series(Some(key), None, &[], 1).unwrap()[0];
    let query = PointsQuery::new(series, START_MS, START_MS + DAY_MS);
    let points = store.points(&query).unwrap().unwrap();
    assert_eq!(points.step_ms, None);
    points.points.iter().map(|point| (point.timestamp_ms - START_MS) / 1000).collect()
}

fn fill(path: &Path) {
    let block = vec![0; 4096];
    let mut file = std::fs::File::create(path).unwrap();
    while std::io::Write::write_all(&mut file, &block).is_ok() {}
}

#[test]
fn a_full_disk_refuses_whole_batches_and_recovers() {
    let disk = match SmallDisk::mount() {
        Ok(disk) => disk,
        Err(error) => {
            eprintln!("SKIPPED: a tmpfs cannot be mounted here ({error}); run this as root");
            return;
        }
    };
    let folder = disk.0.join("data");
    let ballast = disk.0.join("ballast");
    let store = Store::open(&Options::new(&folder)).unwrap();
    let mut stored = Vec::new();
    for batch in 0..20 {
        assert_eq!(post(&store, batch).unwrap() as u64, SERIES);
        stored.push(batch);
    }
    fill(&ballast);
    let refused = (20..2000).find(|batch| match post(&store, *batch) {
        Ok(_) => {
            stored.push(*batch);
            false
        }
        Err(error) => {
            assert!(matches!(error, StoreError::Full), "{error}");
            true
        }
    });
    let refused = refused.expect("a disk of three megabytes is full at last");
    // What is there can be read, and nothing of the refused batch is there.
    for key in ["key0", "key499"] {
        assert_eq!(samples(&store, key), stored);
    }
    std::fs::remove_file(&ballast).unwrap();
    assert_eq!(post(&store, refused).unwrap() as u64, SERIES);
    stored.push(refused);
    store.settle(START_MS + 10 * DAY_MS).unwrap();
    assert_eq!(samples(&store, "key7"), stored);
    drop(store);
    assert_eq!(check(&folder).unwrap().faults, 0);
    let store = Store::open(&Options::new(&folder)).unwrap();
    assert_eq!(samples(&store, "key7"), stored);
}
