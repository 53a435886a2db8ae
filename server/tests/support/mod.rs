//! What the tests of the server's answers share: a store in a folder of its own,
//! the captures, and a way to ask.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, and each uses a part of this"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use pattoo_common::document::Document;
use pattoo_server::graphql::{Asker, Endpoint};
use pattoo_server::intake;
use pattoo_server::store::{Options, Receipt, Store};
use serde_json::Value;

/// A folder, gone when the test ends.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = format!("pattoo-answers-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A store and the answers to what is asked of it.
pub(crate) struct Server {
    pub(crate) store: Arc<Store>,
    pub(crate) endpoint: Endpoint,
    // Last, so that the store is closed before its folder goes.
    scratch: Scratch,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self::over(Scratch::new())
    }

    /// Over what a folder holds.
    pub(crate) fn over(scratch: Scratch) -> Self {
        let store = Arc::new(Store::open(&Options::new(scratch.path())).unwrap());
        // What a debug build on a busy machine needs.
        let endpoint = Endpoint::new().with_deadline(Duration::from_mins(1));
        Self { store, endpoint, scratch }
    }

    /// Closed and opened again.
    pub(crate) fn reopened(self) -> Self {
        let Self { store, endpoint, scratch } = self;
        drop((store, endpoint));
        Self::over(scratch)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// Stores a document; every datapoint must be good.
    pub(crate) fn post(&self, document: &[u8]) -> Receipt {
        let document = Document::parse(document).unwrap();
        let taken = intake::take(&self.store, &document, u64::MAX).unwrap();
        assert_eq!((taken.bad, taken.receipt.refused), (0, 0), "{:?}", taken.reasons);
        taken.receipt
    }

    /// Posts the six polls of the captures.
    pub(crate) fn post_polls(&self) {
        for number in 1..=6 {
            self.post(&capture(&format!("input/poll-{number}.json")));
        }
    }

    /// Status and answer of a query.
    pub(crate) fn ask(&self, method: &str, query: &str) -> (u16, Value) {
        let json = serde_json::json!({ "query": query }).to_string();
        let answer = match method {
            "GET" => {
                let query_string = format!("query={}", percent_encoded(query));
                self.endpoint.answer(
                    &self.store,
                    &Asker::operator(),
                    "GET",
                    Some(&query_string),
                    None,
                    b"",
                )
            }
            _ => self.endpoint.answer(
                &self.store,
                &Asker::operator(),
                method,
                None,
                Some("application/json"),
                json.as_bytes(),
            ),
        };
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    /// The data of a query that must succeed.
    pub(crate) fn data(&self, query: &str) -> Value {
        let (status, answer) = self.ask("POST", query);
        assert!(status == 200 && answer.get("errors").is_none(), "{query}: {status} {answer}");
        answer["data"].clone()
    }

    /// The message of the first error of a query, and the status.
    pub(crate) fn error(&self, query: &str) -> (u16, String) {
        let (status, answer) = self.ask("POST", query);
        let message = answer["errors"][0]["message"].as_str();
        (status, message.unwrap_or_else(|| panic!("{query}: {answer}")).to_owned())
    }
}

/// A file of the captures.
pub(crate) fn capture(name: &str) -> Vec<u8> {
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "..", "tests", "fixtures", "wire", name].iter().collect();
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A captured answer of the original server.
pub(crate) fn captured(name: &str) -> Value {
    serde_json::from_slice(&capture(&format!("server/{name}.json"))).unwrap()
}

/// The rows of a connection.
pub(crate) fn nodes(connection: &Value) -> Vec<&Value> {
    connection["edges"].as_array().unwrap().iter().map(|edge| &edge["node"]).collect()
}

/// A captured query.
pub(crate) fn captured_query(name: &str) -> String {
    String::from_utf8(capture(&format!("server/{name}.graphql"))).unwrap()
}

fn percent_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    text.bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}
