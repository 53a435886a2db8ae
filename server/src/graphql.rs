//! GraphQL: the schema of the original, and what we answer beyond it, over the
//! catalogue and the samples of the store.
//!
//! [`Endpoint::answer`] takes what came by GET or POST and gives a status and a
//! JSON text. Rows are read a page at a time, as the query names them.

mod beyond;
mod changes;
mod connection;
mod context;
mod date_time;
mod described;
mod duplicate_agents;
mod explore;
mod extras;
mod forget;
mod host_detail;
mod id;
mod kind;
mod kinds;
mod large;
mod login;
mod milliseconds;
mod mutation;
mod naming;
mod overview;
mod page;
mod points;
mod query;
mod reach;
mod record;
mod request;
mod rows;
mod samples;
mod sparklines;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use juniper::{
    EmptySubscription, ExecutionError, GraphQLError, OperationType, RootNode, ValidatedOperation,
    Value, Variables,
};
use serde::Serialize;

use crate::clones::Clones;
use crate::session::{Rights, Tries};
use crate::store::{Store, StoreError};
use context::{Context, Fault, Shared};
use mutation::Mutation;
use query::Query;
use request::Request;

pub use naming::MAX_ROWS as MAX_IMPORT_ROWS;

/// Where GraphQL is answered.
pub const PATH: &str = "/pattoo/api/v1/web/graphql";
/// Bytes of a query with its variables.
pub const MAX_QUERY_BYTES: usize = 256 << 10;
/// How deep a query may nest; the page of introspection nests 13 deep.
const MAX_DEPTH: usize = 24;
/// Tokens of a query.
const MAX_TOKENS: usize = 10_000;
/// Fields of a query, those of fragments counted wherever they are used.
const MAX_FIELDS: usize = 2_000;
/// Bytes of an answer.
const MAX_ANSWER_BYTES: usize = 16 << 20;
/// How long a query may take.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// What is told to who may not.
const NOT_SIGNED_IN: &str = "Sign in first.";

type Schema = RootNode<Query, Mutation, EmptySubscription<Context>>;

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer of one error.
    fn error(status: u16, message: &str) -> Self {
        let body = serde_json::json!({ "errors": [{ "message": message }] });
        Self { status, body: body.to_string().into_bytes() }
    }
}

/// Who asks.
pub struct Asker<'a> {
    /// Where from; none for what runs on the store itself.
    pub address: Option<IpAddr>,
    /// What that one may do, who may show the key of an operator in the request.
    pub rights: &'a dyn Fn(Option<&str>) -> Result<Rights, StoreError>,
}

impl Asker<'_> {
    /// Who has the store in hand.
    pub fn operator() -> Self {
        Self { address: None, rights: &|_| Ok(Rights::ALL) }
    }
}

/// The schema, ready to answer.
pub struct Endpoint {
    schema: Schema,
    shared: Shared,
    deadline: Duration,
}

impl Default for Endpoint {
    fn default() -> Self {
        Self::new()
    }
}

impl Endpoint {
    /// Builds the schema.
    pub fn new() -> Self {
        let schema = Schema::new(Query, Mutation, EmptySubscription::new())
            .limit_depth(MAX_DEPTH)
            .limit_tokens(MAX_TOKENS)
            .limit_fields(MAX_FIELDS);
        Self { schema, shared: Shared::default(), deadline: DEADLINE }
    }

    /// That tells which agents share an id.
    #[must_use]
    pub fn with_clones(mut self, clones: Arc<Clones>) -> Self {
        self.shared.clones = clones;
        self
    }

    /// With what was tried of late elsewhere, so that passwords are not tried here.
    #[must_use]
    pub fn with_tries(mut self, tries: Arc<Tries>) -> Self {
        self.shared.tries = tries;
        self
    }

    /// With another time for each query than [`DEADLINE`].
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Answers a request. The statuses are the original's: 200; 400 for what is
    /// no query; 401 for who may not; 405 for a mutation by GET and for other methods; and ours: 413
    /// for a query that is too long or asks for too much, 503 for one that took
    /// too long or came while the store cannot answer.
    pub fn answer(
        &self,
        store: &Arc<Store>,
        asker: &Asker<'_>,
        method: &str,
        query_string: Option<&str>,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Answer {
        let now_ms = pattoo_common::wall_clock::now_ms();
        let request = match Request::read(method, query_string, content_type, body) {
            Ok(request) => request,
            Err((status, reason)) => return Answer::error(status, &reason),
        };
        let rights = match (asker.rights)(request.operator_key()) {
            Ok(rights) if rights.read => rights,
            Ok(_) => return Answer::error(401, NOT_SIGNED_IN),
            Err(error) => return Answer::error(503, &error.to_string()),
        };
        let deadline = Instant::now() + self.deadline;
        let context =
            Context::new(Arc::clone(store), &self.shared, asker.address, deadline, now_ms);
        self.run(&context, &request, rights)
    }

    fn run(&self, context: &Context, request: &Request, rights: Rights) -> Answer {
        let name = request.operation_name.as_deref();
        let operation = match ValidatedOperation::new(&request.query, name, &self.schema) {
            Ok(operation) => operation,
            Err(error) => return refused(&error),
        };
        if operation.operation_type() == OperationType::Mutation {
            if !request.may_change {
                let reason = "Can only perform a mutation operation from a POST request with JSON.";
                return Answer::error(405, reason);
            }
            if !rights.change {
                return Answer::error(401, NOT_SIGNED_IN);
            }
        }
        let variables: Variables = request.variables();
        let result = operation.execute_sync(&variables, context);
        // Whatever was put together by then is of no use to anybody.
        if context.is_over()
            && let Some(fault) = context.take_fault()
        {
            return ended(&fault);
        }
        // The caller has the context until the answer is written, and with it the
        // permit of a large query.
        match result {
            Ok((data, errors)) => done(&data, &errors),
            Err(error) => refused(&error),
        }
    }
}

fn refused(error: &GraphQLError) -> Answer {
    #[derive(Serialize)]
    struct Body<'e> {
        errors: &'e GraphQLError,
    }
    written(400, &Body { errors: error })
}

fn ended(fault: &Fault) -> Answer {
    let status = match fault {
        Fault::TooMuch(..) => 413,
        Fault::Deadline | Fault::Store(_) => 503,
    };
    Answer::error(status, &fault.to_string())
}

fn done(data: &Value, errors: &[ExecutionError<juniper::DefaultScalarValue>]) -> Answer {
    #[derive(Serialize)]
    struct Body<'e> {
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        errors: &'e [ExecutionError<juniper::DefaultScalarValue>],
        data: &'e Value,
    }
    written(200, &Body { errors, data })
}

fn written(status: u16, body: &impl Serialize) -> Answer {
    let mut bounded = Bounded(Vec::new());
    match serde_json::to_writer(&mut bounded, body) {
        Ok(()) => Answer { status, body: bounded.0 },
        Err(_) => {
            Answer::error(413, &format!("the answer is longer than {MAX_ANSWER_BYTES} bytes"))
        }
    }
}

/// Takes no more than an answer may have.
struct Bounded(Vec<u8>);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_ANSWER_BYTES {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
