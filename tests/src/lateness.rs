//! What a hub rightly tells where it, or what it polls, stood still for a moment.

use crate::Post;

/// Whether this is why a hub has no answer of a device: it came too late, or the hub did.
pub fn is_late(reason: &str) -> bool {
    reason.contains("before the deadline") || reason.contains("the time of the cycle was over")
}

/// Whether a line of a hub's log tells of lateness. Where a device is `down` for that,
/// a line that it is up again, or down as before, may follow.
pub fn tells_of_lateness(line: &str) -> bool {
    let of_cycles = [
        "devices were not polled",
        "there is time for every device again",
        "the cycle took longer than",
        "cycles end within the interval again",
    ];
    of_cycles.iter().any(|told| line.contains(told)) || line.contains(": down: ") && is_late(line)
}

/// The lines of a hub's log that tell of no lateness, and how many others there are.
pub fn without_lateness(log: &str) -> (Vec<&str>, usize) {
    let (late, others): (Vec<_>, Vec<_>) = log.lines().partition(|line| tells_of_lateness(line));
    (others, late.len())
}

impl Post {
    /// What the hub says of a device, at this host and port, under this key.
    pub fn of_device(&self, (host, port): (&str, u16), key: &str) -> Vec<&str> {
        let device = [("hub_device_address", host), ("hub_device_port", &port.to_string())];
        let own = self.samples.iter().filter(|sample| sample.key == key);
        let is_about = |pairs: &[(String, String)]| {
            let has =
                |wanted| pairs.iter().any(|(key, value)| (key.as_str(), value.as_str()) == wanted);
            device.into_iter().all(has)
        };
        own.filter(|sample| is_about(&sample.metadata))
            .map(|sample| sample.value.as_str())
            .collect()
    }

    /// Whether the poll of this device was late, and the post has nothing else of it.
    pub fn was_late(&self, device: (&str, u16)) -> bool {
        self.of_device(device, "hub_poll_error").iter().any(|reason| is_late(reason))
    }
}
