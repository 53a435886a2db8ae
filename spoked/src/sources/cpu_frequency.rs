//! The frequency of the processors now, in MHz: `/proc/cpuinfo`
//! (`proc_cpuinfo(5)`) or the cpufreq of `/sys/devices/system/cpu` (the kernel's
//! Documentation/admin-guide/pm/cpufreq.rst).

mod cpuinfo;
mod policies;

use pattoo_common::datapoint::{DataPoint, DataType};

use crate::kernel_file::KernelFile;
use crate::source::{Poll, Roots, Source, SourceError};

use policies::Policies;

/// A longer text of `/proc/cpuinfo` is not kept in memory for the next reading:
/// with hundreds of processors it has hundreds of kB.
const KEPT_BYTES: usize = 32 * 1024;

/// The average over all processors.
pub(crate) struct CpuFrequency {
    roots: Roots,
    way: Option<Way>,
}

/// Where the frequency is read: as psutil does, in `/proc/cpuinfo` unless there
/// are fewer policies than processors. It costs 5 to 12 microseconds for each
/// processor, most of it for the flags, but the files of policies are worse
/// where each processor has its own: kernels from 4.13 to 5.17 wait 10 ms in
/// every one of them, and once in all of `/proc/cpuinfo`.
enum Way {
    EveryProcessor(KernelFile),
    /// Where all have the same frequency, which never changes: most virtual
    /// machines.
    FirstProcessor(KernelFile),
    Policies(Policies),
}

/// Frequencies that were added up.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Sum {
    mhz: f64,
    count: u32,
}

impl CpuFrequency {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { roots: roots.clone(), way: None }
    }

    fn choose(&self) -> Result<Way, SourceError> {
        let cpuinfo = KernelFile::new(self.roots.proc("cpuinfo"));
        let mut whole = KernelFile::new(self.roots.proc("cpuinfo"));
        let (sum, is_constant) = match whole.read() {
            Ok(text) => {
                let sum = cpuinfo::sum(text).map_err(|error| error.at(cpuinfo.path()))?;
                (sum, cpuinfo::is_constant(text))
            }
            Err(SourceError::Absent(_)) => (Sum::default(), false),
            Err(failed) => return Err(failed),
        };
        let policies = Policies::below(&self.roots.sys("devices/system/cpu"));
        match policies.count() {
            0 if sum.count == 0 => Err(SourceError::Absent(format!(
                "{} tells no frequency, and there is no cpufreq in {}",
                cpuinfo.path().display(),
                self.roots.sys.display()
            ))),
            // A new file asks for little of the text at a time, so the kernel
            // need not write all processors.
            0 if is_constant => Ok(Way::FirstProcessor(cpuinfo)),
            count if count == 0 || count == sum.count as usize => Ok(Way::EveryProcessor(whole)),
            _ => Ok(Way::Policies(policies)),
        }
    }
}

impl Source for CpuFrequency {
    fn name(&self) -> &'static str {
        "cpu_frequency"
    }

    fn reads(&self) -> &'static str {
        "proc/cpuinfo, sys/devices/system/cpu/*"
    }

    fn read(&mut self, _: &Poll, out: &mut Vec<DataPoint>) -> Result<(), SourceError> {
        let mut way = match self.way.take() {
            Some(way) => way,
            None => self.choose()?,
        };
        let sum = way.sum()?;
        if sum.count == 0 {
            return Err(SourceError::Absent("no processor tells its frequency now".to_string()));
        }
        let average = sum.mhz / f64::from(sum.count);
        out.push(DataPoint::new("cpu_frequency", DataType::GaugeFloat, average));
        // After an error the way is chosen anew.
        self.way = Some(way);
        Ok(())
    }
}

impl Way {
    fn sum(&mut self) -> Result<Sum, SourceError> {
        let (parsed, file) = match self {
            Self::EveryProcessor(file) => {
                let text = file.read()?;
                let (parsed, is_large) = (cpuinfo::sum(text), text.len() > KEPT_BYTES);
                if is_large {
                    file.close();
                }
                (parsed, file)
            }
            Self::FirstProcessor(file) => {
                (cpuinfo::first(file.read_until(cpuinfo::has_first)?), file)
            }
            Self::Policies(policies) => return policies.sum(),
        };
        parsed.map_err(|error| error.at(file.path()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::sources::fixture::{self, Folder};

    fn cpuinfo(mhz: &[&str], flags: &str) -> String {
        let one = |(number, mhz): (usize, &&str)| {
            format!("processor\t: {number}\ncpu MHz\t\t: {mhz}\nflags\t\t: fpu {flags}\n\n")
        };
        mhz.iter().enumerate().map(one).collect()
    }

    fn mhz(source: &mut CpuFrequency) -> f64 {
        let found = fixture::values(source);
        assert_eq!(found.len(), 1);
        let (key, pattoo_common::datapoint::Value::Float(mhz)) = found[0].clone() else {
            panic!("{found:?}")
        };
        assert_eq!(key, "cpu_frequency");
        mhz
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "these are exact")]
    fn every_tree_is_read_where_its_kernel_tells_it() {
        let source = |tree| CpuFrequency::new(&fixture::roots(tree));

        let mut server = source("x86_64-server");
        assert!((800.0..4000.0).contains(&mhz(&mut server)));
        assert!(matches!(server.way, Some(Way::EveryProcessor(_))));

        let mut board = source("arm-board");
        assert_eq!(mhz(&mut board), 1008.0);
        assert!(matches!(board.way, Some(Way::Policies(_))));

        let mut old = source("kernel-3.10");
        assert_eq!(mhz(&mut old), 2000.0);
        assert!(matches!(old.way, Some(Way::EveryProcessor(_))), "as many policies as processors");

        let mut virtual_machine = source("kernel-2.6.32");
        assert_eq!(mhz(&mut virtual_machine), 2399.998);
        assert!(matches!(virtual_machine.way, Some(Way::FirstProcessor(_))));
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "these are exact")]
    fn one_processor_is_read_only_where_that_is_enough() {
        let folder = Folder::new("cpu_frequency_constant");
        folder.file("cpuinfo", &cpuinfo(&["2596.128"; 40], "tsc"));
        let mut source = CpuFrequency::new(&folder.as_roots());
        assert_eq!(mhz(&mut source), 2596.128);
        assert!(matches!(source.way, Some(Way::FirstProcessor(_))));

        folder.file("cpuinfo", &cpuinfo(&["2000.0", "1000.0"], "aperfmperf"));
        let mut source = CpuFrequency::new(&folder.as_roots());
        assert_eq!(mhz(&mut source), 1500.0);
        assert!(matches!(source.way, Some(Way::EveryProcessor(_))));
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "these are exact")]
    fn the_way_is_chosen_anew_after_an_error() {
        let folder = Folder::new("cpu_frequency_anew");
        let file = folder.file("cpuinfo", &cpuinfo(&["2000.0"], "aperfmperf"));
        let mut source = CpuFrequency::new(&folder.as_roots());
        mhz(&mut source);
        fs::write(&file, "cpu MHz : fast\n").unwrap();
        let error = source.read(&fixture::POLL, &mut Vec::new()).unwrap_err();
        let SourceError::Failed(reason) = error else { panic!("{error:?}") };
        assert!(reason.contains("cpuinfo line 1: wanted MHz"), "{reason}");
        fs::write(&file, cpuinfo(&["2500.0"], "tsc")).unwrap();
        assert_eq!(mhz(&mut source), 2500.0);
        assert!(matches!(source.way, Some(Way::FirstProcessor(_))));
    }

    #[test]
    fn a_machine_that_tells_none_has_none() {
        let folder = Folder::new("cpu_frequency_none");
        let mut source = CpuFrequency::new(&folder.as_roots());
        let read = source.read(&fixture::POLL, &mut Vec::new());
        assert!(matches!(read, Err(SourceError::Absent(_))), "{read:?}");
        folder.file("cpuinfo", "processor\t: 0\nBogoMIPS\t: 38.40\n");
        let read = source.read(&fixture::POLL, &mut Vec::new());
        assert!(matches!(read, Err(SourceError::Absent(_))), "{read:?}");
    }
}
