//! Files that a spool finds: their names and what is in them. The first byte of the
//! input chooses how the file is named, the rest is its text.
#![no_main]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pattoo_common::document::Document;
use pattoo_common::spool::{Spool, SpoolLimits, crc32};

const HUB: &str = "490335606c967ea8779a1826bdde145b12ac82a8827f90aae0c9ff97c88c3afd";
/// The longest name of a file.
const NAME_BYTES: usize = 255;

static CACHE: LazyLock<PathBuf> =
    LazyLock::new(|| PathBuf::from(format!("/dev/shm/pattoo-fuzz-spool-{}", std::process::id())));

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, text)) = bytes.split_first() else { return };
    let folder = CACHE.join(HUB);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder in memory");
    let (name, text, is_ours) = match choice % 4 {
        0 => (format!("1795394957648_{HUB}.json").into_bytes(), text, false),
        // As we write it, and with a bit that fell over.
        1 => (format!("1795394957648_{HUB}_7_{:08x}.json", crc32(text)).into_bytes(), text, true),
        2 => (format!("1795394957648_{HUB}_7_{:08x}.json", !crc32(text)).into_bytes(), text, true),
        _ => {
            let name = text.split(|byte| *byte == 0).next().unwrap_or_default();
            (name[..name.len().min(NAME_BYTES)].to_vec(), text, false)
        }
    };
    if name.is_empty() || name == b"." || name == b".." || name.contains(&b'/') {
        return;
    }
    fs::write(folder.join(OsStr::from_bytes(&name)), text).expect("a file in memory");
    let limits = || SpoolLimits { min_free_bytes: Some(0), ..SpoolLimits::default() };
    let spool = Spool::new(&CACHE, HUB, limits());
    spool.open().expect("a spool in memory");
    let found = spool.stats().batches;
    assert!(found <= 1 && (choice % 4 == 3 || found == 1), "{found} batches");
    match spool.oldest().expect("a spool in memory") {
        Some((entry, body)) => {
            assert_eq!(body, text);
            assert!(
                choice % 4 == 3 || (is_ours && choice % 4 == 1) || Document::parse(text).is_ok()
            );
            spool.remove(&entry);
        }
        None => assert!(found == 0 || spool.stats().set_aside == 1),
    }
    assert_eq!(spool.stats().batches, 0);
    // What was there goes before what comes, and comes back as it was.
    let entry = spool.push(&[text, b"."], 1_795_394_957_649).expect("a spool in memory");
    let again = Spool::new(&CACHE, HUB, limits());
    let (known, body) = again.oldest().expect("a spool in memory").expect("what was pushed");
    assert_eq!(known, entry);
    assert_eq!(body, [text, b"."].concat());
});
