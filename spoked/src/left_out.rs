//! What is left out of an answer that would be too long for a hub: a machine with
//! ten thousand interfaces still tells of its disks.

use std::sync::Arc;
use std::vec::IntoIter;

use pattoo_common::datapoint::{DataPoint, Metadata};
use rustc_hash::FxHashMap;

use crate::source::Roots;

/// The longest answer. A hub reads at most 4 MiB.
pub(crate) const MAX_ANSWER_BYTES: usize = 3 * 1024 * 1024;

/// A source gives no more rows, such as interfaces: a row of eight figures takes
/// more than 1,024 bytes of a document. What is beyond would only cost memory.
const MAX_ROWS: usize = 3_072;

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
    let mut ranks: FxHashMap<&Arc<Metadata>, Rank> = FxHashMap::default();
    let mut rank = |point: &'p DataPoint| match &point.metadata {
        None => Rank::Machine,
        Some(metadata) => *ranks.entry(metadata).or_insert_with(|| rank_of(metadata, roots)),
    };
    let mut ranked: Vec<_> = points.iter().map(|point| (rank(&point.1), point)).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, point)| point).collect()
}

/// For each row of a source whether it is given, where there are more than
/// [`MAX_ROWS`]: those that there is hardware for first, which is asked only then.
/// Ends before the first row where all are given.
pub(crate) fn choose(rows: usize, hardware: impl Iterator<Item = bool>) -> IntoIter<bool> {
    let mut rows: Vec<bool> = if rows > MAX_ROWS { hardware.collect() } else { Vec::new() };
    let of_hardware = rows.iter().filter(|is_hardware| **is_hardware).count().min(MAX_ROWS);
    let mut left = [MAX_ROWS - of_hardware, of_hardware];
    for row in &mut rows {
        let left = &mut left[usize::from(*row)];
        *row = *left > 0;
        *left = left.saturating_sub(1);
    }
    rows.into_iter()
}

/// Whether there is hardware for a network interface: sysfs has a `device` link
/// for what a driver is bound to, and none for bridges, tunnels and pairs.
pub(crate) fn interface_has_hardware(roots: &Roots, name: &str) -> bool {
    roots.sys("class/net").join(name).join("device").exists()
}

/// Likewise for a disk, or a partition of one; there is none for device mapper and
/// loop devices.
pub(crate) fn disk_has_hardware(roots: &Roots, name: &str) -> bool {
    // In names of files the kernel writes the slash of `cciss/c0d0` as `!`.
    let block = roots.sys("class/block").join(name.replace('/', "!"));
    block.join("device").exists() || block.join("partition").exists()
}

fn rank_of(metadata: &Metadata, roots: &Roots) -> Rank {
    let has_hardware = metadata.pairs.iter().any(|(key, value)| match *key {
        "network_io_interface" => interface_has_hardware(roots, value),
        "disk_partition" => disk_has_hardware(roots, value),
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

    #[test]
    fn of_more_rows_than_have_room_hardware_is_given_first() {
        assert_eq!(choose(MAX_ROWS, std::iter::repeat_n(false, MAX_ROWS)).count(), 0);
        let given = |of_hardware: usize, others: usize| {
            let rows = std::iter::repeat_n(false, others);
            let rows = rows.chain(std::iter::repeat_n(true, of_hardware));
            let given: Vec<bool> = choose(of_hardware + others, rows).collect();
            let count = |rows: &[bool]| rows.iter().filter(|given| **given).count();
            (count(&given[others..]), count(&given[..others]))
        };
        assert_eq!(given(1, 10_000), (1, MAX_ROWS - 1));
        assert_eq!(given(10_000, 1), (MAX_ROWS, 0));
        assert_eq!(given(MAX_ROWS, 10), (MAX_ROWS, 0));
    }
}
