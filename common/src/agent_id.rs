//! The identity of an agent: 64 lower-case hex digits that never change. All its
//! history at the server hangs on it, so it is never replaced without being asked.

mod derived;
mod volatile;

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::durable_file;

/// Hex digits of an agent id.
const DIGITS: usize = 64;
/// An id file has one line; of a wrong one no more is read.
const MAX_FILE_BYTES: u64 = 4 << 10;

/// An agent's identity and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentId {
    /// 64 lower-case hex digits.
    pub id: String,
    /// For `--check` and the log.
    pub origin: Origin,
}

/// Where an agent id comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It was in this file.
    Kept(PathBuf),
    /// It is new, and was written to this file.
    Created(PathBuf),
    /// It is new, and its file does not survive a reboot: nothing else tells this
    /// machine from others.
    CreatedUntilReboot(PathBuf),
    /// Derived from the machine's id in this file, since the daemon's folder does
    /// not survive a reboot.
    MachineId(PathBuf),
    /// Derived from the permanent address of this network interface, likewise.
    MacAddress(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const WHY: &str = "since the daemon's folder does not survive a reboot";
        match self {
            Self::Kept(path) => write!(f, "from {}", path.display()),
            Self::Created(path) => write!(f, "new, kept in {}", path.display()),
            Self::CreatedUntilReboot(path) => write!(
                f,
                "new, in {}, which does not survive a reboot: this machine will be another one \
                 then; set daemon_directory to a folder on disk",
                path.display()
            ),
            Self::MachineId(path) => write!(f, "derived from {}, {WHY}", path.display()),
            Self::MacAddress(name) => {
                write!(f, "derived from the address of network interface {name}, {WHY}")
            }
        }
    }
}

/// Why there is no agent id.
#[derive(Debug)]
pub struct AgentIdError {
    /// The file or folder it is about.
    pub path: PathBuf,
    /// What is wrong with it, and what to do.
    pub message: String,
}

impl std::error::Error for AgentIdError {}

impl fmt::Display for AgentIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.message)
    }
}

/// Where an agent id is looked for.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// The folder of the configuration; ids are in `agent_id` below it.
    pub daemon_directory: &'a Path,
    /// The name of the program, such as `pattoo_agent_linux_spoked`.
    pub program: &'a str,
    /// The name of this host, which is part of the file's name.
    pub host_name: &'a str,
    /// `/etc/machine-id`, see machine-id(5).
    pub machine_id: &'a Path,
    /// `/sys/class/net`
    pub network_interfaces: &'a Path,
}

impl<'a> Place<'a> {
    /// The usual place on this machine.
    pub fn new(daemon_directory: &'a Path, program: &'a str, host_name: &'a str) -> Self {
        Self {
            daemon_directory,
            program,
            host_name,
            machine_id: Path::new("/etc/machine-id"),
            network_interfaces: Path::new("/sys/class/net"),
        }
    }

    /// The agent id, without writing anything; `None`: it would be a new one, in
    /// the file [`Place::file`].
    pub fn find(&self) -> Result<Option<AgentId>, AgentIdError> {
        if let Some(path) = self.existing_file()? {
            return read(&path).map(|id| Some(AgentId { id, origin: Origin::Kept(path) }));
        }
        Ok(if volatile::is_volatile(self.daemon_directory) { self.derive() } else { None })
    }

    /// The agent id; a new one is written to its file first.
    pub fn find_or_create(&self) -> Result<AgentId, AgentIdError> {
        if let Some(found) = self.find()? {
            return Ok(found);
        }
        let path = self.file();
        let fault = |what: &str, error: &io::Error| AgentIdError {
            path: path.clone(),
            message: format!("{what}: {error}; the user of the daemon must be able to write there"),
        };
        let id = random_id().map_err(|error| fault("no new agent id", &error))?;
        // Without a line end: the original takes one for a part of the id.
        let is_mine = durable_file::create(&path, self.program, id.as_bytes())
            .map_err(|error| fault("the new agent id cannot be written", &error))?;
        if !is_mine {
            // Another start was faster: there is one id for both.
            let id = read(&path)?;
            return Ok(AgentId { id, origin: Origin::Kept(path) });
        }
        let volatile = volatile::is_volatile(self.daemon_directory);
        let origin = if volatile { Origin::CreatedUntilReboot } else { Origin::Created };
        Ok(AgentId { id, origin: origin(path) })
    }

    /// The file of the original: `agent_id/<host name>.<program>.agent_id`.
    pub fn file(&self) -> PathBuf {
        // A host name comes from the network: it must not lead out of the folder.
        let host: String =
            self.host_name.chars().map(|c| if c == '/' || c == '\0' { '_' } else { c }).collect();
        self.folder().join(format!("{host}.{}.agent_id", self.program))
    }

    fn folder(&self) -> PathBuf {
        self.daemon_directory.join("agent_id")
    }

    /// The file for this host's name, else the only one of the program: a host that
    /// was renamed stays who it is.
    fn existing_file(&self) -> Result<Option<PathBuf>, AgentIdError> {
        let exact = self.file();
        // A link that leads nowhere is a file that was lost, not one that never was.
        if exact.symlink_metadata().is_ok() {
            return Ok(Some(exact));
        }
        let folder = self.folder();
        let fault = |error: &io::Error| AgentIdError {
            path: folder.clone(),
            message: format!("cannot be read: {error}; the agent id is in there"),
        };
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fault(&error)),
        };
        let suffix = format!(".{}.agent_id", self.program);
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| fault(&error))?;
            if entry.file_name().to_str().is_some_and(|name| name.ends_with(&suffix)) {
                found.push(entry.path());
            }
        }
        Ok(found.pop().filter(|_| found.is_empty()))
    }

    fn derive(&self) -> Option<AgentId> {
        derived::from_machine_id(self.machine_id, self.program)
            .or_else(|| derived::from_mac_address(self.network_interfaces, self.program))
    }
}

/// The id in the first line of a file. What is no id is never put right here.
fn read(path: &Path) -> Result<String, AgentIdError> {
    let fault = |message| AgentIdError { path: path.to_owned(), message };
    let text = durable_file::read_text(path, MAX_FILE_BYTES)
        .map_err(|error| fault(format!("the agent id cannot be read: {error}")))?;
    let line = text.lines().next().unwrap_or_default().trim_end();
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if line.len() == DIGITS && line.bytes().all(is_digit) {
        return Ok(line.to_owned());
    }
    Err(fault(format!(
        "this is no agent id; wanted {DIGITS} lower-case hex digits in the first line. Put the \
         file back from a backup, so that the history of this machine goes on, or remove it: \
         then a new id is made, and a new history begins"
    )))
}

/// A new id: 256 bits of the kernel's random generator, see urandom(4).
fn random_id() -> io::Result<String> {
    let mut bytes = [0; DIGITS / 2];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(hex(&bytes))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    halves.map(|half| char::from(DIGITS[usize::from(half)])).collect()
}

#[cfg(test)]
mod tests;
