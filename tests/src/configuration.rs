//! Configuration files of spoke, hub and server in a test's folder.

use std::fmt::Write;
use std::path::PathBuf;

use crate::Folder;

/// What a test wants of its spoke.
#[derive(Debug)]
pub struct SpokeOptions {
    /// The port on 127.0.0.1.
    pub port: u16,
    /// The root of a fixture tree with `proc` and `sys` in it; `None`: this
    /// machine.
    pub fixture: Option<PathBuf>,
    /// Lines for the end of the spoke's file.
    pub more: String,
}

/// What a test wants of its hub.
#[derive(Debug)]
pub struct HubOptions {
    /// Host and port of each device.
    pub devices: Vec<(String, u16)>,
    /// Seconds between polls.
    pub interval_seconds: u32,
    /// The port of 127.0.0.1 that batches are posted to.
    pub server_port: u16,
    /// Lines for the end of the hub's file.
    pub more: String,
}

/// What a test wants of its server.
#[derive(Debug)]
pub struct ServerOptions {
    /// The port on 127.0.0.1 that agents post to.
    pub agent_port: u16,
    /// The port on 127.0.0.1 for people.
    pub web_port: u16,
    /// Lines for the end of the server's file, such as a section `store`.
    pub more: String,
}

/// Writes `etc/pattoo.yaml` and the spoke's file. Logs, cache and state come to
/// lie in `log`, `cache`, `state` and `run` of the folder; the configuration
/// folder is returned.
pub fn write_spoke_config(folder: &Folder, options: &SpokeOptions) -> PathBuf {
    write_pattoo_yaml(folder, None);
    let mut text = format!("ip_listen_address: 127.0.0.1\nip_bind_port: {}\n", options.port);
    if let Some(root) = &options.fixture {
        let root = root.display();
        let _ = write!(
            text,
            "proc_directory: {root}/proc\nsys_directory: {root}/sys\nroot_directory: {root}\n"
        );
    }
    text.push_str(&options.more);
    folder.write("etc/pattoo_agent_linux_spoked.yaml", &text);
    folder.join("etc")
}

/// Writes `etc/pattoo.yaml` and the hub's file, likewise.
pub fn write_hub_config(folder: &Folder, options: &HubOptions) -> PathBuf {
    write_pattoo_yaml(folder, Some(options.server_port));
    let mut text = format!("polling_interval: {}\nip_devices:\n", options.interval_seconds);
    for (host, port) in &options.devices {
        let _ = writeln!(text, "  - ip_address: \"{host}\"\n    ip_bind_port: {port}");
    }
    text.push_str(&options.more);
    folder.write("etc/pattoo_agent_linux_hubd.yaml", &text);
    folder.join("etc")
}

/// Writes `etc/pattoo.yaml` and the server's file, likewise. The data is in
/// `state/data`.
pub fn write_server_config(folder: &Folder, options: &ServerOptions) -> PathBuf {
    write_pattoo_yaml(folder, None);
    let ServerOptions { agent_port, web_port, more } = options;
    let text = format!(
        "pattoo_api_agentd:\n  ip_listen_address: 127.0.0.1\n  ip_bind_port: {agent_port}\n\
         pattoo_apid:\n  ip_listen_address: 127.0.0.1\n  ip_bind_port: {web_port}\n{more}"
    );
    folder.write("etc/pattoo_server.yaml", &text);
    folder.join("etc")
}

/// Adds lines, such as `user: nobody`, to section `pattoo` of `etc/pattoo.yaml`,
/// which must be there.
pub fn add_to_pattoo_section(folder: &Folder, lines: &[&str]) {
    let text = std::fs::read_to_string(folder.join("etc/pattoo.yaml")).expect("it is written");
    let section = ["pattoo:"].iter().chain(lines).copied().collect::<Vec<_>>().join("\n  ");
    folder.write("etc/pattoo.yaml", &text.replacen("pattoo:", &section, 1));
}

fn write_pattoo_yaml(folder: &Folder, server_port: Option<u16>) {
    let root = folder.path().display();
    let mut text = format!(
        "pattoo:\n  \
           log_directory: {root}/log\n  \
           log_level: debug\n  \
           cache_directory: {root}/cache\n  \
           daemon_directory: {root}/state\n  \
           system_daemon_directory: {root}/run\n  \
           language: en\n"
    );
    if let Some(port) = server_port {
        let _ =
            write!(text, "pattoo_agent_api:\n  ip_address: 127.0.0.1\n  ip_bind_port: {port}\n");
    }
    folder.write("etc/pattoo.yaml", &text);
}
