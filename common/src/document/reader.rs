//! Reading a document: strict about its shape, generous about order and about
//! metadata that we do not know, and without a copy of what it holds.

use std::borrow::Cow;
use std::fmt;

use serde::de::DeserializeSeed;

use super::shape::Top;

/// Why a text is no poll document: where, and what was wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentError(String);

impl DocumentError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no poll document: {}", self.0)
    }
}

impl std::error::Error for DocumentError {}

/// A poll document whose shape is right: every id resolves, every limit holds.
/// What its datapoints say is not yet understood; see [`super::sample`].
#[derive(Debug)]
pub struct Document<'a> {
    pub(super) agent_id: Cow<'a, str>,
    pub(super) interval_ms: u64,
    pub(super) timestamp_ms: u64,
    pub(super) pairs: Vec<RawPair<'a>>,
    pub(super) rows: Rows,
}

/// A pair as it stands in the text: two JSON tokens, a string and a string or
/// number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RawPair<'a> {
    pub(super) key: &'a str,
    pub(super) value: &'a str,
}

/// The lists of ids, one after another.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) ids: Vec<u32>,
    /// Where each row ends in `ids`.
    pub(super) ends: Vec<usize>,
}

impl<'a> Document<'a> {
    /// Reads a document.
    ///
    /// # Errors
    /// Text that is not JSON, a top-level key that is missing, unknown or there
    /// twice, an id that does not resolve, or a limit that is passed.
    pub fn parse(text: &'a [u8]) -> Result<Self, DocumentError> {
        let text = std::str::from_utf8(text).map_err(|error| {
            DocumentError(format!("not UTF-8 after byte {}", error.valid_up_to()))
        })?;
        let mut reader = serde_json::Deserializer::from_str(text);
        let document =
            Top.deserialize(&mut reader).map_err(|error| DocumentError(error.to_string()))?;
        reader.end().map_err(|error| DocumentError(error.to_string()))?;
        document.check_ids()?;
        Ok(document)
    }

    /// Who sent it: of a spoke's answer the spoke, of a batch the hub.
    pub fn agent_id(&self) -> &str {
        &self.agent_id
    }

    /// The polling interval, in milliseconds.
    pub fn interval_ms(&self) -> u64 {
        self.interval_ms
    }

    /// When it was made: Unix time in milliseconds.
    pub fn timestamp_ms(&self) -> u64 {
        self.timestamp_ms
    }

    /// How many datapoints it has.
    pub fn datapoint_count(&self) -> usize {
        self.rows.ends.len()
    }

    /// The ids of each datapoint's pairs; each is an index of `pairs`.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[u32]> {
        let mut start = 0;
        self.rows.ends.iter().map(move |end| {
            let row = &self.rows.ids[start..*end];
            start = *end;
            row
        })
    }

    fn check_ids(&self) -> Result<(), DocumentError> {
        for (number, row) in self.rows().enumerate() {
            if let Some(id) = row.iter().find(|id| **id as usize >= self.pairs.len()) {
                return Err(DocumentError(format!(
                    "datapoint {number} names pair {id}, but there are only {} pairs",
                    self.pairs.len()
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{MAX_DATAPOINTS, MAX_KEY_BYTES, MAX_PAIRS_OF_DATAPOINT};

    fn document(datapoints: &str) -> String {
        format!(
            r#"{{"pattoo_agent_timestamp": 5, "pattoo_agent_id": "a", "pattoo_agent_polling_interval": 10000,
                "pattoo_datapoints": {datapoints}}}"#
        )
    }

    fn error(text: &str) -> String {
        Document::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn takes_pairs_in_any_order() {
        let text = document(
            r#"{"datapoint_pairs": [[1], [0, 1]], "key_value_pairs": {"1": ["b", 2.50], "0": ["a", "x"]}}"#,
        );
        let document = Document::parse(text.as_bytes()).unwrap();
        assert_eq!(
            (document.agent_id(), document.interval_ms(), document.timestamp_ms()),
            ("a", 10_000, 5)
        );
        assert_eq!(document.rows().collect::<Vec<_>>(), [&[1][..], &[0, 1]]);
        assert_eq!(document.pairs[1], RawPair { key: "\"b\"", value: "2.50" });
    }

    #[test]
    fn an_empty_document_is_one() {
        let text = document(r#"{"datapoint_pairs": [], "key_value_pairs": {}}"#);
        assert_eq!(Document::parse(text.as_bytes()).unwrap().datapoint_count(), 0);
    }

    #[test]
    fn says_which_datapoint_names_an_unknown_pair() {
        let text =
            document(r#"{"datapoint_pairs": [[0], [1]], "key_value_pairs": {"0": ["a", "x"]}}"#);
        assert!(error(&text).contains("datapoint 1 names pair 1"), "{}", error(&text));
    }

    #[test]
    fn refuses_what_has_another_shape() {
        for (datapoints, reason) in [
            (r#"{"datapoint_pairs": [], "key_value_pairs": {}, "x": 1}"#, "unknown key \"x\""),
            (r#"{"datapoint_pairs": []}"#, "missing field `key_value_pairs`"),
            (
                r#"{"datapoint_pairs": [], "datapoint_pairs": [], "key_value_pairs": {}}"#,
                "duplicate field",
            ),
            (
                r#"{"datapoint_pairs": [], "key_value_pairs": {"1": ["a", "x"]}}"#,
                "pair 0 wanted, 1 found",
            ),
            (
                r#"{"datapoint_pairs": [], "key_value_pairs": {"0": ["a", 1], "0": ["a", 1]}}"#,
                "pair 1 wanted, 0",
            ),
            (
                r#"{"datapoint_pairs": [], "key_value_pairs": {"0": ["a", null]}}"#,
                "pair 0: the value",
            ),
            (
                r#"{"datapoint_pairs": [], "key_value_pairs": {"0": ["a", [1]]}}"#,
                "pair 0: the value",
            ),
            (r#"{"datapoint_pairs": [], "key_value_pairs": {"0": ["", 1]}}"#, "pair 0: the key"),
            (r#"{"datapoint_pairs": [], "key_value_pairs": {"0": ["a"]}}"#, "pair 0: no value"),
            (
                r#"{"datapoint_pairs": [], "key_value_pairs": {"0": ["a", 1, 2]}}"#,
                "pair 0: more than",
            ),
            (r#"{"datapoint_pairs": [], "key_value_pairs": {"-1": ["a", 1]}}"#, "\"-1\" is no id"),
            (r#"{"datapoint_pairs": [[-1]], "key_value_pairs": {}}"#, "-1"),
            (r#"{"datapoint_pairs": [["0"]], "key_value_pairs": {}}"#, "invalid type"),
        ] {
            let error = error(&document(datapoints));
            assert!(error.contains(reason), "{datapoints}: {error}");
        }
        assert!(error("[]").contains("an object with the keys"));
        assert!(error("").contains("EOF"));
        assert!(error("{}").contains("missing field"));
        let trailing = document(r#"{"datapoint_pairs": [], "key_value_pairs": {}}"#) + "x";
        assert!(error(&trailing).contains("trailing"));
        assert!(Document::parse(b"\xff").unwrap_err().to_string().contains("UTF-8"));
    }

    #[test]
    fn limits_hold() {
        let long = format!(
            r#"{{"datapoint_pairs": [], "key_value_pairs": {{"0": ["{}", 1]}}}}"#,
            "k".repeat(MAX_KEY_BYTES + 1)
        );
        assert!(error(&document(&long)).contains("512"));
        let wide = format!(
            r#"{{"datapoint_pairs": [[0{}]], "key_value_pairs": {{"0": ["a", 1]}}}}"#,
            ",0".repeat(MAX_PAIRS_OF_DATAPOINT)
        );
        assert!(error(&document(&wide)).contains("datapoint 0: more than 256"));
        let many = format!(
            r#"{{"datapoint_pairs": [[]{}], "key_value_pairs": {{}}}}"#,
            ",[]".repeat(MAX_DATAPOINTS)
        );
        assert!(error(&document(&many)).contains("more than 1000000 datapoints"));
        let deep = document(&format!(
            r#"{{"datapoint_pairs": [], "key_value_pairs": {{"0": ["a", {}]}}}}"#,
            "[".repeat(100_000)
        ));
        assert!(error(&deep).contains("expected"), "{}", error(&deep));
    }
}
