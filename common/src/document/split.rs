//! Taking a batch apart again: the server of the original survives a document of
//! one agent twice, but not a merged one.

use super::reader::Rows;
use super::writer::{assemble, push_pair};
use super::{Document, push_json};

/// The pair that tells whose a datapoint is.
const AGENT_ID_KEY: &str = "\"pattoo_agent_id\"";

impl Document<'_> {
    /// One document for each agent whose datapoints are in this one, in the order
    /// in which they first come. Pairs, values and timestamps are copied as text;
    /// agent id, interval and timestamp of the whole stay those of this document.
    /// `None` if there are not two agents: it may be posted as it is.
    pub fn split_by_agent(&self) -> Option<Vec<Vec<u8>>> {
        let groups = self.rows_by_agent();
        if groups.len() < 2 {
            return None;
        }
        // The group that a pair was last written for, and its id there.
        let mut written = vec![(usize::MAX, 0); self.pairs.len()];
        let mut documents = Vec::with_capacity(groups.len());
        for (number, (_, numbers)) in groups.iter().enumerate() {
            let mut pairs = Vec::new();
            let mut pair_count = 0;
            let mut rows = Vec::new();
            for row in numbers {
                rows.extend_from_slice(if rows.is_empty() { b"[" } else { b",[" });
                for (index, id) in self.rows.row(*row).iter().enumerate() {
                    let known = &mut written[*id as usize];
                    if known.0 != number {
                        let pair = self.pairs[*id as usize];
                        push_pair(&mut pairs, pair_count, |out| {
                            out.extend_from_slice(pair.key.as_bytes());
                            out.push(b',');
                            out.extend_from_slice(pair.value.as_bytes());
                        });
                        *known = (number, pair_count);
                        pair_count += 1;
                    }
                    if index > 0 {
                        rows.push(b',');
                    }
                    push_json(&mut rows, &known.1);
                }
                rows.push(b']');
            }
            documents.push(assemble(
                &self.agent_id,
                self.interval_ms,
                self.timestamp_ms,
                &rows,
                &pairs,
            ));
        }
        Some(documents)
    }

    /// The numbers of the rows of each agent.
    fn rows_by_agent(&self) -> Vec<(&str, Vec<usize>)> {
        let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
        let mut place = std::collections::HashMap::new();
        for (number, row) in self.rows().enumerate() {
            let pairs = row.iter().map(|id| self.pairs[*id as usize]);
            let agent = pairs.clone().find(|pair| pair.key == AGENT_ID_KEY).map(|pair| pair.value);
            let agent = agent.unwrap_or_default();
            let at = *place.entry(agent).or_insert_with(|| {
                groups.push((agent, Vec::new()));
                groups.len() - 1
            });
            groups[at].1.push(number);
        }
        groups
    }
}

impl Rows {
    /// The ids of one row.
    fn row(&self, number: usize) -> &[u32] {
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.ids[start..self.ends[number]]
    }
}

#[cfg(test)]
mod tests {
    use crate::document::{Batch, Document, Sample};

    fn spoke(agent: &str, key: &str) -> String {
        format!(
            r#"{{"pattoo_agent_id": "{agent}", "pattoo_agent_polling_interval": 10000,
                "pattoo_agent_timestamp": 5, "pattoo_datapoints": {{
                "datapoint_pairs": [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [0, 11, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
                "key_value_pairs": {{"0": ["hostname", "a \"b\""], "1": ["pattoo_key", "{key}_1"],
                "2": ["pattoo_agent_polling_interval", "10000"], "3": ["pattoo_agent_hostname", "h"],
                "4": ["pattoo_agent_id", "{agent}"], "5": ["pattoo_agent_polled_target", "t"],
                "6": ["pattoo_agent_program", "p"], "7": ["pattoo_data_type", 99],
                "8": ["pattoo_value", 7.50], "9": ["pattoo_timestamp", 1],
                "10": ["pattoo_checksum", "c"], "11": ["pattoo_key", "{key}_2"]}}}}}}"#
        )
    }

    fn keys(document: &[u8]) -> Vec<String> {
        let document = Document::parse(document).unwrap();
        assert_eq!((document.agent_id(), document.interval_ms()), ("hub", 300_000));
        document
            .samples()
            .map(|sample| match sample {
                Ok(Sample { key, agent, .. }) => format!("{key} of {}", agent[2]),
                Err(error) => error,
            })
            .collect()
    }

    #[test]
    fn a_batch_comes_apart_as_it_was_merged() {
        let mut batch = Batch::new();
        for (agent, key) in [("a", "x"), ("b", "x"), ("a", "y")] {
            batch.add(&Document::parse(spoke(agent, key).as_bytes()).unwrap()).unwrap();
        }
        let merged = batch.finish("hub", 1, 300_000);
        let parts = Document::parse(&merged).unwrap().split_by_agent().unwrap();
        assert_eq!(parts.len(), 2);
        assert_eq!(keys(&parts[0]), keys_of("a", &["x_1", "x_2", "y_1", "y_2"]));
        assert_eq!(keys(&parts[1]), keys_of("b", &["x_1", "x_2"]));
        let mut together = [keys(&parts[0]), keys(&parts[1])].concat();
        let mut whole = keys(&merged);
        together.sort();
        whole.sort();
        assert_eq!(together, whole);
        assert!(Document::parse(&parts[0]).unwrap().split_by_agent().is_none());
    }

    fn keys_of(agent: &str, keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| format!("{key} of {agent}")).collect()
    }
}
