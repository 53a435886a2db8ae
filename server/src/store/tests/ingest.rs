use super::super::{Kept, Refusal, StoreError};
use super::*;

#[test]
fn what_is_posted_can_be_read_at_once() {
    let bed = Bed::new("posted");
    let receipt = bed.gauge("a", &[(START_MS, 1), (START_MS + 10_000, 2)]);
    assert_eq!((receipt.stored, receipt.already_there, receipt.refused), (2, 0, 0));
    assert_eq!(bed.all("a"), whole(&[(START_MS, 1), (START_MS + 10_000, 2)]));
}

#[test]
fn a_repeated_batch_changes_nothing_wherever_its_samples_stand() {
    let mut bed = Bed::new("repeated");
    let samples = [(START_MS, 1), (START_MS + 10_000, 2)];
    bed.gauge("a", &samples);
    let other: Vec<_> = samples.iter().map(|(at, value)| (*at, value + 100)).collect();
    for round in 0..4 {
        let receipt = bed.gauge("a", &other);
        assert_eq!((receipt.stored, receipt.already_there), (0, 2), "round {round}");
        assert_eq!(bed.all("a"), whole(&samples), "round {round}");
        match round {
            0 => bed.seal(),
            1 => bed.settle(),
            _ => bed.reopen(),
        }
    }
}

#[test]
fn two_of_one_time_in_one_batch_are_the_first() {
    let bed = Bed::new("twice");
    let receipt = bed.gauge("a", &[(START_MS, 1), (START_MS, 2)]);
    assert_eq!((receipt.stored, receipt.already_there), (1, 1));
    assert_eq!(bed.all("a"), whole(&[(START_MS, 1)]));
}

#[test]
fn numbers_come_back_exactly_from_every_place() {
    let bed = Bed::new("exact");
    let values = [
        Number::from(u64::MAX),
        Number::from(u64::MAX - 1),
        Number::from(i64::MIN),
        Number::from((1_u64 << 53) + 1),
        Number::Fraction(0.1),
        Number::Integer(0),
    ];
    let given: Vec<_> = (0_u64..)
        .zip(values)
        .map(|(n, value)| ("a", DataType::Counter64, START_MS + n * 1000, Reading::Number(value)))
        .collect();
    bed.post(&given);
    for _ in 0..3 {
        let read: Vec<_> = bed.all("a").into_iter().map(|(_, value)| value).collect();
        assert_eq!(read, values);
        if bed.look("SELECT count(*) FROM hour_chunk") == 0 { bed.seal() } else { bed.settle() }
    }
    assert_eq!(bed.look("SELECT count(*) FROM day_chunk"), 1);
}

#[test]
fn of_texts_the_latest_is_kept() {
    let bed = Bed::new("text");
    let text = |at, text| ("t", DataType::Text, at, Reading::Text(text));
    let long = "x".repeat(5000);
    assert_eq!(bed.post(&[text(START_MS + 5, "five"), text(START_MS + 9, "nine")]).stored, 2);
    let receipt = bed.post(&[text(START_MS + 9, "again"), text(START_MS + 7, "seven")]);
    assert_eq!((receipt.stored, receipt.already_there), (0, 2));
    let series = bed.series("t");
    let latest = bed.store().latest(&[series]).unwrap();
    assert_eq!(latest[0].as_ref().unwrap().value, Kept::Text("nine".into()));
    bed.post(&[text(START_MS + 10, &long)]);
    let latest = bed.store().latest(&[series]).unwrap()[0].clone().unwrap();
    assert!(matches!(latest.value, Kept::Text(text) if text.len() == 1024));
}

#[test]
fn bad_samples_are_named_and_the_good_ones_stored() {
    let bed = Bed::new("refused");
    let number = |at| ("a", DataType::Gauge, at, Reading::Number(Number::Integer(7)));
    let receipt = bed.post(&[
        number(0),
        number(START_MS),
        number(u64::MAX),
        ("a", DataType::Gauge, START_MS + 1, Reading::Text("seven")),
        ("a", DataType::Gauge, START_MS + 2, Reading::Number(Number::Fraction(f64::NAN))),
    ]);
    assert_eq!(receipt.stored, 1);
    let expected = [
        (0, Refusal::Timestamp),
        (2, Refusal::Timestamp),
        (3, Refusal::Text),
        (4, Refusal::NotFinite),
    ];
    assert_eq!(receipt.refusals, expected);
    assert_eq!(bed.all("a"), whole(&[(START_MS, 7)]));
}

#[test]
fn an_agent_has_no_more_series_than_it_may() {
    let scratch = Scratch::new("cap");
    let options = Options { series_of_agent: 3, ..Options::new(scratch.path()) };
    let bed = Bed { store: Some(Store::open(&options).unwrap()), scratch };
    let names = ["a", "b", "c", "d", "e"];
    let value = Reading::Number(Number::Integer(1));
    let given: Vec<_> =
        names.iter().map(|name| (*name, DataType::Gauge, START_MS, value)).collect();
    let receipt = bed.post(&given);
    assert_eq!((receipt.stored, receipt.refused), (3, 2));
    assert_eq!(receipt.refusals[0], (3, Refusal::SeriesCap));
    // Neither another target nor another batch gives an agent more room.
    assert_eq!(bed.post_as("other", &given).refused, 5);
    // Those that it has go on.
    assert_eq!(bed.gauge("a", &[(START_MS + 1, 2)]).stored, 1);
}

#[test]
fn a_series_is_the_same_after_the_store_was_closed() {
    let mut bed = Bed::new("again");
    bed.gauge("a", &[(START_MS, 1)]);
    let series = bed.series("a");
    bed.reopen();
    bed.gauge("a", &[(START_MS + 1, 2)]);
    assert_eq!(bed.series("a"), series);
    assert_eq!(bed.all("a"), whole(&[(START_MS, 1), (START_MS + 1, 2)]));
    assert_eq!(bed.store().newest_ms(), START_MS + 1);
}

#[test]
fn a_folder_is_opened_once() {
    let bed = Bed::new("once");
    let second = Store::open(&Options::new(bed.folder()));
    assert!(matches!(second, Err(StoreError::InUse(_))));
}

#[test]
fn many_writers_at_once_lose_and_double_nothing() {
    let bed = Bed::new("many");
    let threads = 8_u64;
    let batches = 20_u64;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let bed = &bed;
            scope.spawn(move || {
                let name = format!("series{thread}");
                for batch in 0..batches {
                    let at = START_MS + batch * 1000;
                    // Each posts its own series, and all post a common one.
                    let value = Reading::Number(batch.into());
                    bed.post(&[
                        (&name, DataType::Gauge, at, value),
                        ("common", DataType::Gauge, at, value),
                    ]);
                }
            });
        }
    });
    let expected: Vec<_> = (0..batches).map(|n| (START_MS + n * 1000, Number::from(n))).collect();
    for thread in 0..threads {
        assert_eq!(bed.all(&format!("series{thread}")), expected);
    }
    assert_eq!(bed.all("common"), expected);
    bed.settle();
    assert_eq!(bed.all("common"), expected);
}
