//! Finding series by words, as a person types them, and the keys that there are.

use rusqlite::params_from_iter;

use super::Store;
use super::catalogue::ROWS_MAX;
use super::error::StoreError;
use super::keys::SeriesId;

/// Words of one search; what is behind them is not looked for.
const WORDS_MAX: usize = 8;

/// That a pair's value, or what it is called in some language, holds a word.
const PAIR_HAS_WORD: &str = "(instr(lower(value), ?) > 0 OR value IN \
     (SELECT key FROM pair_xlate WHERE instr(lower(translation), ?) > 0))";

/// A key, with the program's name before it, and who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCount {
    /// The key.
    pub key: String,
    /// The program, of one of the agents that send it.
    pub program: String,
    /// A group of translations that such an agent has.
    pub group: i64,
    /// How many series.
    pub series: usize,
    /// How many targets.
    pub targets: usize,
}

/// The words of a search, as SQLite compares them.
fn words(search: &str) -> impl Iterator<Item = String> {
    search.split_whitespace().take(WORDS_MAX).map(str::to_ascii_lowercase)
}

impl Store {
    /// The series that have every word of `search` in their metadata, in what their
    /// key is called, or in their target's name; with `key` (as
    /// [`Store::find_series`] takes it) and `target` only those. At most `limit`,
    /// in order of target and key.
    pub fn search_series(
        &self,
        key: Option<&str>,
        target: Option<&str>,
        search: &str,
        limit: usize,
    ) -> Result<Vec<SeriesId>, StoreError> {
        let mut sql = String::from(
            "SELECT d.idx_datapoint FROM datapoint d JOIN agent a USING (idx_agent)
             JOIN glue g USING (idx_datapoint) JOIN pair k USING (idx_pair)
             WHERE k.key = 'pattoo_key'",
        );
        let mut cells: Vec<String> = Vec::new();
        if let Some(target) = target {
            sql.push_str(" AND a.agent_polled_target = ?");
            cells.push(target.to_owned());
        }
        if let Some(key) = key {
            sql.push_str(" AND k.value IN (?, a.agent_program || '_' || ?)");
            cells.extend([key.to_owned(), key.to_owned()]);
        }
        for word in words(search) {
            sql.push_str(" AND (instr(lower(a.agent_polled_target), ?) > 0 OR d.idx_datapoint IN (SELECT idx_datapoint FROM glue JOIN pair USING (idx_pair) WHERE ");
            sql.push_str(PAIR_HAS_WORD);
            sql.push_str("))");
            cells.extend([word.clone(), word.clone(), word]);
        }
        sql.push_str(" ORDER BY a.agent_polled_target, k.value, d.idx_datapoint LIMIT ");
        sql.push_str(&limit.min(ROWS_MAX).to_string());
        self.readers.read(|connection| {
            let mut statement = connection.prepare(&sql)?;
            let rows = statement.query_map(params_from_iter(&cells), |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The keys of series that have every word of `search`, or are called so, in
    /// their order; at most `limit`.
    pub fn keys(&self, search: &str, limit: usize) -> Result<Vec<KeyCount>, StoreError> {
        let mut sql = String::from(
            "SELECT value, min(agent_program), min(idx_pair_xlate_group), count(*),
             count(DISTINCT agent_polled_target)
             FROM pair JOIN glue USING (idx_pair) JOIN datapoint USING (idx_datapoint)
             JOIN agent USING (idx_agent) WHERE key = 'pattoo_key'",
        );
        let mut cells: Vec<String> = Vec::new();
        for word in words(search) {
            sql.push_str(" AND ");
            sql.push_str(PAIR_HAS_WORD);
            cells.extend([word.clone(), word]);
        }
        sql.push_str(" GROUP BY value ORDER BY value LIMIT ");
        sql.push_str(&limit.min(ROWS_MAX).to_string());
        self.readers.read(|connection| {
            let mut statement = connection.prepare(&sql)?;
            let rows = statement.query_map(params_from_iter(&cells), |row| {
                Ok(KeyCount {
                    key: row.get(0)?,
                    program: row.get(1)?,
                    group: row.get(2)?,
                    series: row.get(3)?,
                    targets: row.get(4)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
