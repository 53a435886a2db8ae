//! The text of `/proc/diskstats` in all its widths (the kernel's
//! Documentation/admin-guide/iostats.rst).

use crate::kernel_text::{Line, Malformed, lines};

use super::{Disk, SECTOR_BYTES};

/// Columns of current kernels; what may come after them is passed over.
const COLUMNS: usize = 20;

/// One disk or partition a line.
pub(super) fn parse(text: &[u8]) -> impl Iterator<Item = Result<Disk<'_>, Malformed>> {
    lines(text).map(parse_line)
}

fn parse_line(line: Line<'_>) -> Result<Disk<'_>, Malformed> {
    let mut fields: [&[u8]; COLUMNS] = [b""; COLUMNS];
    let mut count = 0;
    for (place, field) in fields.iter_mut().zip(line.fields()) {
        *place = field;
        count += 1;
    }
    match count {
        // Number, number, name, and 11 figures; since 4.18 four more, since 5.5
        // another two.
        14 | 18.. => disk(line, fields[2], &fields[3..]),
        // Linux 2.4 had the size of the disk before its name.
        15 => disk(line, fields[3], &fields[4..]),
        // A partition of Linux 2.6 before 2.6.25.
        7 => Ok(Disk {
            name: fields[2],
            reads: line.whole(Some(fields[3]), "reads")?,
            read_bytes: line.scaled(Some(fields[4]), SECTOR_BYTES, "sectors read")?,
            writes: line.whole(Some(fields[5]), "writes")?,
            written_bytes: line.scaled(Some(fields[6]), SECTOR_BYTES, "sectors written")?,
            ..Disk::default()
        }),
        _ => Err(line.wanted("a disk with 7, 14, 15, 18 or 20 columns")),
    }
}

/// A disk of these figures, of which there are ten or more.
pub(super) fn disk<'a>(
    line: Line<'a>,
    name: &'a [u8],
    figures: &[&[u8]],
) -> Result<Disk<'a>, Malformed> {
    let figure = |index: usize| figures.get(index).copied();
    Ok(Disk {
        name,
        reads: line.whole(figure(0), "reads")?,
        reads_merged: line.whole(figure(1), "reads merged")?,
        read_bytes: line.scaled(figure(2), SECTOR_BYTES, "sectors read")?,
        read_ms: line.whole(figure(3), "milliseconds of reads")?,
        writes: line.whole(figure(4), "writes")?,
        writes_merged: line.whole(figure(5), "writes merged")?,
        written_bytes: line.scaled(figure(6), SECTOR_BYTES, "sectors written")?,
        write_ms: line.whole(figure(7), "milliseconds of writes")?,
        // The next counts what is under way now; it can be negative.
        busy_ms: line.whole(figure(9), "milliseconds busy")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::fixture;

    const SDA: Disk<'_> = Disk {
        name: b"sda",
        reads: 1,
        reads_merged: 2,
        read_bytes: 3 * 512,
        read_ms: 4,
        writes: 5,
        writes_merged: 6,
        written_bytes: 7 * 512,
        write_ms: 8,
        busy_ms: 10,
    };

    #[test]
    fn every_width_gives_the_same_figures() {
        for text in [
            "   8       0 sda 1 2 3 4 5 6 7 8 9 10 11\n",
            "   8       0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15\n",
            "   8       0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
            "   8       0 sda 1 2 3 4 5 6 7 8 -1 10 11 12 13 14 15 16 17 18 19\n",
            "   3     0   39082680 sda 1 2 3 4 5 6 7 8 9 10 11\n",
        ] {
            assert_eq!(parse(text.as_bytes()).collect::<Vec<_>>(), [Ok(SDA)], "{text}");
        }
    }

    #[test]
    fn a_partition_of_an_old_kernel_counts_reads_and_writes_only() {
        let expected = Disk {
            name: b"sda1",
            reads: 1,
            read_bytes: 2 * 512,
            writes: 3,
            written_bytes: 4 * 512,
            ..Disk::default()
        };
        assert_eq!(parse(b"   8    1 sda1 1 2 3 4\n").collect::<Vec<_>>(), [Ok(expected)]);
    }

    #[test]
    fn counters_beyond_32_bits_are_exact() {
        let text = b"8 0 sda 18446744073709551615 0 8589934592 0 0 0 0 0 0 0 0\n";
        let disk = parse(text).next().unwrap().unwrap();
        assert_eq!((disk.reads, disk.read_bytes), (u64::MAX, 8_589_934_592 * 512));
    }

    #[test]
    fn garbage_other_widths_and_what_does_not_fit_is_refused() {
        for bad in [
            "\n",
            "8 0 sda\n",
            "8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13\n",
            "8 0 sda 1 2 3 4 5 6 7 8 9 ten 11\n",
            "8 0 sda 1 2 3 4 5 6 -7 8 9 10 11\n",
            "8 0 sda 1 2 18446744073709551615 4 5 6 7 8 9 10 11\n",
            "8 0 sda 18446744073709551616 2 3 4 5 6 7 8 9 10 11\n",
        ] {
            assert!(parse(bad.as_bytes()).next().unwrap().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_trees_have_the_widths_of_their_kernels() {
        for (tree, columns, disks) in [
            ("x86_64-server", 20, 19),
            ("arm-board", 14, 7),
            ("kernel-3.10", 14, 7),
            ("kernel-2.6.32", 14, 4),
        ] {
            let text = fixture::text(tree, "proc/diskstats");
            assert!(lines(&text).all(|line| line.fields().count() == columns), "{tree}");
            let found = parse(&text).filter(|disk| {
                let name = disk.as_ref().unwrap().name;
                !name.starts_with(b"loop") && !name.starts_with(b"ram")
            });
            assert_eq!(found.count(), disks, "{tree}");
        }
    }
}
