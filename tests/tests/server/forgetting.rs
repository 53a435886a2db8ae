//! A host with many series is forgotten by a daemon that the kernel lets write only in
//! its own folders.

use pattoo_common::datapoint::DataType;
use pattoo_tests::{Server, binary, run};

use crate::documents::{now_ms, poll};

/// So many that the engine takes more room for undoing the deletion than it has set
/// aside.
const SERIES: usize = 5_000;

fn post_many(server: &Server, host: &str) {
    let name = |number| -> &'static str { format!("figure_{number}_{}", "x".repeat(90)).leak() };
    let points: Vec<_> =
        (0..SERIES).map(|number| (name(number), DataType::Gauge, 1_u64.into())).collect();
    let answer = server.post(&poll(host, now_ms(), &points));
    assert_eq!((answer.status, answer.text().as_str()), (200, "OK"));
    assert_eq!(server.query("{ allAgent(first: 9) { edges { node { id } } } }"), one_agent());
}

fn one_agent() -> serde_json::Value {
    serde_json::json!({ "allAgent": { "edges": [{ "node": { "id": "QWdlbnQ6MQ==" } }] } })
}

#[test]
fn a_host_with_many_series_is_forgotten_by_a_mutation() {
    let server = Server::start("forgotten");
    post_many(&server, "web1");
    let gone = server.query("mutation { deleteHost(target: \"web1\") }");
    assert_eq!(gone["deleteHost"], 1);
    assert_eq!(server.series("figure_7", "web1").len(), 0);
    assert_eq!(
        server.query("{ allPairs { edges { node { id } } } }")["allPairs"]["edges"],
        serde_json::json!([])
    );
}

#[test]
fn a_host_with_many_series_is_forgotten_from_the_command_line() {
    let server = Server::start("forgotten-cli");
    post_many(&server, "web1");
    let line = ["delete", "host", "--target", "web1"];
    let finished = run(&binary("pattoo_cli"), server.daemon.configuration(), &line);
    assert_eq!(finished.code, 0, "{finished:?}");
    let again = run(&binary("pattoo_cli"), server.daemon.configuration(), &line);
    assert_eq!(again.code, 1, "{again:?}");
}
