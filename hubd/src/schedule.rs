//! When to poll: at once, then every interval, on the monotonic clock.

use std::time::{Duration, Instant};

/// Slots of one interval each, counted from the start, so that neither the length
/// of a cycle nor a late wake-up ever adds up to a drift.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    slot: Instant,
    interval: Duration,
}

impl Schedule {
    /// The first slot is at `start`.
    pub(crate) fn new(start: Instant, interval: Duration) -> Self {
        Self { slot: start, interval }
    }

    /// When the cycle in hand was, or is, to begin.
    pub(crate) fn slot(&self) -> Instant {
        self.slot
    }

    /// Changes the interval: the next slot is one new interval after the last.
    pub(crate) fn set_interval(&mut self, interval: Duration) {
        let last = self.slot.checked_sub(self.interval).unwrap_or(self.slot);
        self.slot = last + interval;
        self.interval = interval;
    }

    /// Goes to the next slot that is not over at `now`, and says how many were
    /// left out because the cycle in hand took so long.
    pub(crate) fn advance(&mut self, now: Instant) -> u64 {
        let interval = self.interval.max(Duration::from_millis(1));
        self.slot += interval;
        let late = now.saturating_duration_since(self.slot);
        if late.is_zero() {
            return 0;
        }
        // A slot that has just begun is left out as well: two cycles within a
        // moment would be the burst that nobody wants.
        let missed = late.as_nanos().div_ceil(interval.as_nanos());
        let missed = u32::try_from(missed).unwrap_or(u32::MAX);
        self.slot += interval * missed;
        u64::from(missed)
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;
    use std::time::{Duration, Instant};

    const SECOND: Duration = Duration::from_secs(1);

    /// Slots, in milliseconds since the start, of cycles that end at these times.
    fn slots(ends_ms: &[u64]) -> Vec<(u64, u64)> {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, SECOND * 10);
        ends_ms
            .iter()
            .map(|end| {
                let missed = schedule.advance(start + Duration::from_millis(*end));
                let slot = u64::try_from((schedule.slot() - start).as_millis()).unwrap();
                (slot, missed)
            })
            .collect()
    }

    #[test]
    fn the_first_is_at_once() {
        let start = Instant::now();
        assert_eq!(Schedule::new(start, SECOND).slot(), start);
    }

    #[test]
    fn lengths_of_cycles_do_not_add_up() {
        assert_eq!(
            slots(&[1, 10_900, 23_000, 30_001]),
            [(10_000, 0), (20_000, 0), (30_000, 0), (40_000, 0)]
        );
    }

    #[test]
    fn an_overrun_skips_to_the_next_slot_without_a_burst() {
        assert_eq!(slots(&[10_000]), [(10_000, 0)]);
        assert_eq!(slots(&[10_001, 20_500]), [(20_000, 1), (30_000, 0)]);
        assert_eq!(slots(&[35_000, 36_000, 41_000]), [(40_000, 3), (50_000, 0), (60_000, 0)]);
    }

    #[test]
    fn another_interval_counts_from_the_last_slot() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, SECOND * 10);
        schedule.advance(start + SECOND);
        schedule.set_interval(SECOND * 3);
        assert_eq!(schedule.slot(), start + SECOND * 3);
        schedule.set_interval(SECOND * 300);
        assert_eq!(schedule.slot(), start + SECOND * 300);
        // The slot of a much shorter interval is over: one cycle, and no burst.
        schedule.advance(start + SECOND * 900);
        schedule.set_interval(SECOND);
        assert_eq!(schedule.slot(), start + SECOND * 601);
        assert_eq!(schedule.advance(start + SECOND * 950), 348);
        assert_eq!(schedule.slot(), start + SECOND * 950);
    }

    #[test]
    fn ends_on_a_slot_are_not_bursts() {
        // The cycle ends exactly where the slot after the next one begins.
        assert_eq!(slots(&[20_000]), [(20_000, 1)]);
    }
}
