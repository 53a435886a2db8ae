//! The threads that ask the handler. They never see a socket.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::answer::{self, Rendered};
use super::bell::Bell;
use super::limits::Limits;
use super::{Handler, Request};

/// A whole request for a worker.
pub(super) struct Job {
    /// The connection that waits for the answer.
    pub(super) connection: u64,
    pub(super) request: Request,
    /// The request is a `HEAD`.
    pub(super) without_body: bool,
}

/// An answer, ready to be written.
pub(super) struct Done {
    pub(super) connection: u64,
    pub(super) answer: Rendered,
}

/// The pool. The gate gives it at most as many jobs as it has threads, so its
/// queues need no bound of their own.
pub(super) struct Workers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    jobs: Mutex<Jobs>,
    is_wanted: Condvar,
    /// A worker is about to end.
    has_ended: Condvar,
    done: Mutex<Vec<Done>>,
    bell: Arc<Bell>,
    handler: Arc<dyn Handler>,
    product: &'static str,
}

#[derive(Default)]
struct Jobs {
    queue: VecDeque<Job>,
    /// When each worker that is at a job has begun it.
    begun: Vec<Option<Instant>>,
    /// Workers that have not ended.
    alive: usize,
    is_over: bool,
}

impl Workers {
    pub(super) fn start(
        handler: Arc<dyn Handler>,
        limits: &Limits,
        bell: Arc<Bell>,
    ) -> io::Result<Self> {
        let count = limits.workers;
        let shared = Arc::new(Shared {
            jobs: Mutex::default(),
            is_wanted: Condvar::new(),
            has_ended: Condvar::new(),
            done: Mutex::default(),
            bell,
            handler,
            product: limits.product,
        });
        let mut workers = Self { shared, threads: Vec::with_capacity(count) };
        lock(&workers.shared.jobs).begun = vec![None; count];
        for worker in 0..count {
            let alive = Alive::new(&workers.shared);
            let spawned = thread::Builder::new()
                .name("http-worker".into())
                .spawn(move || alive.0.work(worker));
            match spawned {
                Ok(thread) => workers.threads.push(thread),
                Err(error) => {
                    workers.shared.end();
                    return Err(error);
                }
            }
        }
        Ok(workers)
    }

    pub(super) fn give(&self, job: Job) {
        lock(&self.shared.jobs).queue.push_back(job);
        self.shared.is_wanted.notify_one();
    }

    /// Whether every worker has been at one job for longer than `patience`.
    pub(super) fn are_stuck(&self, now: Instant, patience: Duration) -> bool {
        let is_stuck = |begun: &Option<Instant>| begun.is_some_and(|begun| now > begun + patience);
        lock(&self.shared.jobs).begun.iter().all(is_stuck)
    }

    /// What was finished since the last time.
    pub(super) fn take_done(&self) -> Vec<Done> {
        std::mem::take(&mut *lock(&self.shared.done))
    }

    /// Ends the threads: whether all had ended by the deadline. One that hangs in
    /// its handler is left behind.
    pub(super) fn end(self, deadline: Instant) -> bool {
        self.shared.end();
        let left = deadline.saturating_duration_since(Instant::now());
        let jobs = lock(&self.shared.jobs);
        let waited = self.shared.has_ended.wait_timeout_while(jobs, left, |jobs| jobs.alive > 0);
        let (jobs, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let has_ended = jobs.alive == 0;
        drop(jobs);
        if has_ended {
            self.threads.into_iter().for_each(|thread| drop(thread.join()));
        }
        has_ended
    }
}

impl Shared {
    fn work(&self, worker: usize) {
        self.handler.begin();
        while let Some(job) = self.next(worker) {
            let Job { connection, request, without_body } = job;
            let answer = self.handler.answer(&request);
            drop(request); // the gate counts it as gone when it has the answer
            let answer = answer::render(answer, without_body, self.product);
            let was_quiet = {
                let mut done = lock(&self.done);
                done.push(Done { connection, answer });
                done.len() == 1
            };
            // Otherwise the bell rings already.
            if was_quiet {
                self.bell.ring();
            }
        }
    }

    fn next(&self, worker: usize) -> Option<Job> {
        let mut jobs = lock(&self.jobs);
        jobs.begun[worker] = None;
        loop {
            if jobs.is_over {
                return None;
            }
            if let Some(job) = jobs.queue.pop_front() {
                jobs.begun[worker] = Some(Instant::now());
                return Some(job);
            }
            jobs = self.is_wanted.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn end(&self) {
        lock(&self.jobs).is_over = true;
        self.is_wanted.notify_all();
    }
}

/// A worker, from before it begins until after its last job, however that ends.
struct Alive(Arc<Shared>);

impl Alive {
    fn new(shared: &Arc<Shared>) -> Self {
        lock(&shared.jobs).alive += 1;
        Self(Arc::clone(shared))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        lock(&self.0.jobs).alive -= 1;
        self.0.has_ended.notify_one();
    }
}

/// No handler runs under these locks, so what they guard is whole even if a thread
/// panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
