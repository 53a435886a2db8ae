//! The real server, posted to and asked as hubs and people do.

use std::path::PathBuf;

use serde_json::Value;

use crate::{
    Daemon, Folder, HttpAnswer, ServerOptions, Web, binary, free_port, http_post,
    write_server_config,
};

const PROGRAM: &str = "pattood";
const JSON: (&str, &str) = ("Content-Type", "application/json");

/// A server that was configured in a folder of its own.
#[derive(Debug)]
pub struct Server {
    /// Where agents post to.
    pub agent_port: u16,
    /// Where people ask.
    pub web_port: u16,
    /// The program.
    pub daemon: Daemon,
    // Goes last, when the daemon has ended.
    folder: Folder,
}

impl Server {
    /// Configures one; `more` is put at the end of its file. It does not run yet.
    pub fn new(purpose: &str, more: &str) -> Self {
        let folder = Folder::new(purpose);
        let (agent_port, web_port) = (free_port(), free_port());
        let options = ServerOptions { agent_port, web_port, more: more.to_owned() };
        let configuration = write_server_config(&folder, &options);
        let pid_file = folder.join(format!("run/pid/{PROGRAM}.pid"));
        let daemon = Daemon::new(binary(PROGRAM), &configuration, pid_file);
        Self { agent_port, web_port, daemon, folder }
    }

    /// Configures one and starts it.
    pub fn start(purpose: &str) -> Self {
        let server = Self::new(purpose, "");
        server.daemon.start();
        server
    }

    /// A path in its folder.
    pub fn join(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.join("state/data")
    }

    /// What is in its log file.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log/pattood.log")).unwrap_or_default()
    }

    /// Posts a document as a hub does.
    pub fn post(&self, body: &[u8]) -> HttpAnswer {
        self.post_with(&[JSON], body)
    }

    /// Posts with these headers.
    pub fn post_with(&self, headers: &[(&str, &str)], body: &[u8]) -> HttpAnswer {
        let path = "/pattoo/api/v1/agent/receive/hub";
        http_post(self.agent_port, path, headers, body).expect("an answer to a post")
    }

    /// The web's port.
    pub fn web(&self) -> Web {
        Web(self.web_port)
    }

    /// Asks the web's port.
    pub fn get(&self, path: &str) -> HttpAnswer {
        self.web().get(path)
    }

    /// The data of a GraphQL query, which must succeed.
    pub fn query(&self, query: &str) -> Value {
        self.web().query(query)
    }

    /// The numbers of all series of this key and target.
    pub fn series(&self, key: &str, target: &str) -> Vec<String> {
        self.web().series(key, target)
    }

    /// Every sample of the only series of this key and target, see [`Web::samples`].
    pub fn samples(&self, key: &str, target: &str, from_ms: u64, to_ms: u64) -> Vec<(u64, f64)> {
        self.web().samples(key, target, from_ms, to_ms)
    }
}
