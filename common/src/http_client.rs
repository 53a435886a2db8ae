//! An HTTP client for one request: one total deadline over connecting, sending
//! and the whole answer, and a limit on every size. Redirects are returned, not
//! followed; the connection is not used again (RFC 9112).

mod address;
mod connection;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod head;

use std::net::SocketAddr;
use std::time::Instant;

pub use address::Address;
pub use error::{ClientError, Step};

use crate::signature::{Secrets, SignedRequest};
use connection::Connection;

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code, such as 200; 3xx stands here like any other.
    pub status: u16,
    /// Names as they came, and values.
    pub headers: Vec<(String, String)>,
    /// The body, whole, without its transfer coding.
    pub body: Vec<u8>,
}

/// Whom a request goes to, and whether it is signed.
#[derive(Debug, Clone, Copy)]
pub struct Peer<'a> {
    /// Where it listens.
    pub address: &'a SocketAddr,
    /// What it is called: [`Address::host_header`].
    pub host_header: &'a str,
    /// With these, the request is signed, and an answer that is not is an error.
    pub secrets: Option<&'a Secrets>,
}

impl Reply {
    /// The first value of a header; case does not matter in its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        head::values(&self.headers, name).next()
    }
}

/// Sends a GET request and returns the whole answer; a body past `limit_bytes` is
/// an error.
pub fn get(
    to: Peer<'_>,
    path: &str,
    limit_bytes: usize,
    deadline: Instant,
) -> Result<Reply, ClientError> {
    Exchange { to, method: "GET", path, content: None, limit_bytes, deadline, room: None }.make()
}

/// [`get`] for one of many at a time: once the head of the answer is there, `room`
/// is asked for all that the body may take, which is its announced length, or
/// `limit_bytes` where none is announced. It may wait until the deadline; if it
/// says no, so does this.
pub fn get_in_room(
    to: Peer<'_>,
    path: &str,
    limit_bytes: usize,
    deadline: Instant,
    room: &dyn Fn(usize) -> bool,
) -> Result<Reply, ClientError> {
    let room = Some(room);
    Exchange { to, method: "GET", path, content: None, limit_bytes, deadline, room }.make()
}

/// Sends a POST request with `body` and returns the whole answer, like [`get`].
pub fn post(
    to: Peer<'_>,
    path: &str,
    content_type: &str,
    body: &[u8],
    limit_bytes: usize,
    deadline: Instant,
) -> Result<Reply, ClientError> {
    let content = Some((content_type, body));
    Exchange { to, method: "POST", path, content, limit_bytes, deadline, room: None }.make()
}

/// One request and its answer.
struct Exchange<'a> {
    to: Peer<'a>,
    method: &'a str,
    path: &'a str,
    /// Its type, and what it is.
    content: Option<(&'a str, &'a [u8])>,
    limit_bytes: usize,
    deadline: Instant,
    room: Option<&'a dyn Fn(usize) -> bool>,
}

impl Exchange<'_> {
    fn make(self) -> Result<Reply, ClientError> {
        let Self { to, method, path, content, limit_bytes, deadline, room } = self;
        let (content_type, body) = content.unzip();
        let body = body.unwrap_or_default();
        let signed = to.secrets.map(|secrets| secrets.sign_request(method, path, body));
        let lines = signed.as_ref().map(SignedRequest::header_lines).unwrap_or_default();
        let body_head = content_type.map(|content_type| (content_type, body.len()));
        let head = head::request(method, to.host_header, path, lines, body_head)?;
        let connection = Connection::open(to.address, deadline, room)?;
        let reply = exchange(connection, &head, body, limit_bytes)?;
        if let Some(signed) = signed {
            signed.check_answer(reply.status, &reply.headers, &reply.body)?;
        }
        Ok(reply)
    }
}

fn exchange(
    mut connection: Connection<'_>,
    head: &[u8],
    body: &[u8],
    limit_bytes: usize,
) -> Result<Reply, ClientError> {
    match connection.send(head, body) {
        Ok(()) => connection.receive(limit_bytes),
        // A server may refuse a body before it has read it all, and close: its
        // answer tells more than the broken connection, if it can still be read.
        Err(error @ ClientError::Send(_)) => connection.receive(limit_bytes).map_err(|_| error),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
