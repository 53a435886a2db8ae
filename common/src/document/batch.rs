//! Merging many documents into one. Pairs are compared and copied as text and
//! not understood, so that every figure leaves the hub as the spoke wrote it.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

use super::writer::{assemble, frame, push_id, push_pair};
use super::{Document, DocumentError, MAX_DATAPOINTS, MAX_PAIRS};

/// This pair is each datapoint's own, and is not looked for among those before.
const CHECKSUM_KEY: &str = "\"pattoo_checksum\"";
/// A pair of a document that the batch does not have yet.
const UNKNOWN: u32 = u32::MAX;

/// Documents of one interval, merged.
#[derive(Debug, Default)]
pub struct Batch {
    /// `"0":["cpus","2"],...`
    pairs: Vec<u8>,
    /// Where the text between the brackets of each pair stands in `pairs`.
    spans: Vec<(u32, u32)>,
    /// `[0,1,2],...`
    rows: Vec<u8>,
    datapoint_count: usize,
    document_count: usize,
    /// The id of a pair by the hash of its text. Should two texts share a hash,
    /// the second one is written anew each time, which costs bytes and nothing
    /// else.
    ids: HashMap<u64, u32, BuildHasherDefault<Hashed>>,
    hash: RandomState,
    /// The id in the batch of each pair of the document in hand.
    local: Vec<u32>,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the datapoints of a document, with the pairs that they name.
    ///
    /// # Errors
    /// The batch would pass the limits of a document; it is as it was before.
    pub fn add(&mut self, document: &Document<'_>) -> Result<(), DocumentError> {
        if self.spans.len() + document.pairs.len() > MAX_PAIRS
            || self.datapoint_count + document.datapoint_count() > MAX_DATAPOINTS
        {
            return Err(DocumentError::new("the batch is full: post it and begin another"));
        }
        let mut local = std::mem::take(&mut self.local);
        local.clear();
        local.resize(document.pairs.len(), UNKNOWN);
        for row in document.rows() {
            self.rows.extend_from_slice(if self.datapoint_count == 0 { b"[" } else { b",[" });
            for (index, id) in row.iter().enumerate() {
                let known = &mut local[*id as usize];
                if *known == UNKNOWN {
                    let pair = document.pairs[*id as usize];
                    *known = self.id(pair.key, pair.value);
                }
                if index > 0 {
                    self.rows.push(b',');
                }
                push_id(&mut self.rows, *known);
            }
            self.rows.push(b']');
            self.datapoint_count += 1;
        }
        self.local = local;
        self.document_count += 1;
        Ok(())
    }

    /// Datapoints so far.
    pub fn datapoint_count(&self) -> usize {
        self.datapoint_count
    }

    /// Documents that were added.
    pub fn document_count(&self) -> usize {
        self.document_count
    }

    /// Whether no document was added.
    pub fn is_empty(&self) -> bool {
        self.document_count == 0
    }

    /// How many bytes the finished batch has, within a few hundred.
    pub fn size_bytes(&self) -> usize {
        self.pairs.len() + self.rows.len() + 256
    }

    /// The batch as a document of the hub: `timestamp_ms` is when it was made
    /// (Unix, milliseconds).
    pub fn finish(self, agent_id: &str, timestamp_ms: u64, interval_ms: u64) -> Vec<u8> {
        assemble(agent_id, interval_ms, timestamp_ms, &self.rows, &self.pairs)
    }

    /// [`Batch::finish`] without a copy: the document is these pieces, one after
    /// another.
    pub fn finish_in_pieces(
        self,
        agent_id: &str,
        timestamp_ms: u64,
        interval_ms: u64,
    ) -> Vec<Vec<u8>> {
        let [head, middle, tail] = frame(agent_id, interval_ms, timestamp_ms);
        vec![head, self.rows, middle, self.pairs, tail]
    }

    fn id(&mut self, key: &str, value: &str) -> u32 {
        if key == CHECKSUM_KEY {
            return self.push(key, value);
        }
        let hash = self.hash.hash_one((key, value));
        if let Some(id) = self.ids.get(&hash) {
            let (start, end) = self.spans[*id as usize];
            let text = &self.pairs[start as usize..end as usize];
            if text.strip_prefix(key.as_bytes()).and_then(|rest| rest.strip_prefix(b","))
                == Some(value.as_bytes())
            {
                return *id;
            }
            return self.push(key, value);
        }
        let id = self.push(key, value);
        self.ids.insert(hash, id);
        id
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most a million pairs; a batch is posted long before 4 GiB"
    )]
    fn push(&mut self, key: &str, value: &str) -> u32 {
        let id = self.spans.len() as u32;
        push_pair(&mut self.pairs, id, |out| {
            out.extend_from_slice(key.as_bytes());
            out.push(b',');
            out.extend_from_slice(value.as_bytes());
        });
        let end = self.pairs.len() - 1;
        self.spans.push(((end - key.len() - 1 - value.len()) as u32, end as u32));
        id
    }
}

/// Takes a hash for what it is.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
