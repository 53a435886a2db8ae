//! A document that a stranger wrote: read, understood, merged, taken apart. Nothing
//! is lost or changed on the way.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pattoo_common::document::{Batch, Document};

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = Document::parse(bytes) else { return };
    let found = samples(&document);
    let mut batch = Batch::new();
    batch.add(&document).expect("one document is within the limits of one");
    batch.add(&document).expect("so small a document twice as well");
    let merged = batch.finish("hub", 7, 10_000);
    let merged = Document::parse(&merged).expect("what is written can be read");
    let twice = samples(&merged);
    assert_eq!(merged.datapoint_count(), 2 * document.datapoint_count());
    assert_eq!(twice[..found.len()], found);
    assert_eq!(twice[found.len()..], found);
    if let Some(parts) = document.split_by_agent() {
        let parts: Vec<_> =
            parts.iter().map(|part| Document::parse(part).expect("a part")).collect();
        assert!(parts.len() > 1);
        let count: usize = parts.iter().map(Document::datapoint_count).sum();
        assert_eq!(count, document.datapoint_count());
    }
});

/// What each datapoint says, with the checksum that the rule gives it; `None` where
/// it says nothing that can be understood.
fn samples(document: &Document<'_>) -> Vec<Option<String>> {
    let sample = document.samples().map(|sample| sample.ok());
    let shown = sample.map(|sample| {
        let sample = sample?;
        Some(format!(
            "{} {:?} {:?} {} {} {:?} {:?} {:?}",
            sample.key,
            sample.data_type,
            sample.value,
            sample.timestamp_ms,
            sample.checksum,
            sample.agent,
            sample.metadata(),
            sample.expected_checksum()
        ))
    });
    shown.collect()
}
