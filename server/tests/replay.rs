//! Every query that the manual of the original gives and its web client sends,
//! and every mutation, answered as the original answered it over the same six
//! documents.
//!
//! Not compared: times of rows, `role`, `passwordExpired`, and the texts of
//! errors. Numbers and ids of series, pairs and agents are compared through
//! what they stand for ([`numbers`]).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "replay/catalogue.rs"]
mod catalogue;
#[path = "replay/numbers.rs"]
mod numbers;
mod support;

use numbers::Numbers;
use serde_json::{Map, Value};
use support::{Server, capture, captured, captured_query};

/// Fields that are not compared.
const VOLATILE: [&str; 4] = ["tsCreated", "tsModified", "role", "passwordExpired"];

/// Connections in order of numbers that differ.
const RACED: [&str; 6] =
    ["allDatapoints", "allGlues", "allPairs", "allAgent", "datapointAgent", "glueDatapoint"];

/// Queries for a part of a list, and the query for the whole of it: which rows
/// the part holds follows from the numbers, so it is compared with our whole.
const PARTS: [(&str, &str); 5] = [
    ("doc_page_first2", "doc_all_datapoints_ts"),
    ("doc_page_last2", "doc_all_datapoints_ts"),
    ("doc_page_next2", "doc_all_datapoints_ts"),
    ("doc_page_prev2", "doc_all_datapoints_ts"),
    ("web_datapoints_agent_first3", "web_datapoints_agent"),
];

/// In the order in which they were run.
const MUTATIONS: [&str; 12] = [
    "mut_create_chart",
    "mut_update_chart",
    "mut_create_chart_datapoint",
    "mut_update_chart_datapoint",
    "mut_create_user",
    "mut_create_user_again",
    "mut_update_user",
    "mut_create_favorite",
    "mut_update_favorite",
    "mut_authenticate_ok",
    "mut_authenticate_bad",
    "mut_via_get",
];

struct Replay {
    server: Server,
    numbers: Numbers,
    index: Map<String, Value>,
}

impl Replay {
    fn new() -> Self {
        let server = Server::new();
        catalogue::load(&server.store);
        server.post_polls();
        let numbers = Numbers::learn(|name| server.ask("POST", &captured_query(name)).1);
        catalogue::load_charts(&server.store, &numbers);
        let index = serde_json::from_slice(&capture("server/index.json")).unwrap();
        Self { server, numbers, index }
    }

    /// Captured queries of which the name begins so.
    fn names(&self, prefix: &str) -> Vec<&str> {
        self.index.keys().map(String::as_str).filter(|name| name.starts_with(prefix)).collect()
    }

    /// What we answer to a captured query, by the method it was captured with.
    fn ask(&self, name: &str) -> (u16, Value) {
        let method = self.index[name]["method"].as_str().unwrap();
        self.server.ask(method, &self.numbers.query(&captured_query(name)))
    }

    fn compare(&self, name: &str) {
        let (status, ours) = self.ask(name);
        assert_eq!(u64::from(status), self.index[name]["status"], "{name}: {ours}");
        let mut theirs = captured(name);
        if let Some((_, whole)) = PARTS.iter().find(|(part, _)| *part == name) {
            let whole = self.ask(whole).1;
            fill(&mut theirs, &whole);
        } else {
            theirs = self.numbers.answer(&theirs);
        }
        assert_eq!(pretty(&comparable(&ours)), pretty(&comparable(&theirs)), "{name}");
    }
}

/// Puts the rows of our whole list into a captured part of it, as its cursors
/// say.
fn fill(part: &mut Value, whole: &Value) {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            if let (Some(Value::Object(info)), Some(Value::Array(rows))) =
                (part.get("pageInfo").cloned(), whole.get("edges"))
            {
                let position = |cursor: &str| {
                    (0..rows.len()).find(|n| info[cursor] == encoded_cursor(*n)).unwrap()
                };
                let span = position("startCursor")..=position("endCursor");
                assert_eq!(part["edges"].as_array().unwrap().len(), span.clone().count());
                part.insert("edges".into(), rows[span].to_vec().into());
                return;
            }
            for (name, value) in part {
                fill(value, &whole[name]);
            }
        }
        (part, whole) => assert_eq!(part, whole),
    }
}

fn encoded_cursor(offset: usize) -> String {
    numbers::encoded(&format!("arrayconnection:{offset}"))
}

/// An answer without what is not compared. Rows whose order is that of their
/// numbers are put in another, their cursors left where they are.
fn comparable(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(comparable).collect(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !VOLATILE.contains(&name.as_str()))
            .map(|(name, value)| {
                let value = match name.as_str() {
                    "errors" => value.as_array().unwrap().len().into(),
                    raced if RACED.contains(&raced) => sorted(comparable(value)),
                    _ => comparable(value),
                };
                (name.clone(), value)
            })
            .collect(),
        other => other.clone(),
    }
}

fn sorted(mut connection: Value) -> Value {
    if let Some(edges) = connection.get_mut("edges").and_then(Value::as_array_mut) {
        let mut nodes: Vec<Value> = edges.iter_mut().map(|edge| edge["node"].take()).collect();
        nodes.sort_by_key(ToString::to_string);
        for (edge, node) in edges.iter_mut().zip(nodes) {
            edge["node"] = node;
        }
    }
    connection
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[test]
fn every_query_is_answered_as_the_original_did() {
    let replay = Replay::new();
    let queries = [replay.names("web_"), replay.names("doc_")].concat();
    assert_eq!(queries.len(), 33);
    for name in queries {
        replay.compare(name);
    }
    assert_eq!(replay.names("mut_").len(), MUTATIONS.len());
    for name in MUTATIONS {
        replay.compare(name);
    }
}

#[test]
fn posting_everything_again_changes_no_answer() {
    let replay = Replay::new();
    let before = replay.ask("doc_all_datapoints");
    replay.server.post_polls();
    assert_eq!(replay.ask("doc_all_datapoints"), before);
    replay.compare("doc_datapoint_data");
}
