//! What goes onto the wire: handlers' answers, and the gate's own refusals.

use std::io::{self, Write};

use tiny_http::{HTTPVersion, Header};

use super::Answer;

/// Room for a status line and the usual headers.
const HEAD_GUESS_BYTES: usize = 512;

/// An answer whose body is this JSON text.
pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    with_header(Answer::from_data(body), "Content-Type", "application/json")
        .with_status_code(status)
}

/// An error as every part of Pattoo tells it: `{"error": "..."}`.
pub fn error(status: u16, message: &str) -> Answer {
    json(status, serde_json::json!({ "error": message }).to_string())
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

    pub(super) fn render(&self, without_body: bool, product: &'static str) -> Vec<u8> {
        let mut answer = error(self.status, self.reason);
        if let Some(allow) = self.allow {
            answer = with_header(answer, "Allow", allow);
        }
        render(answer, without_body, product)
    }
}

/// The bytes of an answer, for a client that gets no other on its connection.
/// `without_body` is for `HEAD`: the headers are those of the whole answer.
pub(super) fn render(mut answer: Answer, without_body: bool, product: &'static str) -> Vec<u8> {
    if !answer.headers().iter().any(|header| header.field.equiv("Server")) {
        answer = with_header(answer, "Server", product);
    }
    let body = answer.data_length();
    // A body of unknown length goes out chunked under 1.1, and whole under 1.0.
    let version = if body.is_some() { HTTPVersion(1, 1) } else { HTTPVersion(1, 0) };
    let room = HEAD_GUESS_BYTES + if without_body { 0 } else { body.unwrap_or(0) };
    let mut wire = Wire { bytes: Vec::with_capacity(room), is_closing: false };
    let printed = answer.with_chunked_threshold(usize::MAX).raw_print(
        &mut wire,
        version,
        &[],
        without_body,
        None,
    );
    debug_assert!(printed.is_ok(), "memory takes every byte");
    wire.bytes
}

fn with_header(mut answer: Answer, name: &str, value: &str) -> Answer {
    // Only text that is no ASCII fails, and a header less is no reason to fail.
    if let Ok(header) = Header::from_bytes(name, value) {
        answer.add_header(header);
    }
    answer
}

/// Takes what `tiny_http` prints, and puts `Connection: close` under the status
/// line, which `tiny_http` refuses to let its callers set.
struct Wire {
    bytes: Vec<u8>,
    is_closing: bool,
}

impl Write for Wire {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(part);
        if !self.is_closing
            && let Some(end) = self.bytes.windows(2).position(|pair| pair == b"\r\n")
        {
            self.bytes.splice(end..end, *b"\r\nConnection: close");
            self.is_closing = true;
        }
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(answer: Answer, without_body: bool) -> String {
        String::from_utf8(render(answer, without_body, "pattoo-test/1")).unwrap()
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
        let text = String::from_utf8(refusal.render(false, "p/1")).unwrap();
        assert!(text.starts_with("HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\n"));
        assert!(text.contains("\r\nAllow: GET\r\n"));
        assert!(text.ends_with(r#"{"error":"no \"bodies\""}"#));
    }

    #[test]
    fn a_body_of_unknown_length_is_told_and_not_chunked() {
        let answer = Answer::new(200.into(), vec![], io::Cursor::new(b"abc".to_vec()), None, None);
        let text = text(answer, false);
        assert!(text.starts_with("HTTP/1.0 200 OK\r\n"));
        assert!(text.contains("\r\nContent-Length: 3\r\n") && text.ends_with("\r\n\r\nabc"));
    }
}
