//! Requests that are none: each is refused with the right status and a JSON error,
//! and the next client is served.

use crate::victim::Victim;

/// Each pair: what is sent, and the status of the answer.
fn assert_refused(victim: &Victim, cases: &[(String, u16)]) {
    for (request, status) in cases {
        let reply = victim.exchange(request);
        let shown: String = request.chars().take(60).collect();
        assert_eq!(reply.status, *status, "{shown:?}: {}", String::from_utf8_lossy(&reply.body));
        assert!(!reply.error().is_empty());
        assert_eq!(reply.header("Content-Type"), Some("application/json"));
        assert_eq!(reply.header("Connection"), Some("close"));
        assert_eq!(reply.header("Server"), Some("under-attack/1"));
        assert_eq!(reply.header("Allow").is_some(), *status == 405);
    }
    victim.assert_serves();
    victim.assert_back_at_rest();
}

#[test]
fn malformed_heads() {
    let get = |rest: &str| format!("GET / HTTP/1.1\r\n{rest}\r\n\r\n");
    assert_refused(
        &Victim::start(&["spoke"]),
        &[
            ("GET /\r\n".into(), 400),
            ("GET / HTTP/2.0\r\n\r\n".into(), 505),
            ("GET * HTTP/1.1\r\n\r\n".into(), 400),
            ("GET / HTTP/0.9\r\n\r\n".into(), 505),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), 505),
            ("GET / HTTP/1.1\nHost: h\n\n".into(), 400),
            ("GET /\u{e4} HTTP/1.1\r\n\r\n".into(), 400),
            ("CONNECT h:80 HTTP/1.1\r\n\r\n".into(), 400),
            ("\u{16}\u{3}\u{1} a TLS hello".into(), 400),
            (get("A: b\0c"), 400),
            (get("A: b\r\n folded"), 400),
            (get("A : b"), 400),
            (get(&["A: b"; 65].join("\r\n")), 431),
            (get(&format!("A: {}", "b".repeat(8192))), 431),
            (format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(8192)), 414),
            (get(&"A: b\r\n".repeat(20_000)), 431),
            (format!("GET / HTTP/1.1\r\nA: {}", "b".repeat(1 << 20)), 431),
        ],
    );
}

#[test]
fn lengths() {
    let post = |lines: &str| format!("POST /length HTTP/1.1\r\n{lines}\r\n\r\n");
    let both = [
        (post("Content-Length: +5"), 400),
        (post("Content-Length: -5"), 400),
        (post("Content-Length:"), 400),
        (post("Content-Length: 5, 5"), 400),
        (post("Content-Length: 5\r\nContent-Length: 5"), 400),
        (post("Content-Length: 5\r\nContent-Length: 6"), 400),
        (post("Content-Length: 5\r\nTransfer-Encoding: chunked"), 400),
        (post("Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n", 501),
    ];
    let lengths = ["1000000000000", "9300000000000000000", "10000000000000000000", "33554433"];
    let too_long = lengths.map(|length| post(&format!("Content-Length: {length}")));
    let with_status = |status| too_long.clone().map(|request| (request, status));
    assert_refused(&Victim::start(&["spoke"]), &both);
    assert_refused(&Victim::start(&["spoke"]), &with_status(405));
    assert_refused(&Victim::start(&["spoke"]), &[(post("Content-Length: 2") + "ab", 405)]);
    assert_refused(&Victim::start(&["server"]), &both);
    assert_refused(&Victim::start(&["server"]), &with_status(413));
}

#[test]
fn heads_and_bodies_that_come_too_late() {
    assert_refused(
        &Victim::start(&["server", "head_ms=2000", "body_ms=2000"]),
        &[
            ("GET / HTTP/1.1\r\nHost:".into(), 408),
            ("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf".into(), 408),
        ],
    );
}

/// The client shuts its side down and could wait for ever.
#[test]
fn requests_that_end_half_way() {
    use std::io::Write as _;
    let victim = Victim::start(&["server"]);
    for half in ["GET / HT", "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf"] {
        let mut client = victim.connect();
        client.write_all(half.as_bytes()).unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(crate::victim::Reply::read(client).status, 400);
    }
    victim.assert_serves();
    victim.assert_back_at_rest();
}
