//! The door of a program that answers: who has a secret takes signed requests
//! only, and signs its answers.

use std::sync::Arc;
use std::time::Duration;

use super::profile::ACCEPTED;
use super::replay::{Memory, Replay};
use super::request::{self, RequestFault};
use super::{LiveSecrets, answer};
use crate::complaints::Complaints;
use crate::http_server::{Answer, Handler, Request, error, with_header};
use crate::wall_clock::now_ms;

/// Requests that a spoke remembers: some 13 a second from one whose clock is right.
pub const NONCES_OF_SPOKE: usize = 1 << 12;
/// Requests that a server remembers: hundreds a second.
pub const NONCES_OF_SERVER: usize = 1 << 17;

/// Lines of one kind in one [`PERIOD`].
const LINES: u32 = 5;
/// See [`LINES`].
const PERIOD: Duration = Duration::from_mins(10);

/// What a stranger is told. Why its request was not taken is in our log only.
const EXPLANATION: &str = "this port has a secret (secret_file) and answers only what is \
    signed with it, by HTTP Message Signatures as docs/secrecy.md has them; a browser cannot do \
    that. Our log tells what was wrong";
/// When to ask again of whom there is no room to remember.
const RETRY_SECONDS: &str = "10";

/// A handler behind the check of signatures. Without a secret it lets everything
/// through as it is.
pub struct Guard<H> {
    inner: H,
    secrets: Arc<LiveSecrets>,
    replay: Replay,
    /// Of those whose signature is right: a stranger cannot drown them.
    of_ours: Complaints,
    of_strangers: Complaints,
    /// The wall clock; tests turn it.
    now_ms: fn() -> u64,
}

impl<H: Handler> Guard<H> {
    /// A guard that remembers so many requests.
    pub fn new(inner: H, secrets: Arc<LiveSecrets>, nonces: usize) -> Self {
        Self {
            inner,
            secrets,
            replay: Replay::new(nonces),
            of_ours: Complaints::new(LINES, PERIOD),
            of_strangers: Complaints::new(LINES, PERIOD),
            now_ms,
        }
    }

    fn refuse(&self, request: &Request, fault: &RequestFault) -> Answer {
        let complaints = match fault {
            RequestFault::Unsigned
            | RequestFault::UnknownSecret(_)
            | RequestFault::WrongSignature(_) => &self.of_strangers,
            RequestFault::WrongClock { .. } | RequestFault::WrongBody(_) => &self.of_ours,
        };
        complaints.write(|| line(request, &fault.to_string()));
        unauthorized()
    }
}

impl<H: Handler> Handler for Guard<H> {
    fn begin(&self) {
        self.inner.begin();
    }

    /// Of a stranger no body is read. Two hashes of a short text tell who is none.
    fn turn_away(&self, request: &Request) -> Option<Answer> {
        let secrets = self.secrets.get()?;
        let fault = request::check_head(&secrets, request, (self.now_ms)() / 1_000).err()?;
        Some(self.refuse(request, &fault))
    }

    fn answer(&self, request: &Request) -> Answer {
        let Some(secrets) = self.secrets.get() else { return self.inner.answer(request) };
        let now_s = (self.now_ms)() / 1_000;
        let checked = match request::check(&secrets, request, now_s) {
            Ok(checked) => checked,
            Err(fault) => return self.refuse(request, &fault),
        };
        let answer = match self.replay.remember(checked.created_s, checked.nonce, now_s) {
            Memory::New => self.inner.answer(request),
            Memory::Seen => {
                self.of_ours.write(|| line(request, "was here before: somebody sends it again"));
                return unauthorized();
            }
            Memory::Full => {
                self.of_ours.write(|| line(request, "too many requests of late to remember it"));
                let message = "too many signed requests of late";
                with_header(error(503, message), "Retry-After", RETRY_SECONDS)
            }
        };
        answer::sign(checked.secret, checked.signature, answer, (self.now_ms)() / 1_000)
    }
}

/// The same for all faults, so that nobody learns from it which it was.
fn unauthorized() -> Answer {
    let answer = with_header(error(401, EXPLANATION), "WWW-Authenticate", "Signature");
    with_header(answer, "Accept-Signature", ACCEPTED)
}

fn line(request: &Request, fault: &str) -> String {
    let Request { method, path, peer, .. } = request;
    let method = method.as_str();
    format!("{}: {method:.20} {path:.80}: {fault}", peer.ip())
}

#[cfg(test)]
mod tests;
