//! Names for people come by the file: all of one in one transaction, so that a
//! file is taken whole or not at all.

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
        self.writer.run(move |transaction| {
            put(transaction, &names, known, |language, name, now| {
                let created = transaction
                    .prepare_cached(
                        "INSERT INTO pair_xlate (idx_pair_xlate_group, idx_language, key,
                         translation, units, ts_created, ts_modified)
                         VALUES (?, ?, ?, ?, ?, ?6, ?6) ON CONFLICT DO NOTHING",
                    )?
                    .execute(params![
                        group,
                        language,
                        name.key,
                        name.translation,
                        name.units,
                        now
                    ])?;
                if created == 1 || known == Known::Kept {
                    return Ok((created, 0));
                }
                let changed = transaction
                    .prepare_cached(
                        "UPDATE pair_xlate SET translation = ?4, units = ?5, ts_modified = ?6
                         WHERE idx_pair_xlate_group = ?1 AND idx_language = ?2 AND key = ?3
                         AND (translation <> ?4 OR units <> ?5)",
                    )?
                    .execute(params![
                        group,
                        language,
                        name.key,
                        name.translation,
                        name.units,
                        now
                    ])?;
                Ok((0, changed))
            })
        })
    }

    /// Names programs of agents; units are of no use here.
    pub fn name_programs(&self, names: Vec<Name>, known: Known) -> Result<Named, StoreError> {
        self.writer.run(move |transaction| {
            put(transaction, &names, known, |language, name, now| {
                let created = transaction
                    .prepare_cached(
                        "INSERT INTO agent_xlate (idx_language, agent_program, translation,
                         ts_created, ts_modified) VALUES (?, ?, ?, ?4, ?4) ON CONFLICT DO NOTHING",
                    )?
                    .execute(params![language, name.key, name.translation, now])?;
                if created == 1 || known == Known::Kept {
                    return Ok((created, 0));
                }
                let changed = transaction
                    .prepare_cached(
                        "UPDATE agent_xlate SET translation = ?3, ts_modified = ?4
                         WHERE idx_language = ?1 AND agent_program = ?2 AND translation <> ?3",
                    )?
                    .execute(params![language, name.key, name.translation, now])?;
                Ok((0, changed))
            })
        })
    }
}

/// Puts each name with the number of its language. A language that is not there
/// is an error, or, for names that are only offered, passed over.
fn put(
    transaction: &Transaction<'_>,
    names: &[Name],
    known: Known,
    put: impl Fn(i64, &Name, u64) -> Result<(usize, usize), StoreError>,
) -> Result<Named, StoreError> {
    let now = wall_clock::now_ms();
    let mut done = Named::default();
    for name in names {
        let language: Option<i64> = transaction
            .prepare_cached("SELECT idx_language FROM language WHERE code = ?")?
            .query_row([&name.language], |row| row.get(0))
            .optional()?;
        match language {
            Some(language) => {
                let (created, changed) = put(language, name, now)?;
                done.created += created;
                done.changed += changed;
            }
            None if known == Known::Kept => {}
            None => {
                let code = &name.language;
                return Err(StoreError::Conflict(format!("there is no language {code:?}")));
            }
        }
    }
    Ok(done)
}
