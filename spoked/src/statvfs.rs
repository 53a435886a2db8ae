//! Asks file systems for their size, on threads that may get stuck.
//!
//! statvfs(3) on a dead network mount does not return, and nothing can end it.
//! So the calls of an answer share one budget of time on a few threads that hold
//! nothing of the process (see [`descriptors::leave`]). In the normal case one
//! thread makes all calls of an answer; another joins only where that one does
//! not get on.

use std::collections::VecDeque;
use std::ffi::CStr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::descriptors;

mod call;
#[cfg(test)]
mod hanging_mount_tests;
#[cfg(test)]
mod tests;

pub(crate) use call::Size;

/// All calls of one answer together may take so long.
pub(crate) const BUDGET: Duration = Duration::from_secs(2);

/// At most so many threads make calls.
pub(crate) const THREADS: usize = 4;

/// Remote file systems may hold so many of them: one is left for local ones.
pub(crate) const REMOTE_THREADS: usize = 3;

/// Where calls are still to be made after so long, another thread helps.
const HELP_AFTER: Duration = Duration::from_millis(100);

const STACK_BYTES: usize = 64 * 1024;

/// A file system to ask.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// Where it is mounted.
    pub(crate) path: Arc<CStr>,
    /// What is mounted there: with the path it tells a mount from one that has
    /// taken its place.
    pub(crate) device: Arc<str>,
    /// Whether it is answered for by another machine or program.
    pub(crate) remote: bool,
    /// Whether the call never waits, so that no other thread is needed for it.
    pub(crate) at_hand: bool,
}

impl Question {
    fn is_same_mount(&self, other: &Self) -> bool {
        self.path == other.path && self.device == other.device
    }
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The file system has answered.
    Size(Size),
    /// The call has failed.
    Failed(String),
    /// The file system is absent to this user: permission was denied.
    Denied,
    /// The call of this answer, or of an earlier one, has not returned.
    Hangs,
    /// All threads that might have asked are held by others that hang.
    NotAsked,
}

type Call = dyn Fn(&CStr) -> Outcome + Send + Sync;

/// The threads, which start when they are first needed. Dropping it ends them,
/// as soon as they return from the kernel.
pub(crate) struct StatvfsThreads {
    shared: Arc<Shared>,
}

struct Shared {
    call: Box<Call>,
    state: Mutex<State>,
    /// Wakes a thread that waits for work.
    work: Condvar,
    /// Wakes the asker.
    done: Condvar,
}

#[derive(Default)]
struct State {
    /// The number of this round of questions. What comes back with another
    /// number is too late and thrown away.
    round: u64,
    questions: Vec<Question>,
    outcomes: Vec<Outcome>,
    /// Places in `questions` that nobody has taken yet.
    local: VecDeque<usize>,
    remote: VecDeque<usize>,
    /// Questions of this round that have no outcome yet.
    open: usize,
    /// The calls that have not returned, of this round and of earlier ones.
    under_way: Vec<(u64, Question)>,
    threads: usize,
    idle: usize,
    closing: bool,
}

impl StatvfsThreads {
    /// Starts nothing yet.
    pub(crate) fn new() -> Self {
        Self::with_call(Box::new(|path| match call::statvfs(path) {
            Ok(size) => Outcome::Size(size),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Outcome::Denied,
            Err(error) => Outcome::Failed(error.to_string()),
        }))
    }

    fn with_call(call: Box<Call>) -> Self {
        let (work, done) = (Condvar::new(), Condvar::new());
        let state = Mutex::default();
        Self { shared: Arc::new(Shared { call, state, work, done }) }
    }

    /// Asks all, local ones first, and returns within [`BUDGET`] with an outcome
    /// for each, in the order of the questions. What is at hand is asked right
    /// here: handing it over would cost more than the call.
    pub(crate) fn ask(&self, questions: &[Question]) -> Vec<Outcome> {
        let (at_hand, others): (Vec<_>, Vec<_>) =
            questions.iter().cloned().partition(|question| question.at_hand);
        if at_hand.is_empty() {
            return self.ask_within(BUDGET, questions);
        }
        let mut from_others = if others.is_empty() {
            Vec::new().into_iter()
        } else {
            self.ask_within(BUDGET, &others).into_iter()
        };
        let outcomes = questions.iter().map(|question| {
            if question.at_hand {
                return (self.shared.call)(&question.path);
            }
            from_others.next().unwrap_or(Outcome::NotAsked)
        });
        outcomes.collect()
    }

    fn ask_within(&self, budget: Duration, questions: &[Question]) -> Vec<Outcome> {
        let begun = Instant::now();
        let mut state = self.shared.lock();
        state.begin(questions);
        let mut help_at = begun;
        while state.open > 0 && !state.is_hopeless() {
            let now = Instant::now();
            if now >= help_at {
                help_at = now + HELP_AFTER;
                if let Err(error) = self.help(&mut state) {
                    state.fail_untaken(&error);
                    continue;
                }
            }
            let left = (begun + budget).saturating_duration_since(now);
            if left.is_zero() {
                break;
            }
            // Where nobody could help, nothing is to be done before the end.
            let wait = if state.may_be_taken() { left.min(HELP_AFTER) } else { left };
            state = self
                .shared
                .done
                .wait_timeout(state, wait)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        state.end()
    }

    /// Brings in one more thread, if one would find something to do.
    fn help(&self, state: &mut MutexGuard<'_, State>) -> Result<(), String> {
        if !state.may_be_taken() {
            return Ok(());
        }
        if state.idle > 0 {
            self.shared.work.notify_one();
            return Ok(());
        }
        if state.threads >= THREADS {
            return Ok(());
        }
        let shared = Arc::clone(&self.shared);
        let started = thread::Builder::new()
            .name("statvfs".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || answer_questions(&shared));
        match started {
            Ok(_) => state.threads += 1,
            // The threads that there are will do.
            Err(_) if state.threads > 0 => {}
            Err(error) => return Err(format!("no thread could be started: {error}")),
        }
        Ok(())
    }
}

impl Drop for StatvfsThreads {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.work.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begin(&mut self, questions: &[Question]) {
        self.round += 1;
        self.questions.clear();
        self.questions.extend_from_slice(questions);
        self.outcomes = vec![Outcome::NotAsked; questions.len()];
        for (place, question) in questions.iter().enumerate() {
            if self.under_way.iter().any(|(_, other)| question.is_same_mount(other)) {
                if let Some(outcome) = self.outcomes.get_mut(place) {
                    *outcome = Outcome::Hangs;
                }
            } else if question.remote {
                self.remote.push_back(place);
            } else {
                self.local.push_back(place);
            }
        }
        self.open = self.local.len() + self.remote.len();
    }

    fn end(&mut self) -> Vec<Outcome> {
        self.round += 1;
        self.open = 0;
        self.local.clear();
        self.remote.clear();
        std::mem::take(&mut self.outcomes)
    }

    /// Whether a thread that comes now finds something to do.
    fn may_be_taken(&self) -> bool {
        !self.local.is_empty() || (!self.remote.is_empty() && self.may_take_remote())
    }

    fn may_take_remote(&self) -> bool {
        self.under_way.iter().filter(|(_, question)| question.remote).count() < REMOTE_THREADS
    }

    /// Whether nothing of this round is under way, and earlier calls hold all
    /// threads that could change that.
    fn is_hopeless(&self) -> bool {
        let none_of_this_round = self.under_way.iter().all(|(round, _)| *round != self.round);
        none_of_this_round && (self.under_way.len() >= THREADS || !self.may_be_taken())
    }

    /// The next question for a thread; from here on it counts as hanging.
    fn take(&mut self) -> Option<(usize, Question)> {
        let place = match self.local.pop_front() {
            Some(place) => place,
            None if self.may_take_remote() => self.remote.pop_front()?,
            None => return None,
        };
        let question = self.questions.get(place)?.clone();
        *self.outcomes.get_mut(place)? = Outcome::Hangs;
        self.under_way.push((self.round, question.clone()));
        Some((place, question))
    }

    fn give_back(&mut self, round: u64, place: usize, question: &Question, outcome: Outcome) {
        self.under_way.retain(|(_, other)| !question.is_same_mount(other));
        if round == self.round
            && let Some(entry) = self.outcomes.get_mut(place)
        {
            *entry = outcome;
            self.open -= 1;
        }
    }

    /// Without a single thread nothing can be asked.
    fn fail_untaken(&mut self, error: &str) {
        for place in self.local.drain(..).chain(self.remote.drain(..)) {
            self.open -= 1;
            if let Some(outcome) = self.outcomes.get_mut(place) {
                *outcome = Outcome::Failed(error.to_owned());
            }
        }
    }
}

fn answer_questions(shared: &Shared) {
    // Where this is forbidden the collector has said so for all threads.
    let _ = descriptors::leave();
    let mut state = shared.lock();
    while !state.closing {
        let round = state.round;
        if let Some((place, question)) = state.take() {
            drop(state);
            let outcome = (shared.call)(&question.path);
            state = shared.lock();
            state.give_back(round, place, &question, outcome);
            if state.open == 0 || state.is_hopeless() {
                // Who is woken takes the lock: it would have to wait for it.
                drop(state);
                shared.done.notify_one();
                state = shared.lock();
            }
        } else if state.idle > 0 {
            // One that waits is enough; those that had to help go.
            break;
        } else {
            state.idle += 1;
            state = shared.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }
    state.threads -= 1;
}
