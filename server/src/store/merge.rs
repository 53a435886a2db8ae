//! One series of samples out of several.

use super::number::Sample;

/// Joins sources, each in order of time or not, the most settled first: of two
/// samples at one time the one of the earlier source stays, and within a source
/// the first.
pub(super) fn merge(sources: impl IntoIterator<Item = Vec<Sample>>) -> Vec<Sample> {
    let mut sources = sources.into_iter();
    let mut all = sources.next().unwrap_or_default();
    for source in sources {
        all.extend(source);
    }
    if !all.is_sorted_by(|a, b| a.timestamp_ms < b.timestamp_ms) {
        // The sort is stable, so equal times keep the order of the sources.
        all.sort_by_key(|sample| sample.timestamp_ms);
        all.dedup_by_key(|sample| sample.timestamp_ms);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(of: &[(u64, i64)]) -> Vec<Sample> {
        of.iter().map(|(at, value)| Sample { timestamp_ms: *at, value: (*value).into() }).collect()
    }

    #[test]
    fn of_two_at_one_time_the_first_stays() {
        let merged = merge([
            samples(&[(10, 1), (30, 1)]),
            samples(&[(30, 2), (20, 2), (20, 9)]),
            samples(&[(10, 3), (40, 3)]),
        ]);
        assert_eq!(merged, samples(&[(10, 1), (20, 2), (30, 1), (40, 3)]));
    }
}
