//! All hosts as they are now: their states, the figures that tell how they fare,
//! and what their hubs say of them.
//!
//! It is cheap to ask again and again: which series carry the figures is learned
//! from the catalogue once, and then only what came since; their latest samples
//! the store keeps in memory ([`Store::watch`]). Who never asks pays nothing.
//!
//! | file | concept |
//! |---|---|
//! | `role` | which keys carry which figures |
//! | `learn` | what the catalogue says, and what came since |
//! | `figures` | the figures of one agent |
//! | `devices` | what a hub says of its devices |
//! | `state` | up, late, down |

mod devices;
mod figures;
mod learn;
mod role;
mod state;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use devices::Device;
pub use figures::{Figure, Figures, busy};
pub use state::State;

use crate::store::{SeriesId, Store, StoreError, Watched};
use figures::Now;
use learn::{KnownAgent, Learned};
use role::Role;

/// Names that the metadata of a machine have here.
const LABELS: [(&str, &str); 4] =
    [("type", "system"), ("release", "release"), ("processor", "processor"), ("cpus", "cpus")];

/// The fleet of one store.
#[derive(Debug, Default)]
pub struct Fleet(Mutex<Learned>);

/// A host: all agents that tell of one target, hubs apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Host {
    /// The target.
    pub target: String,
    /// Whether it is well.
    pub state: State,
    /// The latest sample of any of its agents, milliseconds since 1970, by the
    /// clock of its hub where that tells how far the host's differs.
    pub seen_ms: Option<u64>,
    /// Milliseconds between its samples.
    pub interval_ms: Option<u64>,
    /// Its figures.
    pub figures: Figures,
    /// Whether a hub reached it at the last poll; none if no hub tells.
    pub reachable: Option<bool>,
    /// Why none did.
    pub error: Option<String>,
    /// What its machine is, and who polls it: names and values.
    pub labels: Vec<(&'static str, String)>,
    /// The agent that was heard of last: its identity and program.
    pub agent: Option<(String, String)>,
    /// How hubs see it.
    pub devices: Vec<Device>,
}

/// A hub.
#[derive(Debug, Clone, PartialEq)]
pub struct Hub {
    /// The host it runs on.
    pub target: String,
    /// Number of its agent.
    pub idx_agent: i64,
    /// Whether it is well.
    pub state: State,
    /// When it last told of itself.
    pub seen_ms: Option<u64>,
    /// Devices that it polls.
    pub devices: usize,
    /// Of them, those that answered.
    pub reached: usize,
    /// Those that did not.
    pub unreachable: Vec<Device>,
    /// Batches that wait until the server takes them.
    pub spool_waiting: Option<f64>,
}

impl Fleet {
    /// Every host and every hub, in order of their names.
    pub fn overview(
        &self,
        store: &Store,
        now_ms: u64,
    ) -> Result<(Vec<Host>, Vec<Hub>), StoreError> {
        let learned = self.learned(store)?;
        Ok(store.watched(|watched| {
            let look = Look::new(&learned, watched, now_ms);
            let targets = look.targets();
            let hosts = targets.iter().map(|(target, agents)| look.host(target, agents));
            (hosts.collect(), look.hubs())
        }))
    }

    /// One host; none if no agent tells of it. Where only a hub does, it is that.
    pub fn host(
        &self,
        store: &Store,
        target: &str,
        now_ms: u64,
    ) -> Result<Option<Host>, StoreError> {
        let learned = self.learned(store)?;
        Ok(store.watched(|watched| {
            let look = Look::new(&learned, watched, now_ms);
            let all = || learned.agents.values().filter(|agent| agent.target == target);
            let mut agents: Vec<&KnownAgent> = all().filter(|agent| !agent.is_hub()).collect();
            if agents.is_empty() {
                agents = all().collect();
            }
            (!agents.is_empty()).then(|| look.host(target, &agents))
        }))
    }

    /// Every device of every hub, also those that never answered.
    pub fn devices(&self, store: &Store, now_ms: u64) -> Result<Vec<Device>, StoreError> {
        let learned = self.learned(store)?;
        let mut devices: Vec<Device> =
            store.watched(|watched| Look::new(&learned, watched, now_ms).devices);
        devices.sort_by(|a, b| (&a.hub, &a.address, &a.port).cmp(&(&b.hub, &b.address, &b.port)));
        Ok(devices)
    }

    /// For each of the targets, the series that a figure is made of.
    pub fn series(
        &self,
        store: &Store,
        targets: &[String],
        figure: Figure,
    ) -> Result<Vec<Vec<SeriesId>>, StoreError> {
        let learned = self.learned(store)?;
        Ok(store.watched(|watched| {
            let mut found: HashMap<&str, (Option<u64>, Vec<SeriesId>)> =
                targets.iter().map(|target| (target.as_str(), (None, Vec::new()))).collect();
            for agent in learned.agents.values() {
                let Some((seen_ms, series)) = found.get_mut(agent.target.as_str()) else {
                    continue;
                };
                let now = Now::of(agent, watched);
                let told = now.series(figure);
                // Of two agents that tell it, the one that was heard of last.
                if !told.is_empty() && now.seen_ms >= *seen_ms {
                    (*seen_ms, *series) = (now.seen_ms, told);
                }
            }
            let of = |target: &String| found.get(target.as_str()).map(|(_, series)| series.clone());
            targets.iter().map(|target| of(target).unwrap_or_default()).collect()
        }))
    }

    fn learned(&self, store: &Store) -> Result<MutexGuard<'_, Learned>, StoreError> {
        let mut learned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        learned.catch_up(store)?;
        Ok(learned)
    }
}

/// The fleet at one moment.
struct Look<'l> {
    learned: &'l Learned,
    watched: &'l Watched,
    now_ms: u64,
    devices: Vec<Device>,
    /// The devices at which an agent answers, by its identity.
    of_agent: HashMap<String, Vec<usize>>,
}

impl<'l> Look<'l> {
    fn new(learned: &'l Learned, watched: &'l Watched, now_ms: u64) -> Self {
        let hubs = learned.agents.values().filter(|agent| agent.is_hub());
        let devices: Vec<Device> =
            hubs.flat_map(|hub| devices::devices(hub, watched, now_ms)).collect();
        let mut of_agent: HashMap<String, Vec<usize>> = HashMap::new();
        for (number, device) in devices.iter().enumerate() {
            if let Some(agent_id) = &device.agent_id {
                of_agent.entry(agent_id.clone()).or_default().push(number);
            }
        }
        Self { learned, watched, now_ms, devices, of_agent }
    }

    fn targets(&self) -> BTreeMap<&'l str, Vec<&'l KnownAgent>> {
        let mut targets: BTreeMap<&str, Vec<&KnownAgent>> = BTreeMap::new();
        for agent in self.learned.agents.values().filter(|agent| !agent.is_hub()) {
            targets.entry(&agent.target).or_default().push(agent);
        }
        targets
    }

    fn devices_of(&self, agent: &KnownAgent) -> impl Iterator<Item = &Device> {
        let numbers = self.of_agent.get(&agent.agent_id).into_iter().flatten();
        numbers.filter_map(|number| self.devices.get(*number))
    }

    fn host(&self, target: &str, agents: &[&'l KnownAgent]) -> Host {
        let mut nows: Vec<(Option<u64>, Now<'_>)> = agents
            .iter()
            .map(|agent| {
                let now = Now::of(agent, self.watched);
                let skew_ms = self.devices_of(agent).find_map(|device| device.clock_skew_ms);
                (now.seen_ms.map(|seen_ms| by_the_hub(seen_ms, skew_ms)), now)
            })
            .collect();
        nows.sort_by_key(|(seen_ms, _)| std::cmp::Reverse(*seen_ms));
        let devices: Vec<Device> =
            agents.iter().flat_map(|agent| self.devices_of(agent)).cloned().collect();
        let reachable = devices.iter().filter_map(|device| device.reachable).reduce(|a, b| a || b);
        let first = nows.first();
        let seen_ms = first.and_then(|(seen_ms, _)| *seen_ms);
        let interval_ms = first.map(|(_, now)| now.interval_ms).filter(|interval| *interval > 0);
        let mut labels = Vec::new();
        if let Some((_, now)) = first {
            for (key, name) in LABELS {
                let told = now.agent.machine.iter().find(|(known, _)| *known == key);
                let told = told.filter(|(_, value)| !value.is_empty());
                labels.extend(told.map(|(_, value)| (name, value.clone())));
            }
        }
        for device in &devices {
            if !labels.contains(&("hub", device.hub.clone())) {
                labels.push(("hub", device.hub.clone()));
            }
        }
        let state = State::of(seen_ms, interval_ms.unwrap_or(0), reachable, self.now_ms);
        let error = (reachable == Some(false))
            .then(|| devices.iter().find_map(|device| device.error.clone()))
            .flatten();
        let agent = first.map(|(_, now)| (now.agent.agent_id.clone(), now.agent.program.clone()));
        let figures =
            nows.iter().map(|(_, now)| now.figures()).reduce(Figures::or).unwrap_or_default();
        Host {
            target: target.to_owned(),
            state,
            seen_ms,
            interval_ms,
            figures,
            reachable,
            error,
            labels,
            agent,
            devices,
        }
    }

    fn hubs(&self) -> Vec<Hub> {
        let hubs = self.learned.agents.values().filter(|agent| agent.is_hub());
        let mut hubs: Vec<Hub> = hubs.map(|hub| self.hub(hub)).collect();
        hubs.sort_by(|a, b| (&a.target, a.idx_agent).cmp(&(&b.target, b.idx_agent)));
        hubs
    }

    fn hub(&self, hub: &KnownAgent) -> Hub {
        let now = Now::of(hub, self.watched);
        // What it does not poll any more is not of its latest cycle.
        let is_polled = |device: &&Device| {
            device.idx_agent == hub.idx_agent
                && now.seen_ms.is_none_or(|seen_ms| {
                    device.timestamp_ms + 2 * now.interval_ms.max(1) > seen_ms
                })
        };
        let polled: Vec<&Device> = self.devices.iter().filter(is_polled).collect();
        let unreachable: Vec<Device> = polled
            .iter()
            .filter(|device| device.reachable == Some(false))
            .map(|device| (*device).clone())
            .collect();
        let reached = polled.iter().filter(|device| device.reachable == Some(true)).count();
        let spool = hub.series.iter().filter(|carrier| carrier.role == Role::SpoolWaiting);
        let spool = spool.filter_map(|carrier| self.watched.get(carrier.series));
        let spool = spool.max_by_key(|heard| heard.timestamp_ms());
        Hub {
            target: hub.target.clone(),
            idx_agent: hub.idx_agent,
            state: State::of_hub(
                now.seen_ms,
                now.interval_ms,
                reached == polled.len(),
                self.now_ms,
            ),
            seen_ms: now.seen_ms,
            devices: polled.len(),
            reached,
            unreachable,
            spool_waiting: spool.and_then(|heard| Some(heard.number()?.as_f64())),
        }
    }
}

/// A time of a device's clock by that of its hub.
fn by_the_hub(at_ms: u64, skew_ms: Option<f64>) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "a float becomes the nearest integer")]
    let skew_ms = skew_ms.unwrap_or(0.0) as i64;
    at_ms.saturating_add_signed(skew_ms.saturating_neg())
}
