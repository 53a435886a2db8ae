//! The wall clock, for timestamps and nothing else; a test can turn it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970. A clock before that shows 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WallClock(fn() -> u64);

impl WallClock {
    /// The clock of this machine.
    pub(crate) const SYSTEM: Self = Self(system_ms);

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

fn system_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
