//! The receiver without HTTP around it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use pattoo_common::datapoint::{DataPoint, DataType};
use pattoo_common::document::{Batch, DocumentWriter, Series, Target};

use super::*;
use crate::store::{DAY_MS, Options, PointsQuery};

/// The time of the tests: 2027-01-15.
const NOW_MS: u64 = 1_800_000_000_000;

struct Bench {
    receiver: Receiver,
    store: Arc<Store>,
    folder: PathBuf,
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn bench() -> Bench {
    bench_at(|| NOW_MS)
}

fn bench_at(now_ms: fn() -> u64) -> Bench {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("pattoo-receive-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let store = Arc::new(Store::open(&Options::new(&folder)).unwrap());
    let receiver = Receiver { now_ms, ..Receiver::new(Arc::clone(&store), 1 << 20) };
    Bench { receiver, store, folder }
}

impl Bench {
    /// Status and body.
    fn post(&self, body: &[u8]) -> (u16, String) {
        let (status, body, _) = self.ask(Method::Post, "/pattoo/api/v1/agent/receive/hub", body);
        (status, body)
    }

    fn ask(&self, method: Method, path: &str, body: &[u8]) -> (u16, String, Vec<String>) {
        let answer = self.receiver.answer(&Request {
            method,
            path: path.into(),
            query: None,
            headers: vec![("Content-Type".into(), "application/json".into())],
            body: body.to_vec(),
            peer: ([127, 0, 0, 1], 1).into(),
        });
        let status = answer.status_code().0;
        let headers = answer.headers().iter().map(ToString::to_string).collect();
        (status, String::from_utf8(answer.into_reader().into_inner()).unwrap(), headers)
    }

    /// The values of the only series of this key.
    fn values(&self, key: &str) -> Vec<String> {
        let [series] = self.store.find_series(Some(key), None, &[], 9).unwrap()[..] else {
            panic!("not one series of {key}")
        };
        let points = self
            .store
            .points(&PointsQuery::new(series, NOW_MS - 9 * DAY_MS, NOW_MS + 9 * DAY_MS))
            .unwrap()
            .unwrap();
        points.points.iter().map(|point| point.value.to_string()).collect()
    }
}

fn target(host: &str) -> Target {
    Target {
        agent_id: format!("{host:0>64}"),
        program: "pattoo_agent_linux_spoked",
        agent_hostname: host.to_owned(),
        polled_target: host.to_owned(),
        metadata: vec![("hostname", host.to_owned())],
    }
}

/// A document of one host with one gauge a key, at these times.
fn document(host: &str, points: &[(&'static str, u64, u64)]) -> Vec<u8> {
    let mut series = Series::new(target(host));
    let mut writer = DocumentWriter::new(&mut series, 3_600_000);
    for (key, value, timestamp_ms) in points {
        writer.push(&DataPoint::new(key, DataType::Gauge, *value), *timestamp_ms);
    }
    writer.finish(NOW_MS)
}

/// A document of all these, as a hub merges them.
fn merged(documents: &[Vec<u8>]) -> Vec<u8> {
    let mut batch = Batch::new();
    for document in documents {
        batch.add(&Document::parse(document).unwrap()).unwrap();
    }
    batch.finish("hub", NOW_MS, 3_600_000)
}

#[test]
fn what_is_posted_is_stored_once() {
    let bench = bench();
    let body = document("web1", &[("load", 7, NOW_MS), ("uptime", u64::MAX, NOW_MS)]);
    for _ in 0..2 {
        assert_eq!(bench.post(&body), (200, "OK".into()));
    }
    assert_eq!(bench.values("load"), ["7"]);
    assert_eq!(bench.values("uptime"), [u64::MAX.to_string()]);
    let figures = bench.receiver.counts().figures();
    assert_eq!((figures.posts, figures.stored, figures.already_there), (2, 2, 2));
    assert_eq!(figures.bytes, 2 * body.len() as u64);
}

#[test]
fn a_merged_batch_keeps_its_hosts_apart_and_late_data_finds_its_place() {
    let bench = bench();
    let documents =
        [("web1", 1), ("web2", 2)].map(|(host, value)| document(host, &[("load", value, NOW_MS)]));
    assert_eq!(bench.post(&merged(&documents)), (200, "OK".into()));
    let late = document("web1", &[("load", 9, NOW_MS - 3 * DAY_MS)]);
    assert_eq!(bench.post(&late), (200, "OK".into()));
    let of = |host| {
        let [series] = bench.store.find_series(None, Some(host), &[], 9).unwrap()[..] else {
            panic!("{host}")
        };
        let query = PointsQuery::new(series, NOW_MS - 9 * DAY_MS, NOW_MS + 9 * DAY_MS);
        let points = bench.store.points(&query).unwrap().unwrap().points;
        points.iter().map(|point| point.value.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(of("web1"), ["9", "1"]);
    assert_eq!(of("web2"), ["2"]);
}

#[test]
fn bad_datapoints_are_named_and_the_others_stored() {
    let bench = bench();
    let day = DAY_MS;
    let points = [
        ("good", 1, NOW_MS),
        ("early", 2, NOW_MS + day + 1),
        ("zero", 3, 0),
        ("edge", 4, NOW_MS + day),
    ];
    let text = String::from_utf8(document("web1", &points)).unwrap();
    // Its type is one that nobody knows.
    let bad = document("web2", &[("odd", 5, NOW_MS)]);
    let bad = String::from_utf8(bad)
        .unwrap()
        .replace("\"pattoo_data_type\",99", "\"pattoo_data_type\",98");
    let (status, body) = bench.post(&merged(&[bad.into_bytes(), text.into_bytes()]));
    let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (status, &answer["stored"], &answer["refused"]),
        (200, &2.into(), &3.into()),
        "{body}"
    );
    for wanted in [
        "datapoint 0, \"odd\" of \"web2\": pattoo_data_type 98 is none of",
        "datapoint 2, \"early\" of \"web1\": its timestamp 1800086400001 is 24 hours ahead",
        "datapoint 3, \"zero\" of \"web1\": its timestamp is 0",
    ] {
        assert!(body.contains(&wanted.replace('"', "\\\"")), "{wanted}: {body}");
    }
    assert_eq!((bench.values("good"), bench.values("edge")), (vec!["1".into()], vec!["4".into()]));
    let figures = bench.receiver.counts().figures();
    assert_eq!((figures.not_understood, figures.ahead, figures.refused), (1, 1, 1));
}

#[test]
fn names_and_checksums_are_looked_at() {
    let bench = bench();
    let good = String::from_utf8(document("web1", &[("load", 1, NOW_MS)])).unwrap();
    let checksum = good.split("\"pattoo_checksum\",\"").nth(1).unwrap()[..64].to_owned();
    let long = "x".repeat(513);
    for (from, to, reason) in [
        (checksum.as_str(), &checksum[1..], "is not 64 hex digits"),
        (checksum.as_str(), &checksum.replace(|_| true, "g"), "is not 64 hex digits"),
        ("\"3600000\"", "\"soon\"", "is no number of milliseconds"),
        ("\"3600000\"", "\"0\"", "is no number of milliseconds"),
        (
            "\"pattoo_agent_polled_target\",\"web1\"",
            "\"pattoo_agent_polled_target\",\"\"",
            "has 0 bytes",
        ),
        (
            "\"pattoo_agent_linux_spoked\"",
            &format!("\"{long}\""),
            "pattoo_agent_program has 513 bytes",
        ),
    ] {
        assert!(good.contains(from), "{from} in {good}");
        let (status, body) = bench.post(good.replace(from, to).as_bytes());
        assert!(status == 200 && body.contains(reason), "{reason}: {status} {body}");
    }
    assert_eq!(bench.receiver.counts().figures().not_understood, 6);
}

#[test]
fn what_is_no_document_is_refused_and_says_where() {
    let bench = bench();
    for (body, wanted) in [("", "EOF"), ("[]", "an object"), ("{\"a\": 1}", "unknown key")] {
        let (status, answer) = bench.post(body.as_bytes());
        let error: serde_json::Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(status, 400);
        assert!(error["error"].as_str().unwrap().contains(wanted), "{wanted}: {answer}");
    }
    assert_eq!(bench.receiver.counts().figures().unfit, 3);
}

#[test]
fn a_clock_that_is_behind_takes_nothing() {
    let bench = bench();
    let ahead = document("web1", &[("load", 1, NOW_MS + DAY_MS)]);
    assert_eq!(bench.post(&ahead).0, 200);
    // The newest sample is a day ahead; a moment more is too much.
    let store = Arc::clone(&bench.store);
    let at = |now_ms| Receiver { now_ms, ..Receiver::new(Arc::clone(&store), 1 << 20) };
    let post = |receiver: &Receiver| {
        let request = Request {
            method: Method::Post,
            path: format!("{RECEIVE_PATH}hub"),
            query: None,
            headers: vec![("Content-Type".into(), "application/json".into())],
            body: document("web1", &[("load", 2, NOW_MS - DAY_MS)]),
            peer: ([127, 0, 0, 1], 1).into(),
        };
        let answer = receiver.answer(&request);
        let headers = answer.headers().iter().map(ToString::to_string).collect::<String>();
        (answer.status_code().0, headers.contains("Retry-After: 10"))
    };
    assert_eq!(post(&at(|| NOW_MS - 1)), (503, true));
    assert_eq!(post(&at(|| 1_000_000)), (503, true));
    assert_eq!(post(&at(|| NOW_MS)), (200, false));
    assert_eq!(bench.values("load"), ["2", "1"]);
}

#[test]
fn paths_and_methods() {
    let bench = bench();
    let status = |method: &Method, path: &str| bench.ask(method.clone(), path, b"");
    let (code, body, _) = status(&Method::Get, STATUS_PATH);
    assert!(code == 200 && body.ends_with('\n') && body.lines().count() == 1, "{body}");
    for (method, path, code, allow) in [
        (Method::Get, "/pattoo/api/v1/agent/receive/x", 405, "POST"),
        (Method::Put, "/pattoo/api/v1/agent/receive/x", 405, "POST"),
        (Method::Post, STATUS_PATH, 405, "GET"),
        (Method::Options, STATUS_PATH, 200, "GET"),
        (Method::Post, "/pattoo/api/v1/agent/receive/", 404, ""),
        (Method::Post, "/pattoo/api/v1/agent/receive/a/b", 404, ""),
        (Method::Get, "/", 404, ""),
    ] {
        let (found, _, headers) = status(&method, path);
        let allowed = headers.iter().find(|header| header.starts_with("Allow"));
        assert_eq!(found, code, "{method} {path}");
        assert_eq!(allowed.is_some_and(|header| header.contains(allow)), !allow.is_empty());
    }
}
