//! Which series are known, so that a datapoint of a known one costs a look-up
//! and no allocation. Bounded: when it is full it is emptied, and fills again
//! from the database.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use pattoo_common::datapoint::DataType;
use sha2::{Digest, Sha256};

use super::keys::SeriesId;

/// A checksum, as the key of a series within its origin.
pub(super) type Key = [u8; 32];

/// The checksum of a datapoint in 32 bytes: decoded if it is the lower-case hex
/// that the original sends, digested if it is anything else.
pub(super) fn key_of(checksum: &str) -> Key {
    decode_hex(checksum.as_bytes()).unwrap_or_else(|| Sha256::digest(checksum.as_bytes()).into())
}

fn decode_hex(text: &[u8]) -> Option<Key> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut key = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(text.as_chunks().0) {
        let [high, low] = *pair;
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(key)
}

/// A series that the database knows.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) id: SeriesId,
    pub(super) data_type: DataType,
    pub(super) polling_interval_ms: u64,
    /// No sample is newer than this; one that is newer is certainly new.
    pub(super) last_ms: AtomicU64,
}

/// The series of one agent id, target and program.
#[derive(Debug, Default)]
pub(super) struct Origins {
    series: RwLock<HashMap<Key, Arc<Known>>>,
}

impl Origins {
    pub(super) fn get(&self, key: &Key) -> Option<Arc<Known>> {
        self.series.read().unwrap_or_else(PoisonError::into_inner).get(key).map(Arc::clone)
    }
}

/// All known series.
#[derive(Debug)]
pub(super) struct Cache {
    origins: RwLock<HashMap<Box<str>, Arc<Origins>>>,
    held: AtomicUsize,
    bound: usize,
}

impl Cache {
    pub(super) fn new(bound: usize) -> Self {
        Self { origins: RwLock::default(), held: AtomicUsize::new(0), bound }
    }

    /// The series of an origin, by its joined name.
    pub(super) fn origin(&self, name: &str) -> Arc<Origins> {
        if let Some(origin) = self.origins.read().unwrap_or_else(PoisonError::into_inner).get(name)
        {
            return Arc::clone(origin);
        }
        let mut origins = self.origins.write().unwrap_or_else(PoisonError::into_inner);
        if origins.len() >= self.bound {
            origins.clear();
            self.held.store(0, Ordering::Relaxed);
        }
        Arc::clone(origins.entry(name.into()).or_default())
    }

    /// Remembers a series.
    pub(super) fn put(&self, origin: &Origins, key: Key, known: &Arc<Known>) {
        if self.held.fetch_add(1, Ordering::Relaxed) >= self.bound {
            self.clear();
        }
        origin
            .series
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, Arc::clone(known));
    }

    /// Forgets everything, as when series have been deleted.
    pub(super) fn clear(&self) {
        self.origins.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.held.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lower_case_hex_is_decoded() {
        let hex = "6ce34a8781c3ee3977f70c4ee8407e8b5d137f4f9e667b0f869b8f596267ff8e";
        assert_eq!(key_of(hex)[..3], [0x6c, 0xe3, 0x4a]);
        assert_ne!(key_of(hex), key_of(&hex.to_uppercase()));
        assert_ne!(key_of(""), key_of("0"));
    }

    #[test]
    fn a_full_cache_is_emptied_not_grown() {
        let cache = Cache::new(2);
        let known = Arc::new(Known {
            id: 1,
            data_type: DataType::Gauge,
            polling_interval_ms: 1,
            last_ms: AtomicU64::new(0),
        });
        for name in ["a", "b", "c"] {
            let origin = cache.origin(name);
            cache.put(&origin, key_of(name), &known);
        }
        assert!(cache.origin("a").get(&key_of("a")).is_none());
    }
}
