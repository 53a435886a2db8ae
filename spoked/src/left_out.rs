//! What is left out of an answer that would be too long for a hub: a machine with
//! ten thousand interfaces still tells of its disks.

use std::collections::HashMap;
use std::sync::Arc;

use pattoo_common::datapoint::{DataPoint, Metadata};

use crate::source::Roots;

/// The longest answer. A hub reads at most 4 MiB.
pub(crate) const MAX_ANSWER_BYTES: usize = 3 * 1024 * 1024;

/// What goes first where not all can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Of the whole machine.
    Machine,
    /// Of a disk, mount or interface that there is hardware for.
    Physical,
    /// Of any other.
    Virtual,
}

/// The datapoints in the order in which they should go while there is room:
/// those of the machine, of hardware, of the rest.
pub(crate) fn by_importance<'p>(
    points: &'p [(u64, DataPoint)],
    roots: &Roots,
) -> Vec<&'p (u64, DataPoint)> {
    let mut ranks: HashMap<&Arc<Metadata>, Rank> = HashMap::new();
    let mut rank = |point: &'p DataPoint| match &point.metadata {
        None => Rank::Machine,
        Some(metadata) => *ranks.entry(metadata).or_insert_with(|| rank_of(metadata, roots)),
    };
    let mut ranked: Vec<_> = points.iter().map(|point| (rank(&point.1), point)).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, point)| point).collect()
}

fn rank_of(metadata: &Metadata, roots: &Roots) -> Rank {
    let has_hardware = metadata.pairs.iter().any(|(key, value)| match *key {
        // sysfs has a `device` link for what a driver is bound to, and none for
        // bridges, tunnels, device mapper and loop devices.
        "network_io_interface" => roots.sys("class/net").join(value).join("device").exists(),
        "disk_partition" => {
            let block = roots.sys("class/block").join(value);
            block.join("device").exists() || block.join("partition").exists()
        }
        "disk_partition_device" => value.starts_with("/dev/"),
        _ => false,
    });
    if has_hardware { Rank::Physical } else { Rank::Virtual }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pattoo_common::datapoint::DataType;

    #[test]
    fn the_machine_goes_before_hardware_and_hardware_before_the_rest() {
        let sys = std::env::temp_dir().join(format!("pattoo-left-out-{}", std::process::id()));
        std::fs::create_dir_all(sys.join("class/net/eth0/device")).unwrap();
        let roots = Roots { proc: "/none".into(), sys: sys.clone(), root: "/none".into() };
        let interface = |name: &str| {
            let metadata = Metadata::after_host(vec![("network_io_interface", name.to_owned())]);
            DataPoint::of(&metadata, "network_io_errin", DataType::Counter64, 1u64)
        };
        let points = [
            (1, interface("veth1")),
            (2, interface("eth0")),
            (3, DataPoint::new("uptime", DataType::Gauge, 5u64)),
            (4, interface("../../eth0")),
        ];
        let order: Vec<_> = by_importance(&points, &roots).iter().map(|(at, _)| *at).collect();
        std::fs::remove_dir_all(sys).unwrap();
        assert_eq!(order, [3, 2, 1, 4]);
    }
}
