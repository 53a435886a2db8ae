//! Somebody between the hub and the others, who reads and changes what passes.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};

use pattoo_tests::{PATIENCE, wait_until};

use crate::site::{Agent, OURS, hub, hub_every, server, spoke};

/// What is done to a whole request, and to a whole answer.
struct Tricks {
    request: Box<dyn Fn(Vec<u8>) -> Vec<u8> + Send + Sync>,
    answer: Box<dyn Fn(Vec<u8>) -> Vec<u8> + Send + Sync>,
}

impl Tricks {
    fn none() -> Self {
        Self { request: Box::new(|bytes| bytes), answer: Box::new(|bytes| bytes) }
    }

    fn on_request(trick: impl Fn(Vec<u8>) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self { request: Box::new(trick), ..Self::none() }
    }

    fn on_answer(trick: impl Fn(Vec<u8>) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self { answer: Box::new(trick), ..Self::none() }
    }
}

/// Listens, and passes on to this port. Its threads end with the test.
fn middle(beyond: u16, tricks: Tricks) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let own = listener.local_addr().unwrap().port();
    let tricks = Arc::new(tricks);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tricks = Arc::clone(&tricks);
            std::thread::spawn(move || {
                // A hub that has given up is no fault of the middle.
                let _ = pass_on(stream, beyond, &tricks);
            });
        }
    });
    own
}

fn pass_on(mut from: TcpStream, beyond: u16, tricks: &Tricks) -> io::Result<()> {
    from.set_read_timeout(Some(PATIENCE))?;
    let mut request = Vec::new();
    let mut buffer = vec![0; 65_536];
    while !is_whole(&request) {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            count => request.extend_from_slice(&buffer[..count]),
        }
    }
    let mut to = TcpStream::connect((Ipv4Addr::LOCALHOST, beyond))?;
    to.set_read_timeout(Some(PATIENCE))?;
    to.write_all(&(tricks.request)(request))?;
    let mut answer = Vec::new();
    to.read_to_end(&mut answer)?;
    from.write_all(&(tricks.answer)(answer))
}

fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    request.len() >= end + 4 + length.map_or(0, |length| length.parse().unwrap())
}

/// Puts other bytes, as many, for the first that are found.
fn swap_text(mut bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "the length shall not tell");
    let found = bytes.windows(from.len()).position(|part| part == from.as_bytes());
    if let Some(at) = found {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

/// Waits for what the hub says of its only device.
#[track_caller]
fn expect_down(hub: &Agent, reason: &str) {
    hub.wait_for_log(reason);
    let log = hub.log();
    assert!(!log.contains(": up"), "{log}");
}

#[test]
fn who_only_looks_on_changes_nothing() {
    let (spoke, server) = (spoke("web1", Some(OURS)), server(Some(OURS), ""));
    let ports = [middle(spoke.port, Tricks::none()), middle(server.agent_port, Tricks::none())];
    let hub = hub(&[ports[0]], ports[1], Some(OURS));
    wait_until("a poll is stored", PATIENCE, || !server.series("uptime", "web1").is_empty());
    wait_until("the spool is empty", PATIENCE, || hub.spool() == (0, 0));
}

#[test]
fn a_changed_answer_of_a_spoke_is_seen() {
    let wrong = "its signature is wrong: it is of another secret, answers another request, or";
    for (from, to, reason) in [
        ("web1", "web9", "its body was changed on its way"),
        ("200 OK", "500 OK", wrong),
        ("Content-Digest: sha-256=:", "Content-Digest: sha-512=:", wrong),
        ("Signature: pattoo", "Signature: pattoX", "it is 200 and not signed"),
        ("created=1", "created=2", wrong),
    ] {
        let spoke = spoke("web1", Some(OURS));
        let port = middle(spoke.port, Tricks::on_answer(|bytes| swap_text(bytes, from, to)));
        expect_down(&hub(&[port], 1, Some(OURS)), reason);
    }
}

#[test]
fn a_changed_poll_is_refused() {
    let spoke = spoke("web1", Some(OURS));
    let trick =
        |bytes| swap_text(bytes, "GET /pattoo-agent-linux/1 ", "GET /pattoo-agent-linux/7 ");
    let port = middle(spoke.port, Tricks::on_request(trick));
    expect_down(&hub(&[port], 1, Some(OURS)), "it is 401 and not signed");
    assert!(spoke.log().contains("or changed on its way"), "{}", spoke.log());
}

#[test]
fn an_old_answer_is_no_answer_to_a_new_request() {
    let spoke = spoke("web1", Some(OURS));
    let first = Mutex::new(None);
    let trick = move |bytes: Vec<u8>| first.lock().unwrap().get_or_insert(bytes).clone();
    let port = middle(spoke.port, Tricks::on_answer(trick));
    // Time enough for the first: were the hub late for it, no answer would ever be right.
    let hub = hub_every(3, &[port], 1, Some(OURS));
    hub.wait_for_log(": up");
    hub.wait_for_log("its signature is wrong");
}

/// Two spokes whose answers, made at the same time, are each given to the other's
/// request. The ports are those that the hub asks.
fn swapped(secret: Option<&str>) -> (Agent, [Agent; 2], [u16; 2]) {
    let spokes = [spoke("web1", secret), spoke("web2", secret)];
    let ((to_second, from_first), (to_first, from_second)) = (mpsc::channel(), mpsc::channel());
    let exchange = |to: mpsc::Sender<Vec<u8>>, from: mpsc::Receiver<Vec<u8>>| {
        let both = Mutex::new((to, from));
        Tricks::on_answer(move |bytes: Vec<u8>| {
            let both = both.lock().unwrap();
            both.0.send(bytes).unwrap();
            both.1.recv_timeout(PATIENCE).unwrap_or_default()
        })
    };
    let ports = [
        middle(spokes[0].port, exchange(to_second, from_second)),
        middle(spokes[1].port, exchange(to_first, from_first)),
    ];
    (hub(&ports, 1, secret), spokes, ports)
}

#[test]
fn answers_that_are_swapped_between_two_requests_are_seen() {
    // Without a secret nobody notices, so the trick works.
    let (hub, _spokes, ports) = swapped(None);
    for port in ports {
        hub.wait_for_log(&format!("127.0.0.1:{port}: up"));
    }
    let (hub, _spokes, ports) = swapped(Some(OURS));
    for port in ports {
        let told =
            format!("127.0.0.1:{port}: down: the answer is not taken: its signature is wrong");
        hub.wait_for_log(&told);
    }
    let log = hub.log();
    assert!(!log.contains(": up"), "{log}");
}

#[test]
fn a_changed_answer_of_the_server_gives_no_batch_up() {
    let server = server(Some(OURS), "");
    for (from, to) in [("200 OK", "400 OK"), ("\r\n\r\nOK", "\r\n\r\nNO")] {
        let trick = Tricks::on_answer(|bytes| swap_text(bytes, from, to));
        let hub = hub(&[1], middle(server.agent_port, trick), Some(OURS));
        wait_until("batches are kept", PATIENCE, || hub.spool().0 >= 2);
        assert_eq!(hub.spool().1, 0, "none is set aside");
        hub.wait_for_log("does not take batches: the answer is not taken");
    }
}

#[test]
fn a_changed_post_is_refused_and_comes_again() {
    let server = server(Some(OURS), "");
    let spoke = spoke("web1", Some(OURS));
    let times = Mutex::new(0);
    let trick = move |bytes: Vec<u8>| {
        let mut times = times.lock().unwrap();
        *times += 1;
        if *times <= 2 { swap_text(bytes, "web1", "web9") } else { bytes }
    };
    let port = middle(server.agent_port, Tricks::on_request(trick));
    let hub = hub(&[spoke.port], port, Some(OURS));
    wait_until("what was meant is stored", PATIENCE, || {
        !server.series("uptime", "web1").is_empty()
    });
    wait_until("the spool is empty", PATIENCE, || hub.spool() == (0, 0));
    assert!(server.series("uptime", "web9").is_empty());
    assert!(server.log().contains("for another body"), "{}", server.log());
}
