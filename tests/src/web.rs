//! The server's port for people, asked for what is stored.

use serde_json::Value;

use crate::{HttpAnswer, http_get, http_post};

/// Points that one answer can hold are more than this.
const POINTS_AT_ONCE: u64 = 8_000;

/// That port, on 127.0.0.1.
#[derive(Debug, Clone, Copy)]
pub struct Web(pub u16);

impl Web {
    /// Asks for a path.
    pub fn get(self, path: &str) -> HttpAnswer {
        http_get(self.0, path).expect("an answer of the web's port")
    }

    /// The data of a GraphQL query, which must succeed.
    pub fn query(self, query: &str) -> Value {
        let body = serde_json::json!({ "query": query }).to_string();
        let path = "/pattoo/api/v1/web/graphql";
        let headers = [("Content-Type", "application/json")];
        let answer = http_post(self.0, path, &headers, body.as_bytes());
        let answer = answer.expect("an answer to a query");
        let text = String::from_utf8_lossy(&answer.body);
        let whole: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
        assert!(answer.status == 200 && whole.get("errors").is_none(), "{query}: {text}");
        whole["data"].clone()
    }

    /// The numbers of all series of this key and target.
    pub fn series(self, key: &str, target: &str) -> Vec<String> {
        let data = self.query(&format!(
            "{{ findDatapoints(key: \"{key}\", target: \"{target}\") \
             {{ edges {{ node {{ idxDatapoint }} }} }} }}"
        ));
        let edges = data["findDatapoints"]["edges"].as_array().expect("a list of edges");
        let number = |edge: &Value| edge["node"]["idxDatapoint"].as_str().expect("a number").into();
        edges.iter().map(number).collect()
    }

    /// Every sample of the only series of this key and target from one millisecond
    /// up to another: time and value. There must be room for them in one answer.
    pub fn samples(self, key: &str, target: &str, from_ms: u64, to_ms: u64) -> Vec<(u64, f64)> {
        let series = self.series(key, target);
        let [number] = &series[..] else { panic!("{key} of {target}: series {series:?}") };
        let drawn = self.points(number, from_ms, to_ms);
        assert!(drawn["damaged"] == serde_json::json!([]), "{drawn}");
        points(&drawn)
    }

    /// Likewise, in as many answers as it takes for samples that are at least
    /// `interval_ms` apart. None if there is no such series.
    pub fn all_samples(
        self,
        key: &str,
        target: &str,
        from_ms: u64,
        to_ms: u64,
        interval_ms: u64,
    ) -> Vec<(u64, f64)> {
        let stretch_ms = interval_ms * POINTS_AT_ONCE;
        let starts = (from_ms..to_ms).step_by(usize::try_from(stretch_ms).expect("64 bits"));
        let samples = |start| self.samples(key, target, start, to_ms.min(start + stretch_ms));
        if self.series(key, target).is_empty() {
            Vec::new()
        } else {
            starts.flat_map(samples).collect()
        }
    }

    /// What a chart of one series gets, with `damaged` in it, undrawn.
    pub fn points(self, series: &str, from_ms: u64, to_ms: u64) -> Value {
        let data = self.query(&format!(
            "{{ points(idxDatapoint: [\"{series}\"], from: {from_ms}.0, to: {to_ms}.0) \
             {{ step damaged points {{ timestamp value }} }} }}"
        ));
        let drawn = &data["points"][0];
        assert!(drawn["step"].is_null(), "{drawn}");
        drawn.clone()
    }
}

/// The samples of what [`Web::points`] gave: time and value.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds since 1970 are whole in a float"
)]
pub fn points(drawn: &Value) -> Vec<(u64, f64)> {
    let pair = |point: &Value| {
        let number = |name: &str| point[name].as_f64().expect("a number");
        (number("timestamp") as u64, number("value"))
    };
    drawn["points"].as_array().expect("a list of points").iter().map(pair).collect()
}
