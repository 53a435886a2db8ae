//! Charts of a month, whatever has become of its samples: in every state they are
//! what is reckoned here from the samples themselves.

use super::super::{Aggregate, FIVE_MINUTES_MS, HOUR_MS, Resolution};
use super::*;

/// In the year 2079, so that nothing is compacted unless the test says so.
const MONTH_MS: u64 = 40_000 * DAY_MS;
/// Days with samples; the charts show all but the first.
const DAYS: u64 = 31;
const FROM_MS: u64 = MONTH_MS + DAY_MS;
const TO_MS: u64 = MONTH_MS + DAYS * DAY_MS;
/// Between samples: three in five minutes.
const POLL_MS: u64 = 100_000;
const POLLS: u64 = DAYS * DAY_MS / POLL_MS;

/// A series.
struct Kind {
    name: &'static str,
    data_type: DataType,
    value: fn(u64) -> Number,
}

const KINDS: [Kind; 5] = [
    // It grows by 0 to 6 at a time.
    Kind { name: "c", data_type: DataType::Counter64, value: |n| (n * 3 + n * n % 7 / 2).into() },
    // It wraps after ten days, and again.
    Kind {
        name: "wraps",
        data_type: DataType::Counter32,
        value: |n| ((n * 500_000 + n % 11) % (1 << 32)).into(),
    },
    Kind { name: "percent", data_type: DataType::Gauge, value: |n| tenths(n * n % 1000) },
    Kind {
        name: "float",
        data_type: DataType::Gauge,
        value: |n| Number::from_float((n as f64 * 0.37).sin() * 1e6 - 3e5).unwrap(),
    },
    Kind { name: "large", data_type: DataType::Gauge, value: |n| (u64::MAX - n * n % 977).into() },
];

fn tenths(value: u64) -> Number {
    Number::from_float(value as f64 / 10.0).unwrap()
}

/// A sample that is not the last of its five minutes, in an hour of every third
/// day: it comes when its day was compacted long ago.
fn is_late(n: u64) -> bool {
    n % 3 == 1 && (n / 36).is_multiple_of(72)
}

fn post_those(bed: &Bed, kind: &Kind, wanted: impl Fn(u64) -> bool) {
    let given: Vec<_> = (0..POLLS)
        .filter(|n| wanted(*n))
        .map(|n| {
            let at_ms = MONTH_MS + n * POLL_MS;
            (kind.name, kind.data_type, at_ms, Reading::Number((kind.value)(n)))
        })
        .collect();
    for given in given.chunks(10_000) {
        assert_eq!(bed.post(given).stored, given.len());
    }
}

/// What a chart must show.
fn expected(
    kind: &Kind,
    (step_ms, aggregate, as_rate): (u64, Aggregate, bool),
    is_there: impl Fn(u64) -> bool,
) -> Vec<(u64, f64)> {
    let all: Vec<u64> = (0..POLLS).filter(|n| is_there(*n)).collect();
    let step = |n: u64| (MONTH_MS + n * POLL_MS) / step_ms * step_ms;
    let mut points = Vec::new();
    let mut before = None;
    for polls in all.chunk_by(|a, b| step(*a) == step(*b)) {
        let at_ms = step(polls[0]);
        let last = *polls.last().unwrap();
        let values = polls.iter().map(|n| (kind.value)(*n).as_f64());
        let value = if as_rate {
            // With whole numbers, so that nothing is lost on the way.
            let whole = |n| match (kind.value)(n) {
                Number::Integer(value) => i128::from(value),
                other => panic!("{other} has no exact growth here"),
            };
            let from: u64 = before.unwrap_or(last);
            let mut by = whole(last) - whole(from);
            if by < 0 {
                by += 1 << 32;
            }
            by as f64 / ((last - from) * POLL_MS / 1000) as f64
        } else {
            match aggregate {
                Aggregate::Min => values.fold(f64::INFINITY, f64::min),
                Aggregate::Max => values.fold(f64::NEG_INFINITY, f64::max),
                Aggregate::Mean => values.sum::<f64>() / polls.len() as f64,
                Aggregate::Last => (kind.value)(last).as_f64(),
                Aggregate::Count => polls.len() as f64,
            }
        };
        before = Some(last);
        if at_ms + step_ms > FROM_MS {
            points.push((at_ms, value));
        }
    }
    points
}

fn compare(bed: &Bed, state: &str, is_there: impl Fn(u64) -> bool + Copy) {
    // Of 1,000 points, of 500, and as fine as roll-ups are.
    let steps = [
        (30 * DAY_MS / 1000, 9 * FIVE_MINUTES_MS, 1000, Resolution::FiveMinutes),
        (HOUR_MS, 2 * HOUR_MS, 500, Resolution::OneHour),
        (FIVE_MINUTES_MS, FIVE_MINUTES_MS, 10_000, Resolution::FiveMinutes),
    ];
    let aggregates =
        [Aggregate::Min, Aggregate::Max, Aggregate::Mean, Aggregate::Last, Aggregate::Count];
    let questions = aggregates.map(|aggregate| (aggregate, false));
    for kind in &KINDS {
        let rate = match kind.data_type {
            DataType::Gauge => None,
            _ => Some((Aggregate::Mean, true)),
        };
        for (aggregate, as_rate) in questions.into_iter().chain(rate) {
            let all = aggregate == Aggregate::Mean;
            let steps = &steps[..if all { 3 } else { 1 }];
            for (asked_ms, step_ms, points_max, resolution) in steps.iter().copied() {
                let what = format!("{state}: {} {aggregate:?} {as_rate} {step_ms}", kind.name);
                let answer = bed.ask(&PointsQuery {
                    step_ms: Some(asked_ms),
                    aggregate,
                    as_rate,
                    points_max,
                    deadline: std::time::Instant::now() + std::time::Duration::from_mins(5),
                    ..PointsQuery::new(bed.series(kind.name), FROM_MS, TO_MS)
                });
                assert_eq!((answer.step_ms, answer.resolution), (Some(step_ms), resolution));
                assert_eq!(answer.broken, []);
                let expected = expected(kind, (step_ms, aggregate, as_rate), is_there);
                assert_eq!(answer.points.len(), expected.len(), "{what}");
                for (point, (at_ms, value)) in answer.points.iter().zip(expected) {
                    let found = point.value.as_f64();
                    let far = (found - value).abs() > value.abs().max(1.0) * 1e-9;
                    assert!(point.timestamp_ms == at_ms && !far, "{what}: {found}, not {value}");
                }
            }
        }
    }
}

#[test]
fn a_month_is_the_same_chart_in_every_state_of_its_samples() {
    let bed = Bed::new("month");
    for kind in &KINDS {
        post_those(&bed, kind, |n| !is_late(n));
    }
    let on_time = |n: u64| !is_late(n);
    compare(&bed, "as it came", on_time);
    bed.seal();
    compare(&bed, "sealed", on_time);
    assert_eq!(bed.look("SELECT count(*) FROM hour_chunk WHERE rollup IS NULL"), 0);
    bed.store().settle(MONTH_MS + DAYS / 2 * DAY_MS).unwrap();
    assert!(bed.look("SELECT count(*) FROM day_chunk") > 0);
    assert!(bed.look("SELECT count(*) FROM hour_chunk") > 0);
    // As an earlier version left them.
    bed.sql("UPDATE hour_chunk SET rollup = NULL WHERE id % 2 = 0");
    compare(&bed, "half compacted", on_time);
    for kind in &KINDS {
        post_those(&bed, kind, is_late);
    }
    compare(&bed, "late samples fresh", |_| true);
    bed.seal();
    compare(&bed, "late samples sealed", |_| true);
    bed.store().settle(TO_MS).unwrap();
    assert_eq!(bed.look("SELECT count(*) FROM hour_chunk"), 0);
    compare(&bed, "compacted", |_| true);
}

#[test]
fn a_chart_of_sealed_hours_reads_no_samples() {
    let bed = Bed::new("hours");
    let [kind, ..] = &KINDS;
    post_those(&bed, kind, |_| true);
    bed.seal();
    let query = PointsQuery {
        step_ms: Some(9 * FIVE_MINUTES_MS),
        deadline: std::time::Instant::now() + std::time::Duration::from_mins(5),
        ..PointsQuery::new(bed.series(kind.name), FROM_MS, TO_MS)
    };
    let whole = bed.ask(&query);
    // Whoever unpacks one now finds it damaged.
    bed.sql("UPDATE hour_chunk SET blob = zeroblob(length(blob))");
    assert_eq!(bed.ask(&query), whole);
    bed.sql("UPDATE hour_chunk SET rollup = zeroblob(length(rollup))");
    let answer = bed.ask(&query);
    assert!(answer.points.is_empty() && answer.broken.len() >= 720, "{}", answer.broken.len());
}
