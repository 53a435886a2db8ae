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

impl Reply {
    /// The first value of a header; case does not matter in its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        head::values(&self.headers, name).next()
    }
}

/// Sends a GET request and returns the whole answer. `host_header` is
/// [`Address::host_header`]; a body past `limit_bytes` is an error.
pub fn get(
    address: &SocketAddr,
    host_header: &str,
    path: &str,
    limit_bytes: usize,
    deadline: Instant,
) -> Result<Reply, ClientError> {
    let head = head::request("GET", host_header, path, None)?;
    exchange(Connection::open(address, deadline)?, &head, &[], limit_bytes)
}

/// [`get`] for one of many at a time: once the head of the answer is there, `room`
/// is asked for all that the body may take, which is its announced length, or
/// `limit_bytes` where none is announced. It may wait until the deadline; if it
/// says no, so does this.
pub fn get_in_room(
    address: &SocketAddr,
    host_header: &str,
    path: &str,
    limit_bytes: usize,
    deadline: Instant,
    room: &dyn Fn(usize) -> bool,
) -> Result<Reply, ClientError> {
    let head = head::request("GET", host_header, path, None)?;
    exchange(Connection::open(address, deadline)?.in_room(room), &head, &[], limit_bytes)
}

/// Sends a POST request with `body` and returns the whole answer, like [`get`].
pub fn post(
    address: &SocketAddr,
    host_header: &str,
    path: &str,
    content_type: &str,
    body: &[u8],
    limit_bytes: usize,
    deadline: Instant,
) -> Result<Reply, ClientError> {
    let head = head::request("POST", host_header, path, Some((content_type, body.len())))?;
    exchange(Connection::open(address, deadline)?, &head, body, limit_bytes)
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
