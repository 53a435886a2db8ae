//! The wall clock, for timestamps and nothing else; a test can turn it.

use pattoo_common::wall_clock::now_ms;

/// Milliseconds since 1970. A clock before that shows 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WallClock(fn() -> u64);

impl WallClock {
    /// The clock of this machine.
    pub(crate) const SYSTEM: Self = Self(now_ms);

    /// What it shows now.
    pub(crate) fn now_ms(self) -> u64 {
        (self.0)()
    }

    /// A clock of a test.
    #[cfg(test)]
    pub(crate) const fn of(now_ms: fn() -> u64) -> Self {
        Self(now_ms)
    }
}
