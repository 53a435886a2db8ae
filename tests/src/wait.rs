//! Waiting for a condition, with a deadline.

use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for what should happen at once: long enough for a
/// busy machine, and never waited in full by a test that passes.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Waits until `condition` holds. Panics with `what` if it does not in time.
pub fn wait_until(what: &str, within: Duration, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !condition() {
        assert!(Instant::now() < deadline, "waited {within:?} in vain until {what}");
        #[expect(clippy::disallowed_methods, reason = "other processes announce nothing")]
        thread::sleep(PAUSE);
    }
}
