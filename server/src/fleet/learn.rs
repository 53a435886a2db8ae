//! What the catalogue says of the fleet: read once, then only what came since.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use super::role::{self, KEYS, Role};
use crate::store::{
    Agent, DataPointRow, Filter, Glue, Pair, ROWS_MAX, Record, Select, SeriesId, Store, StoreError,
};

/// Agents that are looked at; what the fleet holds of one is about a kilobyte.
const MAX_AGENTS: usize = 10_000;
/// Programs whose keys are looked for.
const MAX_PROGRAMS: usize = 64;
/// Series of one role that are kept of an agent, its devices apart: disks, say.
const MAX_ALIKE: usize = 64;
/// Series looked up at a time.
const SERIES_AT_A_TIME: usize = 1_000;

/// The pair whose value is the key of a series.
const KEY: &str = "pattoo_key";
/// Metadata of the machine, which every series of a spoke has.
const MACHINE: [&str; 4] = ["type", "release", "processor", "cpus"];

/// An agent, and which of its series carry figures.
#[derive(Debug)]
pub(super) struct KnownAgent {
    pub(super) idx_agent: i64,
    pub(super) agent_id: String,
    pub(super) program: String,
    pub(super) target: String,
    pub(super) series: Vec<Carrier>,
    /// Metadata of the machine, as its newest series has it.
    pub(super) machine: Vec<(&'static str, String)>,
    machine_of: SeriesId,
}

/// A series that carries a figure.
#[derive(Debug)]
pub(super) struct Carrier {
    pub(super) series: SeriesId,
    pub(super) role: Role,
    pub(super) place: Place,
}

/// What tells a series from its sisters.
#[derive(Debug, Default, Clone, PartialEq, Eq, Hash)]
pub(super) enum Place {
    #[default]
    None,
    /// Where a file system is mounted.
    Mount(String),
    /// A network interface.
    Interface(String),
    /// Address and port of a device.
    Device(String, String),
}

impl KnownAgent {
    pub(super) fn is_hub(&self) -> bool {
        self.series.iter().any(|carrier| carrier.role.is_of_hub())
    }

    /// Series come in order of their age: where there are many alike, the oldest
    /// is most likely of something that is gone.
    fn make_room(&mut self, role: Role) {
        let alike = |carrier: &Carrier| carrier.role == role;
        if self.series.iter().filter(|carrier| alike(carrier)).count() >= MAX_ALIKE
            && let Some(oldest) = self.series.iter().position(alike)
        {
            self.series.remove(oldest);
        }
    }
}

/// All agents, by their numbers, and how far the catalogue has been read.
#[derive(Debug, Default)]
pub(super) struct Learned {
    pub(super) agents: BTreeMap<i64, KnownAgent>,
    epoch: Option<u64>,
    newest: i64,
    told_of_too_many: bool,
}

impl Learned {
    /// Reads what is new, and has the store watch it.
    pub(super) fn catch_up(&mut self, store: &Store) -> Result<(), StoreError> {
        let epoch = store.epoch();
        if self.epoch != Some(epoch) {
            store.unwatch_all();
            *self = Self { epoch: Some(epoch), ..Self::default() };
        }
        let newest = newest(store)?;
        if newest <= self.newest {
            return Ok(());
        }
        let since = self.newest + 1..=newest;
        self.agents(store)?;
        let mut carriers = Vec::new();
        for (pair, role) in self.keys(store)? {
            let glue = Select {
                filters: vec![
                    Filter::Is("idx_pair", pair.into()),
                    Filter::Between("idx_datapoint", *since.start(), *since.end()),
                ],
                ..Select::all()
            };
            let found = all::<Glue>(store, &glue)?.into_iter();
            carriers.extend(found.map(|glue| (glue.idx_datapoint, role)));
        }
        let mut fresh = self.signs(store, &carriers)?;
        carriers.append(&mut fresh);
        carriers.sort_unstable_by_key(|(series, _)| *series);
        let mut watched = Vec::with_capacity(carriers.len());
        for carriers in carriers.chunks(SERIES_AT_A_TIME) {
            self.place(store, carriers, &mut watched)?;
        }
        if !store.watch(&watched)? && !std::mem::replace(&mut self.told_of_too_many, true) {
            log::warn!("the overview leaves figures out: there are more series than it can watch");
        }
        self.newest = newest;
        Ok(())
    }

    fn agents(&mut self, store: &Store) -> Result<(), StoreError> {
        let agents: Vec<Agent> = store.rows(&Select::all().page(0, MAX_AGENTS))?;
        if agents.len() == MAX_AGENTS && !std::mem::replace(&mut self.told_of_too_many, true) {
            log::warn!("the overview has no more than {MAX_AGENTS} agents; others are left out");
        }
        for agent in agents {
            self.agents.entry(agent.idx_agent).or_insert_with(|| KnownAgent {
                idx_agent: agent.idx_agent,
                agent_id: agent.agent_id,
                program: agent.agent_program,
                target: agent.agent_polled_target,
                series: Vec::new(),
                machine: Vec::new(),
                machine_of: 0,
            });
        }
        Ok(())
    }

    /// The pairs that are keys with a role, of every program.
    fn keys(&self, store: &Store) -> Result<Vec<(i64, Role)>, StoreError> {
        let mut programs: Vec<&str> =
            self.agents.values().map(|agent| agent.program.as_str()).collect();
        programs.sort_unstable();
        programs.dedup();
        let mut keys = Vec::new();
        for program in programs.into_iter().take(MAX_PROGRAMS) {
            for (key, role) in KEYS {
                let mut select = Select::by("key", KEY);
                select.filters.push(Filter::Is("value", format!("{program}_{key}").into()));
                let pairs: Vec<Pair> = store.rows(&select)?;
                keys.extend(pairs.into_iter().map(|pair| (pair.idx_pair, role)));
            }
        }
        Ok(keys)
    }

    /// A series of each agent that has none with a role, so that it is known when
    /// the agent was last heard of.
    fn signs(
        &self,
        store: &Store,
        carriers: &[(i64, Role)],
    ) -> Result<Vec<(i64, Role)>, StoreError> {
        let bare: HashSet<i64> = self
            .agents
            .values()
            .filter(|agent| agent.series.is_empty())
            .map(|agent| agent.idx_agent)
            .collect();
        if bare.is_empty() {
            return Ok(Vec::new());
        }
        let mut dressed = HashSet::new();
        for carriers in carriers.chunks(SERIES_AT_A_TIME) {
            dressed.extend(rows_of(store, carriers)?.into_iter().map(|row| row.idx_agent));
        }
        let mut signs = Vec::new();
        for agent in bare.difference(&dressed) {
            let mut select = Select::by("idx_agent", *agent).page(0, 1);
            select.order.push(("idx_datapoint", true));
            let row: Option<DataPointRow> = store.rows(&select)?.pop();
            signs.extend(row.map(|row| (row.idx_datapoint, Role::Sign)));
        }
        Ok(signs)
    }

    /// Gives series to their agents, with what their metadata say.
    fn place(
        &mut self,
        store: &Store,
        carriers: &[(i64, Role)],
        watched: &mut Vec<SeriesId>,
    ) -> Result<(), StoreError> {
        let roles: HashMap<i64, Role> = carriers.iter().copied().collect();
        let mut metadata = metadata(store, carriers)?;
        for row in rows_of(store, carriers)? {
            let (Some(agent), Some(role), Ok(series)) = (
                self.agents.get_mut(&row.idx_agent),
                roles.get(&row.idx_datapoint).copied(),
                SeriesId::try_from(row.idx_datapoint),
            ) else {
                continue;
            };
            let pairs = metadata.remove(&row.idx_datapoint).unwrap_or_default();
            let value = |key: &str| {
                let own = |found: &str| {
                    let rest = found.strip_prefix(agent.program.as_str());
                    rest.and_then(|rest| rest.strip_prefix('_')) == Some(key)
                };
                pairs.iter().find(|pair| own(&pair.key)).map(|pair| pair.value.clone())
            };
            if series > agent.machine_of {
                let told = |key: &&'static str| value(key).map(|value| (*key, value));
                agent.machine = MACHINE.iter().filter_map(told).collect();
                agent.machine_of = series;
            }
            let place = match role {
                Role::Disk => {
                    if value("disk_partition_fstype").is_some_and(|kind| role::is_image(&kind)) {
                        continue;
                    }
                    value("disk_partition_mountpoint").map(Place::Mount)
                }
                Role::Received | Role::Sent => value("network_io_interface").map(Place::Interface),
                role if role.is_of_device() => {
                    let address = value("hub_device_address");
                    let port = value("hub_device_port");
                    address.zip(port).map(|(address, port)| Place::Device(address, port))
                }
                _ => Some(Place::None),
            };
            let Some(place) = place else { continue };
            if !role.is_of_device() {
                agent.make_room(role);
            }
            agent.series.push(Carrier { series, role, place });
            watched.push(series);
        }
        Ok(())
    }
}

/// The number of the newest series.
fn newest(store: &Store) -> Result<i64, StoreError> {
    let mut select = Select::all().page(0, 1);
    select.order.push(("idx_datapoint", true));
    let row: Option<DataPointRow> = store.rows(&select)?.pop();
    Ok(row.map_or(0, |row| row.idx_datapoint))
}

fn rows_of(store: &Store, carriers: &[(i64, Role)]) -> Result<Vec<DataPointRow>, StoreError> {
    let numbers = carriers.iter().map(|(series, _)| *series).collect();
    store.rows(&Select::among("idx_datapoint", numbers))
}

/// The metadata of each of the series.
fn metadata(
    store: &Store,
    carriers: &[(i64, Role)],
) -> Result<HashMap<i64, Vec<Rc<Pair>>>, StoreError> {
    let numbers = carriers.iter().map(|(series, _)| *series).collect();
    let glue: Vec<Glue> = all(store, &Select::among("idx_datapoint", numbers))?;
    let mut wanted: Vec<i64> = glue.iter().map(|glue| glue.idx_pair).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut pairs = HashMap::with_capacity(wanted.len());
    for wanted in wanted.chunks(SERIES_AT_A_TIME) {
        let found: Vec<Pair> = store.rows(&Select::among("idx_pair", wanted.to_vec()))?;
        pairs.extend(found.into_iter().map(|pair| (pair.idx_pair, Rc::new(pair))));
    }
    let mut metadata: HashMap<i64, Vec<Rc<Pair>>> = HashMap::new();
    for glue in glue {
        if let Some(pair) = pairs.get(&glue.idx_pair) {
            metadata.entry(glue.idx_datapoint).or_default().push(Rc::clone(pair));
        }
    }
    Ok(metadata)
}

/// Every row that matches, however many: a page at a time.
fn all<R: Record>(store: &Store, select: &Select) -> Result<Vec<R>, StoreError> {
    let mut rows: Vec<R> = Vec::new();
    loop {
        let page = select.clone().page(rows.len(), ROWS_MAX);
        let found: Vec<R> = store.rows(&page)?;
        let was_last = found.len() < ROWS_MAX;
        rows.extend(found);
        if was_last {
            return Ok(rows);
        }
    }
}
