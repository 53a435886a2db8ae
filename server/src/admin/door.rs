//! The way to the catalogue: the running server, or the store where none runs.
//! Either way it is asked in GraphQL.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pattoo_common::config::ServerConfig;
use pattoo_common::http_client::{self, Peer};
use serde_json::{Value, json};

use crate::graphql::{Asker, Endpoint, PATH};
use crate::session::operator;
use crate::store::{DATABASE_FILE, Store, StoreError};
use crate::store_options::store_options;

/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long it may take to find that a server listens.
const CONNECT: Duration = Duration::from_secs(5);
/// A server that starts listens before it opens its store, for no longer than this.
const START: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Bytes of an answer.
const MAX_ANSWER_BYTES: usize = 16 << 20;
const JSON: &str = "application/json";

/// The way that was found.
pub(super) enum Door {
    /// The server that runs, and the key to it, where its data folder may be read.
    Server(SocketAddr, Option<String>),
    /// The store, opened here.
    Store(Box<Endpoint>, Arc<Store>),
}

impl Door {
    /// Finds the way: the server, if one listens; else the store, if there is
    /// one. A store is not made here: it would belong to whoever runs this.
    pub(super) fn open(config: &ServerConfig) -> Result<Self, String> {
        let address = config.web_from_here();
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(_) => {
                // Passwords go there: only to who has the store, or will have in a moment.
                let deadline = Instant::now() + START;
                while Store::is_nobodys(&config.store.directory) {
                    if Instant::now() >= deadline {
                        return Err(format!(
                            "what listens at {address} is not pattood: nobody has the store in {} \
                             open; end it, and start pattood",
                            config.store.directory.display()
                        ));
                    }
                    std::thread::park_timeout(LOOK_AGAIN);
                }
                return Ok(Self::Server(address, operator::read(&config.store.directory)));
            }
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
            Err(error) => return Err(format!("{address}: {error}")),
        }
        let folder = &config.store.directory;
        if !folder.join(DATABASE_FILE).exists() {
            return Err(format!(
                "no server answers at {address}, and there is no store in {}; start pattood first",
                folder.display()
            ));
        }
        match Store::open(&store_options(&config.store)) {
            Ok(store) => Ok(Self::Store(Box::default(), Arc::new(store))),
            Err(error @ StoreError::InUse(_)) => {
                Err(format!("no server answers at {address}, yet {error}"))
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// The data of a query.
    pub(super) fn ask(&self, query: &str, variables: &Value) -> Result<Value, String> {
        let mut body = json!({ "query": query, "variables": variables });
        let (status, answer) = match self {
            Self::Server(address, key) => {
                if let Some(key) = key {
                    body["extensions"] = json!({ "operatorKey": key });
                }
                let body = body.to_string();
                let deadline = Instant::now() + DEADLINE;
                let host = address.to_string();
                let (body, limit) = (body.as_bytes(), MAX_ANSWER_BYTES);
                let to = Peer { address, host_header: &host, secrets: None };
                let reply = http_client::post(to, PATH, JSON, body, limit, deadline)
                    .map_err(|error| format!("http://{address}{PATH}: {error}"))?;
                (reply.status, reply.body)
            }
            Self::Store(endpoint, store) => {
                let answer = {
                    let (asker, body) = (Asker::operator(), body.to_string());
                    endpoint.answer(store, &asker, "POST", None, Some(JSON), body.as_bytes())
                };
                (answer.status, answer.body)
            }
        };
        let answer: Value = serde_json::from_slice(&answer)
            .map_err(|_| format!("the answer has status {status} and is not what pattood says"))?;
        if let Some(error) = answer["errors"][0]["message"].as_str() {
            if status == 401 {
                return Err(format!(
                    "{error} Run this as the user that pattood runs as, or as root."
                ));
            }
            return Err(error.to_owned());
        }
        match &answer["data"] {
            Value::Null => Err(format!("the answer has status {status} and no data")),
            data => Ok(data.clone()),
        }
    }
}
