//! A GET and a POST that a test needs, and no more.

use std::fmt::Write as _;
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

impl HttpAnswer {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Asks 127.0.0.1 for `path` and reads until the server closes.
pub fn http_get(port: u16, path: &str) -> io::Result<HttpAnswer> {
    http_ask(port, "GET", path, &[], None)
}

/// [`http_get`] with these headers.
pub fn http_get_with(port: u16, path: &str, headers: &[(&str, &str)]) -> io::Result<HttpAnswer> {
    http_ask(port, "GET", path, headers, None)
}

/// Posts to 127.0.0.1 and reads until the server closes.
pub fn http_post(
    port: u16,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<HttpAnswer> {
    http_ask(port, "POST", path, headers, Some(body))
}

/// Sends 127.0.0.1 any request and reads until the server closes.
pub fn http_ask(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> io::Result<HttpAnswer> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        let _ = write!(request, "{name}: {value}\r\n");
    }
    if let Some(body) = body {
        let _ = write!(request, "Content-Length: {}\r\n", body.len());
    }
    request.push_str("\r\n");
    // In one piece: a server that closes before it has read all resets.
    let request = [request.as_bytes(), body.unwrap_or_default()].concat();
    // A server may refuse a body before it has read it all; its answer tells why.
    let sent = stream.write_all(&request);
    let mut answer = Vec::new();
    let read = stream.take(ANSWER_LIMIT).read_to_end(&mut answer);
    if answer.is_empty() {
        sent.and(read)?;
    }
    let wrong = || {
        let start = String::from_utf8_lossy(&answer[..answer.len().min(200)]).into_owned();
        io::Error::new(io::ErrorKind::InvalidData, format!("no HTTP answer: {start:?}"))
    };
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or_else(wrong)?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(wrong)?;
    Ok(HttpAnswer { status, head, body: answer[end + 4..].to_vec() })
}
