//! Signed requests and answers that a stranger changed, or made.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pattoo_common::signature::fuzzing::signature(bytes));
