//! A daemon for the tests of the daemon: it answers on a port, and does wrong
//! what its configuration asks for.
#![allow(
    unsafe_code,
    clippy::disallowed_methods,
    clippy::panic,
    reason = "it is there to sleep and panic where a test wants that"
)]

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use pattoo_common::cli::{Job, Kind};
use pattoo_common::logging;
use pattoo_common::program::{self, Configured, DaemonSettings, Health, Program, Service};

fn main() -> ExitCode {
    program::run::<Sleeper>()
}

/// What a small binary does in the place of a panic.
fn fault() {
    // SAFETY: the instruction does nothing but fail.
    unsafe {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        std::arch::asm!("ud2");
        #[cfg(any(target_arch = "arm", target_arch = "aarch64"))]
        std::arch::asm!("udf #0");
    }
}

struct Sleeper;

/// `key value` lines of `sleeper.conf`.
struct Configuration {
    port: u16,
    /// Milliseconds that binding takes longer.
    start_delay: u64,
    /// Binding waits for this file.
    gate: Option<PathBuf>,
    /// What goes wrong: `shutdown`, `thread`, `table`, `panic`, `fault`, `abort`.
    hang: String,
    warning: Option<String>,
}

const HOUR: Duration = Duration::from_hours(1);

impl Program for Sleeper {
    const NAME: &'static str = "sleeper";
    const ABOUT: &'static str = "Sleeps, for tests.";
    const KIND: Kind = Kind::Spoke;
    type Configuration = Configuration;
    type Bound = TcpListener;

    fn configure() -> Result<Configured<Configuration>, String> {
        let folder = std::env::var_os("PATTOO_CONFIGDIR").ok_or("PATTOO_CONFIGDIR is not set")?;
        let folder = PathBuf::from(folder);
        let path = folder.join("sleeper.conf");
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let values: HashMap<&str, &str> =
            text.lines().filter_map(|line| line.split_once(' ')).collect();
        let value = |key: &str| {
            values.get(key).copied().ok_or_else(|| format!("{}: {key} is missing", path.display()))
        };
        let number = |key: &str| {
            value(key)?
                .parse::<u64>()
                .map_err(|error| format!("{}: {key}: {error}", path.display()))
        };
        Ok(Configured {
            configuration: Configuration {
                port: u16::try_from(number("port")?).map_err(|error| error.to_string())?,
                start_delay: number("start_delay").unwrap_or(0),
                gate: values.get("gate").map(|name| folder.join(name)),
                hang: value("hang").unwrap_or_default().to_owned(),
                warning: values.get("warning").map(|&text| text.to_owned()),
            },
            settings: Self::settings()?,
            warnings: values.get("warning").map(|&text| text.to_owned()).into_iter().collect(),
            files: vec![path.clone()],
            files_with_keys: vec![path.clone()],
        })
    }

    fn settings() -> Result<DaemonSettings, String> {
        let folder = std::env::var_os("PATTOO_CONFIGDIR").ok_or("PATTOO_CONFIGDIR is not set")?;
        let path = PathBuf::from(folder).join("settings.conf");
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut lines = text.lines();
        let mut line = || lines.next().ok_or_else(|| format!("{}: too short", path.display()));
        Ok(DaemonSettings {
            system_daemon_directory: line()?.into(),
            log_directory: line()?.into(),
            log_level: logging::level(line()?).ok_or("no such level")?,
            log_max_bytes: 16 << 20,
            user: None,
            group: None,
            landlock: line().is_ok_and(|word| word == "landlock"),
        })
    }

    fn check(configuration: &Configuration) -> Vec<String> {
        vec![format!("port: {} (sleeper.conf)", configuration.port)]
    }

    fn bind(configuration: &Configuration) -> Result<TcpListener, String> {
        thread::sleep(Duration::from_millis(configuration.start_delay));
        while configuration.gate.as_ref().is_some_and(|gate| !gate.exists()) {
            thread::sleep(Duration::from_millis(5));
        }
        let address = ("127.0.0.1", configuration.port);
        TcpListener::bind(address)
            .map_err(|error| format!("cannot listen on {}:{}: {error}", address.0, address.1))
    }

    fn serve(
        configuration: Configuration,
        listener: TcpListener,
    ) -> Result<Box<dyn Service<Configuration>>, String> {
        match configuration.hang.as_str() {
            "panic" => panic!("asked to panic at the start"),
            "fault" => fault(),
            "abort" => std::process::abort(),
            "table" => {
                let left = thread::spawn(leave_descriptor_table).join();
                assert!(left.is_ok_and(|left| left), "cannot leave the descriptor table");
            }
            "thread" => drop(thread::spawn(|| thread::sleep(HOUR))),
            _ => {}
        }
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || {
                    let mut stream = stream;
                    let mut head = [0; 1024];
                    let length = stream.read(&mut head).unwrap_or(0);
                    if head.starts_with(b"GET /fault ") {
                        fault();
                    }
                    let asked = head[..length].starts_with(b"GET /panic ");
                    assert!(!asked, "asked to\npanic by a peer");
                    let answer = misuse(&String::from_utf8_lossy(&head[..length]));
                    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
                    let _ = stream.write_all(format!("{head}{answer}").as_bytes());
                });
            }
        });
        Ok(Box::new(Asleep { configuration }))
    }

    fn job(configuration: Configuration, job: Job) -> Result<String, String> {
        match job {
            Job::Once => Ok(format!("would listen on {}", configuration.port)),
            other => Err(format!("cannot {other:?}")),
        }
    }
}

/// Does what whoever has taken a daemon over would try: `GET /write/PATH`, and so on.
/// Says what came of it.
fn misuse(head: &str) -> String {
    let path = head.split(' ').nth(1).unwrap_or_default();
    let outcome = if let Some(path) = path.strip_prefix("/write/") {
        fs::write(format!("/{path}"), "written")
    } else if let Some(path) = path.strip_prefix("/folder/") {
        fs::create_dir(format!("/{path}"))
    } else if let Some(path) = path.strip_prefix("/remove/") {
        fs::remove_file(format!("/{path}"))
    } else if let Some(path) = path.strip_prefix("/rename/") {
        fs::rename(format!("/{path}"), format!("/{path}.renamed"))
    } else if let Some(path) = path.strip_prefix("/run/") {
        std::process::Command::new(format!("/{path}")).status().map(drop)
    } else {
        return "asleep".to_owned();
    };
    outcome.map_or_else(|error| error.to_string(), |()| "done".to_owned())
}

/// Goes on with a descriptor table of its own, in which nothing is open.
fn leave_descriptor_table() -> bool {
    // SAFETY: the call takes an integer; this thread uses no descriptor after.
    if unsafe { libc::unshare(libc::CLONE_FILES) } != 0 {
        return false;
    }
    for descriptor in 0..1024 {
        // SAFETY: only this thread has this table, and it ends without using it.
        unsafe { libc::close(descriptor) };
    }
    true
}

struct Asleep {
    configuration: Configuration,
}

impl Service<Configuration> for Asleep {
    fn shutdown(&mut self) {
        log::info!("shutdown");
        if self.configuration.hang == "shutdown" {
            thread::sleep(HOUR);
        }
    }

    fn reload(&mut self, configuration: Configuration) {
        self.configuration = configuration;
        log::info!("reload {}", self.configuration.warning.as_deref().unwrap_or_default());
    }

    fn health(&self) -> Health {
        let is_well = self.configuration.hang != "health";
        Arc::new(move || if is_well { Ok(()) } else { Err("asked to be unwell".to_owned()) })
    }
}
