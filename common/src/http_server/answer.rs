//! What goes onto the wire: handlers' answers, and the gate's own refusals.

use std::io::{self, IoSlice, Write};

use tiny_http::{HTTPVersion, Header, Response, StatusCode};

use super::Answer;
use super::limits::WRITE_BYTES;
use crate::document::push_text;
use crate::wall_clock;

/// Room for a status line and the usual headers, so that printing them seldom
/// allocates twice.
const HEAD_GUESS_BYTES: usize = 512;

/// When to try again what the gate could not do in time.
const RETRY_SECONDS: &str = "5";

/// An answer whose body is this JSON text.
pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    with_header(Answer::from_data(body), "Content-Type", "application/json")
        .with_status_code(status)
}

/// An error as every part of Pattoo tells it: `{"error": "..."}`.
pub fn error(status: u16, message: &str) -> Answer {
    let mut body = br#"{"error":"#.to_vec();
    push_text(&mut body, message);
    body.push(b'}');
    json(status, body)
}

/// Why the gate refuses a request: the answer in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) reason: &'static str,
    /// The `Allow` header that a 405 must have.
    pub(super) allow: Option<&'static str>,
}

impl Refusal {
    pub(super) fn new(status: u16, reason: &'static str) -> Self {
        Self { status, reason, allow: None }
    }

    pub(super) fn render(&self, without_body: bool, product: &'static str) -> Rendered {
        let mut answer = error(self.status, self.reason);
        if let Some(allow) = self.allow {
            answer = with_header(answer, "Allow", allow);
        }
        if self.status == 503 {
            answer = with_header(answer, "Retry-After", RETRY_SECONDS);
        }
        render(answer, without_body, product)
    }
}

/// An answer as it goes onto the wire. The body is the handler's own memory: answers
/// may be big, and are not copied.
#[derive(Debug, Default)]
pub(super) struct Rendered {
    head: Vec<u8>,
    body: Vec<u8>,
    written: usize,
}

impl Rendered {
    /// What it takes of memory.
    pub(super) fn held_bytes(&self) -> usize {
        self.head.capacity() + self.body.capacity()
    }

    pub(super) fn is_written(&self) -> bool {
        self.written == self.head.len() + self.body.len()
    }

    /// Writes once, as much as `socket` takes of [`WRITE_BYTES`] or of the head, and
    /// gives how much that was.
    pub(super) fn write_to(&mut self, socket: &mut impl Write) -> io::Result<usize> {
        let of_head = self.written.min(self.head.len());
        let (head, body) = (&self.head[of_head..], &self.body[self.written - of_head..]);
        let body = &body[..body.len().min(WRITE_BYTES)];
        let count = socket.write_vectored(&[IoSlice::new(head), IoSlice::new(body)])?;
        self.written += count;
        Ok(count)
    }
}

/// The date of an answer where the clock stands outside of what can be written.
const EPOCH: &str = "Thu, 01 Jan 1970 00:00:00 GMT";

/// Renders an answer for a client that gets no other on its connection.
/// `without_body` is for `HEAD`: the headers are those of the whole answer.
pub(super) fn render(answer: Answer, without_body: bool, product: &'static str) -> Rendered {
    let (status, mut headers) = (answer.status_code(), answer.headers().to_vec());
    if !headers.iter().any(|header| header.field.equiv("Server")) {
        headers.extend(Header::from_bytes("Server", product));
    }
    // `tiny_http` would panic over the date that it puts in otherwise.
    if !wall_clock::has_http_date() {
        headers.extend(Header::from_bytes("Date", EPOCH));
    }
    let mut body = answer.into_reader().into_inner();
    let head = head(status, headers, body.len());
    if without_body {
        body = Vec::new();
    }
    Rendered { head, body, written: 0 }
}

/// Has `tiny_http` print status line and headers. It refuses to let its callers set
/// `Connection: close`, so that is put under the status line afterwards.
fn head(status: StatusCode, headers: Vec<Header>, body_bytes: usize) -> Vec<u8> {
    let mut head = Vec::with_capacity(HEAD_GUESS_BYTES);
    // As if for HEAD: the body goes its own way.
    let printed = Response::new(status, headers, io::empty(), Some(body_bytes), None)
        .with_chunked_threshold(usize::MAX)
        .raw_print(&mut head, HTTPVersion(1, 1), &[], true, None);
    debug_assert!(printed.is_ok(), "memory takes every byte");
    if let Some(end) = head.windows(2).position(|pair| pair == b"\r\n") {
        head.splice(end..end, *b"\r\nConnection: close");
    }
    head
}

/// An answer with one header more.
pub fn with_header(mut answer: Answer, name: &str, value: &str) -> Answer {
    // Only text that is no ASCII fails, and a header less is no reason to fail.
    if let Ok(header) = Header::from_bytes(name, value) {
        answer.add_header(header);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(mut rendered: Rendered) -> String {
        let mut wire = Vec::new();
        rendered.write_to(&mut wire).unwrap();
        assert!(rendered.is_written());
        String::from_utf8(wire).unwrap()
    }

    fn text(answer: Answer, without_body: bool) -> String {
        text_of(render(answer, without_body, "pattoo-test/1"))
    }

    #[test]
    fn an_answer_has_a_length_a_date_a_server_and_closes() {
        let body = "x".repeat(100_000);
        let text = text(Answer::from_data(body.clone()), false);
        let (head, rest) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(rest, body);
        let mut lines = head.split("\r\n");
        assert_eq!(lines.next(), Some("HTTP/1.1 200 OK"));
        let mut names: Vec<&str> = lines.map(|line| line.split_once(": ").unwrap().0).collect();
        names.sort_unstable();
        assert_eq!(names, ["Connection", "Content-Length", "Date", "Server"]);
        assert!(head.contains("\r\nServer: pattoo-test/1"));
        assert!(head.contains("\r\nContent-Length: 100000"));
    }

    #[test]
    fn head_has_the_length_and_no_body() {
        let text = text(json(200, "[1, 2]"), true);
        assert!(text.contains("\r\nContent-Length: 6\r\n"));
        assert!(text.ends_with("\r\n\r\n"));
    }

    #[test]
    fn a_refusal_is_json_and_may_say_what_is_allowed() {
        let refusal = Refusal { status: 405, reason: "no \"bodies\"", allow: Some("GET") };
        let text = text_of(refusal.render(false, "p/1"));
        assert!(text.starts_with("HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\n"));
        assert!(text.contains("\r\nAllow: GET\r\n"));
        assert!(text.ends_with(r#"{"error":"no \"bodies\""}"#));
    }

    #[test]
    fn an_answer_is_written_in_whatever_pieces_the_socket_takes() {
        let mut rendered = render(json(200, "[1, 2]"), false, "p/1");
        let (mut wire, mut pieces) = (Vec::new(), 0);
        while !rendered.is_written() {
            let mut piece = [0; 7];
            let count = rendered.write_to(&mut piece.as_mut_slice()).unwrap();
            wire.extend_from_slice(&piece[..count]);
            pieces += 1;
        }
        assert!(wire.starts_with(b"HTTP/1.1 200 OK\r\n") && wire.ends_with(b"\r\n\r\n[1, 2]"));
        assert_eq!(pieces, wire.len().div_ceil(7));
    }
}
