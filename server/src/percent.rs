//! Text of a query string, back from its encoding (RFC 3986; `+` is a space, as
//! forms have it).

/// The text; none if a `%` has no two hexadecimal digits behind it, or the
/// bytes are no UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next()?).to_digit(16).and_then(|d| u8::try_from(d).ok());
        bytes.push(match byte {
            b'%' => digit()? << 4 | digit()?,
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// The value of a name in a query string; none if it is not there or not well
/// encoded.
pub(crate) fn value_of(query_string: &str, wanted: &str) -> Option<String> {
    let mut pairs = query_string.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find(|(name, _)| *name == wanted).and_then(|(_, value)| decode(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes() {
        assert_eq!(decode("a+b%20c%C3%A9%2b").as_deref(), Some("a b cé+"));
        for bad in ["%", "%4", "%4g", "%ff", "a%"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
        assert_eq!(value_of("a=1&b=%32&c", "b").as_deref(), Some("2"));
        assert_eq!(value_of("a=1&b=%32&c", "c").as_deref(), Some(""));
        assert_eq!(value_of("a=1", "b"), None);
    }
}
