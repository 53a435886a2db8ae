//! Why a request has no answer.

use std::fmt;
use std::io;

use crate::signature::AnswerFault;

/// What the client was at when the deadline came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Waiting for the connection.
    Connect,
    /// Waiting for the other side to take the request.
    Send,
    /// Waiting for the head of the answer.
    Head,
    /// Waiting for the rest of the answer.
    Body,
}

/// Why a request has no answer. The text is short and names no address: callers
/// know whom they asked.
#[derive(Debug)]
pub enum ClientError {
    /// The caller's path or header holds what must not stand in a request.
    Request(&'static str),
    /// The deadline came during this step.
    Deadline(Step),
    /// The connection was refused, or there is no way to the host.
    Connect(io::Error),
    /// The connection broke while the request was sent.
    Send(io::Error),
    /// The connection broke while the answer was read.
    Receive(io::Error),
    /// The connection was closed before the head of the answer was complete.
    Closed,
    /// What came is no HTTP.
    Malformed(String),
    /// The head of the answer is larger than what is read.
    HeadTooLarge,
    /// The body is larger than the caller allows.
    TooLarge {
        /// The caller's limit.
        limit_bytes: usize,
    },
    /// The caller has no room for the answer.
    NoRoom,
    /// The connection was closed before the body was complete.
    Truncated {
        /// Bytes of body that came.
        received: usize,
        /// Bytes that were announced; chunked answers announce none.
        announced: Option<u64>,
    },
    /// The answer is not signed as it must be.
    Signature(AnswerFault),
}

impl From<AnswerFault> for ClientError {
    fn from(fault: AnswerFault) -> Self {
        Self::Signature(fault)
    }
}

impl std::error::Error for ClientError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connect(error) | Self::Send(error) | Self::Receive(error) => Some(error),
            Self::Signature(fault) => Some(fault),
            _ => None,
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(what) => write!(f, "the request cannot be sent: {what}"),
            Self::Deadline(Step::Connect) => f.write_str("no connection before the deadline"),
            Self::Deadline(Step::Send) => f.write_str("request not taken before the deadline"),
            Self::Deadline(Step::Head) => f.write_str("no answer before the deadline"),
            Self::Deadline(Step::Body) => f.write_str("answer not complete before the deadline"),
            Self::Connect(error) => write!(f, "cannot connect: {error}"),
            Self::Send(error) => write!(f, "cannot send the request: {error}"),
            Self::Receive(error) => write!(f, "cannot read the answer: {error}"),
            Self::Closed => f.write_str("connection closed without an answer"),
            Self::Malformed(what) => write!(f, "the answer is no HTTP: {what}"),
            Self::HeadTooLarge => f.write_str("the head of the answer is too large"),
            Self::TooLarge { limit_bytes } => {
                write!(f, "the answer is larger than {limit_bytes} bytes")
            }
            Self::Signature(fault) => fault.fmt(f),
            Self::NoRoom => f.write_str("too much is being received at once for this answer"),
            Self::Truncated { received, announced: Some(announced) } => {
                write!(f, "the answer ends after {received} of {announced} bytes")
            }
            Self::Truncated { received, announced: None } => {
                write!(f, "the answer ends in the middle, after {received} bytes")
            }
        }
    }
}
