//! One of the three programs, in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};

use pattoo_tests::{
    Daemon, Folder, HubOptions, PATIENCE, Process, ServerOptions, SpokeOptions,
    add_to_pattoo_section, binary, free_port, http_get, send_signal, wait_until, write_hub_config,
    write_server_config, write_spoke_config,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Spoke,
    Hub,
    Server,
}

pub(crate) const KINDS: [Kind; 3] = [Kind::Spoke, Kind::Hub, Kind::Server];

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Spoke => "pattoo_agent_linux_spoked",
            Self::Hub => "pattoo_agent_linux_hubd",
            Self::Server => "pattood",
        }
    }

    /// The file that only this program reads.
    pub(crate) fn own_file(self) -> String {
        match self {
            Self::Server => "etc/pattoo_server.yaml".to_owned(),
            other => format!("etc/{}.yaml", other.name()),
        }
    }
}

/// A program that is configured; it does not run yet.
pub(crate) struct Installed {
    pub(crate) kind: Kind,
    /// Where the spoke listens, or agents post to. The hub polls and posts there,
    /// where nobody is.
    pub(crate) port: u16,
    pub(crate) daemon: Daemon,
    // Goes last, when the daemon has ended.
    pub(crate) folder: Folder,
}

impl Installed {
    /// With lines for section `pattoo`.
    pub(crate) fn new(kind: Kind, purpose: &str, lines: &[&str]) -> Self {
        Self::at(kind, purpose, lines, free_port())
    }

    /// Likewise, at this port.
    pub(crate) fn at(kind: Kind, purpose: &str, lines: &[&str], port: u16) -> Self {
        let folder = Folder::new(purpose);
        let more = String::new();
        let configuration = match kind {
            Kind::Spoke => write_spoke_config(&folder, &SpokeOptions { port, fixture: None, more }),
            Kind::Hub => {
                let devices = vec![("127.0.0.1".to_owned(), port)];
                let more = "spool_min_free_bytes: 0\n".to_owned();
                let (interval_seconds, server_port) = (1, port);
                write_hub_config(
                    &folder,
                    &HubOptions { devices, interval_seconds, server_port, more },
                )
            }
            Kind::Server => {
                let (agent_port, web_port) = (port, free_port());
                write_server_config(&folder, &ServerOptions { agent_port, web_port, more })
            }
        };
        add_to_pattoo_section(&folder, lines);
        let pid_file = folder.join(format!("run/pid/{}.pid", kind.name()));
        let daemon = Daemon::new(binary(kind.name()), &configuration, pid_file);
        Self { kind, port, daemon, folder }
    }

    pub(crate) fn log_file(&self) -> PathBuf {
        self.folder.join(format!("log/{}.log", self.kind.name()))
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Sends SIGHUP and waits until the log has this text.
    pub(crate) fn hang_up(&self, wanted: &str) {
        let before = self.log().matches(wanted).count();
        assert!(send_signal(self.daemon.pid(), libc::SIGHUP));
        wait_until(&format!("{wanted:?} is in the log"), PATIENCE, || {
            self.log().matches(wanted).count() > before
        });
    }

    /// A line of its /proc/PID/status, without its name.
    pub(crate) fn status_line(process: Process, name: &str) -> String {
        let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {text}"))
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Fails unless it does its work.
    pub(crate) fn expect_work(&self) {
        match self.kind {
            Kind::Spoke => {
                let answer = http_get(self.port, "/pattoo-agent-linux/300").unwrap();
                assert_eq!(answer.status, 200);
                for key in ["process_count", "memory_total", "disk_usage_total", "boot_time"] {
                    assert!(answer.text().contains(key), "no {key}: {}", answer.text());
                }
            }
            // Nobody takes its batches.
            Kind::Hub => wait_until("a batch is in the spool", PATIENCE, || {
                files_below(&self.folder.join("cache"))
                    .iter()
                    .any(|file| file.extension().is_some_and(|end| end == "json"))
            }),
            Kind::Server => {
                let status = "/pattoo/api/v1/agent/status";
                assert_eq!(http_get(self.port, status).unwrap().status, 200);
            }
        }
    }
}

/// Every file and folder below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(files_below(&path));
        }
        found.push(path);
    }
    found
}

/// Whether this test is run by root; loud if not.
pub(crate) fn is_root(what: &str) -> bool {
    let is_root = fs::metadata("/proc/self")
        .is_ok_and(|found| std::os::unix::fs::MetadataExt::uid(&found) == 0);
    if !is_root {
        eprintln!("SKIPPED: {what}: only root can become another user");
    }
    is_root
}
