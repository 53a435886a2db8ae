use super::super::{HOUR_MS, check};
use super::*;

const FLIP: &str = "blob = CAST(substr(blob, 1, 5) || x'5a' || substr(blob, 7) AS BLOB)";

fn hours() -> Vec<(u64, i64)> {
    (0..4).map(|n| (START_MS + n * HOUR_MS, i64::try_from(n * n).unwrap())).collect()
}

fn ask(bed: &Bed, name: &str) -> Points {
    bed.ask(&PointsQuery::new(bed.series(name), START_MS, START_MS + DAY_MS))
}

#[test]
fn a_damaged_chunk_is_named_and_the_rest_stays_readable() {
    let bed = Bed::new("chunk");
    bed.gauge("a", &hours());
    bed.gauge("b", &hours());
    bed.seal();
    let key = ((START_MS / HOUR_MS + 1) << 32) + u64::from(bed.series("a"));
    assert_eq!(bed.sql(&format!("UPDATE hour_chunk SET {FLIP} WHERE id = {key}")), 1);

    let answer = ask(&bed, "a");
    assert_eq!(answer.points.len(), 3);
    assert_eq!(answer.broken.len(), 1);
    let broken = &answer.broken[0];
    assert_eq!((broken.table, broken.series), ("hour_chunk", bed.series("a")));
    assert_eq!(broken.window_start_ms, START_MS + HOUR_MS);
    assert_eq!(ask(&bed, "b").points.len(), 4);
    let findings = check(bed.folder()).unwrap();
    assert_eq!(findings.faults, 1, "{:?}", findings.listed);
    assert_eq!(bed.store().status().unwrap().damaged, 1);

    // The compaction keeps what it could not read, as it was, and goes on.
    bed.settle();
    let answer = ask(&bed, "a");
    assert_eq!((answer.points.len(), answer.broken.len()), (3, 0));
    assert_eq!(bed.look("SELECT count(*) FROM damaged WHERE source = 'hour_chunk'"), 1);
    assert_eq!(check(bed.folder()).unwrap().set_aside, 1);
}

#[test]
fn a_damaged_row_is_named_and_set_aside() {
    let bed = Bed::new("row");
    bed.gauge("a", &hours());
    bed.gauge("a", &[(START_MS + 1, 7)]);
    assert_eq!(bed.sql(&format!("UPDATE recent SET {FLIP} WHERE min_ms = {START_MS}")), 1);
    let answer = ask(&bed, "a");
    assert_eq!((answer.points.len(), answer.broken.len()), (4, 1));
    assert_eq!(answer.broken[0].table, "recent");
    assert_eq!(check(bed.folder()).unwrap().faults, 1);
    bed.seal();
    let answer = ask(&bed, "a");
    assert_eq!((answer.points.len(), answer.broken.len()), (4, 0));
    assert_eq!(bed.look("SELECT count(*) FROM damaged WHERE source = 'recent'"), 1);
    // It may be posted again, as far as anyone still has it.
    assert_eq!(bed.gauge("a", &hours()).stored, 1);
    assert_eq!(ask(&bed, "a").points.len(), 5);
}

#[test]
fn a_damaged_column_of_timestamps_names_each_series_that_it_takes_along() {
    let bed = Bed::new("times");
    bed.gauge("a", &hours());
    bed.gauge("b", &hours());
    bed.settle();
    assert_eq!(bed.sql(&format!("UPDATE day_times SET {FLIP}")), 1);
    for name in ["a", "b"] {
        let answer = ask(&bed, name);
        assert_eq!((answer.points.len(), answer.broken.len()), (0, 1));
        assert_eq!(answer.broken[0].series, bed.series(name));
    }
    // The roll-ups are whole, so a chart of the day still has its line.
    let query = PointsQuery::new(bed.series("a"), START_MS, START_MS + DAY_MS);
    let answer = bed.ask(&PointsQuery { step_ms: Some(HOUR_MS), ..query });
    assert_eq!((answer.points.len(), answer.broken.len()), (4, 0));
}

#[test]
fn a_damaged_roll_up_is_reckoned_from_the_samples() {
    for table in ["one_hour", "one_hour_times"] {
        let bed = Bed::new("rollup");
        bed.gauge("a", &hours());
        bed.settle();
        assert_eq!(bed.sql(&format!("UPDATE {table} SET {FLIP}")), 1);
        let query = PointsQuery::new(bed.series("a"), START_MS, START_MS + DAY_MS);
        let answer = bed.ask(&PointsQuery { step_ms: Some(HOUR_MS), ..query });
        assert_eq!((answer.points.len(), answer.broken.len()), (4, 1));
        assert_eq!((answer.broken[0].table, answer.broken[0].series), (table, bed.series("a")));
        assert_eq!(check(bed.folder()).unwrap().faults, 1);
    }
}

#[test]
fn a_torn_log_costs_what_was_never_acknowledged() {
    let mut bed = Bed::new("torn");
    bed.gauge("a", &[(START_MS, 1)]);
    // A copy as a power cut leaves it: the log ends within a frame that was
    // being written.
    let copy = Scratch::new("torn-copy");
    for file in [DATABASE_FILE.to_owned(), format!("{DATABASE_FILE}-wal")] {
        std::fs::copy(bed.folder().join(&file), copy.path().join(&file)).unwrap();
    }
    bed.gauge("a", &[(START_MS + 1, 2)]);
    let log = format!("{DATABASE_FILE}-wal");
    let (short, whole_log) = (
        std::fs::read(copy.path().join(&log)).unwrap(),
        std::fs::read(bed.folder().join(&log)).unwrap(),
    );
    assert!(whole_log.len() > short.len() + 100);
    std::fs::write(copy.path().join(&log), &whole_log[..short.len() + 100]).unwrap();
    bed.store = None;
    let torn = Bed { store: Some(Store::open(&Options::new(copy.path())).unwrap()), scratch: copy };
    assert_eq!(torn.all("a"), whole(&[(START_MS, 1)]));
    assert_eq!(check(torn.folder()).unwrap().faults, 0);
}

#[test]
fn flipped_bits_anywhere_in_the_file_are_errors_not_panics() {
    let mut bed = Bed::new("flips");
    bed.gauge("a", &hours());
    bed.gauge("b", &hours());
    bed.settle();
    bed.gauge("a", &[(START_MS + 5, 1)]);
    bed.store().vacuum().unwrap();
    let series = bed.series("a");
    bed.store = None;
    let path = bed.folder().join(DATABASE_FILE);
    let whole = std::fs::read(&path).unwrap();
    let mut faults = 0;
    for place in (0..whole.len()).step_by(whole.len() / 90) {
        let mut bad = whole.clone();
        bad[place] ^= 0x41;
        std::fs::write(&path, &bad).unwrap();
        let found = check(bed.folder()).map(|findings| findings.faults);
        faults += u32::from(found.is_err() || found.is_ok_and(|faults| faults > 0));
        if let Ok(store) = Store::open(&Options::new(bed.folder())) {
            let query = PointsQuery::new(series, START_MS, START_MS + DAY_MS);
            // Whatever it answers, it answers.
            let _ = (store.points(&query), store.latest(&[series]), store.settle(0));
        }
        let _ = std::fs::remove_file(bed.folder().join(format!("{DATABASE_FILE}-wal")));
    }
    assert!(faults > 3, "{faults}");
}
