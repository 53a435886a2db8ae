//! A page of rows, as Relay has it: edges with cursors, and what is before and
//! behind them.

use juniper::meta::{Field, MetaType};
use juniper::{
    ArcStr, Arguments, DefaultScalarValue, ExecutionResult, Executor, FieldError, FieldResult,
    GraphQLObject, GraphQLType, GraphQLValue, Registry, Value,
};

use super::context::Context;
use super::id;
use super::kind::Kind;
use super::page::{Asked, Found};
use super::record::Record;
use super::rows::{self, Order};
use crate::store::{Filter, StoreError};

/// A page of rows.
#[derive(Debug)]
pub(super) struct Connection {
    edges: Vec<Option<Edge>>,
    has_next: bool,
    has_previous: bool,
}

/// A row and its cursor.
#[derive(Debug)]
pub(super) struct Edge {
    record: Record,
    offset: u64,
}

/// The Relay compliant `PageInfo` type, containing data necessary to paginate
/// this connection.
#[derive(Debug, GraphQLObject)]
pub(super) struct PageInfo {
    /// When paginating forwards, are there more items?
    has_next_page: bool,
    /// When paginating backwards, are there more items?
    has_previous_page: bool,
    /// When paginating backwards, the cursor to continue.
    start_cursor: Option<String>,
    /// When paginating forwards, the cursor to continue.
    end_cursor: Option<String>,
}

impl Connection {
    /// Reads a page of the rows that pass the filters.
    pub(super) fn read(
        context: &Context,
        kind: &'static Kind,
        filters: &[Filter],
        order: &[Order],
        asked: &Asked,
    ) -> Result<Self, FieldError> {
        Self::read_with(
            context,
            asked,
            || rows::count(context, kind, filters),
            |offset, limit| rows::page(context, kind, filters, order, offset, limit),
        )
    }

    /// Reads a page from what counts the rows, asked only where the end matters,
    /// and what gives so many of them from an offset on.
    pub(super) fn read_with(
        context: &Context,
        asked: &Asked,
        count: impl FnOnce() -> Result<u64, StoreError>,
        page: impl FnOnce(u64, u64) -> Result<Vec<Record>, StoreError>,
    ) -> Result<Self, FieldError> {
        let fail = |error| context.store_error(error);
        let count = if asked.wants_count() { Some(count().map_err(fail)?) } else { None };
        let span = asked.span(count)?;
        let records = page(span.offset, span.limit).map_err(fail)?;
        let Found { shown, has_next, has_previous } = span.found(records.len());
        context.count_rows(shown);
        context.expect_latest(&records);
        let edges = (span.offset..)
            .zip(records.into_iter().take(shown))
            .map(|(offset, record)| Some(Edge { record, offset }))
            .collect();
        Ok(Self { edges, has_next, has_previous })
    }

    fn page_info(&self) -> PageInfo {
        let cursor = |edge: Option<&Option<Edge>>| edge?.as_ref().map(|e| id::cursor(e.offset));
        PageInfo {
            has_next_page: self.has_next,
            has_previous_page: self.has_previous,
            start_cursor: cursor(self.edges.first()),
            end_cursor: cursor(self.edges.last()),
        }
    }
}

/// Adds the arguments of a page to a field.
pub(super) fn page_arguments(
    registry: &mut Registry,
    field: Field<DefaultScalarValue>,
) -> Field<DefaultScalarValue> {
    field
        .argument(registry.arg::<Option<String>>("before", &()))
        .argument(registry.arg::<Option<String>>("after", &()))
        .argument(registry.arg::<Option<i32>>("first", &()))
        .argument(registry.arg::<Option<i32>>("last", &()))
}

/// The arguments of [`page_arguments`].
pub(super) fn page_asked(arguments: &Arguments<'_>) -> FieldResult<Asked> {
    Ok(Asked {
        first: arguments.get::<Option<i32>>("first")?.flatten(),
        last: arguments.get::<Option<i32>>("last")?.flatten(),
        after: arguments.get::<Option<String>>("after")?.flatten(),
        before: arguments.get::<Option<String>>("before")?.flatten(),
    })
}

impl GraphQLType for Connection {
    fn name(kind: &Kind) -> Option<ArcStr> {
        Some(kind.names.connection.clone())
    }

    fn meta(kind: &Kind, registry: &mut Registry) -> MetaType {
        let page_info = registry
            .field::<PageInfo>("pageInfo", &())
            .description("Pagination data for this connection.");
        let edges = registry
            .field::<Vec<Option<Edge>>>("edges", kind)
            .description("Contains the nodes in this connection.");
        registry.build_object_type::<Self>(kind, &[page_info, edges]).into_meta()
    }
}

impl GraphQLValue for Connection {
    type Context = Context;
    type TypeInfo = Kind;

    fn type_name(&self, kind: &Kind) -> Option<ArcStr> {
        Some(kind.names.connection.clone())
    }

    fn concrete_type_name(&self, _: &Context, kind: &Kind) -> String {
        kind.names.connection.to_string()
    }

    fn resolve_field(
        &self,
        kind: &Kind,
        name: &str,
        _: &Arguments<'_>,
        executor: &Executor<'_, '_, Context>,
    ) -> ExecutionResult {
        match name {
            "edges" => executor.resolve(kind, &self.edges),
            _ => executor.resolve_with_ctx(&(), &self.page_info()),
        }
    }
}

impl GraphQLType for Edge {
    fn name(kind: &Kind) -> Option<ArcStr> {
        Some(kind.names.edge.clone())
    }

    fn meta(kind: &Kind, registry: &mut Registry) -> MetaType {
        let row = &kind.names.row;
        let node = registry
            .field::<Option<Record>>("node", kind)
            .description("The item at the end of the edge");
        let cursor =
            registry.field::<String>("cursor", &()).description("A cursor for use in pagination");
        registry
            .build_object_type::<Self>(kind, &[node, cursor])
            .description(format!("A Relay edge containing a `{row}` and its cursor."))
            .into_meta()
    }
}

impl GraphQLValue for Edge {
    type Context = Context;
    type TypeInfo = Kind;

    fn type_name(&self, kind: &Kind) -> Option<ArcStr> {
        Some(kind.names.edge.clone())
    }

    fn concrete_type_name(&self, _: &Context, kind: &Kind) -> String {
        kind.names.edge.to_string()
    }

    fn resolve_field(
        &self,
        kind: &Kind,
        name: &str,
        _: &Arguments<'_>,
        executor: &Executor<'_, '_, Context>,
    ) -> ExecutionResult {
        match name {
            "node" if executor.context().is_over() => Ok(Value::Null),
            "node" => executor.resolve(kind, &Some(&self.record)),
            _ => executor.resolve_with_ctx(&(), &id::cursor(self.offset)),
        }
    }
}
