//! The frequency policies of cpufreq (the kernel's
//! Documentation/admin-guide/pm/cpufreq.rst): each is for one processor or for
//! several that share their clock.

use std::fs;
use std::path::Path;

use crate::kernel_file::KernelFile;
use crate::kernel_text::{Malformed, lines, whole};
use crate::source::SourceError;

use super::Sum;

/// So many files stay open. A large ARM server has one for each of a hundred
/// processors; the others are opened at each reading.
const KEPT_OPEN: usize = 16;

/// The files that tell the frequency, one a policy.
pub(super) struct Policies {
    files: Vec<KernelFile>,
}

impl Policies {
    /// The policies in `/sys/devices/system/cpu`: in `cpufreq/policy0` since
    /// kernel 4.3, before that in `cpu0/cpufreq`.
    pub(super) fn below(cpu: &Path) -> Self {
        let numbered = |folder: &Path, prefix: &str, file: &str| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            let mut found: Vec<(u64, KernelFile)> = entries
                .filter_map(|entry| {
                    let name = entry.file_name();
                    let number = whole(name.to_str()?.strip_prefix(prefix)?.as_bytes())?;
                    let policy = entry.path().join(file);
                    // Kernels of old Red Hats have only the second.
                    let files = ["scaling_cur_freq", "cpuinfo_cur_freq"];
                    let path = files.map(|file| policy.join(file)).into_iter().find(|p| p.exists());
                    Some((number, KernelFile::new(path?)))
                })
                .collect();
            found.sort_by_key(|(number, _)| *number);
            found
        };
        let mut found = numbered(&cpu.join("cpufreq"), "policy", "");
        if found.is_empty() {
            found = numbered(cpu, "cpu", "cpufreq");
        }
        Self { files: found.into_iter().map(|(_, file)| file).collect() }
    }

    pub(super) fn count(&self) -> usize {
        self.files.len()
    }

    /// The frequencies of all policies. One whose processors are switched off
    /// answers with an error or `<unknown>`, and is left out.
    pub(super) fn sum(&mut self) -> Result<Sum, SourceError> {
        let mut sum = Sum::default();
        for (index, file) in self.files.iter_mut().enumerate() {
            if let Ok(text) = file.read() {
                let khz = parse_khz(text).map_err(|error| error.at(file.path()))?;
                sum.mhz += khz.map_or(0.0, |khz| khz as f64 / 1000.0);
                sum.count += u32::from(khz.is_some());
            }
            if index >= KEPT_OPEN {
                file.close();
            }
        }
        Ok(sum)
    }
}

/// One number; `None` for a processor that is switched off.
fn parse_khz(text: &[u8]) -> Result<Option<u64>, Malformed> {
    let line = lines(text).next().ok_or_else(|| Malformed::missing("kHz"))?;
    match line.text {
        b"<unknown>" => Ok(None),
        _ => Ok(Some(line.whole(line.fields().next(), "kHz")?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::fixture::Folder;

    #[test]
    fn policies_are_averaged_and_what_is_off_is_left_out() {
        let folder = Folder::new("policies");
        folder.file("cpufreq/policy0/scaling_cur_freq", "1000000\n");
        folder.file("cpufreq/policy4/scaling_cur_freq", "<unknown>\n");
        folder.file("cpufreq/policy10/cpuinfo_cur_freq", "2500500\n");
        folder.file("cpufreq/boost", "1\n");
        folder.file("cpu0/cpufreq/scaling_cur_freq", "1000000\n");
        // Reading a folder fails, as a policy that is off does.
        folder.file("cpufreq/policy11/scaling_cur_freq/folder", "");
        let mut policies = Policies::below(&folder.path);
        assert_eq!(policies.count(), 4);
        assert_eq!(policies.sum(), Ok(Sum { mhz: 3500.5, count: 2 }));
    }

    #[test]
    fn kernels_before_4_3_have_them_below_their_processors() {
        let folder = Folder::new("policies_old");
        folder.file("cpu0/cpufreq/scaling_cur_freq", "1000000\n");
        folder.file("cpu1/cpufreq/scaling_cur_freq", "3000000\n");
        folder.file("cpuidle/cpufreq/scaling_cur_freq", "7\n");
        let mut policies = Policies::below(&folder.path);
        assert_eq!(policies.sum(), Ok(Sum { mhz: 4000.0, count: 2 }));
    }

    #[test]
    fn many_policies_do_not_take_a_descriptor_each() {
        let folder = Folder::new("policies_many");
        for number in 0..40 {
            folder.file(&format!("cpufreq/policy{number}/scaling_cur_freq"), "1000000\n");
        }
        let mut policies = Policies::below(&folder.path);
        let descriptors = || {
            fs::read_dir("/proc/self/fd").unwrap().filter(|fd| {
                let link = fs::read_link(fd.as_ref().unwrap().path());
                link.is_ok_and(|path| path.starts_with(&folder.path))
            })
        };
        assert_eq!(policies.sum(), Ok(Sum { mhz: 40_000.0, count: 40 }));
        assert_eq!(descriptors().count(), KEPT_OPEN);
        assert_eq!(policies.sum(), Ok(Sum { mhz: 40_000.0, count: 40 }));
    }

    #[test]
    fn garbage_is_refused() {
        for bad in ["", "\n", "fast\n", "-1\n"] {
            assert!(parse_khz(bad.as_bytes()).is_err(), "{bad}");
        }
        assert_eq!(parse_khz(b"1008000\n"), Ok(Some(1_008_000)));
    }
}
