//! Posting to the server: what it takes leaves the spool, what it refuses for
//! good is set aside, and everything else is tried again.

use std::fmt;
use std::time::{Duration, Instant};

use pattoo_common::document::Document;
use pattoo_common::http_client::{self, Address, Peer, Reply};
use pattoo_common::signature::LiveSecrets;
use pattoo_common::spool::Entry;

use crate::outbox::{Outbox, Outgoing};
use crate::pause::Pause;
use crate::post_form::{Form, PostForm};
use crate::pulse::Pulse;
use crate::reach::{Reach, ReachError};
use crate::stop::Stop;

/// The time of one post, from the look-up of the server's name to its whole
/// answer.
const POST_TIMEOUT: Duration = Duration::from_secs(30);

/// The time of asking the server what it is.
const STATUS_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer of the server that is read, in bytes.
const MAX_REPLY_BYTES: usize = 64 << 10;

/// Bytes of the server's answer that go into the log.
const MAX_LOGGED_BYTES: usize = 200;

const STATUS_PATH: &str = "/pattoo/api/v1/agent/status";
const RECEIVE_PATH: &str = "/pattoo/api/v1/agent/receive";

/// Answers that say: never this batch.
const REFUSALS: [u16; 4] = [400, 413, 415, 422];

/// Posts to one server.
#[derive(Debug)]
pub(crate) struct Poster<'h> {
    reach: Reach<'h>,
    server: &'h Address,
    host_header: String,
    path: String,
    form: &'h PostForm,
    /// Posts are signed with these.
    secrets: &'h LiveSecrets,
    timeout: Duration,
    pause: Pause,
    /// Whether the server has said what it is since the last failure.
    sure: bool,
    /// How many parts of which batch the server has taken.
    taken: Option<(Entry, usize)>,
    /// Signs of life of the thread that posts.
    pulse: &'h Pulse,
}

/// What the server did with a batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It has it.
    Taken,
    /// It will never take it, for this reason.
    Refused(String),
}

/// Why the server did not get a batch, this time.
#[derive(Debug)]
pub(crate) enum PostError {
    /// It was not reached, or did not answer whole and in time.
    Request(ReachError),
    /// It answered something that is neither yes nor no.
    Status(String),
}

impl fmt::Display for PostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(error) => error.fmt(f),
            Self::Status(answer) => f.write_str(answer),
        }
    }
}

impl<'h> Poster<'h> {
    /// A poster of the hub `hub_id` to `server`.
    pub(crate) fn new(
        reach: Reach<'h>,
        server: &'h Address,
        hub_id: &str,
        form: &'h PostForm,
        secrets: &'h LiveSecrets,
        pulse: &'h Pulse,
    ) -> Self {
        Self {
            reach,
            server,
            host_header: server.host_header(),
            path: format!("{RECEIVE_PATH}/{hub_id}"),
            form,
            secrets,
            timeout: POST_TIMEOUT,
            pause: Pause::default(),
            sure: false,
            taken: None,
            pulse,
        }
    }

    /// A poster for tests, which have less time.
    #[cfg(test)]
    pub(crate) fn hurried(self, timeout: Duration, longest_pause: Duration) -> Self {
        Self { timeout, pause: Pause::up_to(longest_pause), ..self }
    }

    /// Posts what comes out of `outbox` until it is closed or `stop` is said.
    pub(crate) fn run(&mut self, outbox: &Outbox, stop: &Stop) {
        let mut fault = None;
        // The first cycle is to know what the server is.
        let _ = self.current_form();
        while let Some(batch) = self.next(outbox) {
            match self.send(&batch) {
                Ok(verdict) => {
                    if fault.take().is_some() {
                        log::info!(
                            "{}: takes batches again, after {} failures",
                            self.server,
                            self.pause.failures()
                        );
                    }
                    self.pause.reset();
                    match verdict {
                        Verdict::Taken => outbox.done(batch),
                        Verdict::Refused(reason) => outbox.refuse(batch, &reason),
                    }
                }
                Err(error) => {
                    outbox.keep(batch);
                    let reason = error.to_string();
                    if fault.as_ref() != Some(&reason) {
                        log::warn!("{}: does not take batches: {reason}", self.server);
                        fault = Some(reason);
                    }
                    let pause = self.pause.next();
                    self.pulse.within(pause);
                    if stop.wait(pause) {
                        return;
                    }
                }
            }
        }
    }

    fn next(&self, outbox: &Outbox) -> Option<Outgoing> {
        self.pulse.rest();
        outbox.next()
    }

    /// Posts one batch, in the form that the server takes.
    pub(crate) fn send(&mut self, batch: &Outgoing) -> Result<Verdict, PostError> {
        let result = match self.current_form() {
            Ok(Form::Batch) => self.post(batch.body()),
            Ok(Form::Device) => self.post_parts(batch),
            Err(error) => Err(error),
        };
        self.sure &= result.is_ok();
        result
    }

    /// The form that is configured, or that the server, asked anew after every
    /// failure, says it takes: a server of the original must not get a merged
    /// batch twice.
    pub(crate) fn current_form(&mut self) -> Result<Form, PostError> {
        if let Some(form) = self.form.configured() {
            return Ok(form);
        }
        if self.sure {
            return Ok(self.form.for_cycle());
        }
        self.pulse.within(STATUS_TIMEOUT);
        let deadline = Instant::now() + self.timeout.min(STATUS_TIMEOUT);
        let (host_header, secrets) = (&self.host_header, self.secrets.get());
        let reply = self.reach.each_address(self.server, deadline, |address, deadline| {
            let to = Peer { address, host_header, secrets: secrets.as_deref() };
            http_client::get(to, STATUS_PATH, MAX_REPLY_BYTES, deadline)
        });
        match reply {
            Ok(reply) => {
                self.sure = true;
                Ok(self.form.learn(&reply))
            }
            Err(error) => {
                self.form.no_answer();
                Err(PostError::Request(error))
            }
        }
    }

    /// Posts the documents of a merged batch one by one, from where the last
    /// attempt ended; a document of one agent as it is.
    fn post_parts(&mut self, batch: &Outgoing) -> Result<Verdict, PostError> {
        let document = match Document::parse(batch.body()) {
            Ok(document) => document,
            Err(error) => return Ok(Verdict::Refused(error.to_string())),
        };
        let Some(parts) = document.split_by_agent() else {
            return self.post(batch.body());
        };
        drop(document);
        let begun = self.taken.take().filter(|(entry, _)| Some(entry) == batch.entry());
        let mut verdict = Verdict::Taken;
        for (number, part) in parts.iter().enumerate().skip(begun.map_or(0, |(_, taken)| taken)) {
            match self.post(part) {
                Ok(Verdict::Taken) => {}
                Ok(refused) => verdict = refused,
                Err(error) => {
                    self.taken = batch.entry().map(|entry| (entry.clone(), number));
                    return Err(error);
                }
            }
        }
        Ok(verdict)
    }

    fn post(&self, body: &[u8]) -> Result<Verdict, PostError> {
        self.pulse.within(POST_TIMEOUT);
        let deadline = Instant::now() + self.timeout;
        let (host_header, secrets) = (&self.host_header, self.secrets.get());
        let reply = self
            .reach
            .each_address(self.server, deadline, |address, deadline| {
                let to = Peer { address, host_header, secrets: secrets.as_deref() };
                let kind = "application/json";
                http_client::post(to, &self.path, kind, body, MAX_REPLY_BYTES, deadline)
            })
            .map_err(PostError::Request)?;
        self.form.learn(&reply);
        match reply.status {
            200 => Ok(Verdict::Taken),
            status if REFUSALS.contains(&status) => Ok(Verdict::Refused(describe(&reply))),
            _ => Err(PostError::Status(describe(&reply))),
        }
    }
}

/// The server's answer for the log: one short line, whatever it sent.
fn describe(reply: &Reply) -> String {
    let body = &reply.body[..reply.body.len().min(MAX_LOGGED_BYTES)];
    let text = String::from_utf8_lossy(body);
    format!("the server answered {} {:?}", reply.status, text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_short_line() {
        let body = [b"\n<html>\x1b[2J\xff".as_slice(), &[b'x'; 1_000]].concat();
        let line = describe(&Reply { status: 400, headers: Vec::new(), body });
        assert!(line.starts_with("the server answered 400 \"<html>\\u{1b}[2J"), "{line}");
        assert!(line.len() < 300 && !line.contains(['\n', '\u{1b}']), "{line}");
    }
}
