//! What the server tells about itself: a line for a person, whether it is
//! ready, and its figures in the text format of Prometheus.

use std::fmt::Write;

use crate::store::{Store, StoreError};

/// Where the line for a person is.
pub const STATUS_PATH: &str = "/pattoo/api/v1/web/status";
/// Where machines ask whether the server is ready.
pub const HEALTH_PATH: &str = "/healthz";
/// Where Prometheus finds the figures.
pub const METRICS_PATH: &str = "/metrics";
/// The content type of [`METRICS_PATH`].
pub const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The line at [`STATUS_PATH`].
pub const STATUS: &str = "The web interface of Pattoo is up and running.\n";

/// The HTTP status and the JSON at [`HEALTH_PATH`]: 200 only when the store can
/// be read.
pub fn health(store: &Store) -> (u16, String) {
    match store.status() {
        Ok(_) => (200, serde_json::json!({ "status": "ready" }).to_string()),
        Err(error) => {
            let reason = error.to_string();
            (503, serde_json::json!({ "status": "not ready", "reason": reason }).to_string())
        }
    }
}

/// Figures in the text format of Prometheus. Whoever has figures of its own adds
/// them.
#[derive(Debug, Default)]
pub struct Metrics(String);

impl Metrics {
    /// The figures of the store.
    pub fn of_store(store: &Store) -> Result<Self, StoreError> {
        let status = store.status()?;
        let mut metrics = Self::default();
        let version = env!("CARGO_PKG_VERSION");
        metrics.add(
            "pattood_info",
            "gauge",
            "The program.",
            &format!("{{version={version:?}}}"),
            1,
        );
        let plain = [
            ("pattood_samples_stored_total", "counter", "Samples stored.", status.stored),
            ("pattood_samples_refused_total", "counter", "Samples refused.", status.refused),
            (
                "pattood_samples_sealed_total",
                "counter",
                "Samples written into chunks, again as chunks grow.",
                status.sealed,
            ),
            ("pattood_store_damaged", "gauge", "Blobs found damaged.", status.damaged),
            (
                "pattood_store_fresh_bytes",
                "gauge",
                "Bytes that wait to be sealed.",
                status.fresh_bytes,
            ),
            (
                "pattood_store_used_bytes",
                "gauge",
                "Bytes of the database in use.",
                status.used_bytes,
            ),
            (
                "pattood_store_free_bytes",
                "gauge",
                "Bytes of the database file to be used again.",
                status.free_bytes,
            ),
        ];
        for (name, kind, help, value) in plain {
            metrics.add(name, kind, help, "", value);
        }
        metrics.add(
            "pattood_newest_sample_timestamp_seconds",
            "gauge",
            "Unix time of the newest sample.",
            "",
            status.newest_ms as f64 / 1_000.0,
        );
        Ok(metrics)
    }

    /// Adds a figure: its name with the unit at its end, `counter` or `gauge`,
    /// what it is, its labels in braces or nothing, and the value.
    pub fn add(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        labels: &str,
        value: impl std::fmt::Display,
    ) {
        // A String takes every write.
        let _ =
            write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{labels} {value}\n");
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.0
    }
}
