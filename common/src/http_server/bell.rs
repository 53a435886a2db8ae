//! What wakes the gate: a worker is done, or the server is to stop.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use super::sys;

#[derive(Debug)]
pub(super) struct Bell {
    event: File,
    stop: AtomicBool,
}

impl Bell {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { event: sys::event()?.into(), stop: AtomicBool::new(false) })
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
