//! Whether the wall clock can be right. A server whose clock is far behind would
//! take good datapoints for ones of the future and throw them away.

use crate::store::DAY_MS;

/// A clock that is so far behind is wrong.
const MAX_BEHIND_MS: u64 = DAY_MS;
/// This version was released after this: 2026-11-01T00:00:00Z. A constant and not
/// the time of the build, so that the same source always gives the same program.
const RELEASED_MS: u64 = 1_793_491_200_000;

/// Why the clock must be wrong, and what to do, given the newest sample that is
/// stored (0: none).
pub(super) fn clock_fault(now_ms: u64, newest_ms: u64) -> Option<String> {
    let (wanted_ms, which, remedy) = if newest_ms > RELEASED_MS {
        (newest_ms, "the newest sample", ", or delete the host that sent it from the future")
    } else {
        (RELEASED_MS, "this program", "")
    };
    let behind_ms = wanted_ms.saturating_sub(now_ms);
    (behind_ms > MAX_BEHIND_MS).then(|| {
        let days = behind_ms / DAY_MS;
        format!(
            "the server's clock is {days} days behind {which}: nothing is taken until it is set{remedy}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pattoo_common::wall_clock::now_ms;

    #[test]
    fn a_clock_before_the_program_or_the_newest_sample_is_wrong() {
        assert_eq!(clock_fault(RELEASED_MS, 0), None);
        assert_eq!(clock_fault(RELEASED_MS - DAY_MS, 0), None);
        assert!(
            clock_fault(RELEASED_MS - DAY_MS - 1, 0)
                .unwrap()
                .contains("1 days behind this program")
        );
        assert!(clock_fault(0, 0).is_some());
        let newest = RELEASED_MS + 40 * DAY_MS;
        assert_eq!(clock_fault(newest - DAY_MS, newest), None);
        let reason = clock_fault(newest - 30 * DAY_MS, newest).unwrap();
        assert!(reason.contains("30 days behind the newest sample"), "{reason}");
        assert_eq!(clock_fault(u64::MAX, newest), None);
    }

    #[test]
    fn this_version_is_not_of_the_future() {
        assert!(RELEASED_MS < now_ms());
    }
}
