//! Answers besides the captures: the whole schema, ids, filters, changes, limits.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fmt::Write;
use std::time::Duration;

use pattoo_server::graphql::{Asker, Endpoint};
use pattoo_server::store::{Options, Store};
use pattoo_server::translations;
use serde_json::{Value, json};
use support::{Scratch, Server, capture, captured, captured_query, nodes};

/// A type of introspection in the way of the schema language.
fn spelled(of: &Value) -> String {
    match of["kind"].as_str().unwrap() {
        "NON_NULL" => format!("{}!", spelled(&of["ofType"])),
        "LIST" => format!("[{}]", spelled(&of["ofType"])),
        _ => of["name"].as_str().unwrap().to_owned(),
    }
}

fn by_name<'v>(list: &'v Value, name: &Value) -> Option<&'v Value> {
    list.as_array()?.iter().find(|item| item["name"] == *name)
}

#[test]
fn the_whole_schema_of_the_original_is_there() {
    let server = Server::new();
    let theirs = captured("introspection")["data"]["__schema"].clone();
    let ours = server.data(&captured_query("introspection"))["__schema"].clone();
    let mut compared = 0;
    for theirs in theirs["types"].as_array().unwrap() {
        let name = &theirs["name"];
        if name.as_str().unwrap().starts_with("__") {
            continue;
        }
        let ours = by_name(&ours["types"], name).unwrap_or_else(|| panic!("no type {name}"));
        assert_eq!(ours["kind"], theirs["kind"], "{name}");
        for list in ["fields", "inputFields"] {
            for field in theirs[list].as_array().into_iter().flatten() {
                let at = format!("{name}.{}", field["name"]);
                let our = by_name(&ours[list], &field["name"]);
                let our = our.unwrap_or_else(|| panic!("{at} is missing"));
                assert_eq!(spelled(&our["type"]), spelled(&field["type"]), "{at}");
                for argument in field["args"].as_array().into_iter().flatten() {
                    let our = by_name(&our["args"], &argument["name"]);
                    let our = our.unwrap_or_else(|| panic!("{at} has no {}", argument["name"]));
                    assert_eq!(spelled(&our["type"]), spelled(&argument["type"]), "{at}");
                }
                compared += 1;
            }
        }
        for list in ["interfaces", "possibleTypes"] {
            for item in theirs[list].as_array().into_iter().flatten() {
                assert!(by_name(&ours[list], &item["name"]).is_some(), "{name}: {item}");
            }
        }
    }
    assert!(compared > 200, "{compared}");
    assert_eq!(ours["queryType"], theirs["queryType"]);
    assert_eq!(ours["mutationType"], theirs["mutationType"]);
}

#[test]
fn rows_are_found_by_id_by_filter_and_in_order() {
    let server = Server::new();
    server.post_polls();
    let data = server.data(
        r#"{ node(id: "RGF0YVBvaW50OjE=") { __typename id ... on DataPoint { idxDatapoint dataType } }
             none: node(id: "RGF0YVBvaW50Ojk5OTk=") { id } odd: node(id: "?") { id }
             datapoint(id: "nonsense") { id }
             allDatapoints(dataType: "101", sortBy: ["idxDatapoint desc"], first: 2) {
               edges { node { idxDatapoint dataType } } }
             snake: allDatapoints(sortBy: ["idx_agent desc", "idx_datapoint"], first: 1) {
               edges { node { idxAgent agent { datapointAgent(last: 1) { edges { node { idxDatapoint } } } } } } }
             byId: allAgent(id: "QWdlbnQ6Mg==") { edges { node { idxAgent } } }
             noNumber: allAgent(idxAgent: "two") { edges { node { idxAgent } } } }"#,
    );
    assert_eq!(data["node"]["__typename"], "DataPoint");
    assert_eq!(data["node"]["idxDatapoint"], "1");
    assert_eq!([&data["none"], &data["odd"], &data["datapoint"]], [&Value::Null; 3]);
    let numbers: Vec<u32> = nodes(&data["allDatapoints"])
        .iter()
        .map(|node| node["idxDatapoint"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(numbers.len() == 2 && numbers[0] > numbers[1], "{numbers:?}");
    assert!(nodes(&data["allDatapoints"]).iter().all(|node| node["dataType"] == "101"));
    assert_eq!(nodes(&data["snake"])[0]["idxAgent"], "2");
    assert_eq!(nodes(&data["byId"])[0]["idxAgent"], "2");
    assert_eq!(data["noNumber"]["edges"], json!([]));

    // Times are compared to the second.
    let made = server.data("{ allAgent(first: 1) { edges { node { tsCreated } } } }");
    let made = &nodes(&made["allAgent"])[0]["tsCreated"];
    let query = format!("{{ allAgent(tsCreated: {made}) {{ edges {{ node {{ idxAgent }} }} }} }}");
    assert!(!nodes(&server.data(&query)["allAgent"]).is_empty());
    let none = server.data(r#"{ allAgent(tsCreated: "2001-01-01") { edges { node { id } } } }"#);
    assert_eq!(none["allAgent"]["edges"], json!([]));
    let (status, answer) = server.ask("POST", r#"{ chart(id: "RGF0YVBvaW50OjE=") { id } }"#);
    assert_eq!((status, &answer["data"]["chart"]), (200, &Value::Null));
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("one of a Chart is wanted"));
    for (query, reason) in [
        (r#"{ allAgent(sortBy: ["colour"]) { edges { cursor } } }"#, "colour"),
        (r#"{ allAgent(sortBy: ["idxAgent up"]) { edges { cursor } } }"#, "neither asc nor desc"),
        (r#"{ allAgent(tsCreated: "soon") { edges { cursor } } }"#, "no time such as"),
        (r"{ allAgent(first: -1) { edges { cursor } } }", "must not be negative"),
        (r#"{ allAgent(id: "RGF0YVBvaW50OjE=") { edges { cursor } } }"#, "no id of a Agent"),
        (r#"{ allData(sortBy: ["value"]) { edges { cursor } } }"#, "in order of"),
    ] {
        let (status, message) = server.error(query);
        assert!(status == 200 && message.contains(reason), "{query}: {status} {message}");
    }
}

#[test]
fn samples_are_paged_over_all_series() {
    let server = Server::new();
    server.post_polls();
    let whole =
        server.data("{ allData { edges { cursor node { id value } } } }")["allData"].clone();
    assert_eq!(nodes(&whole).len(), 570);
    let page = "edges { cursor node { id value } } pageInfo { hasNextPage hasPreviousPage }";
    let query = format!(
        r#"{{ some: allData(first: 5, after: "YXJyYXljb25uZWN0aW9uOjI4Mg==") {{ {page} }}
              end: allData(last: 2) {{ {page} }} }}"#
    );
    let data = server.data(&query);
    assert_eq!(
        data["some"]["edges"].as_array().unwrap()[..],
        whole["edges"].as_array().unwrap()[283..288]
    );
    assert_eq!(
        data["end"]["edges"].as_array().unwrap()[..],
        whole["edges"].as_array().unwrap()[568..]
    );
    assert_eq!(data["end"]["pageInfo"], json!({"hasNextPage": false, "hasPreviousPage": true}));
    let one = nodes(&whole)[283].clone();
    let query =
        format!("{{ data(id: {}) {{ id value datapoint {{ idxDatapoint }} }} }}", one["id"]);
    let found = server.data(&query)["data"].clone();
    assert_eq!((&found["id"], &found["value"]), (&one["id"], &one["value"]));
    let series = &found["datapoint"]["idxDatapoint"];
    let query = format!(
        "{{ allData(idxDatapoint: {series}, value: {}) {{ edges {{ node {{ id }} }} }} }}",
        one["value"]
    );
    let by_value = server.data(&query)["allData"].clone();
    assert!(nodes(&by_value).iter().any(|node| node["id"] == one["id"]));
}

#[test]
fn an_agent_and_a_host_can_be_forgotten() {
    let server = Server::new();
    server.post_polls();
    let count = || {
        nodes(&server.data("{ allDatapoints { edges { node { id } } } }")["allDatapoints"]).len()
    };
    assert_eq!(server.data(r#"mutation { deleteAgent(idxAgent: "1") }"#)["deleteAgent"], true);
    assert_eq!(server.data(r#"mutation { deleteAgent(idxAgent: "1") }"#)["deleteAgent"], false);
    assert_eq!(count(), 95);
    assert_eq!(server.data(r#"mutation { deleteHost(target: "localhost") }"#)["deleteHost"], 1);
    assert_eq!(count(), 0);
    server.post(&capture("input/poll-1.json"));
    assert_eq!(count(), 95, "what is forgotten may come again");
}

#[test]
fn passwords_are_hashed_and_never_shown() {
    let server = Server::new();
    server.data(
        r#"mutation { createUser(Input: {username: "a", password: "secret", role: "2", passwordExpired: "1"}) {
             user { idxUser } } }"#,
    );
    let login = |password: &str| {
        let query = format!(
            r#"{{ authenticate(username: "a", password: "{password}") {{ role passwordExpired }} }}"#
        );
        server.data(&query)["authenticate"].clone()
    };
    assert_eq!(login("secret"), json!([{"role": "2", "passwordExpired": "1"}]));
    assert_eq!(login("Secret"), Value::Null);
    server.data(r#"mutation { updateUser(Input: {idxUser: "1", password: "new", passwordExpired: "0"}) { user { id } } }"#);
    assert_eq!(
        [login("secret"), login("new")],
        [Value::Null, json!([{"role": "2", "passwordExpired": "0"}])]
    );
    server.data(r#"mutation { updateUser(Input: {idxUser: "1", enabled: "0"}) { user { id } } }"#);
    assert_eq!(login("new"), Value::Null, "a user who is not enabled does not log in");
    assert_eq!(server.error("{ allUser { edges { node { password } } } }").0, 400);
    let (_, message) = server
        .error(r#"mutation { updateUser(Input: {idxUser: "1", role: "boss"}) { user { id } } }"#);
    assert!(message.contains("no whole number"), "{message}");
    let unknown =
        server.data(r#"mutation { updateUser(Input: {idxUser: "9", role: "1"}) { user { id } } }"#);
    assert_eq!(unknown["updateUser"], Value::Null);
    let (_, message) = server.error(
        r#"mutation { createFavorite(Input: {idxUser: "1", idxChart: "9"}) { favorite { id } } }"#,
    );
    assert!(message.contains("conflict"), "{message}");
}

#[test]
fn what_is_no_query_or_asks_too_much_is_refused() {
    let server = Server::new();
    server.post_polls();
    let deep = format!(
        "{{ allAgent {}{} }}",
        "{ edges { node { datapointAgent ".repeat(20),
        "} } }".repeat(20)
    );
    let mut bomb =
        "{ allAgent { edges { node { ...F0 } } } } fragment F30 on Agent { id }".to_owned();
    for level in 0..30 {
        let next = level + 1;
        write!(bomb, " fragment F{level} on Agent {{ ...F{next} ...F{next} }}").unwrap();
    }
    let mut wide = "{".to_owned();
    for number in 0..3000 {
        write!(wide, " a{number}: __typename").unwrap();
    }
    wide.push('}');
    let tokens =
        format!("{{ allAgent(sortBy: [{}]) {{ edges {{ cursor }} }} }}", "\"a\" ".repeat(12_000));
    for query in [
        "{",
        "",
        "{ nothing }",
        "query A { __typename } query B { __typename }",
        "subscription { a }",
        &deep,
        &bomb,
        &wide,
        &tokens,
        &"[".repeat(100_000),
        "{ allAgent(first: \"x\") { edges { cursor } } }",
    ] {
        let (status, answer) = server.ask("POST", query);
        assert!(
            status == 400 && answer["errors"][0]["message"].is_string(),
            "{query:.60}: {status} {answer}"
        );
        assert!(answer.get("data").is_none(), "{query:.60}");
    }
    // 190 x 190 rows, and again for each of them.
    let rows = "{ allDatapoints { edges { node { agent { datapointAgent { edges { node { agent {
                  datapointAgent { edges { node { id } } } } } } } } } } } }";
    let (status, message) = server.error(rows);
    assert!(status == 413 && message.contains("rows"), "{status} {message}");
    assert_eq!(server.ask("PUT", "{ __typename }").0, 405);
    assert_eq!(server.ask("POST", &format!("{{ __typename }} #{}", "x".repeat(300 << 10))).0, 413);
}

#[test]
fn a_query_is_ended_at_its_deadline() {
    let mut server = Server::new();
    server.post_polls();
    server.endpoint = Endpoint::new().with_deadline(Duration::ZERO);
    let (status, message) = server.error(&captured_query("web_datapoints"));
    assert!(status == 503 && message.contains("took longer"), "{status} {message}");
    server.post(&capture("hub-post-body.json"));
}

#[test]
fn variables_and_operation_names_are_understood() {
    let server = Server::new();
    server.post_polls();
    let body = json!({
        "query": "query One($n: Int = 1) { allAgent(first: $n) { edges { cursor } } }
                  query Two { allAgent { edges { cursor } } }",
        "operationName": "One", "variables": {"n": 2},
    });
    let ask = |body: &Value| {
        let body = body.to_string();
        let kind = Some("application/json");
        let answer = server.endpoint.answer(
            &server.store,
            &Asker::operator(),
            "POST",
            None,
            kind,
            body.as_bytes(),
        );
        (answer.status, serde_json::from_slice::<Value>(&answer.body).unwrap())
    };
    let (status, answer) = ask(&body);
    assert_eq!((status, answer["data"]["allAgent"]["edges"].as_array().unwrap().len()), (200, 2));
    let mut wrong = body.clone();
    wrong["variables"]["n"] = json!("two");
    assert_eq!(ask(&wrong).0, 400);
    wrong["operationName"] = json!("Three");
    assert_eq!(ask(&wrong).0, 400);
}

#[test]
fn a_new_store_has_our_names_and_keeps_what_was_changed() {
    let scratch = Scratch::new();
    let store = Store::open(&Options::new(scratch.path())).unwrap();
    translations::install(&store).unwrap();
    drop(store);
    let server = Server::over(scratch);
    let query = r#"{ allLanguage { edges { node { code } } } allUser { edges { node { id } } }
        allPairXlate(key: "pattoo_agent_linux_spoked_uptime") {
          edges { node { idxPairXlate translation units language { code } } } } }"#;
    let data = server.data(query);
    assert_eq!(nodes(&data["allLanguage"]), [&json!({"code": "en"}), &json!({"code": "es"})]);
    assert_eq!(data["allUser"]["edges"], json!([]), "a fresh server has no users");
    let names = nodes(&data["allPairXlate"]);
    assert_eq!((&names[0]["units"], &names[1]["units"]), (&json!("seconds"), &json!("segundos")));
    let change = format!(
        r#"mutation {{ updatePairXlate(Input: {{idxPairXlate: {}, translation: "Up for"}}) {{
             pairXlate {{ translation }} }} }}"#,
        names[0]["idxPairXlate"]
    );
    server.data(&change);
    translations::install(&server.store).unwrap();
    let again = server.data(query);
    assert_eq!(nodes(&again["allPairXlate"])[0]["translation"], "Up for");
    assert_eq!(nodes(&again["allPairXlate"])[1], names[1]);
}
