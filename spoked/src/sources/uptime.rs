//! Seconds since the machine was started: `/proc/uptime` (`proc_uptime(5)`).

use pattoo_common::datapoint::{DataPoint, DataType};

use crate::kernel_file::KernelFile;
use crate::kernel_text::{Malformed, lines};
use crate::source::{Poll, Roots, Source, SourceError};

/// How long the machine is up. Time asleep counts.
pub(crate) struct Uptime {
    uptime: KernelFile,
}

impl Uptime {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { uptime: KernelFile::new(roots.proc("uptime")) }
    }
}

impl Source for Uptime {
    fn name(&self) -> &'static str {
        "uptime"
    }

    fn reads(&self) -> &'static str {
        "proc/uptime"
    }

    fn read(&mut self, _: &Poll, out: &mut Vec<DataPoint>) -> Result<(), SourceError> {
        let parsed = parse(self.uptime.read()?);
        let uptime_s = parsed.map_err(|error| error.at(self.uptime.path()))?;
        out.push(DataPoint::new("uptime", DataType::Gauge, uptime_s));
        Ok(())
    }
}

/// The first of the two numbers; the other is idle time summed over processors.
fn parse(text: &[u8]) -> Result<f64, Malformed> {
    let line = lines(text).next().ok_or_else(|| Malformed::missing("uptime"))?;
    line.decimal(line.fields().next(), "seconds since the start")
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_first_number_counts() {
        assert_eq!(parse(b"971.61 1600.27\n"), Ok(971.61));
        assert_eq!(parse(b"33 0.00\n"), Ok(33.0));
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in ["", "\n", "up 3 days"] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
