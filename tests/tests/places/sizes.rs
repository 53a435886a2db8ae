//! The largest machines at once: 1,024 processors, 5,000 mounts, 10,000 interfaces
//! and 2,000 disks.

use std::fmt::Write;
use std::fs;

use pattoo_tests::{Folder, HttpAnswer, PATIENCE, http_get, wait_until};

use crate::spoke::{Figures, Spoke, plain_tree};

/// docs/limits.md has these.
const MAX_ANSWER_BYTES: usize = 3 << 20;
const MAX_MOUNTS: usize = 512;

/// What the service files grant a spoke.
const MAX_MEMORY_KB: u64 = 16 << 10;

const PATH: &str = "/pattoo-agent-linux/300";

const PROCESSORS: usize = 1_024;
const MOUNTS: usize = 5_000;
const INTERFACES: usize = 10_000;
const DISKS: usize = 2_000;

fn lines(count: usize, line: impl Fn(&mut String, usize)) -> String {
    let mut text = String::new();
    (0..count).for_each(|number| line(&mut text, number));
    text
}

fn machine(folder: &Folder) {
    plain_tree(folder);
    let processors = lines(PROCESSORS, |text, number| {
        let _ = writeln!(text, "cpu{number} 8392 11 4922 918273 128 0 77 0 0 0");
    });
    // One number for each of tens of thousands of interrupts.
    let interrupts = " 0".repeat(30_000);
    let stat = format!(
        "cpu  8392000 11 4922000 918273000 128 0 77 0 0 0\n{processors}\
         intr 123456{interrupts}\nctxt 99\nbtime 1700000000\nsoftirq 77 1 2 3\n"
    );
    folder.write("proc/stat", &stat);
    let flags = "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov ".repeat(20);
    let cpuinfo = lines(PROCESSORS, |text, number| {
        let _ =
            write!(text, "processor\t: {number}\ncpu MHz\t\t: 2500.000\nflags\t\t: {flags}\n\n");
    });
    folder.write("proc/cpuinfo", &cpuinfo);
    folder.write("sys/devices/system/cpu/online", "0-1023\n");
    let mounts = lines(MOUNTS, |text, number| {
        let _ = writeln!(text, "/dev/mapper/volume{number} /mounts/{number} ext4 rw 0 0");
    });
    // Those that are sent.
    for number in 0..MAX_MOUNTS {
        fs::create_dir_all(folder.join(format!("mounts/{number}"))).unwrap();
    }
    folder.write("proc/self/mounts", &mounts);
    let interfaces = lines(INTERFACES, |text, number| {
        let _ = writeln!(text, "veth{number}: {number} 1 0 0 0 0 0 0 {number} 1 0 0 0 0 0 0");
    });
    let hardware = "eno1: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\n";
    folder.write("proc/net/dev", &format!("Inter-|\n face |\n{interfaces}{hardware}"));
    fs::create_dir_all(folder.join("sys/class/net/eno1/device")).unwrap();
    let disks = lines(DISKS, |text, number| {
        let _ = writeln!(text, "253 {number} dm-{number} {number} 0 9 0 0 0 0 0 0 0 0");
    });
    folder.write("proc/diskstats", &format!("{disks}8 0 sda 1 0 9 0 0 0 0 0 0 0 0\n"));
    fs::create_dir_all(folder.join("sys/class/block/sda/device")).unwrap();
}

fn mounts_of(figures: &Figures) -> usize {
    figures.each("disk_partition_disk_usage_total", "disk_partition_mountpoint").len()
}

#[test]
fn the_largest_machine_is_told_within_the_limits() {
    let folder = Folder::new("largest");
    machine(&folder);
    let spoke = Spoke::of_tree(folder);
    let process = spoke.daemon.start();
    // The first answer reckons every checksum; a debug build may take too long. And where
    // the machine is slow, not all mounts are asked in time.
    let is_whole = |answer: &HttpAnswer| {
        answer.status == 200 && mounts_of(&Figures::of(&answer.body)) == MAX_MOUNTS
    };
    let mut answer = http_get(spoke.port, PATH).unwrap();
    wait_until("the checksums are reckoned and the mounts asked", PATIENCE, || {
        is_whole(&answer) || {
            answer = http_get(spoke.port, PATH).unwrap();
            false
        }
    });
    assert!(answer.body.len() <= MAX_ANSWER_BYTES, "{} bytes", answer.body.len());
    assert!(answer.body.len() > MAX_ANSWER_BYTES * 9 / 10, "{} bytes", answer.body.len());

    let figures = Figures::of(&answer.body);
    assert_eq!(figures.0[0].about("cpus"), Some("1024"));
    assert_eq!(figures.one("cpu_frequency").to_string(), "2500");
    assert_eq!(figures.one("cpu_stats_interrupts").to_string(), "123456");
    assert!(figures.interfaces().contains("eno1"), "hardware first");
    let disks = figures.each("disk_io_read_count", "disk_partition");
    assert!(disks.contains(&("sda", 1.0)), "hardware first");
    assert_eq!(mounts_of(&figures), MAX_MOUNTS);

    // It says what it left out, to the datapoint.
    let left_out = answer.head.lines().find_map(|line| {
        let (name, count) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("pattoo-left-out").then(|| count.parse::<usize>().unwrap())
    });
    let about = |name: &str| figures.0.iter().filter(|f| f.about(name).is_some()).count();
    let sent = about("network_io_interface") + about("disk_partition");
    assert_eq!(sent + left_out.unwrap(), (INTERFACES + 1) * 8 + (DISKS + 1) * 9);
    let page = String::from_utf8(http_get(spoke.port, "/").unwrap().body).unwrap();
    let too_many = MOUNTS - MAX_MOUNTS;
    assert!(page.contains(&format!("{too_many} mounts too many are left out")), "{page}");
    assert!(page.len() <= MAX_ANSWER_BYTES);

    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let kb = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    // A debug build's own text is several times that of a release.
    let (peak, program) = (kb("VmHWM:"), kb("RssFile:"));
    println!("at most {peak} kB, of these {program} kB of program");
    assert!(peak - program.min(peak) <= MAX_MEMORY_KB, "{status}");
    spoke.daemon.stop();
}
