//! The names of files in the spool.
//!
//! Ours: `<ms>_<hub id>_<seq>_<crc32>.json`. The original hub's, left behind by
//! it and taken up: `<ms>_<hub id>.json`, with or without another number behind.

use std::cmp::Ordering;

/// The end of every name in the spool.
const SUFFIX: &str = ".json";

/// What is added to a name while its file is written.
pub(super) const TEMPORARY: &str = ".tmp";

/// One file of the spool, by what its name tells. Ordered as it is replayed:
/// by time, then by sequence number, as numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// When the batch was made: milliseconds since 1970, wall clock.
    pub(super) timestamp_ms: u64,
    /// Tells batches of one millisecond apart, in their order.
    pub(super) sequence: u64,
    /// Who wrote the file.
    pub(super) writer: Writer,
}

/// Who wrote a file of the spool.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Writer {
    /// This program: the name carries the CRC-32 of the content.
    Pattoo { crc32: u32 },
    /// The original hub. What stood behind its id is kept, so that the name can
    /// be written again.
    Original { rest: Box<str> },
}

impl Name {
    /// The name of a batch that is about to be written.
    pub(super) fn new(timestamp_ms: u64, sequence: u64, crc32: u32) -> Self {
        Self { timestamp_ms, sequence, writer: Writer::Pattoo { crc32 } }
    }

    /// The first of all names at `timestamp_ms`.
    pub(super) fn first_at(timestamp_ms: u64) -> Self {
        Self::new(timestamp_ms, 0, 0)
    }

    /// Reads the name of a file in the spool of `hub_id`. Whatever else lies
    /// there is none of ours, and stays.
    pub(super) fn parse(file_name: &str, hub_id: &str) -> Option<Self> {
        let stem = file_name.strip_suffix(SUFFIX)?;
        let (time, rest) = stem.split_once('_')?;
        let timestamp_ms = number(time)?;
        let rest = rest.strip_prefix(hub_id)?;
        let (sequence, writer) = match rest.strip_prefix('_') {
            None if rest.is_empty() => (0, Writer::Original { rest: Box::default() }),
            None => return None,
            Some(numbers) => match numbers.split_once('_') {
                None => (number(numbers)?, Writer::Original { rest: rest.into() }),
                Some((sequence, crc)) => {
                    let crc32 = u32::from_str_radix(crc, 16).ok()?;
                    (number(sequence)?, Writer::Pattoo { crc32 })
                }
            },
        };
        let name = Self { timestamp_ms, sequence, writer };
        // One file, one name: what is written otherwise would not be found again.
        (name.file_name(hub_id) == file_name).then_some(name)
    }

    /// The name of the file below the folder of the spool.
    pub(super) fn file_name(&self, hub_id: &str) -> String {
        let Self { timestamp_ms, sequence, writer } = self;
        match writer {
            Writer::Pattoo { crc32 } => {
                format!("{timestamp_ms}_{hub_id}_{sequence}_{crc32:08x}{SUFFIX}")
            }
            Writer::Original { rest } => format!("{timestamp_ms}_{hub_id}{rest}{SUFFIX}"),
        }
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.timestamp_ms, self.sequence, &self.writer).cmp(&(
            other.timestamp_ms,
            other.sequence,
            &other.writer,
        ))
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A decimal number without sign. `u64::from_str` would take `+1`.
fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::{Name, Writer};

    const HUB: &str = "490335606c967ea8779a1826bdde145b12ac82a8827f90aae0c9ff97c88c3afd";

    #[test]
    fn our_own_names_come_back() {
        let name = Name::new(1_795_394_957_648, 17, 0x0000_BEEF);
        let text = name.file_name(HUB);
        assert_eq!(text, format!("1795394957648_{HUB}_17_0000beef.json"));
        assert_eq!(Name::parse(&text, HUB), Some(name));
    }

    #[test]
    fn names_of_the_original_come_back() {
        for rest in ["", "_012001"] {
            let text = format!("1795394957648_{HUB}{rest}.json");
            let name = Name::parse(&text, HUB).unwrap();
            assert_eq!(name.writer, Writer::Original { rest: rest.into() });
            assert_eq!(name.file_name(HUB), text);
        }
    }

    #[test]
    fn foreign_names_are_none_of_ours() {
        for text in [
            String::new(),
            ".json".to_owned(),
            "post.json".to_owned(),
            "1_other.json".to_owned(),
            format!("1_{HUB}"),
            format!("_{HUB}.json"),
            format!("+1_{HUB}.json"),
            format!("1_{HUB}x.json"),
            format!("1_{HUB}_.json"),
            format!("1_{HUB}_1_.json"),
            format!("1_{HUB}_1_0000BEEF.json"),
            format!("1_{HUB}_1_+000beef.json"),
            format!("1_{HUB}_01_0000beef.json"),
            format!("01_{HUB}_1_0000beef.json"),
            format!("1_{HUB}_1_0000beef_2.json"),
            format!("1_{HUB}_1_0000beef.json.tmp"),
            format!("99999999999999999999999_{HUB}.json"),
            format!("../1_{HUB}.json"),
        ] {
            assert_eq!(Name::parse(&text, HUB), None, "{text}");
        }
    }

    #[test]
    fn the_order_is_that_of_numbers() {
        let mut names = [(1000, 10), (999, 11), (1000, 9), (10_000, 1), (1000, 100)]
            .map(|(ms, sequence)| Name::new(ms, sequence, 0));
        names.sort();
        let order: Vec<_> = names.iter().map(|n| (n.timestamp_ms, n.sequence)).collect();
        assert_eq!(order, [(999, 11), (1000, 9), (1000, 10), (1000, 100), (10_000, 1)]);
    }
}
