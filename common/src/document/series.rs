//! What a document's datapoints are about, and the checksums of their series,
//! remembered from one document to the next: eleven SHA-256 a datapoint would
//! cost a spoke more than reading the kernel.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::AGENT_KEYS;
use super::buffers::Buffers;
use crate::checksum::Checksum;
use crate::datapoint::{DataPoint, DataType, Metadata, Place};

/// Groups of series that are remembered beyond those of the last document, so
/// that interfaces which come and go are not forgotten at once.
const SPARE_GROUPS: usize = 64;

/// What the datapoints of a document are about, and who tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// 64 hexadecimal digits.
    pub agent_id: String,
    /// The program that took the datapoints.
    pub program: &'static str,
    /// The host name of the machine that the program runs on.
    pub agent_hostname: String,
    /// What the datapoints are about; for a spoke, its own host name.
    pub polled_target: String,
    /// Metadata of the whole target (`release`, `version`, ...), in the order of
    /// the wire.
    pub metadata: Vec<(&'static str, String)>,
}

impl Target {
    /// The values of [`AGENT_KEYS`] in their order.
    pub(super) fn agent_values(&self, interval_ms: u64) -> [String; AGENT_KEYS.len()] {
        [
            interval_ms.to_string(),
            self.agent_hostname.clone(),
            self.agent_id.clone(),
            self.polled_target.clone(),
            self.program.to_owned(),
        ]
    }
}

/// The series of one target.
#[derive(Debug)]
pub struct Series {
    target: Target,
    groups: FxHashMap<Option<Arc<Metadata>>, Group>,
    /// The group of the last datapoint, which is not among the others: the next one is
    /// mostly of the same disk or interface.
    current: Option<(Option<Arc<Metadata>>, Group)>,
    /// The number of the document in hand.
    generation: u64,
    pub(super) buffers: Buffers,
}

/// The checksums of all series that share their metadata.
#[derive(Debug, Default)]
struct Group {
    generation: u64,
    /// Where the next datapoint is looked for first: a source sends its keys in
    /// the same order every time.
    next: usize,
    known: Vec<Known>,
}

/// One series.
#[derive(Debug)]
struct Known {
    key: &'static str,
    data_type: DataType,
    checksum: Checksum,
    /// The last document that it was in.
    generation: u64,
}

impl Series {
    /// No series of `target` is known yet.
    pub fn new(target: Target) -> Self {
        let (groups, buffers) = (FxHashMap::default(), Buffers::default());
        Self { target, groups, current: None, generation: 0, buffers }
    }

    /// What the series are of.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Changes the target, and with it every checksum. Nothing happens if it is
    /// the same.
    pub fn set_target(&mut self, target: Target) {
        if target != self.target {
            *self = Self::new(target);
        }
    }

    /// A new document begins.
    pub(super) fn begin(&mut self) {
        self.groups.extend(self.current.take());
        let used = self.groups.values().filter(|group| group.generation == self.generation).count();
        if self.groups.len() > used + SPARE_GROUPS {
            let generation = self.generation;
            self.groups.retain(|_, group| group.generation == generation);
        }
        self.generation += 1;
        for group in self.groups.values_mut() {
            group.next = 0;
        }
    }

    /// The checksum of the series that `point` belongs to; `None` if the document
    /// in hand has a datapoint of that series already.
    pub(super) fn checksum(&mut self, point: &DataPoint) -> Option<Checksum> {
        let metadata = &point.metadata;
        let of_last = self.current.take_if(|(last, _)| !same(last.as_ref(), metadata.as_ref()));
        self.groups.extend(of_last);
        let (_, group) = self.current.get_or_insert_with(|| {
            let known = self.groups.remove_entry(metadata);
            known.unwrap_or_else(|| (metadata.clone(), Group::default()))
        });
        group.generation = self.generation;
        let is_it = |known: &Known| {
            // Mostly it is the same text in the same place.
            let same_key = std::ptr::eq(known.key, point.key) || known.key == point.key;
            same_key && known.data_type == point.data_type
        };
        let at = match group.known.get(group.next) {
            Some(known) if is_it(known) => group.next,
            _ => group.known.iter().position(is_it).unwrap_or_else(|| {
                group.known.push(Known {
                    key: point.key,
                    data_type: point.data_type,
                    checksum: reckon(&self.target, point),
                    generation: 0,
                });
                group.known.len() - 1
            }),
        };
        group.next = at + 1;
        let known = &mut group.known[at];
        let is_new = std::mem::replace(&mut known.generation, self.generation) < self.generation;
        is_new.then_some(known.checksum)
    }
}

/// Whether both are of the same disk, interface, or machine.
pub(super) fn same(a: Option<&Arc<Metadata>>, b: Option<&Arc<Metadata>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b) || a == b,
        _ => false,
    }
}

fn reckon(target: &Target, point: &DataPoint) -> Checksum {
    let own =
        |place| point.metadata.iter().filter(move |m| m.place == place).flat_map(|m| &m.pairs);
    let agent = target.agent_values(0);
    let mut checksum = Checksum::new(point.key, point.data_type);
    for (key, value) in own(Place::BeforeHost).chain(&target.metadata).chain(own(Place::AfterHost))
    {
        checksum = checksum.with(key, value.trim());
    }
    for (key, value) in AGENT_KEYS.iter().zip(&agent) {
        checksum = checksum.with(key, value);
    }
    checksum
}
