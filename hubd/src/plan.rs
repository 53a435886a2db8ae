//! What a cycle goes by. It never changes: SIGHUP brings another one, which the
//! next cycle takes.

use std::collections::HashSet;

use pattoo_common::config::HubConfig;
use pattoo_common::http_client::Address;

use crate::descriptors;
use crate::device::Device;

/// Descriptors that polls leave to all else: log, spool, post, look-ups.
const SPARE_DESCRIPTORS: usize = 64;

/// Devices that a line of the log names; the others are counted.
const NAMED: usize = 10;

/// What a cycle goes by.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) config: HubConfig,
    /// In the order of the configuration.
    pub(crate) devices: Vec<Device>,
    /// Polls at once.
    pub(crate) max_threads: usize,
    /// What spokes are asked for.
    pub(crate) path: String,
}

impl Plan {
    /// The plan of a configuration.
    pub(crate) fn new(config: HubConfig) -> Self {
        let devices: Vec<Device> = config.ip_devices.iter().cloned().map(Device::new).collect();
        let wanted = config.max_threads.min(devices.len()) + SPARE_DESCRIPTORS;
        let descriptors = descriptors::allow(wanted);
        let max_threads = config.max_threads.min(descriptors.saturating_sub(SPARE_DESCRIPTORS));
        if max_threads < config.max_threads.min(devices.len()) {
            log::warn!(
                "only {max_threads} devices are polled at once: the limit of open files is {descriptors} (ulimit -n)"
            );
        }
        Self {
            max_threads: max_threads.max(1),
            path: format!("/pattoo-agent-linux/{}", config.polling_interval.as_secs()),
            devices,
            config,
        }
    }

    /// Says in the log which devices this plan has and `before` had not, and the
    /// other way round.
    pub(crate) fn tell_devices(&self, before: &Self) {
        for (these, those, what) in
            [(self, before, "new devices"), (before, self, "devices that are polled no more")]
        {
            let known: HashSet<&Address> = those.config.ip_devices.iter().collect();
            let others = these.devices.iter().filter(|device| !known.contains(&device.address));
            let names: Vec<&str> = others.map(|device| device.name.as_str()).collect();
            if !names.is_empty() {
                let more = names.len().saturating_sub(NAMED);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let shown = names[..names.len().min(NAMED)].join(", ");
                log::info!("SIGHUP: {} {what}: {shown}{more}", names.len());
            }
        }
    }
}
