//! The hub as a program: its configuration, its identity, and what the command
//! line asks of it.

use std::path::PathBuf;
use std::sync::Arc;

use pattoo_common::cli::{Job, Kind};
use pattoo_common::config::{self, HUB_PROGRAM, HubConfig, Report};
use pattoo_common::document::Target;
use pattoo_common::identity::{Identity, Seek};
use pattoo_common::program::{Configured, DaemonSettings, Health, Program, Service};

use crate::hub::{Hub, Running};
use crate::once;
use crate::plan::Plan;

/// The kernel's name of this machine, see proc(5).
const NODE_NAME_FILE: &str = "/proc/sys/kernel/hostname";

/// Keys that SIGHUP changes; others need a restart.
const LIVE: &[&str] = &[
    "log_level",
    "log_max_bytes",
    "secret_file",
    "post_secret_file",
    "ip_devices",
    "polling_interval",
    "poll_timeout",
    "max_threads",
    "max_batch_bytes",
];

/// `pattoo_agent_linux_hubd`
pub(crate) enum HubProgram {}

impl Program for HubProgram {
    const NAME: &'static str = HUB_PROGRAM;
    const ABOUT: &'static str = Kind::Hub.about();
    const KIND: Kind = Kind::Hub;
    type Configuration = (HubConfig, Report);
    type Bound = ();

    fn configure() -> Result<Configured<Self::Configuration>, String> {
        config::configured(HubConfig::load, |config| &config.pattoo)
    }

    fn settings() -> Result<DaemonSettings, String> {
        config::daemon_settings()
    }

    fn check((config, report): &Self::Configuration) -> Vec<String> {
        [report.lines(), seek(config, &node_name()).check().into()].concat()
    }

    fn folders((config, _): &Self::Configuration) -> Vec<PathBuf> {
        vec![config.pattoo.agent_id_directory(), config.pattoo.cache_directory.clone()]
    }

    fn bind(_: &Self::Configuration) -> Result<(), String> {
        Ok(())
    }

    fn serve(
        (config, report): Self::Configuration,
        (): (),
    ) -> Result<Box<dyn Service<Self::Configuration>>, String> {
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
        Ok(Box::new(ServingHub { running, report }))
    }

    fn job((config, _): Self::Configuration, job: Job) -> Result<String, String> {
        match job {
            Job::Once => {
                let target = target(&config)?;
                let once = once::run(&Hub::new(config, target));
                let Some(failure) = once.failure() else { return Ok(once.to_string()) };
                print!("{once}");
                Err(failure)
            }
            other => Err(format!("the hub cannot do this: {other:?}")),
        }
    }
}

/// A hub that serves.
struct ServingHub {
    running: Running,
    /// What it runs with.
    report: Report,
}

impl Service<(HubConfig, Report)> for ServingHub {
    fn shutdown(&mut self) {
        self.running.stop();
    }

    fn reload(&mut self, (config, report): (HubConfig, Report)) {
        self.running.hub().set_plan(Plan::new(config));
        // Once it is so.
        self.report.tell_changes(&report, LIVE);
        self.report.take_over(report, LIVE);
    }

    fn health(&self) -> Health {
        let hub = Arc::clone(self.running.hub());
        Arc::new(move || hub.health())
    }
}

/// Who the hub is to the server. Its agent id is made here if it has none.
fn target(config: &HubConfig) -> Result<Target, String> {
    let Identity { host_name, agent_id } = seek(config, &node_name()).find_or_create()?;
    Ok(Target {
        agent_id,
        program: HUB_PROGRAM,
        agent_hostname: host_name.clone(),
        polled_target: host_name.clone(),
        metadata: vec![("hostname", host_name)],
    })
}

fn seek<'a>(config: &'a HubConfig, node_name: &'a str) -> Seek<'a> {
    let hostname = config.hostname.as_deref();
    Seek { pattoo: &config.pattoo, program: HUB_PROGRAM, hostname, node_name }
}

fn node_name() -> String {
    let name = std::fs::read_to_string(NODE_NAME_FILE).unwrap_or_default();
    name.trim().to_owned()
}
