use super::super::{Aggregate, FIVE_MINUTES_MS, HOUR_MS, Kept, Resolution};
use super::*;

/// A day of a counter that grows by five a second, a sample every ten seconds.
fn day_of_counter(bed: &Bed) {
    let given: Vec<_> = (0..8640_u64)
        .map(|n| {
            ("c", DataType::Counter64, START_MS + n * 10_000, Reading::Number((n * 50).into()))
        })
        .collect();
    bed.post(&given);
}

fn query(bed: &Bed, name: &str) -> PointsQuery {
    PointsQuery::new(bed.series(name), START_MS, START_MS + DAY_MS)
}

#[test]
fn every_aggregate_is_the_same_from_samples_and_from_roll_ups() {
    let bed = Bed::new("aggregates");
    day_of_counter(&bed);
    let aggregates =
        [Aggregate::Min, Aggregate::Max, Aggregate::Mean, Aggregate::Last, Aggregate::Count];
    let ask = |step_ms, aggregate| {
        bed.ask(&PointsQuery { step_ms: Some(step_ms), aggregate, ..query(&bed, "c") })
    };
    let expected = [15_000, 16_450, 15_725, 16_450, 30].map(Number::Integer);
    for state in 0..3 {
        for (aggregate, expected) in aggregates.into_iter().zip(expected) {
            let answer = ask(FIVE_MINUTES_MS, aggregate);
            assert_eq!(answer.points.len(), 288);
            assert_eq!(answer.points[10].timestamp_ms, START_MS + 10 * FIVE_MINUTES_MS);
            assert_eq!(answer.points[10].value, expected, "{aggregate:?}, state {state}");
            let hours = ask(HOUR_MS, aggregate);
            assert_eq!((hours.points.len(), hours.step_ms), (24, Some(HOUR_MS)));
            let odd = ask(30_000, aggregate);
            assert_eq!((odd.points.len(), odd.resolution), (2880, Resolution::Raw));
        }
        if state == 0 { bed.seal() } else { bed.settle() }
    }
    assert_eq!(ask(HOUR_MS, Aggregate::Max).resolution, Resolution::OneHour);
}

#[test]
fn no_query_gives_more_points_than_it_asks_for_and_all_say_their_step() {
    let bed = Bed::new("fits");
    day_of_counter(&bed);
    bed.settle();
    for points_max in [1, 10, 100, 1000, 8639] {
        let answer = bed.ask(&PointsQuery { points_max, ..query(&bed, "c") });
        assert!(answer.points.len() <= points_max, "{points_max}: {}", answer.points.len());
        assert!(answer.step_ms.is_some());
        let last = answer.points.last().unwrap().timestamp_ms;
        assert!(points_max == 1 || last > START_MS + DAY_MS / 2);
    }
    let answer = bed.ask(&query(&bed, "c"));
    assert_eq!((answer.points.len(), answer.step_ms), (8640, None));
}

#[test]
fn late_samples_change_the_roll_ups_at_once() {
    let bed = Bed::new("rollups");
    bed.gauge("a", &[(START_MS, 10), (START_MS + 1000, 20)]);
    bed.settle();
    let mean = || {
        let query = PointsQuery { step_ms: Some(FIVE_MINUTES_MS), ..query(&bed, "a") };
        bed.ask(&query).points[0].value
    };
    assert_eq!(mean(), Number::Integer(15));
    bed.gauge("a", &[(START_MS + 500, 60)]);
    for _ in 0..3 {
        assert_eq!(mean(), Number::Integer(30));
        if bed.look("SELECT count(*) FROM recent") > 0 { bed.seal() } else { bed.settle() }
    }
}

#[test]
fn rates_are_the_same_from_samples_and_from_roll_ups() {
    let bed = Bed::new("rates");
    day_of_counter(&bed);
    for state in 0..3 {
        for step_ms in [None, Some(60_000), Some(FIVE_MINUTES_MS), Some(HOUR_MS)] {
            let query = PointsQuery { step_ms, as_rate: true, ..query(&bed, "c") };
            let answer = bed.ask(&query);
            assert!(answer.points.len() >= 23);
            for point in &answer.points {
                assert_eq!(point.value, Number::Integer(5), "{step_ms:?}, state {state}");
            }
        }
        if state == 0 { bed.seal() } else { bed.settle() }
    }
}

#[test]
fn a_restart_is_neither_below_zero_nor_a_spike_at_any_resolution() {
    let bed = Bed::new("restart");
    // After 3.3 hours the counter starts again.
    let given: Vec<_> = (0..8640_u64)
        .map(|n| {
            let value = if n < 1200 { 1_000_000_000 + n * 50 } else { (n - 1200) * 50 };
            ("c", DataType::Counter64, START_MS + n * 10_000, Reading::Number(value.into()))
        })
        .collect();
    bed.post(&given);
    bed.settle();
    for step_ms in [None, Some(60_000), Some(FIVE_MINUTES_MS), Some(HOUR_MS)] {
        let answer = bed.ask(&PointsQuery { step_ms, as_rate: true, ..query(&bed, "c") });
        assert!(answer.points.iter().all(|point| point.value == Number::Integer(5)), "{step_ms:?}");
    }
}

#[test]
fn the_first_rate_of_a_chart_looks_back() {
    let bed = Bed::new("back");
    let counter = |at, value: u64| ("c", DataType::Counter64, at, Reading::Number(value.into()));
    bed.post(&[counter(START_MS - 10_000, 0), counter(START_MS, 100)]);
    let answer = bed.ask(&PointsQuery { as_rate: true, ..query(&bed, "c") });
    assert_eq!(plain(&answer.points), whole(&[(START_MS, 10)]));
}

#[test]
fn the_latest_is_found_in_rows_and_in_chunks() {
    let mut bed = Bed::new("latest");
    bed.gauge("a", &[(START_MS + HOUR_MS, 2), (START_MS, 1)]);
    bed.gauge("b", &[(START_MS, 5)]);
    let latest = |bed: &Bed, name| {
        let latest = bed.store().latest(&[bed.series(name)]).unwrap()[0].clone().unwrap();
        (latest.timestamp_ms, latest.value)
    };
    for _ in 0..3 {
        let two = (START_MS + HOUR_MS, Kept::Number(Number::Integer(2)));
        assert_eq!(latest(&bed, "a"), two);
        assert_eq!(latest(&bed, "b"), (START_MS, Kept::Number(Number::Integer(5))));
        bed.settle();
        bed.reopen();
    }
    bed.gauge("b", &[(START_MS + 1, 6)]);
    assert_eq!(latest(&bed, "b"), (START_MS + 1, Kept::Number(Number::Integer(6))));
    assert_eq!(bed.store().latest(&[9999]).unwrap(), [None]);
}

#[test]
fn what_is_not_there_is_not_answered() {
    let bed = Bed::new("nothing");
    assert!(bed.store().points(&PointsQuery::new(1, 0, u64::MAX)).unwrap().is_none());
    bed.gauge("a", &[(START_MS, 1)]);
    let all = PointsQuery::new(bed.series("a"), 0, u64::MAX);
    assert_eq!(bed.ask(&all).points.len(), 1);
    let none = PointsQuery::new(bed.series("a"), START_MS + 1, START_MS + DAY_MS);
    assert_eq!(bed.ask(&none).points, []);
    let backwards = PointsQuery::new(bed.series("a"), START_MS + 1, START_MS);
    assert_eq!(bed.ask(&backwards).points, []);
}

#[test]
fn a_query_ends_at_its_deadline() {
    let bed = Bed::new("deadline");
    day_of_counter(&bed);
    let query = PointsQuery { deadline: std::time::Instant::now(), ..query(&bed, "c") };
    assert!(matches!(bed.store().points(&query), Err(super::super::StoreError::Deadline)));
}

#[test]
fn ranges_tell_what_each_point_stands_for() {
    let bed = Bed::new("ranges");
    day_of_counter(&bed);
    let ask = |step_ms, as_rate| {
        bed.ask(&PointsQuery { step_ms, as_rate, ranges: true, ..query(&bed, "c") })
    };
    for sealed in [false, true] {
        if sealed {
            bed.settle();
        }
        for step_ms in [30_000, FIVE_MINUTES_MS, HOUR_MS] {
            let answer = ask(Some(step_ms), false);
            assert_eq!(answer.points.len(), answer.ranges.len());
            for (point, (low, high)) in answer.points.iter().zip(&answer.ranges) {
                let first = (point.timestamp_ms - START_MS) / 10_000 * 50;
                let last = first + (step_ms / 10_000 - 1) * 50;
                assert_eq!((*low, *high), (first.into(), last.into()));
            }
        }
        assert_eq!(ask(None, false).ranges, [], "a sample stands for itself");
        assert_eq!(ask(Some(HOUR_MS), true).ranges, [], "a rate has none");
    }
}
