//! The shape of a document, key by key: what serde is told, so that the reader
//! fails at the first byte that does not fit and builds no tree.

use crate::quoted::quoted;
use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::reader::{Document, RawPair, Rows};
use super::{MAX_DATAPOINTS, MAX_KEY_BYTES, MAX_PAIRS, MAX_PAIRS_OF_DATAPOINT};

/// The top level: its four keys, each once.
pub(super) struct Top;

impl<'de> DeserializeSeed<'de> for Top {
    type Value = Document<'de>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Top {
    type Value = Document<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the keys of a poll document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut agent_id = None;
        let mut interval_ms = None;
        let mut timestamp_ms = None;
        let mut datapoints = None;
        while let Some(Text(key)) = map.next_key()? {
            match &*key {
                "pattoo_agent_id" => {
                    once(&mut agent_id, "pattoo_agent_id", map.next_value::<Text<'_>>()?.0)?;
                }
                "pattoo_agent_polling_interval" => {
                    once(&mut interval_ms, "pattoo_agent_polling_interval", map.next_value()?)?;
                }
                "pattoo_agent_timestamp" => {
                    once(&mut timestamp_ms, "pattoo_agent_timestamp", map.next_value()?)?;
                }
                "pattoo_datapoints" => {
                    once(&mut datapoints, "pattoo_datapoints", map.next_value_seed(Datapoints)?)?;
                }
                other => return Err(de::Error::custom(format!("unknown key {}", quoted(other)))),
            }
        }
        let (pairs, rows) = wanted(datapoints, "pattoo_datapoints")?;
        let agent_id = wanted(agent_id, "pattoo_agent_id")?;
        if agent_id.is_empty() || agent_id.len() > MAX_KEY_BYTES {
            return Err(de::Error::custom(format!(
                "pattoo_agent_id has {} bytes, 1 to {MAX_KEY_BYTES} wanted",
                agent_id.len()
            )));
        }
        Ok(Document {
            agent_id,
            interval_ms: wanted(interval_ms, "pattoo_agent_polling_interval")?,
            timestamp_ms: wanted(timestamp_ms, "pattoo_agent_timestamp")?,
            pairs,
            rows,
        })
    }
}

/// `pattoo_datapoints`: the pairs and the lists of ids, each once.
struct Datapoints;

impl<'de> DeserializeSeed<'de> for Datapoints {
    type Value = (Vec<RawPair<'de>>, Rows);

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Datapoints {
    type Value = (Vec<RawPair<'de>>, Rows);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with key_value_pairs and datapoint_pairs")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = None;
        let mut rows = None;
        while let Some(Text(key)) = map.next_key()? {
            match &*key {
                "key_value_pairs" => {
                    once(&mut pairs, "key_value_pairs", map.next_value_seed(Pairs)?)?;
                }
                "datapoint_pairs" => {
                    once(&mut rows, "datapoint_pairs", map.next_value_seed(RowList)?)?;
                }
                other => {
                    return Err(de::Error::custom(format!(
                        "unknown key {} in pattoo_datapoints",
                        quoted(other)
                    )));
                }
            }
        }
        Ok((wanted(pairs, "key_value_pairs")?, wanted(rows, "datapoint_pairs")?))
    }
}

/// `key_value_pairs`, in any order; the ids count from 0 without a gap.
struct Pairs;

impl<'de> DeserializeSeed<'de> for Pairs {
    type Value = Vec<RawPair<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<RawPair<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of pairs")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs: Vec<(u32, RawPair<'de>)> = Vec::new();
        let mut in_order = true;
        while let Some(Text(id)) = map.next_key()? {
            let number: u32 = id.parse().map_err(|_| {
                de::Error::custom(format!("key_value_pairs: {} is no id of a pair", quoted(&id)))
            })?;
            if pairs.len() >= MAX_PAIRS {
                return Err(de::Error::custom(format!("more than {MAX_PAIRS} pairs")));
            }
            in_order &= number as usize == pairs.len();
            pairs.push((number, map.next_value_seed(PairOf(number))?));
        }
        if !in_order {
            pairs.sort_unstable_by_key(|(id, _)| *id);
        }
        for (index, (id, _)) in pairs.iter().enumerate() {
            if *id as usize != index {
                return Err(de::Error::custom(format!(
                    "key_value_pairs: pair {index} wanted, {id} found: ids count from 0 without gaps, each once"
                )));
            }
        }
        Ok(pairs.into_iter().map(|(_, pair)| pair).collect())
    }
}

/// One pair: a list of key and value.
struct PairOf(u32);

impl<'de> DeserializeSeed<'de> for PairOf {
    type Value = RawPair<'de>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for PairOf {
    type Value = RawPair<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pair {}: a list of a key and a value", self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let id = self.0;
        let fault = |what: &str| de::Error::custom(format!("pair {id}: {what}"));
        let key = seq.next_element::<&RawValue>()?.ok_or_else(|| fault("no key"))?.get();
        let value = seq.next_element::<&RawValue>()?.ok_or_else(|| fault("no value"))?.get();
        if seq.next_element::<IgnoredAny>()?.is_some() {
            return Err(fault("more than a key and a value"));
        }
        if !key.starts_with('"') || key.len() < 3 {
            return Err(fault("the key is no text or is empty"));
        }
        if key.len() - 2 > MAX_KEY_BYTES {
            return Err(fault(&format!("the key has more than {MAX_KEY_BYTES} bytes")));
        }
        if !value.starts_with(['"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) {
            return Err(fault("the value is neither text nor a number"));
        }
        Ok(RawPair { key, value })
    }
}

/// `datapoint_pairs`: a list of lists of ids.
struct RowList;

impl<'de> DeserializeSeed<'de> for RowList {
    type Value = Rows;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowList {
    type Value = Rows;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of datapoints")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut rows = Rows::default();
        while let Some(end) =
            seq.next_element_seed(Row { ids: &mut rows.ids, number: rows.ends.len() })?
        {
            if rows.ends.len() >= MAX_DATAPOINTS {
                return Err(de::Error::custom(format!("more than {MAX_DATAPOINTS} datapoints")));
            }
            rows.ends.push(end);
        }
        Ok(rows)
    }
}

/// One datapoint: a list of ids. Gives where it ends in `ids`.
struct Row<'r> {
    ids: &'r mut Vec<u32>,
    number: usize,
}

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "datapoint {}: a list of ids of pairs", self.number)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let start = self.ids.len();
        while let Some(id) = seq.next_element()? {
            if self.ids.len() - start >= MAX_PAIRS_OF_DATAPOINT {
                return Err(de::Error::custom(format!(
                    "datapoint {}: more than {MAX_PAIRS_OF_DATAPOINT} pairs",
                    self.number
                )));
            }
            self.ids.push(id);
        }
        Ok(self.ids.len())
    }
}

/// Text that is borrowed where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> de::Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        reader.deserialize_str(Visit)
    }
}

fn once<T, E: de::Error>(slot: &mut Option<T>, key: &'static str, value: T) -> Result<(), E> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(de::Error::duplicate_field(key)),
    }
}

fn wanted<T, E: de::Error>(slot: Option<T>, key: &'static str) -> Result<T, E> {
    slot.ok_or_else(|| de::Error::missing_field(key))
}
