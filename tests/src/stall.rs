//! Machines that stand still for a while.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A thread that is to run every [`TICK`] and did not for so long was kept from it.
const STALL: Duration = Duration::from_millis(100);
const TICK: Duration = Duration::from_millis(10);
const TRIES: usize = 10;

/// Runs a test that meets limits of time of the product itself, which nobody can keep
/// while the machine stands still. Where the test fails and the machine did, it is run
/// again; on a machine that runs, it may not fail once.
pub fn again_after_stalls(test: impl Fn()) {
    for _ in 1..TRIES {
        let watch = Watch::new();
        let Err(panic) = catch_unwind(AssertUnwindSafe(&test)) else { return };
        let longest = watch.longest();
        if longest < STALL {
            resume_unwind(panic);
        }
        eprintln!("the machine stood still for {longest:?}: the test is run again");
    }
    test();
}

/// Sees how long the machine stands still.
struct Watch {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl Watch {
    fn new() -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let ending = Arc::clone(&ends);
        let thread = thread::spawn(move || {
            let mut longest = Duration::ZERO;
            while !ending.load(Ordering::Acquire) {
                let begun = Instant::now();
                thread::park_timeout(TICK);
                longest = longest.max(begun.elapsed());
            }
            longest
        });
        Self { ends, thread }
    }

    fn longest(self) -> Duration {
        self.ends.store(true, Ordering::Release);
        self.thread.thread().unpark();
        self.thread.join().expect("it only counts")
    }
}
