//! The configuration of the server: `pattoo.yaml` and `pattoo_server.yaml`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use pattoo_common::config::{
    ConfigError, MAX_FILE_BYTES, Pattoo, Presence, Reader, Report, Section,
};

/// The file of the server.
const FILE: &str = "pattoo_server.yaml";
/// Where agents and hubs post.
const AGENTS_PORT: u16 = 20201;
/// Where people and their programs ask.
const WEB_PORT: u16 = 20202;
/// Sections of the original that the server has no use for: its ingester and its
/// database.
const OTHERS_SECTIONS: &[&str] = &["main", "pattoo", "pattoo_ingesterd", "db"];

/// What the server runs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// What all programs share.
    pub pattoo: Pattoo,
    /// Where agents and hubs post: section `pattoo_api_agentd`.
    pub agents: SocketAddr,
    /// Where people and their programs ask: section `pattoo_apid`.
    pub web: SocketAddr,
    /// The data folder: `directory` of section `store`.
    pub data_directory: PathBuf,
}

impl ServerConfig {
    /// Reads the files in `folder`.
    pub fn load(folder: &Path) -> Result<(Self, Report), ConfigError> {
        let mut reader = Reader::new(folder);
        let pattoo = Pattoo::load(&mut reader);
        let config = reader.file(FILE, MAX_FILE_BYTES, Presence::Optional, |top| {
            top.ignore(OTHERS_SECTIONS);
            let data = pattoo.daemon_directory.join("data");
            Self {
                agents: top.section("pattoo_api_agentd", |section| listen(section, AGENTS_PORT)),
                web: top.section("pattoo_apid", |section| listen(section, WEB_PORT)),
                data_directory: top.section("store", |section| section.path("directory", data)),
                pattoo,
            }
        });
        reader.finish(config)
    }

    /// Where a program on this machine reaches the web interface.
    pub fn web_from_here(&self) -> SocketAddr {
        let ip = match self.web.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(ip, self.web.port())
    }
}

fn listen(section: &mut Section<'_>, port: u16) -> SocketAddr {
    let every_address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let ip = section.listen_address("ip_listen_address", every_address);
    SocketAddr::new(ip, section.port("ip_bind_port", port))
}
