use super::super::{
    Agent, Chart, ChartDataPoint, DataPointRow, Favorite, Filter, Glue, Language, Pair,
    PairXlateGroup, Select, StoreError, User,
};
use super::*;

#[test]
fn a_posted_series_stands_in_the_catalogue() {
    let bed = Bed::new("entered");
    bed.gauge("a", &[(START_MS, 1)]);
    bed.gauge("b", &[(START_MS, 1)]);
    let store = bed.store();
    let agents: Vec<Agent> = store.rows(&Select::all()).unwrap();
    assert_eq!(agents.len(), 1);
    assert_eq!(agents[0].agent_polled_target, "host");
    assert_eq!(agents[0].idx_pair_xlate_group, 1);
    let series: Vec<DataPointRow> =
        store.rows(&Select::by("idx_agent", agents[0].idx_agent)).unwrap();
    assert_eq!(series.len(), 2);
    assert_eq!(series[0].checksum.len(), 128);
    let pairs: Vec<Pair> = store.rows(&Select::all()).unwrap();
    let pairs: Vec<_> = pairs.iter().map(|pair| (pair.key.as_str(), pair.value.as_str())).collect();
    let expected = [
        ("pattoo_key", "spoked_a"),
        ("spoked_cpus", "2"),
        ("spoked_of", "a"),
        ("pattoo_key", "spoked_b"),
        ("spoked_of", "b"),
    ];
    assert_eq!(pairs, expected);
    assert_eq!(store.count::<Glue>(&Select::all()).unwrap(), 6);
    let mine = Select::by("idx_datapoint", series[0].idx_datapoint);
    assert_eq!(store.rows::<Glue>(&mine).unwrap().len(), 3);
}

#[test]
fn series_are_found_by_key_target_and_metadata() {
    let bed = Bed::new("found");
    bed.gauge("a", &[(START_MS, 1)]);
    bed.gauge("b", &[(START_MS, 1)]);
    let value = Reading::Number(Number::Integer(1));
    bed.post_as("other", &[("a", DataType::Gauge, START_MS, value)]);
    let find = |key, target, metadata: &[(&str, &str)]| {
        let metadata: Vec<_> =
            metadata.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        bed.store().find_series(key, target, &metadata, 10).unwrap().len()
    };
    assert_eq!(find(None, None, &[]), 3);
    assert_eq!(find(Some("a"), None, &[]), 2);
    assert_eq!(find(Some("spoked_a"), Some("host"), &[]), 1);
    assert_eq!(find(None, Some("nobody"), &[]), 0);
    assert_eq!(find(None, None, &[("cpus", "2")]), 3);
    assert_eq!(find(None, None, &[("of", "b"), ("cpus", "2")]), 1);
    assert_eq!(find(Some("a"), None, &[("of", "b")]), 0);
}

#[test]
fn rows_are_created_changed_sorted_paged_and_deleted() {
    let bed = Bed::new("rows");
    let store = bed.store();
    for name in ["Flying Fish", "Teddy Bear", "teapot"] {
        store.create::<Chart>(vec![("name", name.into())]).unwrap();
    }
    assert_eq!(store.create::<Chart>(vec![("idx_chart", 190.into())]).unwrap(), 190);
    assert_eq!(store.create::<Chart>(vec![]).unwrap(), 191);
    let names = |select: &Select| {
        let charts: Vec<Chart> = store.rows(select).unwrap();
        charts.into_iter().map(|chart| chart.name).collect::<Vec<_>>()
    };
    let order = vec![("name", true)];
    assert_eq!(names(&Select { order, ..Select::all().page(1, 2) }), ["Teddy Bear", "Flying Fish"]);
    let filters = vec![Filter::Contains("name", "te".into())];
    assert_eq!(names(&Select { filters, ..Select::all() }), ["Teddy Bear", "teapot"]);
    assert_eq!(names(&Select::among("idx_chart", vec![3, 1, 77])), ["Flying Fish", "teapot"]);

    assert!(store.change::<Chart>(1, vec![("enabled", false.into())]).unwrap());
    let chart: Chart = store.row(1).unwrap().unwrap();
    assert!(!chart.enabled && chart.name == "Flying Fish");
    assert!(!store.change::<Chart>(77, vec![("name", "x".into())]).unwrap());
    assert!(store.delete::<Chart>(1).unwrap());
    assert!(store.row::<Chart>(1).unwrap().is_none());
    let group: PairXlateGroup = store.row(1).unwrap().unwrap();
    assert_eq!(group.name, "Pattoo Default");
}

#[test]
fn only_columns_of_the_table_come_into_a_statement() {
    let bed = Bed::new("columns");
    let store = bed.store();
    let bad = Select::by("name\" = '' OR 1 --", "x");
    assert!(matches!(store.rows::<Chart>(&bad), Err(StoreError::UnknownColumn(_))));
    let bad = Select { order: vec![("1; DROP TABLE chart", false)], ..Select::all() };
    assert!(matches!(store.rows::<Chart>(&bad), Err(StoreError::UnknownColumn(_))));
    let quoted = Select::by("name", "'; DROP TABLE chart; --");
    assert_eq!(store.rows::<Chart>(&quoted).unwrap(), []);
}

#[test]
fn what_is_there_already_or_points_at_nothing_is_a_conflict() {
    let bed = Bed::new("conflict");
    let store = bed.store();
    let user = || vec![("username", "foo@example.org".into()), ("password_hash", "hash".into())];
    let foo = store.create::<User>(user()).unwrap();
    assert!(matches!(store.create::<User>(user()), Err(StoreError::Conflict(_))));
    let changed_ms = store.row::<User>(foo).unwrap().unwrap().ts_modified;
    let known = Some((foo, changed_ms, "hash".into()));
    assert_eq!(store.password_hash("foo@example.org").unwrap(), known);
    assert_eq!(store.password_hash("bar").unwrap(), None);
    let favorite = vec![("idx_user", foo.into()), ("idx_chart", 9.into())];
    assert!(matches!(store.create::<Favorite>(favorite), Err(StoreError::Conflict(_))));
    store.create::<Language>(vec![("code", "en".into()), ("name", "English".into())]).unwrap();
    assert!(matches!(store.delete::<Agent>(1), Err(StoreError::Conflict(_))));
}

#[test]
fn a_deleted_host_is_gone_and_may_come_back() {
    let bed = Bed::new("deleted");
    let value = Reading::Number(Number::Integer(1));
    bed.post_as("other", &[("a", DataType::Gauge, START_MS, value)]);
    bed.gauge("a", &[(START_MS, 1)]);
    bed.settle();
    bed.gauge("a", &[(START_MS + 1, 2)]);
    let store = bed.store();
    let series = i64::from(store.find_series(None, Some("host"), &[], 1).unwrap()[0]);
    let chart = store.create::<Chart>(vec![]).unwrap();
    let drawn = vec![("idx_chart", chart.into()), ("idx_datapoint", series.into())];
    store.create::<ChartDataPoint>(drawn).unwrap();

    assert_eq!(store.delete_target("host").unwrap(), 1);
    assert_eq!(store.delete_target("host").unwrap(), 0);
    assert_eq!(store.count::<Agent>(&Select::all()).unwrap(), 1);
    assert_eq!(store.count::<ChartDataPoint>(&Select::all()).unwrap(), 0);
    let query = PointsQuery::new(SeriesId::try_from(series).unwrap(), 0, START_MS + DAY_MS);
    assert!(store.points(&query).unwrap().is_none());
    store.sweep().unwrap();
    bed.seal();
    let left = "SELECT (SELECT count(*) FROM day_chunk) + (SELECT count(*) FROM hour_chunk)
                + (SELECT count(*) FROM recent) + (SELECT count(*) FROM doomed)
                + (SELECT count(*) FROM five_minutes)";
    assert_eq!(bed.look(left), 2, "the chunk and the roll-up of the other host");
    for table in ["day_times", "five_minutes_times", "one_hour_times"] {
        assert_eq!(bed.look(&format!("SELECT count(*) FROM {table}")), 1, "{table}");
    }

    bed.gauge("a", &[(START_MS + 2, 3)]);
    let again = store.find_series(None, Some("host"), &[], 1).unwrap()[0];
    assert_ne!(i64::from(again), series);
    let answer = bed.ask(&PointsQuery::new(again, START_MS, START_MS + DAY_MS));
    assert_eq!(plain(&answer.points), whole(&[(START_MS + 2, 3)]));
}

#[test]
fn a_batch_that_was_begun_before_a_deletion_must_come_again() {
    let bed = Bed::new("epoch");
    bed.gauge("a", &[(START_MS, 1)]);
    let mut batch = bed.store().batch();
    let value = Reading::Number(Number::Integer(2));
    batch.add(&origin("host"), "a", DataType::Gauge, START_MS + 1, value, || described("a"));
    bed.store().delete_target("host").unwrap();
    assert!(matches!(batch.commit(), Err(StoreError::Busy(_))));
    assert_eq!(bed.gauge("a", &[(START_MS + 1, 2)]).stored, 1);
    assert_eq!(bed.all("a"), whole(&[(START_MS + 1, 2)]));
}
