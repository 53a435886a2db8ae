//! The poll document: what a spoke answers, and what a hub posts.
//!
//! ```json
//! {"pattoo_agent_id": "66cf...", "pattoo_agent_polling_interval": 300000,
//!  "pattoo_agent_timestamp": 1578071455335,
//!  "pattoo_datapoints": {"datapoint_pairs": [[0, 1, 2]],
//!                        "key_value_pairs": {"0": ["cpus", "2"], "1": ["pattoo_key", "memory_total"], "2": ["pattoo_value", 7]}}}
//! ```
//!
//! Each datapoint is a list of ids of pairs; equal pairs stand once in a
//! document. [`writer`] makes one from datapoints, [`reader`] takes one in under
//! limits, [`batch`] merges many into one without understanding them, and
//! [`sample`] understands a datapoint.

pub mod batch;
mod buffers;
pub mod reader;
pub mod sample;
pub mod series;
mod shape;
mod split;
pub mod writer;

pub use batch::Batch;
pub use reader::{Document, DocumentError};
pub use sample::{Sample, SampleValue};
pub use series::{Series, Target};
pub use writer::DocumentWriter;

/// Pairs that one document may have.
pub const MAX_PAIRS: usize = 1_000_000;
/// Datapoints that one document may have.
pub const MAX_DATAPOINTS: usize = 1_000_000;
/// Pairs that one datapoint may name. The spoke's have at most 20.
pub const MAX_PAIRS_OF_DATAPOINT: usize = 256;
/// Bytes of a pair's key.
pub const MAX_KEY_BYTES: usize = 512;

/// What each datapoint says of its agent, in the order of the wire.
pub const AGENT_KEYS: [&str; 5] = [
    "pattoo_agent_polling_interval",
    "pattoo_agent_hostname",
    "pattoo_agent_id",
    "pattoo_agent_polled_target",
    "pattoo_agent_program",
];

/// Appends `text` as JSON text. What needs no escape, nearly all, is copied.
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    if text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        return push_json(out, text);
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Appends `value` as JSON text.
fn push_json<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    #[expect(
        clippy::expect_used,
        reason = "a Vec takes every write, and numbers and text always serialize"
    )]
    serde_json::to_writer(out, value).expect("numbers and text serialize");
}
