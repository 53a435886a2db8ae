//! Times as the original writes them: `2026-11-23T00:46:51`, UTC.

use juniper::GraphQLScalar;

const DAY_S: i64 = 86_400;
/// The first second of the year 10000: later times have no four-digit year.
const END_S: i64 = 253_402_300_800;

/// A date and time in the manner of ISO 8601, UTC, such as
/// `2026-11-23T00:46:51`.
#[derive(Debug, Clone, PartialEq, Eq, GraphQLScalar)]
#[graphql(transparent)]
pub(super) struct DateTime(pub(super) String);

/// Milliseconds since 1970 as a time, its fraction of a second cut off.
pub(super) fn format(unix_ms: i64) -> DateTime {
    let seconds = unix_ms.div_euclid(1_000).clamp(0, END_S - 1);
    let (days, second) = (seconds / DAY_S, seconds % DAY_S);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    DateTime(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"))
}

/// The second of a time since 1970. A fraction is left out, and so is `Z` or
/// `+00:00`; other zones are not understood.
pub(super) fn parse(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00")).unwrap_or(text);
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00"));
    let time = time.split_once('.').map_or(time, |(time, _)| time);
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let in_range = (1970..10_000).contains(&year) && hour < 24 && minute < 60 && second < 60;
    let days = days(year, month, day);
    (in_range && civil(days) == (year, month, day))
        .then_some(days * DAY_S + hour * 3_600 + minute * 60 + second)
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator).map(|part| {
        let digits = part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse().ok()).flatten()
    });
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

/// Year, month and day of a day since 1970, in the Gregorian calendar. Years
/// are counted from March, so that the leap day is the last of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    // Days since 1 March of the year 0; 146,097 days are 400 years.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + carry, month, day)
}

/// The day since 1970 of a date.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times() {
        // date -u -d 2026-11-23T00:46:51 +%s
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00"),
            (951_782_399, "2000-02-28T23:59:59"),
            (951_782_400, "2000-02-29T00:00:00"),
            (1_795_394_811, "2026-11-23T00:46:51"),
            (4_107_542_400, "2100-03-01T00:00:00"),
            (END_S - 1, "9999-12-31T23:59:59"),
        ] {
            assert_eq!(format(seconds * 1_000 + 999).0, text);
            assert_eq!(parse(text), Some(seconds), "{text}");
        }
        assert_eq!(parse("2026-11-23 00:46:51.25Z"), Some(1_795_394_811));
        assert_eq!(parse("2026-11-23"), Some(1_795_392_000));
    }

    #[test]
    fn every_day_comes_back() {
        for day in 0..END_S / DAY_S {
            let (year, month, number) = civil(day);
            assert_eq!(days(year, month, number), day);
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "x",
            "2026-02-29",
            "2026-13-01",
            "2026-11-23T24:00:00",
            "1-1",
            "2026-11-23T1:2:3:4",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
