//! What the hubs say of their devices: whether they answered the last poll.
//! Hubs tell it as datapoints of their own, with the device in the metadata.

use std::collections::HashMap;

use juniper::GraphQLObject;

use super::context::Context;
use super::extras;
use crate::store::{
    Agent, DataPointRow, Filter, Glue, Kept, Latest, Pair, Select, SeriesId, Store, StoreError,
};

/// Series of one key that are looked at: one a device.
const MAX_DEVICES: usize = 20_000;
/// Series whose metadata are looked up at a time.
const SERIES_AT_A_TIME: usize = 2_000;
/// Polling intervals after which a hub's word is too old to go by.
const INTERVALS_TRUSTED: f64 = 3.0;

const DEVICE_PAIRS: &str = "hub_device_";
const ADDRESS: &str = "hub_device_address";
const PORT: &str = "hub_device_port";

/// A device as a hub sees it.
#[derive(Debug, Clone, PartialEq, GraphQLObject)]
pub(super) struct Device {
    /// The target of the hub: the host it runs on.
    hub: String,
    /// Where the hub polls the device.
    address: String,
    /// At which port.
    port: String,
    /// Identity of the agent that answered there last; none if none ever did.
    agent_id: Option<String>,
    /// Whether the device answered the last poll; none if the hub has been
    /// silent for more than three intervals.
    reachable: Option<bool>,
    /// Unix time of that poll, milliseconds.
    timestamp: String,
    /// Seconds since that poll.
    age_seconds: f64,
    /// How long the poll took, milliseconds.
    duration: Option<f64>,
    /// Why it failed, if it did.
    error: Option<String>,
}

impl Device {
    /// Whether the device answered the last poll.
    pub(super) fn is_reachable(&self) -> Option<bool> {
        self.reachable
    }
}

/// All devices of all hubs.
#[derive(Debug, Default)]
pub(super) struct Reach {
    pub(super) devices: Vec<Device>,
}

impl Reach {
    /// The devices where an agent answered.
    pub(super) fn of_agent<'a>(&'a self, agent_id: &'a str) -> impl Iterator<Item = &'a Device> {
        self.devices.iter().filter(move |device| device.agent_id.as_deref() == Some(agent_id))
    }
}

/// The hub's agent number, address and port.
type Place = (i64, String, String);

/// A word of a hub about a device.
struct Word {
    latest: Latest,
    interval_ms: i64,
}

/// Asks the store, once a query.
pub(super) fn reach(context: &Context) -> Result<&Reach, StoreError> {
    if let Some(known) = context.reach.get() {
        return Ok(known);
    }
    let found = read(context)?;
    Ok(context.reach.get_or_init(|| found))
}

fn read(context: &Context) -> Result<Reach, StoreError> {
    let store = &context.store;
    let pairs: HashMap<i64, Pair> = store
        .rows::<Pair>(&contains("key", DEVICE_PAIRS))?
        .into_iter()
        .map(|pair| (pair.idx_pair, pair))
        .collect();
    let up = words(store, &pairs, "hub_poll_up")?;
    let ids = words(store, &pairs, "hub_poll_agent_id")?;
    let durations = words(store, &pairs, "hub_poll_duration")?;
    let errors = words(store, &pairs, "hub_poll_error")?;
    let mut hubs = HashMap::new();
    let mut devices = Vec::with_capacity(up.len());
    for (place, word) in &up {
        let hub = if let Some(hub) = hubs.get(&place.0) {
            String::clone(hub)
        } else {
            let hub = store.row::<Agent>(place.0)?.map(|agent| agent.agent_polled_target);
            hubs.entry(place.0).or_insert(hub.unwrap_or_default()).clone()
        };
        let at_ms = word.latest.timestamp_ms;
        let age_seconds = extras::age(context, at_ms);
        let is_up = matches!(&word.latest.value, Kept::Number(up) if up.as_f64() > 0.0);
        let trusted = age_seconds <= word.interval_ms as f64 / 1_000.0 * INTERVALS_TRUSTED;
        // The words of one poll have one timestamp; what a poll did not tell is
        // still there from an earlier one.
        let of_this_poll = |word: &&Word| word.latest.timestamp_ms == at_ms;
        let text = |word: &Word| match &word.latest.value {
            Kept::Text(text) => Some(text.clone()),
            Kept::Number(_) => None,
        };
        let number = |word: &Word| match word.latest.value {
            Kept::Number(number) => Some(number.as_f64()),
            Kept::Text(_) => None,
        };
        devices.push(Device {
            hub,
            address: place.1.clone(),
            port: place.2.clone(),
            agent_id: ids.get(place).and_then(text),
            reachable: trusted.then_some(is_up),
            timestamp: at_ms.to_string(),
            age_seconds,
            duration: durations.get(place).filter(of_this_poll).and_then(number),
            error: errors.get(place).filter(of_this_poll).and_then(text),
        });
    }
    devices.sort_by(|a, b| (&a.hub, &a.address, &a.port).cmp(&(&b.hub, &b.address, &b.port)));
    Ok(Reach { devices })
}

fn contains(column: &'static str, text: &str) -> Select {
    Select { filters: vec![Filter::Contains(column, text.to_owned())], ..Select::all() }
}

/// The latest of all series of a key that have a device in their metadata.
fn words(
    store: &Store,
    pairs: &HashMap<i64, Pair>,
    key: &str,
) -> Result<HashMap<Place, Word>, StoreError> {
    let all = store.find_series(Some(key), None, &[], MAX_DEVICES)?;
    let mut words = HashMap::with_capacity(all.len());
    for series in all.chunks(SERIES_AT_A_TIME) {
        let numbers: Vec<i64> = series.iter().map(|series| i64::from(*series)).collect();
        let rows: Vec<DataPointRow> =
            store.rows(&Select::among("idx_datapoint", numbers.clone()))?;
        let mut glue = Select::among("idx_datapoint", numbers);
        glue.filters.push(Filter::In("idx_pair", pairs.keys().copied().collect()));
        let mut devices: HashMap<i64, (String, String)> = HashMap::new();
        for glue in store.rows::<Glue>(&glue)? {
            let Some(pair) = pairs.get(&glue.idx_pair) else { continue };
            let device = devices.entry(glue.idx_datapoint).or_default();
            if pair.key.ends_with(ADDRESS) {
                device.0.clone_from(&pair.value);
            } else if pair.key.ends_with(PORT) {
                device.1.clone_from(&pair.value);
            }
        }
        let ids: Vec<SeriesId> =
            rows.iter().filter_map(|row| SeriesId::try_from(row.idx_datapoint).ok()).collect();
        for (row, latest) in rows.into_iter().zip(store.latest(&ids)?) {
            if let Some(latest) = latest
                && let Some((address, port)) = devices.remove(&row.idx_datapoint)
            {
                let word = Word { latest, interval_ms: row.polling_interval };
                words.insert((row.idx_agent, address, port), word);
            }
        }
    }
    Ok(words)
}
