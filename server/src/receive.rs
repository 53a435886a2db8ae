//! Where agents post to: `POST /pattoo/api/v1/agent/receive/<id>`.
//!
//! An answer of 200 says that every good datapoint is on the disk. What is wrong
//! with others is in the log and in the answer; posting them again would not mend
//! it. Any other answer says that nothing of the post was stored: 400, 413 and
//! 415 that it never will be, 503 that it may be later.
//!
//! | file | concept |
//! |---|---|
//! | `body` | the body of a post, unpacked |
//! | `clock_fault` | whether the server's own clock can be right |
//! | `counts` | what was received, in figures |
//! | `turn` | large documents one at a time |

mod body;
mod clock_fault;
mod counts;
mod turn;

use std::sync::Arc;
use std::time::Duration;

use pattoo_common::complaints::Complaints;
use pattoo_common::document::{Document, DocumentError};
use pattoo_common::http_server::{Answer, Handler, Method, Request, error, json, with_header};
use pattoo_common::priority::yield_to_others;
use pattoo_common::quoted::quoted;
use pattoo_common::wall_clock::now_ms;

use crate::clones::{Clones, Sightings};
use crate::intake::{self, Intake};
use crate::store::{Store, StoreError, YIELD};
use body::Unfit;
use clock_fault::clock_fault;
pub use counts::{Counts, Figures};
use turn::{Held, Turn};

/// What the paths of posts begin with; the id of the poster follows.
pub const RECEIVE_PATH: &str = "/pattoo/api/v1/agent/receive/";
/// Where a hub asks whether, and what, the server is.
pub const STATUS_PATH: &str = "/pattoo/api/v1/agent/status";
const STATUS: &str = "This is pattood, and it takes what agents post.\n";

/// Documents past this are read one at a time.
const LARGE_BYTES: usize = 4 << 20;
/// How long one waits for another.
const TURN_WAIT: Duration = Duration::from_secs(10);
/// When to try again.
const RETRY_SECONDS: &str = "10";
/// Reasons of refusals that the log has of one post.
const REASONS_LOGGED: usize = 5;

/// Lines about posts in the log in each [`LINES_TIME`].
const LINES: u32 = 60;
/// See [`LINES`].
const LINES_TIME: Duration = Duration::from_mins(1);

/// Takes what agents post.
pub struct Receiver {
    store: Arc<Store>,
    counts: Arc<Counts>,
    clones: Arc<Clones>,
    max_body_bytes: usize,
    large: Turn,
    complaints: Complaints,
    /// The wall clock; tests turn it.
    now_ms: fn() -> u64,
}

impl Receiver {
    /// A receiver over this store. `max_body_bytes` bounds what posts are unpacked
    /// to; what arrives is bounded by the HTTP server.
    pub fn new(store: Arc<Store>, max_body_bytes: usize) -> Self {
        Self {
            store,
            counts: Arc::default(),
            clones: Arc::default(),
            max_body_bytes,
            large: Turn::default(),
            complaints: Complaints::new(LINES, LINES_TIME),
            now_ms,
        }
    }

    /// What was received so far.
    pub fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }

    /// Which agents share an id.
    pub fn clones(&self) -> Arc<Clones> {
        Arc::clone(&self.clones)
    }

    fn post(&self, request: &Request, poster: &str) -> Answer {
        self.counts.post(request.body.len());
        match self.take(request) {
            Ok(intake) => {
                self.counts.taken(&intake);
                let refused = intake.refused();
                if refused == 0 {
                    return plain("OK");
                }
                self.complaints.write(|| {
                    let first = &intake.reasons[..intake.reasons.len().min(REASONS_LOGGED)];
                    let (peer, first) = (request.peer.ip(), first.join("; "));
                    let poster = quoted(poster);
                    format!(
                        "post of {poster} from {peer}: {refused} datapoints were not taken: {first}"
                    )
                });
                partly(&intake)
            }
            Err(fault) => {
                self.counts.turned_away(fault.status);
                self.complaints.write(|| {
                    let (peer, Unfit { status, reason }) = (request.peer.ip(), &fault);
                    let poster = quoted(poster);
                    format!("post of {poster} from {peer} is answered {status}: {reason}")
                });
                refusal(&fault)
            }
        }
    }

    fn take(&self, request: &Request) -> Result<Intake, Unfit> {
        let now_ms = (self.now_ms)();
        if let Some(reason) = clock_fault(now_ms, self.store.newest_ms()) {
            return Err(Unfit { status: 503, reason });
        }
        // How large a packed one is shows only when it is unpacked.
        let mut turn = body::is_packed(request).then(|| self.turn()).transpose()?;
        let text = body::text(request, self.max_body_bytes)?;
        if text.len() <= LARGE_BYTES {
            turn = None;
        } else if turn.is_none() {
            turn = Some(self.turn()?);
        }
        let intake = Document::parse(&text)
            .map_err(Unfit::from)
            .and_then(|document| self.store_document(&document, now_ms));
        drop(turn);
        intake
    }

    fn store_document(&self, document: &Document<'_>, now_ms: u64) -> Result<Intake, Unfit> {
        let mut sightings = Sightings::default();
        let watch = |sample: &_| sightings.look(sample);
        let intake = intake::take_watched(&self.store, document, now_ms, watch)?;
        self.clones.learn(sightings);
        Ok(intake)
    }

    fn turn(&self) -> Result<Held<'_>, Unfit> {
        let busy = || Unfit { status: 503, reason: "other large documents are being read".into() };
        self.large.wait(TURN_WAIT).ok_or_else(busy)
    }
}

impl Handler for Receiver {
    /// Who posts can wait, a person who looks at a chart should not have to.
    fn begin(&self) {
        yield_to_others(YIELD);
    }

    fn answer(&self, request: &Request) -> Answer {
        let poster = request.path.strip_prefix(RECEIVE_PATH);
        let poster = poster.filter(|poster| !poster.is_empty() && !poster.contains('/'));
        match (poster, request.path.as_str(), &request.method) {
            (Some(poster), _, Method::Post) => self.post(request, poster),
            (Some(_), _, Method::Options) => with_header(plain(""), "Allow", "POST, OPTIONS"),
            (Some(_), _, method) => not_taken(method, "POST, OPTIONS"),
            (None, STATUS_PATH, Method::Get | Method::Head) => plain(STATUS),
            (None, STATUS_PATH, Method::Options) => {
                with_header(plain(""), "Allow", "GET, HEAD, OPTIONS")
            }
            (None, "*", Method::Options) => {
                with_header(plain(""), "Allow", "GET, HEAD, POST, OPTIONS")
            }
            (None, STATUS_PATH, method) => not_taken(method, "GET, HEAD, OPTIONS"),
            _ => error(
                404,
                &format!("nothing is here: post to {RECEIVE_PATH}<agent id>, or get {STATUS_PATH}"),
            ),
        }
    }
}

impl From<DocumentError> for Unfit {
    fn from(error: DocumentError) -> Self {
        Self { status: 400, reason: error.to_string() }
    }
}

impl From<StoreError> for Unfit {
    fn from(error: StoreError) -> Self {
        let status = match error {
            StoreError::Full | StoreError::Busy(_) | StoreError::Deadline | StoreError::Closed => {
                503
            }
            _ => 500,
        };
        Self { status, reason: error.to_string() }
    }
}

/// The answer to a post of which not everything was taken.
fn partly(intake: &Intake) -> Answer {
    let body = serde_json::json!({
        "stored": intake.receipt.stored,
        "already_there": intake.receipt.already_there,
        "refused": intake.refused(),
        "refusals": intake.reasons,
    });
    json(200, body.to_string())
}

fn refusal(fault: &Unfit) -> Answer {
    let answer = error(fault.status, &fault.reason);
    match fault.status {
        503 => with_header(answer, "Retry-After", RETRY_SECONDS),
        415 => with_header(answer, "Accept-Encoding", "gzip"),
        _ => answer,
    }
}

fn not_taken(method: &Method, allow: &str) -> Answer {
    with_header(error(405, &format!("{method} is not taken here: {allow}")), "Allow", allow)
}

fn plain(text: &str) -> Answer {
    with_header(Answer::from_data(text), "Content-Type", "text/plain; charset=utf-8")
}

#[cfg(test)]
mod tests;
