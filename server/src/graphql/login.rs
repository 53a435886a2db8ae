//! `authenticate`: the user of a name and a password.

use std::time::Instant;

use juniper::meta::Field;
use juniper::{Arguments, DefaultScalarValue, ExecutionResult, Executor, Registry};

use super::context::Context;
use super::kinds::USER;
use super::record::Record;
use crate::password;

/// Name of the field.
pub(super) const FIELD: &str = "authenticate";

/// The field.
pub(super) fn field(registry: &mut Registry) -> Field<DefaultScalarValue> {
    registry
        .field::<Option<Vec<Option<Record>>>>(FIELD, &USER)
        .description("The user, if name and password are right and the user is enabled.")
        .argument(registry.arg::<String>("username", &()))
        .argument(registry.arg::<String>("password", &()))
}

/// A list with the user, or nothing.
pub(super) fn resolve(
    arguments: &Arguments<'_>,
    executor: &Executor<'_, '_, Context>,
) -> ExecutionResult {
    let context = executor.context();
    let username = arguments.get::<String>("username")?.unwrap_or_default();
    let password = arguments.get::<String>("password")?.unwrap_or_default();
    let fail = |error| context.store_error(error);
    if let Some(address) = context.address
        && context.tries.take(&username, address, Instant::now()).is_err()
    {
        return Err("too many tries; wait a little".into());
    }
    let known = context.store.password_hash(&username).map_err(fail)?;
    let right = password::is_right(&password, known.as_ref().map(|(_, _, hash)| hash.as_str()));
    if let Some(address) = context.address.filter(|_| right) {
        context.tries.give_back(&username, address);
    }
    let user = match known.filter(|_| right) {
        Some((number, ..)) => Record::find(context, &USER, &[number]).map_err(fail)?,
        None => None,
    };
    let found = user.map(|user| vec![Some(user)]);
    executor.resolve(&USER, &found)
}
