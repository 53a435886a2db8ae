//! What went over network interfaces: `/proc/net/dev` (`proc_pid_net(5)`), of the
//! network namespace that the spoke runs in, or of the machine that it watches
//! from a container.

use pattoo_common::datapoint::{DataPoint, DataType, Metadata};

use crate::kernel_file::KernelFile;
use crate::kernel_text::{Fields, Line, Malformed, lines};
use crate::left_out::{choose, interface_has_hardware};
use crate::source::{Poll, Roots, Source, SourceError};

/// The lines that only head the columns.
const HEADINGS: usize = 2;

/// The datapoints of an interface.
const DATAPOINTS: usize = 8;

/// The columns up to the last one that is wanted.
const COLUMNS: usize = 12;

/// Counters of every interface since it came to be.
pub(crate) struct NetworkIo {
    dev: KernelFile,
    roots: Roots,
    left_out: usize,
}

impl NetworkIo {
    pub(crate) fn new(roots: &Roots) -> Self {
        let dev = KernelFile::new(roots.proc_of_machine("net/dev"));
        Self { dev, roots: roots.clone(), left_out: 0 }
    }
}

impl Source for NetworkIo {
    fn name(&self) -> &'static str {
        "network_io"
    }

    fn reads(&self) -> &'static str {
        "proc/net/dev, or proc/1/net/dev of a machine around this container"
    }

    /// A line that cannot be understood costs that interface; the first such
    /// line is told.
    fn read(&mut self, _: &Poll, out: &mut Vec<DataPoint>) -> Result<(), SourceError> {
        self.left_out = 0;
        let text = self.dev.read()?;
        let interfaces = parse(text).filter_map(|interface| interface.ok().flatten());
        let hardware = interfaces.map(|interface| {
            interface_has_hardware(&self.roots, &String::from_utf8_lossy(interface.name))
        });
        let mut chosen = choose(lines(text).count(), hardware);
        let mut first_error = None;
        for interface in parse(text) {
            match interface {
                Ok(Some(interface)) if chosen.next().unwrap_or(true) => interface.push(out),
                Ok(Some(_)) => self.left_out += DATAPOINTS,
                Ok(None) => {}
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        first_error.map_or(Ok(()), |error| Err(error.at(self.dev.path())))
    }

    fn left_out(&self) -> usize {
        self.left_out
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Interface<'a> {
    name: &'a [u8],
    bytes_sent: u64,
    bytes_received: u64,
    packets_sent: u64,
    packets_received: u64,
    errors_in: u64,
    errors_out: u64,
    dropped_in: u64,
    dropped_out: u64,
}

impl Interface<'_> {
    fn push(&self, out: &mut Vec<DataPoint>) {
        let name = String::from_utf8_lossy(self.name).into_owned();
        let metadata = Metadata::after_host(vec![("network_io_interface", name)]);
        let figures: [_; DATAPOINTS] = [
            ("network_io_bytes_sent", self.bytes_sent),
            ("network_io_bytes_recv", self.bytes_received),
            ("network_io_packets_sent", self.packets_sent),
            ("network_io_packets_recv", self.packets_received),
            ("network_io_errin", self.errors_in),
            ("network_io_errout", self.errors_out),
            ("network_io_dropin", self.dropped_in),
            ("network_io_dropout", self.dropped_out),
        ];
        out.extend(
            figures.map(|(key, value)| DataPoint::of(&metadata, key, DataType::Counter64, value)),
        );
    }
}

/// One interface a line; `None` for one that counts nothing.
fn parse(text: &[u8]) -> impl Iterator<Item = Result<Option<Interface<'_>>, Malformed>> {
    lines(text).skip(HEADINGS).map(parse_line)
}

/// The name ends with the last colon: an alias has one of its own (`eth0:1`), and
/// before 2.6.37 no space need follow (`eth0:123456789`).
fn parse_line(line: Line<'_>) -> Result<Option<Interface<'_>>, Malformed> {
    let Some(colon) = line.text.iter().rposition(|byte| *byte == b':') else {
        return Err(line.wanted("the name of an interface and a colon"));
    };
    let (name, figures) = (line.text[..colon].trim_ascii(), &line.text[colon + 1..]);
    if name.is_empty() {
        return Err(line.wanted("the name of an interface before the colon"));
    }
    if figures.trim_ascii_start().starts_with(b"No statistics available") {
        return Ok(None);
    }
    let mut fields: [Option<&[u8]>; COLUMNS] = [None; COLUMNS];
    for (place, field) in fields.iter_mut().zip(Fields::of(figures)) {
        *place = Some(field);
    }
    Ok(Some(Interface {
        name,
        bytes_received: line.whole(fields[0], "bytes received")?,
        packets_received: line.whole(fields[1], "packets received")?,
        errors_in: line.whole(fields[2], "errors of receiving")?,
        dropped_in: line.whole(fields[3], "received packets dropped")?,
        bytes_sent: line.whole(fields[8], "bytes sent")?,
        packets_sent: line.whole(fields[9], "packets sent")?,
        errors_out: line.whole(fields[10], "errors of sending")?,
        dropped_out: line.whole(fields[11], "packets to send dropped")?,
    }))
}

#[cfg(test)]
mod tests {
    use pattoo_common::datapoint::Place;

    use super::*;
    use crate::sources::fixture;

    const FIGURES: &str = "1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0";

    fn one(text: &str) -> Result<Option<Interface<'_>>, Malformed> {
        parse_line(Line { number: 3, text: text.as_bytes() })
    }

    fn interface(name: &str) -> Interface<'_> {
        Interface {
            name: name.as_bytes(),
            bytes_received: 1,
            packets_received: 2,
            errors_in: 3,
            dropped_in: 4,
            bytes_sent: 5,
            packets_sent: 6,
            errors_out: 7,
            dropped_out: 8,
        }
    }

    #[test]
    fn names_end_with_the_last_colon() {
        assert_eq!(one(&format!("    lo:{FIGURES}")), Ok(Some(interface("lo"))));
        assert_eq!(one(&format!("  eth0: {FIGURES}")), Ok(Some(interface("eth0"))));
        assert_eq!(one(&format!("eth0:1:{FIGURES}")), Ok(Some(interface("eth0:1"))));
        assert_eq!(one(&format!("eth0:1: {FIGURES}")), Ok(Some(interface("eth0:1"))));
        assert_eq!(one(&format!("bond0.100: {FIGURES}")), Ok(Some(interface("bond0.100"))));
    }

    #[test]
    fn an_interface_that_counts_nothing_is_passed_over() {
        assert_eq!(one("  sit0: No statistics available."), Ok(None));
    }

    #[test]
    fn counters_beyond_32_bits_are_exact() {
        let found = one("eth0: 18446744073709551615 2 3 4 0 0 0 0 5 6 7 8").unwrap().unwrap();
        assert_eq!(found.bytes_received, u64::MAX);
    }

    #[test]
    fn garbage_and_what_does_not_fit_is_refused() {
        for bad in [
            "",
            "eth0 1 2 3",
            ": 1 2 3 4 0 0 0 0 5 6 7 8",
            "eth0: 1 2 3 4 0 0 0 0 5 6 7",
            "eth0: 1 2 3 4 0 0 0 0 5 -6 7 8",
            "eth0: 18446744073709551616 2 3 4 0 0 0 0 5 6 7 8",
        ] {
            assert!(one(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bad_line_costs_its_interface_and_is_told() {
        let folder = fixture::Folder::new("network_io_bad_line");
        folder.file("net/dev", &format!("head\nhead\neth0: {FIGURES}\n?\neth1: {FIGURES}\n"));
        let mut out = Vec::new();
        let outcome = NetworkIo::new(&folder.as_roots()).read(&fixture::POLL, &mut out);
        let Err(SourceError::Failed(reason)) = outcome else { panic!("a line is malformed") };
        assert!(reason.contains("net/dev line 4: wanted the name"), "{reason}");
        assert_eq!(out.len(), 16);
    }

    #[test]
    fn keys_and_metadata_are_those_of_the_wire() {
        let points = fixture::read(&mut NetworkIo::new(&fixture::roots("container")));
        let keys: Vec<_> = points[..8].iter().map(|point| point.key).collect();
        let names = ["bytes_sent", "bytes_recv", "packets_sent", "packets_recv"];
        let names = names.into_iter().chain(["errin", "errout", "dropin", "dropout"]);
        assert_eq!(keys, names.map(|name| format!("network_io_{name}")).collect::<Vec<_>>());
        let metadata = points[8].metadata.as_ref().unwrap();
        assert_eq!(metadata.place, Place::AfterHost);
        assert_eq!(metadata.pairs, [("network_io_interface", "eth0".to_string())]);
    }

    #[test]
    fn every_tree_has_its_interfaces() {
        for (tree, names) in [
            ("x86_64-server", "lo eno1 eno2 ens1f0np0 ens1f1np1 bond0 bond0.100 bond0.200 docker0"),
            ("arm-board", "lo eth0 wlan0"),
            ("kernel-3.10", "em1 em2 lo"),
            ("kernel-2.6.32", "lo eth0 sit0"),
            ("container", "lo eth0"),
        ] {
            let text = fixture::text(tree, "proc/net/dev");
            let found = parse(&text).filter_map(|interface| interface.unwrap());
            let found: Vec<_> = found.map(|interface| interface.name.to_vec()).collect();
            assert_eq!(String::from_utf8(found.join(&b' ')).unwrap(), names, "{tree}");
        }
    }
}
