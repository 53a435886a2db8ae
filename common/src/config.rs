//! The configuration: which folder, which files, which keys, with which defaults.
//!
//! A program builds its typed configuration from [`Section`]s. Whatever is wrong
//! in any file is collected and told at once, with file, line and key; so are
//! keys that nobody knows. `spoke`, `hub` and `server` show how it is used.

mod hub;
mod line;
mod pattoo;
mod report;
mod section;
mod server;
mod spoke;
mod value;
mod yaml;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use hub::{HUB_PROGRAM, HubConfig, PostMode, SpoolMode};
pub use pattoo::{AgentApi, Pattoo};
pub use report::{ConfigError, Entry, Origin, Problem, Report, Warning};
pub use section::Section;
pub use server::{AgentListener, KeepConfig, Listener, SERVER_PROGRAM, ServerConfig, StoreConfig};
pub use spoke::{SPOKE_PROGRAM, SpokeConfig};

use crate::program::{Configured, DaemonSettings};
use report::{Findings, SourceFile};
use yaml::Node;

/// The largest configuration file, in bytes.
pub const MAX_FILE_BYTES: usize = 64 << 10;
/// The largest file with a list of devices, in bytes.
pub const MAX_DEVICE_FILE_BYTES: usize = 16 << 20;
/// Names the folder with the configuration files.
const FOLDER_VARIABLE: &str = "PATTOO_CONFIGDIR";
/// The folder that is used where the variable is not set.
const DEFAULT_FOLDER: &str = "/etc/pattoo";

/// The folder with the configuration files: `PATTOO_CONFIGDIR`, else
/// `/etc/pattoo` if it exists.
pub fn folder() -> Result<PathBuf, ConfigError> {
    folder_of(std::env::var_os(FOLDER_VARIABLE), Path::new(DEFAULT_FOLDER))
}

fn folder_of(variable: Option<OsString>, default: &Path) -> Result<PathBuf, ConfigError> {
    let fault = |message| Err(ConfigError::of(Problem::Folder { message }));
    let Some(named) = variable.filter(|name| !name.is_empty()) else {
        if default.is_dir() {
            return Ok(default.to_owned());
        }
        return fault(format!(
            "no configuration: {FOLDER_VARIABLE} is not set and there is no folder {}; set \
             {FOLDER_VARIABLE} to the folder that holds pattoo.yaml, or make {}",
            default.display(),
            default.display()
        ));
    };
    // A daemon leaves the folder it was started in.
    let expanded = named.to_str().and_then(value::expand_home).unwrap_or_else(|| named.into());
    let folder = std::path::absolute(&expanded).unwrap_or(expanded);
    if folder.is_dir() {
        return Ok(folder);
    }
    fault(format!(
        "{FOLDER_VARIABLE} is {}, which is no folder; set it to the folder that holds pattoo.yaml",
        folder.display()
    ))
}

/// Reads the configuration of a program for [`Program::configure`]; `pattoo` shows
/// where it has what all programs share.
///
/// [`Program::configure`]: crate::program::Program::configure
pub fn configured<C>(
    load: impl FnOnce(&Path) -> Result<(C, Report), ConfigError>,
    pattoo: impl FnOnce(&C) -> &Pattoo,
) -> Result<Configured<(C, Report)>, String> {
    let loaded = folder().and_then(|folder| load(&folder));
    let (config, report) = loaded.map_err(|error| error.to_string())?;
    Ok(Configured {
        settings: pattoo(&config).daemon_settings(),
        warnings: report.warnings.iter().map(ToString::to_string).collect(),
        files: report.files.clone(),
        files_with_keys: report.files_with_keys.clone(),
        configuration: (config, report),
    })
}

/// Reads only what every program needs, for [`Program::settings`]: a mistake
/// elsewhere in the configuration does not matter.
///
/// [`Program::settings`]: crate::program::Program::settings
pub fn daemon_settings() -> Result<DaemonSettings, String> {
    let pattoo = folder().and_then(|folder| {
        let mut reader = Reader::new(&folder);
        let pattoo = Pattoo::load(&mut reader);
        reader.finish(pattoo)
    });
    pattoo.map(|(pattoo, _)| pattoo.daemon_settings()).map_err(|error| error.to_string())
}

/// Whether a file must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Its absence is an error.
    Required,
    /// Without it every key has its default.
    Optional,
}

/// Reads the files of one folder and collects what it finds.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
    findings: Findings,
}

impl Reader {
    /// A reader of the files in `folder`.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), findings: Findings::default() }
    }

    /// Leaves files with secrets unopened, for who may not read them and needs none.
    #[must_use]
    pub fn without_secrets(mut self) -> Self {
        self.findings.without_secrets = true;
        self
    }

    /// Reads a file of the folder; `read` gets the keys at its top.
    pub fn file<T>(
        &mut self,
        name: &str,
        limit_bytes: usize,
        presence: Presence,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        let path = self.folder.join(name);
        let (text, node) = match load(&path, limit_bytes, presence) {
            Ok(loaded) => loaded,
            Err(problem) => {
                self.findings.file_problem(problem);
                self.findings.muted = true;
                (String::new(), Node::Nothing)
            }
        };
        if node != Node::Nothing || path.exists() {
            self.findings.read(&path);
        }
        if !node.is_empty() {
            self.findings.holds_keys(&path);
        }
        let file = SourceFile { path, text };
        let result = Section::read(&file, Vec::new(), &node, &mut self.findings, true, read);
        self.findings.muted = false;
        result
    }

    /// Reads the file of a program: `<program>.yaml`, with its keys at the top or
    /// in a section that has the program's name, as the original had both.
    pub fn program_file<T>(
        &mut self,
        program: &'static str,
        limit_bytes: usize,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        self.file(&format!("{program}.yaml"), limit_bytes, Presence::Optional, |top| {
            if top.has(program) { top.section(program, read) } else { read(top) }
        })
    }

    /// The configuration with its report, or everything that is wrong.
    pub fn finish<T>(self, config: T) -> Result<(T, Report), ConfigError> {
        self.findings.finish().map(|report| (config, report))
    }
}

/// The text of a file and what it holds; nothing, if it may be missing and is.
fn load(path: &Path, limit_bytes: usize, presence: Presence) -> Result<(String, Node), Problem> {
    let unreadable = |message| Problem::Unreadable { file: path.to_owned(), message };
    let bytes = match read_limited(path, limit_bytes) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match presence {
                Presence::Optional => Ok((String::new(), Node::Nothing)),
                Presence::Required => Err(unreadable(
                    "this file is missing; write it, or set PATTOO_CONFIGDIR to the folder that \
                     holds it"
                        .to_owned(),
                )),
            };
        }
        Err(error) => return Err(unreadable(format!("cannot be read: {error}"))),
    };
    if bytes.len() > limit_bytes {
        let limit = value::size(limit_bytes as u64);
        return Err(unreadable(format!("is larger than {limit}, the most that is read")));
    }
    let syntax = |line, message| Problem::Syntax { file: path.to_owned(), line, message };
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.split(|byte| *byte == b'\n').count();
        syntax(Some(line), "this is no UTF-8 text".to_owned())
    })?;
    let node = yaml::parse(&text).map_err(|error| syntax(error.line, error.message))?;
    Ok((text, node))
}

/// At most one byte more than the limit. Only a regular file is opened: reading a
/// pipe could wait for ever.
fn read_limited(path: &Path, limit_bytes: usize) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(limit_bytes as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
