//! The client for whom a door is to stay open while others attack it: it comes anew
//! once a second, and its answers are timed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::http_get;

/// How often it comes.
const PERIOD: Duration = Duration::from_secs(1);
/// What it is promised: measured by `scripts/attack`.
const PROMISED: Duration = Duration::from_secs(1);
/// What a test wants of it, which may share its machine with many others.
const PATIENCE: Duration = Duration::from_secs(10);
/// The work by which it finds how busy the machine is.
const SAMPLE: Duration = Duration::from_millis(10);

/// What it was answered.
#[derive(Debug, Default, Clone)]
pub struct Answers {
    /// How often it was answered as it should be.
    pub good: usize,
    /// What it got instead.
    pub bad: Vec<String>,
    /// The time of the slowest answer.
    pub slowest: Duration,
    /// How much longer than on an idle machine anybody took for the same work, when it
    /// was busiest.
    pub slowdown: f64,
}

/// A client that is under way.
#[derive(Debug)]
pub struct FreshClient {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Answers>,
}

impl FreshClient {
    /// Begins to ask a port of 127.0.0.1 for `path`.
    pub fn start(port: u16, path: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (path, is_over) = (path.to_owned(), Arc::clone(&stop));
        let thread = thread::spawn(move || ask(port, &path, &is_over));
        Self { stop, thread }
    }

    /// Ends it after its next answer, and gives what it saw.
    pub fn finish(self) -> Answers {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        self.thread.join().expect("a client")
    }
}

impl Answers {
    /// It was always answered, and never waited for long, as long as things take there.
    ///
    /// # Panics
    /// If it was not.
    pub fn assert_answered(&self, what: &str) {
        assert!(self.good > 0 && self.bad.is_empty(), "{what}: {self:?}");
        let allowed = PATIENCE.mul_f64(self.slowdown);
        assert!(self.slowest <= allowed, "{what}: {self:?}, allowed {allowed:?}");
    }

    /// It was always answered, and within a second, or, where the machine has not the
    /// time for all who work on it, within as much longer as all work takes there.
    ///
    /// # Panics
    /// If it was not.
    pub fn assert_prompt(&self, what: &str) {
        assert!(self.good > 0 && self.bad.is_empty(), "{what}: {self:?}");
        let allowed = PROMISED.mul_f64(self.slowdown);
        assert!(self.slowest <= allowed, "{what}: {self:?}, allowed {allowed:?}");
    }
}

fn ask(port: u16, path: &str, stop: &AtomicBool) -> Answers {
    let mut answers = Answers::default();
    loop {
        answers.slowdown = answers.slowdown.max(slowdown());
        let began = Instant::now();
        match http_get(port, path) {
            Ok(answer) if answer.status == 200 => answers.good += 1,
            Ok(answer) => answers.bad.push(answer.head),
            Err(error) => answers.bad.push(error.to_string()),
        }
        answers.slowest = answers.slowest.max(began.elapsed());
        if stop.load(Ordering::Relaxed) {
            return answers;
        }
        thread::park_timeout(PERIOD.saturating_sub(began.elapsed()));
    }
}

/// How much longer than on an idle machine a thread takes for work of its own; at
/// least 1.
#[allow(unsafe_code)]
fn slowdown() -> f64 {
    let spent = || {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the pointer is to a live timespec, which the call fills.
        let got = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
        assert_eq!(got, 0, "the clock of a thread");
        let (seconds, nanoseconds) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
        Duration::from_secs(seconds.unwrap_or(0)) + Duration::from_nanos(nanoseconds.unwrap_or(0))
    };
    let (began, before) = (Instant::now(), spent());
    while spent() < before + SAMPLE {
        std::hint::spin_loop();
    }
    (began.elapsed().as_secs_f64() / SAMPLE.as_secs_f64()).max(1.0)
}
