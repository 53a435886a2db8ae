//! A number used once. It need not be secret, so it is not drawn anew each time:
//! every process counts on from a random number of 128 bits.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where this process began.
static START: LazyLock<u128> = LazyLock::new(|| {
    // Keyed by the kernel's random numbers, each for itself.
    let half = || u128::from(RandomState::new().hash_one(std::process::id()));
    half() << 64 | half()
});
static COUNT: AtomicU64 = AtomicU64::new(0);

/// The next one.
pub(super) fn next() -> u128 {
    START.wrapping_add(u128::from(COUNT.fetch_add(1, Ordering::Relaxed)))
}
