//! What a spoke and a server with a secret answer to whom.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::Compression;
use flate2::write::GzEncoder;
use pattoo_common::datapoint::{DataPoint, DataType};
use pattoo_common::document::{DocumentWriter, Series, Target};
use pattoo_tests::{HttpAnswer, PATIENCE, http_ask, http_get};

use crate::site::{NEXT, OTHERS, OURS, POLL, RECEIVE, is_signed, secrets, send, server, spoke};

const JSON: (&str, &str) = ("Content-Type", "application/json");

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A poll of the host `web1` with one datapoint.
fn document() -> Vec<u8> {
    let mut series = Series::new(Target {
        agent_id: "a".repeat(64),
        program: "pattoo_agent_linux_spoked",
        agent_hostname: "web1".to_owned(),
        polled_target: "web1".to_owned(),
        metadata: vec![("hostname", "web1".to_owned())],
    });
    let now_ms = now_s() * 1_000;
    let mut writer = DocumentWriter::new(&mut series, 10_000);
    writer.push(&DataPoint::new("load", DataType::Gauge, 1_u64), now_ms);
    writer.finish(now_ms)
}

#[track_caller]
fn expect_401(answer: &HttpAnswer) {
    assert_eq!(answer.status, 401, "{}\n{}", answer.head, answer.text());
    assert_eq!(answer.header("www-authenticate"), Some("Signature"));
    let wanted =
        "pattoo=(\"@method\" \"@path\" \"@query\" \"content-digest\");created;alg=\"hmac-sha256\"";
    assert_eq!(answer.header("accept-signature"), Some(wanted));
    assert_eq!(answer.header("signature"), None);
    let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let reason = json["error"].as_str().unwrap();
    assert!(reason.contains("docs/secrecy.md") && reason.contains("browser"), "{reason}");
}

#[test]
fn strangers_get_the_same_401_wherever_they_ask() {
    let (spoke, server) = (spoke("web1", Some(OURS)), server(Some(OURS), ""));
    let mut bodies = Vec::new();
    for (port, method, path) in [
        (spoke.port, "GET", "/"),
        (spoke.port, "GET", POLL),
        (spoke.port, "OPTIONS", POLL),
        (spoke.port, "GET", "/nowhere"),
        (server.agent_port, "GET", "/pattoo/api/v1/agent/status"),
        (server.agent_port, "GET", "/nowhere"),
        (server.agent_port, "POST", RECEIVE),
        (server.agent_port, "DELETE", RECEIVE),
    ] {
        let body = (method == "POST").then(document);
        let answer = http_ask(port, method, path, &[JSON], body.as_deref()).unwrap();
        expect_401(&answer);
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
    assert_eq!(http_ask(spoke.port, "HEAD", "/", &[], None).unwrap().status, 401);
    // People ask at the other port as before.
    assert_eq!(http_get(server.web_port, "/pattoo/api/v1/web/status").unwrap().status, 200);
    assert!(server.series("load", "web1").is_empty());
}

/// Its body is not waited for, let alone kept.
#[test]
fn a_stranger_that_announces_a_body_gets_its_401_before_it_sends_one() {
    let server = server(Some(OURS), "");
    let head =
        |more: &str| format!("POST {RECEIVE} HTTP/1.1\r\nContent-Length: 3145728\r\n{more}\r\n");
    let answer_to = |head: &str| {
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, server.agent_port)).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        answer
    };
    let body = vec![b' '; 3 << 20];
    let (ours, others) = (secrets(OURS), secrets(OTHERS));
    let wrong = others.sign_request("POST", RECEIVE, &body);
    let late = ours.sign_request_of(now_s() - 4_000, "POST", RECEIVE, &body);
    for lines in ["", "Expect: 100-continue\r\n", wrong.header_lines(), late.header_lines()] {
        let answer = answer_to(&head(lines));
        assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{lines}: {answer}");
        assert!(answer.contains("docs/secrecy.md"), "{answer}");
    }
    // One of ours is waited for, and answered in its time.
    let right = ours.sign_request("POST", RECEIVE, &body);
    let answer = send(server.agent_port, ("POST", RECEIVE), &right, &[JSON], Some(&body));
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(is_signed(&right, &answer), "{}", answer.head);
}

#[test]
fn whoever_has_the_secret_gets_signed_answers_good_and_bad() {
    let (spoke, server) =
        (spoke("web1", Some(OURS)), server(Some(OURS), "max_body_bytes: 1 MiB\n"));
    let ours = secrets(OURS);
    for (port, method, target, status) in [
        (spoke.port, "GET", POLL, 200),
        (spoke.port, "GET", "/", 200),
        (spoke.port, "GET", "/?a=b&c", 200),
        (spoke.port, "GET", "/nowhere", 404),
        (spoke.port, "DELETE", POLL, 405),
        (server.agent_port, "GET", "/pattoo/api/v1/agent/status", 200),
        (server.agent_port, "GET", RECEIVE, 405),
    ] {
        let signed = ours.sign_request(method, target, b"");
        let answer = send(port, (method, target), &signed, &[], None);
        assert_eq!(answer.status, status, "{target}: {}", answer.text());
        assert!(is_signed(&signed, &answer), "{target}: {}", answer.head);
    }
    let good = document();
    // Over what is sent, not over what it unpacks to.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    std::io::Write::write_all(&mut encoder, &document()).unwrap();
    let packed = encoder.finish().unwrap();
    let large = vec![b' '; 3 << 20];
    let gzip = [JSON, ("Content-Encoding", "gzip")];
    for (body, headers, status) in [
        (&good, &[JSON][..], 200),
        (&packed, &gzip[..], 200),
        (&b"{".to_vec(), &[JSON][..], 400),
        (&b"{}".to_vec(), &[][..], 415),
        // A hub that believes only what is signed must hear this, too.
        (&large, &[JSON][..], 413),
    ] {
        let signed = ours.sign_request("POST", RECEIVE, body);
        let answer = send(server.agent_port, ("POST", RECEIVE), &signed, headers, Some(body));
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(is_signed(&signed, &answer), "{}", answer.head);
    }
    assert_eq!(server.series("load", "web1").len(), 1);
}

#[test]
fn a_request_that_was_changed_or_comes_again_is_refused() {
    let (spoke, server) = (spoke("web1", Some(OURS)), server(Some(OURS), ""));
    let ours = secrets(OURS);
    let signed = ours.sign_request("GET", POLL, b"");
    for (method, target) in [
        ("GET", "/pattoo-agent-linux/301"),
        ("GET", "/"),
        ("GET", "/pattoo-agent-linux/300?a=b"),
        ("OPTIONS", POLL),
    ] {
        expect_401(&send(spoke.port, (method, target), &signed, &[], None));
    }
    assert_eq!(send(spoke.port, ("GET", POLL), &signed, &[], None).status, 200);
    expect_401(&send(spoke.port, ("GET", POLL), &signed, &[], None));
    assert!(spoke.log().contains("was here before: somebody sends it again"), "{}", spoke.log());

    let body = document();
    let signed = ours.sign_request("POST", RECEIVE, &body);
    let changed = String::from_utf8(body.clone()).unwrap().replace("web1", "web2");
    let post =
        |body: &[u8]| send(server.agent_port, ("POST", RECEIVE), &signed, &[JSON], Some(body));
    expect_401(&post(changed.as_bytes()));
    expect_401(&post(b""));
    assert!(server.log().contains("rightly signed with \"site1\", for another body"));
    assert_eq!(post(&body).status, 200, "what was meant still goes through");
    expect_401(&post(&body));
    assert_eq!(server.series("load", "web1").len(), 1);
    assert!(server.series("load", "web2").is_empty());
}

#[test]
fn the_log_tells_a_wrong_clock_from_a_wrong_secret_and_no_flood_hides_it() {
    let spoke = spoke("web1", Some(OURS));
    let ask = |by: &str, created_s: u64| {
        let by = secrets(by);
        let signed = by.sign_request_of(created_s, "GET", POLL, b"");
        send(spoke.port, ("GET", POLL), &signed, &[], None)
    };
    for _ in 0..50 {
        expect_401(&http_get(spoke.port, "/").unwrap());
    }
    expect_401(&ask(OURS, now_s() - 4_000));
    expect_401(&ask(OURS, now_s() + 90_000));
    let log = spoke.log();
    assert_eq!(log.matches("not signed in the form of pattoo").count(), 5, "{log}");
    assert!(log.contains("wrong clock: rightly signed with \"site1\", 400"), "{log}");
    assert!(log.contains(" s behind our clock, 300 s are granted"), "{log}");
    assert!(log.contains(" s ahead of our clock"), "{log}");
    assert!(!log.contains("wrong secret"), "{log}");
    for near in [now_s() - 290, now_s() + 290] {
        assert_eq!(ask(OURS, near).status, 200);
    }

    let spoke = crate::site::spoke("web1", Some(OURS));
    for (by, created_s) in [(OTHERS, now_s() - 4_000), (NEXT, now_s())] {
        let by = secrets(by);
        let signed = by.sign_request_of(created_s, "GET", POLL, b"");
        expect_401(&send(spoke.port, ("GET", POLL), &signed, &[], None));
    }
    let log = spoke.log();
    assert_eq!(log.matches("wrong secret").count(), 2, "{log}");
    assert!(!log.contains("wrong clock"), "{log}");
}
