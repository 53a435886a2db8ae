//! The REST interface, held against what the original answered.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use pattoo_server::about::{Metrics, health};
use pattoo_server::rest;
use serde_json::Value;
use support::{Server, captured};

/// Our number of a series of the captures.
fn series(server: &Server, theirs: &str) -> String {
    let all = captured("doc_all_datapoints");
    let edges = all["data"]["allDatapoints"]["edges"].as_array().unwrap();
    let edge = edges.iter().find(|edge| edge["node"]["idxDatapoint"] == theirs).unwrap();
    let checksum = &edge["node"]["checksum"];
    let query = format!(
        "{{ allDatapoints(checksum: {checksum}) {{ edges {{ node {{ idxDatapoint }} }} }} }}"
    );
    server.data(&query)["allDatapoints"]["edges"][0]["node"]["idxDatapoint"]
        .as_str()
        .unwrap()
        .into()
}

fn data(server: &Server, series: &str, query: Option<&str>, now_ms: u64) -> (u16, Value) {
    let answer = rest::data(&server.store, series, query, now_ms);
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

#[test]
fn data_is_as_the_original_gave_it() {
    let server = Server::new();
    server.post_polls();
    let gauge = series(&server, "1");
    let now_ms = 1_795_394_930_000 + 196_000;
    let (status, answer) = data(&server, &gauge, Some("secondsago=196"), now_ms);
    assert_eq!((status, answer), (200, captured("rest-data-1")));

    let counter = series(&server, "31");
    let (status, answer) = data(&server, &counter, Some("x=y&secondsago=1199"), now_ms);
    assert_eq!((status, answer), (200, captured("rest-data-31-counter")));

    let excerpt = captured("rest-data-1-default-excerpt");
    let now_ms = 1_794_790_330_000 + 7 * 86_400_000;
    let (status, answer) = data(&server, &gauge, None, now_ms);
    let entries = answer.as_array().unwrap();
    assert_eq!((status, entries.len() as u64), (200, excerpt["count"].as_u64().unwrap()));
    assert_eq!(entries[..3], *excerpt["first"].as_array().unwrap());
    assert_eq!(entries[entries.len() - 6..], *excerpt["last"].as_array().unwrap());
}

#[test]
fn what_cannot_be_answered_says_why() {
    let server = Server::new();
    server.post_polls();
    let now_ms = 1_795_395_000_000;
    let refused = |series: &str, query: Option<&str>, status: u16, reason: &str| {
        let (found, answer) = data(&server, series, query, now_ms);
        let text = answer["error"].as_str().unwrap_or_else(|| panic!("{series}: {answer}"));
        assert!(found == status && text.contains(reason), "{series} {query:?}: {found} {text}");
    };
    refused("", None, 404, "number of a datapoint");
    refused("1x", None, 404, "number of a datapoint");
    refused("999999", None, 404, "no datapoint 999999");
    refused("1", Some("secondsago=week"), 400, "whole number");
    refused("1", Some("secondsago=-1"), 400, "whole number");
    refused("1", Some("secondsago=99999999999999999999"), 400, "whole number");
    refused("1", Some("secondsago=18446744073709551615"), 400, "more than 250000 entries");
    assert_eq!(data(&server, "1", Some("secondsago=0"), now_ms).1, serde_json::json!([]));
}

#[test]
fn the_server_tells_about_itself() {
    let server = Server::new();
    server.post_polls();
    let (status, text) = health(&server.store);
    assert_eq!((status, text.as_str()), (200, r#"{"status":"ready"}"#));
    let text = Metrics::of_store(&server.store).unwrap().into_text();
    assert!(text.contains("\npattood_samples_stored_total 570\n"), "{text}");
    assert!(text.contains("\npattood_newest_sample_timestamp_seconds 1795394977.58\n"), "{text}");
    for line in text.lines().filter(|line| !line.starts_with("# ")) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("pattood_") && value.parse::<f64>().is_ok(), "{line}");
    }
}
