//! The word to stop, or that there is another plan, and waiting for it.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wakes those who wait for their time when it is time to stop.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    said: Mutex<Said>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Said {
    stop: bool,
    /// How many plans there were after the first.
    plans: u64,
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    /// It is time to stop.
    Stop,
    /// The moment has come.
    Moment,
    /// There is another plan.
    Plan,
}

impl Stop {
    /// Says it.
    pub(crate) fn say(&self) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).stop = true;
        self.changed.notify_all();
    }

    /// Says that there is another plan.
    pub(crate) fn say_plan(&self) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).plans += 1;
        self.changed.notify_all();
    }

    /// Waits until `moment`, or until there are more plans than the waiter knows of.
    pub(crate) fn wait_for_plan_until(&self, moment: Instant, known: &mut u64) -> Woken {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let patience = moment.saturating_duration_since(Instant::now());
        let (said, waited) = self
            .changed
            .wait_timeout_while(said, patience, |said| !said.stop && said.plans == *known)
            .unwrap_or_else(PoisonError::into_inner);
        if said.stop {
            return Woken::Stop;
        }
        if waited.timed_out() || patience.is_zero() {
            return Woken::Moment;
        }
        *known = said.plans;
        Woken::Plan
    }

    /// Waits for `patience`. Returns whether it is time to stop.
    pub(crate) fn wait(&self, patience: Duration) -> bool {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let (said, _) = self
            .changed
            .wait_timeout_while(said, patience, |said| !said.stop)
            .unwrap_or_else(PoisonError::into_inner);
        said.stop
    }
}

#[cfg(test)]
mod tests {
    use super::{Stop, Woken};
    use std::time::{Duration, Instant};

    #[test]
    fn wakes_who_waits() {
        let stop = Stop::default();
        assert!(!stop.wait(Duration::ZERO));
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| stop.wait(Duration::MAX));
            stop.say();
            assert!(waiter.join().unwrap());
        });
        assert!(stop.wait(Duration::MAX));
    }

    #[test]
    fn another_plan_is_told_once_and_ends_no_other_wait() {
        let (stop, mut known) = (Stop::default(), 0);
        let far = Instant::now() + Duration::from_hours(1);
        stop.say_plan();
        stop.say_plan();
        assert_eq!(stop.wait_for_plan_until(far, &mut known), Woken::Plan);
        assert_eq!(stop.wait_for_plan_until(Instant::now(), &mut known), Woken::Moment);
        assert!(!stop.wait(Duration::ZERO));
        stop.say();
        assert_eq!(stop.wait_for_plan_until(far, &mut known), Woken::Stop);
    }
}
