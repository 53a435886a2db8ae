//! A GET that a test needs, and no more.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use crate::PATIENCE;

/// More than any answer of ours.
const ANSWER_LIMIT: u64 = 64 * 1024 * 1024;

/// What a server answered.
#[derive(Debug)]
pub struct HttpAnswer {
    /// The number of its status line.
    pub status: u16,
    /// Status line and headers as they came.
    pub head: String,
    /// What came after them.
    pub body: Vec<u8>,
}

/// Asks 127.0.0.1 for `path` and reads until the server closes.
pub fn http_get(port: u16, path: &str) -> io::Result<HttpAnswer> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // In one piece: a server that closes before it has read all resets.
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(ANSWER_LIMIT).read_to_end(&mut answer)?;
    let wrong = || {
        let start = String::from_utf8_lossy(&answer[..answer.len().min(200)]).into_owned();
        io::Error::new(io::ErrorKind::InvalidData, format!("no HTTP answer: {start:?}"))
    };
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or_else(wrong)?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(wrong)?;
    Ok(HttpAnswer { status, head, body: answer[end + 4..].to_vec() })
}
