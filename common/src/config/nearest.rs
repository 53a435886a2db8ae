//! The known key that an unknown one was probably meant to be.

/// Longer keys are not compared: none of ours comes near.
const LONGEST_KEY: usize = 64;

/// The nearest of the known keys, if it is near enough to be a slip of the pen:
/// a third of its letters may differ.
pub(super) fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    if unknown.len() > LONGEST_KEY {
        return None;
    }
    let unknown = unknown.to_ascii_lowercase();
    let unknown = unknown.as_str();
    known
        .iter()
        .map(|&key| (distance(unknown, key), key))
        .filter(|(distance, key)| *distance <= key.len().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, key)| key)
}

/// Letters to insert, remove or replace to make one word of the other
/// (Levenshtein's distance).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(distance("", ""), 0);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("port", "prot"), 2);
    }

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let known = ["ip_devices", "polling_interval", "post_mode"];
        assert_eq!(nearest("ip_device", &known), Some("ip_devices"));
        assert_eq!(nearest("Polling-Interval", &known), Some("polling_interval"));
        assert_eq!(nearest("db_hostname", &known), None);
        assert_eq!(nearest(&"x".repeat(10_000), &known), None);
        assert_eq!(nearest("anything", &[]), None);
    }
}
