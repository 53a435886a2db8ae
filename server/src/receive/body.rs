//! The body of a post, unpacked.

use std::borrow::Cow;
use std::io::Read;

use flate2::bufread::MultiGzDecoder;
use pattoo_common::http_server::Request;
use pattoo_common::quoted::quoted;

/// Why a body is not taken, with the HTTP status that says so.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unfit {
    pub(super) status: u16,
    pub(super) reason: String,
}

/// Whether the body is unpacked, and so takes more room than it has arrived with.
pub(super) fn is_packed(request: &Request) -> bool {
    request.header("content-encoding").is_some_and(is_gzip)
}

/// The posted text. A gzip-encoded one is unpacked, up to a limit.
pub(super) fn text(request: &Request, limit_bytes: usize) -> Result<Cow<'_, [u8]>, Unfit> {
    let unfit = |status, reason: String| Err(Unfit { status, reason });
    let kind = request.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        let reason = format!("the content type is {}, application/json is wanted", quoted(kind));
        return unfit(415, reason);
    }
    match request.header("content-encoding").unwrap_or_default() {
        encoding if is_gzip(encoding) => unpack(&request.body, limit_bytes).map(Cow::Owned),
        encoding if encoding.is_empty() || encoding.eq_ignore_ascii_case("identity") => {
            // The HTTP server takes more where a refusal is to be signed.
            if request.body.len() > limit_bytes {
                return unfit(413, format!("it has more than {limit_bytes} bytes"));
            }
            Ok(Cow::Borrowed(&request.body))
        }
        other => {
            unfit(415, format!("the content encoding is {}, gzip or none is wanted", quoted(other)))
        }
    }
}

/// RFC 9110, 8.4.1.3: `x-gzip` is the same.
fn is_gzip(encoding: &str) -> bool {
    encoding.eq_ignore_ascii_case("gzip") || encoding.eq_ignore_ascii_case("x-gzip")
}

fn unpack(packed: &[u8], limit_bytes: usize) -> Result<Vec<u8>, Unfit> {
    let mut text = Vec::new();
    let limit = limit_bytes as u64 + 1;
    if let Err(error) = MultiGzDecoder::new(packed).take(limit).read_to_end(&mut text) {
        let at = text.len();
        return Err(Unfit {
            status: 400,
            reason: format!("no gzip after {at} bytes that could be unpacked: {error}"),
        });
    }
    if text.len() > limit_bytes {
        return Err(Unfit {
            status: 413,
            reason: format!("unpacked it has more than {limit_bytes} bytes"),
        });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use pattoo_common::http_server::Method;

    use super::*;

    fn request(headers: &[(&str, &str)], body: &[u8]) -> Request {
        Request {
            method: Method::Post,
            path: "/".into(),
            query: None,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            body: body.to_vec(),
            peer: ([127, 0, 0, 1], 1).into(),
        }
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    const JSON: (&str, &str) = ("Content-Type", "application/json; charset=utf-8");

    fn packed(body: &[u8], limit: usize) -> Result<Vec<u8>, u16> {
        let request = request(&[JSON, ("Content-Encoding", "GZIP")], body);
        assert!(is_packed(&request));
        text(&request, limit).map(Cow::into_owned).map_err(|unfit| unfit.status)
    }

    #[test]
    fn a_packed_text_is_unpacked_up_to_its_limit() {
        assert_eq!(packed(&gzip(b"hello"), 5).unwrap(), b"hello");
        assert_eq!(packed(&[gzip(b"hel"), gzip(b"lo")].concat(), 5).unwrap(), b"hello");
        assert_eq!(packed(&gzip(b"hello!"), 5), Err(413));
        assert_eq!(packed(&gzip(&vec![b' '; 100 << 20]), 1 << 20), Err(413));
        assert_eq!(packed(b"hello", 5), Err(400));
        assert_eq!(packed(b"", 5), Err(400));
        let whole = gzip(&[b'x'; 1000]);
        assert_eq!(packed(&whole[..whole.len() - 1], 1000), Err(400), "its end is missing");
    }

    #[test]
    fn other_types_and_encodings_are_refused() {
        let status =
            |headers: &[(&str, &str)]| text(&request(headers, b"x"), 9).err().map(|e| e.status);
        assert_eq!(status(&[JSON]), None);
        assert_eq!(text(&request(&[JSON], b"0123456789"), 9).err().map(|e| e.status), Some(413));
        assert_eq!(status(&[JSON, ("content-encoding", "identity")]), None);
        assert_eq!(status(&[JSON, ("content-encoding", "br")]), Some(415));
        assert_eq!(status(&[("content-type", "text/plain")]), Some(415));
        assert_eq!(status(&[]), Some(415));
    }
}
