//! One poll of one device.

use std::cell::Cell;
use std::fmt;
use std::time::{Duration, Instant};

use pattoo_common::document::DocumentError;
use pattoo_common::http_client::{self, Peer};
use pattoo_common::signature::Secrets;

use crate::device::Device;
use crate::reach::{Reach, ReachError};
use crate::room::{Room, Share};
use crate::wall_clock::WallClock;

/// The largest answer of a device that is read, in bytes.
pub(crate) const MAX_ANSWER_BYTES: usize = 4 << 20;

/// Characters of what a device says that it is.
const MAX_PROGRAM_CHARS: usize = 64;

/// What came of a poll.
#[derive(Debug)]
pub(crate) struct Polled<'r> {
    /// From the look-up of the name to the last byte of the answer; `None` if the
    /// device was not polled at all.
    pub(crate) duration: Option<Duration>,
    /// The wall clock halfway through the request, in milliseconds since 1970:
    /// when the device made its answer, as far as the hub can tell.
    pub(crate) middle_ms: u64,
    /// The answer, not yet understood, or why there is none.
    pub(crate) answer: Result<Answer<'r>, PollError>,
}

/// What a device has answered with 200.
#[derive(Debug)]
pub(crate) struct Answer<'r> {
    pub(crate) body: Vec<u8>,
    /// What the device says that it is: its `Server` header.
    pub(crate) program: Option<String>,
    /// The room that `body` takes, until it is merged.
    pub(crate) share: Option<Share<'r>>,
}

/// Why a device gave no poll document.
#[derive(Debug)]
pub(crate) enum PollError {
    /// Its name could not be resolved, it could not be reached, or it did not
    /// answer whole and in time.
    Request(ReachError),
    /// It answered something else than 200.
    Status(u16),
    /// It answered with something else than a poll document.
    Document(DocumentError),
    /// The hub had no thread for it.
    NoThread(String),
    /// The time of the cycle was over before its turn.
    NotStarted,
}

impl fmt::Display for PollError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(error) => error.fmt(f),
            Self::Status(status) => write!(f, "answered {status}, 200 wanted"),
            Self::Document(error) => error.fmt(f),
            Self::NoThread(error) => write!(f, "the hub has no thread to poll it: {error}"),
            Self::NotStarted => f.write_str("the time of the cycle was over before its turn came"),
        }
    }
}

/// What all polls share.
#[derive(Debug)]
pub(crate) struct Poller<'h> {
    pub(crate) reach: Reach<'h>,
    pub(crate) room: &'h Room,
    /// `/pattoo-agent-linux/<seconds>`
    pub(crate) path: &'h str,
    /// Polls are signed with these.
    pub(crate) secrets: Option<&'h Secrets>,
    pub(crate) clock: WallClock,
}

impl<'h> Poller<'h> {
    /// Polls a device: name look-up, connection, request and the whole answer
    /// before `deadline`.
    pub(crate) fn poll(&self, device: &Device, deadline: Instant) -> Polled<'h> {
        let start = Instant::now();
        let start_ms = self.clock.now_ms();
        let answer = self.ask(device, deadline);
        let duration = start.elapsed();
        let half = u64::try_from(duration.as_millis() / 2).unwrap_or(u64::MAX);
        Polled { duration: Some(duration), middle_ms: start_ms.saturating_add(half), answer }
    }

    fn ask(&self, device: &Device, deadline: Instant) -> Result<Answer<'h>, PollError> {
        let share = Cell::new(None);
        let reply = self
            .reach
            .each_address(&device.address, deadline, |address, deadline| {
                let take = |bytes| {
                    let taken = self.room.take(bytes, deadline);
                    let had = taken.is_some();
                    share.set(taken);
                    had
                };
                let (host_header, secrets) = (&device.host_header, self.secrets);
                let to = Peer { address, host_header, secrets };
                http_client::get_in_room(to, self.path, MAX_ANSWER_BYTES, deadline, &take)
            })
            .map_err(PollError::Request)?;
        match reply.status {
            200 => {
                let program = reply
                    .header("server")
                    .map(|program| program.chars().take(MAX_PROGRAM_CHARS).collect::<String>());
                Ok(Answer { body: reply.body, program, share: share.into_inner() })
            }
            status => Err(PollError::Status(status)),
        }
    }
}
