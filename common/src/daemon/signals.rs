//! The signals of a daemon, waited for in the main thread, which sleeps in the
//! kernel in between.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGURG};
use signal_hook::flag::register_conditional_shutdown;
use signal_hook::iterator::Signals;

use crate::cli::exit;

/// The signals that end a daemon, with their names.
const ENDING: [(i32, &str); 2] = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")];

/// Asks a daemon for a sign of life. A process that does not handle it, of another
/// program say, does not notice it.
pub(super) const ASKING: i32 = SIGURG;

/// What a signal tells a daemon that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// SIGHUP: files are to be read and opened anew.
    HungUp,
    /// Somebody wants to know whether it lives.
    Asked,
}

/// Collects signals until they are asked for.
pub(super) struct SignalQueue {
    signals: Signals,
    ending: Arc<AtomicBool>,
}

impl SignalQueue {
    /// Collects SIGHUP from now on, so that one that comes while the program
    /// starts reopens the log file later. SIGTERM and SIGINT still end the
    /// process at once: nothing is taken yet that could be lost.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { signals: Signals::new([SIGHUP, ASKING])?, ending: Arc::default() })
    }

    /// Collects SIGTERM and SIGINT too.
    pub(super) fn collect_ending(&mut self) -> io::Result<()> {
        for (signal, _) in ENDING {
            // Once the first one is being obeyed, a second ends the process
            // from within the handler.
            register_conditional_shutdown(signal, exit::FAILED.into(), Arc::clone(&self.ending))?;
            self.signals.add_signal(signal)?;
        }
        Ok(())
    }

    /// Waits for a signal that ends the daemon, and gives its name. Calls
    /// `tell` for each signal before that.
    pub(super) fn wait_for_end(&mut self, mut tell: impl FnMut(News)) -> &'static str {
        for signal in self.signals.forever() {
            match ENDING.iter().find(|(number, _)| *number == signal) {
                Some((_, name)) => {
                    self.ending.store(true, Ordering::SeqCst);
                    return name;
                }
                None if signal == ASKING => tell(News::Asked),
                None => tell(News::HungUp),
            }
        }
        // Only a closed handle ends the iterator, and none is given out.
        "the end of its signals"
    }
}
