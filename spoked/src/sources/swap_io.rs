//! What went between memory and swap: `/proc/vmstat` (`proc_vmstat(5)`).

use pattoo_common::datapoint::{DataPoint, DataType};

use crate::kernel_file::KernelFile;
use crate::kernel_text::{Malformed, lines};
use crate::source::{Poll, Roots, Source, SourceError};

/// The unit in which psutil counts pages of swap, on machines of any page size.
const PAGE_BYTES: u64 = 4096;

/// How many bytes were swapped in and out since the start of the machine.
pub(crate) struct SwapIo {
    vmstat: KernelFile,
}

impl SwapIo {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { vmstat: KernelFile::new(roots.proc("vmstat")) }
    }
}

impl Source for SwapIo {
    fn name(&self) -> &'static str {
        "swap_io"
    }

    fn reads(&self) -> &'static str {
        "proc/vmstat"
    }

    fn read(&mut self, _: &Poll, out: &mut Vec<DataPoint>) -> Result<(), SourceError> {
        // The kernel gathers all counters anew for each read, also for the last
        // one, which only says that the text has ended. Not asking for the rest
        // once both lines are there saves two thirds of this source's time.
        let parsed = parse(self.vmstat.read_until(|text| matches!(parse(text), Ok(Some(_))))?);
        let path = self.vmstat.path();
        let Some(swapped) = parsed.map_err(|error| error.at(path))? else {
            let path = path.display();
            return Err(SourceError::Absent(format!("{path}: this kernel counts no swapping")));
        };
        out.push(DataPoint::new("swap_memory_sin", DataType::Counter64, swapped.in_bytes));
        out.push(DataPoint::new("swap_memory_sout", DataType::Counter64, swapped.out_bytes));
        Ok(())
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Swapped {
    in_bytes: u64,
    out_bytes: u64,
}

/// `None` where a line is missing, as on kernels that were built without swap.
/// A line that is cut off is not taken.
fn parse(text: &[u8]) -> Result<Option<Swapped>, Malformed> {
    let (mut in_bytes, mut out_bytes) = (None, None);
    let complete = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    for line in lines(&text[..complete]) {
        let wanted = match line.text {
            [b'p', b's', b'w', b'p', b'i', b'n', b' ', ..] => &mut in_bytes,
            [b'p', b's', b'w', b'p', b'o', b'u', b't', b' ', ..] => &mut out_bytes,
            _ => continue,
        };
        *wanted = Some(line.scaled(line.fields().nth(1), PAGE_BYTES, "pages")?);
        if let (Some(in_bytes), Some(out_bytes)) = (in_bytes, out_bytes) {
            return Ok(Some(Swapped { in_bytes, out_bytes }));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::fixture;

    #[test]
    fn pages_become_bytes() {
        assert_eq!(
            parse(b"nr_free_pages 1\npswpin 2\npswpout 3\npgfault 9\n"),
            Ok(Some(Swapped { in_bytes: 8192, out_bytes: 12288 }))
        );
    }

    #[test]
    fn half_a_line_is_not_taken() {
        assert_eq!(parse(b"pswpin 2\npswpout 3"), Ok(None));
    }

    #[test]
    fn a_kernel_without_swap_counts_none() {
        assert_eq!(parse(b"nr_free_pages 1\npgfault 9\n"), Ok(None));
        let folder = fixture::Folder::new("swap_io_absent");
        folder.file("vmstat", "nr_free_pages 1\n");
        let mut source = SwapIo::new(&folder.as_roots());
        let Err(SourceError::Absent(reason)) = source.read(&fixture::POLL, &mut Vec::new()) else {
            panic!("there is nothing to read")
        };
        assert!(reason.contains("counts no swapping"), "{reason}");
    }

    #[test]
    fn garbage_and_what_does_not_fit_is_refused() {
        for bad in ["pswpin -2\n", "pswpin \n", "pswpin 9999999999999999\n"] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_tree_has_its_figures() {
        for (tree, in_bytes, out_bytes) in [
            ("x86_64-server", 1_234_u64 * 4096, 56_789_u64 * 4096),
            ("arm-board", 0, 0),
            ("kernel-3.10", 4_096 * 4096, 20_480 * 4096),
        ] {
            let found = fixture::values(&mut SwapIo::new(&fixture::roots(tree)));
            let bytes = [("swap_memory_sin", in_bytes), ("swap_memory_sout", out_bytes)];
            assert_eq!(found, bytes.map(|(key, bytes)| (key.to_string(), bytes.into())), "{tree}");
        }
    }
}
