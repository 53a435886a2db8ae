//! The list of sources, in the order of the wire.
//!
//! A source is the reader of one kernel file. `docs/sources.md` has a row for
//! each: what it reads, what it sends, in which units, and what the kernel may
//! lack.

mod cpu;
mod cpu_frequency;
mod disk_io;
#[cfg(test)]
pub(crate) mod fixture;
mod load_average;
mod memory;
mod network_io;
mod process_count;
mod swap_io;
mod uptime;

use crate::source::{Roots, Source};

pub(crate) use cpu::cpu_count;

/// Every source of this machine. The order of the captured keys is part of the
/// wire format; what the original collected but never sent comes first, where
/// its code had it, and what is ours follows that.
pub(crate) fn all(roots: &Roots) -> Vec<Box<dyn Source>> {
    vec![
        Box::new(process_count::ProcessCount::new(roots)),
        Box::new(load_average::LoadAverage::new(roots)),
        Box::new(cpu_frequency::CpuFrequency::new(roots)),
        Box::new(uptime::Uptime::new(roots)),
        Box::new(cpu::Cpu::new(roots)),
        Box::new(memory::Memory::new(roots)),
        Box::new(swap_io::SwapIo::new(roots)),
        // The usage of file systems has its place here.
        Box::new(disk_io::DiskIo::new(roots)),
        Box::new(network_io::NetworkIo::new(roots)),
    ]
}
