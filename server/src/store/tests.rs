//! The store from its door: what goes in comes out, through every place where
//! samples stand.

mod catalogue;
mod charts;
mod damage;
mod ingest;
mod rates;
mod reading;
mod retention;
mod sealing;
mod watch;

use std::path::Path;

use pattoo_common::datapoint::DataType;
use rusqlite::Connection;

use super::scratch::Scratch;
use super::{
    DATABASE_FILE, DAY_MS, NewSeries, Number, Options, Origin, Point, Points, PointsQuery, Reading,
    Receipt, SeriesId, Store,
};

/// The day in which the tests take place.
const DAY: u64 = 20_000;
/// Its first millisecond.
const START_MS: u64 = DAY * DAY_MS;

/// A store in a folder of its own.
struct Bed {
    store: Option<Store>,
    scratch: Scratch,
}

/// One sample of a test: series by name, type, time, value.
type Given<'a> = (&'a str, DataType, u64, Reading<'a>);

impl Bed {
    fn new(name: &str) -> Self {
        let scratch = Scratch::new(name);
        let store = Some(Store::open(&Options::new(scratch.path())).unwrap());
        Self { store, scratch }
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// Closes the store and opens it again.
    fn reopen(&mut self) {
        self.store = None;
        self.store = Some(Store::open(&Options::new(self.scratch.path())).unwrap());
    }

    /// Changes the database behind the store's back.
    fn sql(&self, sql: &str) -> usize {
        Connection::open(self.folder().join(DATABASE_FILE)).unwrap().execute(sql, []).unwrap()
    }

    fn look(&self, sql: &str) -> i64 {
        let connection = Connection::open(self.folder().join(DATABASE_FILE)).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Posts one batch of the host `host`.
    fn post(&self, given: &[Given<'_>]) -> Receipt {
        self.post_as("host", given)
    }

    fn post_as(&self, host: &str, given: &[Given<'_>]) -> Receipt {
        let mut batch = self.store().batch();
        for (name, data_type, at_ms, reading) in given {
            let origin = origin(host);
            batch.add(&origin, name, *data_type, *at_ms, *reading, || described(name));
        }
        batch.commit().unwrap()
    }

    /// Posts whole numbers of one gauge.
    fn gauge(&self, name: &str, samples: &[(u64, i64)]) -> Receipt {
        let given: Vec<_> = samples
            .iter()
            .map(|(at, value)| (name, DataType::Gauge, *at, Reading::Number((*value).into())))
            .collect();
        self.post(&given)
    }

    fn series(&self, name: &str) -> SeriesId {
        let found = self.store().find_series(Some(name), None, &[], 2).unwrap();
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        found[0]
    }

    fn ask(&self, query: &PointsQuery) -> Points {
        self.store().points(query).unwrap().unwrap()
    }

    /// Every sample of a series around the day of the tests.
    fn all(&self, name: &str) -> Vec<(u64, Number)> {
        let query =
            PointsQuery::new(self.series(name), START_MS - 2 * DAY_MS, START_MS + 4 * DAY_MS);
        let answer = self.ask(&PointsQuery { points_max: 10_000, ..query });
        assert_eq!(answer.step_ms, None, "too many for a look at each");
        assert_eq!(answer.broken, []);
        plain(&answer.points)
    }

    /// Seals and compacts everything.
    fn settle(&self) {
        self.store().settle(START_MS + 100 * DAY_MS).unwrap();
    }

    /// Seals everything and compacts nothing.
    fn seal(&self) {
        self.store().settle(0).unwrap();
    }
}

fn origin(host: &str) -> Origin<'_> {
    Origin {
        agent_id: "66cf",
        polled_target: host,
        program: "spoked",
        // Long enough that six days of samples count as a few.
        polling_interval_ms: DAY_MS,
    }
}

fn described(name: &str) -> NewSeries {
    NewSeries {
        key: format!("spoked_{name}"),
        pairs: vec![("spoked_cpus".into(), "2".into()), ("spoked_of".into(), name.into())],
    }
}

fn plain(points: &[Point]) -> Vec<(u64, Number)> {
    points.iter().map(|point| (point.timestamp_ms, point.value)).collect()
}

fn whole(samples: &[(u64, i64)]) -> Vec<(u64, Number)> {
    samples.iter().map(|(at, value)| (*at, (*value).into())).collect()
}
