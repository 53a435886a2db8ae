//! Writing a document: straight into two buffers, without a tree.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::buffers::{Buffers, Pair};
use super::series::same;
use super::{AGENT_KEYS, Series, push_json, push_text};
use crate::datapoint::{DataPoint, Metadata, Place, Value};

/// What a pair begins with, its key and the comma.
const KEY: &[u8] = b"\"pattoo_key\",";
const DATA_TYPE: &[u8] = b"\"pattoo_data_type\",";
const VALUE: &[u8] = b"\"pattoo_value\",";
const TIMESTAMP: &[u8] = b"\"pattoo_timestamp\",";
const CHECKSUM: &[u8] = b"\"pattoo_checksum\",\"";

/// Takes datapoints one by one and gives the document as JSON text.
pub struct DocumentWriter<'s> {
    series: &'s mut Series,
    interval_ms: u64,
    /// The ids of the host's metadata and of the agent's, each with its comma. They
    /// stand in every row, and are looked up for the first.
    host_ids: Option<Vec<u8>>,
    agent_ids: Option<Vec<u8>>,
    buffers: Buffers,
    pair_count: u32,
    row_count: usize,
    /// The data type and the timestamp of the last datapoint, and their ids: those of
    /// the next are mostly the same.
    data_type: Option<(u8, u32)>,
    timestamp: Option<(u64, u32)>,
    /// The metadata of the last datapoint and what its row begins with: the next
    /// one is mostly of the same disk or interface.
    prefix: Option<(Option<Arc<Metadata>>, Vec<u8>)>,
}

impl<'s> DocumentWriter<'s> {
    /// An empty document of `series`; `interval_ms` is the polling interval.
    pub fn new(series: &'s mut Series, interval_ms: u64) -> Self {
        series.begin();
        let buffers = std::mem::take(&mut series.buffers);
        Self {
            series,
            interval_ms,
            host_ids: None,
            agent_ids: None,
            buffers,
            pair_count: 0,
            row_count: 0,
            data_type: None,
            timestamp: None,
            prefix: None,
        }
    }

    /// Adds a datapoint that was taken at `timestamp_ms` (Unix, milliseconds).
    ///
    /// One whose series is in the document already is dropped, as the original
    /// dropped it, and so is a number that is not finite, which JSON cannot hold.
    pub fn push(&mut self, point: &DataPoint, timestamp_ms: u64) {
        if matches!(point.value, Value::Float(value) if !value.is_finite()) {
            return;
        }
        let Some(checksum) = self.series.checksum(point) else { return };
        self.begin_row(point);
        let key = self.id(Pair::Key(point.key), |out| text_pair(out, KEY, point.key));
        let data_type = self.data_type_id(point.data_type.code());
        let value = self.value_id(&point.value);
        let timestamp = self.timestamp_id(timestamp_ms);
        // A checksum stands in a document only once: it is not looked for.
        let checksum = self.new_id(|out| {
            out.extend_from_slice(CHECKSUM);
            out.extend_from_slice(checksum.as_str().as_bytes());
            out.push(b'"');
        });
        let ids =
            [(checksum, b']'), (timestamp, b','), (value, b','), (data_type, b','), (key, b',')];
        let mut end = FromTheEnd::new();
        for (id, behind) in ids {
            end.put(behind);
            end.put_id(id);
        }
        self.buffers.rows.extend_from_slice(end.text());
        self.row_count += 1;
    }

    /// Datapoints so far.
    pub fn datapoint_count(&self) -> usize {
        self.row_count
    }

    /// About how many bytes the document has so far.
    pub fn size_bytes(&self) -> usize {
        self.buffers.pairs.len() + self.buffers.rows.len() + 256
    }

    /// The whole document, taken at `timestamp_ms` (Unix, milliseconds). Its keys
    /// are sorted, as the original's are.
    pub fn finish(self, timestamp_ms: u64) -> Vec<u8> {
        let agent_id = &self.series.target().agent_id;
        let Buffers { rows, pairs, .. } = &self.buffers;
        assemble(agent_id, self.interval_ms, timestamp_ms, rows, pairs)
    }

    /// Writes what the row of `point` shares with others of the same metadata.
    fn begin_row(&mut self, point: &DataPoint) {
        if self.row_count > 0 {
            self.buffers.rows.push(b',');
        }
        if let Some((metadata, prefix)) = &self.prefix
            && same(metadata.as_ref(), point.metadata.as_ref())
        {
            self.buffers.rows.extend_from_slice(prefix);
            return;
        }
        let mut prefix = self.prefix.take().map_or_else(Vec::new, |(_, prefix)| prefix);
        prefix.clear();
        prefix.push(b'[');
        if let Some(own) = point.metadata.as_deref().filter(|m| m.place == Place::BeforeHost) {
            self.metadata(&mut prefix, &own.pairs);
        }
        let host_ids = self.host_ids.take().unwrap_or_else(|| self.look_up_host());
        prefix.extend_from_slice(&host_ids);
        self.host_ids = Some(host_ids);
        if let Some(own) = point.metadata.as_deref().filter(|m| m.place == Place::AfterHost) {
            self.metadata(&mut prefix, &own.pairs);
        }
        let agent_ids = self.agent_ids.take().unwrap_or_else(|| self.look_up_agent());
        prefix.extend_from_slice(&agent_ids);
        self.agent_ids = Some(agent_ids);
        self.buffers.rows.extend_from_slice(&prefix);
        self.prefix = Some((point.metadata.clone(), prefix));
    }

    fn look_up_host(&mut self) -> Vec<u8> {
        let host = self.series.target().metadata.clone();
        let mut ids = Vec::new();
        self.metadata(&mut ids, &host);
        ids
    }

    fn look_up_agent(&mut self) -> Vec<u8> {
        let values = self.series.target().agent_values(self.interval_ms);
        let mut ids = Vec::new();
        for (key, value) in AGENT_KEYS.iter().zip(&values) {
            self.metadatum(&mut ids, key, value);
        }
        ids
    }

    fn metadata(&mut self, prefix: &mut Vec<u8>, pairs: &[(&'static str, String)]) {
        for (key, value) in pairs {
            self.metadatum(prefix, key, value.trim());
        }
    }

    fn metadatum(&mut self, prefix: &mut Vec<u8>, key: &'static str, value: &str) {
        let id = self.id(Pair::Metadata(key, value.to_owned()), |out| {
            push_text(out, key);
            text_pair(out, b",", value);
        });
        push_id(prefix, id);
        prefix.push(b',');
    }

    fn data_type_id(&mut self, code: u8) -> u32 {
        if let Some((_, id)) = self.data_type.filter(|(last, _)| *last == code) {
            return id;
        }
        let id = self.id(Pair::DataType(code), |out| number_pair(out, DATA_TYPE, code));
        self.data_type = Some((code, id));
        id
    }

    fn timestamp_id(&mut self, timestamp_ms: u64) -> u32 {
        if let Some((_, id)) = self.timestamp.filter(|(last, _)| *last == timestamp_ms) {
            return id;
        }
        let pair = Pair::Timestamp(timestamp_ms);
        let id = self.id(pair, |out| number_pair(out, TIMESTAMP, timestamp_ms));
        self.timestamp = Some((timestamp_ms, id));
        id
    }

    fn value_id(&mut self, value: &Value) -> u32 {
        match *value {
            Value::Integer(value) => {
                self.id(Pair::Integer(value), |out| number_pair(out, VALUE, value))
            }
            Value::Signed(value) => {
                self.id(Pair::Signed(value), |out| number_pair(out, VALUE, value))
            }
            Value::Float(value) => {
                self.id(Pair::Float(value.to_bits()), |out| number_pair(out, VALUE, value))
            }
            Value::Text(ref text) => self.new_id(|out| text_pair(out, VALUE, text)),
        }
    }

    fn id(&mut self, pair: Pair, write: impl FnOnce(&mut Vec<u8>)) -> u32 {
        let Buffers { pairs, ids, .. } = &mut self.buffers;
        match ids.entry(pair) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let id = self.pair_count;
                push_pair(pairs, id, write);
                self.pair_count += 1;
                *new.insert(id)
            }
        }
    }

    fn new_id(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> u32 {
        let id = self.pair_count;
        push_pair(&mut self.buffers.pairs, id, write);
        self.pair_count += 1;
        id
    }
}

/// Appends `"id":[pair]`, with a comma before it unless it is the first.
pub(super) fn push_pair(pairs: &mut Vec<u8>, id: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let mut head = FromTheEnd::new();
    head.put(b'[');
    head.put(b':');
    head.put(b'"');
    head.put_id(id);
    head.put(b'"');
    if id > 0 {
        head.put(b',');
    }
    pairs.extend_from_slice(head.text());
    write(pairs);
    pairs.push(b']');
}

/// Appends an id in decimal.
pub(super) fn push_id(out: &mut Vec<u8>, id: u32) {
    let mut digits = FromTheEnd::new();
    digits.put_id(id);
    out.extend_from_slice(digits.text());
}

/// A few ids and what stands between them, put together from the end: digits come
/// that way, and there are thousands in a document.
struct FromTheEnd {
    /// Room for five ids of ten digits with a byte behind each.
    bytes: [u8; 64],
    start: usize,
}

impl FromTheEnd {
    fn new() -> Self {
        Self { bytes: [0; 64], start: 64 }
    }

    fn put(&mut self, byte: u8) {
        self.start -= 1;
        self.bytes[self.start] = byte;
    }

    fn put_id(&mut self, id: u32) {
        let (mut start, mut rest) = (self.start, id);
        loop {
            start -= 1;
            self.bytes[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.start = start;
    }

    fn text(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

/// The whole document from its rows and pairs.
pub(super) fn assemble(
    agent_id: &str,
    interval_ms: u64,
    timestamp_ms: u64,
    rows: &[u8],
    pairs: &[u8],
) -> Vec<u8> {
    let [head, middle, tail] = frame(agent_id, interval_ms, timestamp_ms);
    [head.as_slice(), rows, &middle, pairs, &tail].concat()
}

/// What stands before, between and behind the rows and pairs of a document.
pub(super) fn frame(agent_id: &str, interval_ms: u64, timestamp_ms: u64) -> [Vec<u8>; 3] {
    let mut head = b"{\"pattoo_agent_id\":".to_vec();
    push_json(&mut head, agent_id);
    head.extend_from_slice(b",\"pattoo_agent_polling_interval\":");
    push_json(&mut head, &interval_ms);
    head.extend_from_slice(b",\"pattoo_agent_timestamp\":");
    push_json(&mut head, &timestamp_ms);
    head.extend_from_slice(b",\"pattoo_datapoints\":{\"datapoint_pairs\":[");
    [head, b"],\"key_value_pairs\":{".to_vec(), b"}}}".to_vec()]
}

/// Appends the rest of a pair: `before` ends with the comma behind the key.
fn text_pair(out: &mut Vec<u8>, before: &[u8], value: &str) {
    out.extend_from_slice(before);
    push_text(out, value);
}

fn number_pair(out: &mut Vec<u8>, before: &[u8], value: impl serde::Serialize) {
    out.extend_from_slice(before);
    push_json(out, &value);
}

impl Drop for DocumentWriter<'_> {
    fn drop(&mut self) {
        self.buffers.clear();
        self.series.buffers = std::mem::take(&mut self.buffers);
    }
}
