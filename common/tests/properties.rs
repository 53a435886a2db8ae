//! What must hold of whatever documents and batches there are. Each test makes them by
//! chance from a seed that it prints; `PATTOO_TEST_SEED` repeats one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::cast_possible_truncation, reason = "chance needs no exactness")]

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use pattoo_common::document::{Batch, Document};
use pattoo_common::spool::{Spool, SpoolLimits, crc32, crc32_after};
use sha2::{Digest as _, Sha256};

/// How many documents, or runs of a spool, a test tries.
const ROUNDS: usize = 200;

/// Chance, the same for the same seed.
struct Random(u64);

impl Random {
    /// From the seed of the environment, or a new one.
    fn new() -> Self {
        let named = std::env::var("PATTOO_TEST_SEED").ok().and_then(|text| text.parse().ok());
        let seed = named.unwrap_or_else(|| {
            SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64 | 1
        });
        println!("PATTOO_TEST_SEED={seed}");
        Self(seed.max(1))
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    fn one_of<'a, T: ?Sized>(&mut self, things: &[&'a T]) -> &'a T {
        things[self.below(things.len())]
    }

    /// Text with what JSON writes in several ways.
    fn text(&mut self) -> String {
        (0..self.below(6))
            .map(|_| self.one_of(&["a", "B", "7", "\"", "\\", "\n", "é", "\u{1F600}", "/", " "]))
            .collect()
    }
}

/// A datapoint that the test knows, with its pairs in some order.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    key: String,
    data_type: u8,
    value: String,
    timestamp_ms: u64,
    /// Host name, id, target, program.
    agent: [String; 4],
    metadata: Vec<(String, String)>,
}

impl Known {
    fn random(random: &mut Random) -> Self {
        let data_type = [2, 32, 64, 99, 101][random.below(5)];
        let value = match (data_type, random.below(4)) {
            (2, _) => json(&random.text()),
            (_, 0) => random.below(1_000_000).to_string(),
            (_, 1) => u64::MAX.to_string(),
            (_, 2) => format!("-{}", random.below(1000)),
            _ => format!("{}.5e{}", random.below(100), random.below(9)),
        };
        let mut metadata = Vec::new();
        for key in ["release", "version", "hostname", "device", "mount é"] {
            if random.below(2) == 0 {
                metadata.push((key.to_owned(), random.text()));
            }
        }
        let word = |random: &mut Random, words: &[&str]| random.one_of(words).to_owned();
        Self {
            key: word(random, &["cpu", "disk \"x\"", "net/in"]),
            data_type,
            value,
            timestamp_ms: 1_795_394_326_518 + random.below(1000) as u64,
            agent: [
                word(random, &["host1", "host2"]),
                word(random, &["agent1", "agent2", "agent3"]),
                word(random, &["target1", "target2"]),
                word(random, &["program1"]),
            ],
            metadata,
        }
    }

    /// The rule of the original, written once more: a chain of sha256 in hexadecimal.
    fn checksum(&self) -> String {
        let hash = |text: String| {
            let mut digits = String::new();
            Sha256::digest(text).iter().for_each(|byte| write!(digits, "{byte:02x}").unwrap());
            digits
        };
        let mut checksum = hash(format!("{}{}", self.key, self.data_type));
        for (key, value) in
            self.metadata.iter().filter(|(key, _)| !matches!(key.as_str(), "release" | "version"))
        {
            checksum = hash(format!("{checksum}{key}{value}"));
        }
        let [host, id, target, program] = &self.agent;
        for (key, value) in [
            ("pattoo_agent_hostname", host),
            ("pattoo_agent_id", id),
            ("pattoo_agent_polled_target", target),
            ("pattoo_agent_program", program),
        ] {
            checksum = hash(format!("{checksum}{key}{value}"));
        }
        checksum
    }

    /// Keys and values as JSON.
    fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs: Vec<(String, String)> =
            self.metadata.iter().map(|(key, value)| (json(key), json(value))).collect();
        let [host, id, target, program] = &self.agent;
        for (key, value) in [
            ("pattoo_agent_polling_interval", json("10000")),
            ("pattoo_agent_hostname", json(host)),
            ("pattoo_agent_id", json(id)),
            ("pattoo_agent_polled_target", json(target)),
            ("pattoo_agent_program", json(program)),
            ("pattoo_key", json(&self.key)),
            ("pattoo_data_type", self.data_type.to_string()),
            ("pattoo_value", self.value.clone()),
            ("pattoo_timestamp", self.timestamp_ms.to_string()),
            ("pattoo_checksum", json(&self.checksum())),
        ] {
            pairs.push((json(key), value));
        }
        pairs
    }
}

fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// A document of these datapoints; equal pairs stand once.
fn document(points: &[Known]) -> String {
    let mut ids: BTreeMap<(String, String), usize> = BTreeMap::new();
    let (mut pairs, mut rows) = (Vec::new(), Vec::new());
    for point in points {
        let row: Vec<String> = point
            .pairs()
            .into_iter()
            .map(|pair| {
                let next = ids.len();
                let id = *ids.entry(pair.clone()).or_insert_with(|| {
                    pairs.push(format!("\"{next}\": [{}, {}]", pair.0, pair.1));
                    next
                });
                id.to_string()
            })
            .collect();
        rows.push(format!("[{}]", row.join(", ")));
    }
    format!(
        r#"{{"pattoo_agent_timestamp": 5, "pattoo_agent_id": "hub", "pattoo_agent_polling_interval": 10000,
            "pattoo_datapoints": {{"key_value_pairs": {{{}}}, "datapoint_pairs": [{}]}}}}"#,
        pairs.join(", "),
        rows.join(", ")
    )
}

/// Everything that the samples of a document say, checksums included.
fn told(document: &Document<'_>) -> Vec<String> {
    let samples = document.samples().map(|sample| {
        let sample = sample.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(sample.expected_checksum().as_str(), sample.checksum, "{sample:?}");
        format!(
            "{} {} {:?} {} {} {:?} {:?}",
            sample.key,
            sample.data_type.code(),
            sample.value,
            sample.timestamp_ms,
            sample.checksum,
            sample.agent,
            sample.metadata()
        )
    });
    samples.collect()
}

/// The checksum in a document was reckoned by the test, and `told` compares it with
/// ours; merging and taking apart keep every datapoint and their order.
#[test]
fn merged_or_taken_apart_nothing_is_lost_changed_or_out_of_place() {
    let mut random = Random::new();
    for _ in 0..ROUNDS {
        let texts: Vec<String> = (0..=random.below(4))
            .map(|_| {
                let count = random.below(8);
                document(&(0..count).map(|_| Known::random(&mut random)).collect::<Vec<_>>())
            })
            .collect();
        let documents: Vec<Document<'_>> =
            texts.iter().map(|text| Document::parse(text.as_bytes()).unwrap()).collect();
        let mut batch = Batch::new();
        for document in &documents {
            batch.add(document).unwrap();
        }
        let wanted: Vec<String> = documents.iter().flat_map(told).collect();
        let merged = batch.finish("hub", 5, 10_000);
        let merged = Document::parse(&merged).unwrap();
        assert_eq!(told(&merged), wanted);

        let mut again = Batch::new();
        again.add(&merged).unwrap();
        let again = again.finish("hub", 5, 10_000);
        assert_eq!(told(&Document::parse(&again).unwrap()), wanted, "merging once more");

        let agents = |line: &String| {
            ["agent1", "agent2", "agent3"].into_iter().find(|agent| line.contains(*agent))
        };
        let Some(parts) = merged.split_by_agent() else { continue };
        let mut taken: Vec<String> = Vec::new();
        for part in &parts {
            let part = told(&Document::parse(part).unwrap());
            let agent = agents(&part[0]);
            let own: Vec<_> = wanted.iter().filter(|line| agents(line) == agent).cloned().collect();
            assert_eq!(part, own, "of one agent, in its order");
            taken.extend(part);
        }
        assert_eq!(taken.len(), wanted.len());
    }
}

/// Two series share a checksum only if they agree in all that it covers.
#[test]
fn a_checksum_changes_with_all_that_it_covers_and_with_nothing_else() {
    let mut random = Random::new();
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for _ in 0..20 * ROUNDS {
        let point = Known::random(&mut random);
        let covered: Vec<_> = point
            .metadata
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "release" | "version"))
            .collect();
        let series = format!("{} {} {:?} {covered:?}", point.key, point.data_type, point.agent);
        let before = known.insert(point.checksum(), series.clone());
        assert!(before.is_none_or(|before| before == series));
    }
}

#[test]
fn a_crc_is_the_same_in_whatever_pieces() {
    let mut random = Random::new();
    for _ in 0..ROUNDS {
        let bytes: Vec<u8> = (0..random.below(300)).map(|_| random.below(256) as u8).collect();
        let place = random.below(bytes.len() + 1);
        let (first, second) = bytes.split_at(place);
        assert_eq!(crc32_after(crc32(first), second), crc32(&bytes));
        if !bytes.is_empty() {
            let mut flipped = bytes.clone();
            flipped[random.below(bytes.len())] ^= 1 << random.below(8);
            assert_ne!(crc32(&flipped), crc32(&bytes));
        }
    }
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Batches come out whole and in order, through restarts, and only the oldest are
/// dropped, only where a bound says so, and counted.
#[test]
fn a_spool_is_a_queue_whose_bounds_cost_the_oldest() {
    const HUB: &str = "490335606c967ea8779a1826bdde145b12ac82a8827f90aae0c9ff97c88c3afd";
    const NOW_MS: u64 = 1_795_394_957_648;
    let mut random = Random::new();
    let folder =
        Folder(std::env::temp_dir().join(format!("pattoo-properties-{}", std::process::id())));
    for round in 0..ROUNDS / 10 {
        let cache = folder.0.join(round.to_string());
        let (max_bytes, max_batches) = (1_000 + random.below(3_000) as u64, 2 + random.below(12));
        let limits = || SpoolLimits {
            max_bytes,
            max_batches,
            min_free_bytes: Some(0),
            ..SpoolLimits::default()
        };
        let mut spool = Spool::new(&cache, HUB, limits());
        let mut wanted: VecDeque<Vec<u8>> = VecDeque::new();
        let mut dropped = 0;
        let bytes_of =
            |wanted: &VecDeque<Vec<u8>>| wanted.iter().map(|body| body.len() as u64).sum::<u64>();
        for step in 0..60_u64 {
            match random.below(10) {
                0..=5 => {
                    let body: Vec<u8> =
                        (0..random.below(1_200)).map(|_| random.below(256) as u8).collect();
                    let pushed = spool.push(&[&body], NOW_MS + step);
                    if body.len() as u64 > max_bytes {
                        assert!(pushed.is_err());
                        continue;
                    }
                    pushed.unwrap();
                    let gone = wanted.len() as u64 + 1 - spool.stats().batches;
                    dropped += gone;
                    for _ in 0..gone {
                        let had_room = bytes_of(&wanted) + body.len() as u64 <= max_bytes
                            && wanted.len() < max_batches;
                        assert!(!had_room, "dropped without need");
                        wanted.pop_front().unwrap();
                    }
                    wanted.push_back(body);
                }
                6 | 7 => match spool.oldest().unwrap() {
                    Some((entry, body)) => {
                        assert_eq!(Some(&body), wanted.front());
                        wanted.pop_front();
                        if random.below(4) == 0 {
                            spool.set_aside(&entry, "by chance");
                        } else {
                            spool.remove(&entry);
                        }
                    }
                    None => assert!(wanted.is_empty()),
                },
                8 => {
                    spool = Spool::new(&cache, HUB, limits());
                    spool.open().unwrap();
                    dropped = 0;
                }
                _ => assert_eq!(
                    spool.oldest().unwrap().map(|(_, body)| body).as_ref(),
                    wanted.front()
                ),
            }
            let stats = spool.stats();
            assert_eq!((stats.batches, stats.bytes), (wanted.len() as u64, bytes_of(&wanted)));
            assert!(stats.bytes <= max_bytes && wanted.len() <= max_batches);
            // One that is on its way to the server is counted when it did not arrive.
            assert!(dropped - stats.dropped_batches <= 1, "{dropped} dropped, not {stats:?}");
        }
    }
}
