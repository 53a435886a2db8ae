use super::*;

/// All bytes in one piece.
fn read(bytes: &[u8]) -> Result<Option<(Head, Vec<u8>)>, u16> {
    let mut reader = HeadReader::default();
    let part = &bytes[..bytes.len().min(reader.room())];
    match reader.push(part) {
        Ok(found) => Ok(found.map(|(head, rest)| (head, rest.to_vec()))),
        Err(refusal) => Err(refusal.status),
    }
}

/// Byte by byte: what a client that dribbles gets, and how many bytes it could send.
fn dribble(bytes: &[u8]) -> (Result<Option<Head>, u16>, usize) {
    let mut reader = HeadReader::default();
    for (index, byte) in bytes.iter().enumerate() {
        match reader.push(std::slice::from_ref(byte)) {
            Ok(None) => {}
            Ok(Some((head, _))) => return (Ok(Some(head)), index + 1),
            Err(refusal) => return (Err(refusal.status), index + 1),
        }
    }
    (Ok(None), bytes.len())
}

fn head(text: &str) -> Head {
    read(text.as_bytes()).unwrap().unwrap().0
}

fn status(text: &str) -> u16 {
    let status = read(text.as_bytes()).unwrap_err();
    assert_eq!(dribble(text.as_bytes()).0.unwrap_err(), status, "byte by byte: {text:?}");
    status
}

#[test]
fn a_get_is_read_whole_and_in_pieces() {
    let text = "GET /a/300?x=1&y HTTP/1.1\r\nHost: h\r\nX-Empty:\r\nAccept:  */*  \r\n\r\n";
    let head = head(text);
    assert_eq!((&head.method, head.path.as_str()), (&Method::Get, "/a/300"));
    assert_eq!(head.query.as_deref(), Some("x=1&y"));
    let headers = [("Host", "h"), ("X-Empty", ""), ("Accept", "*/*")];
    assert_eq!(head.headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!((head.body_bytes, head.is_waiting_to_send), (0, false));
    assert_eq!(dribble(text.as_bytes()), (Ok(Some(head)), text.len()));
}

#[test]
fn what_comes_behind_the_head_is_handed_over() {
    let (head, rest) = read(b"POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello").unwrap().unwrap();
    assert_eq!((head.body_bytes, rest.as_slice()), (5, b"hello".as_slice()));
}

#[test]
fn empty_lines_before_the_request_mean_nothing() {
    assert_eq!(head("\r\n\r\nGET / HTTP/1.1\r\n\r\n").path, "/");
}

#[test]
fn targets_in_every_form() {
    let target = |target: &str| {
        let head = head(&format!("GET {target} HTTP/1.1\r\n\r\n"));
        (head.path, head.query)
    };
    let expected = |path: &str, query: Option<&str>| (path.into(), query.map(str::to_owned));
    assert_eq!(target("/"), expected("/", None));
    assert_eq!(target("/?"), expected("/", Some("")));
    assert_eq!(target("/a?b?c"), expected("/a", Some("b?c")));
    assert_eq!(head("OPTIONS * HTTP/1.1\r\n\r\n").path, "*");
    assert_eq!(target("http://h:1/a?b"), expected("/a", Some("b")));
    assert_eq!(target("HTTPS://h/a"), expected("/a", None));
    assert_eq!(target("http://h"), expected("/", None));
    assert_eq!(target("http://h?b/c"), expected("/", Some("b/c")));
    for bad in ["a", "*", "h:80", "ftp://h/", "/ä", "/\u{7f}", "htt"] {
        assert_eq!(status(&format!("GET {bad} HTTP/1.1\r\n\r\n")), 400, "{bad:?}");
    }
}

#[test]
fn lengths_that_could_be_read_in_two_ways_are_refused() {
    let length = |lines: &str| read(format!("POST / HTTP/1.1\r\n{lines}\r\n\r\n").as_bytes());
    for good in [("0", 0), ("007", 7), ("1000000000000", 1_000_000_000_000)] {
        let (head, _) = length(&format!("Content-Length: {}", good.0)).unwrap().unwrap();
        assert_eq!(head.body_bytes, good.1);
    }
    let (head, _) = length(&format!("Content-Length: 1{}", "0".repeat(30))).unwrap().unwrap();
    assert_eq!(head.body_bytes, u64::MAX);
    for bad in ["+5", "-5", "5.0", "0x5", "5 5", "5, 5", "", "٥"] {
        assert_eq!(length(&format!("Content-Length: {bad}")), Err(400), "{bad:?}");
    }
    assert_eq!(length("Content-Length: 5\r\ncontent-length: 5"), Err(400));
    assert_eq!(length("Content-Length: 5\r\nContent-Length: 6"), Err(400));
    assert_eq!(length("Transfer-Encoding: chunked"), Err(501));
    assert_eq!(length("Transfer-Encoding: identity"), Err(501));
    assert_eq!(length("Transfer-Encoding: chunked\r\nContent-Length: 5"), Err(400));
}

#[test]
fn an_expectation_counts_only_where_a_body_is_to_come() {
    let waits = |version, length| {
        let lines = format!("Expect: 100-Continue\r\nContent-Length: {length}");
        head(&format!("POST / {version}\r\n{lines}\r\n\r\n")).is_waiting_to_send
    };
    assert!(waits("HTTP/1.1", 1));
    assert!(!waits("HTTP/1.1", 0) && !waits("HTTP/1.0", 1));
}

#[test]
fn other_versions_are_refused_with_their_own_status() {
    for version in ["HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "http/1.1", "HTTP/1.12"] {
        let expected = if version == "HTTP/1.12" { 400 } else { 505 };
        assert_eq!(status(&format!("GET / {version}\r\n\r\n")), expected, "{version}");
    }
    assert_eq!(status("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
}

#[test]
fn what_can_never_become_a_request_is_refused_at_once() {
    let refused_at = |text: &[u8]| {
        let (outcome, sent) = dribble(text);
        (outcome.unwrap_err(), sent)
    };
    assert_eq!(refused_at(b"GET /\r\n and more"), (400, 7));
    assert_eq!(refused_at(b"GET / HTTP/1.1\n and more"), (400, 15));
    assert_eq!(refused_at(b"\n and more"), (400, 1));
    assert_eq!(refused_at(b"GET / HTTP/2.0\r\nHost: h"), (505, 16));
    assert_eq!(refused_at(b"\x16\x03\x01\x02\x00"), (400, 1));
    assert_eq!(refused_at(b"GET / HTTP/1.1\r\nA: b\0c"), (400, 21));
}

#[test]
fn malformed_header_lines_are_refused() {
    for line in ["A: b\r\n folded", " A: b", "A : b", ": b", "A", "A: b\rc", "A\u{b}: b", "Ä: b"] {
        assert_eq!(status(&format!("GET / HTTP/1.1\r\n{line}\r\n\r\n")), 400, "{line:?}");
    }
    assert_eq!(status("GET / HTTP/1.1\r\nA: b\n\n"), 400);
    assert_eq!(status("GET  / HTTP/1.1\r\n\r\n"), 400);
}

#[test]
fn header_values_beyond_ascii_are_kept_as_text() {
    let (head, _) = read(b"GET / HTTP/1.1\r\nA: \xff\r\n\r\n").unwrap().unwrap();
    assert_eq!(head.headers, [("A".to_owned(), "\u{fffd}".to_owned())]);
}

#[test]
fn sixty_four_header_lines_and_no_more() {
    let lines = |count| format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(count));
    assert_eq!(head(&lines(64)).headers.len(), 64);
    assert_eq!(status(&lines(65)), 431);
}

#[test]
fn heads_of_8192_bytes_and_no_more() {
    let exact = |total: usize| {
        let start = "GET / HTTP/1.1\r\nA: ";
        format!("{start}{}\r\n\r\n", "b".repeat(total - start.len() - 4))
    };
    assert_eq!(head(&exact(8192)).headers.len(), 1);
    assert_eq!(status(&exact(8193)), 431);
    assert_eq!(status(&format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(8192))), 414);
    assert_eq!(status(&"\r\n".repeat(8192)), 414);
}

/// No bytes, however cut, may panic or be judged differently by where they were
/// cut. The generator is a fixed one, so that a failure can be repeated.
#[test]
fn mutated_heads_never_panic_and_do_not_depend_on_the_cut() {
    let seed = b"POST http://h/a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\nExpect: x\r\n\r\n";
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).unwrap()
    };
    let spice = b"\r\n\0 \t:?/*+\xff\x7f0A";
    for _ in 0..20_000 {
        let mut bytes = seed.to_vec();
        for _ in 0..=next(3) {
            let place = next(bytes.len());
            match next(3) {
                0 => bytes[place] = spice[next(spice.len())],
                1 => bytes.insert(place, spice[next(spice.len())]),
                _ => drop(bytes.remove(place)),
            }
        }
        let whole = read(&bytes).map(|found| found.map(|(head, _)| head));
        assert_eq!(dribble(&bytes).0, whole, "{:?}", String::from_utf8_lossy(&bytes));
    }
}
