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
    /// What the log knows of each: how it went when it was last polled.
    told: Vec<Last>,
    /// Whether the log knows that there was no time for some.
    is_short_of_time: bool,
}

impl States {
    /// No device was polled yet.
    pub(crate) fn new(devices: usize) -> Self {
        let not_polled = || vec![Last::NotPolled; devices];
        Self { last: not_polled(), told: not_polled(), is_short_of_time: false }
    }

    /// How the devices of another plan fare: those that were in the old one as
    /// before.
    pub(crate) fn carry_over(&mut self, before: &[Device], devices: &[Device]) {
        let places: HashMap<&Address, usize> =
            before.iter().map(|device| &device.address).zip(0..).collect();
        for known in [&mut self.last, &mut self.told] {
            let before = |device: &Device| places.get(&device.address).map(|&at| known[at].clone());
            let now = devices.iter().map(|device| before(device).unwrap_or(Last::NotPolled));
            *known = now.collect();
        }
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
        let told = &mut self.told[index];
        match &now {
            // Said once for the whole cycle, which is what took too long.
            Last::NotPolled => log::debug!("{}: not polled", device.name),
            same if is_same(told, same) => {}
            Last::Answered => log::info!("{}: up", device.name),
            Last::Failed(reason) => log::warn!("{}: down: {reason}", device.name),
        }
        if now != Last::NotPolled {
            told.clone_from(&now);
        }
        self.last[index] = now;
    }

    /// Takes down for how many there was no time in a cycle, and says so in the log
    /// if that is news.
    pub(crate) fn record_not_polled(&mut self, count: usize) {
        let is_short_of_time = count > 0;
        if is_short_of_time && !self.is_short_of_time {
            log::warn!(
                "{count} devices were not polled: the time of the cycle was over; they come before the dead ones in the next"
            );
        } else if !is_short_of_time && self.is_short_of_time {
            log::info!("there is time for every device again");
        }
        self.is_short_of_time = is_short_of_time;
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
        // One that waits for its turn is as it was, for the log.
        states.record(2, &next[2], Last::NotPolled);
        assert_eq!((&states.last[2], &states.told[2]), (&Last::NotPolled, &failed()));
    }
}
