use std::time::{Duration, Instant};

use super::super::{HOUR_MS, check, schema, sealer};
use super::*;

/// Two days of a gauge, a sample every ten minutes.
fn two_days() -> Vec<(u64, i64)> {
    (0..288).map(|n| (START_MS + n * 600_000, i64::try_from(n % 37).unwrap())).collect()
}

#[test]
fn samples_move_from_rows_to_hours_to_days_and_stay_the_same() {
    let mut bed = Bed::new("moves");
    let samples = two_days();
    bed.gauge("a", &samples);
    bed.gauge("b", &samples);
    assert_eq!(bed.look("SELECT count(*) FROM recent"), 96);
    assert_eq!(bed.all("a"), whole(&samples));
    bed.seal();
    assert_eq!(bed.look("SELECT count(*) FROM recent"), 0);
    assert_eq!(bed.look("SELECT count(*) FROM hour_chunk"), 96);
    assert_eq!(bed.all("a"), whole(&samples));
    bed.reopen();
    bed.settle();
    assert_eq!(bed.look("SELECT count(*) FROM hour_chunk"), 0);
    assert_eq!(bed.look("SELECT count(*) FROM hour_times"), 0);
    assert_eq!(bed.look("SELECT count(*) FROM day_chunk"), 4);
    assert_eq!(bed.all("a"), whole(&samples));
    assert_eq!(bed.all("b"), whole(&samples));
    assert_eq!(check(bed.folder()).unwrap().faults, 0);
}

#[test]
fn series_of_one_shard_share_their_timestamps() {
    let bed = Bed::new("shared");
    let samples = two_days();
    for name in ["a", "b", "c", "d"] {
        bed.gauge(name, &samples);
    }
    bed.gauge("e", &samples[1..]);
    bed.settle();
    assert_eq!(bed.look("SELECT count(*) FROM day_chunk"), 10);
    // One column for each day, and another for the first day of e.
    assert_eq!(bed.look("SELECT count(*) FROM day_times"), 3);
}

#[test]
fn late_samples_find_their_window_in_every_state() {
    let bed = Bed::new("late");
    let mut all = two_days();
    bed.gauge("a", &all);
    for round in 0..3_u64 {
        match round {
            0 => {}
            1 => bed.seal(),
            _ => bed.settle(),
        }
        let late = (START_MS + HOUR_MS + 1 + round, -5);
        assert_eq!(bed.gauge("a", &[late]).stored, 1);
        all.push(late);
        all.sort_unstable();
        assert_eq!(bed.all("a"), whole(&all), "round {round}");
    }
    bed.seal();
    assert_eq!(bed.all("a"), whole(&all));
    assert_eq!(bed.look("SELECT count(*) FROM hour_chunk"), 1);
    bed.settle();
    assert_eq!(bed.all("a"), whole(&all));
    assert_eq!(bed.look("SELECT count(*) FROM hour_chunk"), 0);
    // The old column of the day is gone with its last reader.
    assert_eq!(bed.look("SELECT count(*) FROM day_times"), 2);
}

#[test]
fn a_double_that_two_threads_got_in_is_the_first_everywhere() {
    let bed = Bed::new("double");
    bed.gauge("a", &[(START_MS, 1)]);
    // As if both had looked before either had written.
    bed.sql("INSERT INTO recent SELECT hour, shard, seq + 1, min_ms, max_ms, blob FROM recent");
    for _ in 0..3 {
        assert_eq!(bed.all("a"), whole(&[(START_MS, 1)]));
        if bed.look("SELECT count(*) FROM recent") > 0 { bed.seal() } else { bed.settle() }
    }
    let findings = check(bed.folder()).unwrap();
    assert_eq!((findings.sealed_samples, findings.faults), (1, 0));
}

#[test]
fn what_is_held_is_counted_as_it_comes_and_goes() {
    let bed = Bed::new("held");
    let truth = |tier: u8, chunks: &str, times: &str| {
        let rollup = if tier == 1 { "length(rollup)" } else { "0" };
        bed.look(&format!(
            "SELECT (SELECT ifnull(sum(length(blob) + {rollup}), 0) FROM {chunks})
                  + (SELECT ifnull(sum(length(blob)), 0) FROM {times})
                  - (SELECT ifnull(sum(bytes), 0) FROM held WHERE tier = {tier})"
        ))
    };
    bed.gauge("a", &two_days());
    bed.seal();
    bed.gauge("a", &[(START_MS + 1, 1)]);
    bed.seal();
    assert_eq!(truth(1, "hour_chunk", "hour_times"), 0);
    bed.settle();
    bed.gauge("a", &[(START_MS + 2, 1)]);
    bed.settle();
    assert_eq!(truth(1, "hour_chunk", "hour_times"), 0);
    assert_eq!(truth(2, "day_chunk", "day_times"), 0);
    assert!(bed.look("SELECT sum(bytes) FROM held") > 0);
}

#[test]
fn a_backup_is_a_store_and_a_vacuum_loses_nothing() {
    let bed = Bed::new("backup");
    let samples = two_days();
    bed.gauge("a", &samples);
    bed.settle();
    bed.gauge("a", &[(START_MS + 1, 9)]);
    let copy = Scratch::new("copy");
    bed.store().backup(&copy.path().join(DATABASE_FILE)).unwrap();
    assert!(bed.store().backup(&copy.path().join(DATABASE_FILE)).is_err(), "it is there");
    bed.store().vacuum().unwrap();
    let expected = bed.all("a");
    assert_eq!(expected.len(), 289);
    let copy = Bed { store: Some(Store::open(&Options::new(copy.path())).unwrap()), scratch: copy };
    assert_eq!(copy.all("a"), expected);
}

#[test]
fn what_grows_large_is_sealed_behind_the_scenes() {
    let bed = Bed::new("behind");
    let names: Vec<String> = (0..1000).map(|n| format!("series{n}")).collect();
    for batch in 0..120_u64 {
        let value = Reading::Number(Number::from(batch));
        let at_ms = START_MS + batch * 1000;
        let given: Vec<_> =
            names.iter().map(|name| (name.as_str(), DataType::Gauge, at_ms, value)).collect();
        bed.post(&given);
    }
    let deadline = Instant::now() + Duration::from_mins(1);
    while bed.look("SELECT count(*) FROM hour_chunk") == 0 {
        assert!(Instant::now() < deadline, "nothing was sealed");
        std::thread::yield_now();
    }
    assert_eq!(bed.all("series500").len(), 120);
}

#[test]
fn a_day_is_compacted_when_it_is_over_and_quiet() {
    let bed = Bed::new("quiet");
    bed.gauge("a", &two_days());
    bed.seal();
    let mut connection = schema::open_reader(&bed.folder().join(DATABASE_FILE)).unwrap();
    let (shared, writer) = (&bed.store().shared, &bed.store().writer);
    let mut sealed_at = sealer::SealedAt::new();
    let first = u32::try_from(DAY).unwrap();
    sealed_at.insert((first, 0), Instant::now());
    sealer::compact_quiet_days(shared, writer, &mut connection, &mut sealed_at).unwrap();
    assert_eq!(bed.look("SELECT count(*) FROM day_chunk"), 1, "the first day is not quiet yet");
    sealed_at.clear();
    sealer::compact_quiet_days(shared, writer, &mut connection, &mut sealed_at).unwrap();
    assert_eq!(bed.look("SELECT count(*) FROM day_chunk"), 2);
    assert_eq!(bed.all("a"), whole(&two_days()));
}
