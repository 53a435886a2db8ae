//! The state of one client, from the first byte of its head to the last of its
//! answer. It knows no other client: who may go on is decided by the gate.

use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Instant;

use tiny_http::Method;

use super::answer::{self, Refusal, Rendered};
use super::body::Body;
use super::budget::Held;
use super::head::{Head, HeadReader};
use super::limits::{LINGER_BYTES, LINGER_TIME, Limits};
use super::{Handler, Request};

/// What a client waits for that sent `Expect: 100-continue`.
const GO_ON: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What a connection does next, and what the gate is to do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The head is being read.
    Head,
    /// The body is being read.
    Body,
    /// There is more of the body to read, and no room for it.
    HeldBack,
    /// The request is whole, and waits for a worker.
    Whole,
    /// A worker has the request.
    Working,
    /// The answer is being written.
    Writing,
    /// The answer is written, and what the client still sends is thrown away.
    Lingering,
    /// Over.
    Closed,
}

enum State {
    Head(HeadReader),
    Body(Body),
    HeldBack(Body),
    Whole(Request),
    Working,
    Writing(Rendered),
    Lingering { drained: usize },
    Closed,
}

/// What a connection needs of a socket that does not block.
pub(super) trait Stream: Read + Write {
    /// Says to the peer that nothing more will come.
    fn end_writing(&self) -> io::Result<()>;
}

impl Stream for TcpStream {
    fn end_writing(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

pub(super) struct Connection<S> {
    socket: S,
    peer: SocketAddr,
    state: State,
    deadline: Instant,
    /// What its head took when it was read; held until the request is answered.
    head_bytes: usize,
    /// The request is a `HEAD`: its answer has no body.
    is_head: bool,
    /// The client has sent, or may be sending, more than is read of it.
    is_sending_more: bool,
}

impl<S: Stream> Connection<S> {
    pub(super) fn new(socket: S, peer: SocketAddr, now: Instant, limits: &Limits) -> Self {
        Self {
            socket,
            peer,
            state: State::Head(HeadReader::default()),
            deadline: now + limits.head_time,
            head_bytes: 0,
            is_head: false,
            is_sending_more: true,
        }
    }

    pub(super) fn socket(&self) -> &S {
        &self.socket
    }

    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// When its present stage must be over.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    pub(super) fn stage(&self) -> Stage {
        match self.state {
            State::Head(_) => Stage::Head,
            State::Body(_) => Stage::Body,
            State::HeldBack(_) => Stage::HeldBack,
            State::Whole(_) => Stage::Whole,
            State::Working => Stage::Working,
            State::Writing(_) => Stage::Writing,
            State::Lingering { .. } => Stage::Lingering,
            State::Closed => Stage::Closed,
        }
    }

    /// What it holds of memory.
    pub(super) fn held(&self) -> Held {
        let heads = self.head_bytes;
        match &self.state {
            State::Head(reader) => Held { heads: reader.held_bytes(), ..Held::default() },
            // Of what was allocated for a body only the filled part takes memory.
            State::Body(body) | State::HeldBack(body) => {
                Held { heads, bodies: body.arrived(), answers: 0 }
            }
            State::Whole(request) => Held { heads, bodies: request.body.len(), answers: 0 },
            State::Writing(answer) => Held { answers: answer.held_bytes(), ..Held::default() },
            State::Working | State::Lingering { .. } | State::Closed => Held::default(),
        }
    }

    /// How much of its body is still to come.
    pub(super) fn missing_bytes(&self) -> usize {
        match &self.state {
            State::Body(body) | State::HeldBack(body) => body.missing(),
            _ => 0,
        }
    }

    /// Whether a body that may come does not come, or hardly.
    pub(super) fn is_stalled(&self, now: Instant) -> bool {
        matches!(&self.state, State::Body(body) if body.is_stalled(now))
    }

    /// Reads no more of the body for now.
    pub(super) fn hold_back(&mut self) {
        self.state = match mem::replace(&mut self.state, State::Closed) {
            State::Body(body) => State::HeldBack(body),
            other => other,
        };
    }

    /// Reads on where it was held back.
    pub(super) fn let_go_on(&mut self, now: Instant) {
        self.state = match mem::replace(&mut self.state, State::Closed) {
            State::HeldBack(mut body) => {
                body.forgive(now);
                State::Body(body)
            }
            other => other,
        };
    }

    /// Reads once, as much as `buffer` takes. Gives what the client was refused for.
    pub(super) fn read(
        &mut self,
        now: Instant,
        limits: &Limits,
        handler: &dyn Handler,
        buffer: &mut [u8],
    ) -> Option<Refusal> {
        let wanted = match &self.state {
            State::Head(reader) => reader.room(),
            State::Body(body) => body.missing(),
            State::Lingering { .. } => buffer.len(),
            _ => return None,
        };
        let wanted = wanted.min(buffer.len());
        match self.socket.read(&mut buffer[..wanted]) {
            Ok(0) => self.ended(now, limits),
            Ok(count) => self.received(&buffer[..count], now, limits, handler),
            Err(error) if is_passing(&error) => None,
            Err(_) => {
                self.close();
                None
            }
        }
    }

    /// The client sends nothing more. It may still read.
    fn ended(&mut self, now: Instant, limits: &Limits) -> Option<Refusal> {
        let has_begun = match &self.state {
            State::Head(reader) => !reader.is_empty(),
            State::Body(_) => true,
            _ => false,
        };
        if !has_begun {
            self.close();
            return None;
        }
        let refusal = Refusal::new(400, "the request ended before it was whole");
        Some(self.refuse(refusal, now, limits))
    }

    fn received(
        &mut self,
        part: &[u8],
        now: Instant,
        limits: &Limits,
        handler: &dyn Handler,
    ) -> Option<Refusal> {
        match &mut self.state {
            State::Head(reader) => match reader.push(part) {
                Ok(None) => None,
                Ok(Some((head, rest))) => {
                    let rest = rest.to_vec();
                    self.head_bytes = reader.held_bytes();
                    self.judge(head, rest, now, limits, handler)
                }
                Err(refusal) => Some(self.refuse(refusal, now, limits)),
            },
            State::Body(body) => {
                body.take(part, now);
                if body.missing() == 0 {
                    self.complete_body(now, limits);
                }
                None
            }
            State::Lingering { drained } => {
                *drained += part.len();
                if *drained >= LINGER_BYTES {
                    self.close();
                }
                None
            }
            _ => None,
        }
    }

    /// What a whole head leads to.
    fn judge(
        &mut self,
        head: Head,
        mut rest: Vec<u8>,
        now: Instant,
        limits: &Limits,
        handler: &dyn Handler,
    ) -> Option<Refusal> {
        self.is_head = head.method == Method::Head;
        if head.body_bytes > 0 && limits.body_bytes == 0 {
            let reason = "requests with a body are not taken here";
            let refusal = Refusal { status: 405, reason, allow: Some(limits.allow) };
            return Some(self.refuse(refusal, now, limits));
        }
        let body_bytes = usize::try_from(head.body_bytes).unwrap_or(usize::MAX);
        if body_bytes > limits.body_bytes {
            let refusal = Refusal::new(413, "the body is longer than is taken here");
            return Some(self.refuse(refusal, now, limits));
        }
        let is_sending_more = rest.len() > body_bytes;
        rest.truncate(body_bytes); // what comes behind it is never used
        let Head { method, path, query, headers, is_waiting_to_send, .. } = head;
        let request = Request { method, path, query, headers, body: rest, peer: self.peer };
        let arrived = request.body.len();
        if arrived == body_bytes {
            self.complete(request, is_sending_more, now, limits);
        } else if let Some(answer) = handler.turn_away(&request) {
            self.answer(answer::render(answer, self.is_head, limits.product), now, limits);
        } else if is_waiting_to_send
            && arrived == 0
            && self.socket.write(GO_ON).ok() != Some(GO_ON.len())
        {
            self.close(); // an empty socket takes so little at once, or its peer is gone
        } else {
            self.state = State::Body(Body::new(request, body_bytes, now));
            self.deadline = now + limits.body_time;
        }
        None
    }

    fn complete_body(&mut self, now: Instant, limits: &Limits) {
        match mem::replace(&mut self.state, State::Closed) {
            State::Body(body) => self.complete(body.into_request(), false, now, limits),
            other => self.state = other,
        }
    }

    fn complete(&mut self, request: Request, is_sending_more: bool, now: Instant, limits: &Limits) {
        self.is_sending_more = is_sending_more;
        self.state = State::Whole(request);
        self.deadline = now + limits.answer_time;
    }

    /// Hands the whole request over; the second value says that its answer is to
    /// go without a body.
    pub(super) fn take_request(&mut self) -> Option<(Request, bool)> {
        match mem::replace(&mut self.state, State::Closed) {
            State::Whole(request) => {
                self.state = State::Working;
                Some((request, self.is_head))
            }
            other => {
                self.state = other;
                None
            }
        }
    }

    /// Writes this answer, and then ends.
    pub(super) fn answer(&mut self, answer: Rendered, now: Instant, limits: &Limits) {
        self.state = State::Writing(answer);
        self.deadline = now + limits.write_time;
        self.write(now);
    }

    /// Writes once, as much as the socket takes.
    pub(super) fn write(&mut self, now: Instant) {
        let State::Writing(answer) = &mut self.state else { return };
        match answer.write_to(&mut self.socket) {
            Ok(count) if count > 0 => {}
            Err(error) if is_passing(&error) => return,
            Ok(_) | Err(_) => {
                self.close();
                return;
            }
        }
        if !answer.is_written() {
            return;
        }
        self.finish(now);
    }

    /// Closes behind the answer. With bytes unread that would reset the connection,
    /// and the client could lose its answer: then it lingers first.
    fn finish(&mut self, now: Instant) {
        let nothing_comes = !self.is_sending_more
            && match self.socket.read(&mut [0]) {
                Ok(count) => count == 0,
                Err(error) => is_passing(&error),
            };
        if !nothing_comes && self.socket.end_writing().is_ok() {
            self.state = State::Lingering { drained: 0 };
            self.deadline = now + LINGER_TIME;
        } else {
            self.close();
        }
    }

    /// Its deadline is past. Gives what the client was refused for.
    pub(super) fn expire(&mut self, now: Instant, limits: &Limits) -> Option<Refusal> {
        let refusal = match &self.state {
            State::Head(reader) if !reader.is_empty() => {
                Refusal::new(408, "the request head did not arrive in time")
            }
            State::Body(_) => Refusal::new(408, "the request body did not arrive in time"),
            State::HeldBack(_) => {
                Refusal::new(503, "there was no room for the request body in time")
            }
            State::Whole(_) | State::Working => {
                Refusal::new(503, "the answer was not ready in time")
            }
            State::Head(_) | State::Writing(_) | State::Lingering { .. } | State::Closed => {
                self.close();
                return None;
            }
        };
        Some(self.refuse(refusal, now, limits))
    }

    /// Answers with a refusal, and then ends.
    pub(super) fn refuse(&mut self, refusal: Refusal, now: Instant, limits: &Limits) -> Refusal {
        self.answer(refusal.render(self.is_head, limits.product), now, limits);
        refusal
    }

    fn close(&mut self) {
        self.state = State::Closed;
    }
}

/// An error that is none for a socket that does not block.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests;
