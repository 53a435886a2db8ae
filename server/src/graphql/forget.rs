//! `deleteAgent` and `deleteHost`: what is forgotten, with its series and their
//! samples.

use juniper::meta::Field;
use juniper::{Arguments, DefaultScalarValue, ExecutionResult, Executor, Registry};
use pattoo_common::quoted::quoted;

use super::context::Context;

/// Forgets one agent.
pub(super) const DELETE_AGENT: &str = "deleteAgent";
/// Forgets every agent of a target.
pub(super) const DELETE_HOST: &str = "deleteHost";

/// The fields.
pub(super) fn fields(registry: &mut Registry) -> [Field<DefaultScalarValue>; 2] {
    let agent = registry
        .field::<bool>(DELETE_AGENT, &())
        .description("Forget an agent, with its series and their samples; false if there is none.")
        .argument(registry.arg::<String>("idxAgent", &()));
    let host = registry
        .field::<i32>(DELETE_HOST, &())
        .description("Forget every agent of a target; says how many there were.")
        .argument(registry.arg::<String>("target", &()));
    [agent, host]
}

/// Whether there was such an agent.
pub(super) fn agent(
    arguments: &Arguments<'_>,
    executor: &Executor<'_, '_, Context>,
) -> ExecutionResult {
    let context = executor.context();
    let text = arguments.get::<String>("idxAgent")?.unwrap_or_default();
    let number = text.parse().map_err(|_| format!("idxAgent: {} is no number", quoted(&text)))?;
    let gone = context.store.delete_agent(number).map_err(|error| context.store_error(error))?;
    executor.resolve_with_ctx(&(), &gone)
}

/// How many agents the host had.
pub(super) fn host(
    arguments: &Arguments<'_>,
    executor: &Executor<'_, '_, Context>,
) -> ExecutionResult {
    let context = executor.context();
    let target = arguments.get::<String>("target")?.unwrap_or_default();
    let gone = context.store.delete_target(&target).map_err(|error| context.store_error(error))?;
    executor.resolve_with_ctx(&(), &i32::try_from(gone).unwrap_or(i32::MAX))
}
