//! The configuration of the spoke.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use super::{ConfigError, MAX_FILE_BYTES, Pattoo, Reader, Report};
use crate::allow_from::AllowFrom;
use crate::signature::Secrets;

/// The program's name: of its binary, its configuration and its PID file.
pub const SPOKE_PROGRAM: &str = "pattoo_agent_linux_spoked";

/// The port of the original.
const DEFAULT_PORT: u16 = 5000;
/// Threads that answer; each holds at most one request.
const DEFAULT_WORKERS: usize = 2;

/// What the spoke runs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpokeConfig {
    /// What all programs share.
    pub pattoo: Pattoo,
    /// The address to listen at.
    pub ip_listen_address: IpAddr,
    /// The TCP port to listen at.
    pub ip_bind_port: u16,
    /// The networks from which it may be asked.
    pub allow_from: AllowFrom,
    /// Where the kernel's process file system is: `/proc`.
    pub proc_directory: PathBuf,
    /// Where the kernel's device file system is: `/sys`.
    pub sys_directory: PathBuf,
    /// What mount points are below: `/`.
    pub root_directory: PathBuf,
    /// The name of this host in its figures; `None`: as the network knows it.
    pub hostname: Option<String>,
    /// What `uname -p` is taken to say, which is part of every checksum; `None`: by
    /// the distribution.
    pub processor: Option<String>,
    /// Threads that answer.
    pub workers: usize,
    /// What requests must be signed with; `None`: whoever asks is answered.
    pub secrets: Option<Secrets>,
}

impl SpokeConfig {
    /// Reads the files in `folder`.
    pub fn load(folder: &Path) -> Result<(Self, Report), ConfigError> {
        let mut reader = Reader::new(folder);
        let pattoo = Pattoo::load(&mut reader);
        let config = reader.program_file(SPOKE_PROGRAM, MAX_FILE_BYTES, |section| {
            // The original's installer wrote it into the spoke's file too.
            section.ignore(&["polling_interval"]);
            let every_address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
            Self {
                pattoo,
                ip_listen_address: section.listen_address("ip_listen_address", every_address),
                ip_bind_port: section.port("ip_bind_port", DEFAULT_PORT),
                allow_from: section.allow_from("allow_from"),
                proc_directory: section.path("proc_directory", "/proc"),
                sys_directory: section.path("sys_directory", "/sys"),
                root_directory: section.path("root_directory", "/"),
                hostname: section.optional_host_name("hostname", "as the network knows this host"),
                processor: section.optional_text("processor", "as `uname -p` has it here"),
                workers: section.number("workers", DEFAULT_WORKERS, 1..=16),
                secrets: section.optional_secrets("secret_file", "none: whoever asks is answered"),
            }
        });
        reader.finish(config)
    }
}
