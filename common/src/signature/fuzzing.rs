//! What the fuzzer of `fuzz/` asks of the check of signatures. Only built for it.
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "so the fuzzer learns of a fault"
)]

use std::sync::LazyLock;

use super::secrets::secrets;
use super::{Secrets, SignedRequest, answer, request};
use crate::http_server::fuzzing::request_of;
use crate::http_server::{Request, json};

const NOW_S: u64 = 1_795_394_326;
const BODY: &[u8] = b"[1, 2]";
const ANSWER: &[u8] = b"OK";
const STATUS: u16 = 200;
const TARGET: &str = "/pattoo/api/v1/agent/receive/hub?a=b";

static SECRETS: LazyLock<Secrets> =
    LazyLock::new(|| secrets(&[("site1", "0123456789abcdef"), ("site2", "fedcba9876543210")]));

/// Names and values.
type Headers = Vec<(String, String)>;

/// A request that was signed, as it goes onto the wire, and the headers of its answer.
static SIGNED: LazyLock<(SignedRequest<'static>, Vec<u8>, Headers)> = LazyLock::new(|| {
    let signed = SECRETS.sign_request_of(NOW_S, "POST", TARGET, BODY);
    let (lines, length) = (signed.header_lines(), BODY.len());
    let head = format!("POST {TARGET} HTTP/1.1\r\n{lines}Content-Length: {length}\r\n\r\n");
    let answer = answer::sign(SECRETS.first(), &signed.signature, json(STATUS, ANSWER), NOW_S);
    let text = |header: &tiny_http::Header| {
        (header.field.as_str().as_str().to_owned(), header.value.as_str().to_owned())
    };
    let headers = answer.headers().iter().map(text).collect();
    (signed, [head.as_bytes(), BODY].concat(), headers)
});

/// Whatever a stranger makes of a signed request or answer, and whatever it writes
/// itself: only what was signed is taken.
///
/// The first byte chooses. The others are the headers of a request, or changes of a
/// signed one or of its answer: three bytes each, of which two are the place.
pub fn signature(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let (signed, wire, headers) = &*SIGNED;
    match choice % 3 {
        0 => {
            let head = b"POST /pattoo/api/v1/agent/receive/hub?a=b HTTP/1.1\r\n";
            check(request_of(&[head, bytes].concat()));
        }
        1 => check(request_of(&changed(wire, bytes))),
        _ => {
            let text: Vec<u8> = headers
                .iter()
                .flat_map(|(name, value)| format!("{name}\0{value}\0").into_bytes())
                .chain(ANSWER.iter().copied())
                .collect();
            let text = String::from_utf8_lossy(&changed(&text, bytes)).into_owned();
            let mut parts: Vec<String> = text.split('\0').map(str::to_owned).collect();
            let body = parts.pop().unwrap_or_default();
            let pairs = parts.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
            let status = if bytes.len() % 7 == 6 { 500 } else { STATUS };
            if signed.check_answer(status, &pairs.collect::<Vec<_>>(), body.as_bytes()).is_ok() {
                assert!(status == STATUS && body.as_bytes() == ANSWER, "{text:?}");
            }
        }
    }
}

/// Text in which some bytes were changed, or cut off at 255.
fn changed(text: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    for change in changes.chunks_exact(3) {
        let place = usize::from(u16::from_be_bytes([change[0], change[1]]));
        if place >= text.len() {
            continue;
        }
        match change[2] {
            255 => text.truncate(place),
            254 => drop(text.remove(place)),
            253 => text.insert(place, b' '),
            byte => text[place] = byte,
        }
    }
    text
}

fn check(request: Option<Request>) {
    let Some(request) = request else { return };
    if request::check(&SECRETS, &request, NOW_S).is_ok() {
        assert_eq!(request.method.as_str(), "POST");
        assert_eq!(
            (request.path.as_str(), request.query.as_deref()),
            TARGET.split_once('?').map(|(path, query)| (path, Some(query))).unwrap()
        );
        assert_eq!(request.body, BODY);
    }
}
