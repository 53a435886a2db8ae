//! What the spool holds, in memory: the folder is listed once.

use std::collections::BTreeMap;

use super::CLOCK_SET_MS;
use super::folder::Listing;
use super::name::Name;

/// The batch that is being posted.
#[derive(Debug)]
struct InHand {
    name: Name,
    /// What it was worth, if a bound has cost it meanwhile. Whether that is a loss is
    /// known only when the server has answered.
    dropped: Option<Worth>,
}

/// What a dropped batch held.
#[derive(Debug, Clone, Copy)]
struct Worth {
    bytes: u64,
    datapoints: u64,
}

/// The batches of the spool, and what is counted of them.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Size in bytes by name; the first is the one to be replayed next.
    batches: BTreeMap<Name, u64>,
    bytes: u64,
    next_sequence: u64,
    in_hand: Option<InHand>,
    /// Whether the folder was listed.
    pub(super) listed: bool,
    /// Writes that are under way, and what they will take.
    pub(super) writing: usize,
    pub(super) reserved_bytes: u64,
    /// Batches, bytes and datapoints that the bounds have cost since the start.
    pub(super) dropped_batches: u64,
    pub(super) dropped_bytes: u64,
    pub(super) dropped_datapoints: u64,
    /// Batches that are in `bad/` since the start.
    pub(super) set_aside: u64,
    /// Batches that are done with, and that the disk would not remove.
    pub(super) undeleted: Vec<Name>,
    /// Batches dropped since the server last took one, for the log.
    pub(super) dropping: u64,
}

impl Index {
    /// Takes up what a folder holds.
    pub(super) fn take_up(&mut self, listing: Listing) {
        for (name, bytes) in listing.batches {
            self.next_sequence = self.next_sequence.max(name.sequence.saturating_add(1));
            self.insert(name, bytes);
        }
        self.listed = true;
    }

    /// A number greater than all before.
    pub(super) fn sequence(&mut self) -> u64 {
        let sequence = self.next_sequence;
        self.next_sequence = sequence.saturating_add(1);
        sequence
    }

    pub(super) fn insert(&mut self, name: Name, bytes: u64) {
        self.bytes += bytes;
        if let Some(before) = self.batches.insert(name, bytes) {
            self.bytes -= before;
        }
    }

    /// The batch is handed out.
    pub(super) fn hand_out(&mut self, name: &Name) {
        self.in_hand = Some(InHand { name: name.clone(), dropped: None });
    }

    /// What was in hand did not leave: if a bound has cost it, it is lost.
    pub(super) fn put_back(&mut self) {
        if let Some(InHand { dropped: Some(worth), .. }) = self.in_hand.take() {
            self.count_dropped(worth);
        }
    }

    /// The batch has left for where it was to go, whatever became of its file.
    pub(super) fn sent(&mut self, name: &Name) {
        if let Some(in_hand) = self.in_hand.take_if(|in_hand| in_hand.name == *name)
            && in_hand.dropped.is_some()
        {
            self.dropping = self.dropping.saturating_sub(1);
        }
        self.remove(name);
    }

    /// A bound has cost this batch.
    pub(super) fn drop_batch(&mut self, name: &Name, datapoints: u64) {
        let before = self.bytes;
        self.remove(name);
        self.dropping += 1;
        let worth = Worth { bytes: before - self.bytes, datapoints };
        match self.in_hand.as_mut().filter(|in_hand| in_hand.name == *name) {
            Some(in_hand) => in_hand.dropped = Some(worth),
            None => self.count_dropped(worth),
        }
    }

    fn count_dropped(&mut self, worth: Worth) {
        self.dropped_batches += 1;
        self.dropped_bytes += worth.bytes;
        self.dropped_datapoints += worth.datapoints;
    }

    /// Whether it was there.
    pub(super) fn remove(&mut self, name: &Name) -> bool {
        let bytes = self.batches.remove(name);
        self.bytes -= bytes.unwrap_or_default();
        bytes.is_some()
    }

    pub(super) fn oldest(&self) -> Option<(&Name, u64)> {
        self.batches.first_key_value().map(|(name, bytes)| (name, *bytes))
    }

    /// The oldest batch that was made while the clock was set.
    pub(super) fn oldest_with_known_age(&self) -> Option<&Name> {
        self.batches.range(Name::first_at(CLOCK_SET_MS)..).next().map(|(name, _)| name)
    }

    /// Batches in the spool, those being written included.
    pub(super) fn batches(&self) -> usize {
        self.batches.len() + self.writing
    }

    /// Bytes in the spool, those being written included.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes + self.reserved_bytes
    }

    /// Bytes that could be dropped.
    pub(super) fn bytes_at_rest(&self) -> u64 {
        self.bytes
    }
}
