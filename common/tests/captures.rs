//! The document code held against what the original system really sent.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::PathBuf;

use pattoo_common::datapoint::{DataPoint, DataType, Metadata, Value};
use pattoo_common::document::{
    Batch, Document, DocumentWriter, Sample, SampleValue, Series, Target,
};

fn capture(name: &str) -> Vec<u8> {
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "..", "tests", "fixtures", "wire", name].iter().collect();
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn polls() -> Vec<Vec<u8>> {
    (1..=6).map(|n| capture(&format!("input/poll-{n}.json"))).collect()
}

fn samples<'d>(document: &'d Document<'_>) -> Vec<Sample<'d>> {
    document.samples().collect::<Result<_, _>>().unwrap()
}

#[test]
fn every_checksum_recomputes() {
    let mut count = 0;
    for text in polls() {
        let document = Document::parse(&text).unwrap();
        for sample in samples(&document) {
            assert_eq!(sample.expected_checksum().as_str(), sample.checksum, "{sample:?}");
            count += 1;
        }
    }
    assert_eq!(count, 570);
}

#[test]
fn a_spoke_answer_is_read_and_written_again() {
    let text = capture("spoke-response.json");
    let document = Document::parse(&text).unwrap();
    assert_eq!(document.datapoint_count(), 95);
    let read = samples(&document);

    let mut series = Series::new(target(&read[0]));
    let mut writer = DocumentWriter::new(&mut series, document.interval_ms());
    for sample in &read {
        writer.push(&datapoint(sample), sample.timestamp_ms);
    }
    let written = writer.finish(document.timestamp_ms());

    let again = Document::parse(&written).unwrap();
    assert_eq!(samples(&again), read);
    assert_eq!(again.agent_id(), document.agent_id());
    let (was, is): (serde_json::Value, serde_json::Value) =
        (serde_json::from_slice(&text).unwrap(), serde_json::from_slice(&written).unwrap());
    let pairs = |document: &serde_json::Value| {
        document["pattoo_datapoints"]["key_value_pairs"].as_object().unwrap().len()
    };
    assert_eq!(pairs(&was), pairs(&is), "equal pairs stand once");
    // The second document takes its checksums from memory.
    let mut writer = DocumentWriter::new(&mut series, document.interval_ms());
    for sample in &read {
        writer.push(&datapoint(sample), sample.timestamp_ms);
        writer.push(&datapoint(sample), sample.timestamp_ms);
    }
    assert_eq!(writer.datapoint_count(), 95, "one datapoint a series");
    assert_eq!(writer.finish(document.timestamp_ms()), written);
}

#[test]
fn merging_keeps_every_datapoint_in_order() {
    let polls = polls();
    let mut batch = Batch::new();
    let mut wanted = Vec::new();
    let documents: Vec<_> = polls.iter().map(|text| Document::parse(text).unwrap()).collect();
    for document in &documents {
        batch.add(document).unwrap();
        wanted.extend(samples(document));
    }
    assert_eq!((batch.datapoint_count(), batch.document_count()), (570, 6));
    let size_bytes = batch.size_bytes();
    let merged = batch.finish("hub", 7, 10_000);
    assert!(merged.len().abs_diff(size_bytes) < 512, "{} {size_bytes}", merged.len());
    assert!(merged.len() < polls.iter().map(Vec::len).sum(), "merging saves");

    let merged = Document::parse(&merged).unwrap();
    assert_eq!(
        (merged.agent_id(), merged.timestamp_ms(), merged.interval_ms()),
        ("hub", 7, 10_000)
    );
    assert_eq!(samples(&merged), wanted);
}

#[test]
fn the_same_document_twice_shares_all_but_its_checksums() {
    let text = capture("hub-post-body.json");
    let document = Document::parse(&text).unwrap();
    let mut batch = Batch::new();
    batch.add(&document).unwrap();
    let once = batch.size_bytes();
    batch.add(&document).unwrap();
    assert_eq!(batch.datapoint_count(), 2 * document.datapoint_count());
    assert!(batch.size_bytes() < once * 19 / 10);
}

/// A datapoint of ours from one that was read.
fn datapoint(sample: &Sample<'_>) -> DataPoint {
    let own = |place_first: bool| -> Vec<(&'static str, String)> {
        let metadata = sample.metadata();
        let host = metadata.iter().position(|(key, _)| key == "release").unwrap();
        let pairs = if place_first { &metadata[..host] } else { &metadata[host + 6..] };
        pairs.iter().map(|(k, v)| (leak(k), v.to_string())).collect()
    };
    let (before, after) = (own(true), own(false));
    let key = leak(&sample.key);
    let value = match &sample.value {
        SampleValue::Integer(value) => Value::Integer(*value),
        SampleValue::Signed(value) => Value::Signed(*value),
        SampleValue::Float(value) => Value::Float(*value),
        SampleValue::Text(value) => Value::from(&**value),
    };
    if !before.is_empty() {
        DataPoint::of(&Metadata::before_host(before), key, sample.data_type, value)
    } else if !after.is_empty() {
        DataPoint::of(&Metadata::after_host(after), key, sample.data_type, value)
    } else {
        DataPoint::new(key, sample.data_type, value)
    }
}

fn target(sample: &Sample<'_>) -> Target {
    let metadata = sample.metadata().iter().map(|(k, v)| (leak(k), v.to_string())).collect();
    assert_eq!(sample.data_type, DataType::GaugeFloat);
    Target {
        agent_hostname: sample.agent[1].to_string(),
        agent_id: sample.agent[2].to_string(),
        polled_target: sample.agent[3].to_string(),
        program: leak(&sample.agent[4]),
        metadata,
    }
}

fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}
