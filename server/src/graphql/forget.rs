//! `deleteAgent`: an agent is forgotten, with its series and their samples.

use juniper::meta::Field;
use juniper::{Arguments, DefaultScalarValue, ExecutionResult, Executor, Registry};

use super::context::Context;

/// The field.
pub(super) fn field(registry: &mut Registry) -> Field<DefaultScalarValue> {
    registry
        .field::<bool>("deleteAgent", &())
        .description("Forget an agent, with its series and their samples; false if there is none.")
        .argument(registry.arg::<String>("idxAgent", &()))
}

/// Whether there was such an agent.
pub(super) fn resolve(
    arguments: &Arguments<'_>,
    executor: &Executor<'_, '_, Context>,
) -> ExecutionResult {
    let context = executor.context();
    let text = arguments.get::<String>("idxAgent")?.unwrap_or_default();
    let number = text.parse().map_err(|_| format!("idxAgent: {text:.40?} is no number"))?;
    let gone = context.store.delete_agent(number).map_err(|error| context.store_error(error))?;
    executor.resolve_with_ctx(&(), &gone)
}
