//! What is signed, as text, and back: the only form that is written and read.

/// The label of our signature in both headers.
const LABEL: &str = "pattoo=";
const REQUEST_COVERS: &str = r#"("@method" "@path" "@query" "content-digest")"#;
const ANSWER_COVERS: &str = r#"("@status" "content-digest" "signature";req)"#;
/// Hexadecimal digits of a nonce.
const NONCE_DIGITS: usize = 32;

pub(super) const INPUT_HEADER: &str = "Signature-Input";
pub(super) const SIGNATURE_HEADER: &str = "Signature";
pub(super) const DIGEST_HEADER: &str = "Content-Digest";
/// What a request without a signature is told to send: the value of
/// `Accept-Signature` (RFC 9421, 5.1).
pub(super) const ACCEPTED: &str =
    r#"pattoo=("@method" "@path" "@query" "content-digest");created;alg="hmac-sha256""#;

/// The parameters of a request's signature.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RequestParameters<'t> {
    /// Seconds since 1970.
    pub(super) created_s: u64,
    pub(super) key_id: &'t str,
    pub(super) nonce: u128,
}

impl RequestParameters<'_> {
    /// What is covered and the parameters, as they are signed.
    pub(super) fn text(&self) -> String {
        let Self { created_s, key_id, nonce } = self;
        format!(
            "{REQUEST_COVERS};created={created_s};keyid=\"{key_id}\";nonce=\"{nonce:032x}\";alg=\"hmac-sha256\""
        )
    }
}

/// The parameters that a text tells, if it is one of ours.
pub(super) fn request_parameters(text: &str) -> Option<RequestParameters<'_>> {
    let rest = text.strip_prefix(REQUEST_COVERS)?.strip_prefix(";created=")?;
    let (created, rest) = rest.split_once(";keyid=\"")?;
    let (key_id, rest) = rest.split_once("\";nonce=\"")?;
    let nonce = rest.strip_suffix("\";alg=\"hmac-sha256\"")?;
    let is_hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if nonce.len() != NONCE_DIGITS || !nonce.bytes().all(is_hexadecimal) {
        return None;
    }
    let nonce = u128::from_str_radix(nonce, 16).ok()?;
    Some(RequestParameters { created_s: whole(created)?, key_id, nonce })
}

/// What is covered and the parameters of an answer's signature, as they are signed.
pub(super) fn answer_parameters(created_s: u64, key_id: &str) -> String {
    format!("{ANSWER_COVERS};created={created_s};keyid=\"{key_id}\";alg=\"hmac-sha256\"")
}

/// The id that such a text tells, if it is one of ours.
pub(super) fn key_of_answer(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(ANSWER_COVERS)?.strip_prefix(";created=")?;
    let (created, rest) = rest.split_once(";keyid=\"")?;
    whole(created)?;
    rest.strip_suffix("\";alg=\"hmac-sha256\"")
}

/// A whole number of digits only.
fn whole(digits: &str) -> Option<u64> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// The signature base (RFC 9421, 2.5) of a request.
pub(super) fn request_base(
    method: &str,
    path: &str,
    query: Option<&str>,
    digest: &str,
    parameters: &str,
) -> String {
    let query = query.unwrap_or_default();
    format!(
        "\"@method\": {method}\n\"@path\": {path}\n\"@query\": ?{query}\n\
         \"content-digest\": {digest}\n\"@signature-params\": {parameters}"
    )
}

/// The signature base of an answer to the request with this `Signature` header.
pub(super) fn answer_base(
    status: u16,
    digest: &str,
    request_signature: &str,
    parameters: &str,
) -> String {
    format!(
        "\"@status\": {status}\n\"content-digest\": {digest}\n\
         \"signature\";req: {request_signature}\n\"@signature-params\": {parameters}"
    )
}

/// The value of a header under our label.
pub(super) fn labelled(value: &str) -> String {
    format!("{LABEL}{value}")
}

/// The headers of a signed message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signed<'m> {
    pub(super) digest: &'m str,
    /// What is covered and the parameters, without the label.
    pub(super) parameters: &'m str,
    /// The whole header.
    pub(super) signature: &'m str,
    /// What of it follows the label.
    pub(super) mac: &'m str,
}

impl<'m> Signed<'m> {
    /// Those of a message; `None` if one is missing, is there twice, or is not
    /// under our label alone.
    pub(super) fn of(headers: &'m [(String, String)]) -> Option<Self> {
        let signature = only(headers, SIGNATURE_HEADER)?;
        Some(Self {
            digest: only(headers, DIGEST_HEADER)?,
            parameters: only(headers, INPUT_HEADER)?.strip_prefix(LABEL)?,
            signature,
            mac: signature.strip_prefix(LABEL)?,
        })
    }
}

/// The value of a header that is there once.
fn only<'m>(headers: &'m [(String, String)], name: &str) -> Option<&'m str> {
    let mut all = headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
    match (all.next(), all.next()) {
        (Some((_, value)), None) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMETERS: RequestParameters<'_> =
        RequestParameters { created_s: 1_796_000_000, key_id: "site1", nonce: 0xa1 };
    const TEXT: &str = "(\"@method\" \"@path\" \"@query\" \"content-digest\");created=1796000000\
        ;keyid=\"site1\";nonce=\"000000000000000000000000000000a1\";alg=\"hmac-sha256\"";

    #[test]
    fn parameters_are_written_and_read_in_one_way() {
        assert_eq!(PARAMETERS.text(), TEXT);
        assert_eq!(request_parameters(TEXT), Some(PARAMETERS));
        let largest = RequestParameters { created_s: u64::MAX, nonce: u128::MAX, ..PARAMETERS };
        assert_eq!(request_parameters(&largest.text()), Some(largest));
        for (from, to) in [
            ("\"@path\" ", ""),
            ("\"@method\" \"@path\"", "\"@path\" \"@method\""),
            (";created=1796000000", ""),
            ("1796000000", "+1796000000"),
            ("1796000000", "-1"),
            ("1796000000", ""),
            ("1796000000", "99999999999999999999"),
            ("00a1", "a1"),
            ("00a1", "00A1"),
            ("000a1", "+00a1"),
            (";alg=\"hmac-sha256\"", ""),
            ("hmac-sha256", "ed25519"),
            ("\";alg", "\";tag=\"x\";alg"),
            (";keyid", "; keyid"),
            ("(", " ("),
        ] {
            let text = TEXT.replacen(from, to, 1);
            assert_ne!(text, TEXT);
            assert_eq!(request_parameters(&text), None, "{text}");
        }
        let answer = answer_parameters(7, "site1");
        assert_eq!(key_of_answer(&answer), Some("site1"));
        for other in [TEXT, "", &answer.replace("req", "x"), &answer.replace("=7", "=x")] {
            assert_eq!(key_of_answer(other), None, "{other}");
        }
        assert_eq!(request_parameters(&answer), None);
        assert!(ACCEPTED.starts_with(&labelled(REQUEST_COVERS)));
    }

    #[test]
    fn bases_are_as_rfc_9421_has_them() {
        assert_eq!(
            request_base("GET", "/a/300", None, "sha-256=:x:", "(p)"),
            "\"@method\": GET\n\"@path\": /a/300\n\"@query\": ?\n\
             \"content-digest\": sha-256=:x:\n\"@signature-params\": (p)"
        );
        assert!(request_base("GET", "/", Some("b=1"), "d", "(p)").contains("\n\"@query\": ?b=1\n"));
        assert_eq!(
            answer_base(200, "sha-256=:x:", "pattoo=:y:", "(p)"),
            "\"@status\": 200\n\"content-digest\": sha-256=:x:\n\
             \"signature\";req: pattoo=:y:\n\"@signature-params\": (p)"
        );
    }

    #[test]
    fn each_header_stands_once_under_our_label() {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let good = vec![
            header("signature", "pattoo=:m:"),
            header("SIGNATURE-INPUT", "pattoo=(p)"),
            header("Content-Digest", "sha-256=:x:"),
        ];
        let signed = Signed::of(&good).unwrap();
        assert_eq!((signed.signature, signed.mac), ("pattoo=:m:", ":m:"));
        assert_eq!((signed.parameters, signed.digest), ("(p)", "sha-256=:x:"));
        for index in 0..3 {
            let mut less = good.clone();
            let taken = less.remove(index);
            assert!(Signed::of(&less).is_none());
            let twice = [good.clone(), vec![taken]].concat();
            assert!(Signed::of(&twice).is_none());
        }
        let mut other = good;
        other[1].1 = "sig1=(p)".to_owned();
        assert!(Signed::of(&other).is_none());
    }
}
