//! What a well-behaved client may count on.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown};
use std::thread;
use std::time::Duration;

use pattoo_tests::again_after_stalls;

use crate::victim::{Reply, Victim, wait_until};

#[test]
fn an_answer_has_its_headers_and_head_has_no_body() {
    let victim = Victim::start(&["spoke"]);
    let get = victim.exchange("GET / HTTP/1.0\r\n\r\n");
    let head = victim.exchange("HEAD / HTTP/1.1\r\n\r\n");
    assert_eq!((get.status, get.body.len()), (200, 30_000));
    assert_eq!((head.status, head.body.len()), (200, 0));
    for reply in [get, head] {
        assert_eq!(reply.header("Content-Length"), Some("30000"));
        assert_eq!(reply.header("Connection"), Some("close"));
        assert_eq!(reply.header("Server"), Some("under-attack/1"));
        assert!(reply.header("Date").unwrap().ends_with(" GMT"));
        assert_eq!(reply.header("Transfer-Encoding"), None);
    }
    assert_eq!(victim.exchange("GET http://h/peer?x HTTP/1.1\r\n\r\n").body, b"127.0.0.1");
    assert_eq!(victim.exchange("GET /no HTTP/1.1\r\n\r\n").error(), "no such path");
    victim.assert_back_at_rest();
}

#[test]
fn a_client_that_shuts_its_side_down_gets_its_answer() {
    let victim = Victim::start(&["spoke"]);
    let mut client = victim.connect();
    client.write_all(b"GET /wait?50 HTTP/1.1\r\n\r\n").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(Reply::read(client).body, b"waited");
    victim.assert_back_at_rest();
}

#[test]
fn a_client_that_sends_more_than_is_read_sees_its_answer() {
    let victim = Victim::start(&["spoke"]);
    let much = "GET / HTTP/1.1\r\n\r\n".repeat(10_000);
    let reply = victim.exchange(&much);
    assert_eq!((reply.status, reply.body.len()), (200, 30_000));
    victim.assert_back_at_rest();
}

#[test]
fn bodies_arrive_whole() {
    let victim = Victim::start(&["server"]);
    let post = |bytes: usize| format!("POST /length HTTP/1.1\r\nContent-Length: {bytes}\r\n\r\n");
    for bytes in [0, 1, 8192, 1 << 20, 32 << 20] {
        let mut request = post(bytes).into_bytes();
        request.resize(request.len() + bytes, b'x');
        assert_eq!(victim.exchange(request).body, bytes.to_string().as_bytes());
    }
    victim.assert_back_at_rest();
}

#[test]
fn who_expects_100_continue_is_told_before_the_body() {
    let victim = Victim::start(&["server"]);
    let post = |bytes: u64| {
        format!("POST /length HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: {bytes}\r\n\r\n")
    };
    let mut client = victim.connect();
    client.write_all(post(3).as_bytes()).unwrap();
    let mut interim = [0; 25];
    client.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"abc").unwrap();
    assert_eq!(Reply::read(client).body, b"3");
    assert_eq!(victim.exchange(post(1 << 40)).status, 413);
    victim.assert_back_at_rest();
}

#[test]
fn both_families_come_in_by_one_socket_if_they_are_let_in() {
    let (v4, v6) = (IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST));
    let ask = |victim: &Victim, from| {
        let mut client = victim.connect_from(from).unwrap();
        let _ = client.write_all(b"GET /peer HTTP/1.1\r\n\r\n");
        String::from_utf8(Reply::read(client).body).unwrap()
    };
    let open = Victim::start(&["spoke", "both_families"]);
    assert_eq!((ask(&open, v4).as_str(), ask(&open, v6).as_str()), ("127.0.0.1", "::1"));
    open.assert_back_at_rest();
    let choosy = Victim::start(&["spoke", "both_families", "no_ipv6"]);
    let refused = r#"{"error":"this address is not in allow_from"}"#;
    assert_eq!((ask(&choosy, v4).as_str(), ask(&choosy, v6).as_str()), ("127.0.0.1", refused));
    choosy.assert_back_at_rest();
}

#[test]
fn a_server_without_clients_does_nothing() {
    let victim = Victim::start(&["spoke"]);
    victim.assert_serves();
    // Of a server that looks after anything no two counts are the same.
    wait_until("half a second without a context switch", || {
        let before = victim.context_switches();
        thread::park_timeout(Duration::from_millis(500));
        let more = victim.context_switches() - before;
        (more > 0).then(|| format!("{more} more"))
    });
}

#[test]
fn a_server_that_stops_answers_what_is_under_way() {
    again_after_stalls(|| {
        let mut victim = Victim::start(&["spoke"]);
        let mut client = victim.connect();
        client.write_all(b"GET /wait?200 HTTP/1.1\r\n\r\n").unwrap();
        wait_until("the connection", || (victim.open_connections() == 0).then(String::new));
        victim.order_stop();
        assert_eq!(Reply::read(client).body, b"waited");
        victim.assert_stopped();
    });
}
