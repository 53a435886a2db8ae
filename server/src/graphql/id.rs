//! Ids and cursors: base64 of `Type:number` and of `arrayconnection:number`, as
//! Relay has them. Where a row has two numbers, they stand as `(1, 2)`.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Longer text is no id of ours, and is not looked at.
const MAX_ID_BYTES: usize = 128;
const CURSOR: &str = "arrayconnection";

/// The id of a row.
pub(super) fn encode(kind: &str, numbers: &[i64]) -> String {
    let numbers = match numbers {
        [one] => one.to_string(),
        many => {
            let many: Vec<String> = many.iter().map(i64::to_string).collect();
            format!("({})", many.join(", "))
        }
    };
    base64(format!("{kind}:{numbers}").as_bytes())
}

/// The type and the numbers of an id; none if it is no id.
pub(super) fn decode(id: &str) -> Option<(String, Vec<i64>)> {
    let text = String::from_utf8(unbase64(id)?).ok()?;
    let (kind, numbers) = text.split_once(':')?;
    let numbers = numbers.strip_prefix('(').and_then(|n| n.strip_suffix(')')).unwrap_or(numbers);
    let numbers = numbers.split(',').map(|n| n.trim().parse().ok()).collect::<Option<_>>()?;
    Some((kind.to_owned(), numbers))
}

/// The cursor of the row at an offset.
pub(super) fn cursor(offset: u64) -> String {
    base64(format!("{CURSOR}:{offset}").as_bytes())
}

/// The offset of a cursor; none if it is no cursor.
pub(super) fn offset(cursor: &str) -> Option<u64> {
    let text = String::from_utf8(unbase64(cursor)?).ok()?;
    text.strip_prefix(CURSOR)?.strip_prefix(':')?.parse().ok()
}

/// RFC 4648, section 4, with padding.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|place| chunk.get(place).copied().unwrap_or(0));
        let group = u32::from_be_bytes([0, a, b, c]);
        for place in 0..4 {
            let digit = (group >> (18 - 6 * place)) & 63;
            let digit = char::from(ALPHABET[digit as usize]);
            text.push(if place <= chunk.len() { digit } else { '=' });
        }
    }
    text
}

fn unbase64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    if text.len() > MAX_ID_BYTES || digits.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    for chunk in digits.as_bytes().chunks(4) {
        let mut group = 0_u32;
        for place in 0..4 {
            let digit = match chunk.get(place) {
                Some(digit) => ALPHABET.iter().position(|known| known == digit)?,
                None => 0,
            };
            group = group << 6 | u32::try_from(digit).ok()?;
        }
        bytes.extend_from_slice(&group.to_be_bytes()[1..chunk.len()]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_the_original() {
        for (id, kind, numbers) in [
            ("QWdlbnQ6MQ==", "Agent", &[1][..]),
            ("RGF0YVBvaW50OjE4OQ==", "DataPoint", &[189]),
            ("R2x1ZTooMSwgMTAp", "Glue", &[1, 10]),
            ("RGF0YTooMSwgMTc5NTM5NDk1NzYzNik=", "Data", &[1, 1_795_394_957_636]),
        ] {
            assert_eq!(encode(kind, numbers), id);
            assert_eq!(decode(id), Some((kind.to_owned(), numbers.to_vec())));
        }
        assert_eq!(cursor(188), "YXJyYXljb25uZWN0aW9uOjE4OA==");
        assert_eq!(offset("YXJyYXljb25uZWN0aW9uOjE4OA=="), Some(188));
    }

    #[test]
    fn what_is_no_id_is_none() {
        for text in ["", "?", "A", "QWdlbnQ", "QWdlbnQ6", "QWdlbnQ6eA==", "////", "ä"] {
            assert_eq!(decode(text), None, "{text}");
            assert_eq!(offset(text), None, "{text}");
        }
        assert_eq!(decode(&base64("Agent:1".repeat(40).as_bytes())), None);
        assert_eq!(offset("QWdlbnQ6MQ=="), None);
    }
}
