//! A network of its own for a thread and the processes that it starts, with
//! losses to order. Needs root, `ip` and `nft`.
#![allow(unsafe_code)]

use std::io;
use std::process::Command;

use crate::{binary_of_system, finish};

/// The thread's own loopback, and no other way out. It stays with the thread.
#[derive(Debug)]
pub struct Network(());

impl Network {
    /// Gives the calling thread a network of its own. An error tells what this
    /// machine lacks for it.
    pub fn own() -> Result<Self, String> {
        // SAFETY: unshare takes no memory.
        if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
            let error = io::Error::last_os_error();
            return Err(format!("a network namespace of its own: {error}"));
        }
        let network = Self(());
        command("ip", &["link", "set", "lo", "up"])?;
        command("nft", &["add table inet faults"])?;
        command("nft", &["add chain inet faults in { type filter hook input priority 0; }"])?;
        Ok(network)
    }

    /// From now on packets from and to this port are lost: so many of a hundred.
    pub fn lose(&self, port: u16, percent: u64) -> Result<(), String> {
        for way in ["sport", "dport"] {
            let chance = match percent {
                100 => String::new(),
                _ => format!("numgen random mod 100 < {percent}"),
            };
            command("nft", &[&format!("add rule inet faults in tcp {way} {port} {chance} drop")])?;
        }
        Ok(())
    }

    /// Nothing is lost any more.
    pub fn heal(&self) -> Result<(), String> {
        command("nft", &["flush chain inet faults in"])
    }
}

#[expect(clippy::disallowed_methods, reason = "tests start what they need")]
fn command(program: &str, arguments: &[&str]) -> Result<(), String> {
    let path = std::panic::catch_unwind(|| binary_of_system(program));
    let path = path.map_err(|_| format!("{program} is not installed"))?;
    let done = finish(Command::new(path).args(arguments));
    if done.code == 0 { Ok(()) } else { Err(format!("{program} {arguments:?}: {}", done.stderr)) }
}
