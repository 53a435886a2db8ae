use super::super::{DataPointRow, HOUR_MS, Keep, Refusal, Resolution, Retention, Select, check};
use super::*;

fn keep(days: u32) -> Keep {
    Keep { days, bytes: None }
}

fn bed(name: &str, retention: Retention) -> Bed {
    let scratch = Scratch::new(name);
    let options = Options { retention, ..Options::new(scratch.path()) };
    Bed { store: Some(Store::open(&options).unwrap()), scratch }
}

/// Ten days of a gauge, a sample an hour.
fn ten_days(bed: &Bed) {
    let samples: Vec<_> = (0..240).map(|n| (START_MS + n * HOUR_MS, 7)).collect();
    bed.gauge("a", &samples);
    bed.settle();
}

fn days(bed: &Bed, from_ms: u64, step_ms: Option<u64>) -> (usize, Resolution) {
    let query = PointsQuery::new(bed.series("a"), from_ms, from_ms + 20 * DAY_MS);
    let answer = bed.ask(&PointsQuery { step_ms, ..query });
    (answer.points.len(), answer.resolution)
}

#[test]
fn each_resolution_goes_at_its_own_age() {
    let retention = Retention { raw: keep(3), five_minutes: keep(5), one_hour: keep(8) };
    let bed = bed("age", retention);
    ten_days(&bed);
    bed.store().expire(START_MS + 10 * DAY_MS).unwrap();
    assert_eq!(bed.look("SELECT count(*) FROM day_chunk"), 3);
    assert_eq!(bed.look("SELECT count(*) FROM day_times"), 3);
    assert_eq!(bed.look("SELECT count(*) FROM five_minutes"), 5);
    assert_eq!(bed.look("SELECT count(*) FROM one_hour"), 8);
    // A fine question about old days is answered as finely as they are kept.
    assert_eq!(days(&bed, START_MS, Some(60_000)), (8 * 24, Resolution::OneHour));
    assert_eq!(days(&bed, START_MS, Some(HOUR_MS)), (8 * 24, Resolution::OneHour));
    assert_eq!(bed.store().count::<DataPointRow>(&Select::all()).unwrap(), 1);
    assert_eq!(check(bed.folder()).unwrap().faults, 0);
}

#[test]
fn samples_of_a_deleted_day_are_refused() {
    let mut bed = bed("refused", Retention { raw: keep(3), ..Retention::default() });
    ten_days(&bed);
    bed.store().expire(START_MS + 10 * DAY_MS).unwrap();
    for _ in 0..2 {
        let receipt = bed.gauge("a", &[(START_MS + 5, 1), (START_MS + 9 * DAY_MS + 5, 1)]);
        assert_eq!(receipt.refusals, [(0, Refusal::Expired)]);
        bed.reopen();
    }
}

#[test]
fn too_many_bytes_cost_the_oldest_days() {
    let raw = Keep { days: 1000, bytes: Some(1) };
    let bed = bed("bytes", Retention { raw, ..Retention::default() });
    ten_days(&bed);
    bed.store().expire(START_MS + 9 * DAY_MS).unwrap();
    // The running day and the one before it stay, whatever the bound.
    assert_eq!(bed.look("SELECT count(*) FROM day_chunk"), 2);
    assert_eq!(bed.look("SELECT count(*) FROM one_hour"), 10);

    // Likewise of roll-ups, with the times that they share.
    let held = |tier: u8| {
        bed.look(&format!("SELECT sum(bytes) FROM held WHERE tier = {tier} AND span >= {DAY} + 5"))
    };
    let keep = |tier| Keep { days: 1000, bytes: u64::try_from(held(tier)).ok() };
    bed.store().set_retention(Retention { raw, five_minutes: keep(3), one_hour: keep(4) });
    bed.store().expire(START_MS + 9 * DAY_MS).unwrap();
    for table in ["five_minutes", "five_minutes_times", "one_hour", "one_hour_times"] {
        assert_eq!(bed.look(&format!("SELECT count(*) FROM {table}")), 5, "{table}");
    }
}

#[test]
fn days_that_were_not_compacted_leave_their_roll_ups() {
    // In the year 2079: the sealer compacts nothing before it is over.
    const FROM_MS: u64 = 40_000 * DAY_MS;
    let bed = bed("uncompacted", Retention { raw: keep(3), ..Retention::default() });
    let samples: Vec<_> = (0..240).map(|n| (FROM_MS + n * HOUR_MS, 7)).collect();
    bed.gauge("a", &samples);
    bed.seal();
    bed.store().expire(FROM_MS + 10 * DAY_MS).unwrap();
    assert_eq!(bed.look("SELECT count(*) FROM one_hour"), 7);
    assert_eq!(days(&bed, FROM_MS, Some(HOUR_MS)), (240, Resolution::OneHour));
}

#[test]
fn a_series_is_forgotten_with_its_last_sample() {
    let bed =
        bed("forgotten", Retention { raw: keep(3), five_minutes: keep(3), one_hour: keep(3) });
    ten_days(&bed);
    // As if it had been there all the time.
    bed.sql("UPDATE datapoint SET ts_created = 1");
    bed.store().expire(START_MS + 12 * DAY_MS).unwrap();
    assert_eq!(bed.store().count::<DataPointRow>(&Select::all()).unwrap(), 1);
    bed.store().expire(START_MS + 14 * DAY_MS).unwrap();
    assert_eq!(bed.store().count::<DataPointRow>(&Select::all()).unwrap(), 0);
    assert_eq!(bed.look("SELECT count(*) FROM pair"), 0);
    assert_eq!(bed.look("SELECT count(*) FROM latest"), 0);
    // It comes back as a new one.
    assert_eq!(bed.gauge("a", &[(START_MS + 14 * DAY_MS, 1)]).stored, 1);
}
