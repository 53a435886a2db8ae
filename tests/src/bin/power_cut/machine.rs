//! A virtual machine with one program in it, and its power.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use pattoo_tests::{binary_of_system, wait_until};

use super::disk::Disk;

/// Mebibytes of memory.
const MEMORY_MIB: u32 = 256;
/// What a kernel under KVM may take to be ready; where it does not run, QEMU
/// hangs and says nothing.
const KVM_PATIENCE: Duration = Duration::from_secs(15);
/// What it may take otherwise, the program in it included.
const PATIENCE: Duration = Duration::from_mins(2);
/// The line of the guest's console that says that it is up.
const UP: &str = "guest is up";

/// What is to run.
pub(crate) struct Plan<'a> {
    /// The folder with kernel and initramfs.
    pub(crate) assets: &'a Path,
    /// The program in it.
    pub(crate) program: &'a str,
    /// Seconds by which the guest's clock is set, one step each second.
    pub(crate) clock_steps: &'a [i64],
    /// Ports of the host's loopback and those of the guest that they lead to.
    pub(crate) forwards: &'a [(u16, u16)],
    /// Whether the guest may reach the host (as 10.0.2.2).
    pub(crate) reaches_host: bool,
}

/// A machine that runs, until it is dropped at the latest.
pub(crate) struct Machine {
    qemu: Child,
    console: PathBuf,
}

impl Machine {
    /// Switches it on, and returns when its kernel is up.
    pub(crate) fn start(plan: &Plan<'_>, disk: &Disk) -> Self {
        static KVM: OnceLock<bool> = OnceLock::new();
        let kvm = Path::new("/dev/kvm").exists();
        let kvm = *KVM.get_or_init(|| kvm && Self::tries_kvm(plan, disk));
        let machine = Self::switch_on(plan, disk, if kvm { "kvm" } else { "tcg" });
        wait_until("the guest is up", PATIENCE, || machine.says(UP));
        machine
    }

    fn tries_kvm(plan: &Plan<'_>, disk: &Disk) -> bool {
        let mut machine = Self::switch_on(plan, disk, "kvm");
        let deadline = Instant::now() + KVM_PATIENCE;
        while !machine.says(UP) && Instant::now() < deadline {
            if machine.qemu.try_wait().ok().flatten().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let ready = machine.says(UP);
        println!("KVM is {} on this machine", if ready { "used" } else { "of no use" });
        ready
    }

    fn switch_on(plan: &Plan<'_>, disk: &Disk, accelerator: &str) -> Self {
        disk.prepare();
        let console = disk.copy.with_file_name("console");
        let steps: Vec<String> = plan.clock_steps.iter().map(ToString::to_string).collect();
        let append = format!(
            "console=ttyS0 quiet panic=-1 no_timer_check program={} clock_steps={}",
            plan.program,
            steps.join(",")
        );
        let mut network = "user,id=net".to_owned();
        if !plan.reaches_host {
            network.push_str(",restrict=on");
        }
        for (host, guest) in plan.forwards {
            let _ = write!(network, ",hostfwd=tcp:127.0.0.1:{host}-:{guest}");
        }
        let file = |path: &Path| serde_json::json!({"driver": "raw", "file": {"driver": "file", "filename": path}});
        let block = serde_json::json!({
            "driver": "blklogwrites", "node-name": "logged",
            "file": file(&disk.copy), "log": file(&disk.log),
        });
        let output = File::create(&console).expect("a file for the console");
        let qemu = Command::new(binary_of_system("qemu-system-x86_64"))
            .args(["-machine", "pc", "-accel", accelerator, "-display", "none", "-no-reboot"])
            .args(["-monitor", "none", "-serial", "stdio", "-m", &MEMORY_MIB.to_string()])
            .args(["-append", &append, "-netdev", &network])
            .args(["-device", "virtio-net-pci,netdev=net,romfile="])
            .args(["-blockdev", &block.to_string(), "-device", "virtio-blk-pci,drive=logged"])
            .arg("-kernel")
            .arg(plan.assets.join("vmlinuz"))
            .arg("-initrd")
            .arg(plan.assets.join("initrd"))
            .stdin(Stdio::null())
            .stderr(output.try_clone().expect("a second descriptor"))
            .stdout(output)
            .spawn()
            .expect("QEMU starts");
        Self { qemu, console }
    }

    /// Whether its console has shown this.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.console().contains(text)
    }

    /// What its console has shown.
    pub(crate) fn console(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.console).unwrap_or_default()).into_owned()
    }

    /// Cuts its power.
    pub(crate) fn cut(mut self) {
        self.qemu.kill().expect("QEMU can be ended");
        self.qemu.wait().expect("QEMU has ended");
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
        if std::thread::panicking() {
            eprintln!("the guest's console:\n{}", self.console());
        }
    }
}
