//! The program: configuration in, a served machine out.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use pattoo_common::cli::{Job, Kind};
use pattoo_common::config::{self, Report, SPOKE_PROGRAM, SpokeConfig};
use pattoo_common::http_server::{Limits, Server};
use pattoo_common::identity::Seek;
use pattoo_common::program::{Configured, DaemonSettings, Health, Program, Service};
use pattoo_common::signature::{Guard, LiveSecrets, NONCES_OF_SPOKE};

use crate::collector::Collector;
use crate::explain::explain;
use crate::host::{Host, node_name};
use crate::journal;
use crate::machine::Machine;
use crate::routes::Routes;
use crate::source::{Poll, Roots};
use crate::sources;

/// The interval of `--once`: the default one of a hub.
const ONCE_INTERVAL_S: u32 = 300;

/// Keys that SIGHUP changes; others need a restart.
const LIVE: &[&str] = &["log_level", "log_max_bytes", "secret_file", "allow_from"];

/// The spoke, as a program.
#[derive(Debug)]
pub struct Spoke;

impl Program for Spoke {
    const NAME: &'static str = SPOKE_PROGRAM;
    const ABOUT: &'static str = Kind::Spoke.about();
    const KIND: Kind = Kind::Spoke;
    type Configuration = (SpokeConfig, Report);
    type Bound = TcpListener;

    fn configure() -> Result<Configured<Self::Configuration>, String> {
        config::configured(SpokeConfig::load, |config| &config.pattoo)
    }

    fn settings() -> Result<DaemonSettings, String> {
        config::daemon_settings()
    }

    fn check((config, report): &Self::Configuration) -> Vec<String> {
        let node_name = node_name(&roots(config));
        [report.lines(), seek(config, &node_name).check().into()].concat()
    }

    fn folders((config, _): &Self::Configuration) -> Vec<PathBuf> {
        vec![config.pattoo.agent_id_directory()]
    }

    fn bind((config, _): &Self::Configuration) -> Result<TcpListener, String> {
        Server::bind(&config.ip_listen_address.to_string(), config.ip_bind_port)
            .map_err(|error| error.to_string())
    }

    fn serve(
        (config, report): Self::Configuration,
        listener: TcpListener,
    ) -> Result<Box<dyn Service<Self::Configuration>>, String> {
        let machine = Arc::new(machine(&config)?);
        let limits = Limits {
            workers: config.workers,
            allow_from: config.allow_from.clone(),
            ..Limits::spoke()
        };
        let secrets = Arc::new(LiveSecrets::new(config.secrets));
        let routes = Routes(Arc::clone(&machine));
        let routes = Guard::new(routes, Arc::clone(&secrets), NONCES_OF_SPOKE);
        let server = Server::start(listener, limits, Arc::new(routes))
            .map_err(|error| format!("no thread for the HTTP server: {error}"))?;
        log::info!("serving {} at {}", machine.host_name(), server.address());
        Ok(Box::new(ServingSpoke { server: Some(server), secrets, report }))
    }

    fn job((config, _): Self::Configuration, job: Job) -> Result<String, String> {
        let poll = Poll { client: Ipv4Addr::LOCALHOST.into(), interval_s: ONCE_INTERVAL_S };
        match job {
            Job::Once => {
                let answer = machine(&config)?.document(poll);
                let answer = answer.map_err(|error| error.to_string())?;
                String::from_utf8(answer.document).map_err(|error| error.to_string())
            }
            Job::Explain => {
                journal::begin();
                let roots = roots(&config);
                let collector = Collector::new(sources::all(&roots));
                let collected = collector.collect(poll).map_err(|error| error.to_string())?;
                Ok(explain(&roots, &collected))
            }
            Job::Backup(_) | Job::Compact => Err("the spoke stores nothing".to_owned()),
        }
    }
}

/// A spoke that serves, until it is shut down.
struct ServingSpoke {
    server: Option<Server>,
    secrets: Arc<LiveSecrets>,
    /// What it runs with.
    report: Report,
}

impl Service<(SpokeConfig, Report)> for ServingSpoke {
    fn shutdown(&mut self) {
        // A hub whose request is whole has its answer first.
        if let Some(server) = self.server.take() {
            server.stop();
        }
    }

    fn reload(&mut self, (config, report): (SpokeConfig, Report)) {
        self.secrets.replace(config.secrets);
        if let Some(server) = &self.server {
            server.allow_from(config.allow_from);
        }
        // Once it is so.
        self.report.tell_changes(&report, LIVE);
        self.report.take_over(report, LIVE);
    }

    fn health(&self) -> Health {
        self.server.as_ref().map_or_else(|| Arc::new(|| Ok(())), Server::health)
    }
}

fn machine(config: &SpokeConfig) -> Result<Machine, String> {
    let roots = roots(config);
    let identity = seek(config, &node_name(&roots)).find_or_create()?;
    let host = Host::new(&roots, identity.host_name, config.processor.clone());
    Ok(Machine::new(Collector::new(sources::all(&roots)), roots, host, identity.agent_id))
}

fn seek<'a>(config: &'a SpokeConfig, node_name: &'a str) -> Seek<'a> {
    let hostname = config.hostname.as_deref();
    Seek { pattoo: &config.pattoo, program: SPOKE_PROGRAM, hostname, node_name }
}

fn roots(config: &SpokeConfig) -> Roots {
    Roots {
        proc: config.proc_directory.clone(),
        sys: config.sys_directory.clone(),
        root: config.root_directory.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpStream};

    use pattoo_common::http_server::{Answer, Handler, Request};

    use super::*;

    struct Nothing;

    impl Handler for Nothing {
        fn answer(&self, _: &Request) -> Answer {
            Answer::from_data([])
        }
    }

    /// What is done only when the value goes is not waited for: the process ends.
    #[test]
    fn a_shutdown_has_closed_the_port_when_it_returns() {
        // Not one of those that the kernel may give to somebody else at once.
        let listener = Server::bind("127.0.0.1", pattoo_tests::free_port()).unwrap();
        let server = Server::start(listener, Limits::spoke(), Arc::new(Nothing)).unwrap();
        let address: SocketAddr = server.address();
        let mut serving = ServingSpoke {
            server: Some(server),
            secrets: Arc::default(),
            report: Report::default(),
        };
        assert!(TcpStream::connect(address).is_ok());
        serving.shutdown();
        assert!(TcpStream::connect(address).is_err());
    }
}
