//! Rows as cells, whatever their kind: the way from the table of kinds to the
//! typed records of the store and back.

use pattoo_common::quoted::quoted;
use std::marker::PhantomData;

use super::context::Context;
use super::kind::{Kind, Rows, Shape};
use super::record::Record;
use super::samples;
use crate::store::{self, Cell, Filter, Select, Store, StoreError};

/// Characters of a text that somebody gives to a row.
const MAX_TEXT_CHARS: usize = 512;

/// The order of rows: a column, and whether it falls.
pub(super) type Order = (&'static str, bool);

/// The cells of a row, in the order of the table's columns.
type Cells = Vec<Cell>;
/// Columns and what is to stand there.
type Values = Vec<(&'static str, Cell)>;

/// What can be done with a table of the catalogue.
pub(super) struct Table {
    pub(super) columns: &'static [&'static str],
    page: fn(&Store, &Select) -> Result<Vec<Cells>, StoreError>,
    count: fn(&Store, &Select) -> Result<usize, StoreError>,
    create: fn(&Store, Values) -> Result<i64, StoreError>,
    change: fn(&Store, i64, Values) -> Result<bool, StoreError>,
}

/// A row of `R` that was left as cells.
struct Plain<R>(Cells, PhantomData<R>);

impl<R: store::Record> store::Record for Plain<R> {
    const TABLE: &'static str = R::TABLE;
    const COLUMNS: &'static [&'static str] = R::COLUMNS;
    const HIDDEN: &'static [&'static str] = R::HIDDEN;

    fn from_cells(cells: Vec<Cell>) -> Option<Self> {
        Some(Self(cells, PhantomData))
    }
}

impl Table {
    /// The table of a record.
    pub(super) const fn of<R: store::Record>() -> Self {
        Self {
            columns: R::COLUMNS,
            page: |store, select| {
                Ok(store.rows::<Plain<R>>(select)?.into_iter().map(|row| row.0).collect())
            },
            count: |store, select| store.count::<R>(select),
            create: |store, cells| store.create::<R>(cells),
            change: |store, number, cells| store.change::<R>(number, cells),
        }
    }

    /// Creates a row; its number.
    pub(super) fn create(&self, context: &Context, cells: Values) -> Result<i64, StoreError> {
        (self.create)(&context.store, cells)
    }

    /// Changes a row; false if there is none of this number.
    pub(super) fn change(
        &self,
        context: &Context,
        number: i64,
        cells: Values,
    ) -> Result<bool, StoreError> {
        (self.change)(&context.store, number, cells)
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.columns.fmt(f)
    }
}

/// How many rows pass the filters.
pub(super) fn count(
    context: &Context,
    kind: &'static Kind,
    filters: &[Filter],
) -> Result<u64, StoreError> {
    match &kind.rows {
        Rows::Table(table) => {
            let select = Select { filters: filters.to_vec(), ..Select::all() };
            Ok((table.count)(&context.store, &select)? as u64)
        }
        Rows::Samples => samples::count(context, filters),
    }
}

/// At most `limit` of the rows that pass the filters, from `offset` on.
pub(super) fn page(
    context: &Context,
    kind: &'static Kind,
    filters: &[Filter],
    order: &[Order],
    offset: u64,
    limit: u64,
) -> Result<Vec<Record>, StoreError> {
    let table = match &kind.rows {
        Rows::Table(table) => table,
        Rows::Samples => return samples::page(context, filters, offset, limit),
    };
    let wide = |number: u64| usize::try_from(number).unwrap_or(usize::MAX >> 1);
    let select = Select {
        filters: filters.to_vec(),
        order: order.to_vec(),
        offset: wide(offset.min(i64::MAX as u64)),
        limit: wide(limit),
    };
    let rows = (table.page)(&context.store, &select)?;
    Ok(rows.into_iter().map(|cells| Record { kind, cells }).collect())
}

/// A value for a column, from the text that stands for it in the schema.
pub(super) fn cell(kind: &Kind, field: &str, text: &str) -> Result<(&'static str, Cell), String> {
    let column = kind.column(field).ok_or_else(|| format!("{} is unknown", quoted(field)))?;
    match column.shape {
        Shape::Text if text.chars().count() > MAX_TEXT_CHARS => {
            Err(format!("{field}: more than {MAX_TEXT_CHARS} characters"))
        }
        Shape::Text => Ok((column.name, Cell::Text(text.to_owned()))),
        _ => match text.trim().parse() {
            Ok(number) => Ok((column.name, Cell::Integer(number))),
            Err(_) => Err(format!("{field}: {} is no whole number", quoted(text))),
        },
    }
}
