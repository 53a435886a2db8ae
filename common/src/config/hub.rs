//! The configuration of the hub.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use super::{AgentApi, ConfigError, MAX_DEVICE_FILE_BYTES, Pattoo, Reader, Report, Section};
use crate::http_client::Address;
use crate::signature::Secrets;

/// The program's name: of its binary, its configuration and its PID file.
pub const HUB_PROGRAM: &str = "pattoo_agent_linux_hubd";

/// The port of a spoke.
const DEFAULT_DEVICE_PORT: u16 = 5000;
/// The longest time between polls, in seconds; the spoke takes no longer one.
const MAX_INTERVAL_S: u64 = 86_400;

/// How batches are posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostMode {
    /// `Batch` once an answer of the server shows that it is ours, else `Device`.
    Auto,
    /// One merged batch an interval.
    Batch,
    /// One document a post, oldest first: what the original's server survives.
    Device,
}

/// What is written to disk before it is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpoolMode {
    /// Every batch: a kill of the hub costs nothing.
    Always,
    /// What could not be posted at once: a kill may cost the interval in hand.
    /// For flash cards.
    OnFailure,
}

/// What the hub runs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubConfig {
    /// What all programs share.
    pub pattoo: Pattoo,
    /// Where batches are posted to.
    pub agent_api: AgentApi,
    /// The spokes to poll, each once, in the order of the file. Never empty.
    pub ip_devices: Vec<Address>,
    /// Time between polls.
    pub polling_interval: Duration,
    /// How batches are posted.
    pub post_mode: PostMode,
    /// A batch past this size is posted in several parts.
    pub max_batch_bytes: usize,
    /// The whole time for one device; at most 80 % of the interval.
    pub poll_timeout: Duration,
    /// Polls at once.
    pub max_threads: usize,
    /// What is written to disk.
    pub spool: SpoolMode,
    /// All batches on disk together; past it the oldest goes.
    pub spool_max_bytes: u64,
    /// The age past which a batch goes.
    pub spool_max_age: Duration,
    /// Disk space that the spool leaves free; `None`: 5 % of the disk, at most
    /// 512 MiB.
    pub spool_min_free_bytes: Option<u64>,
    /// The name of this host in the hub's own figures; `None`: as the network
    /// knows it.
    pub hostname: Option<String>,
    /// What polls are signed with, and their answers must be; `None`: neither is.
    pub secrets: Option<Secrets>,
    /// Likewise for posts.
    pub post_secrets: Option<Secrets>,
}

impl HubConfig {
    /// Reads the files in `folder`.
    pub fn load(folder: &Path) -> Result<(Self, Report), ConfigError> {
        let mut reader = Reader::new(folder);
        let (pattoo, agent_api) = Pattoo::load_with_agent_api(&mut reader);
        let config = reader.program_file(HUB_PROGRAM, MAX_DEVICE_FILE_BYTES, |section| {
            let ip_devices = devices(section);
            let polling_interval = section.seconds("polling_interval", 300, 1..=MAX_INTERVAL_S);
            let secrets =
                section.optional_secrets("secret_file", "none: nothing is signed or checked");
            let post_secrets = section.optional_secrets("post_secret_file", "that of secret_file");
            let spool_max_bytes = section.bytes("spool_max_bytes", 256 << 20, 1 << 20..=1 << 40);
            Self {
                pattoo,
                agent_api,
                ip_devices,
                polling_interval,
                post_mode: section.choice(
                    "post_mode",
                    &[
                        ("auto", PostMode::Auto),
                        ("batch", PostMode::Batch),
                        ("device", PostMode::Device),
                    ],
                ),
                max_batch_bytes: max_batch_bytes(section, spool_max_bytes),
                poll_timeout: poll_timeout(section, polling_interval),
                max_threads: section.number("max_threads", 1_024, 1..=16_384),
                spool: section.choice(
                    "spool",
                    &[("always", SpoolMode::Always), ("on_failure", SpoolMode::OnFailure)],
                ),
                spool_max_bytes,
                spool_max_age: section.seconds("spool_max_age", 7 * 86_400, 60..=365 * 86_400),
                spool_min_free_bytes: section.optional_bytes(
                    "spool_min_free_bytes",
                    "5 % of the disk, at most 512 MiB",
                    0..=1 << 40,
                ),
                hostname: section.optional_host_name("hostname", "as the network knows this host"),
                post_secrets: post_secrets.or_else(|| secrets.clone()),
                secrets,
            }
        });
        reader.finish(config)
    }
}

/// The devices of the list, each once. `ip_targets` and `bind_port` are names that
/// releases of the original used.
fn devices(section: &mut Section<'_>) -> Vec<Address> {
    section.also_called("ip_devices", "ip_targets");
    let mut seen = HashSet::new();
    let entries = section.sections("ip_devices", |device| {
        device.also_called("ip_bind_port", "bind_port");
        let port = device.port("ip_bind_port", DEFAULT_DEVICE_PORT);
        let address = Address { host: device.required_host("ip_address")?, port };
        if seen.insert(address.clone()) {
            return Some(address);
        }
        device.warn("ip_address", &format!("{address} is in the list already; polled once"));
        None
    });
    if entries.is_empty() {
        section.wrong(
            "ip_devices",
            "no device to poll is named; add the machines where a spoke runs, such as\n\
             \x20 ip_devices:\n\
             \x20   - ip_address: 127.0.0.1\n\
             \x20     ip_bind_port: 5000",
        );
    }
    entries.into_iter().flatten().collect()
}

/// The configured time, but at most 80 % of the interval: the rest is for posting.
fn poll_timeout(section: &mut Section<'_>, interval: Duration) -> Duration {
    let most = interval * 4 / 5;
    let given = section.has("poll_timeout");
    let timeout = section.seconds("poll_timeout", 10, 1..=MAX_INTERVAL_S);
    if given && timeout > most {
        let message =
            format!("is more than 80 % of the interval; {} s is used", most.as_secs_f64());
        section.warn("poll_timeout", &message);
    }
    timeout.min(most)
}

/// A batch that is larger than the spool may be could never be taken.
fn max_batch_bytes(section: &mut Section<'_>, spool_max_bytes: u64) -> usize {
    let given = section.has("max_batch_bytes");
    let wanted = section.bytes("max_batch_bytes", 8 << 20, 64 << 10..=16 << 20);
    if given && wanted > spool_max_bytes {
        let message = format!("is more than spool_max_bytes; {spool_max_bytes} bytes are used");
        section.warn("max_batch_bytes", &message);
    }
    usize::try_from(wanted.min(spool_max_bytes)).unwrap_or(usize::MAX)
}
