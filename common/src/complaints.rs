//! How much of the log one kind of line may fill: strangers cause lines too.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Counts lines.
#[derive(Debug)]
pub struct Complaints {
    /// Lines that are written in one period.
    lines: u32,
    period: Duration,
    now: Mutex<Period>,
}

#[derive(Debug, Default)]
struct Period {
    began: Option<Instant>,
    lines: u32,
    withheld: u64,
}

impl Complaints {
    /// Writes at most so many lines in each such time.
    pub fn new(lines: u32, period: Duration) -> Self {
        Self { lines, period, now: Mutex::default() }
    }

    /// Writes a line to the log, unless enough were written of late. How many were
    /// withheld is told with the first line of the next period.
    pub fn write(&self, line: impl FnOnce() -> String) {
        match self.allowed(Instant::now()) {
            Some(0) => log::warn!("{}", line()),
            Some(withheld) => {
                log::warn!("{}; before it, {withheld} such lines were withheld", line());
            }
            None => {}
        }
    }

    /// Whether one more line may be written, and how many were withheld before it.
    fn allowed(&self, now: Instant) -> Option<u64> {
        let mut period = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if period.began.is_none_or(|began| now >= began + self.period) {
            period.began = Some(now);
            period.lines = 0;
        }
        if period.lines == self.lines {
            period.withheld += 1;
            return None;
        }
        period.lines += 1;
        Some(std::mem::take(&mut period.withheld))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn past_so_many_lines_they_are_counted() {
        const LINES: u32 = 60;
        const PERIOD: Duration = Duration::from_mins(1);
        let complaints = Complaints::new(LINES, PERIOD);
        let start = Instant::now();
        for _ in 0..LINES {
            assert_eq!(complaints.allowed(start), Some(0));
        }
        for _ in 0..5 {
            assert_eq!(complaints.allowed(start + PERIOD / 2), None);
        }
        assert_eq!(complaints.allowed(start + PERIOD), Some(5));
        assert_eq!(complaints.allowed(start + PERIOD), Some(0));
    }
}
