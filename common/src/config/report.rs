//! What reading the configuration found: values, warnings, problems. Nothing is
//! thrown at the first fault: a person sees all of them at once.

use std::fmt;
use std::path::{Path, PathBuf};

use super::line::{Step, dotted, line_of};

/// Problems, and warnings, that are written out; the rest is counted. A device
/// list of thousands may hold the same fault in each entry.
const MAX_SHOWN: usize = 20;

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It stands in the file.
    File,
    /// The file does not name it.
    Default,
    /// It stands in the file, and this program has no use for it.
    Unused,
}

/// The value that is used for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The file that the key belongs to; with [`Origin::Default`] it may not exist.
    pub file: PathBuf,
    /// The key with its sections, such as `pattoo.log_level`.
    pub key: String,
    /// The value as a person reads it, with its unit.
    pub value: String,
    /// Where the value came from.
    pub origin: Origin,
}

/// Something that is probably not what was meant, and does no harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The file it is about.
    pub file: PathBuf,
    /// The line in it, from 1.
    pub line: Option<usize>,
    /// What is odd, and what to do.
    pub message: String,
}

/// What `--check` prints: every key with the value that is used, and warnings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// In the order in which the files and keys were read.
    pub entries: Vec<Entry>,
    /// For the log of a daemon, and for `--check`.
    pub warnings: Vec<Warning>,
    /// The files that were read.
    pub files: Vec<PathBuf>,
    /// Those of the folder that hold any key.
    pub files_with_keys: Vec<PathBuf>,
}

/// One reason why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Nothing names a folder, or what is named is none.
    Folder {
        /// What was looked for and what to do.
        message: String,
    },
    /// A file is missing, cannot be read, or is larger than its limit.
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why, and what to do.
        message: String,
    },
    /// A file is no YAML, holds a key twice, or is nested too deep.
    Syntax {
        /// The file.
        file: PathBuf,
        /// The line, from 1, where it is known.
        line: Option<usize>,
        /// What the parser found.
        message: String,
    },
    /// A value is missing, or not what its key takes.
    Value {
        /// The file.
        file: PathBuf,
        /// The line, from 1, of the key or of the section that lacks it.
        line: Option<usize>,
        /// The key with its sections, such as `ip_devices[3].ip_address`.
        key: String,
        /// What was found, what was wanted.
        message: String,
    },
}

/// Why a configuration cannot be used; exit code 2. Everything that is wrong is
/// in it, with the warnings: a misspelt key is often the reason of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<Problem>,
    /// Problems past the first twenty are only counted.
    pub more_problems: usize,
    /// What else was odd.
    pub warnings: Vec<Warning>,
}

impl ConfigError {
    /// An error of a single problem.
    pub(super) fn of(problem: Problem) -> Self {
        Self { problems: vec![problem], more_problems: 0, warnings: Vec::new() }
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for problem in &self.problems {
            write!(f, "{separator}{problem}")?;
            separator = "\n";
        }
        if self.more_problems > 0 {
            write!(f, "\n... and {} more of such problems", self.more_problems)?;
        }
        for warning in &self.warnings {
            write!(f, "\nwarning: {warning}")?;
        }
        Ok(())
    }
}

/// `file:line: `, as compilers write it and editors jump to.
fn place(f: &mut fmt::Formatter<'_>, file: &Path, line: Option<usize>) -> fmt::Result {
    match line {
        Some(line) => write!(f, "{}:{line}: ", file.display()),
        None => write!(f, "{}: ", file.display()),
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder { message } => f.write_str(message),
            Self::Unreadable { file, message } => {
                place(f, file, None)?;
                f.write_str(message)
            }
            Self::Syntax { file, line, message } => {
                place(f, file, *line)?;
                f.write_str(message)
            }
            Self::Value { file, line, key, message } => {
                place(f, file, *line)?;
                if key.is_empty() { f.write_str(message) } else { write!(f, "{key}: {message}") }
            }
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        place(f, &self.file, self.line)?;
        f.write_str(&self.message)
    }
}

impl Report {
    /// Says in the log what is different in `new`, which was read later: what is
    /// taken over at once, whose keys are `live`, and what needs a restart. Lists of
    /// sections are their reader's to compare.
    pub fn tell_changes(&self, new: &Self, live: &[&str]) {
        let value = |entries: &[Entry], key: &str| {
            entries.iter().find(|entry| entry.key == key).map(|entry| entry.value.clone())
        };
        for Entry { key, value: now, origin, .. } in &new.entries {
            let before = value(&self.entries, key).unwrap_or_default();
            if before == *now || *origin == Origin::Unused {
                continue;
            }
            let name = key.rsplit('.').next().unwrap_or(key);
            if live.contains(&key.as_str()) || live.contains(&name) {
                log::info!("SIGHUP: {key}: {now} (it was {before})");
            } else {
                log::warn!("SIGHUP: {key}: {before} is used until the restart, then {now}");
            }
        }
    }

    /// Takes over the values of the keys that are `live`: for the others, what is in
    /// use is still the old one, and told so the next time.
    pub fn take_over(&mut self, new: Self, live: &[&str]) {
        for entry in new.entries {
            let name = entry.key.rsplit('.').next().unwrap_or(&entry.key);
            let is_live = live.contains(&entry.key.as_str()) || live.contains(&name);
            if let Some(known) = self.entries.iter_mut().find(|known| known.key == entry.key)
                && is_live
            {
                *known = entry;
            }
        }
    }

    /// What `--check` prints of it: the values, a line each, without the warnings.
    pub fn lines(&self) -> Vec<String> {
        let (entries, files) = (self.entries.clone(), self.files.clone());
        let values = Self { entries, files, ..Self::default() };
        values.to_string().lines().map(str::to_owned).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut file: Option<&Path> = None;
        for entry in &self.entries {
            if file != Some(&entry.file) {
                file = Some(&entry.file);
                // A misspelt name must not look like a file that was read.
                let missing = if self.files.contains(&entry.file) { "" } else { "  (not there)" };
                writeln!(f, "{}{missing}", entry.file.display())?;
            }
            let origin = match entry.origin {
                Origin::File | Origin::Unused => "",
                Origin::Default => "  (default)",
            };
            writeln!(f, "  {}: {}{origin}", entry.key, entry.value)?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        Ok(())
    }
}

/// A file that was read: its text is kept to find lines in.
#[derive(Debug)]
pub(super) struct SourceFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// Collects while files are read.
#[derive(Debug, Default)]
pub(super) struct Findings {
    report: Report,
    problems: Vec<Problem>,
    more_problems: usize,
    more_warnings: usize,
    /// While a file that could not be parsed is read as an empty one: what it
    /// lacks is no news then.
    pub(super) muted: bool,
    /// Files with secrets are not opened.
    pub(super) without_secrets: bool,
}

impl Findings {
    /// A file that was read.
    pub(super) fn read(&mut self, path: &Path) {
        self.report.files.push(path.to_owned());
    }

    /// A file of the folder that holds a key.
    pub(super) fn holds_keys(&mut self, path: &Path) {
        self.report.files_with_keys.push(path.to_owned());
    }

    /// A fault of a whole file.
    pub(super) fn file_problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// A fault of the value at `path`.
    pub(super) fn problem(&mut self, file: &SourceFile, path: &[Step], message: String) {
        if self.muted {
            return;
        }
        if self.problems.len() >= MAX_SHOWN {
            self.more_problems += 1;
            return;
        }
        let line = nearest_line(file, path);
        let (file, key) = (file.path.clone(), dotted(path));
        self.problems.push(Problem::Value { file, line, key, message });
    }

    /// Something odd about the value at `path`.
    pub(super) fn warning(&mut self, file: &SourceFile, path: &[Step], message: &str) {
        if self.muted {
            return;
        }
        if self.report.warnings.len() >= MAX_SHOWN {
            self.more_warnings += 1;
            return;
        }
        let line = nearest_line(file, path);
        let message = format!("{}: {message}", dotted(path));
        self.report.warnings.push(Warning { file: file.path.clone(), line, message });
    }

    /// The value that is used at `path`.
    pub(super) fn entry(
        &mut self,
        file: &SourceFile,
        path: &[Step],
        value: String,
        origin: Origin,
    ) {
        if !self.muted {
            let (file, key) = (file.path.clone(), dotted(path));
            self.report.entries.push(Entry { file, key, value, origin });
        }
    }

    /// The report, or everything that is wrong.
    pub(super) fn finish(mut self) -> Result<Report, ConfigError> {
        if self.more_warnings > 0
            && let Some(last) = self.report.warnings.last_mut()
        {
            last.message = format!("{} (and {} more warnings)", last.message, self.more_warnings);
        }
        if self.problems.is_empty() {
            return Ok(self.report);
        }
        Err(ConfigError {
            problems: self.problems,
            more_problems: self.more_problems,
            warnings: self.report.warnings,
        })
    }
}

/// The line of a key or, where it is missing, of what should hold it.
fn nearest_line(file: &SourceFile, path: &[Step]) -> Option<usize> {
    (1..=path.len()).rev().find_map(|length| line_of(&file.text, &path[..length]))
}
