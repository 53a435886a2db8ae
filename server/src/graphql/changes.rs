//! The mutations, one table: which rows are created or updated, and which of
//! their columns may be given.

use juniper::ArcStr;
use juniper::arcstr::literal;

use super::kind::Kind;
use super::kinds::{
    AGENT, AGENT_XLATE, CHART, CHART_DATAPOINT, FAVORITE, LANGUAGE, PAIR_XLATE, PAIR_XLATE_GROUP,
    USER,
};

/// The field of an input that is a password, and no column to be shown.
pub(super) const PASSWORD: &str = "password";

/// A mutation: a row of a kind is created or updated.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) field: &'static str,
    pub(super) payload: ArcStr,
    pub(super) input: ArcStr,
    pub(super) about: &'static str,
    pub(super) kind: &'static Kind,
    /// The field of the payload that is the row.
    pub(super) row: &'static str,
    /// Columns that may be given, besides the number.
    pub(super) columns: &'static [&'static str],
    pub(super) deed: Deed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Create,
    Update,
}

macro_rules! change {
    ($field:literal, $payload:literal, $kind:expr, $row:literal, $columns:expr, $deed:expr, $about:literal) => {
        Change {
            field: $field,
            payload: literal!($payload),
            input: literal!(concat!($payload, "Input")),
            about: $about,
            kind: $kind,
            row: $row,
            columns: $columns,
            deed: $deed,
        }
    };
}

const CHART_COLUMNS: &[&str] = &["name", "checksum", "enabled"];
const CHART_DATAPOINT_COLUMNS: &[&str] = &["idxDatapoint", "idxChart", "enabled"];
const FAVORITE_COLUMNS: &[&str] = &["idxUser", "idxChart", "order", "enabled"];
const USER_COLUMNS: &[&str] =
    &["firstName", "lastName", "username", "passwordExpired", "role", "enabled", PASSWORD];

pub(super) static CHANGES: [Change; 15] = [
    change!(
        "createChart",
        "CreateChart",
        &CHART,
        "chart",
        CHART_COLUMNS,
        Deed::Create,
        "Create a Chart."
    ),
    change!(
        "updateChart",
        "UpdateChart",
        &CHART,
        "chart",
        CHART_COLUMNS,
        Deed::Update,
        "Update a Chart."
    ),
    change!(
        "createChartDataPoint",
        "CreateChartDataPoint",
        &CHART_DATAPOINT,
        "chartDatapoint",
        CHART_DATAPOINT_COLUMNS,
        Deed::Create,
        "Show a datapoint on a chart."
    ),
    change!(
        "updateChartDataPoint",
        "UpdateChartDataPoint",
        &CHART_DATAPOINT,
        "chartDatapoint",
        CHART_DATAPOINT_COLUMNS,
        Deed::Update,
        "Update what a chart shows."
    ),
    change!(
        "createFavorite",
        "CreateFavorite",
        &FAVORITE,
        "favorite",
        FAVORITE_COLUMNS,
        Deed::Create,
        "Create a Favorite."
    ),
    change!(
        "updateFavorite",
        "UpdateFavorite",
        &FAVORITE,
        "favorite",
        FAVORITE_COLUMNS,
        Deed::Update,
        "Update a Favorite."
    ),
    change!(
        "createUser",
        "CreateUser",
        &USER,
        "user",
        USER_COLUMNS,
        Deed::Create,
        "Create a User; nothing if the username is taken."
    ),
    change!(
        "updateUser",
        "UpdateUser",
        &USER,
        "user",
        USER_COLUMNS,
        Deed::Update,
        "Update a User."
    ),
    change!(
        "createLanguage",
        "CreateLanguage",
        &LANGUAGE,
        "language",
        &["code", "name"],
        Deed::Create,
        "Create a Language."
    ),
    change!(
        "updateLanguage",
        "UpdateLanguage",
        &LANGUAGE,
        "language",
        &["code", "name", "enabled"],
        Deed::Update,
        "Update a Language."
    ),
    change!(
        "createPairXlateGroup",
        "CreatePairXlateGroup",
        &PAIR_XLATE_GROUP,
        "pairXlateGroup",
        &["name"],
        Deed::Create,
        "Create a group of translations."
    ),
    change!(
        "updatePairXlateGroup",
        "UpdatePairXlateGroup",
        &PAIR_XLATE_GROUP,
        "pairXlateGroup",
        &["name", "enabled"],
        Deed::Update,
        "Update a group of translations."
    ),
    change!(
        "updatePairXlate",
        "UpdatePairXlate",
        &PAIR_XLATE,
        "pairXlate",
        &["translation", "units", "enabled"],
        Deed::Update,
        "Update the translation of a key."
    ),
    change!(
        "updateAgentXlate",
        "UpdateAgentXlate",
        &AGENT_XLATE,
        "agentXlate",
        &["translation", "enabled"],
        Deed::Update,
        "Update the translation of a program."
    ),
    change!(
        "updateAgent",
        "UpdateAgent",
        &AGENT,
        "agent",
        &["idxPairXlateGroup", "enabled"],
        Deed::Update,
        "Assign an Agent to a group of translations."
    ),
];

impl Change {
    /// The number of the row, as a field of the input.
    pub(super) fn number(&self) -> &'static str {
        self.kind.columns.first().map_or("", |column| column.field)
    }
}
