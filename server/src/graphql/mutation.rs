//! What can be changed: charts, what they show, favourites, users; and agents
//! that are to be forgotten. One table feeds the schema and the deeds.

use juniper::arcstr::literal;
use juniper::meta::MetaType;
use juniper::{
    ArcStr, Arguments, ExecutionResult, Executor, FieldResult, FromInputValue, GraphQLType,
    GraphQLValue, InputValue, Registry, Value,
};

use super::changes::{CHANGES, Change, Deed, PASSWORD};
use super::context::Context;
use super::kind::Rows;
use super::record::Record;
use super::{forget, naming, rows};
use crate::password;
use crate::store::{Cell, StoreError};

/// The argument of every mutation.
const INPUT: &str = "Input";
impl Change {
    fn carry_out(&self, context: &Context, input: &Input) -> FieldResult<Option<Payload>> {
        let Rows::Table(table) = &self.kind.rows else { return Ok(None) };
        let mut cells = Vec::new();
        let mut number = None;
        for (field, text) in &input.0 {
            if field == PASSWORD {
                cells.push(("password_hash", password::hash(text)?.into()));
            } else {
                let (name, cell) = rows::cell(self.kind, field, text)?;
                match cell {
                    // Rows get their numbers from the store.
                    Cell::Integer(given) if field == self.number() => number = Some(given),
                    cell => cells.push((name, cell)),
                }
            }
        }
        let done = match (self.deed, number) {
            (Deed::Create, _) => table.create(context, cells).map(Some),
            (Deed::Update, Some(number)) => {
                table.change(context, number, cells).map(|there| there.then_some(number))
            }
            (Deed::Update, None) => Ok(None),
        };
        let number = match done {
            Ok(Some(number)) => number,
            Ok(None) => return Ok(None),
            // As in the original: a username that is taken gives nothing.
            Err(StoreError::Conflict(_)) if self.field == "createUser" => return Ok(None),
            Err(error) => return Err(context.store_error(error)),
        };
        let found = Record::find(context, self.kind, &[number]);
        Ok(found.map_err(|error| context.store_error(error))?.map(Payload))
    }
}

/// The mutation type.
#[derive(Debug)]
pub(super) struct Mutation;

impl GraphQLType for Mutation {
    fn name((): &()) -> Option<ArcStr> {
        Some(literal!("Mutation"))
    }

    fn meta((): &(), registry: &mut Registry) -> MetaType {
        let mut fields = Vec::new();
        for change in &CHANGES {
            let input = registry.arg::<Input>(INPUT, change);
            let field = registry.field::<Option<Payload>>(change.field, change);
            fields.push(field.argument(input).description(change.about));
        }
        fields.extend(forget::fields(registry));
        fields.extend(naming::fields(registry));
        registry
            .build_object_type::<Self>(&(), &fields)
            .description("What can be changed, by POST only.")
            .into_meta()
    }
}

impl GraphQLValue for Mutation {
    type Context = Context;
    type TypeInfo = ();

    fn type_name(&self, (): &()) -> Option<ArcStr> {
        Some(literal!("Mutation"))
    }

    fn concrete_type_name(&self, _: &Context, (): &()) -> String {
        "Mutation".to_owned()
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
        match name {
            forget::DELETE_AGENT => return forget::agent(arguments, executor),
            forget::DELETE_HOST => return forget::host(arguments, executor),
            naming::IMPORT_KEYS => return naming::keys(arguments, executor),
            naming::IMPORT_PROGRAMS => return naming::programs(arguments, executor),
            _ => {}
        }
        let Some(change) = CHANGES.iter().find(|change| change.field == name) else {
            return Err(format!("{name} is no mutation").into());
        };
        let input = arguments.get::<Input>(INPUT)?.unwrap_or_default();
        executor.resolve(change, &change.carry_out(context, &input)?)
    }
}

/// What a mutation gives back.
#[derive(Debug)]
struct Payload(Record);

impl GraphQLType for Payload {
    fn name(change: &Change) -> Option<ArcStr> {
        Some(change.payload.clone())
    }

    fn meta(change: &Change, registry: &mut Registry) -> MetaType {
        let row = registry.field::<Option<Record>>(change.row, change.kind);
        registry.build_object_type::<Self>(change, &[row]).description(change.about).into_meta()
    }
}

impl GraphQLValue for Payload {
    type Context = Context;
    type TypeInfo = Change;

    fn type_name(&self, change: &Change) -> Option<ArcStr> {
        Some(change.payload.clone())
    }

    fn concrete_type_name(&self, _: &Context, change: &Change) -> String {
        change.payload.to_string()
    }

    fn resolve_field(
        &self,
        change: &Change,
        _: &str,
        _: &Arguments<'_>,
        executor: &Executor<'_, '_, Context>,
    ) -> ExecutionResult {
        executor.resolve(change.kind, &self.0)
    }
}

/// The fields that were given, and their texts.
#[derive(Debug, Default)]
struct Input(Vec<(String, String)>);

impl FromInputValue for Input {
    type Error = String;

    fn from_input_value(value: &InputValue) -> Result<Self, String> {
        let fields = value.to_object_value().ok_or("an object is wanted")?;
        let mut given = Vec::new();
        for (name, value) in fields {
            let text: Result<Option<String>, _> = value.convert();
            let text = text.map_err(|_| format!("{name}: a string is wanted"))?;
            given.extend(text.map(|text| (name.to_owned(), text)));
        }
        Ok(Self(given))
    }
}

impl GraphQLType for Input {
    fn name(change: &Change) -> Option<ArcStr> {
        Some(change.input.clone())
    }

    fn meta(change: &Change, registry: &mut Registry) -> MetaType {
        let number = match change.deed {
            Deed::Create => registry.arg::<Option<String>>(change.number(), &()),
            Deed::Update => registry.arg::<String>(change.number(), &()),
        };
        let mut arguments = vec![number];
        for column in change.columns {
            arguments.push(registry.arg::<Option<String>>(*column, &()));
        }
        registry
            .build_input_object_type::<Self>(change, &arguments)
            .description(change.about)
            .into_meta()
    }
}

impl GraphQLValue for Input {
    type Context = Context;
    type TypeInfo = Change;

    fn type_name(&self, change: &Change) -> Option<ArcStr> {
        Some(change.input.clone())
    }
}
