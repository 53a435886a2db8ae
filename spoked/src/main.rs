//! The spoke: answers with the figures of the machine that it runs on.

use std::process::ExitCode;

fn main() -> ExitCode {
    pattoo_common::allocator::give_memory_back();
    pattoo_common::program::run::<pattoo_spoked::Spoke>()
}
