//! What all programs share: `pattoo.yaml`, and the server's address.

use std::path::PathBuf;

use log::LevelFilter;

use super::{MAX_FILE_BYTES, Presence, Reader, Section};
use crate::http_client::Address;
use crate::program::DaemonSettings;

/// The file that every program reads.
const FILE: &str = "pattoo.yaml";
/// Holds the address of the server since the original's last release.
const AGENT_FILE: &str = "pattoo_agent.yaml";
/// The section of the folders, and its name in the first releases.
const PATTOO_SECTIONS: &[&str] = &["pattoo", "main"];
/// The section of the server's address, and its names in the first releases.
const AGENT_API_SECTIONS: &[&str] = &["pattoo_agent_api", "remote_api", "polling"];
/// Sections of programs that are not ours.
const OTHERS_SECTIONS: &[&str] = &["pattoo_web_api"];
/// Where the server takes the data of agents.
const DEFAULT_AGENT_API_PORT: u16 = 20201;

/// Section `pattoo` of `pattoo.yaml`: where things are, and how much is logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattoo {
    /// Log files.
    pub log_directory: PathBuf,
    /// What is logged.
    pub log_level: LevelFilter,
    /// A log file that is larger gives way to a new one.
    pub log_max_bytes: u64,
    /// Batches that the server has not acknowledged. The original's name for the
    /// spool; what is in it must survive a reboot.
    pub cache_directory: PathBuf,
    /// What must survive a reboot: the agent id, the name of the host.
    pub daemon_directory: PathBuf,
    /// What should not survive a reboot: the PID file.
    pub system_daemon_directory: PathBuf,
    /// The language of people, such as `en`.
    pub language: String,
    /// Whom daemons become that root has started; `None`: they stay root.
    pub user: Option<String>,
    /// The group in place of that user's own.
    pub group: Option<String>,
    /// Whether Landlock is used where the kernel has it.
    pub landlock: bool,
}

/// Where agents post to: section `pattoo_agent_api`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentApi {
    /// Host name or address of the server.
    pub ip_address: String,
    /// Its TCP port.
    pub ip_bind_port: u16,
}

impl AgentApi {
    /// Host and port in one.
    pub fn address(&self) -> Address {
        Address { host: self.ip_address.clone(), port: self.ip_bind_port }
    }

    fn read(section: &mut Section<'_>) -> Self {
        section.also_called("ip_address", "api_ip_address");
        section.also_called("ip_bind_port", "api_ip_bind_port");
        Self {
            ip_address: section.host("ip_address", "localhost"),
            ip_bind_port: section.port("ip_bind_port", DEFAULT_AGENT_API_PORT),
        }
    }

    /// Reads it from `pattoo_agent.yaml`, if that has it.
    fn of_agent_file(reader: &mut Reader) -> Option<Self> {
        reader.file(AGENT_FILE, MAX_FILE_BYTES, Presence::Optional, |top| {
            top.has("pattoo_agent_api").then(|| top.section("pattoo_agent_api", Self::read))
        })
    }
}

impl Pattoo {
    /// Reads what a program needs that posts nothing.
    pub fn load(reader: &mut Reader) -> Self {
        reader.file(FILE, MAX_FILE_BYTES, Presence::Required, |top| {
            top.ignore(AGENT_API_SECTIONS);
            top.ignore(OTHERS_SECTIONS);
            let pattoo = top.first_of(PATTOO_SECTIONS);
            top.section(pattoo, Self::read)
        })
    }

    /// Reads what a program needs that posts to the server. If both files tell its
    /// address, `pattoo_agent.yaml` wins.
    pub fn load_with_agent_api(reader: &mut Reader) -> (Self, AgentApi) {
        let agent_api = AgentApi::of_agent_file(reader);
        reader.file(FILE, MAX_FILE_BYTES, Presence::Required, |top| {
            top.ignore(OTHERS_SECTIONS);
            let pattoo = top.first_of(PATTOO_SECTIONS);
            let pattoo = top.section(pattoo, Self::read);
            let here = top.first_of(AGENT_API_SECTIONS);
            let Some(agent_api) = agent_api else {
                return (pattoo, top.section(here, AgentApi::read));
            };
            if top.has(here) {
                top.warn(here, "not used, since pattoo_agent.yaml has the server's address");
            }
            (pattoo, agent_api)
        })
    }

    fn read(section: &mut Section<'_>) -> Self {
        let log_directory = section.path("log_directory", "/var/log/pattoo");
        let log_level = section.choice(
            "log_level",
            &[
                ("info", LevelFilter::Info),
                ("trace", LevelFilter::Trace),
                ("debug", LevelFilter::Debug),
                ("warn", LevelFilter::Warn),
                ("warning", LevelFilter::Warn),
                ("error", LevelFilter::Error),
                ("critical", LevelFilter::Error),
            ],
        );
        let log_max_bytes = section.bytes("log_max_bytes", 16 << 20, 64 << 10..=1 << 40);
        let cache_directory = section.path("cache_directory", "/var/spool/pattoo");
        let daemon_directory = section.path("daemon_directory", "/var/lib/pattoo");
        let system_daemon_directory =
            section.path("system_daemon_directory", daemon_directory.clone());
        let language = section.text("language", "en").to_ascii_lowercase();
        let user = section.optional_account("user", "whoever starts it");
        let group = section.optional_account("group", "the user's own");
        if group.is_some() && user.is_none() {
            section.wrong("group", "stands here without `user`; name the user too");
        }
        let landlock = section.choice("landlock", &[("auto", true), ("off", false)]);
        Self {
            log_directory,
            log_level,
            log_max_bytes,
            cache_directory,
            daemon_directory,
            system_daemon_directory,
            language,
            user,
            group,
            landlock,
        }
    }

    /// What the daemon around a program works with.
    pub fn daemon_settings(&self) -> DaemonSettings {
        DaemonSettings {
            system_daemon_directory: self.system_daemon_directory.clone(),
            log_directory: self.log_directory.clone(),
            log_level: self.log_level,
            log_max_bytes: self.log_max_bytes,
            user: self.user.clone(),
            group: self.group.clone(),
            landlock: self.landlock,
        }
    }

    /// The folder of agent ids and of the kept host name.
    pub fn agent_id_directory(&self) -> PathBuf {
        self.daemon_directory.join("agent_id")
    }
}
