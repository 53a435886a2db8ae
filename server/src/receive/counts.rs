//! What was received, in figures.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::intake::Intake;

/// Counts since the program started.
#[derive(Debug, Default)]
pub struct Counts {
    posts: AtomicU64,
    bytes: AtomicU64,
    unfit: AtomicU64,
    put_off: AtomicU64,
    stored: AtomicU64,
    already_there: AtomicU64,
    not_understood: AtomicU64,
    ahead: AtomicU64,
    refused: AtomicU64,
}

/// What the counts say at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Posts that arrived whole.
    pub posts: u64,
    /// The bytes of their bodies, as they came.
    pub bytes: u64,
    /// Posts that no later try can mend: 400, 413, 415.
    pub unfit: u64,
    /// Posts that are worth another try: 500, 503.
    pub put_off: u64,
    /// Datapoints that are new.
    pub stored: u64,
    /// Datapoints that were there already.
    pub already_there: u64,
    /// Datapoints that could not be understood.
    pub not_understood: u64,
    /// Datapoints too far ahead of the clock.
    pub ahead: u64,
    /// Datapoints that the store refused: too old, too many series.
    pub refused: u64,
}

impl Counts {
    pub(super) fn post(&self, bytes: usize) {
        self.posts.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn turned_away(&self, status: u16) {
        let count = if status < 500 { &self.unfit } else { &self.put_off };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn taken(&self, intake: &Intake) {
        for (count, more) in [
            (&self.stored, intake.receipt.stored),
            (&self.already_there, intake.receipt.already_there),
            (&self.not_understood, intake.bad),
            (&self.ahead, intake.ahead),
            (&self.refused, intake.receipt.refused),
        ] {
            count.fetch_add(more as u64, Ordering::Relaxed);
        }
    }

    /// What they say now.
    pub fn figures(&self) -> Figures {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Figures {
            posts: read(&self.posts),
            bytes: read(&self.bytes),
            unfit: read(&self.unfit),
            put_off: read(&self.put_off),
            stored: read(&self.stored),
            already_there: read(&self.already_there),
            not_understood: read(&self.not_understood),
            ahead: read(&self.ahead),
            refused: read(&self.refused),
        }
    }
}
