//! The catalogue: agents, series, their metadata, translations, users, charts.
//! Each table is a [`Record`]; reading, filtering, counting, creating and
//! changing are written once for all of them.

mod records;

pub use records::{
    Agent, AgentXlate, Chart, ChartDataPoint, DataPointRow, Favorite, Glue, Language, Pair,
    PairXlate, PairXlateGroup, User,
};

use pattoo_common::wall_clock;
use rusqlite::types::{ToSqlOutput, Value as SqlValue, ValueRef};
use rusqlite::{Connection, OptionalExtension, ToSql, params_from_iter};

use super::error::StoreError;
use super::keys::SeriesId;
use super::{Store, retention};

/// Rows of one answer.
pub const ROWS_MAX: usize = 100_000;

/// A value of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Self::Integer(value.into())
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Integer(value) => ToSqlOutput::Owned(SqlValue::Integer(*value)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

/// A table of the catalogue, and a row of it.
pub trait Record: Sized {
    /// The table.
    const TABLE: &'static str;
    /// Its columns; the first is the row's number, or the first part of its key.
    const COLUMNS: &'static [&'static str];
    /// Columns that can be written and filtered by, but are never read.
    const HIDDEN: &'static [&'static str];

    /// The row of cells in the order of [`Record::COLUMNS`].
    fn from_cells(cells: Vec<Cell>) -> Option<Self>;
}

/// What rows must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// The column has this value.
    Is(&'static str, Cell),
    /// The column, a whole number, is one of these.
    In(&'static str, Vec<i64>),
    /// The column, a whole number, lies between these two, both included.
    Between(&'static str, i64, i64),
    /// The column holds this text somewhere, in whatever case.
    Contains(&'static str, String),
}

/// Which rows, in which order, and how many.
#[derive(Debug, Clone, Default)]
pub struct Select {
    /// All must hold.
    pub filters: Vec<Filter>,
    /// Columns to sort by, `true` for falling; what is equal is in order of the
    /// first column.
    pub order: Vec<(&'static str, bool)>,
    /// Rows to pass over.
    pub offset: usize,
    /// Rows to give at most; 0 for as many as there may be.
    pub limit: usize,
}

impl Select {
    /// All rows.
    pub fn all() -> Self {
        Self::default()
    }

    /// The rows of which a column has a value.
    pub fn by(column: &'static str, value: impl Into<Cell>) -> Self {
        Self { filters: vec![Filter::Is(column, value.into())], ..Self::default() }
    }

    /// The rows of which a column is one of these.
    pub fn among(column: &'static str, values: Vec<i64>) -> Self {
        Self { filters: vec![Filter::In(column, values)], ..Self::default() }
    }

    /// No more than so many, after passing over some.
    #[must_use]
    pub fn page(self, offset: usize, limit: usize) -> Self {
        Self { offset, limit, ..self }
    }

    fn conditions<R: Record>(&self) -> Result<(String, Vec<Cell>), StoreError> {
        let mut conditions = vec!["1".to_owned()];
        let mut cells = Vec::new();
        for filter in &self.filters {
            conditions.push(match filter {
                Filter::Is(column, cell) => {
                    cells.push(cell.clone());
                    format!("\"{}\" = ?", column_of::<R>(column)?)
                }
                Filter::In(column, values) => {
                    let list: Vec<String> = values.iter().map(i64::to_string).collect();
                    format!("\"{}\" IN ({})", column_of::<R>(column)?, list.join(","))
                }
                Filter::Between(column, least, most) => {
                    cells.extend([Cell::Integer(*least), Cell::Integer(*most)]);
                    format!("\"{}\" BETWEEN ? AND ?", column_of::<R>(column)?)
                }
                Filter::Contains(column, text) => {
                    cells.push(Cell::Text(text.clone()));
                    format!("instr(lower(\"{}\"), lower(?)) > 0", column_of::<R>(column)?)
                }
            });
        }
        Ok((format!(" WHERE {}", conditions.join(" AND ")), cells))
    }

    fn rest<R: Record>(&self) -> Result<String, StoreError> {
        let mut order = Vec::new();
        for (column, falling) in &self.order {
            let direction = if *falling { "DESC" } else { "ASC" };
            order.push(format!("\"{}\" {direction}", column_of::<R>(column)?));
        }
        order.push("1".into());
        // The pairs of a glue are told apart by both columns.
        order.push("2".into());
        let limit = if self.limit == 0 { ROWS_MAX } else { self.limit.min(ROWS_MAX) };
        Ok(format!(" ORDER BY {} LIMIT {limit} OFFSET {}", order.join(", "), self.offset))
    }
}

/// The column, if the table has it: only names from here come into a statement.
fn column_of<R: Record>(name: &str) -> Result<&'static str, StoreError> {
    let columns = R::COLUMNS.iter().chain(R::HIDDEN);
    let column = columns.copied().find(|column| *column == name);
    column.ok_or_else(|| StoreError::UnknownColumn(format!("{}.{name}", R::TABLE)))
}

fn read<R: Record>(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<R>> {
    let mut cells = Vec::with_capacity(R::COLUMNS.len());
    for number in 0..R::COLUMNS.len() {
        cells.push(match row.get_ref(number)? {
            ValueRef::Integer(value) => Cell::Integer(value),
            ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
            _ => return Ok(None),
        });
    }
    Ok(R::from_cells(cells))
}

fn columns<R: Record>() -> String {
    R::COLUMNS.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ")
}

impl Store {
    /// The rows that match, at most [`ROWS_MAX`].
    pub fn rows<R: Record>(&self, select: &Select) -> Result<Vec<R>, StoreError> {
        let (conditions, cells) = select.conditions::<R>()?;
        let rest = select.rest::<R>()?;
        let sql = format!("SELECT {} FROM {}{conditions}{rest}", columns::<R>(), R::TABLE);
        self.readers.read(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params_from_iter(&cells), read::<R>)?;
            rows.filter_map(Result::transpose).map(|row| Ok(row?)).collect()
        })
    }

    /// How many rows match.
    pub fn count<R: Record>(&self, select: &Select) -> Result<usize, StoreError> {
        let (conditions, cells) = select.conditions::<R>()?;
        let sql = format!("SELECT count(*) FROM {}{conditions}", R::TABLE);
        self.readers.read(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            Ok(statement.query_row(params_from_iter(&cells), |row| row.get(0))?)
        })
    }

    /// The row of a number.
    pub fn row<R: Record>(&self, number: i64) -> Result<Option<R>, StoreError> {
        let column = R::COLUMNS.first().copied().unwrap_or_default();
        Ok(self.rows(&Select::by(column, number).page(0, 1))?.pop())
    }

    /// Creates a row; its number. Columns that are not named have their default.
    /// A number may be named, as when a catalogue is loaded.
    pub fn create<R: Record>(&self, cells: Vec<(&'static str, Cell)>) -> Result<i64, StoreError> {
        let mut names = Vec::new();
        for (name, _) in &cells {
            names.push(column_of::<R>(name)?);
        }
        let now = i64::try_from(wall_clock::now_ms()).unwrap_or(0);
        let mut values: Vec<Cell> = cells.into_iter().map(|(_, cell)| cell).collect();
        for time in ["ts_created", "ts_modified"] {
            if R::COLUMNS.contains(&time) && !names.contains(&time) {
                names.push(time);
                values.push(Cell::Integer(now));
            }
        }
        let sql = format!(
            "INSERT INTO {} (\"{}\") VALUES ({})",
            R::TABLE,
            names.join("\", \""),
            vec!["?"; names.len()].join(", ")
        );
        self.writer.run(move |transaction| {
            transaction.prepare_cached(&sql)?.execute(params_from_iter(&values))?;
            Ok(transaction.last_insert_rowid())
        })
    }

    /// Changes columns of a row; false if there is no such row.
    pub fn change<R: Record>(
        &self,
        number: i64,
        cells: Vec<(&'static str, Cell)>,
    ) -> Result<bool, StoreError> {
        let mut sets = Vec::new();
        for (name, _) in &cells {
            sets.push(format!("\"{}\" = ?", column_of::<R>(name)?));
        }
        let mut values: Vec<Cell> = cells.into_iter().map(|(_, cell)| cell).collect();
        if R::COLUMNS.contains(&"ts_modified") {
            sets.push("ts_modified = ?".into());
            values.push(Cell::Integer(i64::try_from(wall_clock::now_ms()).unwrap_or(0)));
        }
        values.push(Cell::Integer(number));
        let key = R::COLUMNS.first().copied().unwrap_or_default();
        let sql = format!("UPDATE {} SET {} WHERE \"{key}\" = ?", R::TABLE, sets.join(", "));
        self.writer.run(move |transaction| {
            Ok(transaction.prepare_cached(&sql)?.execute(params_from_iter(&values))? > 0)
        })
    }

    /// Deletes a row; false if there is none. Series and agents go by
    /// [`Store::delete_agent`] only.
    pub fn delete<R: Record>(&self, number: i64) -> Result<bool, StoreError> {
        if [Agent::TABLE, DataPointRow::TABLE].contains(&R::TABLE) {
            return Err(StoreError::Conflict(format!("rows of {} have samples", R::TABLE)));
        }
        let key = R::COLUMNS.first().copied().unwrap_or_default();
        let sql = format!("DELETE FROM {} WHERE \"{key}\" = ?", R::TABLE);
        self.writer.run(move |transaction| Ok(transaction.execute(&sql, [number])? > 0))
    }

    /// Of a user who is enabled: the number, when the row was last changed, and the
    /// password hash that it had then.
    pub fn password_hash(&self, username: &str) -> Result<Option<(i64, i64, String)>, StoreError> {
        self.readers.read(|connection| {
            Ok(connection
                .query_row(
                    "SELECT idx_user, ts_modified, password_hash FROM user
                     WHERE username = ? AND enabled = 1",
                    [username],
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                )
                .optional()?)
        })
    }

    /// The series of which the key is, or ends with, `key`, of a target, with
    /// all of the metadata given; each condition only if it is there. At most
    /// `limit`, in order of their numbers.
    pub fn find_series(
        &self,
        key: Option<&str>,
        target: Option<&str>,
        metadata: &[(String, String)],
        limit: usize,
    ) -> Result<Vec<SeriesId>, StoreError> {
        let mut sql = String::from("SELECT idx_datapoint FROM datapoint WHERE 1");
        let mut cells: Vec<&str> = Vec::new();
        if let Some(target) = target {
            sql.push_str(
                " AND idx_agent IN (SELECT idx_agent FROM agent WHERE agent_polled_target = ?)",
            );
            cells.push(target);
        }
        let having = " AND idx_datapoint IN (SELECT idx_datapoint FROM glue JOIN pair USING (idx_pair) WHERE ";
        if let Some(key) = key {
            sql.push_str(having);
            // With the program before it or without.
            sql.push_str("key = 'pattoo_key' AND (value = ? OR value IN (SELECT agent_program || '_' || ? FROM agent)))");
            cells.extend([key, key]);
        }
        for (key, value) in metadata {
            sql.push_str(having);
            sql.push_str(
                "(key = ? OR key IN (SELECT agent_program || '_' || ? FROM agent)) AND value = ?)",
            );
            cells.extend([key.as_str(), key.as_str(), value.as_str()]);
        }
        sql.push_str(" ORDER BY 1 LIMIT ");
        sql.push_str(&limit.min(ROWS_MAX).to_string());
        self.readers.read(|connection| {
            let mut statement = connection.prepare(&sql)?;
            let rows = statement.query_map(params_from_iter(&cells), |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Deletes an agent with its series; false if there is none. Their samples
    /// are unreadable at once and swept up behind the scenes.
    pub fn delete_agent(&self, idx_agent: i64) -> Result<bool, StoreError> {
        Ok(self.delete_agents("idx_agent = ?", idx_agent.into())? > 0)
    }

    /// Deletes a host: every agent that polled it. Returns how many agents.
    pub fn delete_target(&self, target: &str) -> Result<usize, StoreError> {
        self.delete_agents("agent_polled_target = ?", target.into())
    }

    fn delete_agents(&self, which: &'static str, value: Cell) -> Result<usize, StoreError> {
        let new_epoch = self.writer.epoch_changer();
        let gone = self.writer.run(move |transaction| {
            new_epoch();
            let series = numbers(
                transaction,
                &format!(
                    "SELECT idx_datapoint FROM datapoint JOIN agent USING (idx_agent) WHERE {which}"
                ),
                &value,
            )?;
            let agents = numbers(
                transaction,
                &format!("SELECT idx_agent FROM agent WHERE {which}"),
                &value,
            )?;
            retention::forget(transaction, &series)?;
            transaction.execute(&format!("DELETE FROM agent WHERE {which}"), [&value])?;
            Ok(agents.len())
        })?;
        self.cache.clear();
        Ok(gone)
    }
}

fn numbers(connection: &Connection, sql: &str, value: &Cell) -> Result<Vec<SeriesId>, StoreError> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([value], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
