//! What the original did not have: searches, points, hosts and devices; and that
//! everything has a name.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use pattoo_common::datapoint::{DataPoint, DataType, Metadata, Value as Reading};
use pattoo_common::document::{DocumentWriter, Series, Target};
use pattoo_server::translations;
use serde_json::{Value, json};
use support::{Server, nodes};

#[test]
fn series_are_found_and_drawn() {
    let server = Server::new();
    server.post_polls();
    let data = server.data(
        r#"{ short: findDatapoints(key: "network_io_bytes_recv", target: "localhost",
               metadata: [{key: "network_io_interface", value: "eth0"}]) {
               edges { node { idxDatapoint key latest { timestamp value number ageSeconds } } } }
             long: findDatapoints(key: "pattoo_agent_linux_spoked_uptime") { edges { node { id } } }
             page: findDatapoints(target: "localhost", first: 3) {
               edges { node { id } } pageInfo { hasNextPage } }
             none: findDatapoints(target: "elsewhere") { edges { node { id } } } }"#,
    );
    let found = nodes(&data["short"]);
    assert_eq!(found.len(), 2, "one for each agent");
    assert_eq!(found[0]["key"], "pattoo_agent_linux_spoked_network_io_bytes_recv");
    let latest = &found[0]["latest"];
    let number = latest["number"].as_f64().unwrap();
    assert_eq!(latest["value"], format!("{number:.10}"));
    assert!(latest["ageSeconds"].is_f64());
    assert_eq!(
        (nodes(&data["page"]).len(), &data["page"]["pageInfo"]["hasNextPage"]),
        (3, &json!(true))
    );
    assert_eq!([&data["long"]["edges"], &data["none"]["edges"]], [&json!([]); 2]);

    let (first, second) = (&found[0]["idxDatapoint"], &found[1]["idxDatapoint"]);
    let query = format!(
        "{{ raw: points(idxDatapoint: [{first}, {second}], from: 1795394950000, to: 1795394980000) {{
                idxDatapoint step resolution points {{ timestamp value }} damaged }}
              rate: points(idxDatapoint: {first}, from: 1795394950000, to: 1795394980000, asRate: true) {{
                points {{ value }} }}
              most: points(idxDatapoint: {first}, from: 1795394940000, to: 1795394980000, step: 20000, aggregate: MAX) {{
                step points {{ timestamp value }} }}
              count: points(idxDatapoint: {first}, from: 0, to: 1795394980000, aggregate: COUNT) {{
                step points {{ value }} }} }}"
    );
    let data = server.data(&query);
    let raw = data["raw"].as_array().unwrap();
    assert_eq!((raw.len(), &raw[1]["idxDatapoint"]), (2, second));
    assert_eq!((&raw[0]["step"], &raw[0]["resolution"]), (&Value::Null, &json!("raw")));
    let values: Vec<f64> = raw[0]["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["value"].as_f64().unwrap())
        .collect();
    assert!(values.len() == 3 && (values[2] - number).abs() < 1e-9, "{values:?}");
    assert_eq!(data["rate"][0]["points"].as_array().unwrap().len(), 2);
    let most = &data["most"][0];
    assert_eq!((&most["step"], most["points"].as_array().unwrap().len()), (&json!(20000.0), 2));
    assert_eq!(most["points"][1]["value"].as_f64(), Some(values[2]));
    assert!(data["count"][0]["step"].as_f64().unwrap() > 3_600_000.0);
    assert_eq!(data["count"][0]["points"][0]["value"], 3.0);
    for (arguments, reason) in [
        ("idxDatapoint: []", "1 to 100"),
        (r#"idxDatapoint: "99999""#, "no datapoint"),
        (r#"idxDatapoint: "x""#, "no datapoint"),
        (r#"idxDatapoint: "1", from: 5, to: 5"#, "not before"),
        (r#"idxDatapoint: "1", from: -5"#, "Invalid value \"-5\""),
    ] {
        let (_, message) = server.error(&format!("{{ points({arguments}) {{ step }} }}"));
        assert!(message.contains(reason), "{arguments}: {message}");
    }
}

/// What a hub tells of two devices: where an agent answered, and where none did.
fn hub_document(timestamp_ms: u64, up: u64) -> Vec<u8> {
    let mut series = Series::new(Target {
        agent_id: "b".repeat(64),
        program: "pattoo_agent_linux_hubd",
        agent_hostname: "hub".into(),
        polled_target: "hub".into(),
        metadata: vec![("hostname", "hub".into())],
    });
    let mut writer = DocumentWriter::new(&mut series, 10_000);
    let agent_id = "82bfc39b01114e73355445cc7d368f387f10791ea3f671c2e98b60b71ff8795a";
    for (address, up) in [("10.0.0.1", up), ("10.0.0.2", 0)] {
        let device = Metadata::after_host(vec![
            ("hub_device_address", address.into()),
            ("hub_device_port", "5000".into()),
        ]);
        let mut tell = |key, data_type, value: Reading| {
            writer.push(&DataPoint::of(&device, key, data_type, value), timestamp_ms);
        };
        tell("hub_poll_up", DataType::Gauge, up.into());
        if up == 1 {
            tell("hub_poll_duration", DataType::Gauge, Reading::Float(1.5));
            tell("hub_poll_agent_id", DataType::Text, agent_id.into());
            tell("hub_poll_program", DataType::Text, "pattoo/0.1.0".into());
        } else {
            tell("hub_poll_error", DataType::Text, "the connection was refused".into());
        }
    }
    writer.finish(timestamp_ms)
}

#[test]
fn hosts_tell_when_they_were_seen_and_whether_their_hub_reaches_them() {
    let server = Server::new();
    server.post_polls();
    let now_ms = u64::try_from(
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis(),
    )
    .unwrap();
    let query = "{ hosts { target idxAgent lastSeen ageSeconds reachable
                     devices { hub address port reachable duration error } }
                   devices { address agentId reachable error } }";
    server.post(&hub_document(now_ms - 2_000, 1));
    let data = server.data(query);
    let hosts = data["hosts"].as_array().unwrap();
    let names: Vec<&Value> = hosts.iter().map(|host| &host["target"]).collect();
    assert_eq!(names, ["hub", "localhost"]);
    let host = &hosts[1];
    assert_eq!((&host["idxAgent"], &host["reachable"]), (&json!(["1", "2"]), &json!(true)));
    assert_eq!(host["lastSeen"], "1795394977580");
    let device = json!({"hub": "hub", "address": "10.0.0.1", "port": "5000", "reachable": true,
                        "duration": 1.5, "error": null});
    assert_eq!(host["devices"], json!([device]));
    assert_eq!(hosts[0]["reachable"], Value::Null, "no hub polls it");
    let never = json!({"address": "10.0.0.2", "agentId": null, "reachable": false,
                       "error": "the connection was refused"});
    assert_eq!(data["devices"][1], never);

    server.post(&hub_document(now_ms - 1_000, 0));
    let device = server.data(query)["hosts"][1]["devices"][0].clone();
    assert_eq!((&device["reachable"], &device["duration"]), (&json!(false), &Value::Null));
    assert_eq!(device["error"], "the connection was refused");
    let page = server.data("{ hosts(limit: 1, offset: 1) { target } }");
    assert_eq!(page["hosts"], json!([{"target": "localhost"}]));

    // Of a text the latest is kept, and is the one sample of its series.
    let text = server.data(
        r#"{ findDatapoints(key: "hub_poll_error", metadata: [{key: "hub_device_address", value: "10.0.0.2"}]) {
               edges { node { lastTimestamp dataChecksum { edges { node { timestamp value } } } } } } }"#,
    );
    let series = nodes(&text["findDatapoints"])[0];
    let sample = nodes(&series["dataChecksum"])[0];
    assert_eq!(sample["value"], "the connection was refused");
    assert_eq!(sample["timestamp"], series["lastTimestamp"]);
}

#[test]
fn the_word_of_a_silent_hub_is_not_trusted() {
    let server = Server::new();
    server.post_polls();
    server.post(&hub_document(1_795_394_977_000, 1));
    let data = server.data("{ devices { reachable timestamp ageSeconds } }");
    let device = &data["devices"][0];
    // The captures are of a day that may be ahead of this machine's clock.
    let silent = device["ageSeconds"].as_f64().unwrap() > 30.0;
    assert_eq!(device["reachable"].is_null(), silent, "{device}");
    assert_eq!(device["timestamp"], "1795394977000");
}

#[test]
fn everything_that_our_programs_send_has_a_name() {
    let server = Server::new();
    translations::install(&server.store).unwrap();
    server.post_polls();
    server.post(&hub_document(1_795_394_977_000, 1));
    let data = server.data(
        "{ allPairs { edges { node { key value } } } allPairXlate { edges { node { key } } } }",
    );
    let names = nodes(&data["allPairXlate"]);
    for pair in nodes(&data["allPairs"]) {
        let key = if pair["key"] == "pattoo_key" { &pair["value"] } else { &pair["key"] };
        assert_eq!(names.iter().filter(|name| name["key"] == *key).count(), 2, "{key}");
    }
}
