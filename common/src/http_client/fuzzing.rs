//! What the fuzzer of `fuzz/` asks of the client. Only built for it.
#![expect(clippy::missing_panics_doc, reason = "a panic is how the fuzzer learns of a fault")]

use super::head;

/// Whatever these bytes are, they are a head, the beginning of one, or an error; and
/// of a head it is known how its body ends.
pub fn answer(bytes: &[u8]) {
    if let Ok(Some((length, head))) = head::parse(bytes) {
        assert!(length <= bytes.len());
        let _ = (head.is_informational(), head.framing());
        let shorter = head::parse(&bytes[..length - 1]);
        assert!(matches!(shorter, Ok(None)), "a head of {length} bytes is whole before its end");
    }
}
