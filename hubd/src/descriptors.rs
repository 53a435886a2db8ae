//! How many files and connections this process may have open.

#![allow(unsafe_code)]

/// Raises the soft limit of open files to `wanted` as far as the hard limit lets
/// it, and returns what is allowed. See `getrlimit(2)`.
#[allow(clippy::useless_conversion, reason = "u64 here, u32 on some machines")]
pub(crate) fn allow(wanted: usize) -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is ours and outlives the call.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return wanted;
    }
    let soft = limit.rlim_cur;
    let wanted_here = libc::rlim_t::try_from(wanted).unwrap_or(libc::RLIM_INFINITY);
    if soft < wanted_here {
        limit.rlim_cur = wanted_here.min(limit.rlim_max);
        // SAFETY: as above.
        if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } != 0 {
            limit.rlim_cur = soft;
        }
    }
    usize::try_from(u64::from(limit.rlim_cur)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::allow;

    #[test]
    fn what_is_allowed_already_stays() {
        let now = allow(0);
        assert!(now > 0);
        assert_eq!(allow(1), now);
        assert!(allow(usize::MAX) >= now);
    }
}
