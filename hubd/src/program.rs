//! The hub as a program: its configuration, its identity, and what the command
//! line asks of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use pattoo_common::agent_id::Place;
use pattoo_common::cli::{Job, Kind};
use pattoo_common::config::{self, HUB_PROGRAM, HubConfig, Pattoo, Reader, Report};
use pattoo_common::document::Target;
use pattoo_common::host_name::{self, HostName, LOOKUP_TIME};
use pattoo_common::program::{Configured, DaemonSettings, Program, Serving};

use crate::hub::{Hub, Running};
use crate::once;

/// The kernel's name of this machine, see proc(5).
const NODE_NAME_FILE: &str = "/proc/sys/kernel/hostname";

/// `pattoo_agent_linux_hubd`
pub(crate) enum HubProgram {}

impl Program for HubProgram {
    const NAME: &'static str = HUB_PROGRAM;
    const ABOUT: &'static str =
        "Polls the spoke of every device each interval and posts one batch to the server.";
    const KIND: Kind = Kind::Hub;
    type Configuration = (HubConfig, Report);

    fn configure() -> Result<Configured<Self::Configuration>, String> {
        let (config, report) = folder()
            .and_then(|folder| HubConfig::load(&folder).map_err(|error| error.to_string()))?;
        let warnings = report.warnings.iter().map(ToString::to_string).collect();
        let settings = settings(&config.pattoo);
        Ok(Configured { configuration: (config, report), settings, warnings })
    }

    fn settings() -> Result<DaemonSettings, String> {
        let mut reader = Reader::new(&folder()?);
        let pattoo = Pattoo::load(&mut reader);
        let (pattoo, _) = reader.finish(pattoo).map_err(|error| error.to_string())?;
        Ok(settings(&pattoo))
    }

    fn check((config, report): &Self::Configuration) -> Vec<String> {
        // Warnings are told by who calls.
        let report = Report { warnings: Vec::new(), ..report.clone() };
        let mut lines: Vec<String> = report.to_string().lines().map(str::to_owned).collect();
        let name = host_name(config, host_name::find);
        lines.push(format!("host name: {} ({})", name.name, name.origin));
        lines.push(match place(config, &name.name).find() {
            Ok(Some(agent_id)) => format!("agent id: {} ({})", agent_id.id, agent_id.origin),
            Ok(None) => {
                format!("agent id: a new one, in {}", place(config, &name.name).file().display())
            }
            Err(error) => format!("agent id: {error}"),
        });
        lines
    }

    fn serve((config, _): Self::Configuration) -> Result<Box<dyn Serving>, String> {
        let target = target(&config)?;
        log::info!(
            "polling {} devices every {} s as agent {} on {}, posting to {}",
            config.ip_devices.len(),
            config.polling_interval.as_secs(),
            target.agent_id,
            target.agent_hostname,
            config.agent_api.address()
        );
        let running = Arc::new(Hub::new(config, target))
            .start()
            .map_err(|error| format!("cannot start a thread: {error}"))?;
        Ok(Box::new(running))
    }

    fn job((config, _): Self::Configuration, job: Job) -> Result<String, String> {
        match job {
            Job::Once => {
                let target = target(&config)?;
                let once = once::run(&Hub::new(config, target));
                if once.is_posted() { Ok(once.to_string()) } else { Err(once.to_string()) }
            }
            other => Err(format!("the hub cannot do this: {other:?}")),
        }
    }
}

impl Serving for Running {
    fn shutdown(&mut self) {
        self.stop();
    }
}

fn folder() -> Result<PathBuf, String> {
    config::folder().map_err(|error| error.to_string())
}

fn settings(pattoo: &Pattoo) -> DaemonSettings {
    DaemonSettings {
        system_daemon_directory: pattoo.system_daemon_directory.clone(),
        log_directory: pattoo.log_directory.clone(),
        log_level: pattoo.log_level,
    }
}

/// Who the hub is to the server. Its agent id is made here if it has none.
fn target(config: &HubConfig) -> Result<Target, String> {
    let name = host_name(config, host_name::host_name).name;
    let agent_id = place(config, &name).find_or_create().map_err(|error| error.to_string())?.id;
    Ok(Target {
        agent_id,
        program: HUB_PROGRAM,
        agent_hostname: name.clone(),
        polled_target: name.clone(),
        metadata: vec![("hostname", name)],
    })
}

fn place<'a>(config: &'a HubConfig, host_name: &'a str) -> Place<'a> {
    Place::new(&config.pattoo.daemon_directory, HUB_PROGRAM, host_name)
}

fn host_name(
    config: &HubConfig,
    find: fn(Option<&str>, &str, &std::path::Path, Instant) -> HostName,
) -> HostName {
    let node_name = std::fs::read_to_string(NODE_NAME_FILE).unwrap_or_default();
    let deadline = Instant::now() + LOOKUP_TIME;
    let keep_in = config.pattoo.agent_id_directory();
    find(config.hostname.as_deref(), node_name.trim(), &keep_in, deadline)
}
