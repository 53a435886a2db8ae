//! One cycle: every device polled by a thread of its own, not too many at a time,
//! each joined as it ends, all within the time of the cycle.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, Builder, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use crate::poll::{PollError, Polled};
use crate::window::Window;

/// The stack of a thread that polls. It holds a request, a head and an error;
/// what it does not touch costs no memory.
const STACK_BYTES: usize = 128 << 10;

/// What a cycle may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CycleLimits {
    /// Polls at once.
    pub(crate) max_threads: usize,
    /// The time of one poll.
    pub(crate) poll_timeout: Duration,
    /// When the last poll has to be over.
    pub(crate) end: Instant,
}

/// Polls the devices of `order` and hands each result over as it comes, on the
/// caller's thread. Returns after the last one, at `limits.end` or little later.
pub(crate) fn run<'r>(
    order: &[usize],
    limits: CycleLimits,
    poll: &(impl Fn(usize, Instant) -> Polled<'r> + Sync),
    mut take: impl FnMut(usize, Polled<'r>),
) {
    thread::scope(|scope| {
        let mut threads = Threads::new(scope);
        let (done, results) = mpsc::channel();
        let mut window = Window::new(limits.max_threads);
        let mut waiting = order.iter().copied();
        let mut next = waiting.next();
        loop {
            while let Ok((thread, device, polled)) = results.try_recv() {
                threads.join(thread);
                take(device, polled);
            }
            let Some(device) = next else { break };
            if Instant::now() >= limits.end {
                take(device, not_polled(PollError::NotStarted));
                next = waiting.next();
            } else if threads.alive() < window.allowed() {
                let done = done.clone();
                let started = threads.start(move |thread| {
                    let deadline = limits.end.min(Instant::now() + limits.poll_timeout);
                    let polled = poll(device, deadline);
                    // The receiver lives as long as the scope.
                    let _ = done.send((thread, device, polled));
                });
                match started {
                    Ok(()) => next = waiting.next(),
                    // Fewer threads are to be had than we may: wait for one.
                    Err(_) if threads.alive() > 0 => window.full_at(threads.alive()),
                    Err(error) => {
                        take(device, not_polled(PollError::NoThread(error.to_string())));
                        next = waiting.next();
                    }
                }
            } else {
                let to_end = limits.end.saturating_duration_since(Instant::now());
                match results.recv_timeout(window.patience().unwrap_or(to_end)) {
                    Ok((thread, device, polled)) => {
                        threads.join(thread);
                        take(device, polled);
                    }
                    Err(RecvTimeoutError::Timeout) => window.grow(),
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
        }
        // From here on nothing is to be started: wait without waking up.
        drop(done);
        while let Ok((thread, device, polled)) = results.recv() {
            threads.join(thread);
            take(device, polled);
        }
    });
}

fn not_polled<'r>(error: PollError) -> Polled<'r> {
    Polled { duration: None, middle_ms: 0, answer: Err(error) }
}

/// The threads of a cycle, by numbers that are used again.
struct Threads<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    handles: Vec<Option<ScopedJoinHandle<'scope, ()>>>,
    free: Vec<usize>,
}

impl<'scope, 'env> Threads<'scope, 'env> {
    fn new(scope: &'scope Scope<'scope, 'env>) -> Self {
        Self { scope, handles: Vec::new(), free: Vec::new() }
    }

    fn alive(&self) -> usize {
        self.handles.len() - self.free.len()
    }

    /// Starts a thread that is told its number.
    fn start(&mut self, work: impl FnOnce(usize) + Send + 'scope) -> io::Result<()> {
        let number = self.free.pop().unwrap_or_else(|| {
            self.handles.push(None);
            self.handles.len() - 1
        });
        let builder = Builder::new().stack_size(STACK_BYTES);
        match builder.spawn_scoped(self.scope, move || work(number)) {
            Ok(handle) => {
                self.handles[number] = Some(handle);
                Ok(())
            }
            Err(error) => {
                self.free.push(number);
                Err(error)
            }
        }
    }

    /// Joins a thread that has sent its result: until then an ended thread keeps
    /// its stack.
    fn join(&mut self, number: usize) {
        if let Some(handle) = self.handles[number].take() {
            // It has sent its result and has nothing left to fail with.
            let _ = handle.join();
            self.free.push(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::{ROOM_BYTES, Room};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Condvar, Mutex};

    fn limits(max_threads: usize) -> CycleLimits {
        let end = Instant::now() + Duration::from_mins(1);
        CycleLimits { max_threads, poll_timeout: Duration::from_secs(10), end }
    }

    fn answered<'r>() -> Polled<'r> {
        not_polled(PollError::Status(204))
    }

    fn collect(
        order: &[usize],
        limits: CycleLimits,
        poll: &(impl Fn(usize, Instant) -> Polled<'static> + Sync),
    ) -> Vec<(usize, bool)> {
        let mut taken = Vec::new();
        run(order, limits, poll, |device, polled| {
            taken.push((device, matches!(polled.answer, Err(PollError::NotStarted))));
        });
        taken
    }

    #[test]
    fn every_device_is_polled_once_and_few_at_a_time_when_they_are_fast() {
        let order: Vec<usize> = (0..2_000).rev().collect();
        let (alive, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mut taken = collect(&order, limits(8), &|_, _| {
            most.fetch_max(alive.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            alive.fetch_sub(1, Ordering::SeqCst);
            answered()
        });
        taken.sort_unstable();
        assert_eq!(taken, (0..2_000).map(|device| (device, false)).collect::<Vec<_>>());
        assert!(most.into_inner() <= 8);
    }

    #[test]
    fn those_that_hang_do_not_keep_others_waiting() {
        // All but the last hang until the last has been polled: none of them could
        // end if it had to wait for them.
        let (last, polled) = (Mutex::new(false), Condvar::new());
        let order: Vec<usize> = (0..300).collect();
        let taken = collect(&order, limits(1_000), &|device, deadline| {
            let mut last = last.lock().unwrap();
            if device == 299 {
                *last = true;
                polled.notify_all();
            } else {
                let patience = deadline - Instant::now();
                let (_last, wait) =
                    polled.wait_timeout_while(last, patience, |last| !*last).unwrap();
                assert!(!wait.timed_out());
            }
            answered()
        });
        assert_eq!(taken.len(), 300);
    }

    #[test]
    fn the_time_of_a_poll_is_the_lesser_of_two() {
        let end = Instant::now() + Duration::from_mins(1);
        for (timeout_s, whole) in [(10, false), (600, true)] {
            let poll_timeout = Duration::from_secs(timeout_s);
            collect(&[0], CycleLimits { max_threads: 1, poll_timeout, end }, &|_, deadline| {
                assert!(deadline <= end);
                assert_eq!(deadline == end, whole);
                answered()
            });
        }
    }

    #[test]
    fn what_has_no_time_left_is_not_polled_and_said_so() {
        let end = Instant::now();
        let limits = CycleLimits { max_threads: 1, poll_timeout: Duration::from_secs(1), end };
        let taken = collect(&[0, 1], limits, &|_, _| unreachable!("there is no time"));
        assert_eq!(taken, [(0, true), (1, true)]);
    }

    #[test]
    fn answers_may_hold_room_until_they_are_taken() {
        let room = Room::new(ROOM_BYTES);
        let mut taken = 0;
        run(
            &[0, 1, 2],
            limits(2),
            &|_, deadline| {
                let share = room.take(4 << 20, deadline);
                assert!(share.is_some());
                let answer = crate::poll::Answer { body: Vec::new(), program: None, share };
                Polled { duration: None, middle_ms: 0, answer: Ok(answer) }
            },
            |_, polled| taken += usize::from(polled.answer.is_ok()),
        );
        assert_eq!(taken, 3);
    }
}
