//! Kernels whose counters have 32 bits, and lines of all widths. The kernel writes
//! all that the spoke reads as text, so the order of bytes changes nothing; the
//! golden test of `mips-router` is of a big-endian machine.

use pattoo_tests::Folder;

use crate::spoke::{Figures, Spoke, plain_tree};

const BELOW_WRAP: u64 = (1 << 32) - 6;

/// Each width that a kernel has had, behind number, number and name.
const WIDTHS: [(&str, usize); 5] =
    [("partition26", 4), ("linux26", 11), ("linux418", 15), ("linux55", 17), ("wider", 21)];

fn machine(spoke: &Spoke, counter: u64, ticks: [u64; 4]) {
    let [user, nice, system, idle] = ticks;
    spoke.tree(
        "proc/stat",
        &format!(
            "cpu  {user} {nice} {system} {idle}\ncpu0 {user} {nice} {system} {idle}\n\
             intr {counter} 1 2 3\nctxt {counter}\nbtime 1700000000\n"
        ),
    );
    spoke.tree("proc/vmstat", &format!("pswpin {counter}\npswpout {counter}\n"));
    let lines = WIDTHS.map(|(name, width)| {
        format!("   8       0 {name}{}\n", format!(" {counter}").repeat(width))
    });
    spoke.tree("proc/diskstats", &lines.concat());
    spoke.tree(
        "proc/net/dev",
        // Old kernels leave no space behind the colon of a long number.
        &format!(
            "Inter-|\n face |\n  eth0:{counter} {counter} 0 0 0 0 0 0 {counter} {counter} 0 0 0 0 0 0\n"
        ),
    );
}

#[expect(clippy::cast_precision_loss, reason = "33 bits")]
fn expect(figures: &Figures, counter: u64) {
    let counter = counter as f64;
    let each = |key| figures.each(key, "disk_partition");
    assert_eq!(each("disk_io_read_count"), WIDTHS.map(|(name, _)| (name, counter)));
    // Sectors have 512 bytes, so these pass 32 bits.
    let wanted = WIDTHS.map(|(name, _)| (name, counter * 512.0));
    assert_eq!(each("disk_io_read_bytes"), wanted);
    let busy = WIDTHS.map(|(name, width)| (name, if width > 4 { counter } else { 0.0 }));
    assert_eq!(each("disk_io_busy_time"), busy);
    for key in ["network_io_bytes_recv", "network_io_bytes_sent", "network_io_packets_recv"] {
        assert_eq!(figures.each(key, "network_io_interface"), [("eth0", counter)], "{key}");
    }
    for key in ["cpu_stats_ctx_switches", "cpu_stats_interrupts"] {
        assert_eq!(figures.each(key, ""), [("", counter)], "{key}");
    }
    assert_eq!(figures.each("swap_memory_sin", ""), [("", counter * 4096.0)]);
    let share = |figure: &&crate::spoke::Figure| figure.key.starts_with("cpu_times_percent_");
    let shares: Vec<f64> = figures.0.iter().filter(share).map(|figure| figure.value).collect();
    assert_eq!(shares.len(), 4);
    assert!(shares.iter().all(|share| (0.0..=100.0).contains(share)), "{shares:?}");
    assert!((shares.iter().sum::<f64>() - 100.0).abs() < 0.5, "{shares:?}");
}

#[test]
fn counters_that_wrap_at_32_bits_are_told_as_they_are() {
    let folder = Folder::new("wraps");
    plain_tree(&folder);
    let spoke = Spoke::of_tree(folder);
    machine(&spoke, BELOW_WRAP, [1_000, 0, 1_000, BELOW_WRAP]);
    spoke.daemon.start();
    expect(&spoke.poll(), BELOW_WRAP);
    // Idle has wrapped; a share of it would be some ten million percent.
    machine(&spoke, 5, [1_400, 0, 1_100, 94]);
    expect(&spoke.poll(), 5);
    machine(&spoke, 6, [1_500, 0, 1_200, 394]);
    let figures = spoke.poll();
    expect(&figures, 6);
    assert_eq!(figures.each("cpu_times_percent_idle", ""), [("", 60.0)]);
    spoke.daemon.stop();
    // Nothing was refused or left out on the way.
    assert!(!spoke.log().contains("failed"), "{}", spoke.log());
}
