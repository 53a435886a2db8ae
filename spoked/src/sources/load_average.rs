//! Load averages: `/proc/loadavg` (`proc_loadavg(5)`).

use pattoo_common::datapoint::{DataPoint, DataType};

use crate::kernel_file::KernelFile;
use crate::kernel_text::{Malformed, lines};
use crate::source::{Poll, Roots, Source, SourceError};

const KEYS: [&str; 3] = ["load_average_01min", "load_average_05min", "load_average_15min"];

/// How many tasks ran or waited for the processor or a disk, on average.
pub(crate) struct LoadAverage {
    loadavg: KernelFile,
}

impl LoadAverage {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { loadavg: KernelFile::new(roots.proc("loadavg")) }
    }
}

impl Source for LoadAverage {
    fn name(&self) -> &'static str {
        "load_average"
    }

    fn reads(&self) -> &'static str {
        "proc/loadavg"
    }

    fn read(&mut self, _: &Poll, out: &mut Vec<DataPoint>) -> Result<(), SourceError> {
        let parsed = parse(self.loadavg.read()?);
        let averages = parsed.map_err(|error| error.at(self.loadavg.path()))?;
        out.extend(
            KEYS.iter().zip(averages).map(|(key, load)| DataPoint::new(key, DataType::Gauge, load)),
        );
        Ok(())
    }
}

/// The averages over 1, 5 and 15 minutes.
fn parse(text: &[u8]) -> Result<[f64; 3], Malformed> {
    let line = lines(text).next().ok_or_else(|| Malformed::missing("load averages"))?;
    let mut fields = line.fields();
    let mut averages = [0.0; 3];
    for (average, key) in averages.iter_mut().zip(KEYS) {
        *average = line.decimal(fields.next(), key)?;
    }
    Ok(averages)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_first_three_numbers_count() {
        assert_eq!(parse(b"0.46 1.41 12.26 1/93 9767\n"), Ok([0.46, 1.41, 12.26]));
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in ["", "\n", "0.46 0.41", "0.46 0.41 nan 1/93 9767"] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
