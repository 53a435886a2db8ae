//! The known word nearest to one that was mistyped.

/// Words longer than this are compared with nothing: no flag and no key of
/// ours comes near it.
const LONGEST_WORD: usize = 64;

/// The one of `known` that takes the fewest changes of a letter to become
/// `word`, if that is at most a third of its letters: otherwise a guess would
/// mislead.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(LONGEST_WORD + 1).collect();
    if word.len() > LONGEST_WORD {
        return None;
    }
    known
        .into_iter()
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|(distance, candidate)| distance * 3 <= candidate.chars().count().max(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters were inserted, left out, replaced, or exchanged with their
/// neighbour (the optimal string alignment distance).
fn distance(word: &[char], candidate: &str) -> usize {
    let candidate: Vec<char> = candidate.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=word.len()).collect();
    for line in 0..candidate.len() {
        let mut row = vec![line + 1];
        for column in 0..word.len() {
            let replaced = above[column] + usize::from(word[column] != candidate[line]);
            let mut least = replaced.min(above[column + 1] + 1).min(row[column] + 1);
            if line > 0
                && column > 0
                && word[column] == candidate[line - 1]
                && word[column - 1] == candidate[line]
            {
                least = least.min(before[column - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[word.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let known = ["start", "stop", "status", "restart"];
        assert_eq!(nearest("strat", known), Some("start"));
        assert_eq!(nearest("stat", known), Some("start"));
        assert_eq!(nearest("satus", known), Some("status"));
        assert_eq!(nearest("restrat", known), Some("restart"));
        assert_eq!(nearest("frobnicate", known), None);
        assert_eq!(nearest(&"s".repeat(100_000), known), None);
    }

    #[test]
    fn changes_are_counted() {
        let chars = |word: &str| word.chars().collect::<Vec<_>>();
        assert_eq!(distance(&chars("kitten"), "sitting"), 3);
        assert_eq!(distance(&chars(""), "abc"), 3);
        assert_eq!(distance(&chars("abc"), ""), 3);
        assert_eq!(distance(&chars("same"), "same"), 0);
        assert_eq!(distance(&chars("tsart"), "start"), 1);
        assert_eq!(distance(&chars("ab"), "ba"), 1);
    }
}
