//! The state of one client, from the first byte of its head to the last of its
//! answer. It knows no other client: who may go on is decided by the gate.

use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Instant;

use tiny_http::Method;

use super::Request;
use super::answer::Refusal;
use super::budget::Held;
use super::head::{Head, HeadReader};
use super::limits::{BODY_GRACE, LINGER_BYTES, LINGER_TIME, Limits};

/// What a connection does next, and what the gate is to do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The head is being read.
    Head,
    /// The head is whole, and the body needs room.
    AwaitingRoom,
    /// The body is being read.
    Body,
    /// The request is whole, and waits for a worker.
    Whole,
    /// A worker has the request.
    Working,
    /// The answer is being written.
    Writing,
    /// The answer is written; what still comes is thrown away.
    Lingering,
    /// Over.
    Closed,
}

enum State {
    Head(HeadReader),
    AwaitingRoom(Announced),
    Body(Request, usize),
    Whole(Request),
    Working,
    Writing { bytes: Vec<u8>, taken: usize },
    Lingering { drained: usize },
    Closed,
}

/// A request whose body is still to come.
struct Announced {
    request: Request,
    body_bytes: usize,
    is_waiting_to_send: bool,
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
            State::AwaitingRoom(_) => Stage::AwaitingRoom,
            State::Body(..) => Stage::Body,
            State::Whole(_) => Stage::Whole,
            State::Working => Stage::Working,
            State::Writing { .. } => Stage::Writing,
            State::Lingering { .. } => Stage::Lingering,
            State::Closed => Stage::Closed,
        }
    }

    /// What it holds of memory. A body counts whole as soon as it may come.
    pub(super) fn held(&self) -> Held {
        let heads = self.head_bytes;
        match &self.state {
            State::Head(reader) => Held { heads: reader.held_bytes(), ..Held::default() },
            State::AwaitingRoom(_) => Held { heads, ..Held::default() },
            State::Body(_, bodies) => Held { heads, bodies: *bodies, answers: 0 },
            State::Whole(request) => Held { heads, bodies: request.body.len(), answers: 0 },
            State::Writing { bytes, .. } => Held { answers: bytes.capacity(), ..Held::default() },
            State::Working | State::Lingering { .. } | State::Closed => Held::default(),
        }
    }

    /// The length of the body that waits for room.
    pub(super) fn announced_bytes(&self) -> Option<usize> {
        match &self.state {
            State::AwaitingRoom(announced) => Some(announced.body_bytes),
            _ => None,
        }
    }

    /// Whether its body will come too late at the rate so far.
    pub(super) fn is_behind_schedule(&self, now: Instant, limits: &Limits) -> bool {
        let State::Body(request, announced) = &self.state else { return false };
        let left = self.deadline.saturating_duration_since(now);
        let gone = limits.body_time.saturating_sub(left);
        let arrived = request.body.len() as f64 / *announced as f64;
        gone > BODY_GRACE && arrived < gone.as_secs_f64() / limits.body_time.as_secs_f64()
    }

    /// Reads once, as much as `buffer` takes. Gives what the client was refused for.
    pub(super) fn read(
        &mut self,
        now: Instant,
        limits: &Limits,
        buffer: &mut [u8],
    ) -> Option<Refusal> {
        let wanted = match &self.state {
            State::Head(reader) => reader.room(),
            State::Body(request, announced) => announced - request.body.len(),
            State::Lingering { .. } => buffer.len(),
            _ => return None,
        };
        let wanted = wanted.min(buffer.len());
        match self.socket.read(&mut buffer[..wanted]) {
            Ok(0) => self.ended(now, limits),
            Ok(count) => self.received(&buffer[..count], now, limits),
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
            State::Body(..) => true,
            _ => false,
        };
        if !has_begun {
            self.close();
            return None;
        }
        let refusal = Refusal::new(400, "the request ended before it was whole");
        Some(self.refuse(refusal, now, limits))
    }

    fn received(&mut self, part: &[u8], now: Instant, limits: &Limits) -> Option<Refusal> {
        match &mut self.state {
            State::Head(reader) => match reader.push(part) {
                Ok(None) => None,
                Ok(Some((head, rest))) => {
                    let rest = rest.to_vec();
                    self.head_bytes = reader.held_bytes();
                    self.judge(head, rest, now, limits)
                }
                Err(refusal) => Some(self.refuse(refusal, now, limits)),
            },
            State::Body(request, announced) => {
                grow(&mut request.body, part.len(), *announced);
                request.body.extend_from_slice(part);
                self.complete(now, limits);
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
        rest.truncate(body_bytes); // what comes behind it is never read
        let Head { method, path, query, headers, .. } = head;
        let request = Request { method, path, query, headers, body: rest, peer: self.peer };
        if body_bytes == 0 {
            self.state = State::Whole(request);
            self.deadline = now + limits.answer_time;
        } else {
            let is_waiting_to_send = head.is_waiting_to_send && request.body.is_empty();
            self.state = State::AwaitingRoom(Announced { request, body_bytes, is_waiting_to_send });
            self.deadline = now + limits.body_time;
        }
        None
    }

    /// There is room for the body now.
    pub(super) fn grant_room(&mut self, now: Instant, limits: &Limits) {
        match mem::replace(&mut self.state, State::Closed) {
            State::AwaitingRoom(announced) => {
                const GO_ON: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
                if announced.is_waiting_to_send
                    && self.socket.write(GO_ON).ok() != Some(GO_ON.len())
                {
                    return; // an empty socket takes so little at once, or its peer is gone
                }
                self.state = State::Body(announced.request, announced.body_bytes);
                self.deadline = now + limits.body_time;
                self.complete(now, limits);
            }
            other => self.state = other,
        }
    }

    /// Goes on to the next stage if the body is whole.
    fn complete(&mut self, now: Instant, limits: &Limits) {
        match mem::replace(&mut self.state, State::Closed) {
            State::Body(request, announced) if request.body.len() >= announced => {
                self.state = State::Whole(request);
                self.deadline = now + limits.answer_time;
            }
            other => self.state = other,
        }
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

    /// Writes these bytes, and then ends.
    pub(super) fn answer(&mut self, bytes: Vec<u8>, now: Instant, limits: &Limits) {
        self.state = State::Writing { bytes, taken: 0 };
        self.deadline = now + limits.write_time;
        self.write(now);
    }

    /// Writes once, as much as the socket takes.
    pub(super) fn write(&mut self, now: Instant) {
        let State::Writing { bytes, taken } = &mut self.state else { return };
        match self.socket.write(&bytes[*taken..]) {
            Ok(count) if count > 0 => *taken += count,
            Err(error) if is_passing(&error) => return,
            Ok(_) | Err(_) => {
                self.close();
                return;
            }
        }
        if *taken < bytes.len() {
            return;
        }
        self.state = if self.socket.end_writing().is_ok() {
            State::Lingering { drained: 0 }
        } else {
            State::Closed
        };
        self.deadline = now + LINGER_TIME;
    }

    /// Its deadline is past. Gives what the client was refused for.
    pub(super) fn expire(&mut self, now: Instant, limits: &Limits) -> Option<Refusal> {
        let refusal = match &self.state {
            State::Head(reader) if !reader.is_empty() => {
                Refusal::new(408, "the request head did not arrive in time")
            }
            State::Body(..) => Refusal::new(408, "the request body did not arrive in time"),
            State::AwaitingRoom(_) => {
                Refusal::new(503, "there was no room for the request body in time")
            }
            State::Whole(_) | State::Working => {
                Refusal::new(503, "the answer was not ready in time")
            }
            State::Head(_) | State::Writing { .. } | State::Lingering { .. } | State::Closed => {
                self.close();
                return None;
            }
        };
        Some(self.refuse(refusal, now, limits))
    }

    fn refuse(&mut self, refusal: Refusal, now: Instant, limits: &Limits) -> Refusal {
        self.answer(refusal.render(self.is_head, limits.product), now, limits);
        refusal
    }

    fn close(&mut self) {
        self.state = State::Closed;
    }
}

/// Makes room for more of a body: by doubling, but never past its announced length.
fn grow(body: &mut Vec<u8>, more: usize, announced: usize) {
    if body.capacity() - body.len() < more {
        let wanted = (2 * body.capacity()).min(announced).max(body.len() + more);
        body.reserve_exact(wanted - body.len());
    }
}

/// An error that is none for a socket that does not block.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests;
