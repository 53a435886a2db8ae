//! A spoke that is configured, the script that it is run by, and what it answers.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use pattoo_common::document::{Document, Sample, SampleValue};
use pattoo_tests::{
    Daemon, Finished, Folder, SpokeOptions, binary, binary_of_system, command, finish, free_port,
    http_get, write_spoke_config,
};

pub(crate) const SPOKE: &str = "pattoo_agent_linux_spoked";

/// Of each sample what the tests look at.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) key: String,
    pub(crate) value: f64,
    pub(crate) timestamp_ms: u64,
    pub(crate) metadata: Vec<(String, String)>,
}

/// An answer of a spoke.
#[derive(Debug)]
pub(crate) struct Figures(pub(crate) Vec<Figure>);

impl Figures {
    pub(crate) fn of(body: &[u8]) -> Self {
        let document = Document::parse(body).unwrap();
        let figure = |sample: Sample<'_>| Figure {
            key: sample.key.to_string(),
            #[expect(clippy::cast_precision_loss, reason = "figures of tests are small")]
            value: match sample.value {
                SampleValue::Integer(value) => value as f64,
                SampleValue::Signed(value) => value as f64,
                SampleValue::Float(value) => value,
                SampleValue::Text(ref text) => panic!("{}: {text:?}", sample.key),
            },
            timestamp_ms: sample.timestamp_ms,
            metadata: sample
                .metadata()
                .into_iter()
                .map(|(key, value)| (key.to_string(), value.into_owned()))
                .collect(),
        };
        Self(document.samples().map(|sample| figure(sample.unwrap())).collect())
    }

    pub(crate) fn keys(&self) -> BTreeSet<&str> {
        self.0.iter().map(|figure| figure.key.as_str()).collect()
    }

    /// The value of a key that the machine has once.
    pub(crate) fn one(&self, key: &str) -> f64 {
        let found: Vec<f64> =
            self.0.iter().filter(|figure| figure.key == key).map(|figure| figure.value).collect();
        assert_eq!(found.len(), 1, "{key}");
        found[0]
    }

    /// The values of a key, each behind what the metadata says it is of.
    pub(crate) fn each(&self, key: &str, of: &str) -> Vec<(&str, f64)> {
        let of_key = self.0.iter().filter(|figure| figure.key == key);
        of_key.map(|figure| (figure.about(of).unwrap_or(""), figure.value)).collect()
    }

    /// The names of the network interfaces.
    pub(crate) fn interfaces(&self) -> BTreeSet<&str> {
        let each = self.each("network_io_bytes_recv", "network_io_interface");
        each.into_iter().map(|(name, _)| name).collect()
    }
}

impl Figure {
    pub(crate) fn about(&self, key: &str) -> Option<&str> {
        let pair = self.metadata.iter().find(|(name, _)| name == key);
        pair.map(|(_, value)| value.as_str())
    }
}

/// A spoke that does not run yet.
pub(crate) struct Spoke {
    pub(crate) port: u16,
    pub(crate) daemon: Daemon,
    // Goes last, when the daemon has ended.
    pub(crate) folder: Folder,
}

impl Spoke {
    /// With these lines in its own file.
    pub(crate) fn new(purpose: &str, more: &str) -> Self {
        let folder = Folder::new(purpose);
        Self::within(folder, more)
    }

    /// With `proc`, `sys` and the root in its own folder.
    pub(crate) fn of_tree(folder: Folder) -> Self {
        let root = folder.path().display().to_string();
        let more = format!(
            "hostname: strange.example.net\nproc_directory: {root}/proc\n\
             sys_directory: {root}/sys\nroot_directory: {root}\n"
        );
        Self::within(folder, &more)
    }

    fn within(folder: Folder, more: &str) -> Self {
        let port = free_port();
        let options = SpokeOptions { port, fixture: None, more: more.to_owned() };
        let configuration = write_spoke_config(&folder, &options);
        let pid_file = folder.join(format!("run/pid/{SPOKE}.pid"));
        Self { port, daemon: Daemon::new(binary(SPOKE), &configuration, pid_file), folder }
    }

    pub(crate) fn poll(&self) -> Figures {
        let answer = http_get(self.port, "/pattoo-agent-linux/300").unwrap();
        assert_eq!(answer.status, 200, "{}", answer.head);
        Figures::of(&answer.body)
    }

    /// What `--once` sends, outside of any namespace.
    pub(crate) fn once(&self) -> Figures {
        let once = self.daemon.run(&["--once"]);
        assert_eq!(once.code, 0, "{once:?}");
        Figures::of(once.stdout.as_bytes())
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join(format!("log/{SPOKE}.log"))).unwrap_or_default()
    }

    /// Writes a file of the tree where it is, as the kernel's change, so that who
    /// holds it open sees it.
    pub(crate) fn tree(&self, file: &str, text: &str) -> PathBuf {
        self.folder.write(file, text)
    }

    /// Runs a script as root of namespaces of its own, with `SPOKE` and `FOLDER`
    /// in its environment; it fails at the first command that does.
    pub(crate) fn script(&self, namespaces: &[&str], script: &str) -> Finished {
        let unshare = binary_of_system("unshare");
        let mut command = command(&unshare, self.daemon.configuration());
        command.args(namespaces).args(["--propagation", "private", "sh", "-euc", script]);
        command.env("SPOKE", self.daemon.binary()).env("FOLDER", self.folder.path());
        finish(&mut command)
    }

    /// The same, which must succeed, and gives what it printed.
    pub(crate) fn run(&self, namespaces: &[&str], script: &str) -> String {
        let finished = self.script(namespaces, script);
        assert_eq!(finished.code, 0, "{finished:?}");
        finished.stdout
    }
}

/// Whether such namespaces can be made here; loud if not.
pub(crate) fn can_unshare(purpose: &str, namespaces: &[&str]) -> bool {
    let unshare = binary_of_system("unshare");
    let mut command = command(&unshare, std::path::Path::new("/"));
    let tried = finish(command.args(namespaces).args(["--propagation", "private", "true"]));
    if tried.code != 0 {
        eprintln!("SKIPPED: {purpose}: unshare {namespaces:?} needs root: {}", tried.stderr);
    }
    tried.code == 0
}

/// The lines that every tree needs so that no source fails.
pub(crate) fn plain_tree(folder: &Folder) {
    for (file, text) in [
        ("uptime", "1000.00 2000.00\n"),
        ("loadavg", "0.10 0.20 0.30 1/99 1234\n"),
        (
            "stat",
            "cpu  100 0 50 850 0 0 0 0 0 0\ncpu0 100 0 50 850 0 0 0 0 0 0\nbtime 1700000000\n",
        ),
        (
            "meminfo",
            "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 500 kB\nBuffers: 10 kB\nCached: 50 kB\n",
        ),
        ("vmstat", "pswpin 1\npswpout 2\n"),
        ("filesystems", "nodev\ttmpfs\n\text4\n"),
        ("self/mounts", "/dev/sda1 / ext4 rw 0 0\n"),
        ("diskstats", ""),
        ("net/dev", "Inter-|   Receive\n face |bytes\n"),
    ] {
        folder.write(format!("proc/{file}"), text);
    }
}
