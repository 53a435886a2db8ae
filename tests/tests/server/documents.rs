//! Documents to post, with values that a test can tell.

use std::time::{SystemTime, UNIX_EPOCH};

use pattoo_common::datapoint::{DataPoint, DataType, Value};
use pattoo_common::document::{Batch, Document, DocumentWriter};
use pattoo_tests::series_of_host;

/// Time between the samples of these documents, milliseconds.
pub(crate) const INTERVAL_MS: u64 = 1_000;

/// Unix time in milliseconds, on a whole second.
pub(crate) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs() * 1_000
}

/// The poll of a host: one datapoint for each key, all of this time.
pub(crate) fn poll(
    host: &str,
    timestamp_ms: u64,
    points: &[(&'static str, DataType, Value)],
) -> Vec<u8> {
    let mut series = series_of_host(host);
    let mut writer = DocumentWriter::new(&mut series, INTERVAL_MS);
    for (key, data_type, value) in points {
        writer.push(&DataPoint::new(key, *data_type, value.clone()), timestamp_ms);
    }
    writer.finish(timestamp_ms)
}

/// The poll of a host with one gauge.
pub(crate) fn gauge(host: &str, key: &'static str, timestamp_ms: u64, value: u64) -> Vec<u8> {
    poll(host, timestamp_ms, &[(key, DataType::Gauge, value.into())])
}

/// Several polls as a hub merges them.
pub(crate) fn merged(polls: &[Vec<u8>]) -> Vec<u8> {
    let mut batch = Batch::new();
    for poll in polls {
        batch.add(&Document::parse(poll).unwrap()).unwrap();
    }
    batch.finish(&"b".repeat(64), now_ms(), INTERVAL_MS)
}
