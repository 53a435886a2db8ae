//! A request whose body is still to come.

use std::time::Instant;

use super::Request;
use super::limits::{BODY_GRACE, BODY_STEP_BYTES};

pub(super) struct Body {
    request: Request,
    announced: usize,
    /// When it last had come on by [`BODY_STEP_BYTES`], and how much was there then.
    mark: (Instant, usize),
}

impl Body {
    /// Of a request whose body has partly come with its head.
    pub(super) fn new(request: Request, announced: usize, now: Instant) -> Self {
        let arrived = request.body.len();
        Self { request, announced, mark: (now, arrived) }
    }

    pub(super) fn arrived(&self) -> usize {
        self.request.body.len()
    }

    pub(super) fn missing(&self) -> usize {
        self.announced - self.arrived()
    }

    /// Takes more of it, at most what is missing.
    pub(super) fn take(&mut self, part: &[u8], now: Instant) {
        let body = &mut self.request.body;
        let wanted = body.len() + part.len();
        if body.capacity() < wanted {
            // By doubling, but never past what was announced.
            let capacity = (2 * body.capacity()).min(self.announced).max(wanted);
            body.reserve_exact(capacity - body.len());
        }
        body.extend_from_slice(part);
        if wanted >= self.mark.1 + BODY_STEP_BYTES {
            self.mark = (now, wanted);
        }
    }

    /// Whether it does not come, or hardly.
    pub(super) fn is_stalled(&self, now: Instant) -> bool {
        now > self.mark.0 + BODY_GRACE
    }

    /// It was not read for a while, and is not to blame for that.
    pub(super) fn forgive(&mut self, now: Instant) {
        self.mark.0 = now;
    }

    pub(super) fn into_request(self) -> Request {
        self.request
    }
}
