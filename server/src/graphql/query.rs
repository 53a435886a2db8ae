//! The root of the schema: one field for each kind by id, one for all of them,
//! and what we answer beyond the original.

use juniper::arcstr::literal;
use juniper::meta::{Field, MetaType};
use juniper::{
    ArcStr, Arguments, DefaultScalarValue, ExecutionResult, Executor, FieldResult, GraphQLType,
    GraphQLValue, ID, Registry, Value,
};
use pattoo_common::quoted::quoted;

use super::connection::{Connection, page_arguments, page_asked};
use super::context::Context;
use super::date_time::{self, DateTime};
use super::kind::{Kind, Rows, Shape};
use super::kinds::{self, KINDS};
use super::record::{Node, Record, by_id};
use super::rows::Order;
use super::{beyond, id, login};
use crate::store::Filter;

/// The query type.
#[derive(Debug)]
pub(super) struct Query;

impl GraphQLType for Query {
    fn name((): &()) -> Option<ArcStr> {
        Some(literal!("Query"))
    }

    fn meta((): &(), registry: &mut Registry) -> MetaType {
        let by_id = registry.arg::<ID>("id", &()).description("The ID of the object");
        let mut fields = vec![registry.field::<Option<Node>>("node", &()).argument(by_id.clone())];
        for kind in KINDS {
            let single = registry.field::<Option<Record>>(kind.single, kind);
            fields.push(single.argument(by_id.clone()));
            fields.push(all_field(kind, registry));
        }
        fields.push(login::field(registry));
        fields.extend(beyond::fields(registry));
        registry
            .build_object_type::<Self>(&(), &fields)
            .description("What can be asked.")
            .into_meta()
    }
}

fn all_field(kind: &'static Kind, registry: &mut Registry) -> Field<DefaultScalarValue> {
    let mut field = registry.field::<Option<Connection>>(kind.all, kind);
    for column in kind.columns {
        field = field.argument(match column.shape {
            Shape::Text | Shape::Number => registry.arg::<Option<String>>(column.field, &()),
            Shape::Time => registry.arg::<Option<DateTime>>(column.field, &()),
            Shape::Float => registry.arg::<Option<f64>>(column.field, &()),
        });
    }
    field = field.argument(registry.arg::<Option<ID>>("id", &())).argument(
        registry
            .arg::<Option<Vec<Option<String>>>>("sortBy", &())
            .description("Columns, each with \"asc\" (the default) or \"desc\" behind it."),
    );
    page_arguments(registry, field)
}

/// What the arguments of `all...` ask for.
fn filters(kind: &'static Kind, arguments: &Arguments<'_>) -> FieldResult<Vec<Filter>> {
    let mut filters = Vec::new();
    for column in kind.columns {
        let filter = match column.shape {
            Shape::Text | Shape::Number => {
                let text = arguments.get::<Option<String>>(column.field)?.flatten();
                text.map(|text| Filter::Is(column.name, text.into()))
            }
            Shape::Time => match arguments.get::<Option<DateTime>>(column.field)?.flatten() {
                Some(DateTime(text)) => {
                    let second = date_time::parse(&text).ok_or_else(|| {
                        let field = column.field;
                        format!("{field}: {} is no time such as 2026-11-23T00:46:51", quoted(&text))
                    })?;
                    let first = second * 1_000;
                    Some(Filter::Between(column.name, first, first + 999))
                }
                None => None,
            },
            #[expect(clippy::cast_possible_truncation, reason = "0 and 1 are asked for")]
            Shape::Float => {
                let number = arguments.get::<Option<f64>>(column.field)?.flatten();
                number.map(|number| Filter::Is(column.name, (number as i64).into()))
            }
        };
        filters.extend(filter);
    }
    if let Some(wanted) = arguments.get::<Option<ID>>("id")?.flatten() {
        let found = id::decode(&wanted).filter(|(name, _)| kind.names.row == *name);
        let (_, numbers) =
            found.ok_or_else(|| format!("id: this is no id of a {}", kind.names.row))?;
        let pairs = kind.key.iter().zip(numbers);
        filters.extend(pairs.map(|(name, number)| Filter::Is(name, number.into())));
    }
    Ok(filters)
}

fn order(kind: &'static Kind, arguments: &Arguments<'_>) -> FieldResult<Vec<Order>> {
    let asked = arguments.get::<Option<Vec<Option<String>>>>("sortBy")?.flatten();
    let mut order = Vec::new();
    for text in asked.unwrap_or_default().iter().flatten() {
        let (name, direction) = text.trim().split_once(' ').unwrap_or((text.trim(), "asc"));
        let descending = match direction.trim() {
            "asc" => false,
            "desc" => true,
            other => {
                return Err(format!("sortBy: {} is neither asc nor desc", quoted(other)).into());
            }
        };
        let column = kind.column(name).ok_or_else(|| {
            let names: Vec<_> = kind.columns.iter().map(|column| column.field).collect();
            format!("sortBy: {} is none of {}", quoted(name), names.join(", "))
        })?;
        order.push((column.name, descending));
    }
    Ok(order)
}

impl GraphQLValue for Query {
    type Context = Context;
    type TypeInfo = ();

    fn type_name(&self, (): &()) -> Option<ArcStr> {
        Some(literal!("Query"))
    }

    fn concrete_type_name(&self, _: &Context, (): &()) -> String {
        "Query".to_owned()
    }

    fn resolve_field(
        &self,
        (): &(),
        name: &str,
        arguments: &Arguments<'_>,
        executor: &Executor<'_, '_, Context>,
    ) -> ExecutionResult {
        let context = executor.context();
        if context.is_over() {
            return Ok(Value::Null);
        }
        let wanted =
            || -> FieldResult<ID> { Ok(arguments.get::<ID>("id")?.unwrap_or_else(|| ID::new(""))) };
        if name == "node" {
            let wanted = wanted()?;
            let kind = id::decode(&wanted).and_then(|(name, _)| kinds::by_name(&name));
            let found = match kind {
                Some(kind) => by_id(context, kind, &wanted)?.map(Node),
                None => None,
            };
            return executor.resolve(&(), &found);
        }
        if let Some(kind) = KINDS.into_iter().find(|kind| kind.single == name) {
            return executor.resolve(kind, &by_id(context, kind, &wanted()?)?);
        }
        if let Some(kind) = KINDS.into_iter().find(|kind| kind.all == name) {
            let (filters, order) = (filters(kind, arguments)?, order(kind, arguments)?);
            if !order.is_empty() && matches!(kind.rows, Rows::Samples) {
                return Err("sortBy: samples are in order of datapoint and time".into());
            }
            let asked = page_asked(arguments)?;
            let connection = Connection::read(context, kind, &filters, &order, &asked)?;
            return executor.resolve(kind, &connection);
        }
        if name == login::FIELD {
            return login::resolve(arguments, executor);
        }
        beyond::resolve(name, arguments, executor)
    }
}
