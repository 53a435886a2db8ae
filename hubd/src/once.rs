//! `--once`: one cycle, posted, as a table for a person. It keeps away from the
//! spool of a hub that runs beside it.

use std::fmt::{self, Write};

use pattoo_common::spool::SpoolStats;

use crate::device::Device;
use crate::hub::Hub;
use crate::outbox::Outgoing;
use crate::own_datapoints::Report;
use crate::post::Verdict;
use crate::post_form::Form;

/// What one cycle has brought.
#[derive(Debug)]
pub(crate) struct Once {
    table: String,
    up: usize,
    devices: usize,
    posts: usize,
    bytes: usize,
    /// Why the server did not take everything.
    refused: Option<String>,
    server: String,
}

impl Once {
    /// Why the server did not take everything, if so.
    pub(crate) fn failure(&self) -> Option<String> {
        let reason = self.refused.as_ref()?;
        Some(format!("{} did not take everything: {reason}", self.server))
    }
}

/// Polls every device once and posts what comes.
pub(crate) fn run(hub: &Hub) -> Once {
    let server = hub.config().agent_api.address();
    let mut poster = hub.poster(&server);
    // The server is asked before the polls, so that they know the form.
    let (form, mut refused) = match poster.current_form() {
        Ok(form) => (form, None),
        Err(error) => (Form::Device, Some(error.to_string())),
    };
    let (mut posts, mut bytes) = (0, 0);
    let reports = hub.cycle(form, &SpoolStats::default, |batch, made_ms| {
        if refused.is_some() {
            return;
        }
        let batch = batch.concat();
        let size = batch.len();
        match poster.send(&Outgoing::direct(batch, made_ms)) {
            Ok(Verdict::Taken) => {
                posts += 1;
                bytes += size;
            }
            Ok(Verdict::Refused(reason)) => refused = Some(reason),
            Err(error) => refused = Some(error.to_string()),
        }
    });
    Once {
        table: table(&hub.plan().devices, &reports),
        up: reports.iter().filter(|report| report.is_up()).count(),
        devices: reports.len(),
        posts,
        bytes,
        refused,
        server: server.to_string(),
    }
}

impl fmt::Display for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, up, devices, posts, bytes, refused, server } = self;
        f.write_str(table)?;
        writeln!(f, "\n{up} of {devices} devices are up.")?;
        match refused {
            None => writeln!(f, "Posted {bytes} bytes in {posts} posts to {server}."),
            // That is an error, and told as one.
            Some(_) => Ok(()),
        }
    }
}

fn table(devices: &[Device], reports: &[Report]) -> String {
    let width = devices.iter().map(|device| device.name.chars().count()).max().unwrap_or(0).max(6);
    let mut table = format!(
        "{:<width$}  {:<4}  {:>9}  {:>10}  {:>10}  error\n",
        "device", "up", "ms", "datapoints", "skew ms"
    );
    for (device, report) in devices.iter().zip(reports) {
        let up = if report.is_up() { "yes" } else { "no" };
        let or_nothing = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let ms = or_nothing(report.duration.map(|d| format!("{:.1}", d.as_secs_f64() * 1_000.0)));
        let datapoints = or_nothing(report.is_up().then(|| report.datapoints.to_string()));
        let skew = or_nothing(report.clock_skew_ms.map(|skew| skew.to_string()));
        // Control characters of a stranger's answer stay out of the terminal.
        let error = report.error.as_deref().unwrap_or_default().escape_debug();
        let line = format!(
            "{:<width$}  {up:<4}  {ms:>9}  {datapoints:>10}  {skew:>10}  {error}",
            device.name
        );
        let _ = writeln!(table, "{}", line.trim_end());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use pattoo_common::http_client::Address;
    use std::time::Duration;

    #[test]
    fn the_table_is_for_a_person() {
        let devices = [("10.0.0.1", 5000), ("::1", 5001)]
            .map(|(host, port)| Device::new(Address { host: host.to_owned(), port }));
        let up = Report {
            duration: Some(Duration::from_micros(1_240)),
            clock_skew_ms: Some(-3),
            agent_id: Some("a".to_owned()),
            program: None,
            datapoints: 95,
            error: None,
        };
        let down = Report { error: Some("refused \u{1b}[2J".to_owned()), ..Report::default() };
        assert_eq!(
            table(&devices, &[up, down]),
            "device         up           ms  datapoints     skew ms  error\n\
             10.0.0.1:5000  yes         1.2          95          -3\n\
             [::1]:5001     no            -           -           -  refused \\u{1b}[2J\n"
        );
    }
}
