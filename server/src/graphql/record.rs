//! A row as an object of the schema: what [`super::kind`] says of it, turned
//! into fields.

use std::rc::Rc;

use juniper::arcstr::literal;
use juniper::meta::{Field, MetaType};
use juniper::{
    ArcStr, Arguments, DefaultScalarValue, ExecutionResult, Executor, FieldError, GraphQLType,
    GraphQLValue, ID, Registry, Selection,
};

use super::connection::{Connection, page_arguments, page_asked};
use super::context::Context;
use super::date_time::{self, DateTime};
use super::kind::{Column, Kind, Rows, Shape};
use super::{extras, id, rows, samples};
use crate::store::{Cell, Filter, StoreError};

/// A row of a kind, its cells in the order of the table's columns.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) kind: &'static Kind,
    pub(super) cells: Vec<Cell>,
}

impl Record {
    /// The row of these numbers, if there is one.
    pub(super) fn find(
        context: &Context,
        kind: &'static Kind,
        numbers: &[i64],
    ) -> Result<Option<Self>, StoreError> {
        if kind.key.len() != numbers.len() {
            return Ok(None);
        }
        let by = |(name, number): (&&'static str, &i64)| Filter::Is(name, (*number).into());
        let filters: Vec<Filter> = kind.key.iter().zip(numbers).map(by).collect();
        Ok(rows::page(context, kind, &filters, &[], 0, 1)?.pop())
    }

    /// A cell by the name of its column.
    pub(super) fn cell(&self, name: &str) -> Option<&Cell> {
        let columns = match &self.kind.rows {
            Rows::Table(table) => table.columns,
            Rows::Samples => samples::COLUMNS,
        };
        self.cells.get(columns.iter().position(|column| *column == name)?)
    }

    /// A number of the row; 0 if it is none, which is the number of no row.
    pub(super) fn number(&self, name: &str) -> i64 {
        match self.cell(name) {
            Some(Cell::Integer(number)) => *number,
            _ => 0,
        }
    }

    /// The id of the row.
    pub(super) fn id(&self) -> ID {
        let numbers: Vec<i64> = self.kind.key.iter().map(|name| self.number(name)).collect();
        ID::new(id::encode(&self.kind.names.row, &numbers))
    }

    fn column(&self, column: &Column, executor: &Executor<'_, '_, Context>) -> ExecutionResult {
        let cell = self.cell(column.name);
        match (column.shape, cell) {
            (Shape::Time, Some(Cell::Integer(ms))) => {
                executor.resolve_with_ctx(&(), &date_time::format(*ms))
            }
            (Shape::Float, Some(Cell::Integer(value))) => {
                executor.resolve_with_ctx(&(), &(*value as f64))
            }
            (_, Some(Cell::Integer(value))) => executor.resolve_with_ctx(&(), &value.to_string()),
            (_, Some(Cell::Text(text))) => executor.resolve_with_ctx(&(), text),
            (_, None) => extras::column(self, column.name, executor),
        }
    }
}

impl GraphQLType for Record {
    fn name(kind: &Kind) -> Option<ArcStr> {
        Some(kind.names.row.clone())
    }

    fn meta(kind: &Kind, registry: &mut Registry) -> MetaType {
        let mut fields: Vec<Field<DefaultScalarValue>> = Vec::new();
        for column in kind.columns {
            let field = match column.shape {
                Shape::Text | Shape::Number => registry.field::<Option<String>>(column.field, &()),
                Shape::Time => registry.field::<Option<DateTime>>(column.field, &()),
                Shape::Float => registry.field::<f64>(column.field, &()),
            };
            fields.push(field.description(column.about));
        }
        for parent in kind.parents {
            fields.push(registry.field::<Option<Self>>(parent.field, parent.kind));
        }
        for child in kind.children {
            let field = registry.field::<Option<Connection>>(child.field, child.kind);
            fields.push(page_arguments(registry, field));
        }
        fields.extend(extras::fields(kind, registry));
        let id = registry.field::<ID>("id", &()).description("The ID of the object.");
        fields.push(id);
        let node = registry.get_type::<Node>(&());
        registry
            .build_object_type::<Self>(kind, &fields)
            .description(kind.about)
            .interfaces(&[node])
            .into_meta()
    }
}

impl GraphQLValue for Record {
    type Context = Context;
    type TypeInfo = Kind;

    fn type_name(&self, kind: &Kind) -> Option<ArcStr> {
        Some(kind.names.row.clone())
    }

    fn concrete_type_name(&self, _: &Context, kind: &Kind) -> String {
        kind.names.row.to_string()
    }

    fn resolve_field(
        &self,
        kind: &Kind,
        name: &str,
        arguments: &Arguments<'_>,
        executor: &Executor<'_, '_, Context>,
    ) -> ExecutionResult {
        let context = executor.context();
        if let Some(column) = kind.columns.iter().find(|column| column.field == name) {
            return self.column(column, executor);
        }
        if name == "id" {
            return executor.resolve_with_ctx(&(), &self.id());
        }
        if context.is_over() {
            return Ok(juniper::Value::Null);
        }
        if let Some(parent) = kind.parents.iter().find(|parent| parent.field == name) {
            let found = context.parent(parent.kind, self.number(parent.by));
            let found: Option<Rc<Self>> = found.map_err(|error| context.store_error(error))?;
            return executor.resolve(parent.kind, &found.as_deref());
        }
        if let Some(child) = kind.children.iter().find(|child| child.field == name) {
            let filters = [Filter::Is(child.by, self.number(child.by).into())];
            let asked = page_asked(arguments)?;
            let connection = Connection::read(context, child.kind, &filters, &[], &asked)?;
            return executor.resolve(child.kind, &connection);
        }
        extras::resolve(self, name, executor)
    }
}

/// Any row, by its id alone.
#[derive(Debug)]
pub(super) struct Node(pub(super) Record);

impl GraphQLType for Node {
    fn name((): &()) -> Option<ArcStr> {
        Some(literal!("Node"))
    }

    fn meta((): &(), registry: &mut Registry) -> MetaType {
        let fields = [registry.field::<ID>("id", &()).description("The ID of the object.")];
        registry
            .build_interface_type::<Self>(&(), &fields)
            .description("An object with an ID")
            .into_meta()
    }
}

impl GraphQLValue for Node {
    type Context = Context;
    type TypeInfo = ();

    fn type_name(&self, (): &()) -> Option<ArcStr> {
        Some(literal!("Node"))
    }

    fn concrete_type_name(&self, _: &Context, (): &()) -> String {
        self.0.kind.names.row.to_string()
    }

    fn resolve_field(
        &self,
        (): &(),
        name: &str,
        arguments: &Arguments<'_>,
        executor: &Executor<'_, '_, Context>,
    ) -> ExecutionResult {
        self.0.resolve_field(self.0.kind, name, arguments, executor)
    }

    fn resolve_into_type(
        &self,
        (): &(),
        name: &str,
        _: Option<&[Selection<'_, DefaultScalarValue>]>,
        executor: &Executor<'_, '_, Context>,
    ) -> ExecutionResult {
        if self.0.kind.names.row == name {
            executor.resolve(self.0.kind, &self.0)
        } else {
            Ok(juniper::Value::Null)
        }
    }
}

/// The row of an id of this kind. What is no id is no row; the id of a row of
/// another kind is an error.
pub(super) fn by_id(
    context: &Context,
    kind: &'static Kind,
    id: &str,
) -> Result<Option<Record>, FieldError> {
    let Some((name, numbers)) = id::decode(id) else { return Ok(None) };
    if kind.names.row != name {
        let wanted = &kind.names.row;
        return Err(format!("the id is of a {name:.40}, one of a {wanted} is wanted").into());
    }
    Record::find(context, kind, &numbers).map_err(|error| context.store_error(error))
}
