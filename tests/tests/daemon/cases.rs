//! The programs under test, and an installation of one.

use std::fs;
use std::path::{Path, PathBuf};

use pattoo_tests::{
    Daemon, Folder, HubOptions, ServerOptions, SpokeOptions, binary, free_port, http_get,
    write_hub_config, write_server_config, write_spoke_config,
};

/// A program that the tests can be run with.
pub(crate) struct Case {
    /// The name of its binary, PID file and log file.
    pub(crate) name: &'static str,
    /// Where the binary is.
    pub(crate) binary: fn() -> PathBuf,
    /// Writes a configuration that serves on this port of 127.0.0.1, with logs
    /// in `log` and the PID file below `run` of the folder; gives the
    /// configuration folder.
    pub(crate) configure: fn(&Folder, u16) -> PathBuf,
    /// Whether it answers on that port. The hub does not.
    pub(crate) listens: bool,
    /// The file that a mistake is written to, in the configuration folder.
    pub(crate) own_file: &'static str,
}

/// A program that was configured in a folder of its own.
pub(crate) struct Installation {
    pub(crate) name: &'static str,
    pub(crate) port: u16,
    pub(crate) listens: bool,
    pub(crate) daemon: Daemon,
    /// The file that a mistake is written to.
    pub(crate) own_file: PathBuf,
    // Goes last, when the daemon has ended.
    pub(crate) folder: Folder,
}

impl Case {
    /// Configures it for one test.
    pub(crate) fn install(&self, test: &str) -> Installation {
        let folder = Folder::new(test);
        let port = free_port();
        let configuration = (self.configure)(&folder, port);
        let pid_file = folder.join("run/pid").join(format!("{}.pid", self.name));
        Installation {
            name: self.name,
            port,
            listens: self.listens,
            daemon: Daemon::new((self.binary)(), &configuration, pid_file),
            own_file: configuration.join(self.own_file),
            folder,
        }
    }
}

impl Installation {
    /// Whether it answers on its port, or at least lives where it has none.
    pub(crate) fn serves(&self) -> bool {
        if self.listens {
            http_get(self.port, "/").is_ok()
        } else {
            !self.daemon.processes().is_empty()
        }
    }

    /// The log file.
    pub(crate) fn log_file(&self) -> PathBuf {
        self.folder.join("log").join(format!("{}.log", self.name))
    }

    /// What is in a log file.
    pub(crate) fn log(&self) -> String {
        read(&self.log_file())
    }

    /// What `--status` prints and returns.
    pub(crate) fn expect_status(&self, word: &str, code: i32) {
        let status = self.daemon.status();
        let line = format!("Daemon is {word} - {}\n", self.name);
        assert_eq!((status.stdout.as_str(), status.code), (line.as_str(), code), "{status:?}");
    }
}

/// The text of a file; nothing if it is not there.
pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The daemon that does wrong what its configuration asks for.
pub(crate) const SLEEPER: Case = Case {
    name: "sleeper",
    binary: || env!("CARGO_BIN_EXE_sleeper").into(),
    configure: |folder, port| {
        let root = folder.path().display();
        folder.write("etc/settings.conf", &format!("{root}/run\n{root}/log\ndebug\n"));
        folder.write("etc/sleeper.conf", &format!("port {port}\n"));
        folder.join("etc")
    },
    listens: true,
    own_file: "sleeper.conf",
};

/// The real spoke.
pub(crate) const SPOKE: Case = Case {
    name: "pattoo_agent_linux_spoked",
    binary: || binary("pattoo_agent_linux_spoked"),
    configure: |folder, port| {
        let options = SpokeOptions { port, fixture: None, more: String::new() };
        write_spoke_config(folder, &options)
    },
    listens: true,
    own_file: "pattoo_agent_linux_spoked.yaml",
};

/// The real hub. Nobody is at home where it polls and posts.
pub(crate) const HUB: Case = Case {
    name: "pattoo_agent_linux_hubd",
    binary: || binary("pattoo_agent_linux_hubd"),
    configure: |folder, port| {
        let options = HubOptions {
            devices: vec![("127.0.0.1".to_owned(), port)],
            interval_seconds: 1,
            server_port: port,
            more: String::new(),
        };
        write_hub_config(folder, &options)
    },
    listens: false,
    own_file: "pattoo_agent_linux_hubd.yaml",
};

/// The real server.
pub(crate) const SERVER: Case = Case {
    name: "pattood",
    binary: || binary("pattood"),
    configure: |folder, port| {
        let options =
            ServerOptions { agent_port: port, web_port: free_port(), more: String::new() };
        write_server_config(folder, &options)
    },
    listens: true,
    own_file: "pattoo_server.yaml",
};
