//! What the original's catalogue held at the time of the captures, as far as
//! they tell: languages, translations, users, charts. Numbers are kept.

use std::collections::BTreeSet;

use pattoo_server::store::{
    AgentXlate, Cell, Chart, ChartDataPoint, Favorite, Language, PairXlate, PairXlateGroup, Record,
    Store, User,
};
use serde_json::Value;

use super::numbers::{Kind, Numbers};
use crate::support::captured;

fn nodes(answer: &Value) -> impl Iterator<Item = &Value> {
    answer["edges"].as_array().unwrap().iter().map(|edge| &edge["node"])
}

fn of(name: &str, field: &str) -> Value {
    captured(name)["data"][field].clone()
}

fn number(node: &Value, name: &str) -> Cell {
    Cell::Integer(node[name].as_str().unwrap().parse().unwrap())
}

fn text(node: &Value, name: &str) -> Cell {
    Cell::Text(node[name].as_str().unwrap().to_owned())
}

fn create<R: Record>(store: &Store, cells: Vec<(&'static str, Cell)>) {
    store.create::<R>(cells).unwrap();
}

/// All that stands without series.
pub(crate) fn load(store: &Store) {
    for node in nodes(&of("doc_all_language", "allLanguage")) {
        create::<Language>(
            store,
            vec![
                ("idx_language", number(node, "idxLanguage")),
                ("code", text(node, "code")),
                ("name", text(node, "name")),
            ],
        );
    }
    let mut units = Vec::new();
    for group in nodes(&of("web_pair_xlates", "allPairXlateGroup")) {
        let idx = number(group, "idxPairXlateGroup");
        // The first is there from the start, as in the original.
        if idx != Cell::Integer(1) {
            let name = format!("group {}", group["idxPairXlateGroup"]);
            create::<PairXlateGroup>(
                store,
                vec![("idx_pair_xlate_group", idx), ("name", Cell::Text(name))],
            );
        }
        units.extend(nodes(&group["pairXlatePairXlateGroup"]).map(|node| text(node, "units")));
    }
    let translations = of("doc_all_pair_xlate", "allPairXlate");
    assert_eq!(nodes(&translations).count(), units.len());
    for (node, units) in nodes(&translations).zip(units) {
        create::<PairXlate>(
            store,
            vec![
                ("idx_pair_xlate", number(node, "idxPairXlate")),
                ("idx_pair_xlate_group", number(node, "idxPairXlateGroup")),
                ("idx_language", number(node, "idxLanguage")),
                ("key", text(node, "key")),
                ("translation", text(node, "translation")),
                ("units", units),
            ],
        );
    }
    for node in nodes(&of("doc_all_agent_xlate", "allAgentXlate")) {
        create::<AgentXlate>(
            store,
            vec![
                ("idx_agent_xlate", number(node, "idxAgentXlate")),
                ("idx_language", number(node, "idxLanguage")),
                ("agent_program", text(node, "agentProgram")),
                ("translation", text(node, "translation")),
                ("enabled", number(node, "enabled")),
            ],
        );
    }
    for (idx, node) in (1_i64..).zip(nodes(&of("doc_all_user", "allUser"))) {
        create::<User>(
            store,
            vec![
                ("idx_user", idx.into()),
                ("username", text(node, "username")),
                ("first_name", text(node, "firstName")),
                ("last_name", text(node, "lastName")),
                ("enabled", number(node, "enabled")),
            ],
        );
    }
}

/// Charts and favourites. The original had made a chart for every series; those
/// of the series of one agent were captured, the others are filled in, so that
/// the numbers that follow are the original's.
pub(crate) fn load_charts(store: &Store, numbers: &Numbers) {
    let mut free: BTreeSet<i64> = (2..=191).collect();
    let mut free_links: BTreeSet<i64> = (1..=190).collect();
    create::<Chart>(store, vec![("idx_chart", 1.into()), ("name", "pattoo".into())]);
    let chart = |idx: Cell, checksum: Cell, link: Cell, series: &str| {
        let series: i64 = numbers.ours(Kind::DataPoint, series).parse().unwrap();
        create::<Chart>(store, vec![("idx_chart", idx.clone()), ("checksum", checksum)]);
        create::<ChartDataPoint>(
            store,
            vec![
                ("idx_chart_datapoint", link),
                ("idx_chart", idx),
                ("idx_datapoint", series.into()),
            ],
        );
    };
    let integer = |cell: &Cell| match cell {
        Cell::Integer(number) => *number,
        Cell::Text(_) => 0,
    };
    let mut with_chart = BTreeSet::new();
    for series in nodes(&of("doc_agent_charts", "agent")["datapointAgent"]) {
        for link in nodes(&series["chartDatapointDatapoint"]) {
            let (idx, number_of_link) =
                (number(&link["chart"], "idxChart"), number(link, "idxChartDatapoint"));
            assert!(free.remove(&integer(&idx)) && free_links.remove(&integer(&number_of_link)));
            let name = series["idxDatapoint"].as_str().unwrap();
            chart(idx, text(&link["chart"], "checksum"), number_of_link, name);
            with_chart.insert(name.to_owned());
        }
    }
    let mut free = free.into_iter().zip(free_links);
    for node in nodes(&of("doc_all_datapoints", "allDatapoints")) {
        let series = node["idxDatapoint"].as_str().unwrap();
        if !with_chart.contains(series) {
            let (idx, link) = free.next().unwrap();
            chart(idx.into(), "".into(), link.into(), series);
        }
    }
    assert_eq!(free.next(), None);
    for node in nodes(&of("doc_all_favorite", "allFavorite")) {
        create::<Favorite>(
            store,
            vec![
                ("idx_favorite", number(node, "idxFavorite")),
                ("idx_user", number(&node["user"], "idxUser")),
                ("idx_chart", 1.into()),
                ("order", number(node, "order")),
            ],
        );
    }
}
