use std::fs;
use std::path::PathBuf;

use super::*;

/// A machine in a folder that goes with it.
struct Machine(PathBuf);

impl Machine {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let root = std::env::temp_dir().join(format!("pattoo-host-{}-{name}", std::process::id()));
        let machine = Self(root);
        for (file, text) in files {
            machine.write(file, text);
        }
        machine
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn host(&self, processor: Option<&str>) -> Host {
        let (proc, sys) = (self.0.join("proc"), self.0.join("sys"));
        let roots = Roots { proc, sys, root: self.0.clone() };
        Host::new(&roots, "web1.example.org".to_owned(), processor.map(str::to_owned))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

#[test]
fn pairs_are_those_of_the_capture() {
    let machine = Machine::new(
        "capture",
        &[
            ("proc/sys/kernel/osrelease", "6.18.44-fc-v657\n"),
            ("proc/sys/kernel/version", "#1 SMP PREEMPT_DYNAMIC @0\n"),
            ("proc/sys/kernel/arch", "x86_64\n"),
            ("sys/devices/system/cpu/online", "0-1\n"),
            ("etc/os-release", "NAME=\"Debian GNU/Linux\"\nID=debian\n"),
        ],
    );
    let pairs = machine.host(None).pairs();
    let pairs: Vec<_> = pairs.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let expected = [
        ("release", "6.18.44-fc-v657"),
        ("version", "#1 SMP PREEMPT_DYNAMIC @0"),
        ("processor", ""),
        ("type", "Linux"),
        ("cpus", "2"),
        ("hostname", "web1.example.org"),
    ];
    assert_eq!(pairs, expected);
}

#[test]
fn processor_is_what_uname_says_there() {
    let named = [
        "ID=ubuntu\nID_LIKE=debian\n",
        "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n",
        "ID=fedora\n",
        "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n",
        "ID=\"opensuse-leap\"\n",
        "ID='sles'\nID_LIKE='suse'\n",
    ];
    for text in named {
        assert!(uname_names_processor(text), "{text}");
    }
    for text in ["", "ID=debian\n", "ID=raspbian\nID_LIKE=debian\n", "ID=arch\n", "NAME=ubuntu\n"] {
        assert!(!uname_names_processor(text), "{text}");
    }
    let files = [("proc/sys/kernel/arch", "aarch64\n"), ("usr/lib/os-release", "ID=fedora\n")];
    let machine = Machine::new("processor", &files);
    assert_eq!(machine.host(None).processor, "aarch64");
    assert_eq!(machine.host(Some("")).processor, "");
    assert_eq!(machine.host(Some("i686")).processor, "i686");
}

#[test]
fn a_machine_without_proc_sys_asks_the_kernel() {
    let host = Machine::new("empty", &[]).host(None);
    assert!(!host.release.is_empty() && !host.version.is_empty());
    assert_eq!(host.cpus(), "1");
}

#[test]
fn cpus_are_counted_anew_and_kept_while_unreadable() {
    let machine = Machine::new("cpus", &[("sys/devices/system/cpu/online", "0-3,5\n")]);
    let host = machine.host(None);
    let recount = |host: &Host| {
        let long_ago = Instant::now().checked_sub(RECOUNT_AFTER).unwrap();
        host.cpus.lock().unwrap().counted_at = long_ago;
        host.cpus()
    };
    machine.write("sys/devices/system/cpu/online", "0-7\n");
    assert_eq!(host.cpus(), "5", "a minute has not passed");
    assert_eq!(recount(&host), "8");
    fs::remove_file(machine.0.join("sys/devices/system/cpu/online")).unwrap();
    assert_eq!(recount(&host), "8");
    machine.write("proc/stat", "cpu  1 2\ncpu0 1 2\ncpu1 1 2\ncpu\nintr 5\n");
    assert_eq!(recount(&host), "2");
}

#[test]
fn lists_of_cpus_are_counted() {
    for (list, length) in [("0", 1), ("0-3", 4), ("0-1,4,6-7\n", 5)] {
        assert_eq!(length_of_list(list), Some(length), "{list}");
    }
    for list in ["", "a", "3-1", "0-", "0-4294967295", "0,,1"] {
        assert_eq!(length_of_list(list), None, "{list}");
    }
}
