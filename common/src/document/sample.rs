//! Understanding a datapoint of a document, as the server does.

use std::borrow::Cow;

use super::reader::RawPair;
use super::{AGENT_KEYS, Document};
use crate::checksum::Checksum;
use crate::datapoint::DataType;

/// A datapoint that was understood.
#[derive(Debug, Clone, PartialEq)]
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
    /// All other pairs, in the order of the datapoint, each key once.
    pub metadata: Vec<(Cow<'a, str>, Cow<'a, str>)>,
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

impl Sample<'_> {
    /// What the datapoint is about.
    pub fn polled_target(&self) -> &str {
        &self.agent[3]
    }

    /// The checksum that the rule gives for what the datapoint says.
    pub fn expected_checksum(&self) -> Checksum {
        let mut checksum = Checksum::new(&self.key, self.data_type);
        for (key, value) in &self.metadata {
            checksum = checksum.with(key, value);
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
        self.rows().enumerate().map(|(number, row)| {
            let pairs = row.iter().map(|id| self.pairs[*id as usize]);
            understand(pairs).map_err(|reason| format!("datapoint {number}: {reason}"))
        })
    }
}

fn understand<'a>(pairs: impl Iterator<Item = RawPair<'a>>) -> Result<Sample<'a>, String> {
    let mut key = None;
    let mut data_type = None;
    let mut value = None;
    let mut timestamp_ms = None;
    let mut checksum = None;
    let mut agent = [const { None }; AGENT_KEYS.len()];
    let mut metadata: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
    for pair in pairs {
        let name = text(pair.key)?;
        match &*name {
            "pattoo_key" => first(&mut key, text(pair.value)?),
            "pattoo_data_type" => first(&mut data_type, pair.value),
            "pattoo_value" => first(&mut value, pair.value),
            "pattoo_timestamp" => first(&mut timestamp_ms, pair.value),
            "pattoo_checksum" => first(&mut checksum, text(pair.value)?),
            other => {
                if let Some(place) = AGENT_KEYS.iter().position(|known| *known == other) {
                    first(&mut agent[place], text(pair.value)?);
                } else if other.contains("pattoo") {
                    return Err(format!("key {other:.80?} is not one of metadata"));
                } else if !metadata.iter().any(|(known, _)| *known == name) {
                    metadata.push((name, text(pair.value)?));
                }
            }
        }
    }
    let code = wanted(data_type, "pattoo_data_type")?;
    let data_type = code
        .parse()
        .ok()
        .and_then(DataType::from_code)
        .ok_or_else(|| format!("pattoo_data_type {code:.80} is none of 2, 32, 64, 99, 101"))?;
    let timestamp = wanted(timestamp_ms, "pattoo_timestamp")?;
    let mut agent = agent.into_iter().zip(AGENT_KEYS).map(|(value, key)| wanted(value, key));
    let mut next_agent = || agent.next().unwrap_or_else(|| Err(String::new()));
    Ok(Sample {
        key: wanted(key, "pattoo_key")?,
        data_type,
        value: number_or_text(wanted(value, "pattoo_value")?, data_type)?,
        timestamp_ms: timestamp.parse().map_err(|_| {
            format!("pattoo_timestamp {timestamp:.80} is no whole number of milliseconds")
        })?,
        checksum: wanted(checksum, "pattoo_checksum")?,
        agent: [next_agent()?, next_agent()?, next_agent()?, next_agent()?, next_agent()?],
        metadata,
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
