//! What the benches share: processes and their cost, a fleet of stand-in spokes,
//! and a stand-in server. Run by hand; nothing here is a test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a bench that cannot go on ends"
)]

pub mod fleet;
pub mod load;
pub mod process;
pub mod receiver;
pub mod recording;
pub mod server;
pub mod template;
