//! Where people and their programs ask: what each path of the web's port leads to.

use std::sync::Arc;

use pattoo_common::http_server::{Answer, Handler, Method, Request, error, json, with_header};
use pattoo_common::wall_clock::now_ms;

use crate::about::{self, Metrics};
use crate::clones::Clones;
use crate::graphql::{self, Asker, Endpoint};
use crate::receive::{Counts, Figures};
use crate::session::{self, Sessions, is_cross_site};
use crate::store::{Store, StoreError};
use crate::{page, rest};

/// When to ask again, where the store could not answer.
const RETRY_SECONDS: &str = "5";
const READING: &str = "GET, HEAD, OPTIONS";
const ASKING: &str = "GET, HEAD, POST, OPTIONS";

/// Answers at the web's port.
pub struct Web {
    store: Arc<Store>,
    counts: Arc<Counts>,
    clones: Arc<Clones>,
    graphql: Endpoint,
    sessions: Sessions,
}

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route<'p> {
    Graphql,
    /// The samples of a series, by its number.
    Data(&'p str),
    Status,
    Health,
    Metrics,
    Page,
    Session,
}

impl Web {
    /// Answers out of this store; `counts` are the receiver's. Once there are users,
    /// whoever changes anything must be signed in; `reading_needs_sign_in`: whoever
    /// reads too.
    pub fn new(store: Arc<Store>, counts: Arc<Counts>, reading_needs_sign_in: bool) -> Self {
        let sessions = Sessions::new(Arc::clone(&store), reading_needs_sign_in);
        let graphql = Endpoint::new().with_tries(sessions.tries());
        Self { store, counts, clones: Arc::default(), graphql, sessions }
    }

    /// Tells which agents share an id.
    #[must_use]
    pub fn with_clones(self, clones: Arc<Clones>) -> Self {
        let graphql = self.graphql.with_clones(Arc::clone(&clones));
        Self { clones, graphql, ..self }
    }

    fn graphql(&self, request: &Request) -> Answer {
        if request.method == Method::Post && is_cross_site(request) {
            return error(403, "a page of another site sent this");
        }
        let rights = |key: Option<&str>| self.sessions.rights(request, key);
        let asker = Asker { address: Some(request.peer.ip()), rights: &rights };
        let answer = self.graphql.answer(
            &self.store,
            &asker,
            request.method.as_str(),
            request.query.as_deref(),
            request.header("content-type"),
            &request.body,
        );
        let json = json(answer.status, answer.body);
        if answer.status == 405 { with_header(json, "Allow", ASKING) } else { or_later(json) }
    }

    fn read(&self, route: Route<'_>, request: &Request) -> Answer {
        match route {
            Route::Graphql => self.graphql(request),
            Route::Data(number) => {
                match self.sessions.rights(request, None) {
                    Ok(rights) if rights.read => {}
                    Ok(_) => return error(401, "sign in first"),
                    Err(fault) => return or_later(error(503, &fault.to_string())),
                }
                let answer = rest::data(&self.store, number, request.query.as_deref(), now_ms());
                or_later(json(answer.status, answer.body))
            }
            Route::Page => page::answer(request),
            Route::Session => self.sessions.answer(request),
            Route::Status => text(about::STATUS, "text/plain; charset=utf-8"),
            Route::Health => {
                let (status, body) = about::health(&self.store);
                or_later(json(status, body))
            }
            Route::Metrics => match self.metrics() {
                Ok(metrics) => text(&metrics, about::METRICS_TYPE),
                Err(fault) => or_later(error(503, &fault.to_string())),
            },
        }
    }

    fn metrics(&self) -> Result<String, StoreError> {
        let mut metrics = Metrics::of_store(&self.store)?;
        let Figures {
            posts,
            bytes,
            unfit,
            put_off,
            stored,
            already_there,
            not_understood,
            ahead,
            refused,
        } = self.counts.figures();
        metrics.add("pattood_posts_total", "counter", "Posts that arrived whole.", "", posts);
        let help = "Bytes of their bodies, as they came.";
        metrics.add("pattood_posted_bytes_total", "counter", help, "", bytes);
        let help = "Posts that can never be taken.";
        metrics.add("pattood_posts_unfit_total", "counter", help, "", unfit);
        let help = "Posts that could not be taken at the time.";
        metrics.add("pattood_posts_put_off_total", "counter", help, "", put_off);
        for (outcome, help, count) in [
            ("stored", "Posted datapoints that are new.", stored),
            ("repeated", "Posted datapoints that were there already.", already_there),
            ("bad", "Posted datapoints that could not be understood.", not_understood),
            ("ahead", "Posted datapoints too far ahead of the clock.", ahead),
            ("refused", "Posted datapoints that the store refused.", refused),
        ] {
            let name = format!("pattood_datapoints_{outcome}_total");
            metrics.add(&name, "counter", help, "", count);
        }
        let help = "Agent ids that more than one machine has.";
        metrics.add("pattood_duplicate_agents", "gauge", help, "", self.clones.count());
        Ok(metrics.into_text())
    }
}

impl Handler for Web {
    fn answer(&self, request: &Request) -> Answer {
        // The port as a whole, of which only OPTIONS asks.
        if request.path == "*" {
            return with_header(Answer::from_data([]), "Allow", ASKING);
        }
        let Some(route) = route(&request.path) else {
            let places = format!(
                "nothing is here; try {}, {}, {}<number>, {}, {} or {}",
                page::PATH,
                graphql::PATH,
                rest::DATA_PATH,
                about::STATUS_PATH,
                about::HEALTH_PATH,
                about::METRICS_PATH
            );
            return error(404, &places);
        };
        let allow = match route {
            Route::Graphql => ASKING,
            Route::Session => session::METHODS,
            _ => READING,
        };
        match request.method {
            Method::Get | Method::Head => self.read(route, request),
            Method::Post if route == Route::Graphql => self.graphql(request),
            Method::Post | Method::Delete if route == Route::Session => {
                self.sessions.answer(request)
            }
            Method::Options => with_header(Answer::from_data([]), "Allow", allow),
            ref method => with_header(
                error(405, &format!("{method} is not taken here: {allow}")),
                "Allow",
                allow,
            ),
        }
    }
}

fn route(path: &str) -> Option<Route<'_>> {
    Some(match path {
        graphql::PATH => Route::Graphql,
        session::PATH => Route::Session,
        about::STATUS_PATH => Route::Status,
        about::HEALTH_PATH => Route::Health,
        about::METRICS_PATH => Route::Metrics,
        path if page::is_page(path) => Route::Page,
        path => Route::Data(path.strip_prefix(rest::DATA_PATH)?),
    })
}

/// An answer of 503 says when to ask again.
fn or_later(answer: Answer) -> Answer {
    if answer.status_code().0 == 503 {
        with_header(answer, "Retry-After", RETRY_SECONDS)
    } else {
        answer
    }
}

fn text(text: &str, kind: &str) -> Answer {
    with_header(Answer::from_data(text), "Content-Type", kind)
}
