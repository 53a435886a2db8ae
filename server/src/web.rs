//! The routes of the web port: GraphQL, REST, and what the server tells about
//! itself.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use pattoo_common::http_server::{self, Answer, Handler, Header, Method, Request};

use crate::about::{self, Metrics};
use crate::graphql::{self, Endpoint};
use crate::rest;
use crate::store::Store;

/// Seconds after which a client may ask again, if the store could not answer.
const RETRY_AFTER_S: u32 = 5;

/// Answers the web port.
pub struct Web {
    store: Arc<Store>,
    graphql: Endpoint,
}

impl Web {
    /// The routes over an open store.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, graphql: Endpoint::new() }
    }

    fn graphql(&self, request: &Request) -> Answer {
        let graphql::Answer { status, body } = self.graphql.answer(
            &self.store,
            request.method.as_str(),
            request.query.as_deref(),
            request.header("Content-Type"),
            &request.body,
        );
        let answer = http_server::json(status, body);
        if status == 405 { with(answer, "Allow", "GET, HEAD, POST") } else { answer }
    }

    fn rest(&self, series: &str, request: &Request) -> Answer {
        let now_ms = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        let rest::Answer { status, body } =
            rest::data(&self.store, series, request.query.as_deref(), now_ms);
        http_server::json(status, body)
    }

    fn metrics(&self) -> Answer {
        match Metrics::of_store(&self.store) {
            Ok(metrics) => text(metrics.into_text(), about::METRICS_TYPE),
            Err(error) => http_server::error(503, &error.to_string()),
        }
    }

    fn route(&self, request: &Request) -> Answer {
        let path = request.path.as_str();
        if path == graphql::PATH {
            return self.graphql(request);
        }
        let series = path.strip_prefix(rest::DATA_PATH);
        let known = [about::STATUS_PATH, about::HEALTH_PATH, about::METRICS_PATH].contains(&path);
        if series.is_none() && !known {
            return http_server::error(404, "there is nothing here");
        }
        if !matches!(request.method, Method::Get | Method::Head) {
            let refused = http_server::error(405, "only GET and HEAD are answered here");
            return with(refused, "Allow", "GET, HEAD");
        }
        if let Some(series) = series {
            return self.rest(series, request);
        }
        match path {
            about::HEALTH_PATH => {
                let (status, body) = about::health(&self.store);
                http_server::json(status, body)
            }
            about::METRICS_PATH => self.metrics(),
            _ => text(about::STATUS.to_owned(), "text/plain; charset=utf-8"),
        }
    }
}

impl Handler for Web {
    fn answer(&self, request: &Request) -> Answer {
        let answer = self.route(request);
        if answer.status_code().0 == 503 {
            with(answer, "Retry-After", &RETRY_AFTER_S.to_string())
        } else {
            answer
        }
    }
}

fn text(body: String, kind: &str) -> Answer {
    with(Answer::from_data(body), "Content-Type", kind)
}

fn with(answer: Answer, name: &str, value: &str) -> Answer {
    // Only our own ASCII comes here; what is no header would be left out.
    match Header::from_bytes(name, value) {
        Ok(header) => answer.with_header(header),
        Err(()) => answer,
    }
}
