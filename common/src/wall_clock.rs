//! The wall clock, for timestamps and nothing else.

use std::time::{SystemTime, UNIX_EPOCH};

/// The first second of the year 10,000, which a date of HTTP has no room for.
const YEAR_10000_S: u64 = 253_402_300_800;

/// Whether a date of HTTP can tell the time now: from 1970 to 9999.
pub fn has_http_date() -> bool {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.is_ok_and(|since| since.as_secs() < YEAR_10000_S)
}

/// Milliseconds since 1970; 0 while the clock stands before that.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
