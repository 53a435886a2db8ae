//! hmac-sha256 and the digest of a content, as the headers have them: in base64
//! between colons (RFC 8941).

use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Bytes of a signature and of a digest.
const BYTES: usize = 32;

/// The signature of a text, as `:base64:`.
pub(super) fn sign(key: &[u8], base: &str) -> String {
    in_colons(&keyed(key, base).finalize().into_bytes())
}

/// Whether a value, as `:base64:`, is the signature of the text. How long it takes
/// does not depend on where it is wrong.
pub(super) fn is_right(key: &[u8], base: &str, value: &str) -> bool {
    let Some(base64) = value.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')) else {
        return false;
    };
    let mut bytes = [0; BYTES];
    match Base64::decode(base64, &mut bytes) {
        Ok(mac) if mac.len() == BYTES => keyed(key, base).verify_slice(mac).is_ok(),
        Ok(_) | Err(_) => false,
    }
}

/// The value of `Content-Digest` for a content.
pub(super) fn content_digest(content: &[u8]) -> String {
    format!("sha-256={}", in_colons(&Sha256::digest(content)))
}

fn keyed(key: &[u8], base: &str) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "RFC 2104: a key may have any length")]
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.chain_update(base)
}

fn in_colons(bytes: &[u8]) -> String {
    format!(":{}:", Base64::encode_string(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9421, B.1.5 and B.2.5.
    const KEY: &str =
        "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
    const BASE: &str = "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\
        \"@authority\": example.com\n\
        \"content-type\": application/json\n\
        \"@signature-params\": (\"date\" \"@authority\" \"content-type\")\
        ;created=1618884473;keyid=\"test-shared-secret\"";
    const SIGNATURE: &str = ":pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:";

    #[test]
    fn the_example_of_rfc_9421() {
        let key = Base64::decode_vec(KEY).unwrap();
        assert_eq!(sign(&key, BASE), SIGNATURE);
        assert!(is_right(&key, BASE, SIGNATURE));
        assert!(!is_right(&key[1..], BASE, SIGNATURE));
        assert!(!is_right(&key, &BASE[1..], SIGNATURE));
    }

    #[test]
    fn a_signature_is_written_in_one_way_only() {
        let key = Base64::decode_vec(KEY).unwrap();
        let bare = SIGNATURE.trim_matches(':');
        for other in [
            bare.to_owned(),
            format!(":{bare}"),
            format!("::{bare}::"),
            format!(":{}:", bare.trim_end_matches('=')),
            format!(":{bare}=:"),
            format!(": {bare}:"),
            format!(":{}:", bare.replace("tE8=", "tE9=")),
            format!(":{}:", bare.replace('/', "_")),
            format!(":{}:", &bare[..40]),
            format!(":{}:", bare.repeat(2)),
            "::".to_owned(),
            ":".to_owned(),
            String::new(),
        ] {
            assert!(!is_right(&key, BASE, &other), "{other}");
        }
    }

    /// RFC 9530, appendix B: the digest of nothing, and that of `{"hello": "world"}`
    /// with a line feed.
    #[test]
    fn the_examples_of_rfc_9530() {
        assert_eq!(content_digest(b""), "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
        assert_eq!(
            content_digest(b"{\"hello\": \"world\"}\n"),
            "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
        );
    }
}
