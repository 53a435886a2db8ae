//! What the hubs say of their devices: whether they answered the last poll. Hubs
//! tell it as datapoints of their own, with the device in the metadata.

use std::collections::HashMap;

use super::learn::{KnownAgent, Place};
use super::role::Role;
use crate::store::{Heard, Watched};

/// Polling intervals after which a hub's word is too old to go by.
const INTERVALS_TRUSTED: u64 = 3;

/// A device as a hub sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// The target of the hub: the host it runs on.
    pub hub: String,
    /// The number of the hub's agent.
    pub idx_agent: i64,
    /// Where the hub polls it.
    pub address: String,
    /// At which port.
    pub port: String,
    /// Identity of the agent that answered there last.
    pub agent_id: Option<String>,
    /// Program and version that answered there last.
    pub program: Option<String>,
    /// Whether it answered the last poll; none if the hub is silent.
    pub reachable: Option<bool>,
    /// When that poll was, milliseconds since 1970.
    pub timestamp_ms: u64,
    /// How long it took.
    pub duration_ms: Option<f64>,
    /// How far its clock was ahead of the hub's when it last answered.
    pub clock_skew_ms: Option<f64>,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// What a hub says of one device, as it was heard.
#[derive(Default)]
struct Words<'w> {
    up: Option<&'w Heard>,
    duration: Option<&'w Heard>,
    skew: Option<&'w Heard>,
    agent: Option<&'w Heard>,
    program: Option<&'w Heard>,
    error: Option<&'w Heard>,
}

/// The devices of a hub, in order of address and port. Those that it does not
/// poll any more are among them.
pub(super) fn devices(hub: &KnownAgent, watched: &Watched, now_ms: u64) -> Vec<Device> {
    let mut places: HashMap<(&str, &str), Words<'_>> = HashMap::new();
    for carrier in &hub.series {
        let (Place::Device(address, port), Some(heard)) =
            (&carrier.place, watched.get(carrier.series))
        else {
            continue;
        };
        let words = places.entry((address, port)).or_default();
        let word = match carrier.role {
            Role::PollUp => &mut words.up,
            Role::PollDuration => &mut words.duration,
            Role::ClockSkew => &mut words.skew,
            Role::PolledAgent => &mut words.agent,
            Role::PolledProgram => &mut words.program,
            Role::PollError => &mut words.error,
            _ => continue,
        };
        // There are two series of one where the hub's metadata changed.
        if word.is_none_or(|known| known.timestamp_ms() < heard.timestamp_ms()) {
            *word = Some(heard);
        }
    }
    let told = |((address, port), words): ((&str, &str), Words<'_>)| {
        device(hub, address, port, &words, now_ms)
    };
    let mut devices: Vec<Device> = places.into_iter().filter_map(told).collect();
    devices.sort_by(|a, b| (&a.address, &a.port).cmp(&(&b.address, &b.port)));
    devices
}

fn device(
    hub: &KnownAgent,
    address: &str,
    port: &str,
    words: &Words<'_>,
    now_ms: u64,
) -> Option<Device> {
    let up = words.up?;
    let timestamp_ms = up.timestamp_ms()?;
    let trusted_ms = up.polling_interval_ms().saturating_mul(INTERVALS_TRUSTED);
    let trusted = now_ms.saturating_sub(timestamp_ms) <= trusted_ms;
    // The words of one poll have one timestamp; what a poll did not tell is still
    // there from an earlier one.
    let of_this_poll = |word: &&Heard| word.timestamp_ms() == Some(timestamp_ms);
    let number = |word: &Heard| word.number().map(crate::store::Number::as_f64);
    let text = |word: &Heard| word.text().map(str::to_owned);
    Some(Device {
        hub: hub.target.clone(),
        idx_agent: hub.idx_agent,
        address: address.to_owned(),
        port: port.to_owned(),
        agent_id: words.agent.and_then(text),
        program: words.program.and_then(text),
        reachable: trusted.then(|| number(up).is_some_and(|up| up > 0.0)),
        timestamp_ms,
        duration_ms: words.duration.filter(of_this_poll).and_then(number),
        clock_skew_ms: words.skew.and_then(number),
        error: words.error.filter(of_this_poll).and_then(text),
    })
}
