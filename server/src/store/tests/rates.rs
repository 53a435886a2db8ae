//! Rates of counters that restart, wrap and have gaps: from samples, from roll-ups
//! and from what outlives the samples, they are what is reckoned here pair by pair.

use super::super::{FIVE_MINUTES_MS, HOUR_MS, Keep, Resolution, Retention};
use super::*;

const DAYS: u64 = 4;
/// The charts show all but the first day.
const FROM_MS: u64 = START_MS + DAY_MS;
const TO_MS: u64 = START_MS + DAYS * DAY_MS;
const WRAP: i128 = 1 << 32;

/// A poll every 20 s or so, but for gaps of minutes and of hours.
fn times() -> Vec<u64> {
    let missing = |n: u64| (n / 7).is_multiple_of(61) || (2_000..2_700).contains(&(n % 5_000));
    (0..DAYS * DAY_MS / 20_000)
        .filter(|n| !missing(*n))
        .map(|n| START_MS + n * 20_000 + n * n % 1_900)
        .collect()
}

/// A counter that grows by 0 to 40,000 a second and begins anew every 5 hours or so,
/// once where five minutes end.
fn restarting(at_ms: u64) -> u64 {
    let second = (at_ms - START_MS) / 1000;
    let since = if second < 90_000 { second % 18_000 } else { (second - 90_000) % 17_777 };
    since * 20_000 + since * since % 977
}

/// A counter of 32 bits that wraps every 70 minutes or so, and once begins anew from
/// the middle.
fn wrapping(at_ms: u64) -> u64 {
    let second = (at_ms - START_MS) / 1000;
    let restart = START_MS + 200_000_000;
    let since = if at_ms < restart { second } else { second - 199_000 };
    since * 1_000_000 % (1 << 32)
}

struct Kind {
    name: &'static str,
    data_type: DataType,
    value: fn(u64) -> u64,
}

const KINDS: [Kind; 2] = [
    Kind { name: "restarts", data_type: DataType::Counter64, value: restarting },
    Kind { name: "wraps", data_type: DataType::Counter32, value: wrapping },
];

/// Some of the samples, in hours of each day, come when their day was compacted.
fn is_late(at_ms: u64) -> bool {
    at_ms % 3 == 1 && (at_ms / HOUR_MS) % 9 == 4
}

fn post(bed: &Bed, late: bool) {
    for kind in &KINDS {
        let given: Vec<_> = times()
            .into_iter()
            .filter(|at_ms| is_late(*at_ms) == late)
            .map(|at_ms| {
                let value = Reading::Number((kind.value)(at_ms).into());
                (kind.name, kind.data_type, at_ms, value)
            })
            .collect();
        assert_eq!(bed.post(&given).stored, given.len());
    }
}

/// Growth by step, pair by pair.
fn expected(kind: &Kind, step_ms: u64, late: bool) -> Vec<(u64, f64)> {
    let there: Vec<u64> = times().into_iter().filter(|at_ms| late || !is_late(*at_ms)).collect();
    let mut steps: Vec<(u64, i128, u64)> = Vec::new();
    for pair in there.windows(2) {
        let (before, value) =
            (i128::from((kind.value)(pair[0])), i128::from((kind.value)(pair[1])));
        let mut by = value - before;
        if by < 0
            && kind.data_type == DataType::Counter32
            && before > WRAP / 4 * 3
            && value < WRAP / 4
        {
            by += WRAP;
        }
        let at_ms = pair[1] / step_ms * step_ms;
        if by < 0 || at_ms + step_ms <= FROM_MS {
            continue;
        }
        match steps.last_mut() {
            Some((open_ms, sum, time)) if *open_ms == at_ms => {
                *sum += by;
                *time += pair[1] - pair[0];
            }
            _ => steps.push((at_ms, by, pair[1] - pair[0])),
        }
    }
    steps.into_iter().map(|(at_ms, by, time)| (at_ms, by as f64 * 1000.0 / time as f64)).collect()
}

fn compare(bed: &Bed, state: &str, late: bool, resolutions: &[Resolution]) {
    for kind in &KINDS {
        for resolution in resolutions {
            let step_ms = match resolution {
                Resolution::Raw => 60_000,
                Resolution::FiveMinutes => 2 * FIVE_MINUTES_MS,
                Resolution::OneHour => HOUR_MS,
            };
            let what = format!("{state}: {} {step_ms}", kind.name);
            let answer = bed.ask(&PointsQuery {
                step_ms: Some(step_ms),
                as_rate: true,
                ..PointsQuery::new(bed.series(kind.name), FROM_MS, TO_MS)
            });
            assert_eq!((answer.step_ms, answer.resolution), (Some(step_ms), *resolution), "{what}");
            assert_eq!(answer.broken, []);
            let expected = expected(kind, step_ms, late);
            assert_eq!(answer.points.len(), expected.len(), "{what}");
            for (point, (at_ms, rate)) in answer.points.iter().zip(expected) {
                let found = point.value.as_f64();
                let far = (found - rate).abs() > rate.abs() * 1e-9;
                assert!(
                    point.timestamp_ms == at_ms && !far,
                    "{what}: {found}, not {rate}, {at_ms}"
                );
            }
        }
    }
}

#[test]
fn they_are_those_of_the_samples_in_every_state() {
    const ALL: [Resolution; 3] = [Resolution::Raw, Resolution::FiveMinutes, Resolution::OneHour];
    let bed = Bed::new("rates");
    post(&bed, false);
    compare(&bed, "as it came", false, &ALL);
    bed.seal();
    compare(&bed, "sealed", false, &ALL);
    // As an earlier version left them.
    bed.sql("UPDATE hour_chunk SET rollup = NULL WHERE id % 2 = 0");
    bed.store().settle(START_MS + 2 * DAY_MS).unwrap();
    compare(&bed, "half compacted", false, &ALL);
    post(&bed, true);
    compare(&bed, "late samples fresh", true, &ALL);
    bed.seal();
    compare(&bed, "late samples sealed", true, &ALL);
    bed.settle();
    compare(&bed, "compacted", true, &ALL);
    // Two counters of one host share their timestamps in every resolution.
    for table in ["day_times", "five_minutes_times", "one_hour_times"] {
        assert_eq!(bed.look(&format!("SELECT count(*) FROM {table}")), 4, "{table}");
    }
    let keep = |days| Keep { days, bytes: None };
    bed.store().set_retention(Retention { raw: keep(2), ..Retention::default() });
    bed.store().expire(TO_MS + 3 * DAY_MS).unwrap();
    assert_eq!(bed.look("SELECT count(*) FROM day_chunk"), 0);
    compare(&bed, "samples expired", true, &ALL[1..]);
    bed.store().set_retention(Retention { five_minutes: keep(2), ..bed.store().retention() });
    bed.store().expire(TO_MS + 3 * DAY_MS).unwrap();
    assert_eq!(bed.look("SELECT count(*) FROM five_minutes_times"), 0);
    compare(&bed, "five minutes expired", true, &ALL[2..]);
}

#[test]
fn what_the_counters_do_is_what_the_test_is_about() {
    for kind in &KINDS {
        let values: Vec<u64> = times().into_iter().map(kind.value).collect();
        let falls = values.windows(2).filter(|pair| pair[1] < pair[0]).count();
        assert!(falls > 15, "{}: {falls}", kind.name);
        for step_ms in [2 * FIVE_MINUTES_MS, HOUR_MS] {
            // No spike, and nothing below zero.
            let rates = expected(kind, step_ms, true);
            assert!(rates.iter().all(|(_, rate)| (0.0..1_100_000.0).contains(rate)), "{rates:?}");
        }
    }
    let gaps = times().windows(2).filter(|pair| pair[1] - pair[0] > FIVE_MINUTES_MS).count();
    assert!(gaps > 2, "{gaps}");
}
