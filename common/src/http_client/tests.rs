//! The client against servers that do not behave, on loopback.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::*;

const LIMIT: usize = 1_000;

/// A server of one connection, which `script` answers. `script` gets the stream
/// after the head of the request was read.
struct Server {
    address: SocketAddr,
    thread: JoinHandle<Vec<u8>>,
}

impl Server {
    fn start(script: impl FnOnce(&mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("its address");
        let thread = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let head = read_head(&mut stream);
            script(&mut stream);
            head
        });
        Self { address, thread }
    }

    /// A server that sends `answer` and closes.
    fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |stream| {
            // The client may have seen enough before everything is sent.
            let _ = stream.write_all(&answer);
        })
    }

    fn get(self, limit: usize, time: Duration) -> Result<Reply, ClientError> {
        let result = get(unsigned(&self.address, "test"), "/path", limit, Instant::now() + time);
        self.thread.join().expect("the server's script");
        result
    }
}

fn unsigned<'a>(address: &'a SocketAddr, host_header: &'a str) -> Peer<'a> {
    Peer { address, host_header, secrets: None }
}

fn read_head(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).expect("a request") == 1 {
        head.push(byte[0]);
    }
    head
}

/// Waits until the client has closed.
fn wait_for_close(stream: &mut TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

/// Long enough for every answer that comes at all.
const PATIENT: Duration = Duration::from_secs(30);
/// For servers that never end: the test waits so long, and what comes before the step
/// that never ends must be done by then.
const SHORT: Duration = Duration::from_secs(3);

fn ask(answer: &str) -> Result<Reply, ClientError> {
    Server::answering(answer).get(LIMIT, PATIENT)
}

#[test]
fn a_good_answer() {
    let reply = ask("HTTP/1.1 200 OK\r\nServer: pattood/1\r\nContent-Length: 5\r\n\r\nhello");
    let reply = reply.expect("an answer");
    assert_eq!((reply.status, reply.body.as_slice()), (200, b"hello".as_slice()));
    assert_eq!(reply.header("SERVER"), Some("pattood/1"));
    assert_eq!(reply.header("Date"), None);
}

#[test]
fn the_request_arrives_whole() {
    let server = Server::start(|stream| {
        let mut body = [0; 4];
        stream.read_exact(&mut body).expect("a body");
        assert_eq!(&body, b"data");
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK").expect("sent");
    });
    let deadline = Instant::now() + PATIENT;
    let reply = post(
        unsigned(&server.address, "[::1]:1"),
        "/receive/a",
        "application/json",
        b"data",
        9,
        deadline,
    );
    assert_eq!(reply.expect("an answer").body, b"OK");
    let head = String::from_utf8(server.thread.join().expect("the script")).expect("text");
    assert!(head.starts_with("POST /receive/a HTTP/1.1\r\nHost: [::1]:1\r\n"), "{head}");
    assert!(head.contains("\r\nContent-Length: 4\r\n"), "{head}");
    assert!(head.contains("\r\nConnection: close\r\n"), "{head}");
}

#[test]
fn without_a_length_the_body_ends_with_the_connection() {
    let body = ask("HTTP/1.0 200 OK\n\nto the end").expect("an answer").body;
    assert_eq!(body, b"to the end");
}

#[test]
fn chunks_are_joined() {
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                  5;name=value\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n";
    assert_eq!(ask(answer).expect("an answer").body, b"hello world");
}

#[test]
fn a_large_answer_in_many_chunks() {
    let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let mut expected = Vec::new();
    for (number, letter) in (1..500_usize).zip((b'a'..=b'z').cycle()) {
        let chunk = vec![letter; number];
        answer.extend_from_slice(format!("{number:x}\r\n").as_bytes());
        answer.extend_from_slice(&chunk);
        answer.extend_from_slice(b"\r\n");
        expected.extend_from_slice(&chunk);
    }
    answer.extend_from_slice(b"0\r\n\r\n");
    let reply = Server::answering(answer).get(expected.len(), PATIENT).expect("an answer");
    assert!(reply.body == expected);
}

#[test]
fn a_redirect_is_returned_and_not_followed() {
    let reply =
        ask("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    let reply = reply.expect("an answer");
    assert_eq!((reply.status, reply.header("location")), (302, Some("http://127.0.0.1:1/")));
}

#[test]
fn informational_answers_are_skipped() {
    let answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n\
                  HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
    assert_eq!(ask(answer).expect("an answer").body, b"x");
    let endless = "HTTP/1.1 100 Continue\r\n\r\n".repeat(100);
    assert!(matches!(ask(&endless), Err(ClientError::Malformed(_))));
}

#[test]
fn the_limit_is_exact() {
    let length = |bytes: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n");
    let to_end = "HTTP/1.1 200 OK\r\n\r\n";
    let chunk = |bytes: usize| {
        let coded = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        format!("{coded}1\r\nx\r\n{:x}\r\n{}\r\n0\r\n\r\n", bytes - 1, "x".repeat(bytes - 1))
    };
    let body = |bytes: usize| "x".repeat(bytes);
    for fits in [length(LIMIT) + &body(LIMIT), to_end.to_owned() + &body(LIMIT), chunk(LIMIT)] {
        assert_eq!(ask(&fits).expect("it fits").body.len(), LIMIT);
    }
    let over = LIMIT + 1;
    for over in [length(over) + &body(over), to_end.to_owned() + &body(over), chunk(over)] {
        assert!(matches!(ask(&over), Err(ClientError::TooLarge { limit_bytes: LIMIT })));
    }
}

#[test]
fn an_announced_terabyte_is_refused_at_once() {
    let server = Server::start(|stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
            .expect("sent");
        wait_for_close(stream);
    });
    assert!(matches!(server.get(LIMIT, PATIENT), Err(ClientError::TooLarge { .. })));
}

#[test]
fn an_endless_body_is_left() {
    let server = Server::start(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    assert!(matches!(server.get(100_000, PATIENT), Err(ClientError::TooLarge { .. })));
}

#[test]
fn half_a_document_is_an_error() {
    let cut = ask("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"pattoo_agent_id\"");
    let expected = ClientError::Truncated { received: 18, announced: Some(100) };
    assert_eq!(cut.expect_err("half").to_string(), expected.to_string());
    for cut in ["5\r\nhel", "5\r\nhello\r\n", "5", "5\r\nhello\r\n0"] {
        let answer = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{cut}");
        assert!(matches!(ask(&answer), Err(ClientError::Truncated { .. })), "{cut:?}");
    }
}

#[test]
fn broken_chunks_are_refused() {
    for broken in ["x\r\n", "5\r\nhelloXX", "ffffffffffffffffff\r\n", &"0".repeat(300)] {
        let answer = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{broken}");
        assert!(matches!(ask(&answer), Err(ClientError::Malformed(_))), "{broken:?}");
    }
}

#[test]
fn what_is_no_http_is_refused() {
    assert!(matches!(ask("220 mail.example.org ESMTP\r\n"), Err(ClientError::Malformed(_))));
    assert!(matches!(ask("\0\u{1}\u{2}\r\n\r\n"), Err(ClientError::Malformed(_))));
    assert!(matches!(ask("HTTP/1.1 200 OK\r\nContent-Le"), Err(ClientError::Closed)));
    assert!(matches!(ask(""), Err(ClientError::Closed)));
}

#[test]
fn an_endless_head_is_left() {
    for line in ["X", "A: b\r\n"] {
        let server = Server::start(move |stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
            while stream.write_all(line.repeat(1_000).as_bytes()).is_ok() {}
        });
        let result = server.get(LIMIT, PATIENT);
        assert!(matches!(result, Err(ClientError::HeadTooLarge | ClientError::Malformed(_))));
    }
}

#[test]
fn a_server_that_hangs_costs_the_deadline_and_no_more() {
    let silent = Server::start(wait_for_close);
    assert!(matches!(silent.get(LIMIT, SHORT), Err(ClientError::Deadline(Step::Head))));
    let half = Server::start(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").expect("sent");
        wait_for_close(stream);
    });
    assert!(matches!(half.get(LIMIT, SHORT), Err(ClientError::Deadline(Step::Body))));
}

/// A byte now and then shall not prolong the deadline.
#[test]
fn a_server_that_dribbles_costs_the_deadline_and_no_more() {
    let server = Server::start(|stream| {
        stream.set_read_timeout(Some(Duration::from_millis(5))).expect("a timeout");
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        // Reading nothing is the pause; reading the end is the client's farewell.
        while stream.read(&mut [0]).is_err() && stream.write_all(b"x").is_ok() {}
    });
    assert!(matches!(server.get(1 << 30, SHORT), Err(ClientError::Deadline(Step::Body))));
}

#[test]
fn a_server_that_does_not_read_costs_the_deadline_and_no_more() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("its address");
    let body = vec![b'x'; 64 << 20];
    let result = post(unsigned(&address, "test"), "/", "a/b", &body, LIMIT, Instant::now() + SHORT);
    assert!(matches!(result, Err(ClientError::Deadline(Step::Send))), "{result:?}");
}

#[test]
fn a_reset_is_an_error() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("its address");
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        // Closing with unread bytes resets the connection.
        stream.peek(&mut [0]).expect("a request");
    });
    let result = get(unsigned(&address, "test"), "/", LIMIT, Instant::now() + PATIENT);
    server.join().expect("the server's script");
    assert!(matches!(result, Err(ClientError::Receive(_))), "{result:?}");
}

#[test]
fn a_refused_connection_is_an_error() {
    // A port that was given up could be somebody else's by now.
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let result = get(unsigned(&address, "test"), "/", LIMIT, Instant::now() + PATIENT);
    assert!(matches!(result, Err(ClientError::Connect(_))), "{result:?}");
}

#[test]
fn a_deadline_in_the_past_connects_to_nobody() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("its address");
    let result = get(unsigned(&address, "test"), "/", LIMIT, Instant::now());
    assert!(matches!(result, Err(ClientError::Deadline(Step::Connect))), "{result:?}");
    listener.set_nonblocking(true).expect("non-blocking");
    assert!(listener.accept().is_err());
}

/// A body that is refused before it is read: the answer is told, not the broken pipe.
#[test]
fn an_early_refusal_is_told() {
    let server = Server::start(|stream| {
        let answer = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(answer).expect("sent");
        stream.shutdown(std::net::Shutdown::Write).expect("shut");
        wait_for_close(stream);
    });
    let body = vec![b'x'; 8 << 20];
    let deadline = Instant::now() + PATIENT;
    let result = post(unsigned(&server.address, "test"), "/", "a/b", &body, LIMIT, deadline);
    assert_eq!(result.expect("the refusal").status, 413);
    server.thread.join().expect("the server's script");
}

#[test]
fn ipv6_works() {
    // A machine without IPv6 has nothing to test here.
    let Ok(listener) = TcpListener::bind(("::1", 0)) else { return };
    let address = listener.local_addr().expect("its address");
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let head = read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx").expect("sent");
        head
    });
    let host = Address { host: "::1".to_owned(), port: address.port() };
    let deadline = Instant::now() + PATIENT;
    let reply =
        get(unsigned(&address, &host.host_header()), "/", LIMIT, deadline).expect("an answer");
    assert_eq!(reply.body, b"x");
    let head = String::from_utf8(server.join().expect("the script")).expect("text");
    assert!(head.contains(&format!("Host: [::1]:{}\r\n", address.port())), "{head}");
}

/// Asks for `answer` in a room that grants at most `granted` bytes; what was asked
/// for, and what came of it.
fn get_in_room_of(
    granted: usize,
    answer: impl Into<Vec<u8>>,
) -> (Vec<usize>, Result<Reply, ClientError>) {
    let server = Server::answering(answer);
    let asked = std::cell::RefCell::new(Vec::new());
    let room = |bytes| {
        asked.borrow_mut().push(bytes);
        bytes <= granted
    };
    let deadline = Instant::now() + PATIENT;
    let result = get_in_room(unsigned(&server.address, "test"), "/path", LIMIT, deadline, &room);
    server.thread.join().expect("the server's script");
    (asked.into_inner(), result)
}

#[test]
fn room_is_asked_for_once_and_for_all_that_may_come() {
    let (asked, result) =
        get_in_room_of(LIMIT, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!((asked, result.unwrap().body), (vec![5], b"hello".to_vec()));
    let (asked, result) = get_in_room_of(LIMIT, "HTTP/1.1 200 OK\r\n\r\nhello");
    assert_eq!((asked, result.unwrap().body), (vec![LIMIT], b"hello".to_vec()));
}

#[test]
fn without_room_there_is_no_answer() {
    let (asked, result) = get_in_room_of(4, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(asked, [5]);
    assert!(matches!(result, Err(ClientError::NoRoom)), "{result:?}");
    // What is too large anyway is not asked for.
    let (asked, result) = get_in_room_of(4, "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n");
    assert!(asked.is_empty());
    assert!(matches!(result, Err(ClientError::TooLarge { .. })), "{result:?}");
}
