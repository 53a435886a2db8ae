//! The devices: what is polled, how the last poll of each went, and who comes
//! first in the next cycle.

use std::sync::Arc;

use pattoo_common::datapoint::Metadata;
use pattoo_common::http_client::Address;

/// A spoke that is polled.
#[derive(Debug)]
pub(crate) struct Device {
    /// Where it listens.
    pub(crate) address: Address,
    /// Address and port as in the log.
    pub(crate) name: String,
    /// The `Host` header of its requests.
    pub(crate) host_header: String,
    /// What tells the hub's own datapoints about it from those about others.
    pub(crate) metadata: Arc<Metadata>,
}

impl Device {
    /// The device at `address`.
    pub(crate) fn new(address: Address) -> Self {
        let metadata = Metadata::after_host(vec![
            ("hub_device_address", address.host.clone()),
            ("hub_device_port", address.port.to_string()),
        ]);
        let host_header = address.host_header();
        Self { name: address.to_string(), host_header, metadata, address }
    }
}

/// How the last poll of a device went. The order is that of the next cycle: those
/// that answered first, so that the dead never starve the living, then those
/// whose turn has not come, so that it does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Last {
    /// It gave a poll document.
    Answered,
    /// It was not polled yet, or there was no time for it.
    NotPolled,
    /// It gave no poll document, for this reason.
    Failed(String),
}

/// How a poll went, for the log and for the next cycle.
#[derive(Debug)]
pub(crate) struct States {
    last: Vec<Last>,
}

impl States {
    /// No device was polled yet.
    pub(crate) fn new(devices: usize) -> Self {
        Self { last: vec![Last::NotPolled; devices] }
    }

    /// The devices in the order of the next cycle, as indices.
    pub(crate) fn order(&self) -> Vec<usize> {
        let rank = |index: &usize| match self.last[*index] {
            Last::Answered => 0,
            Last::NotPolled => 1,
            Last::Failed(_) => 2,
        };
        let mut order: Vec<usize> = (0..self.last.len()).collect();
        order.sort_by_key(rank);
        order
    }

    /// Takes down how a poll went, and says so in the log if that is news.
    pub(crate) fn record(&mut self, index: usize, device: &Device, now: Last) {
        let before = std::mem::replace(&mut self.last[index], now);
        let now = &self.last[index];
        if *now == before {
            return;
        }
        match now {
            Last::Answered => log::info!("{}: up", device.name),
            Last::Failed(reason) => log::warn!("{}: down: {reason}", device.name),
            // Said once for the whole cycle, which is what took too long.
            Last::NotPolled => log::debug!("{}: not polled", device.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Device, Last, States};
    use pattoo_common::http_client::Address;

    #[test]
    fn the_living_come_first_and_then_those_who_waited() {
        let devices: Vec<Device> = (0..5)
            .map(|i| Device::new(Address { host: format!("10.0.0.{i}"), port: 5000 }))
            .collect();
        let mut states = States::new(5);
        assert_eq!(states.order(), [0, 1, 2, 3, 4]);
        let failed = || Last::Failed("refused".to_owned());
        for (index, last) in [failed(), Last::Answered, Last::NotPolled, failed(), Last::Answered]
            .into_iter()
            .enumerate()
        {
            states.record(index, &devices[index], last);
        }
        assert_eq!(states.order(), [1, 4, 2, 0, 3]);
    }
}
