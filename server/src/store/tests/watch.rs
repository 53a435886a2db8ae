use super::super::{Heard, Kept};
use super::*;

fn heard(bed: &Bed, name: &str) -> Option<Heard> {
    bed.store().watched(|watched| watched.get(bed.series(name)).cloned())
}

fn given(name: &str, second: u64, value: u64) -> Given<'_> {
    (name, DataType::Counter64, START_MS + second * 1_000, Reading::Number(value.into()))
}

#[test]
fn what_is_watched_follows_what_is_stored() {
    let mut bed = Bed::new("watch");
    bed.post(&[given("c", 10, 100), given("c", 20, 300), given("other", 10, 1)]);
    assert!(heard(&bed, "c").is_none(), "nobody watches yet");
    let growth = |bed: &Bed| heard(bed, "c").unwrap().growth_per_second();
    assert!(bed.store().watch(&[bed.series("c")]).unwrap());
    assert_eq!(growth(&bed), Some(20.0), "from what was stored before");
    bed.post(&[given("c", 30, 400)]);
    assert_eq!(growth(&bed), Some(10.0));
    assert_eq!(heard(&bed, "c").unwrap().timestamp_ms(), Some(START_MS + 30_000));
    // Late ones, and the same again, change nothing but what is between.
    bed.post(&[given("c", 25, 380), given("c", 30, 999), given("c", 5, 1)]);
    assert_eq!(growth(&bed), Some(4.0));
    bed.post(&[given("c", 40, 7)]);
    assert_eq!(growth(&bed), None, "a fall is a restart");
    assert!(heard(&bed, "other").is_none());

    // Of what is sealed the latest is known.
    bed.settle();
    bed.reopen();
    assert!(bed.store().watch(&[bed.series("c")]).unwrap());
    let found = heard(&bed, "c").unwrap();
    assert_eq!((found.number(), found.growth_per_second()), (Some(7_u64.into()), None));
    bed.post(&[given("c", 50, 27)]);
    assert_eq!(growth(&bed), Some(2.0));
    bed.store().unwatch_all();
    assert!(heard(&bed, "c").is_none());
}

#[test]
fn texts_are_watched_too() {
    let bed = Bed::new("watch-texts");
    let text =
        |second: u64, text| ("t", DataType::Text, START_MS + second * 1_000, Reading::Text(text));
    bed.post(&[text(10, "first")]);
    assert!(bed.store().watch(&[bed.series("t")]).unwrap());
    assert_eq!(heard(&bed, "t").unwrap().text(), Some("first"));
    bed.post(&[text(20, "second")]);
    bed.post(&[text(15, "late")]);
    let latest = bed.store().latest(&[bed.series("t")]).unwrap().pop().flatten().unwrap();
    assert_eq!(latest.value, Kept::Text("second".into()));
    assert_eq!(heard(&bed, "t").unwrap().text(), Some("second"));
}
