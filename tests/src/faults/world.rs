//! The parts under test: spokes, the hub, the way to the server, and the server,
//! each with what can go wrong around it.

use std::fs;
use std::path::{Path, PathBuf};

use pattoo_common::document::{Document, SampleValue};

use super::link::{Link, Mood};
use super::memory::MemoryLimit;
use super::network::Network;
use super::spoke::{LedgerSpoke, Manner};
use super::worn_disk::WornDisk;
use crate::mount_namespace::own_namespace;
use crate::{
    Daemon, Folder, HubOptions, PATIENCE, Server, SilentNameServer, SmallDisk, SpokeOptions,
    binary, free_port, is_alive, is_stopped, send_signal, wait_until, write_hub_config,
    write_spoke_config,
};

const HUB: &str = "pattoo_agent_linux_hubd";
const SPOKE: &str = "pattoo_agent_linux_spoked";
const HUB_HOST: &str = "hub.example.net";
const HUB_ID: &str = "490335606c967ea8779a1826bdde145b12ac82a8827f90aae0c9ff97c88c3afd";
const SPOKES: [&str; 3] = ["web1", "web2", "web3"];

const AGENT_MEMORY: u64 = 16 << 20;
const SERVER_MEMORY: u64 = 64 << 20;
const HUB_DISK_BYTES: usize = 8 << 20;
const SERVER_DISK_BYTES: u64 = 48 << 20;

/// What a run wants of its world beyond the usual.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Lines for the end of the hub's file.
    pub hub: String,
}

/// All parts. What runs is ended when this value goes.
pub struct World {
    /// The stand-in spokes.
    pub spokes: Vec<LedgerSpoke>,
    /// The way from the hub to the server.
    pub link: Link,
    /// The disk of the database. It goes before the server, whose folder can only be
    /// removed when nothing is mounted in it.
    pub server_disk: Option<WornDisk>,
    /// The server.
    pub server: Server,
    /// The hub.
    pub hub: Daemon,
    /// A real spoke, which the hub polls too.
    pub real_spoke: Daemon,
    /// Where losses can be had; `None`: this machine does not let us.
    pub network: Option<Network>,
    /// The disk of the spool.
    pub hub_disk: Option<SmallDisk>,
    /// What this machine lacks, and what is left out for that.
    pub skipped: Vec<String>,
    /// From which poll on a spoke's figures may be in the hub's memory only.
    pub(super) in_memory_from: Vec<Option<u64>>,
    /// Files of the spool that were damaged.
    pub(super) damaged_files: usize,
    limits: Option<[MemoryLimit; 3]>,
    #[expect(dead_code, reason = "it is there to be silent")]
    name_server: Option<SilentNameServer>,
    // Go last, when what runs in them has ended.
    folder: Folder,
    #[expect(dead_code, reason = "it is there for the real spoke")]
    spoke_folder: Folder,
}

impl World {
    /// Makes one on the calling thread, which gets namespaces of its own where it
    /// may, and starts every part.
    pub fn start(name: &str, wishes: &Wishes) -> Self {
        let mut skipped = Vec::new();
        let mut or_skip = |what: &str, reason: String| {
            skipped.push(format!("{what}: {reason}; run as root"));
        };
        let namespace = own_namespace();
        if let Err(error) = &namespace {
            or_skip("faults of disks", error.to_string());
        }
        let network = Network::own().map_err(|error| or_skip("faults of the network", error)).ok();
        let name_server =
            SilentNameServer::start().map_err(|error| or_skip("a silent name server", error)).ok();
        let limits = limits(name).map_err(|error| or_skip("limits of memory", error)).ok();

        let server = Server::new(&format!("faults-server-{name}"), "");
        let folder = Folder::new(&format!("faults-hub-{name}"));
        let (mut hub_disk, mut server_disk) = (None, None);
        if namespace.is_ok() {
            let image = server.join("data.img");
            match WornDisk::mount(&image, &server.data(), SERVER_DISK_BYTES) {
                Ok(disk) => server_disk = Some(disk),
                Err(error) => or_skip("a disk of the server that turns read-only", error),
            }
            match SmallDisk::mount(&folder.join("cache"), HUB_DISK_BYTES) {
                Ok(disk) => hub_disk = Some(disk),
                Err(error) => or_skip("a small disk of the hub", error.to_string()),
            }
        }

        let spokes: Vec<LedgerSpoke> = SPOKES.into_iter().map(LedgerSpoke::start).collect();
        let link = Link::to(server.agent_port);
        let spoke_folder = Folder::new(&format!("faults-spoke-{name}"));
        let spoke_port = free_port();
        let options = SpokeOptions { port: spoke_port, fixture: None, more: String::new() };
        let configuration = write_spoke_config(&spoke_folder, &options);
        let pid_file = spoke_folder.join(format!("run/pid/{SPOKE}.pid"));
        let real_spoke = Daemon::new(binary(SPOKE), &configuration, pid_file);

        let mut devices: Vec<(String, u16)> = spokes.iter().map(LedgerSpoke::device).collect();
        devices.push(("127.0.0.1".to_owned(), spoke_port));
        if name_server.is_some() {
            devices.push(("silent.example.net".to_owned(), 5000));
        }
        let more = format!("hostname: {HUB_HOST}\nspool_min_free_bytes: 0\n{}", wishes.hub);
        let options = HubOptions { devices, interval_seconds: 1, server_port: link.port(), more };
        let configuration = write_hub_config(&folder, &options);
        folder.write(format!("state/agent_id/{HUB_HOST}.{HUB}.agent_id"), HUB_ID);
        let pid_file = folder.join(format!("run/pid/{HUB}.pid"));
        let hub = Daemon::new(binary(HUB), &configuration, pid_file);

        let in_memory_from = vec![None; spokes.len()];
        let world = Self {
            spokes,
            link,
            server,
            hub,
            real_spoke,
            network,
            hub_disk,
            server_disk,
            skipped,
            in_memory_from,
            damaged_files: 0,
            limits,
            name_server,
            folder,
            spoke_folder,
        };
        world.keep_running();
        world
    }

    /// Starts what does not run; it must start.
    pub fn keep_running(&self) {
        self.keep_some_running(&[&self.real_spoke, &self.hub, &self.server.daemon]);
    }

    /// Likewise, but for the server.
    pub fn keep_agents_running(&self) {
        self.keep_some_running(&[&self.real_spoke, &self.hub]);
    }

    fn keep_some_running(&self, parts: &[&Daemon]) {
        for (part, daemon) in parts.iter().enumerate() {
            if running(daemon).is_some() {
                continue;
            }
            let start = || daemon.run(&["--start"]);
            let started = match &self.limits {
                Some(limits) => limits[part].within(start),
                None => start(),
            };
            assert_eq!(started.code, 0, "{}: {started:?}", daemon.binary().display());
        }
    }

    /// Ends the hub with this signal, if it runs.
    pub fn end_hub(&mut self, signal: i32) {
        end(&self.hub, signal);
        for (spoke, in_memory_from) in self.spokes.iter().zip(&self.in_memory_from) {
            spoke.hub_died(*in_memory_from);
        }
    }

    /// Ends the server with this signal, if it runs.
    pub fn end_server(&self, signal: i32) {
        end(&self.server.daemon, signal);
    }

    /// Does this while the server, if it runs, is stopped, and between its calls of the
    /// kernel.
    pub(super) fn while_server_stands_still(&self, act: impl FnOnce()) {
        let Some(process) = running(&self.server.daemon) else { return act() };
        send_signal(process, libc::SIGSTOP);
        wait_until("the server stands still", PATIENCE, || {
            is_stopped(process) || !is_alive(process)
        });
        act();
        send_signal(process, libc::SIGCONT);
    }

    /// Kills the real spoke.
    pub fn kill_spoke(&self) {
        end(&self.real_spoke, libc::SIGKILL);
    }

    /// The hub may from now on keep in memory what it takes.
    pub(super) fn spool_fails(&mut self) {
        let last = |spoke: &LedgerSpoke| Some(spoke.ledger().last().max(1));
        self.in_memory_from = self.spokes.iter().map(last).collect();
    }

    /// The disk of the spool is well again. Returns when the hub has had the time
    /// to write what it kept in memory.
    pub(super) fn spool_is_well(&mut self) {
        self.keep_running();
        let last = |spoke: &LedgerSpoke| spoke.ledger().last();
        let before: Vec<u64> = self.spokes.iter().map(last).collect();
        // The next batch takes all with it, and who asks once more has written it.
        wait_until("the hub polls", PATIENCE, || {
            self.spokes.iter().zip(&before).all(|(spoke, before)| last(spoke) >= before + 3)
        });
        self.in_memory_from = vec![None; self.spokes.len()];
    }

    /// Batches in the spool, oldest first.
    pub fn spool(&self) -> Vec<PathBuf> {
        batches(&self.spool_folder())
    }

    /// Batches that were set aside.
    pub fn bad(&self) -> Vec<PathBuf> {
        batches(&self.spool_folder().join("bad"))
    }

    /// What the hub has logged.
    pub fn hub_log(&self) -> String {
        fs::read_to_string(self.folder.join(format!("log/{HUB}.log"))).unwrap_or_default()
    }

    /// The most memory that spoke, hub and server have had, in bytes, and how often
    /// one of them was killed for want of it.
    pub fn memory(&self) -> Option<([u64; 3], u64)> {
        let limits = self.limits.as_ref()?;
        let most = limits.each_ref().map(MemoryLimit::most_bytes);
        Some((most, limits.iter().map(MemoryLimit::kills).sum()))
    }

    /// Nothing is wrong any more with the ways between the parts.
    pub(super) fn clear_ways(&mut self) {
        self.link.set_mood(Mood::Passes);
        for spoke in &self.spokes {
            spoke.set_manner(Manner::Well);
        }
        if let Some(network) = &self.network {
            network.heal().expect("nft");
        }
    }

    fn spool_folder(&self) -> PathBuf {
        self.folder.join("cache").join(HUB_ID)
    }
}

/// The numbers of a spoke's polls in a batch.
pub(super) fn numbers_of(body: &[u8], target: &str) -> Vec<u64> {
    let Ok(document) = Document::parse(body) else { return Vec::new() };
    let samples = document.samples().filter_map(Result::ok);
    samples
        .filter(|sample| sample.key == "sequence" && sample.polled_target() == target)
        .filter_map(|sample| match sample.value {
            SampleValue::Integer(number) => Some(number),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a small whole number"
            )]
            SampleValue::Float(number) => Some(number as u64),
            _ => None,
        })
        .collect()
}

fn batches(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut batches: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    batches.sort();
    batches
}

fn limits(name: &str) -> Result<[MemoryLimit; 3], String> {
    let limit = |part: &str, bytes| MemoryLimit::new(&format!("{name}-{part}"), bytes);
    Ok([
        limit("spoke", AGENT_MEMORY)?,
        limit("hub", AGENT_MEMORY)?,
        limit("server", SERVER_MEMORY)?,
    ])
}

fn running(daemon: &Daemon) -> Option<crate::Process> {
    let text = fs::read_to_string(daemon.pid_file()).ok()?;
    let process = text.trim().parse().ok()?;
    (is_alive(process) && daemon.processes().contains(&process)).then_some(process)
}

fn end(daemon: &Daemon, signal: i32) {
    if let Some(process) = running(daemon) {
        send_signal(process, signal);
        wait_until("it has ended", PATIENCE, || !is_alive(process));
    }
}
