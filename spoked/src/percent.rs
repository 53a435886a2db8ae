//! A share in percent, rounded as psutil rounds it.

/// `part` of `whole` in percent with one decimal, from 0 to 100. Of nothing
/// everything is 0 %, as a machine without swap has used 0 % of it.
pub(crate) fn percent(part: f64, whole: f64) -> f64 {
    if whole == 0.0 {
        return 0.0;
    }
    let tenths = (part / whole * 1000.0).round_ties_even();
    (tenths / 10.0).clamp(0.0, 100.0)
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    #[expect(clippy::float_cmp, reason = "tenths are exact here")]
    fn it_has_one_decimal_and_stays_in_its_bounds() {
        assert_eq!(percent(1.0, 3.0), 33.3);
        assert_eq!(percent(2.0, 3.0), 66.7);
        assert_eq!(percent(0.0, 0.0), 0.0);
        assert_eq!(percent(7.0, 7.0), 100.0);
        assert_eq!(percent(8.0, 7.0), 100.0);
    }
}
