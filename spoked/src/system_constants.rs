//! The two units of the kernel that are not written in its files.

#![allow(unsafe_code)]

/// Ticks of the clock in a second: the unit of the CPU times of `/proc/stat`
/// (sysconf(3), `_SC_CLK_TCK`). 100 on nearly all machines, and if not known.
pub(crate) fn ticks_per_second() -> u64 {
    // SAFETY: sysconf takes a plain number and touches no memory of ours.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks).ok().filter(|ticks| *ticks > 0).unwrap_or(100)
}

/// Bytes in a page: the unit of the watermarks of `/proc/zoneinfo` (sysconf(3),
/// `_SC_PAGESIZE`). 4,096 on most machines, and if not known.
pub(crate) fn page_size_bytes() -> u64 {
    // SAFETY: sysconf takes a plain number and touches no memory of ours.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(bytes).ok().filter(|bytes| *bytes > 0).unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_page_is_a_power_of_two_and_a_second_has_ticks() {
        assert!(super::page_size_bytes().is_power_of_two());
        assert!(super::ticks_per_second() > 0);
    }
}
