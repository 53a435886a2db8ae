//! The hub on loopback, with stand-in spokes and a stand-in server: what it does
//! when either of them misbehaves.

mod devices;
mod posting;
mod stand_in;
mod whole;

use std::path::Path;
use std::time::Duration;

use pattoo_common::config::{AgentApi, HubConfig, Pattoo, PostMode, SpoolMode};
use pattoo_common::document::{Batch, Document, DocumentWriter, Series, Target};
use pattoo_common::http_client::Address;

const HUB_ID: &str = "490335606c967ea8779a1826bdde145b12ac82a8827f90aae0c9ff97c88c3afd";

fn target(agent_id: &str) -> Target {
    Target {
        agent_id: agent_id.to_owned(),
        program: "pattoo_agent_linux_hubd",
        agent_hostname: "hub.example.net".to_owned(),
        polled_target: "hub.example.net".to_owned(),
        metadata: vec![("hostname", "hub.example.net".to_owned())],
    }
}

/// A hub that keeps its spool in `folder` and posts to `server`.
fn config(folder: &Path, devices: Vec<Address>, server: &Address) -> HubConfig {
    HubConfig {
        pattoo: Pattoo {
            log_directory: folder.to_owned(),
            log_level: log::LevelFilter::Info,
            cache_directory: folder.join("cache"),
            daemon_directory: folder.to_owned(),
            log_max_bytes: 16 << 20,
            user: None,
            group: None,
            landlock: true,
            system_daemon_directory: folder.to_owned(),
            language: "en".to_owned(),
        },
        agent_api: AgentApi { ip_address: server.host.clone(), ip_bind_port: server.port },
        ip_devices: devices,
        polling_interval: Duration::from_secs(10),
        post_mode: PostMode::Batch,
        max_batch_bytes: 8 << 20,
        poll_timeout: Duration::from_secs(5),
        max_threads: 1_024,
        spool: SpoolMode::Always,
        spool_max_bytes: 256 << 20,
        spool_max_age: Duration::from_hours(24),
        spool_min_free_bytes: Some(0),
        hostname: None,
        secrets: None,
        post_secrets: None,
    }
}

/// A poll document of one agent with one datapoint that tells its number.
fn document(agent_id: &str, number: u64) -> Vec<u8> {
    use pattoo_common::datapoint::{DataPoint, DataType};
    let mut series = Series::new(target(agent_id));
    let mut writer = DocumentWriter::new(&mut series, 10_000);
    writer.push(&DataPoint::new("number", DataType::Gauge, number), 1_000);
    writer.finish(1_000)
}

fn merged(documents: &[Vec<u8>]) -> Vec<u8> {
    let mut batch = Batch::new();
    for document in documents {
        batch.add(&Document::parse(document).unwrap()).unwrap();
    }
    batch.finish(HUB_ID, 1_000, 10_000)
}

/// Key, agent and value of the datapoints of a document that are not the hub's
/// own.
fn told(body: &[u8]) -> Vec<String> {
    let document = Document::parse(body).unwrap();
    document
        .samples()
        .map(Result::unwrap)
        .filter(|sample| !sample.key.starts_with("hub_"))
        .map(|sample| format!("{} {:?}", sample.agent[2], sample.value))
        .collect()
}
