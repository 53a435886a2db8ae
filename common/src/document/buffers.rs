//! What a writer writes into, kept from one document to the next: a spoke makes the
//! same document every time, and the pages for it need not be asked for anew.

use rustc_hash::FxHashMap;

/// Buffers that grew past this are given back: the machine had a moment of ten
/// thousand interfaces, and need not pay for it for ever.
const KEPT_BYTES: usize = 128 * 1024;
/// Likewise for the pairs that are looked for.
const KEPT_PAIRS: usize = 4 * 1024;

/// The buffers of one document.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// The JSON of the pairs, `"0":["cpus","2"],...`, in order of first appearance.
    pub(super) pairs: Vec<u8>,
    /// The JSON of the lists of ids, `[0,1,2],...`.
    pub(super) rows: Vec<u8>,
    /// The ids of pairs that may come again.
    pub(super) ids: FxHashMap<Pair, u32>,
}

/// A pair that may come again, without the text that it is written as.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) enum Pair {
    Metadata(&'static str, String),
    Key(&'static str),
    DataType(u8),
    Integer(u64),
    Signed(i64),
    Float(u64),
    Timestamp(u64),
}

impl Buffers {
    /// Empties them, and gives back what is too large to keep.
    pub(super) fn clear(&mut self) {
        for buffer in [&mut self.pairs, &mut self.rows] {
            buffer.clear();
            if buffer.capacity() > KEPT_BYTES {
                *buffer = Vec::new();
            }
        }
        self.ids.clear();
        if self.ids.capacity() > KEPT_PAIRS {
            self.ids = FxHashMap::default();
        }
    }
}
