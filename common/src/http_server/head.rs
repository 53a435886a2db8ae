//! The head of a request: RFC 9112 without its generosity. Nothing here touches a
//! socket, so any bytes can be tried on it.

use std::str::FromStr as _;

use tiny_http::Method;

use super::answer::Refusal;
use super::limits::{HEAD_BYTES, HEADER_LINES};

/// What a head says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    /// What `Content-Length` announces; 0 without one.
    pub(super) body_bytes: u64,
    /// The client waits for `100 Continue` before it sends its body.
    pub(super) is_waiting_to_send: bool,
}

/// Collects the bytes of one head and judges each as it comes, so that what can
/// never become a request is refused at once and not at the deadline.
#[derive(Debug, Default)]
pub(super) struct HeadReader {
    bytes: Vec<u8>,
    /// Where the line begins that has not ended yet.
    line_start: usize,
    /// Lines that have ended, the request line included.
    lines: usize,
}

impl HeadReader {
    /// How many bytes it may be given next; never 0.
    pub(super) fn room(&self) -> usize {
        HEAD_BYTES - self.bytes.len()
    }

    /// What it holds of memory.
    pub(super) fn held_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes bytes, at most [`HeadReader::room`]. With the last of the head it
    /// gives the head and the bytes that came behind it.
    pub(super) fn push(&mut self, part: &[u8]) -> Result<Option<(Head, &[u8])>, Refusal> {
        let scanned = self.bytes.len();
        self.bytes.extend_from_slice(part);
        for index in scanned..self.bytes.len() {
            let byte = self.bytes[index];
            match byte {
                b'\n' if self.line_ended(index)? => {
                    let head = parse(&self.bytes[..=index])?;
                    return Ok(Some((head, &self.bytes[index + 1..])));
                }
                b'\n' | b'\t' | b'\r' => {}
                _ if byte.is_ascii_control() => {
                    return Err(Refusal::new(400, "a control character in the request head"));
                }
                _ => {}
            }
        }
        if self.bytes.len() < HEAD_BYTES {
            return Ok(None);
        }
        Err(if self.lines == 0 {
            Refusal::new(414, "the request line is longer than 8192 bytes")
        } else {
            Refusal::new(431, "the request head is longer than 8192 bytes")
        })
    }

    /// Judges the line that the line feed at `index` ends: whether it ends the head.
    fn line_ended(&mut self, index: usize) -> Result<bool, Refusal> {
        let line = &self.bytes[self.line_start..=index];
        self.line_start = index + 1;
        if !line.ends_with(b"\r\n") {
            return Err(Refusal::new(400, "a line of the request head ends without CR LF"));
        }
        let is_empty = line.len() == 2;
        if is_empty && self.lines == 0 {
            return Ok(false); // RFC 9112, 2.2: before the request line it means nothing
        }
        if !is_empty {
            self.lines += 1;
        }
        match self.lines {
            1 if !is_empty => check_request_line(line)?,
            lines if lines > 1 + HEADER_LINES => {
                return Err(Refusal::new(431, "the request has more than 64 header lines"));
            }
            _ => {}
        }
        Ok(is_empty)
    }
}

fn check_request_line(line: &[u8]) -> Result<(), Refusal> {
    match httparse::Request::new(&mut []).parse(line) {
        Ok(_) => Ok(()),
        Err(error) => Err(refuse(error)),
    }
}

fn refuse(error: httparse::Error) -> Refusal {
    match error {
        httparse::Error::Version => Refusal::new(505, "only HTTP/1.0 and HTTP/1.1 are spoken here"),
        httparse::Error::TooManyHeaders => {
            Refusal::new(431, "the request has more than 64 header lines")
        }
        httparse::Error::HeaderName | httparse::Error::HeaderValue => {
            Refusal::new(400, "a malformed or folded header line")
        }
        httparse::Error::Token | httparse::Error::NewLine | httparse::Error::Status => {
            Refusal::new(400, "a malformed request line; wanted: METHOD /path HTTP/1.1")
        }
    }
}

/// Parses a whole head, its empty line included.
fn parse(bytes: &[u8]) -> Result<Head, Refusal> {
    let mut lines = [httparse::EMPTY_HEADER; HEADER_LINES];
    let mut request = httparse::Request::new(&mut lines);
    request.parse(bytes).map_err(refuse)?;
    let (Some(method), Some(target), Some(version)) =
        (request.method, request.path, request.version)
    else {
        return Err(Refusal::new(400, "the request head ends before it is whole"));
    };
    let method = Method::from_str(method)
        .map_err(|()| Refusal::new(400, "the method holds characters that are no ASCII"))?;
    let (path, query) = split_target(target)?;
    if path == "*" && method != Method::Options {
        return Err(Refusal::new(400, "the request target * goes with OPTIONS alone"));
    }
    let body_bytes = body_bytes(request.headers)?;
    let is_waiting_to_send = version == 1 && body_bytes > 0 && expects_continue(request.headers);
    let headers = request
        .headers
        .iter()
        .map(|line| (line.name.to_owned(), String::from_utf8_lossy(line.value).into_owned()))
        .collect();
    Ok(Head { method, path, query, headers, body_bytes, is_waiting_to_send })
}

/// Path and query of a target in origin form (`/path?query`), absolute form
/// (`http://host/path?query`), or of `*`.
fn split_target(target: &str) -> Result<(String, Option<String>), Refusal> {
    if !target.is_ascii() {
        return Err(Refusal::new(400, "the request target holds characters that are no ASCII"));
    }
    let local = match after_scheme(target) {
        Some(rest) => &rest[rest.find(['/', '?']).unwrap_or(rest.len())..],
        None if target.starts_with('/') || target == "*" => target,
        None => return Err(Refusal::new(400, "the request target is no path and no http URL")),
    };
    let (path, query) = match local.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (local, None),
    };
    Ok((if path.is_empty() { "/" } else { path }.to_owned(), query))
}

fn after_scheme(target: &str) -> Option<&str> {
    ["http://", "https://"].into_iter().find_map(|scheme| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}

/// The announced length of the body. Whatever two readers could understand
/// differently is refused (RFC 9112, 6.3).
fn body_bytes(headers: &[httparse::Header<'_>]) -> Result<u64, Refusal> {
    let mut lengths = values(headers, "Content-Length");
    let (first, second) = (lengths.next(), lengths.next());
    if values(headers, "Transfer-Encoding").next().is_some() {
        return Err(if first.is_some() {
            Refusal::new(400, "both Content-Length and Transfer-Encoding")
        } else {
            Refusal::new(501, "Transfer-Encoding is not taken here: send a Content-Length")
        });
    }
    if second.is_some() {
        return Err(Refusal::new(400, "more than one Content-Length"));
    }
    let Some(digits) = first else { return Ok(0) };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::new(400, "Content-Length is no whole number of bytes"));
    }
    // What has too many digits for 64 bits is past every limit all the same.
    Ok(str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).unwrap_or(u64::MAX))
}

fn expects_continue(headers: &[httparse::Header<'_>]) -> bool {
    values(headers, "Expect").any(|value| value.eq_ignore_ascii_case(b"100-continue"))
}

fn values<'a>(
    headers: &'a [httparse::Header<'a>],
    name: &'a str,
) -> impl Iterator<Item = &'a [u8]> {
    headers.iter().filter(move |line| line.name.eq_ignore_ascii_case(name)).map(|line| line.value)
}

#[cfg(test)]
mod tests;
