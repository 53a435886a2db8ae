//! Names for people come by the file: those of one call in one transaction, so that
//! they are taken all or not at all.

use pattoo_common::wall_clock;
use rusqlite::{OptionalExtension, Transaction, params};

use super::error::StoreError;
use super::{Store, catalogue::PairXlateGroup};

/// A key or a program, and what it is called in a language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The code of the language, which must be there.
    pub language: String,
    /// The key, or the program.
    pub key: String,
    /// What a person calls it.
    pub translation: String,
    /// The unit of its values; programs have none.
    pub units: String,
}

/// What to do about a name that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It becomes what it is now called.
    Replaced,
    /// It stays: somebody may have changed it.
    Kept,
}

/// How a name is entered where it is new, and changed where it is another. Of both:
/// ?1 group, ?2 language, ?3 key or program, ?4 translation, ?5 units, ?6 now.
struct Statements {
    create: &'static str,
    change: &'static str,
}

const OF_KEYS: Statements = Statements {
    create: "INSERT INTO pair_xlate (idx_pair_xlate_group, idx_language, key, translation, units,
             ts_created, ts_modified) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT DO NOTHING",
    change: "UPDATE pair_xlate SET translation = ?4, units = ?5, ts_modified = ?6
             WHERE idx_pair_xlate_group = ?1 AND idx_language = ?2 AND key = ?3
             AND (translation <> ?4 OR units <> ?5)",
};

/// Programs have neither groups nor units.
const OF_PROGRAMS: Statements = Statements {
    create: "INSERT INTO agent_xlate (idx_language, agent_program, translation, ts_created,
             ts_modified) VALUES (?2, ?3, ?4, ?6, ?6) ON CONFLICT DO NOTHING",
    change: "UPDATE agent_xlate SET translation = ?4, ts_modified = ?6
             WHERE idx_language = ?2 AND agent_program = ?3 AND translation <> ?4",
};

/// What became of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Named {
    /// Names that are new.
    pub created: usize,
    /// Names that are not what they were.
    pub changed: usize,
}

impl Store {
    /// Names keys, in a group of translations.
    pub fn name_keys(
        &self,
        group: i64,
        names: Vec<Name>,
        known: Known,
    ) -> Result<Named, StoreError> {
        if self.row::<PairXlateGroup>(group)?.is_none() {
            return Err(StoreError::Conflict(format!("there is no translation group {group}")));
        }
        self.writer.run(move |transaction| put(transaction, &OF_KEYS, Some(group), &names, known))
    }

    /// Names programs of agents; units are of no use here.
    pub fn name_programs(&self, names: Vec<Name>, known: Known) -> Result<Named, StoreError> {
        self.writer.run(move |transaction| put(transaction, &OF_PROGRAMS, None, &names, known))
    }
}

/// Puts each name with the number of its language. A language that is not there
/// is an error, or, for names that are only offered, passed over.
fn put(
    transaction: &Transaction<'_>,
    statements: &Statements,
    group: Option<i64>,
    names: &[Name],
    known: Known,
) -> Result<Named, StoreError> {
    let now = wall_clock::now_ms();
    let mut done = Named::default();
    for Name { language: code, key, translation, units } in names {
        let language: Option<i64> = transaction
            .prepare_cached("SELECT idx_language FROM language WHERE code = ?")?
            .query_row([code], |row| row.get(0))
            .optional()?;
        if language.is_none() && known == Known::Kept {
            continue;
        }
        let Some(language) = language else {
            return Err(StoreError::Conflict(format!("there is no language {code:?}")));
        };
        let row = params![group, language, key, translation, units, now];
        let created = transaction.prepare_cached(statements.create)?.execute(row)?;
        done.created += created;
        if created == 0 && known == Known::Replaced {
            done.changed += transaction.prepare_cached(statements.change)?.execute(row)?;
        }
    }
    Ok(done)
}
