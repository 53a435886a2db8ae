//! Spoke, hub and server with a file of secrets each, and requests signed by hand.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use pattoo_common::signature::{Secrets, SignedRequest};
use pattoo_tests::{
    Daemon, Folder, HttpAnswer, HubOptions, PATIENCE, Server, SpokeOptions, binary, free_port,
    http_ask, wait_until, write_hub_config, write_spoke_config,
};

pub(crate) const SPOKE: &str = "pattoo_agent_linux_spoked";
pub(crate) const HUB: &str = "pattoo_agent_linux_hubd";

/// The secret of most tests.
pub(crate) const OURS: &str = "site1 5a0f6a0b3c1d2e4f5a6b7c8d9e0f1a2b";
/// Another one of the same name.
pub(crate) const OTHERS: &str = "site1 00ff00ff00ff00ff00ff00ff00ff00ff";
/// One of another name.
pub(crate) const NEXT: &str = "site2 8badf00d8badf00d8badf00d8badf00d";

/// The path of a poll.
pub(crate) const POLL: &str = "/pattoo-agent-linux/300";
/// The path of a post.
pub(crate) const RECEIVE: &str = "/pattoo/api/v1/agent/receive/hub";

/// Writes a file of secrets that only its owner may read.
pub(crate) fn secret_file(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("secret");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// These secrets, as a program has them.
pub(crate) fn secrets(text: &str) -> Secrets {
    let folder = Folder::new("secrets");
    Secrets::read(&secret_file(folder.path(), text)).unwrap()
}

/// The line of a configuration that names the secrets; none where there are none.
fn line(folder: &Path, text: Option<&str>) -> String {
    text.map_or(String::new(), |text| {
        format!("secret_file: {}\n", secret_file(folder, text).display())
    })
}

/// A spoke or a hub.
pub(crate) struct Agent {
    pub(crate) port: u16,
    pub(crate) daemon: Daemon,
    program: &'static str,
    // Goes last, when the daemon has ended.
    pub(crate) folder: Folder,
}

impl Agent {
    fn new(program: &'static str, port: u16, folder: Folder, configuration: &Path) -> Self {
        let pid_file = folder.join(format!("run/pid/{program}.pid"));
        let daemon = Daemon::new(binary(program), configuration, pid_file);
        Self { port, daemon, program, folder }
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        let path = self.folder.join(format!("log/{}.log", self.program));
        fs::read_to_string(path).unwrap_or_default()
    }

    /// Waits until it has logged this.
    #[track_caller]
    pub(crate) fn wait_for_log(&self, wanted: &str) {
        wait_until(&format!("{wanted:?} is logged"), PATIENCE, || self.log().contains(wanted));
    }

    /// The batches in a hub's spool, and those that it set aside.
    pub(crate) fn spool(&self) -> (usize, usize) {
        let count = |folder: &Path| {
            let Ok(entries) = fs::read_dir(folder) else { return 0 };
            let is_batch = |path: &Path| path.extension().is_some_and(|end| end == "json");
            entries.filter(|entry| is_batch(&entry.as_ref().unwrap().path())).count()
        };
        let folders = fs::read_dir(self.folder.join("cache")).into_iter().flatten();
        let folders: Vec<_> = folders.map(|entry| entry.unwrap().path()).collect();
        let sum = |of: &dyn Fn(&Path) -> usize| folders.iter().map(|folder| of(folder)).sum();
        (sum(&count), sum(&|folder| count(&folder.join("bad"))))
    }
}

/// A running spoke, called `name`.
pub(crate) fn spoke(name: &str, secrets: Option<&str>) -> Agent {
    let folder = Folder::new("signing-spoke");
    let port = free_port();
    let more = format!("hostname: {name}\n{}", line(folder.path(), secrets));
    let configuration = write_spoke_config(&folder, &SpokeOptions { port, fixture: None, more });
    let spoke = Agent::new(SPOKE, port, folder, &configuration);
    spoke.daemon.start();
    spoke
}

/// A running hub that polls these ports every second.
pub(crate) fn hub(spokes: &[u16], server_port: u16, secrets: Option<&str>) -> Agent {
    hub_every(1, spokes, server_port, secrets)
}

/// Likewise, but with this interval.
pub(crate) fn hub_every(
    interval_seconds: u32,
    spokes: &[u16],
    server_port: u16,
    secrets: Option<&str>,
) -> Agent {
    let folder = Folder::new("signing-hub");
    let options = HubOptions {
        devices: spokes.iter().map(|port| ("127.0.0.1".to_owned(), *port)).collect(),
        interval_seconds,
        server_port,
        more: format!("spool_min_free_bytes: 0\n{}", line(folder.path(), secrets)),
    };
    let configuration = write_hub_config(&folder, &options);
    let hub = Agent::new(HUB, 0, folder, &configuration);
    hub.daemon.start();
    hub
}

/// A running server; `more` goes into the section of its agents' port.
pub(crate) fn server(secrets: Option<&str>, more: &str) -> Server {
    let server = Server::new("signing-server", "");
    set_secrets(&server, secrets, more);
    server.daemon.start();
    server
}

/// Changes the configuration of a server, for its next start.
pub(crate) fn set_secrets(server: &Server, secrets: Option<&str>, more: &str) {
    let file = server.daemon.configuration().join("pattoo_server.yaml");
    let line = line(server.daemon.configuration(), secrets);
    let section = [line.as_str(), more]
        .map(|line| if line.is_empty() { String::new() } else { format!("  {line}") });
    let text = format!(
        "pattoo_api_agentd:\n  ip_listen_address: 127.0.0.1\n  ip_bind_port: {}\n{}\
         pattoo_apid:\n  ip_listen_address: 127.0.0.1\n  ip_bind_port: {}\n",
        server.agent_port,
        section.concat(),
        server.web_port
    );
    fs::write(file, text).unwrap();
}

/// Sends a request with the headers of a signature, and these.
pub(crate) fn send(
    port: u16,
    (method, target): (&str, &str),
    signed: &SignedRequest<'_>,
    more: &[(&str, &str)],
    body: Option<&[u8]>,
) -> HttpAnswer {
    let lines = signed.header_lines().lines().map(|line| line.split_once(": ").unwrap());
    let headers: Vec<_> = lines.chain(more.iter().copied()).collect();
    http_ask(port, method, target, &headers, body).unwrap()
}

/// Whether this is the answer to that request, signed.
pub(crate) fn is_signed(signed: &SignedRequest<'_>, answer: &HttpAnswer) -> bool {
    let lines = answer.head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let headers: Vec<_> = lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    signed.check_answer(answer.status, &headers, &answer.body).is_ok()
}
