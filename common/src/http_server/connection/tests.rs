use std::cell::Cell;
use std::time::Duration;

use super::*;
use crate::http_server::{Answer, Method};

/// A socket that has `sent` to read and takes `takes` bytes of each write.
#[derive(Default)]
struct Pipe {
    sent: Vec<u8>,
    is_ended: bool,
    takes: usize,
    got: Vec<u8>,
    is_shut: Cell<bool>,
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.sent.is_empty() && !self.is_ended {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = buffer.len().min(self.sent.len());
        buffer[..count].copy_from_slice(&self.sent[..count]);
        self.sent.drain(..count);
        Ok(count)
    }
}

impl Write for Pipe {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let count = self.takes.min(part.len());
        if count == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.got.extend_from_slice(&part[..count]);
        Ok(count)
    }

    fn write_vectored(&mut self, parts: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let whole: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        self.write(&whole)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Pipe {
    fn end_writing(&self) -> io::Result<()> {
        self.is_shut.set(true);
        Ok(())
    }
}

/// Takes the body of a `POST`, and of nothing else.
struct TakesPosts;

impl Handler for TakesPosts {
    fn answer(&self, _: &Request) -> Answer {
        panic!("only the gate hands requests over")
    }

    fn turn_away(&self, request: &Request) -> Option<Answer> {
        (request.method != Method::Post).then(|| answer::error(401, &request.path))
    }
}

struct Bench {
    connection: Connection<Pipe>,
    limits: Limits,
    now: Instant,
}

impl Bench {
    fn new(limits: Limits) -> Self {
        let pipe = Pipe { takes: usize::MAX, ..Pipe::default() };
        let now = Instant::now();
        let peer = SocketAddr::from(([127, 0, 0, 1], 4711));
        Self { connection: Connection::new(pipe, peer, now, &limits), limits, now }
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) -> Stage {
        self.connection.socket.sent.extend_from_slice(bytes.as_ref());
        self.read()
    }

    fn read(&mut self) -> Stage {
        let mut buffer = [0; 16 << 10];
        self.connection.read(self.now, &self.limits, &TakesPosts, &mut buffer);
        self.connection.stage()
    }

    fn answer(&mut self, body: &str) {
        let answer = answer::render(answer::json(200, body), false, "p/1");
        self.connection.answer(answer, self.now, &self.limits);
    }

    fn expire(&mut self) -> Stage {
        self.now = self.connection.deadline();
        self.connection.expire(self.now, &self.limits);
        self.connection.stage()
    }

    fn got(&self) -> String {
        String::from_utf8(self.connection.socket.got.clone()).unwrap()
    }

    fn got_status(&self, status: u16) -> bool {
        self.got().starts_with(&format!("HTTP/1.1 {status} "))
            && self.got().contains(r#"{"error":"#)
    }
}

#[test]
fn a_get_goes_through_its_stages() {
    let mut bench = Bench::new(Limits::spoke());
    assert_eq!(bench.read(), Stage::Head);
    assert_eq!(bench.send("GET / HTTP/1.1\r\n"), Stage::Head);
    assert!(bench.connection.held().heads > 0);
    assert_eq!(bench.send("\r\nand what is pipelined"), Stage::Whole);
    let (request, is_head) = bench.connection.take_request().unwrap();
    assert_eq!((request.path.as_str(), request.body.len(), is_head), ("/", 0, false));
    assert_eq!(bench.connection.stage(), Stage::Working);
    assert!(bench.connection.take_request().is_none());
    bench.connection.socket.takes = 4;
    bench.answer("answer");
    assert_eq!(bench.connection.stage(), Stage::Writing);
    assert!(bench.connection.held().answers > 6);
    assert!(!bench.connection.socket.is_shut.get());
    bench.connection.socket.takes = usize::MAX;
    bench.connection.write(bench.now);
    assert_eq!(bench.connection.stage(), Stage::Lingering);
    assert!(bench.got().starts_with("HTTP/1.1 200 ") && bench.got().ends_with("answer"));
    assert!(bench.connection.socket.is_shut.get());
    assert_eq!(bench.connection.held(), Held::default());
    assert_eq!(bench.send("what still comes"), Stage::Lingering);
    bench.connection.socket.is_ended = true;
    assert_eq!(bench.read(), Stage::Closed);
}

#[test]
fn a_client_that_sends_nothing_more_is_closed_at_once() {
    let mut bench = Bench::new(Limits::server());
    bench.send("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbo");
    assert_eq!(bench.send("dy"), Stage::Whole);
    bench.connection.take_request().unwrap();
    bench.answer("answer");
    assert_eq!(bench.connection.stage(), Stage::Closed);
    assert!(bench.got().ends_with("answer"));
}

#[test]
fn a_client_that_sent_more_meanwhile_is_not_reset() {
    let mut bench = Bench::new(Limits::server());
    assert_eq!(bench.send("GET / HTTP/1.1\r\n\r\n"), Stage::Whole);
    bench.connection.take_request().unwrap();
    bench.connection.socket.sent.extend_from_slice(b"GET / HTTP/1.1\r\n\r\n");
    bench.answer("answer");
    assert_eq!(bench.connection.stage(), Stage::Lingering);
}

#[test]
fn a_body_is_taken_to_its_length() {
    let mut bench = Bench::new(Limits::server());
    let head = "POST / HTTP/1.1\r\nContent-Length: 20000\r\n\r\nfirst";
    assert_eq!(bench.send(head), Stage::Body);
    assert_eq!((bench.connection.held().bodies, bench.connection.missing_bytes()), (5, 19_995));
    assert_eq!(bench.send(vec![b'x'; 25_000]), Stage::Body);
    assert_eq!(bench.connection.held().bodies, 5 + (16 << 10));
    assert_eq!(bench.read(), Stage::Whole);
    let (request, _) = bench.connection.take_request().unwrap();
    assert_eq!((request.body.len(), &request.body[..6]), (20_000, b"firstx".as_slice()));
    assert_eq!(request.body.capacity(), 20_000);
    assert_eq!(bench.got(), "", "nobody asked for 100 Continue");
}

#[test]
fn a_body_that_is_held_back_is_not_read() {
    let mut bench = Bench::new(Limits::server());
    bench.send("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n");
    bench.connection.hold_back();
    assert_eq!(bench.send("body"), Stage::HeldBack);
    assert_eq!(bench.connection.missing_bytes(), 9);
    bench.connection.let_go_on(bench.now);
    assert_eq!(bench.read(), Stage::Body);
    assert_eq!(bench.connection.missing_bytes(), 5);
}

#[test]
fn a_body_that_came_with_its_head_needs_no_more_reading() {
    let mut bench = Bench::new(Limits::server());
    let request = "POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nabcdef";
    assert_eq!(bench.send(request), Stage::Whole);
    assert_eq!(bench.connection.take_request().unwrap().0.body, b"ab");
    assert_eq!(bench.got(), "", "a client that has sent its body waits for nothing");
}

#[test]
fn a_client_that_waits_to_send_is_told() {
    let mut bench = Bench::new(Limits::server());
    bench.send("POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(bench.got(), "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(bench.send("ab"), Stage::Whole);
}

#[test]
fn bodies_are_refused_unread() {
    let mut bench = Bench::new(Limits::spoke());
    let post = |length| format!("POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n");
    assert_eq!(bench.send(post(1_000_000_000_000_u64)), Stage::Lingering);
    assert!(bench.got_status(405) && bench.got().contains("\r\nAllow: GET, HEAD, OPTIONS\r\n"));
    let mut bench = Bench::new(Limits::server());
    assert_eq!(bench.send(post((32 << 20) + 1)), Stage::Lingering);
    assert!(bench.got_status(413));
}

#[test]
fn who_is_turned_away_is_answered_before_its_body() {
    let head = "PUT /x HTTP/1.1\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n";
    let mut bench = Bench::new(Limits::server());
    assert_eq!(bench.send(head), Stage::Lingering);
    assert!(bench.got_status(401) && bench.got().ends_with(r#"{"error":"/x"}"#), "{}", bench.got());
    assert_eq!((bench.connection.held(), bench.connection.missing_bytes()), Default::default());
    // What came whole is for a worker, which looks at the body as well.
    let mut bench = Bench::new(Limits::server());
    assert_eq!(bench.send(head.to_owned() + "body body"), Stage::Whole);
}

#[test]
fn each_deadline_has_its_own_end() {
    let mut bench = Bench::new(Limits::server());
    assert_eq!(bench.expire(), Stage::Closed, "a client that said nothing is told nothing");
    assert_eq!(bench.got(), "");

    let mut bench = Bench::new(Limits::server());
    bench.send("GET");
    assert_eq!(bench.expire(), Stage::Lingering);
    assert!(bench.got_status(408));
    assert_eq!(bench.expire(), Stage::Closed);

    let mut bench = Bench::new(Limits::server());
    bench.send("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n");
    bench.connection.hold_back();
    bench.expire();
    assert!(bench.got_status(503), "no room in time");

    let mut bench = Bench::new(Limits::server());
    bench.send("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n");
    bench.expire();
    assert!(bench.got_status(408), "no body in time");

    let mut bench = Bench::new(Limits::server());
    bench.send("GET / HTTP/1.1\r\n\r\n");
    bench.connection.take_request().unwrap();
    bench.expire();
    assert!(bench.got_status(503), "no answer in time");

    let mut bench = Bench::new(Limits::server());
    bench.connection.socket.takes = 1;
    bench.answer("answer");
    assert_eq!(bench.expire(), Stage::Closed, "an answer that is not taken");
}

#[test]
fn a_client_that_stops_half_way_is_told() {
    let mut bench = Bench::new(Limits::server());
    bench.connection.socket.is_ended = true;
    assert_eq!(bench.send("GET / HT"), Stage::Head);
    assert_eq!(bench.read(), Stage::Lingering);
    assert!(bench.got_status(400));
}

#[test]
fn what_is_drained_is_bounded() {
    let mut bench = Bench::new(Limits::server());
    assert_eq!(bench.send("GET / HTTP/2.0\r\n"), Stage::Lingering);
    let sent = (0..1000).take_while(|_| bench.send([0; 1 << 10]) == Stage::Lingering).count();
    assert_eq!(sent, LINGER_BYTES / (1 << 10) - 1);
}

#[test]
fn a_body_that_hardly_comes_is_stalled() {
    let mut bench = Bench::new(Limits::server());
    bench.send("POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n");
    let second = Duration::from_millis(1001);
    assert!(!bench.connection.is_stalled(bench.now), "everyone has a grace");
    assert!(bench.connection.is_stalled(bench.now + second));
    bench.now += second;
    bench.send([0; 1000]);
    assert!(bench.connection.is_stalled(bench.now), "too little came");
    for _ in 0..4 {
        bench.send([0; 16 << 10]);
    }
    assert!(!bench.connection.is_stalled(bench.now));
    bench.connection.hold_back();
    bench.now += second;
    assert!(!bench.connection.is_stalled(bench.now), "it is not its fault");
}
