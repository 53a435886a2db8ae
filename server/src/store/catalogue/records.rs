//! The rows of the catalogue's tables. Times are milliseconds since 1970.

use super::{Cell, Record};

trait FromCell: Sized {
    fn from_cell(cell: Cell) -> Option<Self>;
}

impl FromCell for i64 {
    fn from_cell(cell: Cell) -> Option<Self> {
        match cell {
            Cell::Integer(value) => Some(value),
            Cell::Text(_) => None,
        }
    }
}

impl FromCell for bool {
    fn from_cell(cell: Cell) -> Option<Self> {
        i64::from_cell(cell).map(|value| value != 0)
    }
}

impl FromCell for String {
    fn from_cell(cell: Cell) -> Option<Self> {
        match cell {
            Cell::Integer(_) => None,
            Cell::Text(text) => Some(text),
        }
    }
}

/// A struct whose fields are the columns of a table, in their order.
macro_rules! record {
    ($(#[$doc:meta])* $name:ident $table:literal hidden $hidden:tt
     { $($(#[$field_doc:meta])* $field:ident : $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        impl Record for $name {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field),)*];
            const HIDDEN: &'static [&'static str] = &$hidden;

            fn from_cells(cells: Vec<Cell>) -> Option<Self> {
                let mut cells = cells.into_iter();
                Some(Self { $($field: FromCell::from_cell(cells.next()?)?,)* })
            }
        }
    };
}

record! {
    /// A language of translations.
    Language "language" hidden [] {
        /// Its number.
        idx_language: i64,
        /// Its ISO 639-1 code, as `en`.
        code: String,
        /// Its name.
        name: String,
        /// Whether it is in use.
        enabled: bool,
        /// When the row was made.
        ts_created: i64,
        /// When the row was last changed.
        ts_modified: i64,
    }
}

record! {
    /// A group of translations of keys; agents are assigned to one.
    PairXlateGroup "pair_xlate_group" hidden [] {
        /// Its number; 1 is the one of all agents that have no other.
        idx_pair_xlate_group: i64,
        /// Its name.
        name: String,
        /// Whether it is in use.
        enabled: bool,
        /// When the row was made.
        ts_created: i64,
        /// When the row was last changed.
        ts_modified: i64,
    }
}

record! {
    /// The translation of a key into a language.
    PairXlate "pair_xlate" hidden [] {
        /// Its number.
        idx_pair_xlate: i64,
        /// The group it belongs to.
        idx_pair_xlate_group: i64,
        /// The language.
        idx_language: i64,
        /// The key.
        key: String,
        /// What it means.
        translation: String,
        /// The unit of its values.
        units: String,
        /// Whether it is in use.
        enabled: bool,
        /// When the row was made.
        ts_created: i64,
        /// When the row was last changed.
        ts_modified: i64,
    }
}

record! {
    /// The name of an agent's program in a language.
    AgentXlate "agent_xlate" hidden [] {
        /// Its number.
        idx_agent_xlate: i64,
        /// The language.
        idx_language: i64,
        /// The program.
        agent_program: String,
        /// What it is called.
        translation: String,
        /// Whether it is in use.
        enabled: bool,
        /// When the row was made.
        ts_created: i64,
        /// When the row was last changed.
        ts_modified: i64,
    }
}

record! {
    /// A program that polls a target.
    Agent "agent" hidden [] {
        /// Its number.
        idx_agent: i64,
        /// Which translations it has.
        idx_pair_xlate_group: i64,
        /// Its identity: 64 hex digits.
        agent_id: String,
        /// What it polls: a host name, mostly.
        agent_polled_target: String,
        /// The program.
        agent_program: String,
        /// Whether it is in use.
        enabled: bool,
        /// When the row was made.
        ts_created: i64,
        /// When the row was last changed.
        ts_modified: i64,
    }
}

record! {
    /// A series: what the original calls a datapoint.
    DataPointRow "datapoint" hidden [] {
        /// Its number, the series' id.
        idx_datapoint: i64,
        /// The agent it belongs to.
        idx_agent: i64,
        /// `sha512(agent id + polled target + checksum)` in hex.
        checksum: String,
        /// The wire's number of its data type.
        data_type: i64,
        /// Milliseconds between samples.
        polling_interval: i64,
        /// Whether it is in use.
        enabled: bool,
        /// When the row was made.
        ts_created: i64,
        /// When the row was last changed.
        ts_modified: i64,
    }
}

record! {
    /// A piece of metadata.
    Pair "pair" hidden [] {
        /// Its number.
        idx_pair: i64,
        /// Its key.
        key: String,
        /// Its value.
        value: String,
        /// When the row was made.
        ts_created: i64,
        /// When the row was last changed.
        ts_modified: i64,
    }
}

record! {
    /// That a series has a piece of metadata.
    Glue "glue" hidden [] {
        /// The piece.
        idx_pair: i64,
        /// The series.
        idx_datapoint: i64,
        /// When the row was made.
        ts_created: i64,
        /// When the row was last changed.
        ts_modified: i64,
    }
}

record! {
    /// A user. The hash of the password is written, but read only by
    /// [`super::Store::password_hash`].
    User "user" hidden ["password_hash"] {
        /// Its number.
        idx_user: i64,
        /// First name.
        first_name: String,
        /// Last name.
        last_name: String,
        /// The name to log in with.
        username: String,
        /// What the user may do.
        role: i64,
        /// Whether the password is to be changed.
        password_expired: bool,
        /// Whether the user may log in.
        enabled: bool,
        /// When the row was made.
        ts_created: i64,
        /// When the row was last changed.
        ts_modified: i64,
    }
}

record! {
    /// A chart.
    Chart "chart" hidden [] {
        /// Its number.
        idx_chart: i64,
        /// Its name.
        name: String,
        /// What tells it from others, if anything.
        checksum: String,
        /// Whether it is in use.
        enabled: bool,
        /// When the row was made.
        ts_created: i64,
        /// When the row was last changed.
        ts_modified: i64,
    }
}

record! {
    /// That a chart draws a series.
    ChartDataPoint "chart_datapoint" hidden [] {
        /// Its number.
        idx_chart_datapoint: i64,
        /// The series.
        idx_datapoint: i64,
        /// The chart.
        idx_chart: i64,
        /// Whether it is in use.
        enabled: bool,
        /// When the row was made.
        ts_created: i64,
        /// When the row was last changed.
        ts_modified: i64,
    }
}

record! {
    /// That a user likes a chart.
    Favorite "favorite" hidden [] {
        /// Its number.
        idx_favorite: i64,
        /// The user.
        idx_user: i64,
        /// The chart.
        idx_chart: i64,
        /// Where it stands among the user's favourites.
        order: i64,
        /// Whether it is in use.
        enabled: bool,
        /// When the row was made.
        ts_created: i64,
        /// When the row was last changed.
        ts_modified: i64,
    }
}
