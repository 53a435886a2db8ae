//! What wakes the gate: a worker is done, or the server is to stop.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::sys;

#[derive(Debug)]
pub(super) struct Bell {
    event: File,
    stop: AtomicBool,
    /// How often somebody wanted to know whether the loop lives.
    asked: AtomicU64,
    answered: Mutex<Pulse>,
    has_answered: Condvar,
}

/// What the loop said last.
#[derive(Debug, Default)]
struct Pulse {
    /// To which question.
    to: u64,
    is_well: bool,
}

impl Bell {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            event: sys::event()?.into(),
            stop: AtomicBool::new(false),
            asked: AtomicU64::new(0),
            answered: Mutex::default(),
            has_answered: Condvar::new(),
        })
    }

    /// Asks the loop whether it and its workers are well: `None`, it did not say.
    pub(super) fn ask(&self, patience: Duration) -> Option<bool> {
        let question = self.asked.fetch_add(1, Ordering::AcqRel) + 1;
        self.ring();
        let answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let (pulse, _) = self
            .has_answered
            .wait_timeout_while(answered, patience, |pulse| pulse.to < question)
            .unwrap_or_else(PoisonError::into_inner);
        (pulse.to >= question).then_some(pulse.is_well)
    }

    /// Says so, on the loop's thread, if somebody wants to know.
    pub(super) fn answer(&self, is_well: impl FnOnce() -> bool) {
        let asked = self.asked.load(Ordering::Acquire);
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        if answered.to < asked {
            *answered = Pulse { to: asked, is_well: is_well() };
            self.has_answered.notify_all();
        }
    }

    pub(super) fn ring(&self) {
        // It can only fail for a full counter, and then the bell rings already.
        let _ = (&self.event).write(&1_u64.to_ne_bytes());
    }

    pub(super) fn ring_to_stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.ring();
    }

    /// Makes the bell quiet again. What it rang for must be looked at afterwards.
    pub(super) fn hush(&self) {
        // It can only fail for want of a ring.
        let _ = (&self.event).read(&mut [0; 8]);
    }

    pub(super) fn is_to_stop(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}

impl AsRawFd for Bell {
    fn as_raw_fd(&self) -> RawFd {
        self.event.as_raw_fd()
    }
}
