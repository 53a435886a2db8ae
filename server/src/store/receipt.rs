//! What is told to the store about a sample, and what it answers.

use std::fmt;

use super::number::Number;

/// Refusals that are listed one by one; all are counted.
const REFUSALS_LISTED: usize = 100;

/// Who a sample comes from. The series is named after the first two.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The agent's id.
    pub agent_id: &'a str,
    /// What the sample is about: a host name, mostly.
    pub polled_target: &'a str,
    /// The agent's program.
    pub program: &'a str,
    /// Milliseconds between samples.
    pub polling_interval_ms: u64,
}

/// The value of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading<'a> {
    /// A number; under data type 2 it is kept as its text.
    Number(Number),
    /// Text, for data type 2 only.
    Text(&'a str),
}

/// Why a sample was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The agent has as many series as it may have.
    SeriesCap,
    /// The store has as many agents as it may have.
    AgentCap,
    /// The timestamp is 0 or past the year 2200.
    Timestamp,
    /// It is of a day whose samples have been deleted.
    Expired,
    /// Text where the data type wants a number.
    Text,
    /// No number, or an endless one.
    NotFinite,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SeriesCap => "its agent has as many series as it may have",
            Self::AgentCap => "the store has as many agents as it may have",
            Self::Timestamp => "its timestamp is 0 or past the year 2200",
            Self::Expired => "it is of a day whose samples have been deleted",
            Self::NotFinite => "its value is no finite number",
            Self::Text => "text where a number is wanted",
        })
    }
}

/// What became of a batch. All that is stored or there is durable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Samples that are new.
    pub stored: usize,
    /// Samples whose series had one at that time (the first stays), and texts
    /// no newer than the one that is kept.
    pub already_there: usize,
    /// How many were refused.
    pub refused: usize,
    /// The first hundred of them: the place in the order of [`super::Batch::add`].
    pub refusals: Vec<(usize, Refusal)>,
}

impl Receipt {
    pub(super) fn refuse(&mut self, place: usize, why: Refusal) {
        self.refused += 1;
        if self.refusals.len() < REFUSALS_LISTED {
            self.refusals.push((place, why));
        }
    }
}
