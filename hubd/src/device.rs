//! The devices: what is polled, how the last poll of each went, and who comes
//! first in the next cycle.

use std::collections::HashMap;
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

    /// How the devices of another plan fare: those that were in the old one as
    /// before.
    pub(crate) fn carry_over(&mut self, before: &[Device], devices: &[Device]) {
        let known: HashMap<&Address, Last> =
            before.iter().map(|device| &device.address).zip(self.last.drain(..)).collect();
        let last = |device: &Device| known.get(&device.address).cloned();
        self.last = devices.iter().map(|device| last(device).unwrap_or(Last::NotPolled)).collect();
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
        if is_same(&before, now) {
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

/// Whether a poll went like the one before. Reasons are the same but for their
/// numbers: how many bytes came before a connection broke is no news.
fn is_same(before: &Last, now: &Last) -> bool {
    let words = |reason: &str| -> String {
        reason.chars().filter(|character| !character.is_ascii_digit()).collect()
    };
    match (before, now) {
        (Last::Failed(before), Last::Failed(now)) => words(before) == words(now),
        _ => before == now,
    }
}

#[cfg(test)]
mod tests {
    use super::{Device, Last, States, is_same};
    use pattoo_common::http_client::Address;

    #[test]
    fn a_reason_with_another_number_is_the_same() {
        let failed = |reason: &str| Last::Failed(reason.to_owned());
        assert!(is_same(&failed("cut off after 512 bytes"), &failed("cut off after 7 bytes")));
        assert!(!is_same(&failed("cut off after 7 bytes"), &failed("connection refused")));
        assert!(!is_same(&failed("x"), &Last::Answered));
    }

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
        // Another plan has two of them, the other way round, and a new one first.
        let address = |host: &str| Address { host: host.to_owned(), port: 5000 };
        let next = ["10.0.0.9", "10.0.0.4", "10.0.0.0"].map(|host| Device::new(address(host)));
        states.carry_over(&devices, &next);
        assert_eq!(states.last, [Last::NotPolled, Last::Answered, failed()]);
    }
}
