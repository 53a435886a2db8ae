//! What a stranger sends to the gate: the parser of heads, and the whole life of a
//! connection.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pattoo_common::http_server::fuzzing::request(bytes));
