//! `importPairXlate` and `importAgentXlate`: names for people, many at a time.

use juniper::meta::Field;
use juniper::{
    Arguments, DefaultScalarValue, ExecutionResult, Executor, FieldResult, GraphQLInputObject,
    GraphQLObject, Registry,
};
use pattoo_common::quoted::quoted;

use super::context::Context;
use crate::store::{Known, Name};
use crate::translations;

/// Names keys, in a group.
pub(super) const IMPORT_KEYS: &str = "importPairXlate";
/// Names programs of agents.
pub(super) const IMPORT_PROGRAMS: &str = "importAgentXlate";
/// Names of one import.
pub const MAX_ROWS: usize = 500;

/// A key or a program, and what it is called in a language.
#[derive(Debug, GraphQLInputObject)]
struct XlateInput {
    /// Code of the language, which must be there.
    language: String,
    /// The key after the program's name, or the program.
    key: String,
    /// What a person calls it.
    translation: String,
    /// Units of the values.
    units: Option<String>,
}

/// What became of the names.
#[derive(Debug, GraphQLObject)]
struct Imported {
    /// How many are new.
    created: i32,
    /// How many are not what they were.
    changed: i32,
}

/// The fields.
pub(super) fn fields(registry: &mut Registry) -> [Field<DefaultScalarValue>; 2] {
    let keys = registry
        .field::<Imported>(IMPORT_KEYS, &())
        .description("Name keys in a translation group, at most 500 at a time: all or none.")
        .argument(registry.arg::<String>("idxPairXlateGroup", &()))
        .argument(registry.arg::<Vec<XlateInput>>("rows", &()));
    let programs = registry
        .field::<Imported>(IMPORT_PROGRAMS, &())
        .description("Name programs of agents, at most 500 at a time: all or none.")
        .argument(registry.arg::<Vec<XlateInput>>("rows", &()));
    [keys, programs]
}

/// Names keys.
pub(super) fn keys(
    arguments: &Arguments<'_>,
    executor: &Executor<'_, '_, Context>,
) -> ExecutionResult {
    let context = executor.context();
    let text = arguments.get::<String>("idxPairXlateGroup")?.unwrap_or_default();
    let group =
        text.parse().map_err(|_| format!("idxPairXlateGroup: {} is no number", quoted(&text)))?;
    let named = context
        .store
        .name_keys(group, names(arguments)?, Known::Replaced)
        .map_err(|error| context.store_error(error))?;
    executor.resolve_with_ctx(&(), &Imported::of(named))
}

/// Names programs.
pub(super) fn programs(
    arguments: &Arguments<'_>,
    executor: &Executor<'_, '_, Context>,
) -> ExecutionResult {
    let context = executor.context();
    let named = context
        .store
        .name_programs(names(arguments)?, Known::Replaced)
        .map_err(|error| context.store_error(error))?;
    executor.resolve_with_ctx(&(), &Imported::of(named))
}

impl Imported {
    fn of(named: crate::store::Named) -> Self {
        let whole = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        Self { created: whole(named.created), changed: whole(named.changed) }
    }
}

fn names(arguments: &Arguments<'_>) -> FieldResult<Vec<Name>> {
    let rows = arguments.get::<Vec<XlateInput>>("rows")?.unwrap_or_default();
    if rows.len() > MAX_ROWS {
        return Err(format!("rows: {} were found, at most {MAX_ROWS} are taken", rows.len()).into());
    }
    let mut names = Vec::with_capacity(rows.len());
    for (number, row) in rows.iter().enumerate() {
        let units = row.units.as_deref().unwrap_or_default();
        let name = translations::name(&row.language, &row.key, &row.translation, units)
            .map_err(|reason| format!("row {number}: {reason}"))?;
        names.push(name);
    }
    Ok(names)
}
