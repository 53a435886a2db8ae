//! What the hub tells of itself and of its polls, as datapoints like any other.

use std::time::Duration;

use pattoo_common::datapoint::{DataPoint, DataType, Value};
use pattoo_common::document::{DocumentWriter, Series, Target};

use crate::device::Device;

/// Devices in one document of the hub, so that it stays far from every limit.
const DEVICES_A_DOCUMENT: usize = 1_000;

/// How the poll of one device went.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Report {
    /// `None` if the device was not polled at all.
    pub(crate) duration: Option<Duration>,
    /// How far the device's clock is ahead of the hub's, in milliseconds.
    pub(crate) clock_skew_ms: Option<i64>,
    /// The agent id in its document.
    pub(crate) agent_id: Option<String>,
    /// Program and version of the device, as it says.
    pub(crate) program: Option<String>,
    /// Datapoints of its document.
    pub(crate) datapoints: usize,
    /// Why there is no document; `None` if there is.
    pub(crate) error: Option<String>,
}

impl Report {
    /// Whether the device gave a poll document.
    pub(crate) fn is_up(&self) -> bool {
        self.error.is_none()
    }
}

/// What is told once a cycle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// From the start of the cycle to its last answer.
    pub(crate) duration: Duration,
    /// Batches that wait in the spool, and their bytes.
    pub(crate) spool_batches: u64,
    pub(crate) spool_bytes: u64,
    /// Batches lost since the hub was started.
    pub(crate) spool_dropped: u64,
    /// Their datapoints.
    pub(crate) spool_dropped_datapoints: u64,
    /// When the hub was started: two hubs with one id are told apart by it.
    pub(crate) started_ms: u64,
}

/// The series of the hub's own datapoints.
#[derive(Debug)]
pub(crate) struct OwnDatapoints {
    interval_ms: u64,
    hub: Series,
    /// One for each document about devices: a series is remembered by those of
    /// its own document only.
    devices: Vec<Series>,
}

impl OwnDatapoints {
    /// Those of the hub that is `target`, with so many devices.
    pub(crate) fn new(target: &Target, interval_ms: u64, devices: usize) -> Self {
        let series = || Series::new(target.clone());
        let documents = devices.div_ceil(DEVICES_A_DOCUMENT);
        Self {
            interval_ms,
            hub: series(),
            devices: std::iter::repeat_with(series).take(documents).collect(),
        }
    }

    /// The documents of a cycle that began at `timestamp_ms`.
    pub(crate) fn documents(
        &mut self,
        devices: &[Device],
        reports: &[Report],
        totals: Totals,
        timestamp_ms: u64,
        mut take: impl FnMut(Vec<u8>),
    ) {
        let mut writer = DocumentWriter::new(&mut self.hub, self.interval_ms);
        for point in of_cycle(reports, totals) {
            writer.push(&point, timestamp_ms);
        }
        take(writer.finish(timestamp_ms));

        let chunks = devices.chunks(DEVICES_A_DOCUMENT).zip(reports.chunks(DEVICES_A_DOCUMENT));
        for ((devices, reports), series) in chunks.zip(&mut self.devices) {
            let mut writer = DocumentWriter::new(series, self.interval_ms);
            for (device, report) in devices.iter().zip(reports) {
                for point in of_device(device, report) {
                    writer.push(&point, timestamp_ms);
                }
            }
            take(writer.finish(timestamp_ms));
        }
    }
}

fn of_cycle(reports: &[Report], totals: Totals) -> [DataPoint; 8] {
    let gauge = |key, value: Value| DataPoint::new(key, DataType::Gauge, value);
    let counter = |key, value| DataPoint::new(key, DataType::Counter64, Value::Integer(value));
    let up = reports.iter().filter(|report| report.is_up()).count();
    [
        gauge("hub_cycle_duration", milliseconds(totals.duration)),
        gauge("hub_devices", Value::Integer(reports.len() as u64)),
        gauge("hub_devices_up", Value::Integer(up as u64)),
        gauge("hub_spool_batches", Value::Integer(totals.spool_batches)),
        gauge("hub_spool_bytes", Value::Integer(totals.spool_bytes)),
        counter("hub_spool_dropped", totals.spool_dropped),
        counter("hub_spool_dropped_datapoints", totals.spool_dropped_datapoints),
        gauge("hub_start_time", Value::Float(totals.started_ms as f64 / 1_000.0)),
    ]
}

fn of_device(device: &Device, report: &Report) -> impl Iterator<Item = DataPoint> {
    let of = |key, data_type, value: Value| DataPoint::of(&device.metadata, key, data_type, value);
    let gauge = |key, value| of(key, DataType::Gauge, value);
    let text = |key, value: &String| of(key, DataType::Text, Value::Text(value.as_str().into()));
    [
        Some(gauge("hub_poll_up", Value::Integer(report.is_up().into()))),
        report.duration.map(|duration| gauge("hub_poll_duration", milliseconds(duration))),
        report.clock_skew_ms.map(|skew| gauge("hub_poll_clock_skew", Value::Signed(skew))),
        report.agent_id.as_ref().map(|id| text("hub_poll_agent_id", id)),
        report.program.as_ref().map(|program| text("hub_poll_program", program)),
        report.error.as_ref().map(|error| text("hub_poll_error", error)),
    ]
    .into_iter()
    .flatten()
}

/// To the microsecond.
fn milliseconds(duration: Duration) -> Value {
    Value::Float(duration.as_micros() as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pattoo_common::document::{Document, SampleValue};
    use pattoo_common::http_client::Address;

    fn target() -> Target {
        Target {
            agent_id: "4".repeat(64),
            program: "pattoo_agent_linux_hubd",
            agent_hostname: "hub.example.net".to_owned(),
            polled_target: "hub.example.net".to_owned(),
            metadata: vec![("hostname", "hub.example.net".to_owned())],
        }
    }

    /// Key, device and value of every datapoint.
    fn told(devices: usize, reports: &[Report]) -> Vec<(String, String, String)> {
        let devices: Vec<Device> = (0..devices)
            .map(|i| Device::new(Address { host: format!("10.0.0.{i}"), port: 5000 }))
            .collect();
        let totals = Totals {
            duration: Duration::from_micros(1_500),
            started_ms: 1_700_000_000_125,
            ..Totals::default()
        };
        let mut own = OwnDatapoints::new(&target(), 10_000, devices.len());
        let mut told = Vec::new();
        own.documents(&devices, reports, totals, 5, |document| {
            for sample in Document::parse(&document).unwrap().samples() {
                let sample = sample.unwrap();
                assert_eq!(sample.checksum, sample.expected_checksum().as_str());
                assert_eq!(sample.polled_target(), "hub.example.net");
                let metadata = sample.metadata();
                let device = metadata.iter().find(|(key, _)| key == "hub_device_address");
                let value = match sample.value {
                    SampleValue::Text(text) => text.into_owned(),
                    SampleValue::Integer(value) => value.to_string(),
                    SampleValue::Signed(value) => value.to_string(),
                    SampleValue::Float(value) => value.to_string(),
                };
                let device = device.map(|(_, value)| value.to_string()).unwrap_or_default();
                told.push((sample.key.into_owned(), device, value));
            }
        });
        told
    }

    #[test]
    fn a_device_that_is_up_and_one_that_is_down() {
        let up = Report {
            duration: Some(Duration::from_micros(2_250)),
            clock_skew_ms: Some(-7),
            agent_id: Some("a".repeat(64)),
            program: Some("pattoo/0.1.0".to_owned()),
            datapoints: 95,
            error: None,
        };
        let down = Report {
            duration: Some(Duration::from_secs(10)),
            error: Some("no connection \"before\" the deadline".to_owned()),
            ..Report::default()
        };
        let not_polled = Report { error: Some("no time".to_owned()), ..Report::default() };
        let told = told(3, &[up, down, not_polled]);
        let row = |key: &str, device: &str, value: &str| {
            (key.to_owned(), device.to_owned(), value.to_owned())
        };
        assert_eq!(
            told,
            [
                row("hub_cycle_duration", "", "1.5"),
                row("hub_devices", "", "3"),
                row("hub_devices_up", "", "1"),
                row("hub_spool_batches", "", "0"),
                row("hub_spool_bytes", "", "0"),
                row("hub_spool_dropped", "", "0"),
                row("hub_spool_dropped_datapoints", "", "0"),
                row("hub_start_time", "", "1700000000.125"),
                row("hub_poll_up", "10.0.0.0", "1"),
                row("hub_poll_duration", "10.0.0.0", "2.25"),
                row("hub_poll_clock_skew", "10.0.0.0", "-7"),
                row("hub_poll_agent_id", "10.0.0.0", &"a".repeat(64)),
                row("hub_poll_program", "10.0.0.0", "pattoo/0.1.0"),
                row("hub_poll_up", "10.0.0.1", "0"),
                row("hub_poll_duration", "10.0.0.1", "10000"),
                row("hub_poll_error", "10.0.0.1", "no connection \"before\" the deadline"),
                row("hub_poll_up", "10.0.0.2", "0"),
                row("hub_poll_error", "10.0.0.2", "no time"),
            ]
        );
    }

    #[test]
    fn many_devices_take_several_documents() {
        let reports = vec![Report::default(); DEVICES_A_DOCUMENT + 1];
        let told = told(reports.len(), &reports);
        assert_eq!(told.len(), 8 + reports.len());
    }
}
