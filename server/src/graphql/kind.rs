//! What the schema says of one kind of row: its columns, what it belongs to and
//! what belongs to it. One table of these ([`super::kinds`]) feeds the types of
//! the schema, the filters, the order, and the answers.

use juniper::ArcStr;

use super::rows::Table;

/// A kind of row, such as `Agent`.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) names: Names,
    pub(super) about: &'static str,
    /// The field of the query that gives one of them by its id.
    pub(super) single: &'static str,
    /// The field of the query that gives all of them.
    pub(super) all: &'static str,
    pub(super) rows: Rows,
    /// The columns whose numbers make the second half of an id.
    pub(super) key: &'static [&'static str],
    pub(super) columns: &'static [Column],
    pub(super) parents: &'static [Parent],
    pub(super) children: &'static [Child],
}

/// The names of the types that a kind brings into the schema.
#[derive(Debug)]
pub(super) struct Names {
    /// Of the row itself, and the first half of its ids.
    pub(super) row: ArcStr,
    pub(super) connection: ArcStr,
    pub(super) edge: ArcStr,
}

/// Where the rows of a kind are.
#[derive(Debug)]
pub(super) enum Rows {
    /// A table of the catalogue.
    Table(Table),
    /// The samples themselves.
    Samples,
}

/// A column as a field.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) field: &'static str,
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) about: &'static str,
}

/// The type of a column's field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `String`
    Text,
    /// `String` of digits.
    Number,
    /// `DateTime`
    Time,
    /// `Float!`
    Float,
}

/// The row that a row belongs to.
#[derive(Debug)]
pub(super) struct Parent {
    pub(super) field: &'static str,
    pub(super) kind: &'static Kind,
    /// The column that holds the parent's number.
    pub(super) by: &'static str,
}

/// The rows that belong to a row.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) field: &'static str,
    pub(super) kind: &'static Kind,
    /// The child's column that holds this row's number; named alike in both.
    pub(super) by: &'static str,
}

impl Kind {
    /// The column behind a name, as the schema writes it (`idxAgent`) or as
    /// sorting in the original does (`idx_agent`).
    pub(super) fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.field == name || column.name == name)
    }
}

/// A column of text.
pub(super) const fn text(field: &'static str, name: &'static str, about: &'static str) -> Column {
    Column { field, name, shape: Shape::Text, about }
}

/// A column of whole numbers.
pub(super) const fn number(field: &'static str, name: &'static str, about: &'static str) -> Column {
    Column { field, name, shape: Shape::Number, about }
}

/// When the row was made.
pub(super) const CREATED: Column = time("tsCreated", "ts_created", "When it was created, UTC.");
/// When the row was last changed.
pub(super) const MODIFIED: Column =
    time("tsModified", "ts_modified", "When it was last changed, UTC.");
/// Whether the row counts.
pub(super) const ENABLED: Column =
    number("enabled", "enabled", "\"1\" if it is in use, else \"0\".");

const fn time(field: &'static str, name: &'static str, about: &'static str) -> Column {
    Column { field, name, shape: Shape::Time, about }
}
