//! The server as a program: its configuration, what it serves, and what the
//! command line asks of it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pattoo_common::cli::{Job, Kind};
use pattoo_common::config::{
    self, AgentListener, Listener, Report, SERVER_PROGRAM, ServerConfig, StoreConfig,
};
use pattoo_common::http_server::{Handler, Limits, Server};
use pattoo_common::program::{Configured, DaemonSettings, Health, Program, Service};
use pattoo_common::signature::{Guard, LiveSecrets, NONCES_OF_SERVER};
use pattoo_common::spool::MAX_BATCH_BYTES;
use pattoo_common::wall_clock::now_ms;

use crate::receive::Receiver;
use crate::store::{self, DATABASE_FILE, Store};
use crate::store_options::store_options;
use crate::translations;
use crate::web::Web;

/// The `Server` header: hubs tell ours from the original by it.
const PRODUCT: &str = concat!("pattood/", env!("CARGO_PKG_VERSION"));
/// The longest body that the web's side takes: a query with its variables.
const MAX_QUERY_BODY_BYTES: usize = 1 << 20;
/// Faults of the database that `--check` lists.
const FAULTS_SHOWN: usize = 20;

/// Keys that SIGHUP changes; others need a restart.
const LIVE: &[&str] = &[
    "log_level",
    "log_max_bytes",
    "secret_file",
    "allow_from",
    "max_age",
    "max_bytes",
    "max_series_per_agent",
];

/// `pattood`
pub enum ServerProgram {}

impl Program for ServerProgram {
    const NAME: &'static str = SERVER_PROGRAM;
    const ABOUT: &'static str = Kind::Server.about();
    const KIND: Kind = Kind::Server;
    type Configuration = (ServerConfig, Report);
    type Bound = Doors;

    fn configure() -> Result<Configured<Self::Configuration>, String> {
        config::configured(ServerConfig::load, |config| &config.pattoo)
    }

    fn settings() -> Result<DaemonSettings, String> {
        config::daemon_settings()
    }

    fn check((_, report): &Self::Configuration) -> Vec<String> {
        report.lines()
    }

    fn verify((config, _): &Self::Configuration) -> Result<Vec<String>, String> {
        verify(&config.store.directory).map(|line| vec![line])
    }

    fn folders((config, _): &Self::Configuration) -> Vec<PathBuf> {
        vec![config.store.directory.clone()]
    }

    /// A port that is taken is told before anything is opened. Clients wait in the
    /// backlog meanwhile.
    fn bind((config, _): &Self::Configuration) -> Result<Doors, String> {
        Ok(Doors { agents: bind(&config.agent_api.listener)?, web: bind(&config.web_api)? })
    }

    fn serve(
        (config, report): Self::Configuration,
        doors: Doors,
    ) -> Result<Box<dyn Service<Self::Configuration>>, String> {
        let store = Arc::new(open(&config.store)?);
        if let Err(error) = translations::install(&store) {
            // Figures matter more than their names; the next start tries again.
            log::error!("the names that we ship are not all there: {error}");
        }
        let receiver = Receiver::new(Arc::clone(&store), config.agent_api.max_body_bytes);
        let (counts, clones) = (receiver.counts(), receiver.clones());
        let web = Web::new(Arc::clone(&store), counts, config.reading_needs_sign_in);
        let web = web.with_clones(clones);
        let limits = Limits {
            product: PRODUCT,
            workers: config.agent_api.listener.workers,
            allow_from: config.agent_api.listener.allow_from.clone(),
            body_bytes: body_bytes(&config.agent_api),
            ..Limits::server()
        };
        let secrets = Arc::new(LiveSecrets::new(config.agent_api.secrets.clone()));
        let receiver = Guard::new(receiver, Arc::clone(&secrets), NONCES_OF_SERVER);
        let agents = start(doors.agents, limits, Arc::new(receiver))?;
        let limits = Limits {
            product: PRODUCT,
            workers: config.web_api.workers,
            allow_from: config.web_api.allow_from.clone(),
            body_bytes: MAX_QUERY_BODY_BYTES,
            ..Limits::server()
        };
        let web = start(doors.web, limits, Arc::new(web))?;
        log::info!(
            "store {}; agents post to {}, questions go to {}",
            config.store.directory.display(),
            agents.address(),
            web.address()
        );
        Ok(Box::new(ServingServer { parts: Some(Parts { agents, web, store, secrets }), report }))
    }

    fn job((config, _): Self::Configuration, job: Job) -> Result<String, String> {
        let folder = &config.store.directory;
        match job {
            Job::Backup(file) => {
                existing(folder)?;
                store::backup(folder, &file).map_err(|error| error.to_string())?;
                Ok(format!("{}: {}", file.display(), size(&file)?))
            }
            Job::Compact => {
                existing(folder)?;
                compact(&config.store)
            }
            Job::Once | Job::Explain => Err("the server polls nothing".to_owned()),
        }
    }
}

/// Where it listens.
pub struct Doors {
    agents: TcpListener,
    web: TcpListener,
}

/// What serves, until it is shut down.
struct ServingServer {
    parts: Option<Parts>,
    /// What it runs with.
    report: Report,
}

struct Parts {
    agents: Server,
    web: Server,
    store: Arc<Store>,
    secrets: Arc<LiveSecrets>,
}

impl Service<(ServerConfig, Report)> for ServingServer {
    fn shutdown(&mut self) {
        let Some(Parts { agents, web, store, .. }) = self.parts.take() else { return };
        // Who has a whole post in has its answer; the two wait beside each other.
        std::thread::scope(|scope| {
            scope.spawn(|| agents.stop());
            web.stop();
        });
        // Threads that still hang in a query hold it; it ends with the process, and
        // what was answered is on the disk.
        drop(store);
    }

    fn reload(&mut self, (config, report): (ServerConfig, Report)) {
        let Some(parts) = &self.parts else { return };
        let options = store_options(&config.store);
        parts.secrets.replace(config.agent_api.secrets);
        parts.agents.allow_from(config.agent_api.listener.allow_from);
        parts.web.allow_from(config.web_api.allow_from);
        parts.store.set_retention(options.retention);
        parts.store.set_series_of_agent(options.series_of_agent);
        // Once it is so.
        self.report.tell_changes(&report, LIVE);
        self.report.take_over(report, LIVE);
    }

    fn health(&self) -> Health {
        let Some(parts) = &self.parts else { return Arc::new(|| Ok(())) };
        let (agents, web) = (parts.agents.health(), parts.web.health());
        Arc::new(move || agents().and_then(|()| web()))
    }
}

/// The longest body that is read. A hub with a secret believes only what is signed,
/// that a batch is too large (413) as well, and only the receiver signs: it must see
/// whatever a hub may post.
fn body_bytes(agent_api: &AgentListener) -> usize {
    let most = agent_api.max_body_bytes;
    let most_of_hub = usize::try_from(MAX_BATCH_BYTES).unwrap_or(usize::MAX);
    if agent_api.secrets.is_some() { most.max(most_of_hub) } else { most }
}

fn bind(listener: &Listener) -> Result<TcpListener, String> {
    Server::bind(&listener.ip_listen_address.to_string(), listener.ip_bind_port)
        .map_err(|error| error.to_string())
}

fn start(
    listener: TcpListener,
    limits: Limits,
    handler: Arc<dyn Handler>,
) -> Result<Server, String> {
    Server::start(listener, limits, handler)
        .map_err(|error| format!("no thread for the HTTP server: {error}"))
}

fn open(config: &StoreConfig) -> Result<Store, String> {
    Store::open(&store_options(config)).map_err(|error| format!("store: {error}"))
}

/// There is a database in the folder.
fn existing(folder: &Path) -> Result<(), String> {
    let database = folder.join(DATABASE_FILE);
    if database.is_file() {
        return Ok(());
    }
    Err(format!("{}: there is no database yet; start the server first", database.display()))
}

/// Looks at the whole database; a line that says that it is whole.
fn verify(folder: &Path) -> Result<String, String> {
    let database = folder.join(DATABASE_FILE);
    if existing(folder).is_err() {
        return Ok(format!("database: {} is not there yet", database.display()));
    }
    let findings = store::check(folder)
        .map_err(|error| format!("database {}: {error}", database.display()))?;
    if findings.faults == 0 {
        let (blobs, samples) = (findings.blobs, findings.sealed_samples);
        let database = database.display();
        return Ok(match findings.set_aside {
            0 => format!("database: {database}: {blobs} blobs, {samples} sealed samples, no fault"),
            set_aside => format!(
                "database: {database}: {blobs} blobs, {samples} sealed samples, no fault but \
                 {set_aside} blobs that were set aside earlier as damaged"
            ),
        });
    }
    let shown = &findings.listed[..findings.listed.len().min(FAULTS_SHOWN)];
    Err(format!(
        "database {}: {} faults; the rest can still be read, a backup has what is missing:\n  {}",
        database.display(),
        findings.faults,
        shown.join("\n  ")
    ))
}

/// Deletes what has expired, seals, compacts, and gives the free space back. What
/// makes room comes first: the disk may be full.
fn compact(config: &StoreConfig) -> Result<String, String> {
    let database = config.directory.join(DATABASE_FILE);
    let before = size(&database)?;
    let store = open(config)?;
    let now_ms = now_ms();
    store
        .expire(now_ms)
        .and_then(|()| store.settle(now_ms))
        .and_then(|()| store.sweep())
        .map_err(|error| format!("store: {error}"))?;
    store.vacuum().map_err(|error| {
        format!(
            "store: what has expired is deleted, and its room in {} is used again; but the \
             file cannot be made smaller: {error}",
            database.display()
        )
    })?;
    drop(store);
    Ok(format!("{}: {before} before, {} now", database.display(), size(&database)?))
}

fn size(file: &Path) -> Result<String, String> {
    let metadata = std::fs::metadata(file).map_err(|error| format!("{}: {error}", file.display()));
    metadata.map(|metadata| format!("{} bytes", metadata.len()))
}
