//! Making batches out of documents, as they come.

use pattoo_common::document::{Batch, Document, DocumentError};

use crate::post_form::Form;
use crate::wall_clock::WallClock;

/// How batches are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Making<'h> {
    /// Merged, or as they came.
    pub(crate) form: Form,
    /// The hub's, for merged batches.
    pub(crate) agent_id: &'h str,
    pub(crate) interval_ms: u64,
    /// A batch goes out before it passes this size.
    pub(crate) max_batch_bytes: usize,
    pub(crate) clock: WallClock,
}

/// Takes documents and gives batches, in pieces, with the time at which each was
/// made.
pub(crate) struct Collector<'h, Take> {
    making: Making<'h>,
    batch: Batch,
    take: Take,
}

/// What a document says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) agent_id: String,
    pub(crate) timestamp_ms: u64,
    pub(crate) datapoints: usize,
}

impl<'h, Take: FnMut(Vec<Vec<u8>>, u64)> Collector<'h, Take> {
    /// Nothing is collected yet.
    pub(crate) fn new(making: Making<'h>, take: Take) -> Self {
        Self { making, batch: Batch::new(), take }
    }

    /// Takes a document in and lets go of its text.
    pub(crate) fn add(&mut self, text: Vec<u8>) -> Result<Seen, DocumentError> {
        let document = Document::parse(&text)?;
        let seen = Seen {
            agent_id: document.agent_id().to_owned(),
            timestamp_ms: document.timestamp_ms(),
            datapoints: document.datapoint_count(),
        };
        match self.making.form {
            Form::Device => {
                drop(document);
                (self.take)(vec![text], self.making.clock.now_ms());
            }
            Form::Batch => {
                if self.batch.size_bytes() + text.len() > self.making.max_batch_bytes {
                    self.flush();
                }
                if self.batch.add(&document).is_err() {
                    // The limits of a document, which an empty batch keeps if the
                    // document itself does.
                    self.flush();
                    self.batch.add(&document)?;
                }
            }
        }
        Ok(seen)
    }

    /// Gives out what is merged so far.
    pub(crate) fn flush(&mut self) {
        if !self.batch.is_empty() {
            let Making { agent_id, interval_ms, clock, .. } = self.making;
            let now_ms = clock.now_ms();
            let batch = std::mem::take(&mut self.batch);
            (self.take)(batch.finish_in_pieces(agent_id, now_ms, interval_ms), now_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPTURE: &[u8] = include_bytes!("../../tests/fixtures/wire/spoke-response.json");

    fn making(form: Form, max_batch_bytes: usize) -> Making<'static> {
        let clock = WallClock::of(|| 7);
        Making { form, agent_id: "hub", interval_ms: 10_000, max_batch_bytes, clock }
    }

    fn collect(making: Making<'_>, documents: usize) -> Vec<Vec<u8>> {
        let mut batches = Vec::new();
        let mut collector = Collector::new(making, |batch, made_ms| {
            assert_eq!(made_ms, 7);
            batches.push(batch.concat());
        });
        for _ in 0..documents {
            let seen = collector.add(CAPTURE.to_vec()).unwrap();
            assert_eq!(seen.datapoints, 95);
        }
        assert!(collector.add(b"{}".to_vec()).is_err());
        collector.flush();
        collector.flush();
        batches
    }

    #[test]
    fn merged_into_one_batch() {
        let batches = collect(making(Form::Batch, 8 << 20), 3);
        assert_eq!(batches.len(), 1);
        let batch = Document::parse(&batches[0]).unwrap();
        assert_eq!((batch.agent_id(), batch.timestamp_ms()), ("hub", 7));
        assert_eq!(batch.datapoint_count(), 3 * 95);
    }

    #[test]
    fn parts_do_not_pass_their_size() {
        let limit = 2 * CAPTURE.len();
        let batches = collect(making(Form::Batch, limit), 20);
        assert!(batches.len() > 1 && batches.iter().all(|batch| batch.len() <= limit));
        let datapoints: usize =
            batches.iter().map(|batch| Document::parse(batch).unwrap().datapoint_count()).sum();
        assert_eq!(datapoints, 20 * 95);
        // One that is larger by itself is a part of its own.
        assert_eq!(collect(making(Form::Batch, 1), 2).len(), 2);
    }

    #[test]
    fn device_by_device_as_they_came() {
        assert_eq!(collect(making(Form::Device, 1), 2), [CAPTURE, CAPTURE]);
    }

    #[test]
    fn nothing_makes_no_batch() {
        assert!(collect(making(Form::Batch, 1), 0).is_empty());
    }
}
