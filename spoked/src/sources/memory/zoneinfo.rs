//! The low watermarks of `/proc/zoneinfo` (`proc_zoneinfo(5)`).

use crate::kernel_text::{Malformed, lines};

/// The pages, summed over all zones, below which the kernel begins to reclaim.
pub(super) fn low_watermark_pages(text: &[u8]) -> Result<u64, Malformed> {
    let mut sum: u64 = 0;
    for line in lines(text) {
        let mut fields = line.fields();
        if fields.next() == Some(b"low") {
            let pages = line.whole(fields.next(), "pages")?;
            sum = sum.checked_add(pages).ok_or_else(|| line.wanted("pages whose sum fits"))?;
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::fixture;

    #[test]
    fn the_zones_are_summed() {
        let text = b"Node 0, zone DMA\n  pages free 3\n        min      4\n        low      5\n\
                     Node 0, zone Normal\n        low      70\n    nr_slow 9\n";
        assert_eq!(low_watermark_pages(text), Ok(75));
        let tree = fixture::text("kernel-3.10", "proc/zoneinfo");
        assert_eq!(low_watermark_pages(&tree), Ok(42 + 8_034 + 3_007));
    }

    #[test]
    fn garbage_and_what_does_not_fit_is_refused() {
        for bad in ["low", "low -1", "low 18446744073709551615\nlow 1"] {
            assert!(low_watermark_pages(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
