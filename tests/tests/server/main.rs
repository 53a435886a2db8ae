//! The real server: posted to as hubs do, asked as people do, killed, filled up,
//! copied and compacted.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod commands;
mod documents;
mod durability;
mod forgetting;
mod full_disk;
mod hubs;
mod names;
mod page;
mod receiving;
mod session;
