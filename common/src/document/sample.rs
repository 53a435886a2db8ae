//! Understanding a datapoint of a document, as the server does.

use std::borrow::Cow;
use std::fmt;

use super::reader::RawPair;
use super::{AGENT_KEYS, Document};
use crate::checksum::Checksum;
use crate::datapoint::DataType;
use crate::quoted::quoted;

/// The place of `pattoo_agent_polled_target` among [`AGENT_KEYS`].
const POLLED_TARGET: u8 = 3;

/// A datapoint that was understood.
#[derive(Debug, Clone)]
pub struct Sample<'a> {
    /// `pattoo_key`
    pub key: Cow<'a, str>,
    /// `pattoo_data_type`
    pub data_type: DataType,
    /// `pattoo_value`
    pub value: SampleValue<'a>,
    /// `pattoo_timestamp`: Unix time in milliseconds.
    pub timestamp_ms: u64,
    /// `pattoo_checksum`: 64 hexadecimal digits.
    pub checksum: Cow<'a, str>,
    /// Values of [`AGENT_KEYS`], in their order.
    pub agent: [Cow<'a, str>; AGENT_KEYS.len()],
    /// All its pairs.
    row: Row<'a>,
}

/// The pairs of a datapoint, as they stand in the document.
#[derive(Clone, Copy)]
struct Row<'a> {
    pairs: &'a [RawPair<'a>],
    ids: &'a [u32],
}

/// The value of a [`Sample`].
#[derive(Debug, Clone, PartialEq)]
pub enum SampleValue<'a> {
    /// A whole number that is not negative, exact.
    Integer(u64),
    /// A negative whole number, exact.
    Signed(i64),
    /// A number with a fraction, or too large for 64 bits; always finite.
    Float(f64),
    /// Text, under [`DataType::Text`] only.
    Text(Cow<'a, str>),
}

/// Samples are equal that tell the same, from whichever documents.
impl PartialEq for Sample<'_> {
    fn eq(&self, other: &Self) -> bool {
        let Self { key, data_type, value, timestamp_ms, checksum, agent, row: _ } = self;
        *key == other.key
            && *data_type == other.data_type
            && *value == other.value
            && *timestamp_ms == other.timestamp_ms
            && *checksum == other.checksum
            && *agent == other.agent
            && self.metadata() == other.metadata()
    }
}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> Row<'a> {
    fn iter(self) -> impl Iterator<Item = RawPair<'a>> {
        self.ids.iter().map(move |id| self.pairs[*id as usize])
    }
}

impl<'a> Sample<'a> {
    /// The pairs that are none of those above, in the order of the datapoint, each
    /// key once. They are looked up when asked for: the server needs them once in
    /// the life of a series.
    pub fn metadata(&self) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
        let mut metadata: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        for pair in self.row.iter() {
            // A pair that cannot be read makes no sample.
            let (Ok(key), Ok(value)) = (text(pair.key), text(pair.value)) else { continue };
            if !key.contains("pattoo") && !metadata.iter().any(|(known, _)| *known == key) {
                metadata.push((key, value));
            }
        }
        metadata
    }

    /// What the datapoint is about.
    pub fn polled_target(&self) -> &str {
        &self.agent[usize::from(POLLED_TARGET)]
    }

    /// The checksum that the rule gives for what the datapoint says.
    pub fn expected_checksum(&self) -> Checksum {
        let mut checksum = Checksum::new(&self.key, self.data_type);
        for (key, value) in self.metadata() {
            checksum = checksum.with(&key, &value);
        }
        for (key, value) in AGENT_KEYS.iter().zip(&self.agent) {
            checksum = checksum.with(key, value);
        }
        checksum
    }
}

impl Document<'_> {
    /// The datapoints, each understood or with the reason why not. One that is
    /// bad does not spoil the others.
    pub fn samples(&self) -> impl Iterator<Item = Result<Sample<'_>, String>> {
        let meanings: Vec<Meaning> = self.pairs.iter().map(Meaning::of).collect();
        self.rows().enumerate().map(move |(number, ids)| {
            let row = Row { pairs: &self.pairs, ids };
            understand(row, &meanings)
                .map_err(|reason| format!("{}: {reason}", name(number, row, &meanings)))
        })
    }
}

/// A datapoint that cannot be understood, by whatever of its name can.
fn name(number: usize, row: Row<'_>, meanings: &[Meaning]) -> String {
    let told = |wanted: Meaning| {
        let mut ids = row.ids.iter().map(|id| *id as usize);
        let pair = row.pairs[ids.find(|id| meanings[*id] == wanted)?];
        let text = text(pair.value).ok()?;
        Some(quoted(&text).to_string())
    };
    match (told(Meaning::Key), told(Meaning::Agent(POLLED_TARGET))) {
        (Some(key), Some(target)) => format!("datapoint {number}, {key} of {target}"),
        (Some(key), None) => format!("datapoint {number}, {key}"),
        (None, Some(target)) => format!("datapoint {number}, one of {target}"),
        (None, None) => format!("datapoint {number}"),
    }
}

/// What a pair tells. Found once for each pair of a document: most pairs stand in
/// many of its datapoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Key,
    DataType,
    Value,
    Timestamp,
    Checksum,
    /// One of [`AGENT_KEYS`], by its place.
    Agent(u8),
    Metadata,
    /// Nothing that may be told: [`unfit`] says why.
    Unfit,
}

impl Meaning {
    fn of(pair: &RawPair<'_>) -> Self {
        let Ok(key) = text(pair.key) else { return Self::Unfit };
        match &*key {
            "pattoo_key" => Self::Key,
            "pattoo_data_type" => Self::DataType,
            "pattoo_value" => Self::Value,
            "pattoo_timestamp" => Self::Timestamp,
            "pattoo_checksum" => Self::Checksum,
            other => match (0..).zip(AGENT_KEYS).find(|(_, known)| *known == other) {
                Some((place, _)) => Self::Agent(place),
                None if other.contains("pattoo") || text(pair.value).is_err() => Self::Unfit,
                None => Self::Metadata,
            },
        }
    }
}

/// Why a pair makes its datapoint unfit.
fn unfit(pair: RawPair<'_>) -> String {
    match (text(pair.key), text(pair.value)) {
        (Err(reason), _) | (Ok(_), Err(reason)) => reason,
        (Ok(key), _) => format!("key {} is not one of metadata", quoted(&key)),
    }
}

fn understand<'a>(row: Row<'a>, meanings: &[Meaning]) -> Result<Sample<'a>, String> {
    let mut key = None;
    let mut data_type = None;
    let mut value = None;
    let mut timestamp_ms = None;
    let mut checksum = None;
    let mut agent = [None; AGENT_KEYS.len()];
    for id in row.ids {
        let pair = row.pairs[*id as usize];
        match meanings[*id as usize] {
            Meaning::Metadata => {}
            Meaning::Key => first(&mut key, pair.value),
            Meaning::DataType => first(&mut data_type, pair.value),
            Meaning::Value => first(&mut value, pair.value),
            Meaning::Timestamp => first(&mut timestamp_ms, pair.value),
            Meaning::Checksum => first(&mut checksum, pair.value),
            Meaning::Agent(place) => first(&mut agent[usize::from(place)], pair.value),
            Meaning::Unfit => return Err(unfit(pair)),
        }
    }
    let wanted_text = |slot, key| wanted(slot, key).and_then(text);
    let code = wanted(data_type, "pattoo_data_type")?;
    let data_type = code
        .parse()
        .ok()
        .and_then(DataType::from_code)
        .ok_or_else(|| format!("pattoo_data_type {code:.80} is none of 2, 32, 64, 99, 101"))?;
    let timestamp = wanted(timestamp_ms, "pattoo_timestamp")?;
    let mut agent = agent.into_iter().zip(AGENT_KEYS).map(|(value, key)| wanted_text(value, key));
    let mut next_agent = || agent.next().unwrap_or_else(|| Err(String::new()));
    Ok(Sample {
        key: wanted_text(key, "pattoo_key")?,
        data_type,
        value: number_or_text(wanted(value, "pattoo_value")?, data_type)?,
        timestamp_ms: timestamp.parse().map_err(|_| {
            format!("pattoo_timestamp {timestamp:.80} is no whole number of milliseconds")
        })?,
        checksum: wanted_text(checksum, "pattoo_checksum")?,
        agent: [next_agent()?, next_agent()?, next_agent()?, next_agent()?, next_agent()?],
        row,
    })
}

fn number_or_text(token: &str, data_type: DataType) -> Result<SampleValue<'_>, String> {
    if data_type == DataType::Text {
        return Ok(SampleValue::Text(text(token)?));
    }
    if let Ok(value) = token.parse() {
        return Ok(SampleValue::Integer(value));
    }
    if let Ok(value) = token.parse() {
        return Ok(SampleValue::Signed(value));
    }
    match token.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(SampleValue::Float(value)),
        _ => Err(format!(
            "pattoo_value {token:.80} is no number, and pattoo_data_type is {}",
            data_type.code()
        )),
    }
}

/// A JSON token as text: a string without its escapes, a number as it is written.
fn text(token: &str) -> Result<Cow<'_, str>, String> {
    let Some(inner) = token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Ok(Cow::Borrowed(token));
    };
    if !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    serde_json::from_str(token).map(Cow::Owned).map_err(|error| format!("{token:.80}: {error}"))
}

fn first<T>(slot: &mut Option<T>, value: T) {
    slot.get_or_insert(value);
}

fn wanted<T>(slot: Option<T>, key: &str) -> Result<T, String> {
    slot.ok_or_else(|| format!("no {key}"))
}
