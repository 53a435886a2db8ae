//! Where people and their programs ask: what each path of the web's port leads to.

use std::sync::Arc;

use pattoo_common::http_server::{Answer, Handler, Header, Method, Request, error, json};

use crate::receive::Counts;
use crate::store::Store;

/// A line for a person.
pub const STATUS_PATH: &str = "/pattoo/api/v1/web/status";
/// Whether the server can answer.
pub const HEALTH_PATH: &str = "/healthz";

/// Answers at the web's port.
pub struct Web {
    store: Arc<Store>,
    _counts: Arc<Counts>,
}

impl Web {
    /// Answers out of this store; `counts` are the receiver's.
    pub fn new(store: Arc<Store>, counts: Arc<Counts>) -> Self {
        Self { store, _counts: counts }
    }
}

impl Handler for Web {
    fn answer(&self, request: &Request) -> Answer {
        match (request.path.as_str(), &request.method) {
            (STATUS_PATH, Method::Get | Method::Head) => Answer::from_data("pattood answers.\n"),
            (HEALTH_PATH, Method::Get | Method::Head) => match self.store.status() {
                Ok(_) => json(200, r#"{"status": "ready"}"#),
                Err(fault) => error(503, &fault.to_string()),
            },
            _ => error(404, "nothing is here"),
        }
    }
}

#[expect(dead_code, reason = "for the routes to come")]
fn with_header(answer: Answer, name: &'static str, value: &str) -> Answer {
    match Header::from_bytes(name, value) {
        Ok(header) => answer.with_header(header),
        Err(()) => answer,
    }
}
