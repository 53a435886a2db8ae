//! The original numbered its series, pairs and agents in a race of two
//! processes. Here its numbers are turned into ours, by the checksum or the key
//! and value that they stand for, in its answers and in the queries about them.

use std::collections::HashMap;

use serde_json::Value;

use crate::support::captured;

/// Types whose numbers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    DataPoint,
    Pair,
    Agent,
}

/// From the original's numbers to ours.
#[derive(Debug, Default)]
pub(crate) struct Numbers(HashMap<(Kind, String), String>);

/// Number and name of the rows of an answer.
fn named(
    answer: &Value,
    all: &str,
    number: &str,
    name: impl Fn(&Value) -> String,
) -> Vec<(String, String)> {
    let edges = answer["data"][all]["edges"].as_array().unwrap();
    let pair = |edge: &Value| {
        let node = &edge["node"];
        (node[number].as_str().unwrap().to_owned(), name(node))
    };
    edges.iter().map(pair).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

impl Numbers {
    /// Compares the captured answers with ours to the same queries, which
    /// `ask` gives.
    pub(crate) fn learn(ask: impl Fn(&str) -> Value) -> Self {
        let mut numbers = HashMap::new();
        let mut learn = |kind, query: &str, all, number, name: fn(&Value) -> String| {
            let theirs = named(&captured(query), all, number, name);
            let ours = named(&ask(query), all, number, name);
            let ours: HashMap<String, String> =
                ours.into_iter().map(|(n, name)| (name, n)).collect();
            assert_eq!(ours.len(), theirs.len(), "{query}");
            for (number, name) in theirs {
                let our = ours.get(&name).unwrap_or_else(|| panic!("{query}: no {name}"));
                assert!(numbers.insert((kind, number), our.clone()).is_none());
            }
        };
        learn(Kind::DataPoint, "doc_all_datapoints", "allDatapoints", "idxDatapoint", |node| {
            text(&node["checksum"])
        });
        learn(Kind::Pair, "doc_all_pairs", "allPairs", "idxPair", |node| {
            format!("{} = {}", text(&node["key"]), text(&node["value"]))
        });
        // An agent has nothing but its series to know it by.
        let agent = |node: &Value| text(&node["idxAgent"]);
        let query = "doc_all_datapoints_ts";
        let theirs = named(&captured(query), "allDatapoints", "idxDatapoint", agent);
        let ours: HashMap<String, String> =
            named(&ask(query), "allDatapoints", "idxDatapoint", agent).into_iter().collect();
        for (series, agent) in theirs {
            let our = &ours[&numbers[&(Kind::DataPoint, series)]];
            let known = numbers.entry((Kind::Agent, agent)).or_insert_with(|| our.clone());
            assert_eq!(known, our, "series of one agent are of one agent here");
        }
        Self(numbers)
    }

    /// Our number for one of theirs.
    pub(crate) fn ours(&self, kind: Kind, theirs: &str) -> String {
        let key = (kind, theirs.to_owned());
        self.0.get(&key).unwrap_or_else(|| panic!("{kind:?} {theirs} is unknown")).clone()
    }

    /// An answer of theirs with our numbers.
    pub(crate) fn answer(&self, theirs: &Value) -> Value {
        match theirs {
            Value::Array(values) => values.iter().map(|value| self.answer(value)).collect(),
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| {
                    let value = match (name.as_str(), value) {
                        ("idxDatapoint", Value::String(n)) => self.ours(Kind::DataPoint, n).into(),
                        ("idxPair", Value::String(n)) => self.ours(Kind::Pair, n).into(),
                        ("idxAgent", Value::String(n)) => self.ours(Kind::Agent, n).into(),
                        ("id", Value::String(id)) => self.id(id).into(),
                        _ => self.answer(value),
                    };
                    (name.clone(), value)
                })
                .collect(),
            other => other.clone(),
        }
    }

    /// A query of theirs with our numbers.
    pub(crate) fn query(&self, theirs: &str) -> String {
        let mut ours = String::new();
        for (place, part) in theirs.split('"').enumerate() {
            if place > 0 {
                ours.push('"');
            }
            let argument = ours.trim_end_matches(['"', ':', ' ']);
            let is_text = place % 2 == 1;
            if is_text && argument.ends_with("idxDatapoint") {
                ours.push_str(&self.ours(Kind::DataPoint, part));
            } else if is_text && argument.ends_with("(id") {
                ours.push_str(&self.id(part));
            } else {
                ours.push_str(part);
            }
        }
        ours
    }

    fn id(&self, theirs: &str) -> String {
        let plain = decoded(theirs);
        let (kind, numbers) = plain.split_once(':').unwrap();
        let ours = match kind {
            "DataPoint" => self.ours(Kind::DataPoint, numbers),
            "Pair" => self.ours(Kind::Pair, numbers),
            "Agent" => self.ours(Kind::Agent, numbers),
            "Glue" | "Data" => {
                let pair = numbers.trim_matches(['(', ')']).split_once(", ").unwrap();
                let (first, second) = match kind {
                    "Glue" => (self.ours(Kind::Pair, pair.0), self.ours(Kind::DataPoint, pair.1)),
                    _ => (self.ours(Kind::DataPoint, pair.0), pair.1.to_owned()),
                };
                format!("({first}, {second})")
            }
            _ => return theirs.to_owned(),
        };
        encoded(&format!("{kind}:{ours}"))
    }
}

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn decoded(text: &str) -> String {
    let digits = text.trim_end_matches('=').chars().map(|digit| ALPHABET.find(digit).unwrap());
    let bits: Vec<bool> = digits.flat_map(|digit| bits(digit, 6)).collect();
    bits.chunks_exact(8).map(|byte| char::from(u8::try_from(number(byte)).unwrap())).collect()
}

pub(crate) fn encoded(plain: &str) -> String {
    let bits: Vec<bool> = plain.bytes().flat_map(|byte| bits(byte.into(), 8)).collect();
    let digit = |bits: &[bool]| number(bits) << (6 - bits.len());
    let digits = bits.chunks(6).map(|bits| char::from(ALPHABET.as_bytes()[digit(bits)]));
    let padding = (3 - plain.len() % 3) % 3;
    digits.chain(std::iter::repeat_n('=', padding)).collect()
}

fn bits(number: usize, count: usize) -> impl Iterator<Item = bool> {
    (0..count).rev().map(move |place| number >> place & 1 == 1)
}

fn number(bits: &[bool]) -> usize {
    bits.iter().fold(0, |number, bit| number << 1 | usize::from(*bit))
}
