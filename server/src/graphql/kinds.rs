//! The kinds of rows of the schema, named as the original named them.

use juniper::arcstr::literal;

use super::kind::{
    CREATED, Child, Column, ENABLED, Kind, MODIFIED, Names, Parent, Rows, Shape, number, text,
};
use super::rows::Table;
use crate::store::{
    Agent, AgentXlate, Chart, ChartDataPoint, DataPointRow, Favorite, Glue, Language, Pair,
    PairXlate, PairXlateGroup, User,
};

/// The names of the types of a kind.
macro_rules! names {
    ($name:literal) => {
        Names {
            row: literal!($name),
            connection: literal!(concat!($name, "Connection")),
            edge: literal!(concat!($name, "Edge")),
        }
    };
}

/// Every kind.
pub(super) static KINDS: [&Kind; 13] = [
    &GLUE,
    &DATAPOINT,
    &PAIR,
    &DATA,
    &LANGUAGE,
    &PAIR_XLATE_GROUP,
    &PAIR_XLATE,
    &AGENT_XLATE,
    &AGENT,
    &CHART,
    &USER,
    &FAVORITE,
    &CHART_DATAPOINT,
];

/// The kind of a name.
pub(super) fn by_name(name: &str) -> Option<&'static Kind> {
    KINDS.into_iter().find(|kind| kind.names.row == name)
}

const NUMBER_OF_DATAPOINT: Column =
    number("idxDatapoint", "idx_datapoint", "Number of the datapoint: of the series.");
const NUMBER_OF_AGENT: Column = number("idxAgent", "idx_agent", "Number of the agent.");
const NUMBER_OF_PAIR: Column = number("idxPair", "idx_pair", "Number of the pair.");
const NUMBER_OF_LANGUAGE: Column = number("idxLanguage", "idx_language", "Number of the language.");
const NUMBER_OF_GROUP: Column =
    number("idxPairXlateGroup", "idx_pair_xlate_group", "Number of the translation group.");
const NUMBER_OF_CHART: Column = number("idxChart", "idx_chart", "Number of the chart.");
const NUMBER_OF_USER: Column = number("idxUser", "idx_user", "Number of the user.");

static GLUE: Kind = Kind {
    names: names!("Glue"),
    about: "That a pair of metadata belongs to a datapoint.",
    single: "glue",
    all: "allGlues",
    rows: Rows::Table(Table::of::<Glue>()),
    key: &["idx_pair", "idx_datapoint"],
    columns: &[NUMBER_OF_PAIR, NUMBER_OF_DATAPOINT, MODIFIED, CREATED],
    parents: &[
        Parent { field: "datapoint", kind: &DATAPOINT, by: "idx_datapoint" },
        Parent { field: "pair", kind: &PAIR, by: "idx_pair" },
    ],
    children: &[],
};

pub(super) static DATAPOINT: Kind = Kind {
    names: names!("DataPoint"),
    about: "A series: all samples of one key of one target with one set of metadata.",
    single: "datapoint",
    all: "allDatapoints",
    rows: Rows::Table(Table::of::<DataPointRow>()),
    key: &["idx_datapoint"],
    columns: &[
        NUMBER_OF_DATAPOINT,
        NUMBER_OF_AGENT,
        text("checksum", "checksum", "SHA-512 of agent id, target and the agent's checksum."),
        number("dataType", "data_type", "2 text, 32 and 64 counters, 99 and 101 gauges."),
        number("lastTimestamp", "last_timestamp", "Unix time of the latest sample, milliseconds."),
        number("pollingInterval", "polling_interval", "Time between samples, milliseconds."),
        ENABLED,
        MODIFIED,
        CREATED,
    ],
    parents: &[Parent { field: "agent", kind: &AGENT, by: "idx_agent" }],
    children: &[
        Child { field: "chartDatapointDatapoint", kind: &CHART_DATAPOINT, by: "idx_datapoint" },
        Child { field: "glueDatapoint", kind: &GLUE, by: "idx_datapoint" },
        Child { field: "dataChecksum", kind: &DATA, by: "idx_datapoint" },
    ],
};

static PAIR: Kind = Kind {
    names: names!("Pair"),
    about: "A key and a value of metadata, stored once.",
    single: "pair",
    all: "allPairs",
    rows: Rows::Table(Table::of::<Pair>()),
    key: &["idx_pair"],
    columns: &[
        NUMBER_OF_PAIR,
        text("key", "key", "Key of the metadata, after the program's name."),
        text("value", "value", "Value of the metadata."),
        MODIFIED,
        CREATED,
    ],
    parents: &[],
    children: &[Child { field: "gluePair", kind: &GLUE, by: "idx_pair" }],
};

pub(super) static DATA: Kind = Kind {
    names: names!("Data"),
    about: "One sample of a series.",
    single: "data",
    all: "allData",
    rows: Rows::Samples,
    key: &["idx_datapoint", "timestamp"],
    columns: &[
        NUMBER_OF_DATAPOINT,
        number("timestamp", "timestamp", "Unix time of the sample, milliseconds."),
        text("value", "value", "The value, with ten decimal places."),
    ],
    parents: &[Parent { field: "datapoint", kind: &DATAPOINT, by: "idx_datapoint" }],
    children: &[],
};

pub(super) static LANGUAGE: Kind = Kind {
    names: names!("Language"),
    about: "A language that names are translated to.",
    single: "language",
    all: "allLanguage",
    rows: Rows::Table(Table::of::<Language>()),
    key: &["idx_language"],
    columns: &[
        NUMBER_OF_LANGUAGE,
        text("code", "code", "Code of the language, such as `en`."),
        text("name", "name", "Name of the language."),
        Column { shape: Shape::Float, ..ENABLED },
        MODIFIED,
        CREATED,
    ],
    parents: &[],
    children: &[
        Child { field: "agentXlateLanguage", kind: &AGENT_XLATE, by: "idx_language" },
        Child { field: "pairXlateLanguage", kind: &PAIR_XLATE, by: "idx_language" },
    ],
};

pub(super) static PAIR_XLATE_GROUP: Kind = Kind {
    names: names!("PairXlateGroup"),
    about: "A group of translations of keys, which agents are assigned to.",
    single: "pairXlateGroup",
    all: "allPairXlateGroup",
    rows: Rows::Table(Table::of::<PairXlateGroup>()),
    key: &["idx_pair_xlate_group"],
    columns: &[
        NUMBER_OF_GROUP,
        text("name", "name", "Name of the group."),
        ENABLED,
        MODIFIED,
        CREATED,
    ],
    parents: &[],
    children: &[
        Child { field: "pairXlatePairXlateGroup", kind: &PAIR_XLATE, by: "idx_pair_xlate_group" },
        Child { field: "agentPairXlateGroup", kind: &AGENT, by: "idx_pair_xlate_group" },
    ],
};

pub(super) static PAIR_XLATE: Kind = Kind {
    names: names!("PairXlate"),
    about: "What a key is called in a language, and its units.",
    single: "pairXlate",
    all: "allPairXlate",
    rows: Rows::Table(Table::of::<PairXlate>()),
    key: &["idx_pair_xlate"],
    columns: &[
        number("idxPairXlate", "idx_pair_xlate", "Number of the translation."),
        NUMBER_OF_GROUP,
        NUMBER_OF_LANGUAGE,
        text("key", "key", "The key, after the program's name."),
        text("translation", "translation", "What a person calls it."),
        text("units", "units", "Units of the values as a chart shows them."),
        ENABLED,
        MODIFIED,
        CREATED,
    ],
    parents: &[
        Parent { field: "pairXlateGroup", kind: &PAIR_XLATE_GROUP, by: "idx_pair_xlate_group" },
        Parent { field: "language", kind: &LANGUAGE, by: "idx_language" },
    ],
    children: &[],
};

pub(super) static AGENT_XLATE: Kind = Kind {
    names: names!("AgentXlate"),
    about: "What a program is called in a language.",
    single: "agentXlate",
    all: "allAgentXlate",
    rows: Rows::Table(Table::of::<AgentXlate>()),
    key: &["idx_agent_xlate"],
    columns: &[
        number("idxAgentXlate", "idx_agent_xlate", "Number of the translation."),
        NUMBER_OF_LANGUAGE,
        text("agentProgram", "agent_program", "The program."),
        text("translation", "translation", "What a person calls it."),
        ENABLED,
        MODIFIED,
        CREATED,
    ],
    parents: &[Parent { field: "language", kind: &LANGUAGE, by: "idx_language" }],
    children: &[],
};

pub(super) static AGENT: Kind = Kind {
    names: names!("Agent"),
    about: "A program that produces datapoints about one target.",
    single: "agent",
    all: "allAgent",
    rows: Rows::Table(Table::of::<Agent>()),
    key: &["idx_agent"],
    columns: &[
        NUMBER_OF_AGENT,
        NUMBER_OF_GROUP,
        text("agentId", "agent_id", "Identity of the agent, 64 hexadecimal digits."),
        text("agentPolledTarget", "agent_polled_target", "What the datapoints are about."),
        text("agentProgram", "agent_program", "Name of the program."),
        ENABLED,
        MODIFIED,
        CREATED,
    ],
    parents: &[Parent {
        field: "pairXlateGroup",
        kind: &PAIR_XLATE_GROUP,
        by: "idx_pair_xlate_group",
    }],
    children: &[Child { field: "datapointAgent", kind: &DATAPOINT, by: "idx_agent" }],
};

pub(super) static CHART: Kind = Kind {
    names: names!("Chart"),
    about: "A chart of one or more series.",
    single: "chart",
    all: "allChart",
    rows: Rows::Table(Table::of::<Chart>()),
    key: &["idx_chart"],
    columns: &[
        NUMBER_OF_CHART,
        text("name", "name", "Name of the chart."),
        text("checksum", "checksum", "Checksum of the chart."),
        ENABLED,
        MODIFIED,
        CREATED,
    ],
    parents: &[],
    children: &[
        Child { field: "favoriteChart", kind: &FAVORITE, by: "idx_chart" },
        Child { field: "chartDatapointChart", kind: &CHART_DATAPOINT, by: "idx_chart" },
    ],
};

pub(super) static CHART_DATAPOINT: Kind = Kind {
    names: names!("ChartDataPoint"),
    about: "That a chart shows a series.",
    single: "chartDatapoint",
    all: "allChartDatapoint",
    rows: Rows::Table(Table::of::<ChartDataPoint>()),
    key: &["idx_chart_datapoint"],
    columns: &[
        number("idxChartDatapoint", "idx_chart_datapoint", "Number of this row."),
        NUMBER_OF_DATAPOINT,
        NUMBER_OF_CHART,
        ENABLED,
        MODIFIED,
        CREATED,
    ],
    parents: &[
        Parent { field: "datapoint", kind: &DATAPOINT, by: "idx_datapoint" },
        Parent { field: "chart", kind: &CHART, by: "idx_chart" },
    ],
    children: &[],
};

pub(super) static FAVORITE: Kind = Kind {
    names: names!("Favorite"),
    about: "That a user wants a chart at hand.",
    single: "favorite",
    all: "allFavorite",
    rows: Rows::Table(Table::of::<Favorite>()),
    key: &["idx_favorite"],
    columns: &[
        number("idxFavorite", "idx_favorite", "Number of the favourite."),
        NUMBER_OF_USER,
        NUMBER_OF_CHART,
        number("order", "order", "Its place among the user's favourites."),
        ENABLED,
    ],
    parents: &[
        Parent { field: "user", kind: &USER, by: "idx_user" },
        Parent { field: "chart", kind: &CHART, by: "idx_chart" },
    ],
    children: &[],
};

pub(super) static USER: Kind = Kind {
    names: names!("User"),
    about: "A person who may log in. The password is never shown.",
    single: "user",
    all: "allUser",
    rows: Rows::Table(Table::of::<User>()),
    key: &["idx_user"],
    columns: &[
        NUMBER_OF_USER,
        text("firstName", "first_name", "First name."),
        text("lastName", "last_name", "Last name."),
        text("username", "username", "The name to log in with."),
        number("role", "role", "What the user may do."),
        number(
            "passwordExpired",
            "password_expired",
            "\"1\" if a new password is due, else \"0\".",
        ),
        ENABLED,
        MODIFIED,
        CREATED,
    ],
    parents: &[],
    children: &[Child { field: "favoriteUser", kind: &FAVORITE, by: "idx_user" }],
};
