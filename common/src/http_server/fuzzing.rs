//! What the fuzzer of `fuzz/` asks of the gate. Only built for it.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "so the fuzzer learns of a fault"
)]

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use super::answer::{Refusal, json, render};
use super::connection::{Connection, Stage, Stream};
use super::head::{Head, HeadReader};
use super::limits::{HEAD_BYTES, HEADER_LINES, Limits, READ_BYTES};
use super::{Answer, Handler, Request};

/// Whatever a stranger sends, and in whatever pieces: it is refused, or it is a
/// request within the limits, and the same one in any pieces.
pub fn request(bytes: &[u8]) {
    let whole = head(bytes, usize::MAX);
    let in_pieces = head(bytes, 1 + bytes.len() % 7);
    assert_eq!(whole, in_pieces);
    if let Ok(Some((head, used))) = &whole {
        assert!(*used <= HEAD_BYTES && head.headers.len() <= HEADER_LINES);
        assert!(head.path.is_ascii() && (head.path.starts_with('/') || head.path == "*"));
        assert!(!head.path.contains(['?', ' ', '\r', '\n']));
        assert!(head.headers.iter().all(|(name, value)| {
            !name.is_empty() && !name.contains(['\r', '\n', ' ']) && !value.contains(['\r', '\n'])
        }));
    }
    for mut limits in [Limits::spoke(), Limits::server()] {
        limits.body_bytes = limits.body_bytes.min(READ_BYTES);
        connection(bytes, &limits);
    }
}

/// The request that these bytes are, if they are one with its whole body.
pub(crate) fn request_of(bytes: &[u8]) -> Option<Request> {
    let (head, used) = head(bytes, usize::MAX).ok()??;
    let body = bytes[used..].get(..usize::try_from(head.body_bytes).ok()?)?.to_vec();
    let Head { method, path, query, headers, .. } = head;
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    Some(Request { method, path, query, headers, body, peer })
}

/// The head and how many bytes it took, given at most `piece` bytes at once.
fn head(bytes: &[u8], piece: usize) -> Result<Option<(Head, usize)>, Refusal> {
    let mut reader = HeadReader::default();
    let mut taken = 0;
    while taken < bytes.len() {
        let count = piece.min(reader.room()).min(bytes.len() - taken);
        let part = &bytes[taken..taken + count];
        taken += count;
        if let Some((head, rest)) = reader.push(part)? {
            return Ok(Some((head, taken - rest.len())));
        }
    }
    Ok(None)
}

/// Turns nobody away.
struct Takes;

impl Handler for Takes {
    fn answer(&self, _: &Request) -> Answer {
        json(200, "[1, 2]")
    }
}

/// A client that sends these bytes, then nothing more, and takes its answer in pieces.
fn connection(bytes: &[u8], limits: &Limits) {
    let now = Instant::now();
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let script = Script { unread: bytes, takes: 1 + bytes.len() % 100, got: Vec::new() };
    let mut client = Connection::new(script, peer, now, limits);
    let mut buffer = [0; 4096];
    let mut has_answered = false;
    for _ in 0..10_000 + 2 * bytes.len() {
        match client.stage() {
            Stage::Closed => break,
            Stage::Whole => {
                let (request, without_body) = client.take_request().unwrap();
                assert!(request.body.len() <= limits.body_bytes);
                assert!(
                    bytes
                        .windows(request.body.len().max(1))
                        .any(|part| { request.body.is_empty() || part == request.body })
                );
                let answer = render(json(200, "[1, 2]"), without_body, limits.product);
                client.answer(answer, now, limits);
                has_answered = true;
            }
            Stage::Writing => client.write(now),
            Stage::HeldBack | Stage::Working => panic!("only the gate does that"),
            // Nothing more comes: its time passes.
            Stage::Head | Stage::Body | Stage::Lingering if client.socket().unread.is_empty() => {
                client.expire(now + Duration::from_hours(1), limits);
            }
            Stage::Head | Stage::Body | Stage::Lingering => {
                client.read(now, limits, &Takes, &mut buffer);
            }
        }
    }
    assert_eq!(client.stage(), Stage::Closed, "every connection ends");
    let got = &client.socket().got;
    assert!(got.is_empty() || got.starts_with(b"HTTP/1.1 "));
    assert!(!has_answered || got.windows(8).any(|part| part == b"HTTP/1.1"));
}

/// A socket that has these bytes to read and takes some at each write.
struct Script<'a> {
    unread: &'a [u8],
    takes: usize,
    got: Vec<u8>,
}

impl Read for Script<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.unread.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.unread.read(buffer)
    }
}

impl Write for Script<'_> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let count = self.takes.min(part.len());
        self.got.extend_from_slice(&part[..count]);
        Ok(count)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let first = parts.iter().find(|part| !part.is_empty());
        first.map_or(Ok(0), |part| self.write(part))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Script<'_> {
    fn end_writing(&self) -> io::Result<()> {
        Ok(())
    }
}
