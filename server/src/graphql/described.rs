//! Series as a person is shown them: with the name of their key in a language,
//! what tells them from their sisters, and their latest value.

use std::collections::HashMap;
use std::rc::Rc;

use juniper::GraphQLObject;

use super::context::Context;
use super::milliseconds::Milliseconds;
use super::overview::Label;
use super::samples;
use crate::store::{
    Agent, DataPointRow, Filter, Glue, Kept, Language, Pair, PairXlate, Select, SeriesId,
    StoreError,
};
use pattoo_common::datapoint::DataType;

/// Series looked up at a time.
const SERIES_AT_A_TIME: usize = 1_000;
/// The language of names that another does not have.
const FALLBACK: &str = "en";
/// The pair whose value is the key of a series.
const KEY_PAIR: &str = "pattoo_key";
/// Metadata of the machine: every series of a host has them.
const MACHINE: [&str; 6] = ["release", "version", "processor", "type", "cpus", "hostname"];

/// A series as a person is shown it.
#[derive(Debug, GraphQLObject)]
pub(super) struct HostSeries {
    /// The host.
    pub(super) target: String,
    /// Number of the datapoint.
    idx_datapoint: String,
    /// Number of its agent.
    idx_agent: String,
    /// The key as the agent sends it.
    pub(super) key: String,
    /// The agent's program.
    program: String,
    /// 2 text, 32 and 64 counters, 99 and 101 gauges.
    data_type: i32,
    /// Whether its growth is what tells something.
    is_counter: bool,
    /// What the key is called.
    name: String,
    /// Units of the values as a chart shows them: of a counter, those of its growth.
    units: String,
    /// The metadata that tell it from its sisters.
    labels: Vec<Label>,
    /// The latest value; null of a text.
    latest: Option<f64>,
    /// The latest value as it is written.
    latest_text: Option<String>,
    /// Unix time of it, milliseconds.
    latest_timestamp: Option<Milliseconds>,
}

/// What keys are called in a language: by group and key, name and units.
pub(super) struct Names(HashMap<(i64, String), (String, String)>);

impl Names {
    /// The names of a language (`es`; of `es-MX` too), and beneath them those of
    /// the language that we write.
    pub(super) fn read(context: &Context, language: &str) -> Result<Self, StoreError> {
        let base = language.split('-').next().unwrap_or_default();
        let mut names = HashMap::new();
        for code in [FALLBACK, base, language] {
            let code = code.to_ascii_lowercase();
            let row: Option<Language> = context.store.rows(&Select::by("code", code))?.pop();
            let Some(row) = row else { continue };
            let mut select = Select::by("idx_language", row.idx_language);
            select.filters.push(Filter::Is("enabled", true.into()));
            for name in context.store.rows::<PairXlate>(&select)? {
                let key = (name.idx_pair_xlate_group, name.key);
                names.insert(key, (name.translation, name.units));
            }
        }
        Ok(Self(names))
    }

    /// Name and units of a key; the key itself, where it has none.
    pub(super) fn of(&self, group: i64, key: &str, short: &str) -> (String, String) {
        let found = self.0.get(&(group, key.to_owned()));
        found.cloned().unwrap_or_else(|| (short.to_owned(), String::new()))
    }
}

/// The key or the name of metadata without the program's name before it.
pub(super) fn short<'k>(program: &str, key: &'k str) -> &'k str {
    let rest = key.strip_prefix(program).and_then(|rest| rest.strip_prefix('_'));
    rest.unwrap_or(key)
}

/// Describes series, in their order.
pub(super) fn describe(
    context: &Context,
    names: &Names,
    series: &[SeriesId],
) -> Result<Vec<HostSeries>, StoreError> {
    let store = &context.store;
    let mut described = Vec::with_capacity(series.len());
    for series in series.chunks(SERIES_AT_A_TIME) {
        if context.is_over() {
            break;
        }
        let numbers: Vec<i64> = series.iter().map(|series| i64::from(*series)).collect();
        let rows: Vec<DataPointRow> =
            store.rows(&Select::among("idx_datapoint", numbers.clone()))?;
        let mut rows: HashMap<i64, DataPointRow> =
            rows.into_iter().map(|row| (row.idx_datapoint, row)).collect();
        let mut agents: Vec<i64> = rows.values().map(|row| row.idx_agent).collect();
        agents.sort_unstable();
        agents.dedup();
        let agents: Vec<Agent> = store.rows(&Select::among("idx_agent", agents))?;
        let agents: HashMap<i64, Agent> =
            agents.into_iter().map(|agent| (agent.idx_agent, agent)).collect();
        let mut metadata = metadata(context, numbers)?;
        for (series, latest) in series.iter().zip(store.latest(series)?) {
            let number = i64::from(*series);
            let Some(row) = rows.remove(&number) else { continue };
            let Some(agent) = agents.get(&row.idx_agent) else { continue };
            let pairs = metadata.remove(&number).unwrap_or_default();
            let key = pairs.iter().find(|pair| pair.key == KEY_PAIR);
            let key = key.map(|pair| pair.value.as_str()).unwrap_or_default();
            let program = &agent.agent_program;
            let short_key = short(program, key);
            let (name, units) = names.of(agent.idx_pair_xlate_group, key, short_key);
            let label = |pair: &Rc<Pair>| {
                let key = short(program, &pair.key);
                let is_of_machine = MACHINE.contains(&key) || pair.key == KEY_PAIR;
                (!is_of_machine).then(|| Label::new(key, &pair.value))
            };
            let data_type = u64::try_from(row.data_type).ok().and_then(DataType::from_code);
            described.push(HostSeries {
                target: agent.agent_polled_target.clone(),
                idx_datapoint: number.to_string(),
                idx_agent: row.idx_agent.to_string(),
                key: short_key.to_owned(),
                program: program.clone(),
                data_type: i32::try_from(row.data_type).unwrap_or(0),
                is_counter: matches!(data_type, Some(DataType::Counter32 | DataType::Counter64)),
                name,
                units,
                labels: pairs.iter().filter_map(label).collect(),
                latest: latest.as_ref().and_then(|latest| match &latest.value {
                    Kept::Number(number) => Some(number.as_f64()),
                    Kept::Text(_) => None,
                }),
                latest_text: latest.as_ref().map(|latest| match &latest.value {
                    Kept::Number(number) => samples::decimal(*number),
                    Kept::Text(text) => text.clone(),
                }),
                latest_timestamp: latest.map(|latest| Milliseconds(latest.timestamp_ms)),
            });
        }
    }
    context.count_rows(described.len());
    Ok(described)
}

/// The metadata of each of the series.
fn metadata(
    context: &Context,
    series: Vec<i64>,
) -> Result<HashMap<i64, Vec<Rc<Pair>>>, StoreError> {
    let glue: Vec<Glue> = context.store.rows(&Select::among("idx_datapoint", series))?;
    let mut wanted: Vec<i64> = glue.iter().map(|glue| glue.idx_pair).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut pairs = HashMap::with_capacity(wanted.len());
    for wanted in wanted.chunks(SERIES_AT_A_TIME) {
        let found: Vec<Pair> = context.store.rows(&Select::among("idx_pair", wanted.to_vec()))?;
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
