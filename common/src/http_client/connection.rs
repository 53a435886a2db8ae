//! One connection for one request, under one deadline.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::Reply;
use super::error::{ClientError, Step};
use super::head::{self, Framing, Head, MAX_HEAD_BYTES};

/// Room that is made for each read. Nothing is allocated for what is only
/// announced.
const READ_BYTES: usize = 16 << 10;
/// Room for a read of the head. It is on the stack: nothing is allocated for one
/// that does not answer.
const HEAD_READ_BYTES: usize = 4 << 10;
/// The line before a chunk: its length and what some put behind it.
const MAX_CHUNK_LINE_BYTES: usize = 256;
/// Heads with a status 1xx before the answer.
const MAX_INFORMATIONAL: usize = 8;

/// A connection, and what came over it and was not taken yet.
pub(super) struct Connection<'r> {
    stream: TcpStream,
    deadline: Instant,
    room: Option<&'r dyn Fn(usize) -> bool>,
    buffer: Vec<u8>,
    /// Where in `buffer` the bytes begin that were not taken yet.
    start: usize,
}

impl<'r> Connection<'r> {
    /// Connects to `address`. `room`, if any, is asked for what the body may take,
    /// before it is read.
    pub(super) fn open(
        address: &SocketAddr,
        deadline: Instant,
        room: Option<&'r dyn Fn(usize) -> bool>,
    ) -> Result<Self, ClientError> {
        let time = time_left(deadline, Step::Connect)?;
        let stream = TcpStream::connect_timeout(address, time).map_err(|error| {
            if Instant::now() >= deadline {
                ClientError::Deadline(Step::Connect)
            } else {
                ClientError::Connect(error)
            }
        })?;
        Ok(Self { stream, deadline, room, buffer: Vec::new(), start: 0 })
    }

    /// Sends a whole request.
    pub(super) fn send(&mut self, head: &[u8], body: &[u8]) -> Result<(), ClientError> {
        if !body.is_empty() {
            // The last part of the body shall not wait until the first is acknowledged.
            self.stream.set_nodelay(true).map_err(ClientError::Send)?;
        }
        for mut rest in [head, body] {
            while !rest.is_empty() {
                let time = time_left(self.deadline, Step::Send)?;
                self.stream.set_write_timeout(Some(time)).map_err(ClientError::Send)?;
                match self.stream.write(rest) {
                    Ok(count) => rest = &rest[count..],
                    Err(error) if is_only_late(&error) => {}
                    Err(error) => return Err(ClientError::Send(error)),
                }
            }
        }
        Ok(())
    }

    /// Reads a whole answer.
    pub(super) fn receive(&mut self, limit_bytes: usize) -> Result<Reply, ClientError> {
        let head = self.receive_head()?;
        let framing = head.framing()?;
        self.ask_room(&framing, limit_bytes)?;
        let body = match framing {
            Framing::Length(length) => self.receive_length(length, limit_bytes)?,
            Framing::Chunked => self.receive_chunks(limit_bytes)?,
            Framing::ToEnd => self.receive_to_end(limit_bytes)?,
        };
        Ok(Reply { status: head.status, headers: head.headers, body })
    }

    fn ask_room(&self, framing: &Framing, limit: usize) -> Result<(), ClientError> {
        let wanted = match framing {
            Framing::Length(length) => usize::try_from(*length).unwrap_or(usize::MAX),
            Framing::Chunked | Framing::ToEnd => limit,
        };
        let Some(room) = self.room else { return Ok(()) };
        // What is too large is refused without a wait.
        if wanted <= limit && !room(wanted) {
            time_left(self.deadline, Step::Body)?;
            return Err(ClientError::NoRoom);
        }
        Ok(())
    }

    fn receive_head(&mut self) -> Result<Head, ClientError> {
        for _ in 0..=MAX_INFORMATIONAL {
            let head = self.receive_one_head()?;
            if !head.is_informational() {
                return Ok(head);
            }
        }
        Err(ClientError::Malformed("too many heads before the answer".to_owned()))
    }

    fn receive_one_head(&mut self) -> Result<Head, ClientError> {
        let mut seen = 0;
        loop {
            // A head is only complete, and only worth another look, at a line's end.
            if self.pending()[seen..].contains(&b'\n')
                && let Some((length, head)) = head::parse(self.pending())?
            {
                if length > MAX_HEAD_BYTES {
                    return Err(ClientError::HeadTooLarge);
                }
                self.start += length;
                return Ok(head);
            }
            seen = self.pending().len();
            if seen > MAX_HEAD_BYTES {
                return Err(ClientError::HeadTooLarge);
            }
            if self.read_more(Step::Head)? == 0 {
                return Err(ClientError::Closed);
            }
        }
    }

    fn receive_length(&mut self, length: u64, limit: usize) -> Result<Vec<u8>, ClientError> {
        let too_large = ClientError::TooLarge { limit_bytes: limit };
        let Some(wanted) = usize::try_from(length).ok().filter(|wanted| *wanted <= limit) else {
            return Err(too_large);
        };
        while self.pending().len() < wanted {
            if self.read_more(Step::Body)? == 0 {
                let received = self.pending().len();
                return Err(ClientError::Truncated { received, announced: Some(length) });
            }
        }
        let mut body = self.take_pending();
        body.truncate(wanted);
        Ok(body)
    }

    fn receive_to_end(&mut self, limit: usize) -> Result<Vec<u8>, ClientError> {
        loop {
            if self.pending().len() > limit {
                return Err(ClientError::TooLarge { limit_bytes: limit });
            }
            if self.read_more(Step::Body)? == 0 {
                return Ok(self.take_pending());
            }
        }
    }

    /// Reads chunks (RFC 9112, section 7.1). What may follow the last one is left.
    fn receive_chunks(&mut self, limit: usize) -> Result<Vec<u8>, ClientError> {
        let mut body = Vec::new();
        loop {
            let announced = self.receive_chunk_line(body.len())?;
            let room = limit - body.len();
            let Some(length) = usize::try_from(announced).ok().filter(|length| *length <= room)
            else {
                return Err(ClientError::TooLarge { limit_bytes: limit });
            };
            if length == 0 {
                return Ok(body);
            }
            let end = length.saturating_add(b"\r\n".len());
            while self.pending().len() < end {
                let received = body.len() + self.pending().len().min(length);
                self.read_more_of_chunks(received)?;
            }
            let (data, line_end) = self.pending()[..end].split_at(length);
            if line_end != b"\r\n" {
                return Err(ClientError::Malformed("a chunk is not as long as it says".to_owned()));
            }
            body.extend_from_slice(data);
            self.start += end;
        }
    }

    fn receive_chunk_line(&mut self, received: usize) -> Result<u64, ClientError> {
        let malformed = || ClientError::Malformed("the length of a chunk".to_owned());
        loop {
            let line = &self.pending()[..self.pending().len().min(MAX_CHUNK_LINE_BYTES)];
            match httparse::parse_chunk_size(line) {
                Ok(httparse::Status::Complete((used, length))) => {
                    self.start += used;
                    return Ok(length);
                }
                Ok(httparse::Status::Partial) if line.len() < MAX_CHUNK_LINE_BYTES => {
                    self.read_more_of_chunks(received)?;
                }
                Ok(httparse::Status::Partial) | Err(_) => return Err(malformed()),
            }
        }
    }

    fn read_more_of_chunks(&mut self, received: usize) -> Result<(), ClientError> {
        match self.read_more(Step::Body)? {
            0 => Err(ClientError::Truncated { received, announced: None }),
            _ => Ok(()),
        }
    }

    /// Bytes that came and were not taken.
    fn pending(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    fn take_pending(&mut self) -> Vec<u8> {
        self.buffer.drain(..std::mem::take(&mut self.start));
        std::mem::take(&mut self.buffer)
    }

    /// Reads what is there, or waits for it until the deadline. 0: the other side
    /// has closed.
    fn read_more(&mut self, step: Step) -> Result<usize, ClientError> {
        self.buffer.drain(..std::mem::take(&mut self.start));
        if step == Step::Head {
            let mut part = [0; HEAD_READ_BYTES];
            let count = self.read_into(&mut part, step)?;
            self.buffer.extend_from_slice(&part[..count]);
            return Ok(count);
        }
        let length = self.buffer.len();
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(length + READ_BYTES, 0);
        let result = self.read_into(&mut buffer[length..], step);
        buffer.truncate(length + result.as_ref().unwrap_or(&0));
        self.buffer = buffer;
        result
    }

    fn read_into(&mut self, buffer: &mut [u8], step: Step) -> Result<usize, ClientError> {
        loop {
            let time = time_left(self.deadline, step)?;
            self.stream.set_read_timeout(Some(time)).map_err(ClientError::Receive)?;
            match self.stream.read(buffer) {
                Ok(count) => return Ok(count),
                Err(error) if is_only_late(&error) => {}
                Err(error) => return Err(ClientError::Receive(error)),
            }
        }
    }
}

/// What is left of the time; never zero, which a socket takes for "for ever".
fn time_left(deadline: Instant, step: Step) -> Result<Duration, ClientError> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ClientError::Deadline(step)) } else { Ok(left) }
}

/// Whether the call came back without a result, so that the clock decides.
fn is_only_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
}
