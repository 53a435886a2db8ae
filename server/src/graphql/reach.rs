//! The devices of the hubs, as the schema gives them.

use juniper::GraphQLObject;

use super::context::Context;
use super::extras;
use crate::fleet;
use crate::store::StoreError;

/// A device as a hub sees it.
#[derive(Debug, Clone, PartialEq, GraphQLObject)]
pub(super) struct Device {
    /// The target of the hub: the host it runs on.
    hub: String,
    /// Where the hub polls the device.
    address: String,
    /// At which port.
    port: String,
    /// Identity of the agent that answered there last; none if none ever did.
    agent_id: Option<String>,
    /// Program and version that answered there last.
    program: Option<String>,
    /// Whether the device answered the last poll; none if the hub has been
    /// silent for more than three intervals.
    reachable: Option<bool>,
    /// Unix time of that poll, milliseconds.
    timestamp: String,
    /// Seconds since that poll.
    age_seconds: f64,
    /// How long the poll took, milliseconds.
    duration: Option<f64>,
    /// How far the device's clock was ahead of the hub's, milliseconds.
    clock_skew: Option<f64>,
    /// Why it failed, if it did.
    error: Option<String>,
}

impl Device {
    /// As the schema gives it.
    pub(super) fn of(context: &Context, device: fleet::Device) -> Self {
        Self {
            hub: device.hub,
            address: device.address,
            port: device.port,
            agent_id: device.agent_id,
            program: device.program,
            reachable: device.reachable,
            timestamp: device.timestamp_ms.to_string(),
            age_seconds: extras::age(context, device.timestamp_ms),
            duration: device.duration_ms,
            clock_skew: device.clock_skew_ms,
            error: device.error,
        }
    }

    /// Whether the device answered the last poll.
    pub(super) fn is_reachable(&self) -> Option<bool> {
        self.reachable
    }

    /// Whether this agent answered there.
    pub(super) fn is_of(&self, agent_id: &str) -> bool {
        self.agent_id.as_deref() == Some(agent_id)
    }
}

/// All devices of all hubs, asked for once a query.
pub(super) fn devices(context: &Context) -> Result<&[Device], StoreError> {
    if let Some(known) = context.devices.get() {
        return Ok(known);
    }
    let found = context.fleet.devices(&context.store, context.now_ms)?;
    let found = found.into_iter().map(|device| Device::of(context, device)).collect();
    Ok(context.devices.get_or_init(|| found))
}
