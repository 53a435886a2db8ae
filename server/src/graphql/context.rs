//! What all answers of one query share: the store, the deadline, how much the
//! query may still ask for, and the rows that many others belong to.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::kind::Kind;
use super::kinds::DATAPOINT;
use super::large::{Large, Permit};
use super::reach::Device;
use super::record::Record;
use super::sparklines::Sparklines;
use crate::clones::Clones;
use crate::fleet::Fleet;
use crate::session::Tries;
use crate::store::{Latest, SeriesId, Store, StoreError};

/// Rows that one query may ask for, all its connections together: some 30 MB
/// while the answer is put together.
const MAX_ROWS: u64 = 25_000;
/// A query of more rows is a large one: one of these is answered at a time.
const LARGE_ROWS: u64 = 2_500;
/// Points that one query may ask for, all its series together.
pub(super) const MAX_POINTS: usize = 10_000;
/// Points that one query may ask for in columns, which take a fraction of the memory.
const MAX_COLUMN_POINTS: usize = 100_000;
/// A query of more of them is a large one.
const LARGE_COLUMN_POINTS: usize = 25_000;
/// Parents that are kept in memory.
const MAX_PARENTS: usize = 4_096;
/// Latest samples that are kept in memory, besides those of one page.
const MAX_LATEST: usize = 20_000;

/// What ends a query as a whole.
#[derive(Debug)]
pub(super) enum Fault {
    /// The deadline has passed.
    Deadline,
    /// It asks for more than a query may.
    TooMuch(&'static str, u64),
    /// The store cannot answer now.
    Store(StoreError),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline => f.write_str("the query took longer than it may and was ended"),
            Self::TooMuch(what, most) => {
                write!(
                    f,
                    "the query asks for more than {most} {what}; ask for pages with first and after"
                )
            }
            Self::Store(error) => error.fmt(f),
        }
    }
}

/// Rows by the kind's name and their number; none where there is no such row.
type Parents = HashMap<(&'static str, i64), Option<Rc<Record>>>;

/// What all queries share.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) large: Arc<Large>,
    pub(super) fleet: Arc<Fleet>,
    pub(super) sparklines: Arc<Sparklines>,
    pub(super) tries: Arc<Tries>,
    /// Which agents share an id.
    pub(super) clones: Arc<Clones>,
}

/// The context of one query.
pub(super) struct Context {
    pub(super) store: Arc<Store>,
    pub(super) deadline: Instant,
    /// Now, milliseconds since 1970.
    pub(super) now_ms: u64,
    /// What the hubs say of their devices, once it has been asked for.
    pub(super) devices: OnceCell<Vec<Device>>,
    /// Which agents share an id.
    pub(super) clones: Arc<Clones>,
    pub(super) fleet: Arc<Fleet>,
    pub(super) sparklines: Arc<Sparklines>,
    pub(super) tries: Arc<Tries>,
    /// Where the query is from, if it came over the network.
    pub(super) address: Option<IpAddr>,
    rows: Cell<u64>,
    large: Arc<Large>,
    permit: RefCell<Option<Permit>>,
    points_left: Cell<usize>,
    column_points_left: Cell<usize>,
    fault: RefCell<Option<Fault>>,
    parents: RefCell<Parents>,
    latest: RefCell<HashMap<SeriesId, Option<Latest>>>,
    /// Series whose latest sample may be asked for next.
    expected: RefCell<Vec<SeriesId>>,
}

impl juniper::Context for Context {}

impl Context {
    pub(super) fn new(
        store: Arc<Store>,
        shared: &Shared,
        address: Option<IpAddr>,
        deadline: Instant,
        now_ms: u64,
    ) -> Self {
        Self {
            store,
            large: Arc::clone(&shared.large),
            clones: Arc::clone(&shared.clones),
            fleet: Arc::clone(&shared.fleet),
            sparklines: Arc::clone(&shared.sparklines),
            tries: Arc::clone(&shared.tries),
            address,
            permit: RefCell::new(None),
            deadline,
            now_ms,
            devices: OnceCell::new(),
            rows: Cell::new(0),
            points_left: Cell::new(MAX_POINTS),
            column_points_left: Cell::new(MAX_COLUMN_POINTS),
            fault: RefCell::new(None),
            parents: RefCell::default(),
            latest: RefCell::default(),
            expected: RefCell::default(),
        }
    }

    /// What ended the query, if anything did.
    pub(super) fn take_fault(&self) -> Option<Fault> {
        self.fault.borrow_mut().take()
    }

    /// Whether the query has been ended: then nothing more is looked up for it.
    pub(super) fn is_over(&self) -> bool {
        if self.fault.borrow().is_none() && Instant::now() >= self.deadline {
            self.end(Fault::Deadline);
        }
        self.fault.borrow().is_some()
    }

    /// Ends the query.
    pub(super) fn end(&self, fault: Fault) {
        self.fault.borrow_mut().get_or_insert(fault);
    }

    /// What to do about an error of the store: the ones that would come again at
    /// the next row end the query.
    pub(super) fn store_error(&self, error: StoreError) -> juniper::FieldError {
        let text = error.to_string();
        match error {
            StoreError::Deadline => self.end(Fault::Deadline),
            StoreError::Busy(_) | StoreError::Full | StoreError::Closed => {
                self.end(Fault::Store(error));
            }
            _ => {}
        }
        text.into()
    }

    /// Counts rows that were read. A query that turns out to be a large one waits
    /// for its turn.
    pub(super) fn count_rows(&self, rows: usize) {
        let rows = self.rows.get() + rows as u64;
        self.rows.set(rows);
        if rows > MAX_ROWS {
            self.end(Fault::TooMuch("rows", MAX_ROWS));
        } else if rows > LARGE_ROWS {
            self.wait_for_turn();
        }
    }

    /// A large query waits until no other is answered.
    fn wait_for_turn(&self) {
        if self.permit.borrow().is_none() {
            match self.large.wait(self.deadline) {
                Some(permit) => *self.permit.borrow_mut() = Some(permit),
                None => self.end(Fault::Deadline),
            }
        }
    }

    /// Points that the query may still ask for.
    pub(super) fn points_left(&self) -> usize {
        self.points_left.get()
    }

    /// Counts points that were read.
    pub(super) fn count_points(&self, points: usize) {
        self.points_left.set(self.points_left.get().saturating_sub(points));
    }

    /// Points that the query may still ask for in columns.
    pub(super) fn column_points_left(&self) -> usize {
        self.column_points_left.get()
    }

    /// Counts points that were read for columns.
    pub(super) fn count_column_points(&self, points: usize) {
        let left = self.column_points_left.get().saturating_sub(points);
        self.column_points_left.set(left);
        if MAX_COLUMN_POINTS - left > LARGE_COLUMN_POINTS {
            self.wait_for_turn();
        }
    }

    /// The row of a number: from memory, or from the store.
    pub(super) fn parent(
        &self,
        kind: &'static Kind,
        number: i64,
    ) -> Result<Option<Rc<Record>>, StoreError> {
        let key = (kind.single, number);
        if let Some(known) = self.parents.borrow().get(&key) {
            return Ok(known.clone());
        }
        let found = Record::find(self, kind, &[number])?.map(Rc::new);
        let mut parents = self.parents.borrow_mut();
        if parents.len() >= MAX_PARENTS {
            parents.clear();
        }
        parents.insert(key, found.clone());
        Ok(found)
    }

    /// Notes that the latest samples of these may be asked for, one after the
    /// other; the first question is then answered for all of them at once.
    pub(super) fn expect_latest(&self, records: &[Record]) {
        if records.first().is_some_and(|record| std::ptr::eq(record.kind, &raw const DATAPOINT)) {
            let mut expected = self.expected.borrow_mut();
            expected.clear();
            expected.extend(records.iter().filter_map(series_of));
        }
    }

    /// The latest sample of a series.
    pub(super) fn latest(&self, series: SeriesId) -> Result<Option<Latest>, StoreError> {
        if let Some(known) = self.latest.borrow().get(&series) {
            return Ok(known.clone());
        }
        let mut wanted = std::mem::take(&mut *self.expected.borrow_mut());
        if !wanted.contains(&series) {
            wanted = vec![series];
        }
        let found = self.store.latest(&wanted)?;
        let mut latest = self.latest.borrow_mut();
        if latest.len() >= MAX_LATEST {
            latest.clear();
        }
        latest.extend(wanted.into_iter().zip(found));
        Ok(latest.get(&series).cloned().flatten())
    }
}

/// The series of a `DataPoint`.
pub(super) fn series_of(record: &Record) -> Option<SeriesId> {
    SeriesId::try_from(record.number("idx_datapoint")).ok()
}
