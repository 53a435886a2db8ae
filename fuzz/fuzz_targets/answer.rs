//! The head that a device answers a hub with.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pattoo_common::http_client::fuzzing::answer(bytes));
