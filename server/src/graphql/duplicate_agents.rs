//! `duplicateAgents`: agent ids that more than one machine has.

use juniper::meta::Field;
use juniper::{DefaultScalarValue, ExecutionResult, Executor, GraphQLObject, Registry};

use super::context::Context;
use crate::clones;

pub(super) const FIELD: &str = "duplicateAgents";

/// An agent id that more than one machine has: one was cloned with its agent id.
#[derive(Debug, GraphQLObject)]
struct DuplicateAgent {
    /// The agent id.
    agent_id: String,
    /// The program that has it.
    program: String,
    /// The targets under which it posts; one, where the clones have one name.
    targets: Vec<String>,
    /// Unix time of the poll that showed it, milliseconds.
    since: String,
}

impl From<clones::Duplicate> for DuplicateAgent {
    fn from(duplicate: clones::Duplicate) -> Self {
        let clones::Duplicate { agent_id, program, targets, since_ms } = duplicate;
        Self { agent_id, program, targets, since: since_ms.to_string() }
    }
}

pub(super) fn field(registry: &mut Registry) -> Field<DefaultScalarValue> {
    registry
        .field::<Vec<DuplicateAgent>>(FIELD, &())
        .description("Agent ids that more than one machine has, since the server was started.")
}

pub(super) fn resolve(executor: &Executor<'_, '_, Context>) -> ExecutionResult {
    let context = executor.context();
    let found: Vec<DuplicateAgent> =
        context.clones.duplicates().into_iter().map(DuplicateAgent::from).collect();
    context.count_rows(found.len());
    executor.resolve_with_ctx(&(), &found)
}
