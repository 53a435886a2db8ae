//! The heads of a request and of an answer: text to values and back.

use super::error::ClientError;

/// Bytes of an answer's head that are read, all its lines together.
pub(super) const MAX_HEAD_BYTES: usize = 16 << 10;
/// Header lines that are read.
const MAX_HEADERS: usize = 64;

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
}

/// How the end of a body is told (RFC 9112, section 6.3).
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// By its length.
    Length(u64),
    /// By a last chunk of no bytes.
    Chunked,
    /// By the end of the connection.
    ToEnd,
}

/// The head of a request; `lines`: whole header lines of our own; `body`: content
/// type and length.
pub(super) fn request(
    method: &str,
    host: &str,
    path: &str,
    lines: &str,
    body: Option<(&str, usize)>,
) -> Result<Vec<u8>, ClientError> {
    let visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if !path.starts_with('/') || !visible(path) {
        return Err(ClientError::Request("the path must start with / and hold visible ASCII"));
    }
    if host.is_empty() || !visible(host) {
        return Err(ClientError::Request("the host must be visible ASCII"));
    }
    let mut body_lines = String::new();
    if let Some((content_type, length)) = body {
        if !content_type.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            return Err(ClientError::Request("the content type must be visible ASCII"));
        }
        body_lines = format!("Content-Type: {content_type}\r\nContent-Length: {length}\r\n");
    }
    let version = env!("CARGO_PKG_VERSION");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: pattoo/{version}\r\n\
         Accept: */*\r\nConnection: close\r\n{lines}{body_lines}\r\n"
    );
    Ok(head.into_bytes())
}

/// Parses the head of an answer and tells its length; `None`: it is not complete.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<(usize, Head)>, ClientError> {
    let mut storage = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut storage);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(ClientError::HeadTooLarge),
        Err(error) => return Err(ClientError::Malformed(error.to_string())),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = response.headers.iter().map(|h| (h.name.to_owned(), text(h.value))).collect();
    Ok(Some((length, Head { status: response.code.unwrap_or_default(), headers })))
}

/// All values of a header.
pub(super) fn values<'a>(
    headers: &'a [(String, String)],
    name: &str,
) -> impl Iterator<Item = &'a str> {
    headers
        .iter()
        .filter(move |(header, _)| header.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

impl Head {
    /// Whether another head follows (`100 Continue` and its like).
    pub(super) fn is_informational(&self) -> bool {
        (100..200).contains(&self.status)
    }

    /// How the body ends. What could be read in two ways is refused.
    pub(super) fn framing(&self) -> Result<Framing, ClientError> {
        let malformed = |what: &str| Err(ClientError::Malformed(what.to_owned()));
        let lengths: Vec<_> = values(&self.headers, "Content-Length").collect();
        let codings: Vec<_> = values(&self.headers, "Transfer-Encoding").collect();
        match (lengths.as_slice(), codings.as_slice()) {
            _ if matches!(self.status, 204 | 304) => Ok(Framing::Length(0)),
            ([], []) => Ok(Framing::ToEnd),
            ([], [coding]) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
            ([], _) => malformed("a transfer coding other than chunked"),
            ([length], []) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
                length.parse().map(Framing::Length).or_else(|_| malformed("its length"))
            }
            ([_], []) => malformed("its length is no number"),
            (_, []) => malformed("several lengths"),
            _ => malformed("both a length and a transfer coding"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(head: &str) -> Result<Framing, ClientError> {
        let bytes = format!("HTTP/1.1 200 OK\r\n{head}\r\n");
        parse(bytes.as_bytes()).expect("a head").expect("complete").1.framing()
    }

    #[test]
    fn requests() {
        let get = request("GET", "[::1]:5000", "/a/300?b=1", "", None).expect("a request");
        let get = String::from_utf8(get).expect("text");
        assert!(get.starts_with("GET /a/300?b=1 HTTP/1.1\r\nHost: [::1]:5000\r\n"), "{get}");
        assert!(get.ends_with("Connection: close\r\n\r\n"), "{get}");
        let post = request("POST", "a", "/", "A: b\r\n", Some(("application/json", 7)))
            .expect("a request");
        let post = String::from_utf8(post).expect("text");
        assert!(post.ends_with("Content-Type: application/json\r\nContent-Length: 7\r\n\r\n"));
        assert!(post.contains("\r\nA: b\r\n"));
    }

    #[test]
    fn nothing_slips_into_a_request() {
        for path in ["", "a", "/a b", "/a\r\nX: y", "/\0", "/ü"] {
            assert!(request("GET", "a", path, "", None).is_err(), "{path:?}");
        }
        for host in ["", "a b", "a\r\nX: y"] {
            assert!(request("GET", host, "/", "", None).is_err(), "{host:?}");
        }
        assert!(request("POST", "a", "/", "", Some(("a\r\nb", 1))).is_err());
    }

    #[test]
    fn heads() {
        let (length, head) = parse(b"HTTP/1.0 404 Not Found\r\nA: b\r\nA:c\r\n\r\nrest")
            .expect("a head")
            .expect("complete");
        assert_eq!(length, 37);
        assert_eq!(head.status, 404);
        assert_eq!(values(&head.headers, "a").collect::<Vec<_>>(), ["b", "c"]);
        assert!(matches!(parse(b"HTTP/1.1 200 OK\r\nA: b"), Ok(None)));
        assert!(matches!(parse(b"SSH-2.0-OpenSSH_9.2\r\n"), Err(ClientError::Malformed(_))));
        assert!(matches!(parse(b"HTTP/2 200\r\n\r\n"), Err(ClientError::Malformed(_))));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(65));
        assert!(matches!(parse(many.as_bytes()), Err(ClientError::HeadTooLarge)));
    }

    #[test]
    fn the_end_of_a_body_is_told_in_one_way_only() {
        assert_eq!(framing("").expect("none"), Framing::ToEnd);
        assert_eq!(framing("content-length: 12\r\n").expect("length"), Framing::Length(12));
        assert_eq!(framing("Transfer-Encoding: Chunked\r\n").expect("coded"), Framing::Chunked);
        for refused in [
            "Content-Length: 1\r\nContent-Length: 2\r\n",
            "Content-Length: 1\r\nContent-Length: 1\r\n",
            "Content-Length: 1, 1\r\n",
            "Content-Length: +1\r\n",
            "Content-Length:\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        ] {
            assert!(matches!(framing(refused), Err(ClientError::Malformed(_))), "{refused:?}");
        }
    }

    #[test]
    fn some_answers_have_no_body() {
        let head = Head { status: 204, headers: Vec::new() };
        assert_eq!(head.framing().expect("no body"), Framing::Length(0));
        assert!(Head { status: 103, headers: Vec::new() }.is_informational());
    }
}
