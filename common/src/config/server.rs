//! The configuration of the server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{ConfigError, MAX_FILE_BYTES, Pattoo, Presence, Reader, Report, Section};
use crate::allow_from::AllowFrom;
use crate::signature::Secrets;

/// The program's name: of its binary and its PID file.
pub const SERVER_PROGRAM: &str = "pattood";

/// The file that only the server reads.
const FILE: &str = "pattoo_server.yaml";
/// Sections of the original: its database, its ingester, its tokens, and what
/// stands in `pattoo.yaml` now.
const ORIGINALS_SECTIONS: &[&str] =
    &["pattoo", "main", "pattoo_db", "db", "pattoo_ingesterd", "pattoo_web_api"];
/// Where agents post to.
const DEFAULT_AGENT_PORT: u16 = 20201;
/// Where people and their programs ask.
const DEFAULT_WEB_PORT: u16 = 20202;

const MIB: u64 = 1 << 20;
const DAY_S: u64 = 86_400;
/// The longest time that can be kept: a century.
const MAX_AGE_S: u64 = 36_525 * DAY_S;

/// What the server runs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// What all programs share.
    pub pattoo: Pattoo,
    /// Section `pattoo_api_agentd`: where agents post to.
    pub agent_api: AgentListener,
    /// Section `pattoo_apid`: where people and their programs ask.
    pub web_api: Listener,
    /// Of the same section: whether, once there are users, whoever reads must be
    /// signed in; whoever changes anything must be anyway.
    pub reading_needs_sign_in: bool,
    /// Section `store`: what is kept, and where.
    pub store: StoreConfig,
}

/// Where a part of the server listens, and how many threads answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The address to listen at.
    pub ip_listen_address: IpAddr,
    /// The TCP port to listen at.
    pub ip_bind_port: u16,
    /// The networks from which clients may come.
    pub allow_from: AllowFrom,
    /// Threads that answer; each holds at most one request.
    pub workers: usize,
}

/// Where agents post to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentListener {
    /// Address, port, threads.
    pub listener: Listener,
    /// The longest posted document, also once it is unpacked.
    pub max_body_bytes: usize,
    /// What posts must be signed with; `None`: whoever posts is heard.
    pub secrets: Option<Secrets>,
}

/// What is kept, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// The data folder.
    pub directory: PathBuf,
    /// Every sample.
    pub raw: KeepConfig,
    /// Roll-ups of five minutes.
    pub five_minutes: KeepConfig,
    /// Roll-ups of an hour.
    pub one_hour: KeepConfig,
    /// Series that one agent may have.
    pub max_series_per_agent: u64,
}

/// How long, and how much, of one resolution is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepConfig {
    /// At least so long; whole days go at once.
    pub max_age: Duration,
    /// At most so much, if that is bounded.
    pub max_bytes: Option<u64>,
}

impl ServerConfig {
    /// Reads the files in `folder`.
    pub fn load(folder: &Path) -> Result<(Self, Report), ConfigError> {
        Self::read(Reader::new(folder))
    }

    /// Reads them for a person's program: not every person may read the secrets.
    pub fn load_without_secrets(folder: &Path) -> Result<(Self, Report), ConfigError> {
        Self::read(Reader::new(folder).without_secrets())
    }

    fn read(mut reader: Reader) -> Result<(Self, Report), ConfigError> {
        let pattoo = Pattoo::load(&mut reader);
        let config = reader.file(FILE, MAX_FILE_BYTES, Presence::Optional, |top| {
            top.ignore(ORIGINALS_SECTIONS);
            let agent_api = top.section("pattoo_api_agentd", AgentListener::read);
            let (web_api, reading_needs_sign_in) = top.section("pattoo_apid", |section| {
                let listener = Listener::read(section, DEFAULT_WEB_PORT);
                (listener, section.flag("reading_needs_sign_in", true))
            });
            let data = pattoo.daemon_directory.join("data");
            let store = top.section("store", |section| StoreConfig::read(section, data));
            Self { pattoo, agent_api, web_api, reading_needs_sign_in, store }
        });
        reader.finish(config)
    }

    /// Where a program on this machine reaches the web's side.
    pub fn web_from_here(&self) -> SocketAddr {
        let address = match self.web_api.ip_listen_address {
            IpAddr::V4(every) if every.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(every) if every.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            address => address,
        };
        SocketAddr::new(address, self.web_api.ip_bind_port)
    }
}

impl Listener {
    fn read(section: &mut Section<'_>, default_port: u16) -> Self {
        let every_address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Self {
            ip_listen_address: section.listen_address("ip_listen_address", every_address),
            ip_bind_port: section.port("ip_bind_port", default_port),
            allow_from: section.allow_from("allow_from"),
            workers: section.number("workers", 4, 1..=64),
        }
    }
}

impl AgentListener {
    fn read(section: &mut Section<'_>) -> Self {
        let listener = Listener::read(section, DEFAULT_AGENT_PORT);
        let most = section.bytes("max_body_bytes", 32 * MIB, MIB..=256 * MIB);
        Self {
            listener,
            max_body_bytes: usize::try_from(most).unwrap_or(usize::MAX),
            secrets: section.optional_secrets("secret_file", "none: whoever posts is heard"),
        }
    }
}

impl StoreConfig {
    fn read(section: &mut Section<'_>, default_directory: PathBuf) -> Self {
        let directory = section.path("directory", default_directory);
        let mut keep = |key, days| section.section(key, |section| KeepConfig::read(section, days));
        let raw = keep("raw", 90);
        let five_minutes = keep("five_minutes", 731);
        let one_hour = keep("one_hour", 3_653);
        let most = section.number("max_series_per_agent", 20_000, 1..=10_000_000);
        Self { directory, raw, five_minutes, one_hour, max_series_per_agent: most as u64 }
    }
}

impl KeepConfig {
    fn read(section: &mut Section<'_>, default_days: u64) -> Self {
        Self {
            max_age: section.seconds("max_age", default_days * DAY_S, DAY_S..=MAX_AGE_S),
            max_bytes: section.optional_bytes("max_bytes", "not bounded", 16 * MIB..=1 << 50),
        }
    }
}
