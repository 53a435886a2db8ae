//! Files of `/proc` and `/sys`: the first byte of the input chooses the file, the
//! rest is its text.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pattoo_spoked::fuzzing::Tree;

static TREE: LazyLock<Tree> = LazyLock::new(|| {
    Tree::new(&PathBuf::from(format!("/dev/shm/pattoo-fuzz-kernel-{}", std::process::id())))
});

fuzz_target!(|bytes: &[u8]| {
    if let Some((choice, text)) = bytes.split_first() {
        TREE.read(*choice, text);
    }
});
