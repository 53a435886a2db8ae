//! Which series carry the figures of an overview: by the keys that our spoke and
//! hub, and the original's, send.

/// What a series tells of its host, or of its hub's devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Share of the time in which no processor had work, percent.
    CpuIdle,
    /// Share of the time in which they had none but waited for disks, percent.
    CpuWaiting,
    /// Memory in use, percent.
    Memory,
    /// A file system in use, percent.
    Disk,
    /// Bytes that an interface has received.
    Received,
    /// Bytes that an interface has sent.
    Sent,
    /// Load average of one minute.
    Load,
    /// Seconds since the machine was started.
    Uptime,
    /// Whether a hub reached a device.
    PollUp,
    /// How long that took, milliseconds.
    PollDuration,
    /// How far the device's clock is ahead of the hub's, milliseconds.
    ClockSkew,
    /// Identity of the agent that answered.
    PolledAgent,
    /// What program, of which version, answered.
    PolledProgram,
    /// Why the hub did not reach it.
    PollError,
    /// Batches that wait in a hub's spool.
    SpoolWaiting,
    /// None of these: it only tells when its agent was last heard of.
    Sign,
}

/// The keys, without the program's name before them.
pub(super) const KEYS: [(&str, Role); 15] = [
    ("cpu_times_percent_idle", Role::CpuIdle),
    ("cpu_times_percent_iowait", Role::CpuWaiting),
    ("memory_percent", Role::Memory),
    ("disk_partition_disk_usage_percent", Role::Disk),
    ("network_io_bytes_recv", Role::Received),
    ("network_io_bytes_sent", Role::Sent),
    ("load_average_01min", Role::Load),
    ("uptime", Role::Uptime),
    ("hub_poll_up", Role::PollUp),
    ("hub_poll_duration", Role::PollDuration),
    ("hub_poll_clock_skew", Role::ClockSkew),
    ("hub_poll_agent_id", Role::PolledAgent),
    ("hub_poll_program", Role::PolledProgram),
    ("hub_poll_error", Role::PollError),
    ("hub_spool_batches", Role::SpoolWaiting),
];

impl Role {
    /// Whether a hub tells it.
    pub(super) fn is_of_hub(self) -> bool {
        self.is_of_device() || self == Self::SpoolWaiting
    }

    /// Whether a hub tells it of a device.
    pub(super) fn is_of_device(self) -> bool {
        matches!(
            self,
            Self::PollUp
                | Self::PollDuration
                | Self::ClockSkew
                | Self::PolledAgent
                | Self::PolledProgram
                | Self::PollError
        )
    }
}

/// File systems that are full by their nature: images that are only read.
pub(super) fn is_image(file_system: &str) -> bool {
    ["squashfs", "iso9660", "erofs", "cramfs", "udf", "romfs"].contains(&file_system)
}

/// Beginnings of the names that Linux and the usual programs give to interfaces
/// behind which there is no cable of the machine: their bytes are counted there
/// too, or never leave it.
const VIRTUAL: [&str; 30] = [
    "lo",
    "veth",
    "docker",
    "br-",
    "br0",
    "virbr",
    "vnet",
    "vmnet",
    "lxc",
    "lxd",
    "cni",
    "flannel",
    "cali",
    "kube",
    "podman",
    "dummy",
    "ifb",
    "bond",
    "team",
    "tap",
    "tun",
    "wg",
    "tailscale",
    "zt",
    "sit",
    "gre",
    "ip6",
    "vlan",
    "vxlan",
    "nerdctl",
];

/// Whether an interface is, by its name, one of the machine's own.
pub(super) fn is_physical(interface: &str) -> bool {
    let is_on_another = interface.contains(['.', '@', ':']);
    !is_on_another && !VIRTUAL.iter().any(|start| interface.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_with_a_cable_are_told_from_others() {
        for physical in ["eth0", "enp3s0", "eno1", "ens18", "wlan0", "wlp2s0", "ib0", "usb0"] {
            assert!(is_physical(physical), "{physical}");
        }
        for other in ["lo", "veth12ab", "docker0", "br-0123", "eth0.5", "bond0", "tun0", "wg0"] {
            assert!(!is_physical(other), "{other}");
        }
    }
}
