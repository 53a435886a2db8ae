//! The table of mounts and the types of file systems.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pattoo_spoked::fuzzing::mounts(bytes));
