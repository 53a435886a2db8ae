//! The real server on a folder of its own, and what its data takes.
#![allow(clippy::disallowed_methods, reason = "a bench starts the programs that it measures")]

use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::process::{Folder, Server, program, wait_until};

const SERVER: &str = "pattood";
/// How long it may take to its first answer.
const START: Duration = Duration::from_mins(1);

/// A folder with the configuration of a server.
pub struct Site {
    folder: Folder,
    /// Where it takes posts.
    pub port: u16,
    /// Where it answers.
    pub web_port: u16,
}

impl Site {
    /// Writes the configuration.
    pub fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let (port, web_port) = (free_port(), free_port());
        folder.write_pattoo_yaml(1);
        folder.write(
            "pattoo_server.yaml",
            &format!(
                "pattoo_api_agentd:\n  ip_listen_address: 127.0.0.1\n  ip_bind_port: {port}\n\
                 pattoo_apid:\n  ip_listen_address: 127.0.0.1\n  ip_bind_port: {web_port}\n"
            ),
        );
        Self { folder, port, web_port }
    }

    /// Starts the server; how long it took until it was ready.
    pub fn start(&self) -> (Server, Duration) {
        let start = Instant::now();
        let server = Server::start(self.command().arg("--foreground"));
        wait_until("the server", START, || {
            crate::load::get(self.web_port, "/healthz").is_ok_and(|(status, _)| status == 200)
        });
        (server, start.elapsed())
    }

    /// Compacts the data while no server runs.
    pub fn compact(&self) -> Duration {
        crate::process::run(self.command().arg("--compact")).wall
    }

    fn command(&self) -> Command {
        let mut command = Command::new(program(SERVER));
        command.env("PATTOO_CONFIGDIR", &self.folder.0);
        command
    }

    /// Bytes of all files of the data folder.
    pub fn data_bytes(&self) -> u64 {
        let files = std::fs::read_dir(self.folder.0.join("daemon/data")).expect("the data folder");
        files.flatten().filter_map(|file| Some(file.metadata().ok()?.len())).sum()
    }
}

/// A port of 127.0.0.1 that no one has.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("bound").port()
}

/// Unix time in milliseconds.
pub fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    u64::try_from(now.as_millis()).expect("small")
}
