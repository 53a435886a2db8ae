//! The text of `/proc/meminfo` (`proc_meminfo(5)`).

use crate::kernel_text::{Malformed, lines};

/// The unit of the file: what it calls kB.
const KIB: u64 = 1024;

/// What was taken from the file, in bytes. All but the first two may be missing
/// on some kernel.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Meminfo {
    pub(super) total: u64,
    pub(super) free: u64,
    /// Since kernel 3.14.
    pub(super) available: Option<u64>,
    pub(super) buffers: Option<u64>,
    cached: Option<u64>,
    pub(super) active: Option<u64>,
    inactive: Option<u64>,
    /// The three parts of `inactive` on kernels before 2.6.
    inactive_dirty: Option<u64>,
    inactive_clean: Option<u64>,
    inactive_laundry: Option<u64>,
    /// Since 2.6.28.
    active_file: Option<u64>,
    inactive_file: Option<u64>,
    /// `Shmem` since 2.6.32, `MemShared` before 2.6.
    pub(super) shared: Option<u64>,
    pub(super) slab: Option<u64>,
    /// Since 2.6.19.
    slab_reclaimable: Option<u64>,
    pub(super) swap_total: Option<u64>,
    pub(super) swap_free: Option<u64>,
}

/// Takes what is wanted; other lines are passed over.
pub(super) fn parse(text: &[u8]) -> Result<Meminfo, Malformed> {
    let (mut total, mut free) = (None, None);
    let mut meminfo = Meminfo::default();
    for line in lines(text) {
        let mut fields = line.fields();
        let Some(name) = fields.next() else { continue };
        let wanted = match name {
            b"MemTotal:" => &mut total,
            b"MemFree:" => &mut free,
            b"MemAvailable:" => &mut meminfo.available,
            b"Buffers:" => &mut meminfo.buffers,
            b"Cached:" => &mut meminfo.cached,
            b"Active:" => &mut meminfo.active,
            b"Inactive:" => &mut meminfo.inactive,
            b"Inact_dirty:" => &mut meminfo.inactive_dirty,
            b"Inact_clean:" => &mut meminfo.inactive_clean,
            b"Inact_laundry:" => &mut meminfo.inactive_laundry,
            b"Active(file):" => &mut meminfo.active_file,
            b"Inactive(file):" => &mut meminfo.inactive_file,
            b"Shmem:" | b"MemShared:" => &mut meminfo.shared,
            b"Slab:" => &mut meminfo.slab,
            b"SReclaimable:" => &mut meminfo.slab_reclaimable,
            b"SwapTotal:" => &mut meminfo.swap_total,
            b"SwapFree:" => &mut meminfo.swap_free,
            _ => continue,
        };
        *wanted = Some(line.scaled(fields.next(), KIB, "kB")?);
    }
    meminfo.total = total.ok_or_else(|| Malformed::missing("MemTotal:"))?;
    meminfo.free = free.ok_or_else(|| Malformed::missing("MemFree:"))?;
    Ok(meminfo)
}

impl Meminfo {
    /// Memory that was not used lately.
    pub(super) fn inactive(&self) -> Option<u64> {
        let parts = [self.inactive_dirty, self.inactive_clean, self.inactive_laundry];
        let sum = || parts.into_iter().try_fold(0, |sum: u64, part| sum.checked_add(part?));
        self.inactive.or_else(sum)
    }

    /// The page cache, and the slabs that can be reclaimed, as free(1) shows it.
    pub(super) fn cached_and_reclaimable(&self) -> Option<u64> {
        self.cached.map(|cached| cached.saturating_add(self.slab_reclaimable.unwrap_or(0)))
    }

    /// What should be available, by the reckoning of the kernel's own commit
    /// 34e431b0ae39, which brought `MemAvailable`: what is free, the caches of
    /// files and the slabs, less what is kept back. On kernels that lack the
    /// figures for this, what is free or cached.
    pub(super) fn estimated_available(
        &self,
        low_watermark_pages: Option<u64>,
        page_size_bytes: u64,
    ) -> u64 {
        let parts =
            (low_watermark_pages, self.active_file, self.inactive_file, self.slab_reclaimable);
        let (Some(pages), Some(active_file), Some(inactive_file), Some(slab)) = parts else {
            return self.free.saturating_add(self.cached.unwrap_or(0));
        };
        let low = pages.saturating_mul(page_size_bytes);
        let page_cache = active_file.saturating_add(inactive_file);
        let available = self
            .free
            .saturating_add(page_cache - low.min(page_cache / 2))
            .saturating_add(slab - low.min(slab / 2));
        // Last, as what is free may be less than the watermark.
        available.saturating_sub(low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::fixture;

    #[test]
    fn kib_become_bytes() {
        let meminfo = parse(
            b"MemTotal:       24684084 kB\nMemFree: 1 kB\nCached: 5 kB\nSReclaimable: 2 kB\n\
              HugePages_Total:       0\nInact_dirty: 1 kB\nInact_clean: 2 kB\n\
              Inact_laundry: 3 kB\nMemShared: 4 kB\n",
        )
        .unwrap();
        assert_eq!(meminfo.total, 24_684_084 * 1024);
        assert_eq!(meminfo.cached_and_reclaimable(), Some(7 * 1024));
        assert_eq!(meminfo.inactive(), Some(6 * 1024));
        assert_eq!(meminfo.shared, Some(4 * 1024));
        assert_eq!(meminfo.available, None);
        assert_eq!(meminfo.slab, None);
    }

    #[test]
    fn a_line_that_cannot_be_right_is_named() {
        for (text, wanted) in [
            ("", "has no line"),
            ("MemTotal: 5 kB\n", "MemFree"),
            ("MemTotal: 5 kB\nMemFree: x kB\n", "line 2: wanted kB"),
            ("MemTotal:\n", "line 1: wanted kB"),
            ("MemTotal: 18446744073709551615 kB\n", "line 1: wanted kB that fits"),
        ] {
            let error = format!("{:?}", parse(text.as_bytes()).unwrap_err());
            assert!(error.contains(wanted), "{text:?}: {error}");
        }
    }

    fn old(free: u64, active: u64, inactive: u64, slab: u64) -> Meminfo {
        Meminfo {
            total: 10_000,
            free,
            cached: Some(700),
            active_file: Some(active),
            inactive_file: Some(inactive),
            slab_reclaimable: Some(slab),
            ..Meminfo::default()
        }
    }

    #[test]
    fn what_is_available_is_estimated_as_free_does() {
        // Little is kept back, so the watermark counts in all three parts.
        assert_eq!(old(1000, 400, 300, 300).estimated_available(Some(1), 100), 1700);
        // At most half of the caches is kept back.
        assert_eq!(old(1000, 60, 40, 50).estimated_available(Some(1), 100), 975);
        // Below the watermark there is nothing to give.
        assert_eq!(old(10, 0, 0, 0).estimated_available(Some(1), 100), 0);
    }

    #[test]
    fn without_the_figures_for_it_free_and_cached_are_what_is_available() {
        assert_eq!(old(1000, 400, 300, 300).estimated_available(None, 100), 1700);
        let older = Meminfo { active_file: None, ..old(1000, 400, 300, 300) };
        assert_eq!(older.estimated_available(Some(1), 100), 1700);
    }

    #[test]
    fn figures_at_the_edge_do_not_overflow() {
        let most = u64::MAX;
        assert!(old(most, most, most, most).estimated_available(Some(most), 4096) <= most);
    }

    #[test]
    fn only_the_old_trees_do_not_say_what_is_available() {
        for tree in fixture::TREES {
            let meminfo = parse(&fixture::text(tree, "proc/meminfo")).unwrap();
            let old = tree.starts_with("kernel-");
            assert_eq!(meminfo.available.is_none(), old, "{tree}");
        }
    }
}
