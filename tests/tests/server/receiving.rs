//! What is posted, and what can be asked afterwards.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use pattoo_common::datapoint::DataType;
use pattoo_tests::{HttpAnswer, Server, binary, http_get, http_post, run};

use crate::documents::{gauge, merged, now_ms, poll};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const GZIP: (&str, &str) = ("Content-Encoding", "gzip");

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[track_caller]
fn expect_ok(answer: &HttpAnswer) {
    assert_eq!((answer.status, answer.text().as_str()), (200, "OK"), "{}", answer.head);
    expect_ours(answer);
}

#[track_caller]
fn expect_ours(answer: &HttpAnswer) {
    let server = answer.header("server").unwrap_or_default();
    let ours = concat!("pattood/", env!("CARGO_PKG_VERSION"));
    assert_eq!(server, ours, "{}", answer.head);
}

/// The JSON error of an answer.
#[track_caller]
fn error(answer: &HttpAnswer, status: u16) -> String {
    expect_ours(answer);
    assert_eq!(answer.status, status, "{}\n{}", answer.head, answer.text());
    let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    json["error"].as_str().unwrap_or_else(|| panic!("{json}")).to_owned()
}

#[test]
fn what_is_posted_can_be_asked_for() {
    let server = Server::start("posted");
    let now = now_ms();
    let points = [
        ("load", DataType::Gauge, 3.5.into()),
        ("bytes", DataType::Counter64, u64::MAX.into()),
        ("kernel", DataType::Text, "6.18".into()),
    ];
    let web1 = poll("web1", now, &points);
    let web2 = gauge("web2", "load", now, 7);
    expect_ok(&server.post(&merged(&[web1.clone(), web2])));
    // The same again, in another wrapping, changes nothing.
    expect_ok(&server.post(&web1));
    expect_ok(&server.post_with(&[JSON, GZIP], &gzip(&web1)));
    assert_eq!(server.samples("load", "web1", now - 5_000, now + 5_000), [(now, 3.5)]);
    assert_eq!(server.samples("load", "web2", now - 5_000, now + 5_000), [(now, 7.0)]);
    let [kernel] = &server.series("kernel", "web1")[..] else { panic!() };
    assert!(!kernel.is_empty());

    // Late and out of order: it comes to lie where it belongs.
    expect_ok(&server.post(&gauge("web2", "load", now - 3_000, 4)));
    expect_ok(&server.post(&gauge("web2", "load", now - 4_000, 3)));
    // Of two with one time the first stays.
    expect_ok(&server.post(&gauge("web2", "load", now - 4_000, 99)));
    assert_eq!(
        server.samples("load", "web2", now - 9_000, now + 1),
        [(now - 4_000, 3.0), (now - 3_000, 4.0), (now, 7.0)]
    );

    // What was answered is there after a restart.
    assert_eq!(server.daemon.run(&["--restart"]).code, 0);
    assert_eq!(server.samples("load", "web2", now - 9_000, now + 1).len(), 3);
}

#[test]
fn a_packed_batch_is_stored_as_another() {
    let server = Server::start("packed");
    let now = now_ms();
    let polls: Vec<_> = (0..50).map(|age| gauge("web1", "load", now - age * 1_000, age)).collect();
    expect_ok(&server.post_with(&[JSON, GZIP], &gzip(&merged(&polls))));
    let samples = server.samples("load", "web1", now - 60_000, now + 1);
    assert_eq!(samples.len(), 50);
    assert_eq!((samples[0], samples[49]), ((now - 49_000, 49.0), (now, 0.0)));
}

#[test]
fn the_good_datapoints_of_a_document_are_stored_and_the_bad_named() {
    let server = Server::start("partly");
    let now = now_ms();
    let day = 86_400_000;
    let polls = [
        gauge("web1", "load", now, 1),
        gauge("web2", "load", now + day + 60_000, 2),
        gauge("web3", "load", now + day - 60_000, 3),
    ];
    let answer = server.post(&merged(&polls));
    expect_ours(&answer);
    let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((answer.status, &json["stored"], &json["refused"]), (200, &2.into(), &1.into()));
    let reason = json["refusals"][0].as_str().unwrap();
    assert!(reason.starts_with("datapoint 1, \"load\" of \"web2\": its timestamp"), "{reason}");
    assert!(server.log().contains(reason), "the log names it too");
    assert_eq!(server.samples("load", "web1", now - 1, now + 1), [(now, 1.0)]);
    assert_eq!(server.series("load", "web3").len(), 1);
    assert_eq!(server.series("load", "web2").len(), 0);
    let metrics = server.get("/metrics").text();
    assert!(metrics.contains("\npattood_datapoints_ahead_total 1\n"), "{metrics}");
    assert!(metrics.contains("\npattood_datapoints_stored_total 2\n"), "{metrics}");
}

#[test]
fn what_is_no_document_is_refused() {
    let server = Server::new("refused", "");
    let file = server.daemon.configuration().join("pattoo_server.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replacen("pattoo_apid:", "  max_body_bytes: 1 MiB\npattoo_apid:", 1);
    std::fs::write(&file, text).unwrap();
    server.daemon.start();

    let document = gauge("web1", "load", now_ms(), 1);
    assert!(error(&server.post(b"{"), 400).contains("line 1 column"));
    assert!(error(&server.post(b""), 400).contains("EOF"));
    assert!(error(&server.post(b"[1]"), 400).contains("an object with the keys"));
    let twice = [&document[..], b"x"].concat();
    assert!(error(&server.post(&twice), 400).contains("trailing"));
    let answer = server.post_with(&[("Content-Type", "text/plain")], &document);
    assert!(error(&answer, 415).contains("application/json is wanted"));
    let answer = server.post_with(&[JSON, ("Content-Encoding", "br")], &document);
    assert!(error(&answer, 415).contains("gzip"));
    assert!(error(&server.post_with(&[JSON, GZIP], &document), 400).contains("no gzip"));
    let spaces = vec![b' '; (1 << 20) + 1];
    error(&server.post(&spaces), 413);
    let bomb = gzip(&spaces);
    assert!(error(&server.post_with(&[JSON, GZIP], &bomb), 413).contains("1048576"));
    let gets = http_get(server.agent_port, "/pattoo/api/v1/agent/receive/hub").unwrap();
    assert!(error(&gets, 405).contains("POST"));
    assert_eq!(gets.header("allow"), Some("POST, OPTIONS"));

    assert_eq!(server.series("load", "web1").len(), 0, "nothing was stored");
    expect_ok(&server.post(&document));
    let metrics = server.get("/metrics").text();
    assert!(metrics.contains("\npattood_posts_unfit_total 8\n"), "{metrics}");
}

#[test]
fn each_port_answers_its_own_questions() {
    let server = Server::start("ports");
    let agent_status = "/pattoo/api/v1/agent/status";
    let web_status = "/pattoo/api/v1/web/status";
    for (port, path, status) in [
        (server.agent_port, agent_status, 200),
        (server.web_port, web_status, 200),
        (server.web_port, "/healthz", 200),
        (server.agent_port, web_status, 404),
        (server.web_port, agent_status, 404),
        (server.agent_port, "/", 404),
        (server.agent_port, "/healthz", 404),
    ] {
        let answer = http_get(port, path).unwrap();
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        expect_ours(&answer);
    }
    let line = http_get(server.agent_port, agent_status).unwrap().text();
    assert!(line.ends_with('\n') && line.lines().count() == 1, "{line:?}");
    let posts_to_web = "/pattoo/api/v1/agent/receive/hub";
    let answer = http_post(server.web_port, posts_to_web, &[JSON], b"{}").unwrap();
    assert_eq!(answer.status, 404);
    // A mutation by GET changes nothing.
    let query = "/pattoo/api/v1/web/graphql?query=mutation%7Bx%7D";
    assert_ne!(server.get(query).status, 200);
}

#[test]
fn one_agent_has_no_more_series_than_it_may() {
    let server = Server::new("cap", "store:\n  max_series_per_agent: 3\n");
    server.daemon.start();
    let now = now_ms();
    let points = ["a", "b", "c", "d"].map(|key| (key, DataType::Gauge, 1_u64.into()));
    let answer = server.post(&poll("web1", now, &points));
    let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((&json["stored"], &json["refused"]), (&3.into(), &1.into()));
    let reason = json["refusals"][0].as_str().unwrap();
    assert!(reason.starts_with("datapoint 3, \"d\" of \"web1\": "), "{reason}");
    expect_ok(&server.post(&poll("web1", now + 1_000, &points[..3])));
    expect_ok(&server.post(&poll("web2", now, &points[..3])));
}

#[test]
fn a_new_server_has_the_names_that_we_ship_and_keeps_what_is_changed() {
    let server = Server::start("names");
    let codes = |server: &Server| {
        let data = server.query("{ allLanguage { edges { node { code name } } } }");
        let edges = data["allLanguage"]["edges"].as_array().unwrap().clone();
        let text = |edge: &serde_json::Value, key| edge["node"][key].as_str().unwrap().to_owned();
        edges.iter().map(|edge| (text(edge, "code"), text(edge, "name"))).collect::<Vec<_>>()
    };
    let shipped = codes(&server);
    assert!(shipped.iter().any(|(code, _)| code == "en"), "{shipped:?}");
    let finished = run(
        &binary("pattoo_cli"),
        server.daemon.configuration(),
        &["set", "language", "--code", "en", "--name", "Plain English"],
    );
    assert_eq!(finished.code, 0, "{finished:?}");
    assert_eq!(server.daemon.run(&["--restart"]).code, 0);
    let kept = codes(&server);
    assert_eq!(kept.len(), shipped.len());
    assert!(kept.contains(&("en".into(), "Plain English".into())), "{kept:?}");
}
