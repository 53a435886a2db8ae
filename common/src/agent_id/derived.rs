//! An agent id for a machine that keeps nothing over a reboot, from what tells it
//! from others: the id of its installation, or the address of a network interface.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::{AgentId, Origin, hex};
use crate::durable_file;

/// These files have one short line.
const MAX_FILE_BYTES: u64 = 256;
/// Makes ids of Pattoo differ from those that others derive of the same machine;
/// machine-id(5) asks for that. Never to be changed.
const SALT: &str = "pattoo agent id 1";

/// The id of a program on this machine. Those of two programs differ.
fn derive(program: &str, kind: &str, machine: &str) -> String {
    hex(&Sha256::digest(format!("{SALT}\n{program}\n{kind}\n{machine}")))
}

/// From `/etc/machine-id`: 32 hex digits; `uninitialized` while a first boot goes on.
pub(super) fn from_machine_id(file: &Path, program: &str) -> Option<AgentId> {
    let text = durable_file::read_text(file, MAX_FILE_BYTES).ok()?;
    let machine = text.trim();
    let is_id = machine.len() == 32 && machine.bytes().all(|byte| byte.is_ascii_hexdigit());
    // Images are shipped with zeros by some.
    let is_own = machine.bytes().any(|byte| byte != b'0');
    (is_id && is_own).then(|| AgentId {
        id: derive(program, "machine-id", machine),
        origin: Origin::MachineId(file.to_owned()),
    })
}

/// From the first permanent hardware address, by the name of the interface.
pub(super) fn from_mac_address(interfaces: &Path, program: &str) -> Option<AgentId> {
    let entries = fs::read_dir(interfaces).ok()?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names.into_iter().filter(|name| name != "lo").find_map(|name| {
        let read =
            |file| durable_file::read_text(&interfaces.join(&name).join(file), MAX_FILE_BYTES);
        // 0: permanent; random, stolen and set ones change (kernel:
        // Documentation/ABI/testing/sysfs-class-net).
        let assigned = read("addr_assign_type").ok()?;
        let address = read("address").ok()?;
        let address = address.trim().to_ascii_lowercase();
        (assigned.trim() == "0" && is_ethernet(&address)).then(|| AgentId {
            id: derive(program, "mac", &address),
            origin: Origin::MacAddress(name),
        })
    })
}

/// Six bytes, not all zero.
fn is_ethernet(address: &str) -> bool {
    let parts: Vec<_> = address.split(':').map(|part| u8::from_str_radix(part, 16)).collect();
    parts.len() == 6 && parts.iter().all(Result::is_ok) && parts.iter().any(|part| *part != Ok(0))
}
